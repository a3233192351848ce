//! The namespace: one directory on a memory file system, which is its own registry.
//!
//! ```text
//! procs/<n>             one lifeline per live process
//! msg|sem|shm/<index>   one file per System V object
//! keys/<kind>-<key>     symbolic link whose text is the identifier
//! mq|psem|pshm/<name>   POSIX objects by name
//! poll/<number>         the FIFO of a POSIX queue that somebody polls, and a link to the queue
//! ```

pub mod birth;
pub mod choose;
pub mod handover;
pub mod ids;
pub mod lifeline;
#[cfg(test)]
pub mod member;
pub mod watch;

pub use choose::{choose, choose_named, Choice, Path, Refusal, RefusalKind, Why};

use crate::errno::{Errno, Result};
use crate::sync::section::once_in_a_section;
use crate::sys::{file, map};
use core::ffi::CStr;
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering::*};
use once_cell::race::OnceNonZeroUsize;

/// The subdirectories; `procs` is made last, so that where it is, all are.
const ROOMS: [&CStr; 9] = [c"msg", c"sem", c"shm", c"keys", c"mq", c"psem", c"pshm", c"poll", c"procs"];

/// A directory in use as a namespace.
pub struct Namespace {
    path: Path,
    /// Which file the directory is: a descriptor or path that leads elsewhere is not used.
    file: (u64, u64),
    /// A descriptor of the directory, out of the way of the program's own; -1 when lost.
    fd: AtomicI32,
    /// The mode for new rooms: 1777 where users share, 0700 otherwise.
    room_mode: u32,
}

/// Whether this process's user has heard why its namespace is refused.
static TOLD: AtomicBool = AtomicBool::new(false);

static CURRENT: OnceNonZeroUsize = OnceNonZeroUsize::new();

/// This process's namespace: chosen and made at the first call. A refusal is told once on standard
/// error and gives EACCES, ENOTDIR, EINVAL, ENAMETOOLONG or the error of a system call.
#[inline(always)]
pub fn current() -> Result<&'static Namespace> {
    #[cfg(loom)]
    if crate::model::runs() {
        return Ok(crate::model::nowhere());
    }
    match in_use() {
        Some(ns) => Ok(ns),
        None => first_use(),
    }
}

#[cold]
#[inline(never)]
fn first_use() -> Result<&'static Namespace> {
    CURRENT.get_or_try_init(|| {
        let opened = choose().and_then(|choice| Namespace::open(choice.path())).map_err(|refusal| {
            if !TOLD.swap(true, Relaxed) {
                let mut line = crate::text::Text::<900>::new();
                let _ = core::fmt::Write::write_fmt(&mut line, format_args!("{refusal}"));
                crate::text::complain(&[line.as_bytes()]);
            }
            refusal.errno()
        })?;
        crate::signal::catch_faults()?;
        let p = map::anonymous(size_of::<Namespace>())?.cast::<Namespace>();
        // SAFETY: a fresh mapping, page-aligned and large enough.
        unsafe { p.write(opened) };
        NonZeroUsize::new(p as usize).ok_or(Errno::ENOMEM)
    })?;
    in_use().ok_or(Errno::ENOMEM)
}

/// The namespace, if this process has used one already.
#[inline(always)]
pub fn in_use() -> Option<&'static Namespace> {
    // SAFETY: written once in first_use() and never removed.
    CURRENT.get().map(|p| unsafe { &*(p.get() as *const Namespace) })
}

impl<const N: usize> core::fmt::Write for crate::text::Text<N> {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        self.push(s.as_bytes());
        Ok(())
    }
}

impl Namespace {
    /// Opens the namespace at the absolute path `path`, making the directory and its rooms when
    /// they are not there.
    pub fn open(path: &CStr) -> core::result::Result<Namespace, Refusal> {
        let unusable = |e| Refusal::new(path.to_bytes(), RefusalKind::Unusable(e));
        match Self::open_existing(path)? {
            Some(ns) => ns.furnished(),
            None => {
                make_path(path.to_bytes())?;
                Self::open_existing(path)?.ok_or(unusable(Errno::ENOENT))?.furnished()
            }
        }
    }

    fn furnished(self) -> core::result::Result<Namespace, Refusal> {
        match self.furnish() {
            Ok(()) => Ok(self),
            Err(Errno::EPERM) => Err(Refusal::new(self.path.as_bytes(), RefusalKind::Unfurnished)),
            Err(e) => Err(Refusal::new(self.path.as_bytes(), RefusalKind::Unusable(e))),
        }
    }

    /// Opens the namespace at `path`; None when there is no such directory.
    pub fn open_existing(path: &CStr) -> core::result::Result<Option<Namespace>, Refusal> {
        let unusable = |e| Refusal::new(path.to_bytes(), RefusalKind::Unusable(e));
        let fd = match open_dir(libc::AT_FDCWD, path) {
            Ok(fd) => fd,
            Err(Errno::ENOENT) => return Ok(None),
            Err(Errno::ENOTDIR | Errno::ELOOP) => {
                return Err(Refusal::new(path.to_bytes(), RefusalKind::NotADirectory))
            }
            Err(e) => return Err(unusable(e)),
        };
        let st = file::stat(fd.raw()).map_err(unusable)?;
        check_owner(path.to_bytes(), &st)?;
        let mut text = Path::new();
        text.push(path.to_bytes());
        let shared = st.mode & 0o022 != 0;
        let ns = Namespace {
            path: text,
            file: st.file,
            fd: AtomicI32::new(out_of_the_way(fd)),
            room_mode: if shared { 0o1777 } else { 0o700 },
        };
        if shared {
            for room in ROOMS {
                // In a directory that others may write, anybody could have made a room first.
                if let Ok(st) = ns.dir().and_then(|dir| file::stat_at(dir, room)) {
                    let mut inner = Path::new();
                    inner.push(path.to_bytes()).push(b"/").push(room.to_bytes());
                    if !st.is(libc::S_IFDIR) {
                        return Err(Refusal::new(inner.as_bytes(), RefusalKind::NotADirectory));
                    }
                    check_owner(inner.as_bytes(), &st)?;
                }
            }
        }
        Ok(Some(ns))
    }

