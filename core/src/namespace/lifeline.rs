//! Who is alive.
//!
//! A process owns a file `procs/<n>`, holds an open-file-description lock on it through a mapping
//! alone (the descriptor is closed), and so is alive exactly as long as its memory is: the kernel
//! drops the mapping, and with it the lock, at exit, exec and SIGKILL. A zombie counts as dead, no
//! pid is involved, and it works across pid and user namespaces. The file holds a generation, so
//! that a slot's next owner is not taken for the last.
//!
//! A token is `generation << 32 | n + 1`; 0 is nobody. It stands for a program image, and that of the
//! image in which a process made its first SEM_UNDO adjustment also for the process: [`super::handover`]
//! keeps a second lock on the file across exec.

use super::watch::WATCHED_BYTES;
use super::{handover, Namespace};
use crate::errno::{Errno, Result};
use crate::likely::unlikely;
use crate::process::{self, ProcessPage};
use crate::sys::{file, map};
use crate::sysv::shm;
use crate::text::Text;
use core::ops::Range;
use core::sync::atomic::Ordering::*;

/// No process has a slot beyond this: such a number in shared memory is garbage.
const SLOTS: u32 = 1 << 22;

/// Locked while the image lives that took the slot.
const IMAGE: Range<i64> = 0..1;
/// One of these bytes is locked across an exec and afterwards; the next exec takes the other.
pub(super) const EXEC: Range<i64> = 1..3;
/// Either: the process lives.
const PROCESS: Range<i64> = 0..3;
/// Locked by who takes the slot.
const TAKING: Range<i64> = 3..4;

const MAGIC: u32 = u32::from_ne_bytes(*b"life");

/// A process's name in its namespace.
pub type Token = u64;

/// The slot of a token, which may be garbage.
pub(super) fn slot_of(token: Token) -> Option<u32> {
    Some((token as u32).wrapping_sub(1)).filter(|n| *n < SLOTS)
}

/// What a lifeline file holds.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Record {
    generation: u32,
    /// 0 in a child that is about to be forked.
    pub pid: u32,
    magic: u32,
}

const RECORD_BYTES: usize = size_of::<Record>();
const PID_AT: u64 = core::mem::offset_of!(Record, pid) as u64;
const _: () = assert!(RECORD_BYTES == 12 && PID_AT == 4);

impl Record {
    pub(super) fn token(&self, n: u32) -> Token {
        (self.generation as u64) << 32 | (n as u64 + 1)
    }
}

#[inline(never)]
pub(super) fn slot_path(n: u32) -> Text<32> {
    let mut path = Text::new();
    path.push(b"procs/").push_u64(n as u64);
    path
}

fn read_record(fd: i32) -> Result<Record> {
    let mut bytes = [0u8; RECORD_BYTES];
    file::read_at(fd, &mut bytes, 0)?;
    let word = |i: usize| u32::from_ne_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
    Ok(Record { generation: word(0), pid: word(4), magic: word(8) })
}

fn write_record(fd: i32, record: &Record) -> Result<()> {
    let mut bytes = [0u8; RECORD_BYTES];
    for (to, word) in bytes.chunks_exact_mut(4).zip([record.generation, record.pid, record.magic]) {
        to.copy_from_slice(&word.to_ne_bytes());
    }
    match file::write_at(fd, &bytes, 0)? {
        RECORD_BYTES => Ok(()),
        _ => Err(Errno::ENOSPC),
    }
}

/// The record behind `fd`, an open descriptor of whatever it may be, and which file that is.
pub(super) fn recognise(fd: i32) -> Option<(Record, (u64, u64))> {
    let st = file::stat(fd).ok()?;
    if !st.is(libc::S_IFREG) || st.links != 1 || ![RECORD_BYTES as u64, WATCHED_BYTES].contains(&st.size) {
        return None;
    }
    let record = read_record(fd).ok()?;
    (record.magic == MAGIC).then_some((record, st.file))
}

/// A slot that has been taken, and the mapping that holds it.
pub(super) struct Slot {
    pub token: Token,
    pub life: *mut u8,
}

pub(super) const LIFE_BYTES: usize = 4096;

/// Maps the file, so that the open file description, and with it the lock, stays when `fd` closes.
pub(super) fn hold(fd: i32) -> Result<*mut u8> {
    map::shared(fd, LIFE_BYTES, libc::PROT_NONE)
}

