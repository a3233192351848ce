//! POSIX message queues: mq_overview(7).

pub use super::notify::notify;

use super::descriptor::{self, Wanted};
use super::{name, notify as notification, poll};
use crate::cred::{self, Cred};
use crate::entry::Begun;
use crate::errno::{Errno, Result};
use crate::likely::unlikely;
use crate::limits::{self, Limit};
use crate::namespace::{self, lifeline, Namespace};
use crate::perm::{self, Perm};
use crate::process;
use crate::queue::guard::Locked;
use crate::queue::index::Match;
use crate::queue::layout::*;
use crate::queue::ops::{Doer, Put};
use crate::queue::wait::{self, Caller, Outcome, Request, Sink};
use crate::queue::{Checked, Queue};
use crate::region::header::ObjectKind;
use crate::region::object::{Geometry, Mapping, Ref};
use crate::region::NIL;
use crate::sync::guard::Brief;
use crate::sync::section::Section;
use crate::sys::{cancel, clock, clock::Deadline, file};
use crate::user::{In, Out};
use core::ffi::{c_char, c_int, c_long, c_uint};
use libc::{mode_t, mq_attr, mqd_t, timespec};

/// MQ_PRIO_MAX.
const PRIORITIES: c_uint = SMALL_KEYS as c_uint;
/// A queue made without attributes (mq_overview(7): mq_default...).
const DEFAULT_MESSAGES: u32 = 10;
const DEFAULT_BYTES: u32 = 8192;

/// Opens or makes the queue `name`; `mode` and `attr` count only with O_CREAT.
/// EACCES, EEXIST, EFAULT, EINVAL, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOSPC. mq_open(3)
pub fn open(name: In<c_char>, oflag: c_int, mode: mode_t, attr: In<mq_attr>) -> Result<c_int> {
    name::check_slash(name)?;
    let create = oflag & libc::O_CREAT != 0;
    // The kernel copies the attributes before it looks at the rest of the name.
    let attr = if create && !attr.is_null() { Some(attr.read()?) } else { None };
    let path = name::path("mq", name)?;
    let ns = namespace::current()?;
    let _section = Section::enter()?;
    lifeline::my_token(ns)?;
    let mut opened = Err(Errno::EAGAIN);
    // A queue may be unlinked and made again between any two steps.
    for _ in 0..1000 {
        opened = match open_existing(ns, path.as_cstr(), oflag) {
            Err(Errno::ENOENT) if create => make(ns, path.as_cstr(), oflag, mode, attr.as_ref()),
            other => other,
        };
        if !create || opened != Err(Errno::EEXIST) || oflag & libc::O_EXCL != 0 {
            break;
        }
    }
    let fd = opened?;
    if oflag & libc::O_PATH != 0 {
        make_blind(ns, path.as_cstr(), fd)?;
    }
    Ok(fd)
}

/// O_PATH (open(2)): a descriptor that refers to the queue but serves no operation.
fn make_blind(ns: &Namespace, path: &core::ffi::CStr, fd: c_int) -> Result<()> {
    let blind = file::open_at(ns.dir()?, path, libc::O_PATH | libc::O_NOFOLLOW, 0)?;
    file::replace(blind.raw(), fd, true)
}

fn open_flags(oflag: c_int) -> c_int {
    libc::O_RDWR
        | libc::O_NOFOLLOW
        | libc::O_NOCTTY
        | descriptor::marks(oflag & libc::O_ACCMODE)
        | (oflag & libc::O_NONBLOCK)
}

fn open_existing(ns: &Namespace, path: &core::ffi::CStr, oflag: c_int) -> Result<c_int> {
    let dir = ns.dir()?;
    let exclusive = libc::O_CREAT | libc::O_EXCL;
    if oflag & exclusive == exclusive || oflag & libc::O_ACCMODE == 3 {
        file::stat_at(dir, path)?;
        return Err(if oflag & exclusive == exclusive { Errno::EEXIST } else { Errno::EINVAL });
    }
    let fd = match file::open_at(dir, path, open_flags(oflag), 0) {
        Ok(fd) => fd,
        Err(Errno::ELOOP | Errno::ENXIO | Errno::EISDIR | Errno::ENODEV) => return Err(Errno::EINVAL),
        Err(e) => return Err(e),
    };
    let st = file::stat(fd.raw())?;
    let (mapping, geometry) = descriptor::map_queue(fd.raw(), &st)?;
    check_access(&mapping.header().perm(), &cred::current()?, oflag)?;
    install(fd, oflag, mapping, geometry)
}

