//! `<sys/sem.h>`: System V semaphores.

use libc::{c_int, c_ushort, c_void, key_t, sembuf, semid_ds, size_t, timespec};
use usipc_core::errno::OrMinusOne;
use usipc_core::sysv::sem;
use usipc_core::sysv::semctl::Argument;
use usipc_core::user::{In, Out};

/// `union semun`, which programs define themselves (semctl(2)).
#[repr(C)]
#[derive(Clone, Copy)]
pub union Semun {
    /// SETVAL.
    pub val: c_int,
    /// IPC_STAT, IPC_SET.
    pub buf: *mut semid_ds,
    /// GETALL, SETALL.
    pub array: *mut c_ushort,
    /// IPC_INFO, SEM_INFO: a `struct seminfo`.
    pub info: *mut c_void,
}

/// Returns the identifier of the semaphore set with the key `key`, which it creates with `nsems`
/// semaphores, all 0, and the permissions in the low nine bits of `semflg` if that has IPC_CREAT, or
/// if the key is IPC_PRIVATE. semget(2)
///
/// Errors:
/// - EACCES: the set exists and the caller may not use it as `semflg` asks
/// - EEXIST: it exists and `semflg` has IPC_CREAT and IPC_EXCL
/// - EINVAL: `nsems` is below 0 or above the limit semmsl; it is 0 and the set does not exist, or
///   the set has fewer
/// - ENOENT: it does not exist and `semflg` has no IPC_CREAT
/// - ENOMEM, ENOSPC: no memory for a new set, or the limit semmni is reached
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/semget.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn semget(key: key_t, nsems: c_int, semflg: c_int) -> c_int {
    sem::get(key, nsems, semflg).or_minus_one_errno()
}

/// Does the `nsops` operations in `sops` on a set, all at once or none of them. Waits until all can
/// be done, unless the one that cannot has IPC_NOWAIT. What an operation with SEM_UNDO did is undone
/// when the process ends. semop(2)
///
/// Errors:
/// - E2BIG: `nsops` is above the limit semopm
/// - EACCES: no permission to alter the set, or to read it where all operations wait for zero
/// - EAGAIN: an operation with IPC_NOWAIT cannot be done at once
/// - EFAULT: `sops` is no address
/// - EFBIG: a semaphore that the set does not have
/// - EIDRM: the set was removed
/// - EINTR: a signal handler ran during the wait, even one with SA_RESTART
/// - EINVAL: no such set, or `nsops` is 0
/// - ENOMEM: no memory to wait, or for what is to be undone
/// - ERANGE: a value above 32767, or too much to be undone
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/semop.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn semop(semid: c_int, sops: *mut sembuf, nsops: size_t) -> c_int {
    // SAFETY: the C caller's contract: nsops operations.
    sem::operate(semid, unsafe { In::new(sops) }, nsops).or_minus_one_errno()
}

/// As semop, waiting no longer than `timeout` (NULL: for ever), which is relative. semop(2)
///
/// Errors: those of semop, and
/// - EAGAIN: the time is over
/// - EFAULT: `timeout` is no address
/// - EINVAL: `timeout` is below 0, or has no valid nanoseconds
///
/// Source: <https://man7.org/linux/man-pages/man2/semop.2.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn semtimedop(
    semid: c_int,
    sops: *mut sembuf,
    nsops: size_t,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the C caller's contract: nsops operations, and a time or NULL.
    let (sops, timeout) = unsafe { (In::new(sops), In::new(timeout)) };
    sem::operate_within(semid, sops, nsops, timeout).or_minus_one_errno()
}

/// semctl(2). In C it is variadic: the fourth argument is read only by the commands that have one,
/// and of the fixed arity that it has here it is passed in the same way.
#[no_mangle]
pub unsafe extern "C" fn semctl(semid: c_int, semnum: c_int, cmd: c_int, arg: Semun) -> c_int {
    // SAFETY: any bits are a valid pointer value; the C caller's contract for what it points to.
    let arg = Argument(unsafe { Out::new(arg.info) });
    sem::control(semid, semnum, cmd, arg).or_minus_one_errno()
}
