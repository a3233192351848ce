/* Written by `cargo run --example headers`: edit the sources in src/ instead. */

#ifndef USIPC_SEM_H
#define USIPC_SEM_H

#include <sys/sem.h>

#ifndef USIPC_THROW
#ifdef __THROW
#define USIPC_THROW __THROW
#else
#define USIPC_THROW
#endif
#endif
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Controls a semaphore set, or the semaphore `semnum` of it: IPC_STAT, IPC_SET, IPC_RMID, GETVAL,
 * SETVAL, GETALL, SETALL, GETPID, GETNCNT, GETZCNT, and Linux' IPC_INFO, SEM_INFO, SEM_STAT and
 * SEM_STAT_ANY (where `semid` is an index). The commands that need one have a fourth argument, a
 * `union semun`, which programs define themselves. Returns 0, what was asked for (the GET commands for
 * one semaphore), the highest index in use (the two INFO commands), or an identifier (the two
 * SEM_STAT commands). semctl(2)
 *
 * Errors:
 * - EACCES: no permission to read or alter the set as the command asks
 * - EFAULT: the fourth argument is no address
 * - EIDRM: the set was removed
 * - EINVAL: no such set, semaphore, index or command
 * - EPERM: IPC_SET or IPC_RMID by neither owner nor creator nor CAP_SYS_ADMIN
 * - ERANGE: SETVAL or SETALL of a value below 0 or above 32767
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/semctl.html>
 */
int semctl(int semid, int semnum, int cmd, ...) USIPC_THROW;

#ifdef __cplusplus
}  // extern "C"
#endif

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Returns the identifier of the semaphore set with the key `key`, which it creates with `nsems`
 * semaphores, all 0, and the permissions in the low nine bits of `semflg` if that has IPC_CREAT, or
 * if the key is IPC_PRIVATE. semget(2)
 *
 * Errors:
 * - EACCES: the set exists and the caller may not use it as `semflg` asks
 * - EEXIST: it exists and `semflg` has IPC_CREAT and IPC_EXCL
 * - EINVAL: `nsems` is below 0 or above the limit semmsl; it is 0 and the set does not exist, or
 *   the set has fewer
 * - ENOENT: it does not exist and `semflg` has no IPC_CREAT
 * - ENOMEM, ENOSPC: no memory for a new set, or the limit semmni is reached
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/semget.html>
 */
int semget(key_t key, int nsems, int semflg) USIPC_THROW;

/**
 * Does the `nsops` operations in `sops` on a set, all at once or none of them. Waits until all can
 * be done, unless the one that cannot has IPC_NOWAIT. What an operation with SEM_UNDO did is undone
 * when the process ends. semop(2)
 *
 * Errors:
 * - E2BIG: `nsops` is above the limit semopm
 * - EACCES: no permission to alter the set, or to read it where all operations wait for zero
 * - EAGAIN: an operation with IPC_NOWAIT cannot be done at once
 * - EFAULT: `sops` is no address
 * - EFBIG: a semaphore that the set does not have
 * - EIDRM: the set was removed
 * - EINTR: a signal handler ran during the wait, even one with SA_RESTART
 * - EINVAL: no such set, or `nsops` is 0
 * - ENOMEM: no memory to wait, or for what is to be undone
 * - ERANGE: a value above 32767, or too much to be undone
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/semop.html>
 */
int semop(int semid, struct sembuf *sops, size_t nsops) USIPC_THROW;

/**
 * As semop, waiting no longer than `timeout` (NULL: for ever), which is relative. semop(2)
 *
 * Errors: those of semop, and
 * - EAGAIN: the time is over
 * - EFAULT: `timeout` is no address
 * - EINVAL: `timeout` is below 0, or has no valid nanoseconds
 *
 * Source: <https://man7.org/linux/man-pages/man2/semop.2.html>
 */
int semtimedop(int semid,
               struct sembuf *sops,
               size_t nsops,
               const struct timespec *timeout)
USIPC_THROW;

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* USIPC_SEM_H */
