/* Written by `cargo run --example headers`: edit the sources in src/ instead. */

#ifndef USIPC_SHM_H
#define USIPC_SHM_H

#include <sys/shm.h>

#ifndef USIPC_THROW
#ifdef __THROW
#define USIPC_THROW __THROW
#else
#define USIPC_THROW
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Returns the identifier of the shared memory segment with the key `key`, which it creates, all
 * zeros, `size` bytes long (rounded up to whole pages) and with the permissions in the low nine bits of
 * `shmflg`, if that has IPC_CREAT, or if the key is IPC_PRIVATE. SHM_HUGETLB asks for huge pages. Memory
 * is taken page by page as it is used; with SHM_NORESERVE a segment may be larger than what the
 * file system has. shmget(2)
 *
 * Errors:
 * - EACCES: the segment exists and the caller may not use it as `shmflg` asks
 * - EEXIST: it exists and `shmflg` has IPC_CREAT and IPC_EXCL
 * - EINVAL: it exists and is smaller than `size`; or a new one of 0 or more than shmmax bytes, or of
 *   huge pages of a size unknown here
 * - ENOENT: it does not exist and `shmflg` has no IPC_CREAT
 * - ENOMEM: the file system of the namespace cannot hold it, or has no huge pages
 * - ENOSPC: the limit shmmni or shmall is reached
 * - EPERM: SHM_HUGETLB beyond RLIMIT_MEMLOCK without CAP_IPC_LOCK
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/shmget.html>
 */
int shmget(key_t key,
           size_t size,
           int shmflg)
USIPC_THROW;

/**
 * Attaches a segment to the memory of the process: at `shmaddr` (rounded down to a whole page with
 * SHM_RND; in place of what is there with SHM_REMAP), or where there is room if that is NULL. With
 * SHM_RDONLY for reading only, with SHM_EXEC for execution too. Returns the address, or (void *) -1.
 * shmop(2)
 *
 * Errors:
 * - EACCES: no permission on the segment; or SHM_EXEC on a file system mounted noexec
 * - EINVAL: no such segment, or `shmaddr` is not at a page, or not free, or NULL with SHM_REMAP
 * - ENOMEM: no room in the process's memory
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/shmat.html>
 */
void *shmat(int shmid,
            const void *shmaddr,
            int shmflg)
USIPC_THROW;

/**
 * Detaches the segment that shmat attached at `shmaddr`. shmop(2)
 *
 * Errors:
 * - EINVAL: none was
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/shmdt.html>
 */
int shmdt(const void *shmaddr) USIPC_THROW;

/**
 * Controls a segment: IPC_STAT, IPC_SET, IPC_RMID (it goes with its last attachment), and Linux'
 * SHM_LOCK, SHM_UNLOCK, IPC_INFO (where `buf` points to a `struct shminfo`), SHM_INFO (a `struct
 * shm_info`), SHM_STAT and SHM_STAT_ANY (where `shmid` is an index). Returns 0, the highest index in
 * use (the two INFO commands), or an identifier (the two SHM_STAT commands). shmctl(2)
 *
 * Errors:
 * - EACCES: IPC_STAT or SHM_STAT without read permission
 * - EFAULT: `buf` is no address
 * - EINVAL: no such segment or index, or no such command
 * - ENOMEM: SHM_LOCK of more than RLIMIT_MEMLOCK without CAP_IPC_LOCK
 * - EPERM: IPC_SET or IPC_RMID by neither owner nor creator nor CAP_SYS_ADMIN; SHM_LOCK or SHM_UNLOCK
 *   by neither owner nor creator nor CAP_IPC_LOCK
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/shmctl.html>
 */
int shmctl(int shmid,
           int cmd,
           struct shmid_ds *buf)
USIPC_THROW;

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* USIPC_SHM_H */
