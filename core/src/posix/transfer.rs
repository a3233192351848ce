//! Sending to and receiving from a POSIX message queue: mq_send(3), mq_receive(3).
//!
//! Each call first tries what is to be done when nothing is out of the ordinary: room, or a message, and nobody
//! who waits (`..._calmly`). Everything else is the business of `..._in_turn`.

use super::descriptor::{self, Wanted};
use super::{notify as notification, poll};
use crate::entry::Begun;
use crate::errno::{Errno, Result};
use crate::likely::unlikely;
use crate::process;
use crate::queue::guard::Locked;
use crate::queue::index::Match;
use crate::queue::layout::*;
use crate::queue::ops::{Doer, Put};
use crate::queue::wait::{self, Caller, Outcome, Patience, Request, Sink};
use crate::queue::{Checked, Queue};
use crate::region::header::ObjectKind;
use crate::region::object::Geometry;
use crate::region::NIL;
use crate::sync::guard::Brief;
use crate::sys::{cancel, clock, clock::Deadline};
use crate::user::{In, Out};
use core::ffi::{c_char, c_uint};
use libc::{mqd_t, timespec};

/// MQ_PRIO_MAX.
const PRIORITIES: c_uint = SMALL_KEYS as c_uint;

/// EFAULT, EINVAL.
#[inline(always)]
fn deadline(timeout: In<timespec>) -> Result<Option<Deadline>> {
    if unlikely(!timeout.is_null()) {
        return moment(timeout).map(Some);
    }
    Ok(None)
}

#[inline(never)]
fn moment(timeout: In<timespec>) -> Result<Deadline> {
    let t = timeout.read()?;
    if t.tv_sec < 0 || !(0..1_000_000_000).contains(&t.tv_nsec) {
        return Err(Errno::EINVAL);
    }
    Ok(Deadline::at(t))
}

/// What a try under the lock comes to.
enum Step {
    Done(usize),
    Sleep,
    Fail(Errno),
}

/// Whether no more is to be done than to change the queue: nobody waits, is to hear of it, or has been killed.
#[inline(always)]
fn is_calm(lock: &Brief<'_>, head: &QueueHeader) -> bool {
    lock.is_sound() && !head.is_waited_for() && head.polled.get() == 0 && head.notify.token.get() == 0
}

/// What a call asks of the queue's measures.
type Check<'a> = dyn Fn(&Geometry) -> Result<()> + 'a;

