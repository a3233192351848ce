//! Queues that can be polled.
//!
//! select, poll and epoll ask the kernel, so something of the kernel's must say how a queue stands:
//! a FIFO with room for two pages. None in it: the queue is empty (writable); one: neither empty
//! nor full (both); two: full (readable). It is the same FIFO for every process. The first time that
//! a process polls a queue descriptor, the FIFO takes its place (dup3). Every process keeps it in step,
//! but only while somebody is in a poll or select of the queue, or once it was given to an epoll, which tells
//! nobody when it is waited for. When nobody has it open any more, it goes.

use super::descriptor;
use crate::errno::{Errno, Result};
use crate::likely::unlikely;
use crate::namespace::{self, lifeline, Namespace};
use crate::queue::guard::Locked;
use crate::queue::Queue;
use crate::region::object::Ref;
use crate::sync::section::Section;
use crate::sys::{file, raw::syscall};
use crate::text::Text;
use core::sync::atomic::Ordering::*;

const PAGE: usize = 4096;
const FIFO_BYTES: usize = 2 * PAGE;
/// Permission bits of a FIFO: whoever has the queue open knows its name, and nobody else.
pub const FIFO_MODE: u32 = 0o666;

/// How full a queue is, as far as a poller can tell: the pages in its FIFO.
fn level(count: u64, max_messages: u32) -> usize {
    match count {
        0 => 0,
        n if n < max_messages as u64 => 1,
        _ => 2,
    }
}

/// `poll/<name>` is the FIFO, `poll/<name>.q` the queue: so that a descriptor of the FIFO alone,
/// kept over an exec, leads to it.
fn paths(name: u64) -> (Text<32>, Text<32>) {
    let mut fifo = Text::new();
    fifo.push(b"poll/").push_u64(name);
    let mut link = fifo;
    link.push(b".q");
    (fifo, link)
}

/// The name of a FIFO, by its path (which says so where the FIFO has been unlinked).
pub fn name_of_fifo(path: &[u8]) -> Option<u64> {
    let path = path.strip_suffix(b" (deleted)").unwrap_or(path);
    path.rsplit(|b| *b == b'/').next().and_then(crate::text::parse_u64)
}

/// The queue's file that belongs to a FIFO.
pub fn queue_of_fifo(ns: &Namespace, name: u64) -> Result<file::Fd> {
    file::open_at(ns.dir()?, paths(name).1.as_cstr(), libc::O_RDWR | libc::O_NOFOLLOW | libc::O_NONBLOCK, 0)
}

/// In [`crate::queue::layout::QueueHeader::polled`]: an epoll watches the queue. The rest counts polls and selects. One that ends
/// by a signal (SIGKILL, a handler's jump) stays counted: then, too, the FIFO is kept in step for as long as somebody has it open.
const FOR_GOOD: u32 = 1 << 31;

/// Brings the FIFO in step after an operation that found so many messages (or None: nobody knows). The lock is held.
#[inline(always)]
pub fn keep_in_step(ns: &Namespace, object: &Ref, queue: &Queue<'_>, before: Option<u64>) {
    if unlikely(queue.head().polled.get() != 0) {
        step_after(ns, object, queue, before);
    }
}

#[cold]
#[inline(never)]
fn step_after(ns: &Namespace, object: &Ref, queue: &Queue<'_>, before: Option<u64>) {
    let level = |count| level(count, object.geometry().max_messages);
    let now = level(queue.head().count.get());
    if before.map(level) != Some(now) {
        // Where it fails for want of a descriptor, the next change makes up for it.
        let _ = set_level(ns, object, queue, now, None);
    }
}

/// Puts as many pages into the FIFO, in which there are so many `bytes` if that is known. Err: nobody polls.
#[cold]
#[inline(never)]
fn set_level(
    ns: &Namespace,
    object: &Ref,
    queue: &Queue<'_>,
    level: usize,
    bytes: Option<usize>,
) -> Result<()> {
    if let Some(tap) = descriptor::tap(object) {
        return fill(tap, level, bytes);
    }
    let (fifo, file) = open_to_fill(ns, queue)?;
    // A poller opens it once. Others do not keep it open, or nobody could tell when the last poller has gone.
    descriptor::keep_tap(object, fifo.raw(), file);
    fill(fifo.raw(), level, bytes)
}

