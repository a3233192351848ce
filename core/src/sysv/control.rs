//! What msgctl(2), semctl(2) and shmctl(2) have in common.

use super::object::{self, Kind};
use crate::cred::{self, Cred};
use crate::entry::{self, Begun};
use crate::errno::{Errno, Result};
use crate::namespace::{ids, Namespace};
use crate::perm::{self, Perm};
use crate::process::ProcessPage;
use crate::region::header::Header;
use crate::region::object::Ref;
use crate::region::table::Table;
use crate::sys::{clock, file};
use core::ffi::c_int;
use libc::ipc_perm;

/// Which object a status command names, and who may see it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// IPC_STAT: by identifier, with read permission.
    Id,
    /// MSG_STAT, SEM_STAT, SHM_STAT: by index, with read permission.
    Index,
    /// MSG_STAT_ANY, SEM_STAT_ANY, SHM_STAT_ANY: by index, by anybody.
    IndexAny,
}

impl Which {
    /// What the call returns for object `id`.
    pub fn answer(self, id: c_int) -> c_int {
        if self == Which::Id {
            0
        } else {
            id
        }
    }
}

/// What a status command has found.
pub enum Found {
    /// The object, which the caller may read.
    Object(Ref),
    /// What anybody may see of an object whose file he may not open (the kernel shows all of it, see
    /// docs/DIFFERENCES.md): permissions, time of change, identifier.
    Outside(ipc_perm, i64, c_int),
}

/// Finds the object of a status command. EACCES, EINVAL.
pub fn find(kind: &'static Kind, ns: &'static Namespace, id: c_int, which: Which) -> Result<Found> {
    let index = ids::index_of(id);
    let found = match which {
        Which::Id => kind.by_id(ns, id),
        _ => kind.by_index(ns, index),
    };
    match (found, which) {
        (Err(Errno::EACCES), Which::IndexAny) => match kind.open(ns, index, true) {
            Err(Errno::EACCES) => outside(kind, ns, index),
            found => found.map(Found::Object),
        },
        (Ok(object), Which::IndexAny) => Ok(Found::Object(object)),
        (found, _) => {
            let object = found?;
            object::check(&object, perm::READ)?;
            Ok(Found::Object(object))
        }
    }
}

/// An object that its readers may see.
#[derive(Clone, Copy)]
struct ToRead {
    kind: &'static Kind,
    id: c_int,
}

impl entry::Wanted for ToRead {
    #[inline(always)]
    fn place(self) -> (&'static Table, usize) {
        (self.kind.table, ids::index_of(self.id) as usize)
    }
    #[inline(always)]
    fn is(self, object: &Ref, page: &'static ProcessPage) -> bool {
        self.kind.is_open(self.id, perm::READ, object, page)
    }
}

/// IPC_STAT of an object where all is as at the last call and nobody is at work: without its lock. None, or `show` gives None: the
/// long way will tell.
#[inline(always)]
pub fn glance<M: PartialEq>(
    kind: &'static Kind,
    id: c_int,
    marks: impl Fn(&Begun) -> M,
    show: impl FnOnce(&Begun) -> Option<()>,
) -> bool {
    let Some(begun) = Begun::as_before(ToRead { kind, id }) else { return false };
    let seen = begun.object.header().glance(|| marks(&begun), || show(&begun));
    begun.end();
    seen.is_some()
}

fn outside(kind: &'static Kind, ns: &'static Namespace, index: u32) -> Result<Found> {
    let st = file::stat_at(ns.dir()?, kind.room.path(index).as_cstr()).map_err(|_| Errno::EINVAL)?;
    let id = ids::known_id(ns, kind.room, index);
    let perm = Perm { uid: st.uid, gid: st.gid, cuid: st.uid, cgid: st.gid, mode: st.mode & 0o777 };
    Ok(Found::Outside(fill(&perm, 0, id), st.ctime, id))
}

fn fill(perm: &Perm, key: i32, id: c_int) -> ipc_perm {
    // SAFETY: all-zero is a valid structure.
    let mut filled: ipc_perm = unsafe { core::mem::zeroed() };
    filled.__key = key;
    filled.uid = perm.uid;
    filled.gid = perm.gid;
    filled.cuid = perm.cuid;
    filled.cgid = perm.cgid;
    filled.mode = perm.mode as _;
    filled.__seq = (id as u32 >> 15) as _;
    filled
}

/// The permissions as a status command shows them.
pub fn permissions(header: &Header) -> ipc_perm {
    fill(&header.perm(), header.key.get() as i32, header.id.get() as i32)
}

/// EPERM unless the caller owns or made the object. For IPC_SET and IPC_RMID.
pub fn check_owner(header: &Header) -> Result<Cred> {
    let cred = cred::current()?;
    header.perm().check_owner(&cred)?;
    Ok(cred)
}

/// IPC_SET: owner, group and mode, with the lock held and the owner checked. EINVAL, EPERM.
pub fn set(
    kind: &'static Kind,
    ns: &'static Namespace,
    object: &Ref,
    id: c_int,
    wanted: &ipc_perm,
) -> Result<()> {
    let header = object.header();
    let before = header.perm();
    let perm = Perm { uid: wanted.uid, gid: wanted.gid, mode: wanted.mode as u32 & 0o777, ..before };
    if perm.uid == u32::MAX || perm.gid == u32::MAX {
        return Err(Errno::EINVAL);
    }
    let files = |p: &Perm| (p.uid, p.gid, perm::file_mode(p.mode));
    if files(&perm) != files(&before) {
        admit_to_file(kind, ns, object, id, &perm)?;
    }
    if perm != before {
        header.set_perm(&perm);
    }
    header.ctime.set(clock::now_s() as u64);
    Ok(())
}

fn admit_to_file(
    kind: &'static Kind,
    ns: &'static Namespace,
    object: &Ref,
    id: c_int,
    perm: &Perm,
) -> Result<()> {
    let path = kind.room.path(ids::index_of(id));
    let open = |mode| file::open_at(ns.dir()?, path.as_cstr(), mode | libc::O_NOFOLLOW | libc::O_NONBLOCK, 0);
    match open(libc::O_RDONLY).or_else(|_| open(libc::O_WRONLY)) {
        Ok(fd) if file::stat(fd.raw())?.file == object.file() => perm::apply(fd.raw(), perm),
        Ok(_) => Err(Errno::EINVAL),
        // The owner of an object that nobody may open.
        Err(_) => file::set_mode_at(ns.dir()?, path.as_cstr(), perm::file_mode(perm.mode)),
    }
}
