//! Sending to and receiving from a System V message queue: msgop(2).
//!
//! Each call first tries what is to be done when nothing is out of the ordinary: room, or a message, and nobody
//! who waits (`..._calmly`). Everything else is the business of `..._in_turn`.

use super::msg::{measure, MSG};
use super::object;
use crate::entry::{self, Begun};
use crate::errno::{Errno, Result};
use crate::likely::unlikely;
use crate::limits::{self, Limit};
use crate::namespace::{self, ids, ids::Room, Namespace};
use crate::perm;
use crate::process::{self, ProcessPage};
use crate::queue::arena::{units_for, NoRoom};
use crate::queue::guard::Locked;
use crate::queue::index::Match;
use crate::queue::layout::*;
use crate::queue::ops::Doer;
use crate::queue::wait::{self, Caller, Outcome, Patience, Request, Sink};
use crate::queue::{Checked, Queue};
use crate::region::header::ObjectKind;
use crate::region::object::{Mapping, Ref, Table};
use crate::region::NIL;
use crate::sync::guard::Brief;
use crate::sys::{cancel, clock, file, map};
use crate::user::{In, Out};
use core::ffi::{c_int, c_long, c_void};
use core::sync::atomic::Ordering::*;

/// `MSG_COPY` of <linux/msg.h>: copy the message at a place instead of taking one.
const MSG_COPY: c_int = 0o40000;

/// What a try under the lock comes to.
enum Step {
    Done(usize),
    Sleep,
    /// The file must be made longer: it must hold this many units.
    Grow(u32),
    /// Somebody else has made it longer: it must be mapped again.
    Remap(u32),
    Fail(Errno),
}

