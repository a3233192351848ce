//! The one place where a thread waits for a queue.
//!
//! A wait ends in exactly one way, decided in [`Wait::settle`] under the object's lock: fetched,
//! sent, removed, to be retried, timed out, interrupted, or cancelled. `settle` is also what the
//! signal trampoline calls before it runs a handler: the handler finds no trace of the wait, and
//! may use the same queue, or siglongjmp away.

use super::guard::Locked;
use super::index::Match;
use super::layout::*;
use super::{Checked, Queue};
use crate::errno::{Errno, Result};
use crate::namespace::Namespace;
use crate::region::header::ObjectKind;
use crate::region::object::Ref;
use crate::region::{Corrupt, NIL};
use crate::sync::section::Section;
use crate::sys::{cancel, clock, futex, raw::syscall, tls::tls};
use crate::user::Out;
use core::cell::Cell;
use core::ffi::{c_long, c_uint, c_void};
use core::sync::atomic::{AtomicU32, Ordering::*};
use libc::timespec;

/// Nobody sleeps longer than this without looking: a wake-up may have died with its sender.
const SLICE_NS: i64 = 1_000_000_000;
/// The same for those who have no entry to be woken by.
const OVERFLOW_SLICE_NS: i64 = 20_000_000;

/// Where a received message goes.
#[derive(Clone, Copy)]
pub enum Sink {
    /// To a `struct msgbuf` with room for so many bytes of text.
    Msg(Out<c_void>, usize),
    /// To a buffer and a priority (which may be null).
    Mq(Out<u8>, Out<c_uint>),
}

impl Sink {
    /// Copies message `n` out; how many bytes of text. The queue is locked.
    #[inline]
    pub fn deliver(&self, queue: &Queue<'_>, n: u32) -> Checked<Result<usize>> {
        let node = queue.node(n)?;
        let (len, key) = (node.len.get() as usize, node.key.get() as i64);
        let text = queue.text(n, len)?;
        let copy = |to: Out<u8>, len: usize| -> Result<usize> {
            to.check(len)?;
            // SAFETY: text() has checked that the text lies in the mapping.
            unsafe { to.copy_from(text, len) };
            Ok(len)
        };
        Ok(match *self {
            Sink::Msg(to, size) => to
                .offset::<c_long>(0)
                .write(key as c_long)
                .and_then(|()| copy(to.offset(size_of::<c_long>()), len.min(size))),
            Sink::Mq(_, priority)
                if !priority.is_null() && priority.write((SMALL_KEYS - 1 - key) as c_uint).is_err() =>
            {
                Err(Errno::EFAULT)
            }
            Sink::Mq(to, _) => copy(to, len),
        })
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A message of so many bytes has been delivered, or could not be.
    Received(Result<usize>),
    /// The prepared message is in the queue.
    Sent,
    /// To look again: something has changed.
    Again,
    /// E2BIG.
    TooBig,
    /// EIDRM.
    Removed,
    /// A handler ran; whether it was installed with SA_RESTART.
    Interrupted(bool),
    /// The deadline has passed.
    TimedOut,
    /// The memory contradicts itself.
    Corrupt,
}

/// Why a wait is being settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The entry says that it is over.
    Woken,
    /// The deadline has passed.
    TimedOut,
    /// A handler is about to run, or has run; whether with SA_RESTART.
    Signal(bool),
    /// The thread is being cancelled.
    Cancelled,
}

/// A thread's wait. It lies on the thread's stack and is known through thread-local storage.
pub struct Wait {
    ns: &'static Namespace,
    me: u64,
    object: Cell<Option<Ref>>,
    /// The entry, or NIL where there was none.
    entry: u32,
    seq: u64,
    word: *const AtomicU32,
    expected: u32,
    sink: Option<Sink>,
    deadline: Option<timespec>,
    outcome: Cell<Option<Outcome>>,
    sleep: Cell<Result<()>>,
}

/// What a thread wants to wait for.
pub struct Request {
    /// See [`waiter_kind`].
    pub kind: u32,
    /// Receiver: which messages.
    pub how: Match,
    /// Receiver: the longest text it takes. Sender: the size of its message.
    pub max_len: u64,
    /// POSIX sender: its prepared message, or NIL.
    pub node: u32,
    /// Receiver: where the message goes.
    pub sink: Option<Sink>,
    /// CLOCK_REALTIME.
    pub deadline: Option<timespec>,
}

