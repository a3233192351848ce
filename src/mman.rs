//! `<sys/mman.h>`: POSIX shared memory objects. mmap, ftruncate, fstat and so on are the kernel's.

use libc::{c_char, c_int, mode_t};
use usipc_core::errno::OrMinusOne;
use usipc_core::posix::shm;
use usipc_core::user::In;

/// Opens the shared memory object `name` (up to 255 characters behind its slash) for O_RDONLY or
/// O_RDWR; with O_CREAT, creates it if need be, empty, with the permissions `mode` less the umask.
/// Returns the lowest free descriptor, which is closed on exec. shm_open(3)
///
/// Errors:
/// - EACCES: no permission to open it so
/// - EEXIST: it exists, and `oflag` has O_CREAT and O_EXCL
/// - EFAULT: `name` is no address
/// - EINVAL: `name` is empty or has a slash inside
/// - ELOOP: there is a symbolic link by this name
/// - EMFILE, ENFILE: too many open descriptors
/// - ENAMETOOLONG: `name` is too long
/// - ENOENT: it does not exist and `oflag` has no O_CREAT
/// - ENOSPC: no room for a new one
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/shm_open.html>
#[no_mangle]
pub unsafe extern "C" fn shm_open(name: *const c_char, oflag: c_int, mode: mode_t) -> c_int {
    // SAFETY: the C caller's contract: a string.
    shm::open(unsafe { In::new(name) }, oflag, mode).or_minus_one_errno()
}

/// Removes the name of a shared memory object; the memory goes with the last descriptor and mapping
/// of it. shm_unlink(3)
///
/// Errors:
/// - EACCES: no permission to remove it
/// - EFAULT: `name` is no address
/// - ENAMETOOLONG: `name` is too long
/// - ENOENT: there is no such object
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/shm_unlink.html>
#[no_mangle]
pub unsafe extern "C" fn shm_unlink(name: *const c_char) -> c_int {
    // SAFETY: the C caller's contract: a string.
    shm::unlink(unsafe { In::new(name) }).or_minus_one_errno()
}
