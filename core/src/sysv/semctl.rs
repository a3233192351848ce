//! semctl(2).

use super::control::{self, Found, Which};
use super::object;
use super::sem::{find, SEM};
use crate::entry::Begun;
use crate::errno::{Errno, Result};
use crate::limits::{self, Limit};
use crate::namespace::{self, ids, ids::Room, lifeline, Namespace};
use crate::perm;
use crate::process;
use crate::region::object::Ref;
use crate::region::{Checked, NIL};
use crate::semset::guard::{Context, Locked};
use crate::semset::layout::*;
use crate::semset::Set;
use crate::sync::section::Section;
use crate::sys::clock;
use crate::user::Out;
use core::ffi::{c_int, c_ushort, c_void};
use core::sync::atomic::Ordering::*;
use libc::semid_ds;

/// Commands of <sys/sem.h> that the libc crate lacks.
const SEM_STAT: c_int = 18;
const SEM_INFO: c_int = 19;
const SEM_STAT_ANY: c_int = 20;

/// What `union semun` holds: a number or a pointer, as the command has it.
#[derive(Clone, Copy)]
pub struct Argument(pub Out<c_void>);

impl Argument {
    fn number(self) -> c_int {
        self.0.addr() as c_int
    }
}

/// `struct seminfo` of <sys/sem.h>.
#[repr(C)]
struct SemInfo {
    semmap: c_int,
    semmni: c_int,
    semmns: c_int,
    semmnu: c_int,
    semmsl: c_int,
    semopm: c_int,
    semume: c_int,
    semusz: c_int,
    semvmx: c_int,
    semaem: c_int,
}

/// Commands on a set, on one of its semaphores, or on all sets.
/// EACCES, EFAULT, EINVAL, EPERM, ERANGE. semctl(2)
#[inline(always)]
pub fn control(id: c_int, sem: c_int, cmd: c_int, arg: Argument) -> Result<c_int> {
    if cmd == libc::IPC_STAT {
        // SAFETY: all-zero is a valid structure.
        let mut ds = unsafe { core::mem::zeroed() };
        let show = |begun: &Begun| {
            let set = Set::of(&begun.object);
            // Nobody sleeps, and nothing is to be undone.
            (set.head().fresh_cell.get() == 0).then(|| describe(&set, &mut ds))
        };
        if control::glance(&SEM, id, |_| (), show) {
            return arg.0.offset(0).write(&ds).map(|()| 0);
        }
    }
    control_in_turn(id, sem, cmd, arg)
}

#[inline(never)]
fn control_in_turn(id: c_int, sem: c_int, cmd: c_int, arg: Argument) -> Result<c_int> {
    let ns = namespace::current()?;
    if id < 0 {
        return Err(Errno::EINVAL);
    }
    match cmd {
        libc::IPC_INFO | SEM_INFO => info(ns, cmd, arg.0.offset(0)),
        libc::IPC_STAT => status(ns, id, Which::Id, arg.0.offset(0)),
        SEM_STAT => status(ns, id, Which::Index, arg.0.offset(0)),
        SEM_STAT_ANY => status(ns, id, Which::IndexAny, arg.0.offset(0)),
        libc::GETVAL | libc::GETPID | libc::GETNCNT | libc::GETZCNT => look(ns, id, sem, cmd),
        libc::GETALL => get_all(ns, id, arg.0.offset(0)).map(|()| 0),
        libc::SETVAL => set_value(ns, id, sem, arg.number()).map(|()| 0),
        libc::SETALL => set_all(ns, id, arg.0.offset(0)).map(|()| 0),
        libc::IPC_SET => {
            let wanted = arg.0.offset::<semid_ds>(0).as_in().read()?;
            set(ns, id, &wanted).map(|()| 0)
        }
        libc::IPC_RMID => remove(ns, id).map(|()| 0),
        _ => Err(Errno::EINVAL),
    }
}

/// Runs `body` with the set locked. EIDRM, EINVAL.
fn locked<T>(
    ns: &'static Namespace,
    object: &Ref,
    body: &mut dyn for<'r> FnMut(Set<'r>, &mut Context<'_, 'r>) -> Checked<Result<T>>,
) -> Result<T> {
    let me = lifeline::my_token(ns)?;
    let mut locked: Locked<'_> = Locked::acquire(object, ns, me)?;
    if locked.shared.head().common.removed.get() != 0 {
        return Err(Errno::EIDRM);
    }
    locked.attempt(&mut |locked| match locked.context() {
        Ok((set, mut cx)) => body(set, &mut cx),
        Err(e) => Ok(Err(e)),
    })?
}