impl Wait {
    /// Enters a wait in the queue; the lock is held. Call [`Wait::begin`] before leaving the section.
    pub fn enter(
        locked: &mut Locked<'_>,
        object: &Ref,
        ns: &'static Namespace,
        me: u64,
        request: Request,
    ) -> Checked<Wait> {
        let queue = locked.queue;
        let head = queue.head();
        let mut entry = queue.waiter_alloc()?;
        if entry == NIL && locked.sweep()? {
            entry = queue.waiter_alloc()?;
        }
        let mut wait = Wait {
            ns,
            me,
            object: Cell::new(Some(object.again())),
            entry,
            seq: head.waiter_seq.get(),
            word: head.overflow.atomic(),
            expected: head.overflow.get(),
            sink: request.sink,
            deadline: request.deadline,
            outcome: Cell::new(None),
            sleep: Cell::new(Ok(())),
        };
        if entry == NIL {
            head.overflowed.set(head.overflowed.get().saturating_add(1));
            if request.node != NIL {
                queue.cell_free(request.node)?;
            }
            return Ok(wait);
        }
        head.waiter_seq.set(wait.seq.wrapping_add(1));
        let waiter = queue.waiter(entry)?;
        let (how, want) = request.how.pack();
        waiter.kind.set(request.kind);
        waiter.token.set(me);
        waiter.seq.set(wait.seq);
        waiter.how.set(how);
        waiter.want.set(want as u64);
        waiter.max_len.set(request.max_len);
        waiter.node.set(request.node);
        // SAFETY: no arguments. The kernel, too, notes the thread's id for a sleeper.
        waiter.pid.set(unsafe { syscall!(libc::SYS_gettid) }.unwrap_or(0) as u32);
        // SAFETY: no pointers.
        let nice = || unsafe { syscall!(libc::SYS_getpriority, libc::PRIO_PROCESS, 0) }.unwrap_or(20) as u32;
        waiter.urgency.set(if object.is(ObjectKind::Mq) { nice() } else { 0 });
        queue.list_push(entry, waiter)?;
        waiter.state.atomic().store(waiting::AWAKE, Release);
        wait.word = waiter.state.atomic();
        wait.expected = waiting::ASLEEP;
        Ok(wait)
    }

    /// Makes the wait known to this thread's signal handlers. The caller is inside a section, and
    /// the wait does not move until [`Wait::block`] returns.
    pub fn begin(&mut self) {
        tls().waiting.set(self);
    }

    /// Waits.
    pub fn block(&mut self) -> Outcome {
        loop {
            if let Some(outcome) = self.look() {
                return outcome;
            }
            let arg = (self as *mut Wait).cast::<c_void>();
            // SAFETY: `sleep` only enters the kernel; frames below hold nothing with a Drop that
            // `cancelled` does not settle.
            unsafe { cancel::sleep_cancellable(sleep, cancelled, arg) };
            match self.sleep.get() {
                Ok(()) | Err(Errno::EAGAIN) => {}
                // Not by way of the trampoline, so a handler of libc's own (setxid): as it installs
                // them, with SA_RESTART.
                Err(Errno::EINTR) => self.settle(Why::Signal(true)),
                Err(Errno::ETIMEDOUT) if self.deadline.is_some_and(|t| clock::passed(&t)) => {
                    self.settle(Why::TimedOut)
                }
                // EFAULT: a handler's settling has unmapped the queue; look() sees the outcome.
                Err(_) => self.look_round(),
            }
            if self.entry == NIL {
                self.settle(Why::Woken);
            }
        }
    }

    /// The outcome if there is one; else the entry says from here on that we sleep.
    fn look(&mut self) -> Option<Outcome> {
        let section = Section::enter();
        if let Some(outcome) = self.outcome.get() {
            return Some(outcome);
        }
        if self.entry != NIL {
            // SAFETY: no outcome yet: the reference still keeps the mapping.
            let word = unsafe { &*self.word };
            // SYNC: waiter state (acquire side)
            let state = match word.compare_exchange(waiting::AWAKE, waiting::ASLEEP, AcqRel, Acquire) {
                Ok(_) => waiting::ASLEEP,
                Err(state) => state,
            };
            if state != waiting::ASLEEP {
                drop(section);
                self.settle(Why::Woken);
                return self.outcome.get();
            }
        }
        None
    }

