//! `<poll.h>`, `<sys/select.h>`, `<sys/epoll.h>`: a message queue costs nothing for being pollable
//! but while somebody polls it, so core is told of its descriptors before libc's call, and when that has ended.

use crate::{next, rt};
use core::{mem, slice};
use libc::{
    c_int, epoll_event, fd_set, nfds_t, pollfd, sigset_t, size_t, timespec, timeval, EPOLL_CTL_ADD,
    EPOLL_CTL_MOD,
};
use usipc_core::fd::{self, Polling};
use usipc_core::user::In;

/// Waits for one of `nfds` descriptors to become ready, for `timeout` milliseconds (negative: for
/// ever). poll(2)
///
/// Errors:
/// - as the page has them
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/poll.html>
#[no_mangle]
pub unsafe extern "C" fn poll(fds: *mut pollfd, nfds: nfds_t, timeout: c_int) -> c_int {
    // SAFETY: the C caller's arguments, handed on.
    unsafe {
        let _polling = polling_array(fds, nfds);
        next::POLL.get()(fds, nfds, timeout)
    }
}

/// [`poll`] with a timeout of nanosecond resolution and a signal mask for the wait. ppoll(2)
///
/// Errors:
/// - as the page has them
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/ppoll.html>
#[no_mangle]
pub unsafe extern "C" fn ppoll(
    fds: *mut pollfd,
    nfds: nfds_t,
    tmo_p: *const timespec,
    sigmask: *const sigset_t,
) -> c_int {
    // SAFETY: the C caller's arguments, handed on.
    unsafe {
        let _polling = polling_array(fds, nfds);
        next::PPOLL.get()(fds, nfds, tmo_p, sigmask)
    }
}

/// What [`poll`] becomes under `_FORTIFY_SOURCE`: `fdslen` is the size of the array in bytes, and the
/// process ends if that is too small, as with glibc's.
///
/// Errors:
/// - as poll
///
/// Source: glibc's `<bits/poll2.h>`
#[no_mangle]
pub unsafe extern "C" fn __poll_chk(fds: *mut pollfd, nfds: nfds_t, timeout: c_int, fdslen: size_t) -> c_int {
    check_length(nfds, fdslen);
    // SAFETY: the C caller's arguments, handed on.
    unsafe {
        let _polling = polling_array(fds, nfds);
        next::POLL.get()(fds, nfds, timeout)
    }
}

/// What [`ppoll`] becomes under `_FORTIFY_SOURCE`; see [`__poll_chk`].
///
/// Errors:
/// - as ppoll
///
/// Source: glibc's `<bits/poll2.h>`
#[no_mangle]
pub unsafe extern "C" fn __ppoll_chk(
    fds: *mut pollfd,
    nfds: nfds_t,
    tmo_p: *const timespec,
    sigmask: *const sigset_t,
    fdslen: size_t,
) -> c_int {
    check_length(nfds, fdslen);
    // SAFETY: the C caller's arguments, handed on.
    unsafe {
        let _polling = polling_array(fds, nfds);
        next::PPOLL.get()(fds, nfds, tmo_p, sigmask)
    }
}

/// Waits for a descriptor below `nfds` in one of the three sets to become ready. select(2)
///
/// Errors:
/// - as the page has them
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/select.html>
#[no_mangle]
pub unsafe extern "C" fn select(
    nfds: c_int,
    readfds: *mut fd_set,
    writefds: *mut fd_set,
    exceptfds: *mut fd_set,
    timeout: *mut timeval,
) -> c_int {
    // SAFETY: the C caller's arguments, handed on.
    unsafe {
        let _polling = polling_sets(nfds, [readfds, writefds, exceptfds]);
        next::SELECT.get()(nfds, readfds, writefds, exceptfds, timeout)
    }
}

/// [`select`] with a timeout of nanosecond resolution and a signal mask for the wait. pselect(2)
///
/// Errors:
/// - as the page has them
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/pselect.html>
#[no_mangle]
pub unsafe extern "C" fn pselect(
    nfds: c_int,
    readfds: *mut fd_set,
    writefds: *mut fd_set,
    exceptfds: *mut fd_set,
    timeout: *const timespec,
    sigmask: *const sigset_t,
) -> c_int {
    // SAFETY: the C caller's arguments, handed on.
    unsafe {
        let _polling = polling_sets(nfds, [readfds, writefds, exceptfds]);
        next::PSELECT.get()(nfds, readfds, writefds, exceptfds, timeout, sigmask)
    }
}

/// Adds a descriptor to an epoll instance, changes or removes it. epoll_ctl(2)
///
/// Errors:
/// - as the page has them
///
/// Source: epoll_ctl(2)
#[no_mangle]
pub unsafe extern "C" fn epoll_ctl(epfd: c_int, op: c_int, fd: c_int, event: *mut epoll_event) -> c_int {
    if matches!(op, EPOLL_CTL_ADD | EPOLL_CTL_MOD) {
        fd::watch(fd);
    }
    // SAFETY: the C caller's arguments, handed on.
    unsafe { next::EPOLL_CTL.get()(epfd, op, fd, event) }
}

fn check_length(nfds: nfds_t, fdslen: size_t) {
    if fdslen / mem::size_of::<pollfd>() < nfds as usize {
        rt::die(b"*** buffer overflow detected ***: terminated\n");
    }
}

/// Has the message queues that a poll names watched. What the kernel would refuse (an address outside user
/// space, more descriptors than a process may have) is left for it to refuse.
///
/// # Safety
/// As poll(2).
unsafe fn polling_array(fds: *const pollfd, nfds: nfds_t) -> Option<Polling> {
    if !fd::any_to_poll() || nfds > most_descriptors() {
        return None;
    }
    let mut polling = Polling::default();
    let n = nfds as usize;
    // SAFETY: the C caller's contract.
    if n != 0 && unsafe { In::new(fds) }.check(n * mem::size_of::<pollfd>()).is_ok() {
        // SAFETY: the C caller's contract: n elements.
        let fds = unsafe { slice::from_raw_parts(fds, n) };
        fds.iter().for_each(|entry| polling.add(entry.fd));
    }
    Some(polling)
}

/// RLIMIT_NOFILE, above which poll(2) gives EINVAL.
fn most_descriptors() -> nfds_t {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for writing.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    limit.rlim_cur
}

/// Has the message queues in the sets of a select watched. No set is read beyond the size of `fd_set`: the
/// kernel, too, reads no further than the descriptors that the process has.
///
/// # Safety
/// As select(2).
unsafe fn polling_sets(nfds: c_int, sets: [*const fd_set; 3]) -> Option<Polling> {
    if !fd::any_to_poll() {
        return None;
    }
    let mut polling = Polling::default();
    let nfds = nfds.clamp(0, libc::FD_SETSIZE as c_int);
    for set in sets {
        // SAFETY: the C caller's contract: a set or NULL.
        if unsafe { In::new(set) }.check(nfds as usize / 8 + 1).is_ok() && !set.is_null() {
            // SAFETY: as above; nfds is within the set.
            (0..nfds).filter(|&fd| unsafe { libc::FD_ISSET(fd, set) }).for_each(|fd| polling.add(fd));
        }
    }
    Some(polling)
}