/// GETVAL, GETPID, GETNCNT, GETZCNT.
fn look(ns: &'static Namespace, id: c_int, sem: c_int, cmd: c_int) -> Result<c_int> {
    let _section = Section::enter()?;
    let object = SEM.by_id(ns, id)?;
    object::check(&object, perm::READ)?;
    let sem = sem as u32;
    let Ok(word) = Set::of(&object).word(sem) else { return Err(Errno::EINVAL) };
    let answer = |word: u64| match cmd {
        libc::GETVAL => word::value(word),
        libc::GETPID => word::pid(word) as c_int,
        _ => 0,
    };
    let seen = word.atomic().load(Acquire);
    if seen & word::SLOW == 0 {
        // Nobody waits, and nothing is to be undone.
        return Ok(answer(seen));
    }
    locked(ns, &object, &mut |set, cx| {
        set.freeze(sem)?;
        if set.reap(sem, cx)? {
            set.serve_all(cx)?;
        }
        let found = match cmd {
            libc::GETNCNT => set.count_waiting(sem, false, cx)? as c_int,
            libc::GETZCNT => set.count_waiting(sem, true, cx)? as c_int,
            _ => answer(set.word(sem)?.get()),
        };
        set.thaw(sem)?;
        Ok(Ok(found))
    })
}

/// GETALL: all values, of one moment.
fn get_all(ns: &'static Namespace, id: c_int, to: Out<c_ushort>) -> Result<()> {
    let _section = Section::enter()?;
    let object = SEM.by_id(ns, id)?;
    object::check(&object, perm::READ)?;
    locked(ns, &object, &mut |set, cx| {
        let all = 0..set.nsems();
        all.clone().try_for_each(|sem| set.freeze(sem).map(|_| ()))?;
        if set.reap_idle(cx)? {
            set.serve_all(cx)?;
        }
        let mut copied = Ok(());
        for sem in all {
            let value = word::value(set.word(sem)?.get());
            copied = copied.and(to.offset::<c_ushort>(sem as usize * 2).write(&(value as c_ushort)));
            set.thaw(sem)?;
        }
        Ok(copied)
    })
}

/// SETVAL: the value of one semaphore; nobody's adjustments to it count any more.
fn set_value(ns: &'static Namespace, id: c_int, sem: c_int, value: c_int) -> Result<()> {
    if !(0..=SEMVMX).contains(&value) {
        return Err(Errno::ERANGE);
    }
    let _section = Section::enter()?;
    let sem = sem as u32;
    // Without permission, too, a semaphore that the set does not have is EINVAL.
    let object = find(ns, id, sem).map_err(|e| if e == Errno::EFBIG { Errno::EINVAL } else { e })?;
    if sem >= object.geometry().nsems {
        return Err(Errno::EINVAL);
    }
    object::check(&object, perm::WRITE)?;
    let pid = process::pid()?;
    locked(ns, &object, &mut |set, cx| {
        set.freeze(sem)?;
        if set.reap(sem, cx)? {
            set.serve_all(cx)?;
        }
        set.plan_value(0, sem, value)?;
        let clear = if set.head().adjusted.get() != 0 { sem + 1 } else { 0 };
        set.commit(1, pid, NIL, clear)?;
        set.head().common.ctime.set(clock::now_s() as u64);
        set.serve_one(sem, cx)?;
        set.thaw(sem)?;
        Ok(Ok(()))
    })
}

/// SETALL: all values; nobody's adjustments count any more.
fn set_all(ns: &'static Namespace, id: c_int, from: Out<c_ushort>) -> Result<()> {
    let _section = Section::enter()?;
    let object = SEM.by_id(ns, id)?;
    object::check(&object, perm::WRITE)?;
    let pid = process::pid()?;
    let from = from.as_in();
    from.check(object.geometry().nsems as usize * size_of::<c_ushort>())?;
    locked(ns, &object, &mut |set, cx| {
        let all = 0..set.nsems();
        if let Err(e) = set.back_redo(set.nsems() as usize) {
            return Ok(Err(e));
        }
        all.clone().try_for_each(|sem| set.freeze(sem).map(|_| ()))?;
        if set.reap_all(cx)? {
            set.serve_all(cx)?;
        }
        let mut done = Ok(());
        for sem in all.clone() {
            match from.offset::<c_ushort>(sem as usize * 2).read() {
                Ok(value) if value as i32 <= SEMVMX => set.plan_value(sem as usize, sem, value as i32)?,
                Ok(_) => done = Err(Errno::ERANGE),
                Err(e) => done = Err(e),
            }
        }
        if done.is_ok() {
            set.commit(set.nsems() as usize, pid, NIL, CLEAR_ALL)?;
            set.head().common.ctime.set(clock::now_s() as u64);
            set.serve_all(cx)?;
        }
        all.clone().try_for_each(|sem| set.thaw(sem))?;
        Ok(done)
    })
}