/// One try: what a call does with the lock held.
type Try<'a> = &'a mut dyn FnMut(&mut Locked<'_>, &mut Caller<'_>) -> Checked<Step>;
/// The same, if no more is to be done than to change the queue; None: nothing has been done.
type Shortly<'a> = &'a dyn Fn(&Begun, &Brief<'_>) -> Option<usize>;

/// Maps the file anew, with an arena of `units`; makes it longer if it `may`. ENOMEM, EINVAL.
fn remap(ns: &'static Namespace, object: &Ref, units: u32, may: bool) -> Result<()> {
    let id = object.number.load(Relaxed);
    let index = ids::index_of(id);
    let flags = libc::O_RDWR | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let fd =
        file::open_at(ns.dir()?, Room::Msg.path(index).as_cstr(), flags, 0).map_err(|_| Errno::EINVAL)?;
    let st = file::stat(fd.raw())?;
    if st.file != object.file() {
        return Err(Errno::EINVAL);
    }
    let needed = NODES_AT as u64 + units as u64 * UNIT as u64;
    let mut size = st.size;
    if size < needed && !may {
        return Err(Errno::EINVAL);
    }
    if size < needed {
        // Doubling: each process maps a queue anew only a few times.
        size = (needed * 2).next_multiple_of(4096);
        if file::set_len(fd.raw(), size).is_err() {
            size = needed.next_multiple_of(4096);
            file::set_len(fd.raw(), size).map_err(|_| Errno::ENOMEM)?;
        }
    }
    let mapping = Mapping::new(fd.raw(), size as usize, st.file)?;
    let geometry = measure(&mapping, size)?;
    let object = mapping.install(ObjectKind::Msg, id, 0, geometry)?;
    MSG.table.put(index as usize, &object)
}

/// The queue with an arena of `units` mapped, by a mapping of it that is too short: for sleepers, whose queue may
/// have lost its name meanwhile. ENOMEM.
#[cold]
#[inline(never)]
pub fn map_more(object: &Ref, units: u32) -> Result<Ref> {
    let len = (NODES_AT + units as usize * UNIT).next_multiple_of(4096);
    // SAFETY: just mapped.
    let mapping = unsafe { Mapping::of(map::duplicate(object.base(), len)?, len, object.file())? };
    let geometry = measure(&mapping, len as u64)?;
    let id = object.number.load(Relaxed);
    let object = mapping.install(ObjectKind::Msg, id, 0, geometry)?;
    MSG.table.put(ids::index_of(id) as usize, &object)?;
    Ok(object)
}

/// A try under the lock, with the whole arena mapped. The caller has the lock.
fn attempt(ns: &'static Namespace, mut caller: Caller<'_>, step: Try<'_>) -> Checked<Step> {
    let mut locked = Locked::taken(caller.object, ns);
    // Before anything is repaired, too: that walks the arena.
    if let Some(units) = locked.shared.unmapped() {
        return Ok(Step::Remap(units));
    }
    locked.ready()?;
    if locked.shared.head().common.removed.get() != 0 {
        return Ok(Step::Fail(Errno::EIDRM));
    }
    locked.attempt(&mut |locked| step(locked, &mut caller))
}

/// The queue that a call is for. EACCES, EINVAL.
#[derive(Clone, Copy)]
struct Wanted {
    id: c_int,
    right: u32,
}

impl entry::Wanted for Wanted {
    #[inline(always)]
    fn place(self) -> (&'static Table, usize) {
        (MSG.table, ids::index_of(self.id) as usize)
    }
    #[inline(always)]
    fn is(self, object: &Ref, page: &'static ProcessPage) -> bool {
        MSG.is_open(self.id, self.right, object, page)
    }
}

impl entry::Sought for Wanted {
    fn find(self, ns: &'static Namespace) -> Result<Ref> {
        let object = MSG.by_id(ns, self.id)?;
        object::check(&object, self.right)?;
        Ok(object)
    }
}

/// Whether no more is to be done than to change the queue: it is there, nobody waits or has been killed.
#[inline(always)]
fn is_calm(lock: &Brief<'_>, queue: &Queue<'_>) -> bool {
    let head = queue.head();
    lock.is_sound()
        && head.common.removed.get() == 0
        && queue.unmapped().is_none()
        && head.receivers.head.get() == NIL
        && head.senders.head.get() == NIL
        && head.assigned.get() == 0
        && head.overflowed.get() == 0
}

/// Runs `step` under the lock until it is done, sleeping where it says so. Who has `begun` has the lock.
#[inline(never)]
fn operate(wanted: Wanted, mut begun: Option<Begun>, shortly: Shortly<'_>, step: Try<'_>) -> Result<usize> {
    let mut grown = 0;
    let mut slept = false;
    let mut patience = Patience::default();
    loop {
        let begun = match begun.take() {
            Some(begun) => begun,
            None => {
                let gone = |e| if slept && e == Errno::EINVAL { Errno::EIDRM } else { e };
                let begun = Begun::anew(wanted).map_err(gone)?;
                Brief::hold(&begun).hand_on();
                begun
            }
        };
        let mut wait = None;
        let mut outcome;
        // In one section: a signal that comes meanwhile ends the call as it would a sleep.
        loop {
            let (object, me) = (&begun.object, begun.me);
            let caller = Caller { object, me, wait: &mut wait, patience: &mut patience };
            outcome = attempt(begun.ns, caller, step)?;
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
            Step::Grow(units) | Step::Remap(units) => {
                // Others may lengthen it as fast as we map; an arena that never fits is spoilt.
                grown += 1;
                if grown > 1000 {
                    return Err(Errno::EINVAL);
                }
                remap(begun.ns, &begun.object, units, matches!(outcome, Step::Grow(_)))?;
            }
            Step::Sleep => {
                let Some(wait) = &mut wait else { return Err(Errno::EINVAL) };
                slept = true;
                let result = result_of(wait.block(begun));
                patience.slept();
                if let Some(result) = result {
                    return result;
                }
            }
        }
    }
}

/// What the call comes to after a wait; None: it tries again.
fn result_of(outcome: Outcome) -> Option<Result<usize>> {
    Some(match outcome {
        Outcome::Received(result) => result,
        Outcome::Again | Outcome::Sent | Outcome::TimedOut => return None,
        Outcome::TooBig => Err(Errno::E2BIG),
        Outcome::Removed => Err(Errno::EIDRM),
        // Never restarted, whatever SA_RESTART says: signal(7).
        Outcome::Interrupted(_) => Err(Errno::EINTR),
        Outcome::Corrupt => Err(Errno::EINVAL),
    })
}

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
        if is_calm(&lock, &queue) && send_calmly(&queue, &letter, begun.pid) == Ok(true) && lock.is_sound() {
            drop(lock);
            begun.end();
            return Ok(());
        }
        lock.hand_on();
        return send_in_turn(wanted, Some(begun), letter, flags);
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
        Err(NoRoom::Corrupt) => return Err(crate::region::Corrupt),
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
        return receive_in_turn(wanted, Some(begun), (how, tray), flags);
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
    receive_calmly(&queue, how, tray, begun.pid).ok()?.filter(|_| lock.is_sound())
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
