//! System V semaphores: semget(2), semop(2).

pub use super::semctl::control;

use super::object::{self, Get, Keys, Kind};
use crate::errno::{Errno, Result};
use crate::limits::{self, Limit};
use crate::namespace::{self, ids, ids::Room, lifeline, watch, Namespace};
use crate::perm::{self, Perm};
use crate::process;
use crate::region::header::ObjectKind;
use crate::region::object::{Geometry, Mapping, Ref, Table};
use crate::region::{Checked, NIL};
use crate::semset::guard::Locked;
use crate::semset::layout::*;
use crate::semset::ops::{Doer, Op, Ops, Plan, SEM_UNDO};
use crate::semset::undo::NoCell;
use crate::semset::wait::{Outcome, Wait, Waiting};
use crate::semset::Set;
use crate::sync::section::Section;
use crate::sync::spin::{Spin, CLOSELY, RARELY};
use crate::sync::wait::On;
use crate::sys::clock::{self, Deadline};
use crate::sys::file;
use crate::user::In;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU64, Ordering::*};
use libc::{sembuf, timespec};

/// Length of a set's file beyond its tables; sparse: cells for sleepers and adjustments.
const CELL_BYTES: u64 = 4 << 20;
/// Steps of the redo record that always have memory: the adjustments of a dead process need as many.
const FIRST_STEPS: usize = GROUP as usize;

/// Semaphore sets, as a kind of object.
pub static SEM: Kind = Kind {
    room: Room::Sem,
    mark: ObjectKind::Sem,
    least: LEAST,
    measure,
    table: {
        static TABLE: Table = Table::new();
        &TABLE
    },
    keys: {
        static KEYS: Keys = [const { AtomicU64::new(0) }; _];
        &KEYS
    },
    most_mapped: u64::MAX,
    empty: |_, _, _| {},
};

/// Bytes that every file of it has.
const LEAST: u64 = 4096;

fn measure(mapping: &Mapping, size: u64) -> Result<Geometry> {
    // SAFETY: the mapping has a page at least; all atomics.
    let nsems = unsafe { &*mapping.base.cast::<SetHeader>() }.nsems.get();
    // More semaphores than there were would be written beyond the program's array by GETALL.
    if nsems == 0 || nsems > MAX_SEMS || size != length(nsems) && size != short_length(nsems) {
        return Err(Errno::EINVAL);
    }
    let cells_at = Offsets::of(nsems).cells as u64;
    let nodes = u32::try_from((size - cells_at) / size_of::<Cell>() as u64).map_err(|_| Errno::EINVAL)?;
    Ok(Geometry { nsems, nodes, ..Geometry::default() })
}

/// Length of the file of a set of `nsems`: longer for every semaphore, so that it says how many there
/// are to those who may not open it.
const fn length(nsems: u32) -> u64 {
    Offsets::of(nsems).cells as u64 + CELL_BYTES + nsems as u64 * size_of::<Cell>() as u64
}

/// The same where RLIMIT_FSIZE does not allow more.
const fn short_length(nsems: u32) -> u64 {
    Offsets::of(nsems).cells as u64 + 4096
}

/// Makes a set that has no name yet.
fn make(ns: &Namespace, key: i32, nsems: u32, perm: &Perm) -> Result<(file::Fd, Mapping, u64)> {
    let fd = file::open_at(ns.dir()?, c"sem", libc::O_TMPFILE | libc::O_RDWR, 0)?;
    let no_room = |_| Errno::ENOSPC;
    let offsets = Offsets::of(nsems);
    let reserved = ((offsets.redo + FIRST_STEPS * size_of::<Step>()) as u64).next_multiple_of(4096);
    let mut size = length(nsems);
    if file::set_len(fd.raw(), size) == Err(Errno::EFBIG) {
        size = short_length(nsems);
        file::set_len(fd.raw(), size).map_err(no_room)?;
    }
    file::reserve(fd.raw(), 0, reserved).map_err(no_room)?;
    file::set_mode(fd.raw(), perm::file_mode(perm.mode))?;
    let st = file::stat(fd.raw())?;
    let mapping = Mapping::new(fd.raw(), size as usize, st.file)?;
    mapping.header().initialise(ObjectKind::Sem, key, perm, clock::now_s());
    // SAFETY: as in measure().
    let head = unsafe { &*mapping.base.cast::<SetHeader>() };
    head.nsems.set(nsems);
    head.redo_backed.set(((reserved as usize - offsets.redo) / size_of::<Step>()) as u32);
    let geometry = measure(&mapping, size)?;
    // SAFETY: the mapping is as long as the measures say.
    let set = unsafe { Set::raw(mapping.base, &geometry) };
    set.initialise()?;
    Ok((fd, mapping, size))
}