/// A child must not keep its dead parent alive.
pub(super) fn not_for_children(life: *mut u8) -> Result<()> {
    map::advise(life, LIFE_BYTES, libc::MADV_DONTFORK)
}

/// Opens slot `n`'s file for taking it; None: it is another user's, or no lifeline file.
fn open_slot(dir: i32, n: u32) -> Result<Option<file::Fd>> {
    let path = slot_path(n);
    let open = |flags| {
        let flags = flags | libc::O_RDWR | libc::O_NOFOLLOW | libc::O_NONBLOCK;
        file::open_at(dir, path.as_cstr(), flags, 0o644)
    };
    let mut new = false;
    let opened = open(0).or_else(|e| match e {
        Errno::ENOENT => {
            new = true;
            open(libc::O_CREAT | libc::O_EXCL)
        }
        e => Err(e),
    });
    let fd = match opened {
        Ok(fd) => fd,
        Err(Errno::EACCES | Errno::EPERM | Errno::EISDIR | Errno::ELOOP | Errno::EEXIST | Errno::ENXIO) => {
            return Ok(None)
        }
        Err(e) => return Err(e),
    };
    let st = file::stat(fd.raw())?;
    // Not a link to some other file of ours, which somebody put here.
    if !st.is(libc::S_IFREG) || st.links != 1 || st.size > WATCHED_BYTES {
        return Ok(None);
    }
    // Root could take it, but its owner could write another name into it.
    if !new && st.uid != super::effective_uid() {
        return Ok(None);
    }
    if st.mode & 0o444 != 0o444 {
        // The program's umask: others must be able to look.
        file::set_mode(fd.raw(), 0o644)?;
    }
    Ok(Some(fd))
}