/// Runs `step` under the lock until it is done, sleeping where it says so. Who has `begun` has the lock.
#[inline(never)]
fn operate(
    wanted: Wanted<'_, Check<'_>>,
    mut begun: Option<Begun>,
    shortly: &dyn Fn(&Begun, &Brief<'_>) -> Option<usize>,
    step: &mut dyn FnMut(&mut Locked<'_>, &mut Caller<'_>) -> Checked<Step>,
) -> Result<usize> {
    let mut patience = Patience::default();
    loop {
        let begun = match begun.take() {
            Some(begun) => begun,
            None => {
                let begun = Begun::anew(wanted)?;
                Brief::hold(&begun).hand_on();
                begun
            }
        };
        let (ns, me, object) = (begun.ns, begun.me, &begun.object);
        let mut wait = None;
        let mut outcome;
        // In one section: a signal that comes meanwhile ends the call as it would a sleep.
        loop {
            let mut locked = Locked::taken(object, ns);
            locked.ready().map_err(|_| Errno::EBADMSG)?;
            let before = locked.shared.head().count.get();
            let mut caller = Caller { object, me, wait: &mut wait, patience: &mut patience };
            let tried = locked.attempt(&mut |locked| step(locked, &mut caller));
            poll::keep_in_step(ns, object, &locked.shared, Some(before));
            drop(locked);
            outcome = tried.map_err(|_| Errno::EBADMSG)?;
            if !matches!(outcome, Step::Sleep) || wait.is_some() {
                break;
            }
            patience.poll(object);
            let lock = Brief::hold(&begun);
            if let Some(n) = shortly(&begun, &lock) {
                return Ok(n);
            }
            lock.hand_on();
        }
        match outcome {
            Step::Done(n) => return Ok(n),
            Step::Fail(e) => return Err(e),
            Step::Sleep => {
                let Some(wait) = &mut wait else { return Err(Errno::EBADMSG) };
                let result = result_of(wait.block(begun));
                patience.slept();
                if let Some(result) = result {
                    return result;
                }
            }
        }
    }
}

/// What the call comes to after a wait; None: it begins again.
fn result_of(outcome: Outcome) -> Option<Result<usize>> {
    Some(match outcome {
        Outcome::Received(result) => result,
        Outcome::Sent => Ok(0),
        // A handler with SA_RESTART has run: at the end of the line again, as in the kernel.
        Outcome::Again | Outcome::Interrupted(true) => return None,
        Outcome::Interrupted(false) => Err(Errno::EINTR),
        Outcome::TimedOut => Err(Errno::ETIMEDOUT),
        Outcome::TooBig | Outcome::Removed | Outcome::Corrupt => Err(Errno::EBADMSG),
    })
}

/// EAGAIN or ETIMEDOUT where waiting is out of the question.
fn may_wait(caller: &Caller<'_>, deadline: Option<&Deadline>) -> Result<()> {
    let late = deadline.is_some_and(Deadline::passed);
    // Other processes may have set the flag, but to ask takes a system call: for that there is time when polling has failed.
    let as_before = !late && caller.patience.lasts() && descriptor::was_blocking(caller.object);
    if !as_before && descriptor::is_nonblocking(caller.object) {
        return Err(Errno::EAGAIN);
    }
    if late {
        return Err(Errno::ETIMEDOUT);
    }
    Ok(())
}

/// What somebody sends.
#[derive(Clone, Copy)]
struct Letter {
    text: In<c_char>,
    len: usize,
    priority: c_uint,
}

impl Letter {
    fn key(&self) -> i64 {
        (PRIORITIES - 1 - self.priority) as i64
    }

    /// EMSGSIZE, EFAULT.
    #[inline(always)]
    fn check(&self, g: &Geometry) -> Result<()> {
        if unlikely(self.len > g.message_bytes as usize) {
            return Err(Errno::EMSGSIZE);
        }
        self.text.check(self.len)
    }

    /// Writes the message into a free node. EFAULT.
    #[inline(always)]
    fn fill(&self, queue: &Queue<'_>, n: u32, node: &Node) -> Checked<Result<()>> {
        node.key.set(self.key() as u64);
        node.len.set(self.len as u32);
        let to = queue.text_of(n, node, self.len)?;
        // SAFETY: text_of() has checked the place.
        Ok(unsafe { self.text.copy_checked_to(to, self.len) })
    }
}

/// Sends `len` bytes with a priority; `timeout` (or null) is absolute, by CLOCK_REALTIME.
/// EAGAIN, EBADF, EBADMSG, EFAULT, EINTR, EINVAL, EMSGSIZE, ETIMEDOUT. A cancellation point. mq_send(3)
pub fn send(fd: mqd_t, text: In<c_char>, len: usize, priority: c_uint, timeout: In<timespec>) -> Result<()> {
    cancel::test();
    deadline(timeout)?;
    if unlikely(priority >= PRIORITIES) {
        return Err(Errno::EINVAL);
    }
    let letter = Letter { text, len, priority };
    let wanted = Wanted { fd, right: libc::O_WRONLY, check: &|g: &Geometry| letter.check(g) };
    if let Some(begun) = Begun::as_before(wanted) {
        let queue = Queue::of_kind(&begun.object, ObjectKind::Mq);
        let lock = Brief::hold(&begun);
        if is_calm(&lock, queue.head()) && send_calmly(&queue, &letter) == Ok(true) && lock.is_there() {
            drop(lock);
            begun.end();
            return Ok(());
        }
        lock.hand_on();
        return send_in_turn(fd, Some(begun.handed_on()), letter, timeout);
    }
    send_in_turn(fd, None, letter, timeout)
}

/// Puts the message into the queue if there is room. False: nothing has been done.
#[inline(always)]
fn send_calmly(queue: &Queue<'_>, letter: &Letter) -> Checked<bool> {
    let head = queue.head();
    if unlikely(head.count.get() >= queue.max_messages()) {
        return Ok(false);
    }
    let Some((n, node)) = queue.cell_at_hand()? else { return Ok(false) };
    if unlikely(letter.fill(queue, n, node)?.is_err()) {
        return Ok(false);
    }
    let next = queue.cell_take(n, node)?;
    queue.expect_in_line(n, next);
    head.send_time.set(clock::now_s() as u64);
    queue.enqueue(n, node, letter.key(), letter.len)?;
    Ok(true)
}

/// Whatever the queue is like. Who has `begun` has the lock.
#[cold]
#[inline(never)]
fn send_in_turn(fd: mqd_t, begun: Option<Begun>, letter: Letter, timeout: In<timespec>) -> Result<()> {
    let deadline = deadline(timeout);
    let check: &Check<'_> = &|g| letter.check(g);
    let wanted = Wanted { fd, right: libc::O_WRONLY, check };
    operate(wanted, begun, &|_, _| None, &mut |locked, caller| {
        let queue = &locked.shared;
        let full = queue.head().count.get() >= queue.max_messages();
        let mut n = if full { NIL } else { queue.cell_alloc()? };
        let waits = n == NIL;
        if waits {
            if let Err(e) = deadline.and_then(|deadline| may_wait(caller, deadline.as_ref())) {
                return Ok(Step::Fail(e));
            }
            n = queue.cell_alloc()?;
        }
        if n != NIL {
            if let Err(e) = letter.fill(queue, n, queue.node(n)?)? {
                queue.cell_free(n)?;
                return Ok(Step::Fail(e));
            }
        }
        if waits {
            let request = Request {
                kind: waiter_kind::SENDER,
                how: Match::Any,
                max_len: letter.len as u64,
                node: n,
                sink: None,
                deadline: deadline.unwrap_or(None),
            };
            return wait::enter(locked, caller, request).map(|()| Step::Sleep);
        }
        put(locked, n)?;
        Ok(Step::Done(0))
    })
    .map(|_| ())
}

fn put(locked: &mut Locked<'_>, n: u32) -> Checked<()> {
    let queue = &locked.shared;
    let notify = &queue.head().notify;
    let due = queue.head().count.get() == 0 && notify.token.get() != 0;
    if due {
        notify.due.set(1);
    }
    let now_s = clock::now_s();
    queue.head().send_time.set(now_s as u64);
    let put = queue.put(n, &mut locked.wakes, now_s)?;
    if due {
        if put == Put::Queued {
            notification::fire(locked.ns, queue);
        }
        notify.due.set(0);
    }
    Ok(())
}

/// The message that a receiver of a POSIX queue gets: the first of all.
const ANY: Match = Match::AtMost(i64::MAX);

/// Where somebody wants a message.
#[derive(Clone, Copy)]
struct Tray {
    text: Out<c_char>,
    len: usize,
    priority: Out<c_uint>,
}

impl Tray {
    fn sink(&self) -> Sink {
        Sink::Mq(self.text.offset(0), self.priority)
    }

    /// EMSGSIZE.
    #[inline(always)]
    fn check(&self, g: &Geometry) -> Result<()> {
        if unlikely(self.len < g.message_bytes as usize) {
            return Err(Errno::EMSGSIZE);
        }
        Ok(())
    }
}

/// Receives the oldest message of the highest priority; how many bytes.
/// EAGAIN, EBADF, EBADMSG, EFAULT, EINTR, EINVAL, EMSGSIZE, ETIMEDOUT. A cancellation point. mq_receive(3)
pub fn receive(
    fd: mqd_t,
    text: Out<c_char>,
    len: usize,
    priority: Out<c_uint>,
    timeout: In<timespec>,
) -> Result<usize> {
    cancel::test();
    deadline(timeout)?;
    let tray = Tray { text, len, priority };
    let wanted = Wanted { fd, right: libc::O_RDONLY, check: &|g: &Geometry| tray.check(g) };
    if let Some(begun) = Begun::as_before(wanted) {
        let lock = Brief::hold(&begun);
        if let Some(len) = receive_shortly(&begun, &lock, tray.sink()) {
            drop(lock);
            begun.end();
            return Ok(len);
        }
        lock.hand_on();
        return receive_in_turn(fd, Some(begun.handed_on()), tray, timeout);
    }
    receive_in_turn(fd, None, tray, timeout)
}

/// Receives if no more is to be done than to change the queue. None: nothing has been done.
#[inline(always)]
fn receive_shortly(begun: &Begun, lock: &Brief<'_>, sink: Sink) -> Option<usize> {
    let queue = Queue::of_kind(&begun.object, ObjectKind::Mq);
    if unlikely(!is_calm(lock, queue.head())) {
        return None;
    }
    receive_calmly(&queue, sink, begun.pid).ok()?.filter(|_| lock.is_there())
}

/// Takes a message if there is one; its length. None: nothing has been done.
#[inline(always)]
fn receive_calmly(queue: &Queue<'_>, sink: Sink, pid: u32) -> Checked<Option<usize>> {
    let n = queue.find(ANY)?;
    if unlikely(n == NIL) {
        return Ok(None);
    }
    let node = queue.node(n)?;
    queue.expect_in_line(n, node.next.get());
    let Ok(len) = sink.hand_out(queue, n, node)? else { return Ok(None) };
    queue.dequeue(n, node, Doer { pid, now_s: clock::now_s() })?;
    Ok(Some(len))
}

/// Whatever the queue is like. Who has `begun` has the lock.
#[cold]
#[inline(never)]
fn receive_in_turn(fd: mqd_t, begun: Option<Begun>, tray: Tray, timeout: In<timespec>) -> Result<usize> {
    let (deadline, sink) = (deadline(timeout), tray.sink());
    let check: &Check<'_> = &|g| tray.check(g);
    let wanted = Wanted { fd, right: libc::O_RDONLY, check };
    let shortly = |begun: &Begun, lock: &Brief<'_>| receive_shortly(begun, lock, sink);
    operate(wanted, begun, &shortly, &mut |locked, caller| {
        let n = locked.first(ANY)?;
        if n == NIL {
            if let Err(e) = deadline.and_then(|deadline| may_wait(caller, deadline.as_ref())) {
                return Ok(Step::Fail(e));
            }
            let request = Request {
                kind: waiter_kind::RECEIVER,
                how: ANY,
                max_len: u64::MAX,
                node: NIL,
                sink: Some(sink),
                deadline: deadline.unwrap_or(None),
            };
            return wait::enter(locked, caller, request).map(|()| Step::Sleep);
        }
        let queue = &locked.shared;
        let delivered = sink.deliver(queue, n)?;
        queue.consume(n, Doer { pid: process::pid().unwrap_or(0), now_s: clock::now_s() })?;
        queue.admit(&mut locked.wakes)?;
        Ok(match delivered {
            Ok(len) => Step::Done(len),
            Err(e) => Step::Fail(e),
        })
    })
}