/// The identifier of the set with this key, or of a new one.
/// EACCES, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC. semget(2)
pub fn get(key: libc::key_t, nsems: c_int, flags: c_int) -> Result<c_int> {
    let ns = namespace::current()?;
    let nsems = u32::try_from(nsems).map_err(|_| Errno::EINVAL)?;
    if nsems as u64 > limits::get(ns, Limit::SemMsl) {
        return Err(Errno::EINVAL);
    }
    let _section = Section::enter()?;
    // Who only makes or opens a set uses the namespace too: nobody is to remove it under him.
    lifeline::my_token(ns)?;
    Get {
        kind: &SEM,
        ns,
        key,
        flags,
        make: &|perm| {
            if nsems == 0 {
                return Err(Errno::EINVAL);
            }
            make(ns, key, nsems, perm)
        },
        suits: &|object| if nsems > object.geometry().nsems { Err(Errno::EINVAL) } else { Ok(()) },
        least: length(nsems),
        limit: limits::get(ns, Limit::SemMni) as u32,
    }
    .run()
}

/// Does `count` operations on a set, all or none; sleeps, up to `timeout`, until they can be done.
/// E2BIG, EACCES, EAGAIN, EFAULT, EFBIG, EIDRM, EINTR, EINVAL, ENOMEM, ERANGE. semop(2)
pub fn operate(id: c_int, ops: In<sembuf>, count: usize, timeout: Option<In<timespec>>) -> Result<()> {
    let ns = namespace::current()?;
    let timeout = timeout.filter(|t| !t.is_null()).map(In::read).transpose()?;
    // The system call takes an unsigned int.
    let count = count as c_int as u32 as usize;
    if count < 1 {
        return Err(Errno::EINVAL);
    }
    if count == 1 {
        let op = [ops.read()?];
        if id < 0 {
            return Err(Errno::EINVAL);
        }
        let deadline = deadline(timeout)?;
        let mut spin = Spin::default();
        // One section for both: a signal that comes in the first ends the second.
        let section = Section::enter()?;
        return match at_once(ns, id, Op::from(&op[0]), deadline.as_ref(), &mut spin)? {
            true => Ok(()),
            false => in_turn(ns, section, id, &op, deadline, &mut spin),
        };
    }
    if count as u64 > limits::get(ns, Limit::SemOpm) {
        return Err(Errno::E2BIG);
    }
    operate_several(ns, id, ops, count, timeout)
}

/// With the operations copied, as the kernel does it: the program may change them meanwhile.
fn operate_several(
    ns: &'static Namespace,
    id: c_int,
    ops: In<sembuf>,
    count: usize,
    timeout: Option<timespec>,
) -> Result<()> {
    let mut copy = [const { MaybeUninit::<sembuf>::uninit() }; MAX_OPS];
    // SAFETY: `count` is at most the limit, which is at most MAX_OPS.
    let copied = unsafe {
        ops.copy_to(copy.as_mut_ptr().cast(), count * size_of::<sembuf>())?;
        core::slice::from_raw_parts(copy.as_ptr().cast::<sembuf>(), count)
    };
    if id < 0 {
        return Err(Errno::EINVAL);
    }
    let deadline = deadline(timeout)?;
    in_turn(ns, Section::enter()?, id, copied, deadline, &mut Spin::default())
}

/// EINVAL.
fn deadline(timeout: Option<timespec>) -> Result<Option<Deadline>> {
    let Some(t) = timeout else { return Ok(None) };
    if t.tv_sec < 0 || !(0..1_000_000_000).contains(&t.tv_nsec) {
        return Err(Errno::EINVAL);
    }
    Ok(Some(Deadline::after(t.tv_sec, t.tv_nsec)))
}

