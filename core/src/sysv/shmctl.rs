//! shmctl(2).

use super::attached;
use super::control::{self, Found, Which};
use super::segment::{self, visit, Segment, LOCKED, PAGE};
use super::shm::{self, SHM};
use crate::cred::{self, CAP_IPC_LOCK};
use crate::entry::Begun;
use crate::errno::{Errno, Result};
use crate::limits::{self, Limit};
use crate::namespace::{self, ids, ids::Room, lifeline, Namespace};
use crate::region::header::DOOMED;
use crate::region::object::Ref;
use crate::sync::guard::Shared;
use crate::sync::section::Section;
use crate::sys::{file, map};
use crate::user::Out;
use core::ffi::{c_int, c_ulong};
use core::sync::atomic::Ordering::*;
use libc::shmid_ds;

const SHM_STAT: c_int = 13;
const SHM_INFO: c_int = 14;
const SHM_STAT_ANY: c_int = 15;
const SHM_DEST: u32 = 0o1000;
const SHM_LOCKED: u32 = 0o2000;

/// `struct shminfo` of <sys/shm.h>.
#[repr(C)]
struct ShmLimits {
    shmmax: c_ulong,
    shmmin: c_ulong,
    shmmni: c_ulong,
    shmseg: c_ulong,
    shmall: c_ulong,
    unused: [c_ulong; 4],
}

/// `struct shm_info` of <sys/shm.h>.
#[repr(C)]
#[derive(Default)]
struct ShmUsage {
    used_ids: c_int,
    shm_tot: c_ulong,
    shm_rss: c_ulong,
    shm_swp: c_ulong,
    swap_attempts: c_ulong,
    swap_successes: c_ulong,
}

/// Commands on a segment, or on all of them.
/// EACCES, EFAULT, EINVAL, ENOMEM, EPERM. shmctl(2)
#[inline(always)]
pub fn control(id: c_int, cmd: c_int, buf: Out<shmid_ds>) -> Result<c_int> {
    if cmd == libc::IPC_STAT {
        // SAFETY: all-zero is a valid structure.
        let mut ds = unsafe { core::mem::zeroed() };
        let show = |begun: &Begun| {
            let segment = Segment::of(&begun.object);
            let attached = segment.attached_by(begun.me)?;
            let whole = segment.head().common.removed.get() == 0;
            whole.then(|| describe(segment, begun.object.geometry().segment_bytes, attached, &mut ds))
        };
        if control::glance(&SHM, id, |_| (), show) {
            return buf.write(&ds).map(|()| 0);
        }
    }
    control_in_turn(id, cmd, buf)
}

#[inline(never)]
fn control_in_turn(id: c_int, cmd: c_int, buf: Out<shmid_ds>) -> Result<c_int> {
    let ns = namespace::current()?;
    if id < 0 || cmd < 0 {
        return Err(Errno::EINVAL);
    }
    match cmd {
        libc::IPC_INFO => limits_of(ns, buf.offset(0)),
        SHM_INFO => usage(ns, buf.offset(0)),
        libc::IPC_STAT => status(ns, id, Which::Id, buf),
        SHM_STAT => status(ns, id, Which::Index, buf),
        SHM_STAT_ANY => status(ns, id, Which::IndexAny, buf),
        libc::IPC_SET => {
            let wanted = buf.as_in().read()?;
            as_owner(ns, id, &mut |segment, object| {
                control::check_owner(&segment.head().common)?;
                control::set(&SHM, ns, object, id, &wanted.shm_perm)
            })
            .map(|()| 0)
        }
        libc::IPC_RMID => remove(ns, id).map(|()| 0),
        libc::SHM_LOCK | libc::SHM_UNLOCK => lock(ns, id, cmd == libc::SHM_LOCK).map(|()| 0),
        _ => Err(Errno::EINVAL),
    }
}