    /// Makes the rooms that are missing. EPERM: in a directory that users share, only its owner
    /// may; to the others, a room of anybody else's is a stranger's.
    fn furnish(&self) -> Result<()> {
        let dir = self.dir()?;
        if file::stat_at(dir, c"procs").is_ok() {
            return Ok(());
        }
        if self.is_shared() && file::stat(dir)?.uid != effective_uid() {
            return Err(Errno::EPERM);
        }
        for room in ROOMS {
            // Who knows the name of a FIFO may use it; so nobody may list them.
            let mode = if room == c"poll" { self.room_mode & 0o1733 } else { self.room_mode };
            match file::mkdir_at(dir, room, mode) {
                // Not subject to the program's umask.
                Ok(()) => file::set_mode_at(dir, room, mode)?,
                Err(Errno::EEXIST) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Whether other users than the directory's owner may use it.
    pub fn is_shared(&self) -> bool {
        self.room_mode == 0o1777
    }

    /// The absolute path.
    pub fn path(&self) -> &CStr {
        self.path.as_cstr()
    }

    /// A descriptor of the directory for `*at` calls, checked to be that directory still: it works
    /// after chroot(2), and, opened anew by its path, after a program closed every descriptor.
    pub fn dir(&self) -> Result<i32> {
        let fd = self.fd.load(Acquire);
        if fd >= 0 && (!once_in_a_section() || file::stat(fd).is_ok_and(|st| st.file == self.file)) {
            return Ok(fd);
        }
        let new = open_dir(libc::AT_FDCWD, self.path.as_cstr())?;
        if file::stat(new.raw())?.file != self.file {
            return Err(Errno::ENOENT);
        }
        let new = out_of_the_way(new);
        match self.fd.compare_exchange(fd, new, AcqRel, Acquire) {
            Ok(_) => Ok(new),
            Err(other) => {
                file::close(new);
                Ok(other)
            }
        }
    }

    /// The number of that descriptor, which the program did not open and must not close.
    pub fn hidden_fd(&self) -> i32 {
        self.fd.load(Relaxed)
    }

    /// Moves the hidden descriptor away from its number, which the program wants for itself.
    pub fn move_hidden_fd(&self) {
        let old = self.fd.load(Acquire);
        if let Ok(new) = file::control(old, libc::F_DUPFD_CLOEXEC, old as usize + 1)
            .or_else(|_| file::control(old, libc::F_DUPFD_CLOEXEC, 3))
        {
            self.fd.store(new, Release);
        } else {
            self.fd.store(-1, Release);
        }
    }
}

fn open_dir(at: i32, path: &CStr) -> Result<file::Fd> {
    file::open_at(at, path, libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW, 0)
}

/// Moves a descriptor to a number that programs are unlikely to care about.
fn out_of_the_way(fd: file::Fd) -> i32 {
    for least in [1000usize, 250, 60] {
        if let Ok(high) = file::control(fd.raw(), libc::F_DUPFD_CLOEXEC, least) {
            return high;
        }
    }
    fd.into_raw()
}

fn effective_uid() -> u32 {
    // SAFETY: no arguments.
    unsafe { crate::sys::raw::syscall6(libc::SYS_geteuid, [0; 6]) }.unwrap_or(0) as u32
}

fn check_owner(path: &[u8], st: &file::Stat) -> core::result::Result<(), Refusal> {
    if st.uid != 0 && st.uid != effective_uid() {
        return Err(Refusal::new(path, RefusalKind::OwnedByStranger(st.uid)));
    }
    Ok(())
}

/// mkdir -p with mode 0700, each new step checked for its owner by the open that follows.
fn make_path(path: &[u8]) -> core::result::Result<(), Refusal> {
    let ends = (1..=path.len()).filter(|&i| i == path.len() || path[i] == b'/');
    for end in ends {
        let mut step = Path::new();
        step.push(&path[..end]);
        let made = file::mkdir_at(libc::AT_FDCWD, step.as_cstr(), 0o700);
        if made.is_ok() {
            // Not subject to the program's umask.
            let _ = file::set_mode_at(libc::AT_FDCWD, step.as_cstr(), 0o700);
        }
        match made {
            Ok(()) | Err(Errno::EEXIST | Errno::EROFS | Errno::EACCES) if end < path.len() => {}
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(e) => return Err(Refusal::new(path, RefusalKind::Unusable(e))),
        }
        // /dev/shm/usipc-<uid> is made by name in a directory that everybody writes.
        if step.as_bytes().windows(7).any(|w| w == b"/usipc-") {
            if let Ok(st) = file::stat_at(libc::AT_FDCWD, step.as_cstr()) {
                if !st.is(libc::S_IFDIR) {
                    return Err(Refusal::new(step.as_bytes(), RefusalKind::NotADirectory));
                }
                check_owner(step.as_bytes(), &st)?;
            }
        }
    }
    Ok(())
}

/// To be called before a chroot(2): from then on the directory may be out of reach by its path.
pub fn before_chroot() {
    let _ = current();
}
