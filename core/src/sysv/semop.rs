//! Operations on semaphores: semop(2).
//!
//! One operation without SEM_UNDO is a compare-and-swap where nobody waits (`at_once`), and is waited for a while with
//! nothing but looks (`do_soon`). Several of them and SEM_UNDO take the lock (`do_calmly`). Everything else is the
//! business of `wait_in_turn`.

use super::object;
use super::sem::{find, SEM};
use crate::entry::{self, Begun};
use crate::errno::{Errno, Result};
use crate::likely::unlikely;
use crate::limits::{self, Limit};
use crate::namespace::{self, ids, lifeline, watch, Namespace};
use crate::perm;
use crate::process::{self, ProcessPage};
use crate::region::object::Ref;
use crate::region::table::Table;
use crate::region::{Checked, Corrupt, NIL};
use crate::semset::guard::Locked;
use crate::semset::layout::*;
use crate::semset::ops::{Doer, Op, Ops, Plan, SEM_UNDO};
use crate::semset::undo::NoCell;
use crate::semset::wait::{Outcome, Wait, Waiting};
use crate::semset::Set;
use crate::sync::guard::Brief;
use crate::sync::spin::{Spin, CLOSELY, RARELY};
use crate::sync::wait::On;
use crate::sys::clock::Deadline;
use crate::user::In;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::Ordering::*;
use libc::{sembuf, timespec};

/// Does `count` operations on a set, all or none; sleeps until they can be done.
/// E2BIG, EACCES, EAGAIN, EFAULT, EFBIG, EIDRM, EINTR, EINVAL, ENOMEM, ERANGE. semop(2)
#[inline(always)]
pub fn operate(id: c_int, ops: In<sembuf>, count: usize) -> Result<()> {
    // The system call takes an unsigned int.
    if unlikely(count as u32 != 1) {
        return operate_within(id, ops, count, In::null());
    }
    let op = ops.read_fields()?;
    if at_once(id, Op::from(&op)) {
        return Ok(());
    }
    in_turn(id, &[op], None)
}

/// As [`operate`], but sleeps no longer than `timeout` (null: for ever).
#[inline(never)]
pub fn operate_within(id: c_int, ops: In<sembuf>, count: usize, timeout: In<timespec>) -> Result<()> {
    let (ns, count) = (namespace::current()?, count as u32 as usize);
    let timeout = if timeout.is_null() { None } else { Some(timeout.read()?) };
    if count < 1 {
        return Err(Errno::EINVAL);
    }
    if count as u64 > limits::get(ns, Limit::SemOpm) {
        return Err(Errno::E2BIG);
    }
    let mut copy = [const { MaybeUninit::<sembuf>::uninit() }; MAX_OPS];
    // With the operations copied, as the kernel does it: the program may change them meanwhile.
    // SAFETY: `count` is at most the limit, which is at most MAX_OPS.
    let copied = unsafe {
        ops.copy_to(copy.as_mut_ptr().cast(), count * size_of::<sembuf>())?;
        core::slice::from_raw_parts(copy.as_ptr().cast::<sembuf>(), count)
    };
    if id < 0 {
        return Err(Errno::EINVAL);
    }
    let deadline = deadline(timeout)?;
    if let [op] = copied {
        if at_once(id, Op::from(op)) {
            return Ok(());
        }
    }
    in_turn(id, copied, deadline)
}

/// EINVAL.
fn deadline(timeout: Option<timespec>) -> Result<Option<Deadline>> {
    let Some(t) = timeout else { return Ok(None) };
    if t.tv_sec < 0 || !(0..1_000_000_000).contains(&t.tv_nsec) {
        return Err(Errno::EINVAL);
    }
    Ok(Some(Deadline::after(t.tv_sec, t.tv_nsec)))
}

/// Whether the value in a word allows an operation to be done.
#[inline(always)]
fn allows(seen: u64, op: Op) -> bool {
    let value = word::value(seen);
    value + op.change >= 0 && (op.change != 0 || value == 0)
}

/// One operation by one compare-and-swap. False: it takes the lock to say.
#[inline(always)]
fn at_once(id: c_int, op: Op) -> bool {
    if op.undo() {
        return false;
    }
    let right = if op.change != 0 { perm::WRITE } else { perm::READ };
    let Some(begun) = Begun::as_before(Wanted { id, last: op.sem, right }) else { return false };
    let done = do_at_once(&begun, &Set::of(&begun.object), op);
    begun.end();
    done
}

