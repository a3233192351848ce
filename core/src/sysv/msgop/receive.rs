//! msgrcv(2).

use super::{is_calm, operate, Step, Wanted};
use crate::entry::Begun;
use crate::errno::{Errno, Result};
use crate::likely::unlikely;
use crate::limits::{self, Limit};
use crate::namespace;
use crate::perm;
use crate::process;
use crate::queue::guard::Locked;
use crate::queue::index::Match;
use crate::queue::layout::*;
use crate::queue::ops::Doer;
use crate::queue::wait::{self, Request, Sink};
use crate::queue::{Checked, Queue};
use crate::region::header::ObjectKind;
use crate::region::NIL;
use crate::sync::guard::Brief;
use crate::sys::{cancel, clock};
use crate::user::Out;
use core::ffi::{c_int, c_long, c_void};

/// `MSG_COPY` of <linux/msg.h>: copy the message at a place instead of taking one.
const MSG_COPY: c_int = 0o40000;

/// What msgtyp and msgflg ask for. Linux: convert_mode
fn matching(kind: c_long, flags: c_int) -> Match {
    match kind {
        0 => Match::Any,
        k if k < 0 => Match::AtMost(k.checked_neg().unwrap_or(c_long::MAX)),
        k if flags & libc::MSG_EXCEPT != 0 => Match::NotEqual(k),
        k => Match::Equal(k),
    }
}

/// Receives a message: its type and up to `size` bytes of its text; how many bytes.
/// E2BIG, EACCES, EFAULT, EIDRM, EINTR, EINVAL, ENOMSG. A cancellation point. msgrcv(2)
pub fn receive(id: c_int, message: Out<c_void>, size: usize, kind: c_long, flags: c_int) -> Result<usize> {
    cancel::test();
    if unlikely(id < 0 || (size as isize) < 0) {
        return Err(Errno::EINVAL);
    }
    if unlikely(flags & MSG_COPY != 0) {
        return copy(id, message, size, kind, flags);
    }
    let how = matching(kind, flags);
    let tray = Tray { message, size, whole: flags & libc::MSG_NOERROR == 0 };
    let wanted = Wanted { id, right: perm::READ };
    if let Some(begun) = Begun::as_before(wanted) {
        let lock = Brief::hold(&begun);
        if let Some(len) = receive_shortly(&begun, &lock, how, &tray) {
            drop(lock);
            begun.end();
            return Ok(len);
        }
        lock.hand_on();
        return receive_in_turn(wanted, Some(begun.handed_on()), (how, tray), flags);
    }
    receive_in_turn(wanted, None, (how, tray), flags)
}

/// Where somebody wants a message.
#[derive(Clone, Copy)]
struct Tray {
    message: Out<c_void>,
    size: usize,
    /// Not cut short (MSG_NOERROR).
    whole: bool,
}

impl Tray {
    fn sink(&self) -> Sink {
        Sink::Msg(self.message, self.size)
    }
    /// Whether it takes so much text.
    fn takes(&self, len: u32) -> bool {
        len as usize <= self.size || !self.whole
    }
}

/// Receives if no more is to be done than to change the queue. None: nothing has been done.
#[inline(always)]
fn receive_shortly(begun: &Begun, lock: &Brief<'_>, how: Match, tray: &Tray) -> Option<usize> {
    let queue = Queue::of_kind(&begun.object, ObjectKind::Msg);
    if unlikely(!is_calm(lock, &queue)) {
        return None;
    }
    receive_calmly(&queue, how, tray, begun.pid).ok()?.filter(|_| lock.is_there())
}