    /// After a slice of sleep: has something been lost?
    fn look_round(&self) {
        let Ok(_section) = Section::enter() else { return };
        if self.outcome.get().is_some() {
            return;
        }
        let Some(object) = self.object.take() else { return };
        if let Ok(mut locked) = Locked::acquire(&object, self.ns, self.me) {
            let queue = locked.queue;
            let head = queue.head();
            let idle = |list: &List, something: bool| something && list.head.get() != NIL;
            let lost = head.assigned.get() != 0
                || idle(&head.receivers, head.count.get() != 0)
                || idle(&head.senders, head.count.get() == 0);
            if lost {
                let _ = locked.sweep();
            }
        }
        self.object.set(Some(object));
    }

    /// Brings the wait to its end, if it has not come to one yet.
    pub fn settle(&self, why: Why) {
        let Ok(_section) = Section::enter() else { return };
        if core::ptr::eq(tls().waiting.get(), self) {
            tls().waiting.set(core::ptr::null_mut());
        }
        let Some(object) = self.object.take() else { return };
        let outcome = match Locked::acquire(&object, self.ns, self.me) {
            Ok(mut locked) => self.settle_locked(&mut locked, why).unwrap_or(Outcome::Corrupt),
            Err(Corrupt) => Outcome::Corrupt,
        };
        self.outcome.set(Some(outcome));
    }

    fn settle_locked(&self, locked: &mut Locked<'_>, why: Why) -> Checked<Outcome> {
        let queue = locked.queue;
        let pending = match why {
            Why::Woken | Why::Cancelled => Outcome::Again,
            Why::TimedOut => Outcome::TimedOut,
            Why::Signal(restart) => Outcome::Interrupted(restart),
        };
        if self.entry == NIL {
            let head = queue.head();
            head.overflowed.set(head.overflowed.get().saturating_sub(1));
            return Ok(pending);
        }
        let waiter = queue.waiter(self.entry)?;
        if waiter.token.get() != self.me || waiter.seq.get() != self.seq {
            return Err(Corrupt);
        }
        // SYNC: waiter state (acquire side)
        let outcome = match waiter.state.atomic().load(Acquire) {
            waiting::AWAKE | waiting::ASLEEP => {
                queue.list_remove(waiter)?;
                queue.drop_prepared(waiter)?;
                pending
            }
            waiting::DONE if waiter.kind.get() == waiter_kind::SENDER => Outcome::Sent,
            waiting::DONE if why == Why::Cancelled => {
                // Nobody will look at it: the message goes back to its place, or to the next waiter.
                queue.waiter_free(self.entry, waiter);
                locked.repair()?;
                return Ok(Outcome::Again);
            }
            waiting::DONE => {
                let n = waiter.node.get();
                let sink = self.sink.ok_or(Corrupt)?;
                let delivered = sink.deliver(&queue, n)?;
                queue.consume_assigned(n)?;
                Outcome::Received(delivered)
            }
            waiting::RETRY => Outcome::Again,
            waiting::TOO_BIG => Outcome::TooBig,
            waiting::REMOVED => Outcome::Removed,
            _ => return Err(Corrupt),
        };
        queue.waiter_free(self.entry, waiter);
        Ok(outcome)
    }
}

/// The part of a wait in which the thread can be cancelled.
extern "C" fn sleep(arg: *mut c_void) {
    // SAFETY: `arg` is the Wait that block() runs on.
    let wait = unsafe { &*arg.cast::<Wait>() };
    let slice = if wait.entry == NIL { OVERFLOW_SLICE_NS } else { SLICE_NS };
    let until = clock::sooner(wait.deadline.as_ref(), slice);
    // SAFETY: only the kernel looks at the word; if a handler's settling has unmapped it, that is EFAULT.
    let word = unsafe { &*wait.word };
    wait.sleep.set(futex::wait_until(word, wait.expected, &until));
}

extern "C" fn cancelled(arg: *mut c_void) {
    // SAFETY: as in sleep(); the frame of block() is still there while handlers run.
    unsafe { &*arg.cast::<Wait>() }.settle(Why::Cancelled);
}

/// Called by the signal trampoline before a handler runs.
pub fn before_handler(restart: bool) {
    let wait = tls().waiting.get();
    if !wait.is_null() {
        // SAFETY: set by begin(), cleared by settle(): the Wait lies on this thread's stack.
        unsafe { &*wait }.settle(Why::Signal(restart));
    }
}
