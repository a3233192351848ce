//! `<sys/shm.h>`: System V shared memory.

use libc::{c_int, c_void, key_t, shmid_ds, size_t};
use usipc_core::errno::OrMinusOne;
use usipc_core::sysv::shm;
use usipc_core::user::Out;

/// Returns the identifier of the shared memory segment with the key `key`, which it creates, all
/// zeros, `size` bytes long (rounded up to whole pages) and with the permissions in the low nine bits of
/// `shmflg`, if that has IPC_CREAT, or if the key is IPC_PRIVATE. SHM_HUGETLB asks for huge pages. Memory
/// is taken page by page as it is used; with SHM_NORESERVE a segment may be larger than what the
/// file system has. shmget(2)
///
/// Errors:
/// - EACCES: the segment exists and the caller may not use it as `shmflg` asks
/// - EEXIST: it exists and `shmflg` has IPC_CREAT and IPC_EXCL
/// - EINVAL: it exists and is smaller than `size`; or a new one of 0 or more than shmmax bytes, or of
///   huge pages of a size unknown here
/// - ENOENT: it does not exist and `shmflg` has no IPC_CREAT
/// - ENOMEM: the file system of the namespace cannot hold it, or has no huge pages
/// - ENOSPC: the limit shmmni or shmall is reached
/// - EPERM: SHM_HUGETLB beyond RLIMIT_MEMLOCK without CAP_IPC_LOCK
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/shmget.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn shmget(key: key_t, size: size_t, shmflg: c_int) -> c_int {
    shm::get(key, size, shmflg).or_minus_one_errno()
}

/// Attaches a segment to the memory of the process: at `shmaddr` (rounded down to a whole page with
/// SHM_RND; in place of what is there with SHM_REMAP), or where there is room if that is NULL. With
/// SHM_RDONLY for reading only, with SHM_EXEC for execution too. Returns the address, or (void *) -1.
/// shmop(2)
///
/// Errors:
/// - EACCES: no permission on the segment; or SHM_EXEC on a file system mounted noexec
/// - EINVAL: no such segment, or `shmaddr` is not at a page, or not free, or NULL with SHM_REMAP
/// - ENOMEM: no room in the process's memory
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/shmat.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn shmat(shmid: c_int, shmaddr: *const c_void, shmflg: c_int) -> *mut c_void {
    shm::attach(shmid, shmaddr as usize, shmflg).or_minus_one_errno() as *mut c_void
}

/// Detaches the segment that shmat attached at `shmaddr`. shmop(2)
///
/// Errors:
/// - EINVAL: none was
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/shmdt.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn shmdt(shmaddr: *const c_void) -> c_int {
    shm::detach(shmaddr as usize).or_minus_one_errno()
}

/// Controls a segment: IPC_STAT, IPC_SET, IPC_RMID (it goes with its last attachment), and Linux'
/// SHM_LOCK, SHM_UNLOCK, IPC_INFO (where `buf` points to a `struct shminfo`), SHM_INFO (a `struct
/// shm_info`), SHM_STAT and SHM_STAT_ANY (where `shmid` is an index). Returns 0, the highest index in
/// use (the two INFO commands), or an identifier (the two SHM_STAT commands). shmctl(2)
///
/// Errors:
/// - EACCES: IPC_STAT or SHM_STAT without read permission
/// - EFAULT: `buf` is no address
/// - EINVAL: no such segment or index, or no such command
/// - ENOMEM: SHM_LOCK of more than RLIMIT_MEMLOCK without CAP_IPC_LOCK
/// - EPERM: IPC_SET or IPC_RMID by neither owner nor creator nor CAP_SYS_ADMIN; SHM_LOCK or SHM_UNLOCK
///   by neither owner nor creator nor CAP_IPC_LOCK
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/shmctl.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn shmctl(shmid: c_int, cmd: c_int, buf: *mut shmid_ds) -> c_int {
    // SAFETY: the C caller's contract: what the command reads or writes.
    shm::control(shmid, cmd, unsafe { Out::new(buf) }).or_minus_one_errno()
}
