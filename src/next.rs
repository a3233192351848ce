//! The functions behind those that are interposed: the next definition in the search order, which is
//! libc's or another preloaded library's.
//!
//! Looked up by dlsym(3), which takes a lock of the dynamic linker's: each when it is first called, but
//! all of them before the program installs its first signal handler, which might be the first to need one.

use core::ffi::CStr;
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicBool, Ordering::*};
use core::{mem, ptr};
use libc::{
    c_char, c_int, c_uint, c_ulong, c_void, epoll_event, fd_set, gid_t, nfds_t, pollfd, sigset_t, size_t,
    suseconds_t, syscall, timespec, timeval, uid_t,
};
use once_cell::race::OnceNonZeroUsize;

/// A function of type `F`, known by name. Several threads may look it up at once: all find the same.
pub struct Next<F> {
    name: &'static CStr,
    /// Serves where dlsym finds none, as in a statically linked program.
    fallback: F,
    address: OnceNonZeroUsize,
}

impl<F: Copy> Next<F> {
    /// # Safety
    /// `F` is a function pointer type, and that of the function `name` in libc.
    const unsafe fn new(name: &'static CStr, fallback: F) -> Self {
        assert!(mem::size_of::<F>() == mem::size_of::<usize>());
        Next { name, fallback, address: OnceNonZeroUsize::new() }
    }

    /// The function.
    pub fn get(&self) -> F {
        let address = self.address.get_or_init(|| self.find());
        // SAFETY: the address of a function of type F (new's contract).
        unsafe { mem::transmute_copy(&address) }
    }

    #[cold]
    #[inline(never)]
    fn find(&self) -> NonZeroUsize {
        // SAFETY: a valid name; dlsym(3) may be called at any time but in a signal handler, for
        // which see `find_all`.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
        // SAFETY: F is a function pointer (new's contract), and these are never null.
        NonZeroUsize::new(found as usize).unwrap_or_else(|| unsafe { mem::transmute_copy(&self.fallback) })
    }
}

macro_rules! next {
    ($($static:ident = $name:literal, fn($($arg:ident: $type:ty),*) $(-> $ret:ty)? $fallback:block)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub static $static: Next<unsafe extern "C" fn($($type),*) $(-> $ret)?> = {
                unsafe extern "C" fn fallback($($arg: $type),*) $(-> $ret)? {
                    // SAFETY: the arguments of the call that this stands in for.
                    unsafe { $fallback }
                }
                // SAFETY: a function pointer type, with the signature that the manual page gives.
                unsafe { Next::new(
                    match CStr::from_bytes_with_nul(concat!($name, "\0").as_bytes()) {
                        Ok(name) => name,
                        Err(_) => panic!(),
                    },
                    fallback,
                ) }
            };
        )*
        /// Looks up what has not been looked up yet: for calls that install a signal handler.
        pub fn find_all() {
            static FOUND: AtomicBool = AtomicBool::new(false);
            if !FOUND.load(Relaxed) {
                $( $static.get(); )*
                FOUND.store(true, Relaxed);
            }
        }
    };
}

