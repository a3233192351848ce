//! `<semaphore.h>`: POSIX named semaphores. The other calls of that header are libc's, which work on
//! what sem_open returns.

use libc::{c_char, c_int, c_uint, mode_t, sem_t, O_CREAT};
use usipc_core::errno::{or_sem_failed, OrMinusOne};
use usipc_core::posix::sem;
use usipc_core::user::In;

/// Opens the named semaphore `name` (up to 251 characters behind its slash); with O_CREAT, which alone
/// looks at `mode` and `value`, creates it if need be, with the permissions `mode` less the umask and the
/// value `value`. The same semaphore has the same address in a process, however often it is opened.
/// SEM_FAILED on errors. sem_open(3)
///
/// Of fixed arity, as a variadic definition cannot be written in stable Rust: on the supported
/// machines a caller passes these arguments in the same registers.
///
/// Errors:
/// - EACCES: no permission to read and write it
/// - EEXIST: it exists, and `oflag` has O_CREAT and O_EXCL
/// - EFAULT: `name` is no address
/// - EINVAL: `value` is greater than SEM_VALUE_MAX, `name` is empty or has a slash inside, or its
///   file is too short for a semaphore
/// - EMFILE, ENFILE: too many open descriptors
/// - ENAMETOOLONG: `name` is too long
/// - ENODEV, EISDIR, ELOOP: there is something else by this name
/// - ENOENT: it does not exist and `oflag` has no O_CREAT
/// - ENOMEM, ENOSPC: no memory
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/sem_open.html>
#[no_mangle]
pub unsafe extern "C" fn sem_open(
    name: *const c_char,
    oflag: c_int,
    mode: mode_t,
    value: c_uint,
) -> *mut sem_t {
    // Without O_CREAT the caller passed neither, and the registers hold anything.
    let (mode, value) = if oflag & O_CREAT != 0 { (mode, value) } else { (0, 0) };
    // SAFETY: the C caller's contract: a string.
    or_sem_failed(sem::open(unsafe { In::new(name) }, oflag, mode, value))
}

/// Closes a named semaphore; as often as it was opened, and its memory is given back. sem_close(3)
///
/// Errors:
/// - EINVAL: `sem` is not one that this process has open
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/sem_close.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn sem_close(sem: *mut sem_t) -> c_int {
    sem::close(sem).or_minus_one_errno()
}

/// Removes the name of a semaphore; the semaphore itself goes with the last process that has it
/// open. sem_unlink(3)
///
/// Errors:
/// - EACCES: no permission to remove it
/// - EFAULT: `name` is no address
/// - ENAMETOOLONG: `name` is too long
/// - ENOENT: there is no such semaphore
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/sem_unlink.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn sem_unlink(name: *const c_char) -> c_int {
    // SAFETY: the C caller's contract: a string.
    sem::unlink(unsafe { In::new(name) }).or_minus_one_errno()
}
