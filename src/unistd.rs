//! `<unistd.h>`, `<grp.h>`, `<sys/capability.h>`: libc calls after or before which the library has
//! something to do. What they return, and `errno`, is libc's.

use crate::next;
use libc::{c_char, c_int, c_uint, c_ulong, c_void, gid_t, size_t, uid_t};
use usipc_core::errno::{Errno, OrMinusOne};
use usipc_core::{cred, fd};

/// Declares credential calls: each goes to the next definition, and then core forgets the
/// credentials that it has cached, even after a failure (`setreuid` may have done half).
macro_rules! credentials {
    ($($page:literal $name:ident($($arg:ident: $type:ty),*) => $next:ident;)*) => { $(
        #[doc = concat!("Changes the process's credentials, which core caches. ", $page)]
        ///
        /// Errors:
        /// - as the page has them
        ///
        #[doc = concat!("Source: ", $page)]
        #[no_mangle]
        pub unsafe extern "C" fn $name($($arg: $type),*) -> c_int {
            // SAFETY: the C caller's arguments, handed on.
            let result = unsafe { next::$next.get()($($arg),*) };
            cred::changed();
            result
        }
    )* };
}

credentials! {
    "setuid(2)" setuid(uid: uid_t) => SETUID;
    "seteuid(2)" seteuid(euid: uid_t) => SETEUID;
    "setreuid(2)" setreuid(ruid: uid_t, euid: uid_t) => SETREUID;
    "setresuid(2)" setresuid(ruid: uid_t, euid: uid_t, suid: uid_t) => SETRESUID;
    "setgid(2)" setgid(gid: gid_t) => SETGID;
    "setegid(2)" setegid(egid: gid_t) => SETEGID;
    "setregid(2)" setregid(rgid: gid_t, egid: gid_t) => SETREGID;
    "setresgid(2)" setresgid(rgid: gid_t, egid: gid_t, sgid: gid_t) => SETRESGID;
    "setgroups(2)" setgroups(size: size_t, list: *const gid_t) => SETGROUPS;
    "initgroups(3)" initgroups(user: *const c_char, group: gid_t) => INITGROUPS;
    "capset(2)" capset(hdrp: *mut c_void, datap: *const c_void) => CAPSET;
}

/// Closes a descriptor; one of a message queue loses what it stood for, as with mq_close. close(2)
///
/// Errors:
/// - EBADF: `fd` is not open, or is a descriptor that the library has opened for itself
/// - else as the page has them
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/close.html>
#[no_mangle]
pub unsafe extern "C" fn close(fd: c_int) -> c_int {
    if !fd::before_close(fd) {
        return Err::<c_int, _>(Errno::EBADF).or_minus_one_errno();
    }
    // SAFETY: the C caller's argument, handed on.
    unsafe { next::CLOSE.get()(fd) }
}

/// Changes the root directory, after finding the namespace, which may lie outside the new one. chroot(2)
///
/// Errors:
/// - as the page has them
///
/// Source: chroot(2)
#[no_mangle]
pub unsafe extern "C" fn chroot(path: *const c_char) -> c_int {
    usipc_core::namespace::before_chroot();
    // SAFETY: the C caller's argument, handed on.
    unsafe { next::CHROOT.get()(path) }
}

/// Duplicates a descriptor; the duplicate of a message queue's is one too. dup(2)
///
/// Errors:
/// - as the page has them
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/dup.html>
#[no_mangle]
pub unsafe extern "C" fn dup(oldfd: c_int) -> c_int {
    // SAFETY: the C caller's argument, handed on.
    duplicated(oldfd, unsafe { next::DUP.get()(oldfd) })
}

fn duplicated(old: c_int, new: c_int) -> c_int {
    if new >= 0 {
        fd::duplicated(old, new);
    }
    new
}

/// Looks after the commands that duplicate a message queue's descriptor or show its flags. Variadic
/// in C: the third argument, where there is one, comes in the same register. fcntl(2)
///
/// Errors:
/// - as the page has them
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html>
#[no_mangle]
pub unsafe extern "C" fn fcntl(fildes: c_int, cmd: c_int, arg: c_ulong) -> c_int {
    // SAFETY: the C caller's arguments, handed on.
    unsafe { controlled(fildes, cmd, arg) }
}