/// The check that the kernel makes of a file of that mode (Linux: inode_permission).
fn check_access(perm: &Perm, cred: &Cred, oflag: c_int) -> Result<()> {
    let wanted = match oflag & libc::O_ACCMODE {
        libc::O_RDONLY => perm::READ,
        libc::O_WRONLY => perm::WRITE,
        _ => perm::READ | perm::WRITE,
    };
    let shift = if cred.euid == perm.uid {
        6
    } else if cred.in_group(perm.gid) {
        3
    } else {
        0
    };
    if wanted & !(perm.mode >> shift) != 0 && !cred.capable(cred::CAP_DAC_OVERRIDE) {
        return Err(Errno::EACCES);
    }
    Ok(())
}

fn install(fd: file::Fd, oflag: c_int, mapping: Mapping, geometry: Geometry) -> Result<c_int> {
    if oflag & libc::O_PATH != 0 {
        return Ok(fd.into_raw());
    }
    if oflag & libc::O_DIRECT != 0 {
        // A queue's file has no direct I/O; Linux, too, says so after making the queue.
        return Err(Errno::EINVAL);
    }
    descriptor::enter(fd.raw(), oflag & libc::O_ACCMODE, mapping, geometry)?;
    Ok(fd.into_raw())
}

/// The numbers of messages and bytes that the attributes ask for. EINVAL.
fn measures(ns: &Namespace, attr: Option<&mq_attr>) -> Result<(u32, u32)> {
    let (most, largest) = (limits::get(ns, Limit::MqMsgMax), limits::get(ns, Limit::MqMsgSizeMax));
    let Some(attr) = attr else {
        return Ok((DEFAULT_MESSAGES.min(most as u32), DEFAULT_BYTES.min(largest as u32)));
    };
    let messages = u64::try_from(attr.mq_maxmsg).ok().filter(|n| (1..=most).contains(n));
    let bytes = u64::try_from(attr.mq_msgsize).ok().filter(|n| (1..=largest).contains(n));
    match (messages, bytes) {
        (Some(messages), Some(bytes)) => Ok((messages as u32, bytes as u32)),
        _ => Err(Errno::EINVAL),
    }
}

/// Makes the queue whole, without a name, and then gives it its name. EEXIST: somebody was quicker.
fn make(
    ns: &Namespace,
    path: &core::ffi::CStr,
    oflag: c_int,
    mode: mode_t,
    attr: Option<&mq_attr>,
) -> Result<c_int> {
    let (messages, bytes) = measures(ns, attr)?;
    let dir = ns.dir()?;
    let fd =
        file::open_at(dir, c"mq", libc::O_TMPFILE | open_flags(oflag) & !libc::O_NOFOLLOW, mode & 0o777)?;
    let cred = cred::current()?;
    // The kernel has taken the umask off the mode.
    let st = file::stat(fd.raw())?;
    let perm = Perm { uid: cred.euid, gid: st.gid, cuid: cred.euid, cgid: st.gid, mode: st.mode & 0o777 };
    let geometry = descriptor::geometry(messages, bytes);
    let no_room = |_| Errno::ENOSPC;
    file::set_len(fd.raw(), descriptor::file_len(&geometry)).map_err(no_room)?;
    let reserved = geometry.cells_at + messages as u64 * geometry.cell_bytes;
    file::reserve(fd.raw(), 0, reserved).map_err(no_room)?;
    if perm::file_mode(perm.mode) != perm.mode {
        file::set_mode(fd.raw(), perm::file_mode(perm.mode))?;
    }
    let mapping = Mapping::new(fd.raw(), descriptor::file_len(&geometry) as usize, st.file)?;
    mapping.header().initialise(ObjectKind::Mq, 0, &perm, clock::now_s());
    // SAFETY: the mapping is as long as the measures say.
    unsafe { Queue::raw(mapping.base, &geometry, false) }.initialise_cells(messages, bytes);
    file::link_unnamed(fd.raw(), dir, path)?;
    install(fd, oflag, mapping, geometry)
}

