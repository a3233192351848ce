//! Waiting for a queue: what a thread that sleeps there leaves in it, and how its wait ends.

use super::guard::Locked;
use super::index::Match;
use super::layout::*;
use super::{Checked, Queue};
use crate::errno::{Errno, Result};
use crate::namespace::Namespace;
use crate::region::header::ObjectKind;
use crate::region::object::Ref;
use crate::region::{Corrupt, NIL};
use crate::sync::spin::{Bell, Spin, CLOSELY};
use crate::sync::wait::{self, On, Sleeper, Why};
use crate::sys::{clock, clock::Deadline, raw::syscall};
use crate::sysv::msgop;
use crate::user::Out;
use core::ffi::{c_long, c_uint, c_void};
use core::sync::atomic::Ordering::*;

/// Those who came last look so often whether something has been lost, for example a wake-up that died with its sender.
const SLICE_NS: i64 = 1_000_000_000;
/// How many do.
const WATCHERS: usize = 16;
/// The others.
const LONG_NS: i64 = 60_000_000_000;
/// How often to look for the dead where no entry is free.
const SWEEP_NS: i64 = 20_000_000;

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
    #[inline(never)]
    pub fn deliver(&self, queue: &Queue<'_>, n: u32) -> Checked<Result<usize>> {
        self.hand_out(queue, n, queue.node(n)?)
    }

    /// The same, on the paths that must be short.
    #[inline(always)]
    pub fn hand_out(&self, queue: &Queue<'_>, n: u32, node: &Node) -> Checked<Result<usize>> {
        let (len, key) = (node.len.get() as usize, node.key.get() as i64);
        let text = queue.text_of(n, node, len)?;
        let copy = |to: Out<u8>, len: usize| -> Result<usize> {
            // SAFETY: text_of() has checked that the text lies in the mapping.
            unsafe { to.copy_from(text, len) }.map(|()| len)
        };
        Ok(match *self {
            Sink::Msg(to, size) => to
                .offset::<c_long>(0)
                .write_word(key as c_long)
                .and_then(|()| copy(to.offset(size_of::<c_long>()), len.min(size))),
            Sink::Mq(_, priority)
                if !priority.is_null() && priority.write(&((SMALL_KEYS - 1 - key) as c_uint)).is_err() =>
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

/// A thread's wait for a queue.
pub type Wait = wait::Wait<Waiting>;

/// What a waiting thread knows of its place in the queue.
pub struct Waiting {
    /// The entry, or NIL where there was none.
    entry: u32,
    seq: u64,
    sink: Option<Sink>,
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
    #[allow(missing_docs)]
    pub deadline: Option<Deadline>,
}

/// What a call may still wait for awake.
#[derive(Default)]
pub struct Patience {
    spin: Spin,
    kind: u32,
    /// The bell that it waits for, when the call had to wait.
    seen: u64,
    /// How often it can ring before the queue has to be looked at.
    most: u64,
    deadline: Option<Deadline>,
}

impl Patience {
    /// Whether a call that has to wait is to poll first. Until it sleeps mq_notify(3) takes it for one that has yet to come.
    pub fn lasts(&self) -> bool {
        self.spin.may()
    }

    /// Whether the call polls instead of sleeping. It passes nobody by: those who sleep are served before there is anything
    /// for it. The lock is held.
    fn takes(&mut self, queue: &Queue<'_>, request: &Request) -> bool {
        if !self.lasts() {
            return false;
        }
        let head = queue.head();
        self.most = match request.kind {
            waiter_kind::SENDER => head.count.get(),
            _ if queue.system_v => u64::MAX,
            _ => queue.max_messages(),
        };
        self.kind = request.kind;
        self.seen = bell(head, request.kind).look();
        self.deadline = request.deadline;
        true
    }

    /// Polls. The lock is not held.
    #[cold]
    pub fn poll(&mut self, object: &Ref) {
        let head = Queue::of(object).head();
        let (bell, seen) = (bell(head, self.kind), self.seen);
        let ready = || bell.look() != seen || head.common.removed.get() != 0;
        self.spin.poll((Bell::place(seen), CLOSELY), self.deadline.as_ref(), &ready);
        // Who finds the queue full has sent faster than others receive.
        self.spin.let_flow(self.kind == waiter_kind::SENDER, bell, seen, self.most);
        Queue::of(object).expect_turn(self.kind);
    }

    /// Looks back on a wait.
    pub fn slept(&self) {
        self.spin.slept();
    }
}

/// What is rung when it is worth trying again.
fn bell(head: &QueueHeader, kind: u32) -> &Bell {
    if kind == waiter_kind::SENDER {
        &head.received
    } else {
        &head.sent
    }
}

/// Who is at the queue, and where its wait goes if it has to.
pub struct Caller<'a> {
    /// The queue.
    pub object: &'a Ref,
    /// In whose name it holds the lock.
    pub me: u64,
    /// The wait, once it is entered.
    pub wait: &'a mut Option<Wait>,
    /// Whether it need not yet.
    pub patience: &'a mut Patience,
}

/// Enters a wait in the queue, or lets the caller poll first; the lock is held.
#[cold]
#[inline(never)]
pub fn enter(locked: &mut Locked<'_>, caller: &mut Caller<'_>, request: Request) -> Checked<()> {
    let (queue, ns) = (locked.shared, locked.ns);
    let (object, me) = (caller.object, caller.me);
    let head = queue.head();
    if caller.patience.takes(&queue, &request) {
        return if request.node == NIL { Ok(()) } else { queue.cell_free(request.node) };
    }
    let mut entry = queue.waiter_alloc()?;
    if entry == NIL && may_sweep(head) && locked.sweep()? {
        entry = queue.waiter_alloc()?;
    }
    let seq = head.waiter_seq.get();
    let waiting = Waiting { entry, seq, sink: request.sink };
    if entry == NIL {
        head.overflowed.set(head.overflowed.get().saturating_add(1));
        if request.node != NIL {
            queue.cell_free(request.node)?;
        }
        let on = On::Value(head.overflow.atomic(), head.overflow.get());
        *caller.wait = Some(Wait::new((object, ns, me), waiting, on, request.deadline));
        return Ok(());
    }
    head.waiter_seq.set(seq.wrapping_add(1));
    let waiter = queue.waiter(entry)?;
    let (how, want) = request.how.pack();
    waiter.kind.set(request.kind);
    waiter.token.set(me);
    waiter.seq.set(seq);
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
    let on = On::State(waiter.state.atomic());
    *caller.wait = Some(Wait::new((object, ns, me), waiting, on, request.deadline));
    Ok(())
}

/// One who looks for the dead is enough for all who found no entry and will try again.
fn may_sweep(head: &QueueHeader) -> bool {
    let now = clock::monotonic_ms() as u32;
    let may = now.wrapping_sub(head.swept_ms.get()) as i64 * 1_000_000 >= SWEEP_NS;
    if may {
        head.swept_ms.set(now);
    }
    may
}

impl Sleeper for Waiting {
    type Outcome = Outcome;
    const CANCELLABLE: bool = true;

    fn slice_ns(&self, object: &Ref) -> i64 {
        let queue = Queue::of(object);
        if self.entry == NIL && queue.used_waiters().is_empty() {
            // There is no memory for entries, so nobody else looks.
            return SLICE_NS;
        }
        let mut w = queue.waiter(self.entry).map_or(NIL, |waiter| queue.list(waiter.kind.get()).tail.get());
        for _ in 0..WATCHERS {
            if w == self.entry && w != NIL {
                return SLICE_NS;
            }
            w = queue.waiter(w).map_or(NIL, |waiter| waiter.before.get());
        }
        LONG_NS
    }

    fn look_round(&self, object: &Ref, ns: &'static Namespace, me: u64) {
        let queue = Queue::of(object);
        for w in queue.used_waiters() {
            if let Ok(waiter) = queue.waiter(w) {
                wait::wake_forgotten(waiter.state.atomic());
            }
        }
        let _ = with_lock(object, ns, me, &mut |locked| {
            let head = locked.shared.head();
            let idle = |list: &List, something: bool| something && list.head.get() != NIL;
            let lost = head.assigned.get() != 0
                || idle(&head.receivers, head.count.get() != 0)
                || idle(&head.senders, head.count.get() == 0);
            if lost {
                locked.sweep()?;
            }
            Ok(())
        });
    }

    fn settle(&self, object: &Ref, ns: &'static Namespace, me: u64, why: Why) -> Outcome {
        with_lock(object, ns, me, &mut |locked| {
            let outcome = self.settle_locked(locked, me, why)?;
            locked.check().map(|()| outcome)
        })
        .unwrap_or(Outcome::Corrupt)
    }
}

/// Runs `body` under the lock of a queue that may have grown beyond our mapping since we fell asleep.
fn with_lock<T>(
    object: &Ref,
    ns: &'static Namespace,
    me: u64,
    body: &mut dyn FnMut(&mut Locked<'_>) -> Checked<T>,
) -> Checked<T> {
    let mut longer = None;
    // It may grow again before we have the lock.
    for _ in 0..1000 {
        let object = longer.as_ref().unwrap_or(object);
        object.header().help(ns, me);
        let mut locked = Locked::taken(object, ns);
        let Some(units) = locked.shared.unmapped() else {
            locked.ready()?;
            return body(&mut locked);
        };
        drop(locked);
        longer = Some(msgop::map_more(object, units).map_err(|_| Corrupt)?);
    }
    Err(Corrupt)
}

impl Waiting {
    fn settle_locked(&self, locked: &mut Locked<'_>, me: u64, why: Why) -> Checked<Outcome> {
        let queue = locked.shared;
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
        if waiter.token.get() != me || waiter.seq.get() != self.seq {
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
            waiting::FAILED => Outcome::TooBig,
            waiting::REMOVED => Outcome::Removed,
            _ => return Err(Corrupt),
        };
        queue.waiter_free(self.entry, waiter);
        Ok(outcome)
    }
}