/// # Safety
/// As fcntl(2).
unsafe fn controlled(fildes: c_int, cmd: c_int, arg: c_ulong) -> c_int {
    // SAFETY: the C caller's arguments, handed on.
    let result = unsafe { next::FCNTL.get()(fildes, cmd, arg) };
    match cmd {
        libc::F_DUPFD | libc::F_DUPFD_CLOEXEC => duplicated(fildes, result),
        libc::F_SETFL if result == 0 => {
            fd::status_flags_set(fildes);
            result
        }
        libc::F_GETFL if result >= 0 => fd::status_flags(fildes, result),
        _ => result,
    }
}

/// [`fcntl`] by the name that programs with 64-bit file offsets use. fcntl(2)
///
/// Errors:
/// - as the page has them
///
/// Source: fcntl(2)
#[no_mangle]
pub unsafe extern "C" fn fcntl64(fildes: c_int, cmd: c_int, arg: c_ulong) -> c_int {
    // SAFETY: the C caller's arguments, handed on.
    unsafe { controlled(fildes, cmd, arg) }
}

/// Makes `newfd` a copy of `oldfd`; a message queue that `newfd` stood for is closed. dup2(2)
///
/// Errors:
/// - as the page has them
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/dup2.html>
#[no_mangle]
pub unsafe extern "C" fn dup2(oldfd: c_int, newfd: c_int) -> c_int {
    before_replace(oldfd, newfd);
    // SAFETY: the C caller's arguments, handed on.
    duplicated(oldfd, unsafe { next::DUP2.get()(oldfd, newfd) })
}

/// Tells core that `newfd` goes, unless it stays because `oldfd` is not open.
fn before_replace(oldfd: c_int, newfd: c_int) {
    // SAFETY: no pointers; the errno of a failure is the one that the caller will see anyway.
    if oldfd != newfd && (!fd::any() || unsafe { libc::fcntl(oldfd, libc::F_GETFD) } != -1) {
        fd::before_replace(newfd);
    }
}

/// As [`dup2`], with O_CLOEXEC or 0 in `flags`, and with the two descriptors different. dup3(2)
///
/// Errors:
/// - as the page has them
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/dup3.html>
#[no_mangle]
pub unsafe extern "C" fn dup3(oldfd: c_int, newfd: c_int, flags: c_int) -> c_int {
    before_replace(oldfd, newfd);
    // SAFETY: the C caller's arguments, handed on.
    duplicated(oldfd, unsafe { next::DUP3.get()(oldfd, newfd, flags) })
}

/// Closes the descriptors from `first` to `last`, except those that the library has opened for
/// itself. close_range(2)
///
/// Errors:
/// - as the page has them
///
/// Source: close_range(2)
#[no_mangle]
pub unsafe extern "C" fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    // SAFETY: the C caller's arguments, handed on.
    let mut close = |first, last| unsafe { next::CLOSE_RANGE.get()(first, last, flags) };
    fd::before_close_range(first, last, flags, &mut close)
}

/// Closes the descriptors from `lowfd` on, except those that the library has opened for itself.
/// closefrom(3)
///
/// Errors:
/// - none
///
/// Source: closefrom(3)
#[no_mangle]
pub unsafe extern "C" fn closefrom(lowfd: c_int) {
    fd::before_close_range(lowfd.max(0) as c_uint, c_uint::MAX, 0, &mut close_piece);
}

/// One piece of what closefrom closes. Kernels before 5.9 have no close_range, hence the others.
fn close_piece(first: c_uint, last: c_uint) -> c_int {
    // SAFETY: the C caller has asked for these descriptors to be closed.
    unsafe {
        if last == c_uint::MAX {
            next::CLOSEFROM.get()(first as c_int);
        } else if next::CLOSE_RANGE.get()(first, last, 0) != 0 {
            (first..=last).for_each(|fd| _ = next::CLOSE.get()(fd as c_int));
        }
    }
    0
}