impl Queue<'_> {
    /// Fills a new, all-zero POSIX queue.
    fn initialise_cells(&self, messages: u32, bytes: u32) {
        let head = self.head();
        head.max_messages.set(messages);
        head.message_bytes.set(bytes);
        head.backed.set(messages);
        self.clear_lists();
        // A new queue has nothing that could contradict itself.
        let _ = self.clear_index();
        head.free.set(NIL);
        for n in (0..messages).rev() {
            let _ = self.cell_free(n);
        }
    }
}

/// Closes a descriptor, as close(2) does: the caller closes it. mq_close(3)
pub fn close(fd: mqd_t) -> Result<()> {
    if !crate::fd::before_close(fd) {
        return Err(Errno::EBADF);
    }
    // SAFETY: the program closes its own descriptor.
    unsafe { crate::sys::raw::syscall6(libc::SYS_close, [fd as usize, 0, 0, 0, 0, 0]) }.map(|_| ())
}

/// Removes a name; the queue lives on while it is open somewhere.
/// EACCES, EFAULT, EINVAL, ENAMETOOLONG, ENOENT. mq_unlink(3)
pub fn unlink(name: In<c_char>) -> Result<()> {
    let ns = namespace::current()?;
    unlink_in(ns, name)
}

/// As [`unlink`], in a given namespace.
pub fn unlink_in(ns: &Namespace, name: In<c_char>) -> Result<()> {
    let path = name::path("mq", name)?;
    let _section = Section::enter()?;
    file::unlink_at(ns.dir()?, path.as_cstr(), 0).map_err(|e| match e {
        // POSIX names only EACCES; glibc does the same.
        Errno::EPERM | Errno::EISDIR => Errno::EACCES,
        e => e,
    })
}

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
    lock.is_sound()
        && head.receivers.head.get() == NIL
        && head.senders.head.get() == NIL
        && head.assigned.get() == 0
        && head.polled.get() == 0
        && head.notify.token.get() == 0
}

