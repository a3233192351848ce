//! Removing objects, spoilt ones too.

use super::{describe, Health, Kind};
use crate::errno::{Errno, Result};
use crate::namespace::{ids, ids::Room, Namespace};
use crate::posix::{mqueue, sem, shm};
use crate::sync::section::Section;
use crate::sys::file;
use crate::sysv::{msgctl, semctl, shmctl};
use crate::user::In;
use core::ffi::CStr;

/// Which object.
#[derive(Clone, Copy, Debug)]
pub enum Selector<'a> {
    /// By identifier.
    Id(i32),
    /// By key.
    Key(i32),
    /// By name, with its slash.
    Name(&'a CStr),
}

/// Removes an object, spoilt ones too: those who sleep on it get EIDRM, as from IPC_RMID.
/// EINVAL, ENOENT: there is none. EPERM, EACCES: not the caller's.
pub fn remove(ns: &'static Namespace, kind: Kind, which: &Selector<'_>) -> Result<()> {
    if let Some(room) = kind.system_v() {
        return match which {
            Selector::Id(id) => remove_system_v(ns, kind, room, *id),
            Selector::Key(key) => remove_system_v(ns, kind, room, ids::find_key(ns, room, *key)?),
            Selector::Name(_) => Err(Errno::EINVAL),
        };
    }
    match (kind, which) {
        (Kind::Mq, Selector::Name(name)) => {
            // SAFETY: a C string.
            mqueue::unlink_in(ns, unsafe { In::new(name.as_ptr()) })
        }
        // SAFETY: as above.
        (Kind::Psem, Selector::Name(name)) => sem::unlink_in(ns, unsafe { In::new(name.as_ptr()) }),
        // SAFETY: as above.
        (Kind::Pshm, Selector::Name(name)) => shm::unlink_in(ns, unsafe { In::new(name.as_ptr()) }),
        _ => Err(Errno::EINVAL),
    }
}

fn remove_system_v(ns: &'static Namespace, kind: Kind, room: Room, id: i32) -> Result<()> {
    let removed = match room {
        Room::Msg => msgctl::remove(ns, id),
        Room::Sem => semctl::remove(ns, id),
        Room::Shm => shmctl::remove(ns, id),
    };
    if removed != Err(Errno::EINVAL) {
        return removed;
    }
    // Spoilt: its names can be removed all the same, if the file is the caller's.
    let _section = Section::enter()?;
    let index = ids::index_of(id);
    // A sound one that has the index by now is not the one that is meant.
    let mut meant = false;
    describe(
        ns,
        kind,
        room.path(index).as_cstr(),
        &mut |info| {
            meant = match info.health {
                Health::Unfit(_) => true,
                Health::Denied => false,
                _ => info.id == id,
            }
        },
        &|info| info.id = id,
    );
    if !meant {
        return Err(Errno::EINVAL);
    }
    remove_keys(ns, room, index)?;
    ids::withdraw(ns, room, index)
}

/// Removes the keys that lead to an index: of a spoilt object the identifier may not be known.
fn remove_keys(ns: &Namespace, room: Room, index: u32) -> Result<()> {
    let keys = file::open_at(ns.dir()?, c"keys", libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    let mut removed = Ok(());
    file::each_entry(keys.raw(), &mut |name| {
        let mut text = [0u8; 16];
        let link = file::read_link_at(keys.raw(), name, &mut text);
        let id = link.ok().and_then(|n| crate::text::parse_u64(&text[..n]));
        let ours = id.is_some_and(|id| ids::index_of(id as i32) == index);
        if ours && name.to_bytes().starts_with(room.name().as_bytes()) {
            removed = file::unlink_at(keys.raw(), name, 0);
        }
        removed.is_ok()
    })?;
    removed
}