/// IPC_STAT, SEM_STAT, SEM_STAT_ANY.
fn status(ns: &'static Namespace, id: c_int, which: Which, buf: Out<semid_ds>) -> Result<c_int> {
    // SAFETY: all-zero is a valid structure.
    let mut ds: semid_ds = unsafe { core::mem::zeroed() };
    let id = {
        let _section = Section::enter()?;
        match control::find(&SEM, ns, id, which)? {
            Found::Object(object) => {
                locked(ns, &object, &mut |set, cx| {
                    if set.reap_idle(cx)? {
                        set.serve_all(cx)?;
                    }
                    describe(&set, &mut ds);
                    Ok(Ok(()))
                })?;
                object.number.load(Relaxed)
            }
            Found::Outside(perm, ctime, id) => {
                (ds.sem_perm, ds.sem_ctime) = (perm, ctime as _);
                id
            }
        }
    };
    buf.write(&ds)?;
    Ok(which.answer(id))
}

#[inline(always)]
fn describe(set: &Set<'_>, ds: &mut semid_ds) {
    let head = set.head();
    ds.sem_perm = control::permissions(&head.common);
    ds.sem_otime = head.otime.get() as _;
    ds.sem_ctime = head.common.ctime.get() as _;
    ds.sem_nsems = set.nsems() as _;
}

/// IPC_INFO, SEM_INFO: the highest index in use.
fn info(ns: &'static Namespace, cmd: c_int, buf: Out<SemInfo>) -> Result<c_int> {
    let limit = |l| limits::get(ns, l) as c_int;
    let (msl, mni) = (limit(Limit::SemMsl), limit(Limit::SemMni));
    let mut info = SemInfo {
        semmap: msl.saturating_mul(32000),
        semmni: mni,
        semmns: msl.saturating_mul(32000),
        semmnu: msl.saturating_mul(32000),
        semmsl: msl,
        semopm: limit(Limit::SemOpm),
        semume: MAX_OPS as c_int,
        semusz: 20,
        semvmx: SEMVMX,
        semaem: SEMVMX,
    };
    let highest = {
        let _section = Section::enter()?;
        if cmd == SEM_INFO {
            info.semaem = total(ns)? as c_int;
        }
        let (count, highest) = ids::used(ns, Room::Sem)?;
        if cmd == SEM_INFO {
            info.semusz = count as c_int;
        }
        highest.unwrap_or(0) as c_int
    };
    buf.write(&info)?;
    Ok(highest)
}

/// Semaphores in all sets that the caller may open.
fn total(ns: &'static Namespace) -> Result<u64> {
    let mut total = 0;
    ids::each_index(ns, Room::Sem, &mut |index| {
        if let Ok(object) = SEM.by_index(ns, index) {
            total += object.geometry().nsems as u64;
        }
    })?;
    Ok(total)
}

/// IPC_SET: owner and mode. EINVAL, EPERM.
fn set(ns: &'static Namespace, id: c_int, wanted: &semid_ds) -> Result<()> {
    let _section = Section::enter()?;
    let object = SEM.by_id_as_owner(ns, id)?;
    locked(ns, &object, &mut |set, _| {
        Ok(control::check_owner(&set.head().common)
            .and_then(|_| control::set(&SEM, ns, &object, id, &wanted.sem_perm)))
    })
}

/// IPC_RMID: everybody who sleeps on the set gets EIDRM. EINVAL, EPERM.
pub fn remove(ns: &'static Namespace, id: c_int) -> Result<()> {
    let _section = Section::enter()?;
    let object = SEM.by_id_as_owner(ns, id)?;
    locked(ns, &object, &mut |set, cx| {
        let header = &set.head().common;
        if let Err(e) = control::check_owner(header) {
            return Ok(Err(e));
        }
        header.removed.atomic().store(1, Release);
        // From here on it is gone; the rest, finders help with.
        set.end_all(cx.wakes)?;
        let _ = SEM.remove_names(ns, &object, id);
        Ok(Ok(()))
    })?;
    SEM.forget(id, &object);
    Ok(())
}