/// The FIFO, for keeping it in step, and which file it is. ENXIO: nobody has it open any more, and it is gone.
fn open_to_fill(ns: &Namespace, queue: &Queue<'_>) -> Result<(file::Fd, (u64, u64))> {
    let dir = ns.dir()?;
    let (path, link) = paths(queue.head().poll_name.get());
    let flags = libc::O_NONBLOCK | libc::O_NOFOLLOW;
    match file::open_at(dir, path.as_cstr(), libc::O_WRONLY | flags, 0) {
        Err(Errno::ENXIO | Errno::ENOENT) => {
            // No reader. Pollers come under the lock.
            queue.head().polled.set(0);
            let _ = file::unlink_at(dir, path.as_cstr(), 0);
            let _ = file::unlink_at(dir, link.as_cstr(), 0);
            queue.head().poll_name.set(0);
            return Err(Errno::ENXIO);
        }
        opened => drop(opened?),
    }
    // For both, lest a poller that goes just now leave us to a SIGPIPE.
    let fifo = file::open_at(dir, path.as_cstr(), libc::O_RDWR | flags, 0)?;
    let st = file::stat(fifo.raw())?;
    if !st.is(libc::S_IFIFO) {
        return Err(Errno::ENXIO);
    }
    Ok((fifo, st.file))
}

/// Puts as many pages into a FIFO that does not block.
fn fill(fifo: i32, level: usize, bytes: Option<usize>) -> Result<()> {
    let mut page = [0u8; PAGE];
    let bytes = bytes.map_or_else(|| file::bytes_waiting(fifo), Ok)?;
    let mut pages = bytes.div_ceil(PAGE);
    // A part of a page is none of ours: all goes.
    let keep = if bytes % PAGE == 0 { level } else { 0 };
    while pages > keep && file::read(fifo, &mut page).is_ok_and(|n| n > 0) {
        pages -= 1;
    }
    while pages < level {
        file::write(fifo, &page)?;
        pages += 1;
    }
    Ok(())
}

/// A descriptor of a queue that has a FIFO is closed: if nobody else has the FIFO open, it goes.
pub fn left(ns: &'static Namespace, object: &Ref) {
    if Queue::of(object).head().poll_name.get() == 0 {
        return;
    }
    let Ok(me) = lifeline::my_token(ns) else { return };
    if let Ok(locked) = Locked::acquire(object, ns, me) {
        let _ = open_to_fill(ns, &locked.shared);
    }
}

/// A descriptor of a queue in a poll or select, and the queue's file.
#[derive(Clone, Copy)]
pub struct Polled {
    fd: i32,
    file: (u64, u64),
}

/// A poll or select with this descriptor begins. None: it is no queue's.
pub fn begin(fd: i32) -> Result<Option<Polled>> {
    watch(fd, |polled| polled.saturating_add(1))
}

/// It has ended. Where the descriptor was closed meanwhile, nobody knows for which queue: it stays counted.
pub fn end(polled: Polled) -> Result<()> {
    let ns = namespace::current()?;
    let _section = Section::enter()?;
    let Some(object) = descriptor::known(polled.fd).filter(|o| o.file() == polled.file) else {
        return Ok(());
    };
    let locked = Locked::acquire(&object, ns, lifeline::my_token(ns)?)?;
    let head = locked.shared.head();
    if head.polled.get() & !FOR_GOOD != 0 {
        head.polled.set(head.polled.get() - 1);
    }
    if head.polled.get() == 0 && head.count.get() == 0 {
        // As the queue's own file: a program that reads it, or polls behind the library's back, is not to wait for ever.
        set_level(ns, &object, &locked.shared, 1, Some(0))?;
    }
    Ok(())
}

/// A descriptor is to be watched by an epoll.
pub fn begin_for_good(fd: i32) -> Result<()> {
    watch(fd, |polled| polled | FOR_GOOD).map(|_| ())
}