/// Runs `change` on a segment that its owner may change even when its mode keeps him out.
fn as_owner(
    ns: &'static Namespace,
    id: c_int,
    change: &mut dyn FnMut(Segment<'_>, &Ref) -> Result<()>,
) -> Result<()> {
    let _section = Section::enter()?;
    let me = lifeline::my_token(ns)?;
    let object = SHM.by_id_as_owner(ns, id)?;
    visit(ns, &object, me, &mut |segment| change(segment, &object))
}

/// IPC_STAT, SHM_STAT, SHM_STAT_ANY.
fn status(ns: &'static Namespace, id: c_int, which: Which, buf: Out<shmid_ds>) -> Result<c_int> {
    // SAFETY: all-zero is a valid structure.
    let mut ds: shmid_ds = unsafe { core::mem::zeroed() };
    let id = {
        let _section = Section::enter()?;
        let me = lifeline::my_token(ns)?;
        match control::find(&SHM, ns, id, which)? {
            Found::Object(object) => {
                visit(ns, &object, me, &mut |segment| {
                    describe(segment, object.geometry().segment_bytes, segment.attached(), &mut ds);
                    Ok(())
                })?;
                object.number.load(Relaxed)
            }
            Found::Outside(perm, ctime, id) => {
                (ds.shm_perm, ds.shm_ctime) = (perm, ctime as _);
                id
            }
        }
    };
    buf.write(&ds)?;
    Ok(which.answer(id))
}

#[inline(always)]
fn describe(segment: Segment<'_>, bytes: u64, attached: u64, ds: &mut shmid_ds) {
    let head = segment.head();
    ds.shm_perm = control::permissions(&head.common);
    let dest = if head.common.removed.get() == DOOMED { SHM_DEST } else { 0 };
    let locked = if head.flags.get() & LOCKED != 0 { SHM_LOCKED } else { 0 };
    ds.shm_perm.mode = (head.common.perm().mode | dest | locked) as _;
    ds.shm_segsz = bytes as _;
    ds.shm_atime = head.atime.get() as _;
    ds.shm_dtime = head.dtime.get() as _;
    ds.shm_ctime = head.common.ctime.get() as _;
    ds.shm_cpid = head.cpid.get() as _;
    ds.shm_lpid = head.lpid.get() as _;
    ds.shm_nattch = attached as _;
}

/// IPC_INFO: the limits; the highest index in use.
fn limits_of(ns: &'static Namespace, buf: Out<ShmLimits>) -> Result<c_int> {
    let limit = |l| limits::get(ns, l) as c_ulong;
    let shmmni = limit(Limit::ShmMni);
    let highest = {
        let _section = Section::enter()?;
        ids::used(ns, Room::Shm)?.1
    };
    buf.write(&ShmLimits {
        shmmax: limit(Limit::ShmMax),
        shmmin: 1,
        shmmni,
        shmseg: shmmni,
        shmall: limit(Limit::ShmAll),
        unused: [0; 4],
    })?;
    Ok(highest.unwrap_or(0) as c_int)
}

/// SHM_INFO: what all segments take; the highest index in use.
fn usage(ns: &'static Namespace, buf: Out<ShmUsage>) -> Result<c_int> {
    let (info, highest) = {
        let _section = Section::enter()?;
        let me = lifeline::my_token(ns)?;
        // Killed attachers and creators may have left what is to go.
        ids::each_index(ns, Room::Shm, &mut |index| {
            segment::look_at(ns, me, index);
        })?;
        let (pages, resident) = shm::totals(ns)?;
        let (count, highest) = ids::used(ns, Room::Shm)?;
        let info = ShmUsage {
            used_ids: count as _,
            shm_tot: pages as _,
            shm_rss: resident as _,
            ..Default::default()
        };
        (info, highest)
    };
    buf.write(&info)?;
    Ok(highest.unwrap_or(0) as c_int)
}

/// SHM_LOCK, SHM_UNLOCK: the caller's attachments, and all later ones, stay in memory.
/// ENOMEM, EPERM, EINVAL. Linux: shmctl_do_lock
fn lock(ns: &'static Namespace, id: c_int, lock: bool) -> Result<()> {
    let cred = cred::current()?;
    let most = match cred.capable(CAP_IPC_LOCK) {
        true => None,
        false => Some(file::soft_limit(libc::RLIMIT_MEMLOCK as i32)?),
    };
    let others = if lock && most.is_some() { bytes_locked(ns, cred.euid)? } else { 0 };
    as_owner(ns, id, &mut |segment, object| {
        let head = segment.head();
        let flags = head.flags.get();
        if let Some(most) = most {
            let perm = head.common.perm();
            if cred.euid != perm.uid && cred.euid != perm.cuid || lock && most == 0 {
                return Err(Errno::EPERM);
            }
            let bytes = object.geometry().segment_bytes.next_multiple_of(PAGE);
            if lock && flags & LOCKED == 0 && bytes > most.saturating_sub(others) {
                return Err(Errno::ENOMEM);
            }
        }
        head.locker.set(cred.euid);
        head.flags.set(if lock { flags | LOCKED } else { flags & !LOCKED });
        attached::each_range(object, &mut |start, len| {
            let _ = map::keep_in_memory(start, len, lock);
        });
        Ok(())
    })
}

/// Bytes of the segments that user `uid` has locked: RLIMIT_MEMLOCK is for all of them.
fn bytes_locked(ns: &'static Namespace, uid: u32) -> Result<u64> {
    let _section = Section::enter()?;
    let mut sum = 0u64;
    ids::each_index(ns, Room::Shm, &mut |index| {
        let Ok(object) = SHM.by_index(ns, index) else { return };
        let head = Segment::of(&object).head();
        if head.flags.get() & LOCKED != 0 && head.locker.get() == uid {
            sum = sum.saturating_add(object.geometry().segment_bytes.next_multiple_of(PAGE));
        }
    })?;
    Ok(sum)
}

/// IPC_RMID: the segment goes with its last attachment. EINVAL, EPERM.
pub fn remove(ns: &'static Namespace, id: c_int) -> Result<()> {
    as_owner(ns, id, &mut |segment, object| {
        control::check_owner(&segment.head().common)?;
        if segment.head().common.removed.get() != DOOMED {
            segment::doom(ns, object);
        }
        Ok(())
    })
}