/// Takes a message if there is one that can be had; its length. None: nothing has been done.
#[inline(always)]
fn receive_calmly(queue: &Queue<'_>, how: Match, tray: &Tray, pid: u32) -> Checked<Option<usize>> {
    let n = queue.find(how)?;
    if unlikely(n == NIL) {
        return Ok(None);
    }
    let node = queue.node(n)?;
    if unlikely(!tray.takes(node.len.get())) {
        return Ok(None);
    }
    if matches!(how, Match::Any) {
        queue.expect_in_line(n, node.after.get());
    } else {
        queue.expect(node.next.get());
    }
    let Ok(len) = tray.sink().hand_out(queue, n, node)? else { return Ok(None) };
    let now_s = clock::now_s();
    queue.dequeue(n, node, Doer { pid, now_s })?;
    if queue.may_trim() {
        queue.trim(now_s)?;
    }
    Ok(Some(len))
}

/// Whatever the queue is like. Who has `begun` has the lock.
#[cold]
#[inline(never)]
fn receive_in_turn(
    wanted: Wanted,
    begun: Option<Begun>,
    (how, tray): (Match, Tray),
    flags: c_int,
) -> Result<usize> {
    let shortly = |begun: &Begun, lock: &Brief<'_>| receive_shortly(begun, lock, how, &tray);
    operate(wanted, begun, &shortly, &mut |locked, caller| {
        let n = locked.first(how)?;
        if n != NIL {
            return try_receive(locked, n, &tray);
        }
        if flags & libc::IPC_NOWAIT != 0 {
            return Ok(Step::Fail(Errno::ENOMSG));
        }
        let request = Request {
            kind: waiter_kind::RECEIVER,
            how,
            max_len: if tray.whole { tray.size as u64 } else { u64::MAX },
            node: NIL,
            sink: Some(tray.sink()),
            deadline: None,
        };
        wait::enter(locked, caller, request).map(|()| Step::Sleep)
    })
}

fn try_receive(locked: &mut Locked<'_>, n: u32, tray: &Tray) -> Checked<Step> {
    let queue = &locked.shared;
    if !tray.takes(queue.node(n)?.len.get()) {
        return Ok(Step::Fail(Errno::E2BIG));
    }
    // As in the kernel, a message whose copy fails with EFAULT is gone.
    let delivered = tray.sink().deliver(queue, n)?;
    let now_s = clock::now_s();
    queue.consume(n, Doer { pid: process::pid().unwrap_or(0), now_s })?;
    if queue.may_trim() {
        queue.trim(now_s)?;
    }
    queue.admit(&mut locked.wakes)?;
    Ok(match delivered {
        Ok(len) => Step::Done(len),
        Err(e) => Step::Fail(e),
    })
}

/// MSG_COPY: a copy of the message at place `place`; the queue stays as it is.
#[cold]
#[inline(never)]
fn copy(id: c_int, message: Out<c_void>, size: usize, place: c_long, flags: c_int) -> Result<usize> {
    if flags & libc::MSG_EXCEPT != 0 || flags & libc::IPC_NOWAIT == 0 {
        return Err(Errno::EINVAL);
    }
    let ns = namespace::current()?;
    // The kernel prepares the copy by reading from the buffer.
    let most = size.min(limits::get(ns, Limit::MsgMax) as usize);
    message.check(most)?;
    operate(Wanted { id, right: perm::READ }, None, &|_, _| None, &mut |locked, _| {
        if locked.shared.head().assigned.get() != 0 {
            locked.sweep()?;
        }
        let queue = &locked.shared;
        let n = if place < 0 { NIL } else { queue.nth(place as u64)? };
        if n == NIL {
            return Ok(Step::Fail(Errno::ENOMSG));
        }
        let len = queue.node(n)?.len.get() as usize;
        if len > size && flags & libc::MSG_NOERROR == 0 {
            return Ok(Step::Fail(Errno::E2BIG));
        }
        // Linux: copy_msg. MSG_NOERROR does not help.
        if len > most {
            return Ok(Step::Fail(Errno::EINVAL));
        }
        Ok(match Sink::Msg(message, size).deliver(queue, n)? {
            Ok(len) => Step::Done(len),
            Err(e) => Step::Fail(e),
        })
    })
}