/// The set, for operations on semaphores up to `last`. EINVAL; EFBIG, before EACCES.
#[inline]
pub fn find(ns: &'static Namespace, id: c_int, last: u32) -> Result<Ref> {
    SEM.by_id(ns, id).map_err(|e| if e == Errno::EACCES { out_of_reach(ns, id, last) } else { e })
}

/// What a caller hears who may not open the set.
#[cold]
fn out_of_reach(ns: &'static Namespace, id: c_int, last: u32) -> Errno {
    let path = Room::Sem.path(ids::index_of(id));
    match ns.dir().and_then(|dir| file::stat_at(dir, path.as_cstr())) {
        Ok(st) if last >= MAX_SEMS || st.size < length(last + 1) => Errno::EFBIG,
        _ => Errno::EACCES,
    }
}

/// What the caller needs for such operations. EFBIG, EACCES.
fn check(object: &Ref, ops: &[sembuf]) -> Result<()> {
    if ops.iter().any(|op| op.sem_num as u32 >= object.geometry().nsems) {
        return Err(Errno::EFBIG);
    }
    let alters = ops.iter().any(|op| op.sem_op != 0);
    object::check(object, if alters { perm::WRITE } else { perm::READ })
}

/// Whether the value in a word allows an operation to be done.
#[inline(always)]
fn allows(seen: u64, op: Op) -> bool {
    let value = word::value(seen);
    value + op.change >= 0 && (op.change != 0 || value == 0)
}

/// One operation by one compare-and-swap. False: it takes the lock to say. The caller is inside a section.
#[inline]
fn at_once(
    ns: &'static Namespace,
    id: c_int,
    op: Op,
    deadline: Option<&Deadline>,
    spin: &mut Spin,
) -> Result<bool> {
    if op.undo() {
        return Ok(false);
    }
    let object = find(ns, id, op.sem)?;
    let set = Set::of(&object);
    let Ok(word) = set.word(op.sem) else { return Err(Errno::EFBIG) };
    object::check(&object, if op.change != 0 { perm::WRITE } else { perm::READ })?;
    let pid = process::pid()?;
    let mut seen = word.get();
    loop {
        if seen & word::SLOW != 0 {
            return Ok(false);
        }
        if !allows(seen, op) {
            if op.flags & libc::IPC_NOWAIT != 0 || !spin.may() {
                return Ok(false);
            }
            poll(&set, op, deadline, spin)?;
            seen = word.get();
            continue;
        }
        let value = word::value(seen) + op.change;
        if value > SEMVMX {
            return Err(Errno::ERANGE);
        }
        // SYNC: semaphore word (acquire and release side)
        match word.atomic().compare_exchange_weak(seen, word::after(seen, value, pid), AcqRel, Acquire) {
            Ok(_) => break,
            Err(now) => seen = now,
        }
    }
    if !object.header().is_there() {
        return Err(Errno::EINVAL);
    }
    set.stamp();
    Ok(true)
}

/// Looks at a semaphore until the operation is allowed, or it is time to sleep. The lock is not held. EIDRM.
#[cold]
fn poll(set: &Set<'_>, op: Op, deadline: Option<&Deadline>, spin: &mut Spin) -> Result<()> {
    let word = set.word(op.sem)?;
    let removed = &set.head().common.removed;
    let (seen, pid) = (word.get(), process::pid()?);
    // Another has taken what this one wants; else this one has, and waits for more.
    let gap = if word::pid(seen) != pid { RARELY } else { CLOSELY };
    spin.poll((word::peer(seen, pid), gap), deadline, &|| allows(word.get(), op) || removed.get() != 0);
    if removed.get() != 0 {
        return Err(Errno::EIDRM);
    }
    Ok(())
}

/// What a try under the lock comes to.
enum Turn {
    Done,
    Sleep,
    /// This one keeps it from being done, and may be polled for.
    Poll(Op),
    Fail(Errno),
}