/// Whether `bytes` could be locked; false: another has a lock there.
fn locked(fd: &file::Fd, bytes: Range<i64>) -> Result<bool> {
    match file::lock(fd.raw(), bytes) {
        Ok(()) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Tries to take slot `n`. None: somebody alive, or of another user, has it.
fn try_slot(dir: i32, n: u32, pid: u32) -> Result<Option<Slot>> {
    let Some(fd) = open_slot(dir, n)? else { return Ok(None) };
    file::check_file_limit(RECORD_BYTES as u64).map_err(|_| Errno::ENOSPC)?;
    if !locked(&fd, TAKING)? || file::is_locked(fd.raw(), PROCESS)? {
        return Ok(None);
    }
    let generation = read_record(fd.raw())?.generation.wrapping_add(1);
    let record = Record { generation, pid, magic: MAGIC };
    // Before the lock: who sees it held must not read the name of the dead owner.
    write_record(fd.raw(), &record)?;
    if !locked(&fd, IMAGE)? {
        return Ok(None);
    }
    Ok(Some(Slot { token: record.token(n), life: hold(fd.raw())? }))
}

/// A free slot, searched for at places that depend on `seed`, in ranges that double: few files
/// for few processes, few tries for many.
pub(super) fn take_slot(dir: i32, seed: u32, pid: u32) -> Result<Slot> {
    let mut range = 16;
    let mut place = seed;
    while range <= SLOTS {
        for _ in 0..8 {
            place = place.wrapping_mul(0x9e37_79b1).wrapping_add(seed);
            if let Some(slot) = try_slot(dir, (place >> 8) % range, pid)? {
                return Ok(slot);
            }
        }
        range *= 2;
    }
    Err(Errno::EAGAIN)
}

/// The generation of a token.
pub(super) fn generation_of(token: Token) -> u32 {
    (token >> 32) as u32
}

/// The file of a slot of ours.
pub(super) fn open_own(ns: &Namespace, token: Token) -> Result<file::Fd> {
    let path = slot_path(slot_of(token).ok_or(Errno::EINVAL)?);
    file::open_at(ns.dir()?, path.as_cstr(), libc::O_RDWR | libc::O_NOFOLLOW, 0)
}

/// Enters the pid of this process, whose slot was taken before it was born.
pub(super) fn set_pid(ns: &Namespace, token: Token, pid: u32) -> Result<()> {
    let fd = open_own(ns, token)?;
    file::write_at(fd.raw(), &pid.to_ne_bytes(), PID_AT).map(|_| ())
}

#[cold]
#[inline(never)]
fn register(ns: &Namespace, page: &ProcessPage) -> Result<Token> {
    let pid = process::pid()?;
    let mine = take_slot(ns.dir()?, pid, pid)?;
    not_for_children(mine.life)?;
    // Another thread may have been quicker: then this slot stays locked but unused until we end.
    match page.token.compare_exchange(0, mine.token, AcqRel, Acquire) {
        Ok(_) => {
            if shm::ATTACHES.load(Relaxed) != 0 {
                shm::after_unseen_fork(ns, mine.token);
            }
            Ok(mine.token)
        }
        Err(other) => Ok(other),
    }
}

/// The token of this program image; registers it at the first call. Errors: those of open(2), ENOSPC,
/// ENOMEM.
#[inline(always)]
pub fn my_token(ns: &Namespace) -> Result<Token> {
    #[cfg(loom)]
    if let Some(token) = crate::model::token() {
        return Ok(token);
    }
    let page = process::page()?;
    let token = page.token.load(Acquire);
    if unlikely(token == 0) {
        return register(ns, page);
    }
    Ok(token)
}

#[cold]
#[inline(never)]
fn choose_undo_token(ns: &Namespace, page: &ProcessPage) -> Result<Token> {
    let token = match handover::inherited_token(ns) {
        Some(token) => token,
        None => my_token(ns)?,
    };
    page.undo_token.store(token, Release);
    Ok(token)
}

/// The token under which this process keeps SEM_UNDO adjustments: it stays the same over its whole
/// life, in later program images too. Errors: as [`my_token`].
#[inline(always)]
pub fn my_undo_token(ns: &Namespace) -> Result<Token> {
    #[cfg(loom)]
    if let Some(token) = crate::model::token() {
        return Ok(token);
    }
    let page = process::page()?;
    let token = page.undo_token.load(Acquire);
    if unlikely(token == 0) {
        return choose_undo_token(ns, page);
    }
    Ok(token)
}

/// Whether the program image that bears `token` is alive. In doubt (no descriptors left to look with) it is.
pub fn is_alive(ns: &Namespace, token: Token) -> bool {
    process::page().is_ok_and(|page| page.token.load(Relaxed) == token) || holds(ns, token, IMAGE)
}

/// Whether the process that keeps adjustments under `token` is alive, perhaps in a later program
/// image. In doubt it is.
pub fn is_process_alive(ns: &Namespace, token: Token) -> bool {
    process::page().is_ok_and(|page| page.undo_token.load(Relaxed) == token) || holds(ns, token, PROCESS)
}

/// Whether `bytes` of the token's slot are locked, and by its owner.
fn holds(ns: &Namespace, token: Token, bytes: Range<i64>) -> bool {
    #[cfg(loom)]
    if let Some(lives) = crate::model::lives(token) {
        return lives;
    }
    let Some(n) = slot_of(token) else { return false };
    let Ok(dir) = ns.dir() else { return true };
    match probe(dir, n, bytes) {
        Ok(Some(record)) => record.token(n) == token,
        Ok(None) | Err(Errno::ENOENT) => false,
        Err(_) => true,
    }
}

/// The record of slot `n` if one of `bytes` is locked.
fn probe(dir: i32, n: u32, bytes: Range<i64>) -> Result<Option<Record>> {
    let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let fd = file::open_at(dir, slot_path(n).as_cstr(), flags, 0)?;
    if !file::is_locked(fd.raw(), bytes)? {
        return Ok(None);
    }
    read_record(fd.raw()).map(Some)
}

/// Calls `each(pid, alive)` for every process that is or was registered; for one that keeps
/// adjustments from an earlier program image, twice.
pub fn each_process(ns: &Namespace, each: &mut dyn FnMut(i32, bool)) -> Result<()> {
    let dir = ns.dir()?;
    let procs = file::open_at(dir, c"procs", libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    file::each_entry(procs.raw(), &mut |name| {
        if let Some(n) = super::choose::index_of(name).filter(|n| *n < SLOTS as u64) {
            match probe(dir, n as u32, PROCESS) {
                Ok(Some(record)) => each(record.pid as i32, true),
                Ok(None) => each(0, false),
                Err(_) => {}
            }
        }
        true
    })
}

/// The pid of the process that bears or bore `token`; 0 when that is not known any more.
pub fn pid_of(ns: &Namespace, token: Token) -> u32 {
    let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let record = |n| {
        let fd = file::open_at(ns.dir()?, slot_path(n).as_cstr(), flags, 0)?;
        read_record(fd.raw())
    };
    match slot_of(token).map(|n| (n, record(n))) {
        Some((n, Ok(record))) if record.token(n) == token => record.pid,
        _ => 0,
    }
}