// The fallbacks are bare system calls, which libc's `syscall` makes -1 and errno of; they use only
// those that every machine has. A set*id call of this kind changes the calling thread alone.
next! {
    SETUID = "setuid", fn(uid: uid_t) -> c_int { syscall(libc::SYS_setuid, uid) as c_int }
    SETEUID = "seteuid", fn(euid: uid_t) -> c_int { syscall(libc::SYS_setresuid, KEEP, euid, KEEP) as c_int }
    SETREUID = "setreuid", fn(ruid: uid_t, euid: uid_t) -> c_int {
        syscall(libc::SYS_setreuid, ruid, euid) as c_int
    }
    SETRESUID = "setresuid", fn(ruid: uid_t, euid: uid_t, suid: uid_t) -> c_int {
        syscall(libc::SYS_setresuid, ruid, euid, suid) as c_int
    }
    SETGID = "setgid", fn(gid: gid_t) -> c_int { syscall(libc::SYS_setgid, gid) as c_int }
    SETEGID = "setegid", fn(egid: gid_t) -> c_int { syscall(libc::SYS_setresgid, KEEP, egid, KEEP) as c_int }
    SETREGID = "setregid", fn(rgid: gid_t, egid: gid_t) -> c_int {
        syscall(libc::SYS_setregid, rgid, egid) as c_int
    }
    SETRESGID = "setresgid", fn(rgid: gid_t, egid: gid_t, sgid: gid_t) -> c_int {
        syscall(libc::SYS_setresgid, rgid, egid, sgid) as c_int
    }
    SETGROUPS = "setgroups", fn(size: size_t, list: *const gid_t) -> c_int {
        syscall(libc::SYS_setgroups, size, list) as c_int
    }
    INITGROUPS = "initgroups", fn(_user: *const c_char, _group: gid_t) -> c_int {
        // The group database is libc's alone.
        *libc::__errno_location() = libc::ENOSYS;
        -1
    }
    CAPSET = "capset", fn(hdrp: *mut c_void, datap: *const c_void) -> c_int {
        syscall(libc::SYS_capset, hdrp, datap) as c_int
    }
    CHROOT = "chroot", fn(path: *const c_char) -> c_int { syscall(libc::SYS_chroot, path) as c_int }
    CLOSE = "close", fn(fd: c_int) -> c_int { syscall(libc::SYS_close, fd) as c_int }
    DUP = "dup", fn(oldfd: c_int) -> c_int { syscall(libc::SYS_dup, oldfd) as c_int }
    FCNTL = "fcntl", fn(fd: c_int, cmd: c_int, arg: c_ulong) -> c_int {
        syscall(libc::SYS_fcntl, fd, cmd, arg) as c_int
    }
    DUP2 = "dup2", fn(oldfd: c_int, newfd: c_int) -> c_int {
        if oldfd == newfd {
            return if syscall(libc::SYS_fcntl, oldfd, libc::F_GETFD) == -1 { -1 } else { newfd };
        }
        syscall(libc::SYS_dup3, oldfd, newfd, 0) as c_int
    }
    DUP3 = "dup3", fn(oldfd: c_int, newfd: c_int, flags: c_int) -> c_int {
        syscall(libc::SYS_dup3, oldfd, newfd, flags) as c_int
    }
    CLOSE_RANGE = "close_range", fn(first: c_uint, last: c_uint, flags: c_int) -> c_int {
        syscall(libc::SYS_close_range, first, last, flags) as c_int
    }
    CLOSEFROM = "closefrom", fn(lowfd: c_int) {
        syscall(libc::SYS_close_range, lowfd, c_uint::MAX, 0);
    }
    POLL = "poll", fn(fds: *mut pollfd, nfds: nfds_t, timeout: c_int) -> c_int {
        let limit = from_ms(timeout);
        let limit = if timeout < 0 { ptr::null() } else { &limit };
        syscall(libc::SYS_ppoll, fds, nfds, limit, ptr::null::<sigset_t>(), KERNEL_SIGSET_BYTES) as c_int
    }
    PPOLL = "ppoll",
    fn(fds: *mut pollfd, nfds: nfds_t, tmo_p: *const timespec, sigmask: *const sigset_t) -> c_int {
        // The kernel writes the time left, which libc's function does not.
        let mut limit = if tmo_p.is_null() { ZERO } else { *tmo_p };
        let limit = if tmo_p.is_null() { ptr::null_mut() } else { &mut limit };
        syscall(libc::SYS_ppoll, fds, nfds, limit, sigmask, KERNEL_SIGSET_BYTES) as c_int
    }
    SELECT = "select",
    fn(
        nfds: c_int, readfds: *mut fd_set, writefds: *mut fd_set, exceptfds: *mut fd_set,
        timeout: *mut timeval
    ) -> c_int {
        if timeout.is_null() {
            return pselect6(nfds, [readfds, writefds, exceptfds], ptr::null_mut(), ptr::null());
        }
        let mut left = from_timeval(&*timeout);
        let result = pselect6(nfds, [readfds, writefds, exceptfds], &mut left, ptr::null());
        *timeout = timeval { tv_sec: left.tv_sec, tv_usec: (left.tv_nsec / 1000) as suseconds_t };
        result
    }
    PSELECT = "pselect",
    fn(
        nfds: c_int, readfds: *mut fd_set, writefds: *mut fd_set, exceptfds: *mut fd_set,
        timeout: *const timespec, sigmask: *const sigset_t
    ) -> c_int {
        let mut left = if timeout.is_null() { ZERO } else { *timeout };
        let left = if timeout.is_null() { ptr::null_mut() } else { &mut left };
        pselect6(nfds, [readfds, writefds, exceptfds], left, sigmask)
    }
    EXECVE = "execve",
    fn(path: *const c_char, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
        syscall(libc::SYS_execve, path, argv, envp) as c_int
    }
    EXECV = "execv", fn(path: *const c_char, argv: *const *const c_char) -> c_int {
        syscall(libc::SYS_execve, path, argv, environ) as c_int
    }
    EXECVP = "execvp", fn(file: *const c_char, argv: *const *const c_char) -> c_int {
        search_path(file, argv, environ)
    }
    EXECVPE = "execvpe",
    fn(file: *const c_char, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
        search_path(file, argv, envp)
    }
    FEXECVE = "fexecve", fn(fd: c_int, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
        syscall(libc::SYS_execveat, fd, c"".as_ptr(), argv, envp, libc::AT_EMPTY_PATH) as c_int
    }
    EXECVEAT = "execveat",
    fn(
        dirfd: c_int, path: *const c_char, argv: *const *mut c_char, envp: *const *mut c_char, flags: c_int
    ) -> c_int {
        syscall(libc::SYS_execveat, dirfd, path, argv, envp, flags) as c_int
    }
    EPOLL_CTL = "epoll_ctl", fn(epfd: c_int, op: c_int, fd: c_int, event: *mut epoll_event) -> c_int {
        syscall(libc::SYS_epoll_ctl, epfd, op, fd, event) as c_int
    }
}

