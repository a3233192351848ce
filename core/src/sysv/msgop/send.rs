//! msgsnd(2).

use super::{is_calm, operate, Step, Wanted};
use crate::entry::Begun;
use crate::errno::{Errno, Result};
use crate::likely::unlikely;
use crate::limits::{self, Limit};
use crate::namespace::{self, ids, ids::Room};
use crate::perm;
use crate::process;
use crate::queue::arena::{units_for, NoRoom};
use crate::queue::guard::Locked;
use crate::queue::index::Match;
use crate::queue::layout::*;
use crate::queue::wait::{self, Request};
use crate::queue::{Checked, Queue};
use crate::region::header::ObjectKind;
use crate::region::{Corrupt, NIL};
use crate::sync::guard::Brief;
use crate::sys::{cancel, clock};
use crate::user::In;
use core::ffi::{c_int, c_long, c_void};

/// What somebody sends.
#[derive(Clone, Copy)]
struct Letter {
    kind: c_long,
    text: In<u8>,
    size: usize,
}

impl Letter {
    /// Writes the message into a run that has been taken. EFAULT.
    #[inline(always)]
    fn fill(&self, queue: &Queue<'_>, n: u32, node: &Node) -> Checked<Result<()>> {
        node.key.set(self.kind as u64);
        node.len.set(self.size as u32);
        let to = queue.text_of(n, node, self.size)?;
        // SAFETY: text_of() has checked the place.
        Ok(unsafe { self.text.copy_checked_to(to, self.size) })
    }
}

/// Sends a message: `message` points to a `long` type and `size` bytes of text.
/// EACCES, EAGAIN, EFAULT, EIDRM, EINTR, EINVAL, ENOMEM. A cancellation point. msgsnd(2)
pub fn send(id: c_int, message: In<c_void>, size: usize, flags: c_int) -> Result<()> {
    cancel::test();
    let kind = message.offset::<c_long>(0).read_word()?;
    let ns = namespace::current()?;
    if unlikely(size as u64 > limits::get(ns, Limit::MsgMax) || id < 0 || kind < 1) {
        return Err(Errno::EINVAL);
    }
    let letter = Letter { kind, text: message.offset(size_of::<c_long>()), size };
    letter.text.check(size)?;
    let wanted = Wanted { id, right: perm::WRITE };
    if let Some(begun) = Begun::as_before(wanted) {
        let queue = Queue::of_kind(&begun.object, ObjectKind::Msg);
        let lock = Brief::hold(&begun);
        if is_calm(&lock, &queue) && send_calmly(&queue, &letter, begun.pid) == Ok(true) && lock.is_there() {
            drop(lock);
            begun.end();
            return Ok(());
        }
        lock.hand_on();
        return send_in_turn(wanted, Some(begun.handed_on()), letter, flags);
    }
    send_in_turn(wanted, None, letter, flags)
}

/// Puts the message into the queue if there is room, and memory at hand. False: nothing has been done.
#[inline(always)]
fn send_calmly(queue: &Queue<'_>, letter: &Letter, pid: u32) -> Checked<bool> {
    if unlikely(!queue.fits(letter.size as u64) || queue.head().noted.get() == 0) {
        return Ok(false);
    }
    let n = queue.arena_take(units_for(letter.size))?;
    if unlikely(n == NIL) {
        return Ok(false);
    }
    let node = queue.node(n)?;
    queue.expect_in_line(n, n.wrapping_add(node.units.get()));
    if unlikely(letter.fill(queue, n, node)?.is_err()) {
        queue.arena_free(n)?;
        return Ok(false);
    }
    queue.sent_by(pid, clock::now_s());
    queue.enqueue(n, node, letter.kind, letter.size)?;
    if unlikely(queue.table_is_crowded()) {
        // Chains in the key table stay short; if there is no memory for a larger one, they grow.
        let _ = queue.grow_table();
    }
    Ok(true)
}

/// Whatever the queue is like. Who has `begun` has the lock.
#[cold]
#[inline(never)]
fn send_in_turn(wanted: Wanted, begun: Option<Begun>, letter: Letter, flags: c_int) -> Result<()> {
    operate(wanted, begun, &|_, _| None, &mut |locked, caller| {
        if locked.shared.fits(letter.size as u64) {
            return try_send(locked, &letter);
        }
        if flags & libc::IPC_NOWAIT != 0 {
            return Ok(Step::Fail(Errno::EAGAIN));
        }
        let request = Request {
            kind: waiter_kind::SENDER,
            how: Match::Any,
            max_len: letter.size as u64,
            node: NIL,
            sink: None,
            deadline: None,
        };
        wait::enter(locked, caller, request).map(|()| Step::Sleep)
    })
    .map(|_| ())
}

fn try_send(locked: &mut Locked<'_>, letter: &Letter) -> Checked<Step> {
    let queue = &locked.shared;
    let n = match queue.arena_alloc(letter.size) {
        Ok(n) => n,
        Err(NoRoom::Corrupt) => return Err(Corrupt),
        Err(NoRoom::Units(units)) => return Ok(Step::Grow(units)),
        Err(_) => return Ok(Step::Fail(Errno::ENOMEM)),
    };
    if let Err(e) = letter.fill(queue, n, queue.node(n)?)? {
        queue.arena_free(n)?;
        return Ok(Step::Fail(e));
    }
    let head = queue.head();
    if head.noted.get() == 0 {
        ids::note(locked.ns, Room::Msg, ids::index_of(head.common.id.get() as c_int), true);
        head.noted.set(1);
    }
    let now_s = clock::now_s();
    queue.sent_by(process::pid().unwrap_or(0), now_s);
    queue.put(n, &mut locked.wakes, now_s)?;
    let _ = queue.grow_table();
    Ok(Step::Done(0))
}