#[inline(always)]
fn do_at_once(begun: &Begun, set: &Set<'_>, op: Op) -> bool {
    let Ok(word) = set.word(op.sem) else { return false };
    let mut seen = word.get();
    loop {
        let value = word::value(seen) + op.change;
        if unlikely(seen & word::SLOW != 0 || !allows(seen, op) || value > SEMVMX) {
            return false;
        }
        // SYNC: semaphore word (acquire and release side)
        match word.atomic().compare_exchange_weak(seen, word::after(seen, value, begun.pid), AcqRel, Acquire)
        {
            Ok(_) => break,
            Err(now) => seen = now,
        }
    }
    if unlikely(!begun.object.header().is_there()) {
        return false;
    }
    set.stamp();
    true
}

/// One operation that another has to allow first: looks for that, as long as it is worth while. False: it takes the lock to say. EIDRM.
fn do_soon(
    begun: &Begun,
    set: &Set<'_>,
    op: Op,
    deadline: Option<&Deadline>,
    spin: &mut Spin,
) -> Result<bool> {
    if op.undo() || op.flags & libc::IPC_NOWAIT != 0 {
        return Ok(false);
    }
    let word = set.word(op.sem)?;
    while spin.may() && word.get() & word::SLOW == 0 && !allows(word.get(), op) {
        poll(set, op, deadline, spin)?;
        if do_at_once(begun, set, op) {
            return Ok(true);
        }
    }
    Ok(false)
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

/// Operations, and what can be said of all of them together.
struct Array<'a> {
    ops: &'a [sembuf],
    last: u32,
    right: u32,
    undo: bool,
}

impl Array<'_> {
    #[inline(always)]
    fn of(ops: &[sembuf]) -> Array<'_> {
        let (mut last, mut changes, mut flags) = (0, 0, 0);
        for op in ops {
            last = last.max(op.sem_num as u32);
            changes |= op.sem_op;
            flags |= op.sem_flg as i32;
        }
        let right = if changes != 0 { perm::WRITE } else { perm::READ };
        Array { ops, last, right, undo: flags & SEM_UNDO != 0 }
    }
}

/// The set that a call is for, and the last of its semaphores that it concerns. EACCES, EFBIG, EINVAL.
#[derive(Clone, Copy)]
struct Wanted {
    id: c_int,
    last: u32,
    right: u32,
}

impl entry::Wanted for Wanted {
    #[inline(always)]
    fn place(self) -> (&'static Table, usize) {
        (SEM.table, ids::index_of(self.id) as usize)
    }
    #[inline(always)]
    fn is(self, object: &Ref, page: &'static ProcessPage) -> bool {
        SEM.is_open(self.id, self.right, object, page) && self.last < object.geometry().nsems
    }
}

impl entry::Sought for Wanted {
    fn find(self, ns: &'static Namespace) -> Result<Ref> {
        let object = find(ns, self.id, self.last)?;
        if self.last >= object.geometry().nsems {
            return Err(Errno::EFBIG);
        }
        object::check(&object, self.right)?;
        Ok(object)
    }
}

/// Does operations under the lock, sleeping where they have to wait.
#[inline(never)]
fn in_turn(id: c_int, ops: &[sembuf], deadline: Option<Deadline>) -> Result<()> {
    let array = Array::of(ops);
    if array.undo {
        process::page()?.adjusts.store(1, Relaxed);
    }
    let wanted = Wanted { id, last: array.last, right: array.right };
    let mut spin = Spin::default();
    if let Some(begun) = Begun::as_before(wanted) {
        let set = Set::of(&begun.object);
        if array.undo {
            watch::stay_watched(begun.ns);
        } else if let [op] = ops {
            if do_soon(&begun, &set, Op::from(op), deadline.as_ref(), &mut spin)? {
                return Ok(());
            }
        }
        let lock = Brief::hold(&begun);
        if is_calm(&lock, &set, &array) && do_calmly(&begun, &set, &array) == Ok(true) && lock.is_there() {
            return Ok(());
        }
        lock.hand_on();
        return wait_in_turn(wanted, Some(begun), &array, deadline, spin);
    }
    wait_in_turn(wanted, None, &array, deadline, spin)
}