extern "C" {
    static environ: *const *const c_char;
}

/// As execvpe(3), but that a file whose format the kernel does not know stays an error (ENOEXEC).
///
/// # Safety
/// As execvpe(3).
unsafe fn search_path(file: *const c_char, argv: *const *const c_char, envp: *const *const c_char) -> c_int {
    // SAFETY: the caller's pointers; PATH is a string while nobody changes the environment.
    unsafe {
        let exec = |path: *const c_char| syscall(libc::SYS_execve, path, argv, envp) as c_int;
        let errno = libc::__errno_location();
        let name_len = libc::strlen(file);
        if name_len == 0 || !libc::strchr(file, c_int::from(b'/')).is_null() {
            return exec(file);
        }
        let mut dir = libc::getenv(c"PATH".as_ptr()).cast_const();
        if dir.is_null() {
            dir = c"/bin:/usr/bin".as_ptr();
        }
        let mut refused = false;
        *errno = libc::ENOENT;
        loop {
            let mut path = mem::MaybeUninit::<[c_char; libc::PATH_MAX as usize]>::uninit();
            let path = path.as_mut_ptr().cast::<c_char>();
            let len = libc::strcspn(dir, c":".as_ptr());
            if len + 1 + name_len < libc::PATH_MAX as usize {
                dir.copy_to_nonoverlapping(path, len);
                path.add(len).write(b'/' as c_char);
                // An empty one is the working directory.
                file.copy_to_nonoverlapping(path.add(len + usize::from(len != 0)), name_len + 1);
                exec(path);
            }
            match *errno {
                libc::EACCES => refused = true,
                libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => {}
                _ => return -1,
            }
            if *dir.add(len) == 0 {
                break;
            }
            dir = dir.add(len + 1);
        }
        if refused {
            *errno = libc::EACCES;
        }
        -1
    }
}

/// setresuid(2), setresgid(2): leave this one as it is.
const KEEP: c_int = -1;
/// The size of the kernel's signal set, not libc's.
const KERNEL_SIGSET_BYTES: size_t = 8;
const ZERO: timespec = timespec { tv_sec: 0, tv_nsec: 0 };

fn from_ms(ms: c_int) -> timespec {
    timespec { tv_sec: (ms / 1000).into(), tv_nsec: (ms % 1000 * 1_000_000).into() }
}

fn from_timeval(t: &timeval) -> timespec {
    timespec { tv_sec: t.tv_sec + t.tv_usec / 1_000_000, tv_nsec: t.tv_usec % 1_000_000 * 1000 }
}

/// # Safety
/// As pselect(2); `left` is null or valid for writing.
unsafe fn pselect6(nfds: c_int, sets: [*mut fd_set; 3], left: *mut timespec, mask: *const sigset_t) -> c_int {
    let mask = [mask as c_ulong, KERNEL_SIGSET_BYTES as c_ulong];
    // SAFETY: this function's contract, which is the system call's.
    unsafe { syscall(libc::SYS_pselect6, nfds, sets[0], sets[1], sets[2], left, mask.as_ptr()) as c_int }
}
