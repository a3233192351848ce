//! Who is alive.
//!
//! A process owns a file `procs/<n>`, holds an open-file-description lock on it through a mapping
//! alone (the descriptor is closed), and so is alive exactly as long as its memory is: the kernel
//! drops the mapping, and with it the lock, at exit, exec and SIGKILL. A zombie counts as dead, no
//! pid is involved, and it works across pid and user namespaces. The file holds a generation, so
//! that a slot's next owner is not taken for the last.
//!
//! A token is `generation << 32 | n + 1`; 0 is nobody.

use super::Namespace;
use crate::errno::{Errno, Result};
use crate::process::{self, ProcessPage};
use crate::sys::{file, map};
use crate::text::Text;
use core::sync::atomic::Ordering::*;

/// No process has a slot beyond this: such a number in shared memory is garbage.
const SLOTS: u32 = 1 << 22;

/// A process's name in its namespace.
pub type Token = u64;

/// What a lifeline file holds.
#[repr(C)]
#[derive(Clone, Copy)]
struct Record {
    generation: u32,
    pid: u32,
}

const RECORD_BYTES: usize = size_of::<Record>();

fn slot_path(n: u32) -> Text<32> {
    let mut path = Text::new();
    path.push(b"procs/").push_u64(n as u64);
    path
}

fn read_record(fd: i32) -> Result<Record> {
    let mut bytes = [0u8; RECORD_BYTES];
    file::read_at(fd, &mut bytes, 0)?;
    let half = |i: usize| u32::from_ne_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
    Ok(Record { generation: half(0), pid: half(4) })
}

/// Tries to take slot `n`. None: somebody alive, or of another user, has it.
fn try_slot(dir: i32, n: u32, pid: u32) -> Result<Option<Token>> {
    let path = slot_path(n);
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let fd = match file::open_at(dir, path.as_cstr(), flags, 0o644) {
        Ok(fd) => fd,
        Err(Errno::EACCES | Errno::EPERM | Errno::EISDIR | Errno::ELOOP) => return Ok(None),
        Err(e) => return Err(e),
    };
    let st = file::stat(fd.raw())?;
    // Not a link to some other file of ours, which somebody put here.
    if !st.is(libc::S_IFREG) || st.links != 1 || st.size > RECORD_BYTES as u64 {
        return Ok(None);
    }
    if st.mode & 0o444 != 0o444 {
        // The program's umask: others must be able to look.
        file::set_mode(fd.raw(), 0o644)?;
    }
    file::check_file_limit(RECORD_BYTES as u64).map_err(|_| Errno::ENOSPC)?;
    match file::lock(fd.raw()) {
        Ok(()) => {}
        Err(Errno::EAGAIN | Errno::EACCES) => return Ok(None),
        Err(e) => return Err(e),
    }
    let generation = read_record(fd.raw())?.generation.wrapping_add(1);
    let mut bytes = [0u8; RECORD_BYTES];
    bytes[..4].copy_from_slice(&generation.to_ne_bytes());
    bytes[4..].copy_from_slice(&pid.to_ne_bytes());
    if file::write_at(fd.raw(), &bytes, 0)? != RECORD_BYTES {
        return Err(Errno::ENOSPC);
    }
    // The mapping keeps the open file description, and so the lock, when the descriptor closes.
    let p = map::shared(fd.raw(), 4096, libc::PROT_NONE)?;
    // A child must not keep its dead parent alive.
    map::advise(p, 4096, libc::MADV_DONTFORK)?;
    Ok(Some((generation as u64) << 32 | (n as u64 + 1)))
}

/// A free slot, searched for at places that depend on the pid, in ranges that double: few files
/// for few processes, few tries for many.
fn take_slot(dir: i32, pid: u32) -> Result<Token> {
    let mut range = 16;
    let mut place = pid;
    while range <= SLOTS {
        for _ in 0..8 {
            place = place.wrapping_mul(0x9e37_79b1).wrapping_add(pid);
            if let Some(token) = try_slot(dir, (place >> 8) % range, pid)? {
                return Ok(token);
            }
        }
        range *= 2;
    }
    Err(Errno::EAGAIN)
}

#[cold]
fn register(ns: &Namespace, page: &ProcessPage) -> Result<Token> {
    let mine = take_slot(ns.dir()?, process::pid()?)?;
    // Another thread may have been quicker: then this slot stays locked but unused until we end.
    match page.token.compare_exchange(0, mine, AcqRel, Acquire) {
        Ok(_) => Ok(mine),
        Err(other) => Ok(other),
    }
}

/// This process's token; registers it at the first call. Errors: those of open(2), ENOSPC, ENOMEM.
#[inline]
pub fn my_token(ns: &Namespace) -> Result<Token> {
    let page = process::page()?;
    match page.token.load(Acquire) {
        0 => register(ns, page),
        token => Ok(token),
    }
}

/// Whether the process that bears `token` is alive. In doubt (no descriptors left to look with) it is.
pub fn is_alive(ns: &Namespace, token: Token) -> bool {
    let n = (token as u32).wrapping_sub(1);
    if n >= SLOTS {
        return false;
    }
    if process::page().is_ok_and(|page| page.token.load(Relaxed) == token) {
        return true;
    }
    let Ok(dir) = ns.dir() else { return true };
    match probe(dir, n) {
        Ok(Some(record)) => record.generation == (token >> 32) as u32,
        Ok(None) | Err(Errno::ENOENT) => false,
        Err(_) => true,
    }
}

/// The record of slot `n`'s live owner; None when nobody has it.
fn probe(dir: i32, n: u32) -> Result<Option<Record>> {
    let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let fd = file::open_at(dir, slot_path(n).as_cstr(), flags, 0)?;
    if !file::is_locked(fd.raw())? {
        return Ok(None);
    }
    read_record(fd.raw()).map(Some)
}

/// Calls `each(pid, alive)` for every process that is or was registered.
pub fn each_process(ns: &Namespace, each: &mut dyn FnMut(i32, bool)) -> Result<()> {
    let dir = ns.dir()?;
    let procs = file::open_at(dir, c"procs", libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    file::each_entry(procs.raw(), &mut |name| {
        if let Some(n) = super::choose::index_of(name).filter(|n| *n < SLOTS as u64) {
            match probe(dir, n as u32) {
                Ok(Some(record)) => each(record.pid as i32, true),
                Ok(None) => each(0, false),
                Err(_) => {}
            }
        }
        true
    })
}

/// TEMPORARY until the merge.
pub fn my_undo_token(ns: &Namespace) -> Result<Token> {
    my_token(ns)
}
/// TEMPORARY until the merge.
pub fn is_process_alive(ns: &Namespace, token: Token) -> bool {
    is_alive(ns, token)
}