/// Whether no more is to be done than to change the semaphores: the set is there, and nobody waits.
#[inline(always)]
fn is_calm(lock: &Brief<'_>, set: &Set<'_>, array: &Array<'_>) -> bool {
    let head = set.head();
    lock.is_sound()
        && head.common.removed.get() == 0
        && head.waiters.head.get() == NIL
        && head.redo_backed.get() as usize >= array.ops.len()
        // A single one is better given free again: see take_turn().
        && (array.undo || array.ops.len() > 1)
}

/// Does the operations if they can be done, and nobody else's adjustments are in question. False: nothing has been done.
#[inline(always)]
fn do_calmly(begun: &Begun, set: &Set<'_>, array: &Array<'_>) -> Checked<bool> {
    let Ok(token) = lifeline::my_undo_token(begun.ns) else { return Ok(false) };
    let doer = Doer { pid: begun.pid, token };
    for op in array.ops {
        let op = Op::from(op);
        // Waiting for zero, too, makes a cell for adjustments.
        if unlikely(op.undo() && op.change == 0 || !set.is_only_adjusted_by(token, op.sem)?) {
            return Ok(false);
        }
        set.freeze(op.sem)?;
    }
    let mut ops = array.ops.iter();
    let Plan::Ready(n) = set.plan_each(|| Ok(ops.next().map(Op::from)), doer)? else { return Ok(false) };
    set.commit_here(n, doer.pid, NIL, 0)?;
    set.stamp();
    Ok(true)
}

/// Whatever the set is like. Who has `begun` has the lock.
#[cold]
#[inline(never)]
fn wait_in_turn(
    wanted: Wanted,
    mut begun: Option<Begun>,
    array: &Array<'_>,
    deadline: Option<Deadline>,
    mut spin: Spin,
) -> Result<()> {
    let mut first = true;
    loop {
        let begun = match begun.take() {
            Some(begun) => begun,
            None => {
                let gone = |e| if !first && e == Errno::EINVAL { Errno::EIDRM } else { e };
                let begun = Begun::anew(wanted).map_err(gone)?;
                if array.undo {
                    watch::stay_watched(begun.ns);
                }
                Brief::hold(&begun).hand_on();
                begun
            }
        };
        first = false;
        let (ns, me, object) = (begun.ns, begun.me, &begun.object);
        let mut wait = None;
        // In one section: a signal that comes meanwhile ends the call as it would a sleep.
        let turn = loop {
            let mut locked = Locked::taken(object, ns);
            locked.ready()?;
            if locked.shared.head().common.removed.get() != 0 {
                return Err(Errno::EIDRM);
            }
            locked.shared.back_redo(array.ops.len())?;
            let may_poll = spin.may();
            let turn = locked.attempt(&mut |locked| {
                take_turn(locked, (object, me), (array.ops, deadline), may_poll, &mut wait)
            })?;
            drop(locked);
            match turn {
                Turn::Poll(op) => poll(&Set::of(object), op, deadline.as_ref(), &mut spin)?,
                turn => break turn,
            }
            Brief::hold(&begun).hand_on();
        };
        match turn {
            Turn::Done => return Ok(()),
            Turn::Fail(e) => return Err(e),
            Turn::Sleep | Turn::Poll(_) => {
                let Some(wait) = &mut wait else { return Err(Errno::EINVAL) };
                let outcome = wait.block(begun);
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
        return Err(Corrupt);
    }
    let turn = match set.plan(list, doer)? {
        Plan::Fail(e) => Turn::Fail(e),
        // By itself, and not by what the operations before it would make of the value.
        Plan::Blocked(op) if may_poll && !allows(set.word(op.sem)?.get(), op) => Turn::Poll(op),
        Plan::Blocked(op) => match set.enter(ops, op, (me, doer)) {
            Ok((cell, waiter)) => {
                let waiting = Waiting { cell, seq: waiter.seq.get() };
                let on = On::State(waiter.state.atomic());
                *wait = Some(Wait::new((object, ns, me), waiting, on, deadline));
                return Ok(Turn::Sleep);
            }
            Err(NoCell::Corrupt) => return Err(Corrupt),
            Err(NoCell::NoMemory) => Turn::Fail(Errno::ENOMEM),
        },
        Plan::Ready(n) => {
            set.commit(n, doer.pid, NIL, 0)?;
            set.stamp();
            set.serve(list, &mut cx)?;
            Turn::Done
        }
    };
    if let ([_], None) = (ops, &kept) {
        // The next like it need not take the lock. Arrays and SEM_UNDO need it at any rate, and leave it so: to make
        // a semaphore SLOW costs as much as the lock.
        set.thaw_all(list)?;
    }
    Ok(turn)
}
