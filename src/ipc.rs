//! `<sys/ipc.h>`

use libc::{c_char, c_int, key_t};
use usipc_core::errno::OrMinusOne;
use usipc_core::ipc;
use usipc_core::user::In;

/// Makes a key for msgget of the file `pathname` and the low eight bits of `proj_id`: the same two
/// give the same key in every process. ftok(3)
///
/// Errors:
/// - as stat(2) of `pathname`: EACCES, EFAULT, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/ftok.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn ftok(pathname: *const c_char, proj_id: c_int) -> key_t {
    // SAFETY: a string, by the C caller's contract.
    ipc::ftok(unsafe { In::new(pathname) }, proj_id).or_minus_one_errno()
}