/// Has the kernel see how the queue of a descriptor stands from now on; `more` is what becomes of the number of those who watch.
fn watch(fd: i32, more: fn(u32) -> u32) -> Result<Option<Polled>> {
    let ns = namespace::current()?;
    let _section = Section::enter()?;
    let Some(object) = descriptor::find_if_any(fd) else { return Ok(None) };
    let me = lifeline::my_token(ns)?;
    let locked = Locked::acquire(&object, ns, me)?;
    let head = locked.shared.head();
    // Another thread may have been quicker: its descriptor is registered with its epoll already.
    let new =
        if object.fifo.load(Relaxed) == 0 { Some(open_fifo(ns, &object, &locked.shared)?) } else { None };
    let now = level(head.count.get(), object.geometry().max_messages);
    let bytes = file::bytes_waiting(new.as_ref().map_or(fd, file::Fd::raw)).ok();
    if bytes != Some(now * PAGE) {
        set_level(ns, &object, &locked.shared, now, bytes)?;
    }
    if let Some(fifo) = new {
        let inode = file::stat(fifo.raw())?.file.1;
        descriptor::stand_in(&object, &fifo, inode)?;
    }
    head.polled.set(more(head.polled.get()));
    Ok(Some(Polled { fd, file: object.file() }))
}

fn open_fifo(ns: &Namespace, object: &Ref, queue: &Queue<'_>) -> Result<file::Fd> {
    let dir = ns.dir()?;
    let head = queue.head();
    if head.poll_name.get() != 0 {
        // Lest those who were killed in a poll count for ever.
        let _ = open_to_fill(ns, queue);
    }
    if head.poll_name.get() == 0 {
        head.poll_name.set(random()? | 1);
    }
    let (path, link) = paths(head.poll_name.get());
    let access = descriptor::marks(object.access.load(Relaxed) as i32);
    let flags = libc::O_RDWR | libc::O_NONBLOCK | libc::O_NOFOLLOW | access;
    let fifo = match file::open_at(dir, path.as_cstr(), flags, 0) {
        Err(Errno::ENOENT) => {
            sweep(dir);
            file::mkfifo_at(dir, path.as_cstr(), FIFO_MODE)?;
            // Not subject to the umask.
            file::set_mode_at(dir, path.as_cstr(), FIFO_MODE)?;
            // An unlinked queue cannot have a name again; its FIFO then leads nowhere after an exec.
            let _ = file::link_unnamed(object.number.load(Relaxed), dir, link.as_cstr());
            file::open_at(dir, path.as_cstr(), flags, 0)?
        }
        opened => opened?,
    };
    if !file::stat(fifo.raw())?.is(libc::S_IFIFO) {
        return Err(Errno::EINVAL);
    }
    file::control(fifo.raw(), libc::F_SETPIPE_SZ, FIFO_BYTES)?;
    Ok(fifo)
}

/// Removes FIFOs that nobody has open: their pollers were killed, and their queues are not used.
/// Only where the directory may be listed (see [`crate::namespace`]): in a private namespace, or by root.
fn sweep(dir: i32) {
    let Ok(room) = file::open_at(dir, c"poll", libc::O_RDONLY | libc::O_DIRECTORY, 0) else { return };
    let _ = file::each_entry(room.raw(), &mut |name| {
        if let Some(number) = crate::text::parse_u64(name.to_bytes()) {
            let (path, link) = paths(number);
            let flags = libc::O_WRONLY | libc::O_NONBLOCK | libc::O_NOFOLLOW;
            if file::open_at(dir, path.as_cstr(), flags, 0).err() == Some(Errno::ENXIO) {
                let _ = file::unlink_at(dir, path.as_cstr(), 0);
                let _ = file::unlink_at(dir, link.as_cstr(), 0);
            }
        }
        true
    });
}

fn random() -> Result<u64> {
    let mut n = 0u64;
    // SAFETY: the buffer is 8 bytes.
    unsafe { syscall!(libc::SYS_getrandom, &mut n as *mut u64, 8, 0)? };
    Ok(n)
}
