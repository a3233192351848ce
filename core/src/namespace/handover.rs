//! A process's adjustments survive exec: its lifeline is handed from one program image to the next.
//!
//! Before an exec the old image opens its lifeline file without close-on-exec, locks a byte of it and
//! leaves the descriptor at a high number. The new image finds it there, keeps the lock by a mapping,
//! and closes the descriptor; a program without the library simply inherits it. Nothing of this is
//! done by a process without adjustments.

use super::{choose::Path, lifeline, lifeline::Token, Namespace};
use crate::errno::{Errno, Result};
use crate::process;
use crate::signal;
use crate::sys::file::{self, Fd};
use crate::sys::map;
use crate::text::{parse_u64, Text};
use core::num::{NonZeroI32, NonZeroUsize};
use core::sync::atomic::{AtomicBool, Ordering::*};
use once_cell::race::OnceNonZeroUsize;

/// Where the descriptor is left: at one of these numbers, or a few above it.
const PLACES: [i32; 3] = [700, 250, 60];
const PLACE_LEN: i32 = 8;

/// The lifeline that an earlier image of this process has handed on.
struct Inherited {
    /// A fork copies this memory, but the lifeline is not its child's.
    pid: u32,
    token: Token,
    file: (u64, u64),
    path: Path,
}

static INHERITED: OnceNonZeroUsize = OnceNonZeroUsize::new();

fn inherited() -> Option<&'static Inherited> {
    // SAFETY: written once by accept and never removed.
    let inherited = INHERITED.get().map(|p| unsafe { &*(p.get() as *const Inherited) })?;
    (inherited.pid == process::kernel_pid()).then_some(inherited)
}

/// Looks once for a lifeline that was handed on, at the start of the program.
#[inline(always)]
pub fn adopt() {
    // For its place see `process::PAGE`.
    #[link_section = ".data"]
    static LOOKED: AtomicBool = AtomicBool::new(false);
    if LOOKED.swap(true, Relaxed) {
        return;
    }
    for mut fd in PLACES {
        let end = fd + PLACE_LEN;
        while fd < end && is_kept_open(fd) {
            accept(fd);
            fd += 1;
        }
    }
}

/// Whether `fd` is open and was, or will be, so across exec.
fn is_kept_open(fd: i32) -> bool {
    file::control(fd, libc::F_GETFD, 0) == Ok(0)
}

/// Keeps the lifeline behind `fd`, if it is one, by a mapping, and closes the descriptor. Where that
/// fails the descriptor stays: the process's life still hangs on it, and passes through the next exec.
#[cold]
#[inline(never)]
fn accept(fd: i32) -> Option<()> {
    let (record, file) = lifeline::recognise(fd)?;
    let pid = process::kernel_pid();
    if record.pid != pid {
        // Of a parent that ran a program without the library: it must be able to die.
        file::close(fd);
        return None;
    }
    if let Some(other) = inherited() {
        if other.file == file {
            file::close(fd);
        }
        return None;
    }
    // SAFETY: no preconditions.
    if unsafe { libc::getauxval(libc::AT_SECURE) } != 0 {
        // Who started this set-user-id program may have forged it.
        return None;
    }
    let path = path_of(fd)?;
    let n = number_of(path.as_bytes())?;
    keep_inherited(fd, Inherited { pid, token: record.token(n), file, path }).ok()?;
    file::close(fd);
    Some(())
}

fn keep_inherited(fd: i32, inherited: Inherited) -> Result<()> {
    let memory = map::anonymous(size_of::<Inherited>())?.cast::<Inherited>();
    let place = NonZeroUsize::new(memory as usize).ok_or(Errno::ENOMEM)?;
    lifeline::not_for_children(lifeline::hold(fd)?)?;
    // SAFETY: a fresh mapping, page-aligned and large enough.
    unsafe { memory.write(inherited) };
    let _ = INHERITED.set(place);
    Ok(())
}

/// The path by which `fd` can be opened again.
fn path_of(fd: i32) -> Option<Path> {
    let mut link = Text::<32>::new();
    link.push(b"/proc/self/fd/").push_u64(fd as u64);
    let mut text = [0u8; 512];
    let len = file::read_link_at(libc::AT_FDCWD, link.as_cstr(), &mut text).ok()?;
    let mut path = Path::new();
    path.push(&text[..len]);
    (!path.is_full()).then_some(path)
}

/// The slot that `<namespace>/procs/<n>` names.
fn number_of(path: &[u8]) -> Option<u32> {
    let at = path.iter().rposition(|b| *b == b'/')?;
    parse_u64(&path[at + 1..]).and_then(|n| u32::try_from(n).ok())
}

/// The token that this process had in an earlier image, if that was in this namespace.
pub(super) fn inherited_token(ns: &Namespace) -> Option<Token> {
    adopt();
    let inherited = inherited()?;
    let path = lifeline::slot_path(lifeline::slot_of(inherited.token)?);
    let found = file::stat_at(ns.dir().ok()?, path.as_cstr()).ok()?;
    (found.file == inherited.file).then_some(inherited.token)
}

/// What this process passes through an exec: the descriptors of its lifelines, and the signals that it
/// ignores. When exec fails and returns, dropping this takes it back; `errno` stays.
pub struct Kept {
    fds: [Option<NonZeroI32>; 2],
    _ignored: signal::Ignored,
}

impl Drop for Kept {
    #[inline(never)]
    fn drop(&mut self) {
        self.fds.into_iter().flatten().for_each(|fd| file::close(fd.get()));
    }
}

/// To be called before an exec.
#[inline(never)]
pub fn before_exec() -> Kept {
    let fds = [pass_inherited(), pass_own()].map(|fd| NonZeroI32::new(fd?.into_raw()));
    Kept { fds, _ignored: signal::ignore_through_exec() }
}

fn pass_inherited() -> Option<Fd> {
    let inherited = inherited()?;
    pass(libc::AT_FDCWD, inherited.path.as_cstr(), inherited.token)
}

fn pass_own() -> Option<Fd> {
    let page = process::page_if_any()?;
    let token = page.undo_token.load(Acquire);
    // Another token would be the inherited one.
    if page.adjusts.load(Relaxed) == 0 || token != page.token.load(Acquire) {
        return None;
    }
    // A vfork(2) child has nothing of its own to hand on.
    if page.pid.load(Relaxed) != process::kernel_pid() {
        return None;
    }
    let path = lifeline::slot_path(lifeline::slot_of(token)?);
    pass(super::in_use()?.dir().ok()?, path.as_cstr(), token)
}

/// Opens the lifeline of `token` once more, locks a byte of it that no image holds, and leaves the
/// descriptor open for the next program.
#[cold]
#[inline(never)]
fn pass(dir: i32, path: &core::ffi::CStr, token: Token) -> Option<Fd> {
    let fd = file::open_at(dir, path, libc::O_RDWR | libc::O_NOFOLLOW | libc::O_NONBLOCK, 0).ok()?;
    let (record, _) = lifeline::recognise(fd.raw())?;
    if record.token(lifeline::slot_of(token)?) != token {
        return None;
    }
    lifeline::EXEC.clone().find(|byte| file::lock(fd.raw(), *byte..byte + 1).is_ok())?;
    PLACES.iter().find_map(|place| {
        let high = Fd::from_raw(file::control(fd.raw(), libc::F_DUPFD, *place as usize).ok()?);
        // Where the next program will look: it stops at the first number that is not open.
        let found = high.raw() < place + PLACE_LEN && (*place..high.raw()).all(is_kept_open);
        found.then_some(high)
    })
}