/// What a call asks of the queue's measures.
type Check<'a> = &'a (dyn Fn(&Geometry) -> Result<()> + 'a);

/// Runs `step` under the lock until it is done, sleeping where it says so. Who has `begun` has the lock.
#[inline(never)]
fn operate(
    wanted: Wanted<'_, dyn Fn(&Geometry) -> Result<()> + '_>,
    mut begun: Option<Begun>,
    step: &mut dyn FnMut(&mut Locked<'_>, &mut Caller<'_>) -> Checked<Step>,
) -> Result<usize> {
    loop {
        let begun = match begun.take() {
            Some(begun) => begun,
            None => {
                let begun = Begun::anew(wanted)?;
                Brief::hold(&begun).hand_on();
                begun
            }
        };
        let Begun { ns, me, section, object, .. } = begun;
        let mut wait = None;
        let outcome = {
            let mut locked = Locked::taken(&object, ns);
            locked.ready().map_err(|_| Errno::EBADMSG)?;
            let before = locked.shared.head().count.get();
            let mut caller = Caller { object: &object, me, wait: &mut wait };
            let outcome = locked.attempt(&mut |locked| step(locked, &mut caller));
            poll::keep_in_step(ns, &object, &locked.shared, Some(before));
            outcome.map_err(|_| Errno::EBADMSG)?
        };
        match outcome {
            Step::Done(n) => return Ok(n),
            Step::Fail(e) => return Err(e),
            Step::Sleep => {
                let Some(wait) = &mut wait else { return Err(Errno::EBADMSG) };
                wait.begin();
                drop(object);
                drop(section);
                if let Some(result) = sleep(wait) {
                    return result;
                }
            }
        }
    }
}

/// What the call comes to after a wait; None: it begins again.
fn sleep(wait: &mut wait::Wait) -> Option<Result<usize>> {
    Some(match wait.block() {
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
fn may_wait(object: &Ref, deadline: Option<&Deadline>) -> Result<()> {
    if descriptor::is_nonblocking(object) {
        return Err(Errno::EAGAIN);
    }
    if deadline.is_some_and(Deadline::passed) {
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
        let to = queue.text(n, self.len)?;
        // SAFETY: text() has checked the place.
        Ok(unsafe { self.text.copy_to(to, self.len) })
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
        if is_calm(&lock, queue.head()) && send_calmly(&queue, &letter) == Ok(true) && lock.is_sound() {
            return Ok(());
        }
        lock.hand_on();
        return send_in_turn(fd, Some(begun), letter, timeout);
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
    let n = head.free.get();
    let node = queue.node(n)?;
    if unlikely(letter.fill(queue, n, node)?.is_err()) {
        return Ok(false);
    }
    head.free.set(node.next.get());
    head.send_time.set(clock::now_s() as u64);
    queue.enqueue(n, node, letter.key(), letter.len)?;
    Ok(true)
}

/// Whatever the queue is like. Who has `begun` has the lock.
#[cold]
#[inline(never)]
fn send_in_turn(fd: mqd_t, begun: Option<Begun>, letter: Letter, timeout: In<timespec>) -> Result<()> {
    let deadline = deadline(timeout);
    let check: Check<'_> = &|g| letter.check(g);
    let wanted = Wanted { fd, right: libc::O_WRONLY, check };
    operate(wanted, begun, &mut |locked, caller| {
        let queue = &locked.shared;
        let full = queue.head().count.get() >= queue.max_messages();
        let mut n = if full { NIL } else { queue.cell_alloc()? };
        let waits = n == NIL;
        if waits {
            if let Err(e) = deadline.and_then(|deadline| may_wait(caller.object, deadline.as_ref())) {
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
        let queue = Queue::of_kind(&begun.object, ObjectKind::Mq);
        let lock = Brief::hold(&begun);
        if is_calm(&lock, queue.head()) {
            if let Ok(Some(len)) = receive_calmly(&queue, tray.sink(), begun.pid) {
                if lock.is_sound() {
                    return Ok(len);
                }
            }
        }
        lock.hand_on();
        return receive_in_turn(fd, Some(begun), tray, timeout);
    }
    receive_in_turn(fd, None, tray, timeout)
}

/// Takes a message if there is one; its length. None: nothing has been done.
#[inline(always)]
fn receive_calmly(queue: &Queue<'_>, sink: Sink, pid: u32) -> Checked<Option<usize>> {
    let n = queue.find(ANY)?;
    if unlikely(n == NIL) {
        return Ok(None);
    }
    let node = queue.node(n)?;
    let Ok(len) = sink.hand_out(queue, n, node)? else { return Ok(None) };
    queue.dequeue(n, node, Doer { pid, now_s: clock::now_s() })?;
    Ok(Some(len))
}

/// Whatever the queue is like. Who has `begun` has the lock.
#[cold]
#[inline(never)]
fn receive_in_turn(fd: mqd_t, begun: Option<Begun>, tray: Tray, timeout: In<timespec>) -> Result<usize> {
    let (deadline, sink) = (deadline(timeout), tray.sink());
    let check: Check<'_> = &|g| tray.check(g);
    let wanted = Wanted { fd, right: libc::O_RDONLY, check };
    operate(wanted, begun, &mut |locked, caller| {
        let n = locked.first(ANY)?;
        if n == NIL {
            if let Err(e) = deadline.and_then(|deadline| may_wait(caller.object, deadline.as_ref())) {
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

/// Gets the attributes and sets O_NONBLOCK; either pointer may be null.
/// EBADF, EFAULT, EINVAL. mq_getattr(3), mq_setattr(3)
pub fn attributes(fd: mqd_t, new: In<mq_attr>, old: Out<mq_attr>) -> Result<()> {
    let wanted = if new.is_null() { None } else { Some(new.read()?.mq_flags) };
    if wanted.is_some_and(|flags| flags & !(libc::O_NONBLOCK as c_long) != 0) {
        return Err(Errno::EINVAL);
    }
    let ns = namespace::current()?;
    let section = Section::enter()?;
    let me = lifeline::my_token(ns)?;
    let object = descriptor::find(fd)?;
    let flags = descriptor::flags(&object)?;
    // SAFETY: all-zero is a valid structure.
    let mut attr: mq_attr = unsafe { core::mem::zeroed() };
    attr.mq_flags = flags as c_long;
    attr.mq_maxmsg = object.geometry().max_messages as c_long;
    attr.mq_msgsize = object.geometry().message_bytes as c_long;
    {
        let mut locked = Locked::acquire(&object, ns, me).map_err(|_| Errno::EBADMSG)?;
        if locked.shared.head().assigned.get() != 0 {
            locked.sweep().map_err(|_| Errno::EBADMSG)?;
        }
        attr.mq_curmsgs = locked.shared.head().count.get() as c_long;
    }
    if let Some(wanted) = wanted {
        descriptor::set_flags(&object, wanted as c_int)?;
    }
    drop(object);
    drop(section);
    if !old.is_null() {
        old.write(attr)?;
    }
    Ok(())
}