/// Does operations under the lock, sleeping where they have to wait.
fn in_turn(
    ns: &'static Namespace,
    section: Section,
    id: c_int,
    ops: &[sembuf],
    deadline: Option<Deadline>,
    spin: &mut Spin,
) -> Result<()> {
    let adjusts = ops.iter().any(|op| op.sem_flg as i32 & SEM_UNDO != 0);
    if adjusts {
        process::page()?.adjusts.store(1, Relaxed);
    }
    let last = ops.iter().map(|op| op.sem_num as u32).max().unwrap_or(0);
    let mut entered = Some(section);
    loop {
        let first = entered.is_some();
        let section = entered.take().map_or_else(Section::enter, Ok)?;
        let me = lifeline::my_token(ns)?;
        let object =
            find(ns, id, last).map_err(|e| if first || e != Errno::EINVAL { e } else { Errno::EIDRM })?;
        check(&object, ops)?;
        if adjusts {
            watch::stay_watched(ns);
        }
        let mut wait = None;
        // In one section: a signal that comes meanwhile ends the call as it would a sleep.
        let turn = loop {
            let mut locked = Locked::hold(&object, ns, me);
            locked.ready()?;
            if locked.shared.head().common.removed.get() != 0 {
                return Err(Errno::EIDRM);
            }
            locked.shared.back_redo(ops.len())?;
            let may_poll = spin.may();
            let turn = locked.attempt(&mut |locked| {
                take_turn(locked, (&object, me), (ops, deadline), may_poll, &mut wait)
            })?;
            drop(locked);
            match turn {
                Turn::Poll(op) => poll(&Set::of(&object), op, deadline.as_ref(), spin)?,
                turn => break turn,
            }
        };
        match turn {
            Turn::Done => return Ok(()),
            Turn::Fail(e) => return Err(e),
            Turn::Sleep | Turn::Poll(_) => {
                let Some(wait) = &mut wait else { return Err(Errno::EINVAL) };
                wait.begin();
                drop(object);
                drop(section);
                let outcome = wait.block();
                spin.slept();
                match outcome {
                    Outcome::Done(result) => return result,
                    Outcome::Again => {}
                    Outcome::Removed => return Err(Errno::EIDRM),
                    // Never restarted, whatever SA_RESTART says: signal(7).
                    Outcome::Interrupted => return Err(Errno::EINTR),
                    Outcome::TimedOut => return Err(Errno::EAGAIN),
                    Outcome::Corrupt => return Err(Errno::EINVAL),
                }
            }
        }
    }
}

fn take_turn(
    locked: &mut Locked<'_>,
    (object, me): (&Ref, lifeline::Token),
    (ops, deadline): (&[sembuf], Option<Deadline>),
    may_poll: bool,
    wait: &mut Option<Wait>,
) -> Checked<Turn> {
    let ns = locked.ns;
    let Ok((set, mut cx)) = locked.context() else { return Ok(Turn::Fail(Errno::ENOMEM)) };
    let doer = Doer { pid: process::pid().unwrap_or(0), token: cx.mine };
    let list = Ops::Program(ops);
    if set.prepare(list, &mut cx)? {
        // In the kernel the sleepers were served when the process died: they come before us.
        set.serve_all(&mut cx)?;
    }
    // Linux: find_alloc_undo, before it is known whether the operations can be done.
    let kept = ops.iter().find(|op| Op::from(*op).undo()).map(|op| set.undo_cell(op.sem_num as u32, doer));
    if let Some(Err(NoCell::Corrupt)) = kept {
        return Err(crate::region::Corrupt);
    }
    let turn = match set.plan(list, doer)? {
        Plan::Fail(e) => Turn::Fail(e),
        Plan::Blocked(op) if may_poll => Turn::Poll(op),
        Plan::Blocked(op) => match set.enter(ops, op, (me, doer)) {
            Ok((cell, waiter)) => {
                let waiting = Waiting { cell, seq: waiter.seq.get() };
                let on = On::State(waiter.state.atomic());
                *wait = Some(Wait::new((object, ns, me), waiting, on, deadline));
                return Ok(Turn::Sleep);
            }
            Err(NoCell::Corrupt) => return Err(crate::region::Corrupt),
            Err(NoCell::NoMemory) => Turn::Fail(Errno::ENOMEM),
        },
        Plan::Ready(n) => {
            set.commit(n, doer.pid, NIL, 0)?;
            set.stamp();
            set.serve(list, &mut cx)?;
            Turn::Done
        }
    };
    set.thaw_all(list)?;
    Ok(turn)
}
