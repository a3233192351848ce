/* Written by `cargo run --example headers`: edit the sources in src/ instead. */

#ifndef USIPC_SEMAPHORE_H
#define USIPC_SEMAPHORE_H

#include <semaphore.h>

#ifndef USIPC_THROW
#ifdef __THROW
#define USIPC_THROW __THROW
#else
#define USIPC_THROW
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Opens the named semaphore `name`; with O_CREAT, two more arguments follow: the permissions (a
 * mode_t) and the value (an unsigned int). The same semaphore has the same address in a process,
 * however often it is opened. sem_open(3)
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/sem_open.html>
 */
sem_t *sem_open(const char *name, int oflag, ...) USIPC_THROW;

#ifdef __cplusplus
}  // extern "C"
#endif

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Closes a named semaphore; as often as it was opened, and its memory is given back. sem_close(3)
 *
 * Errors:
 * - EINVAL: `sem` is not one that this process has open
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/sem_close.html>
 */
int sem_close(sem_t *sem) USIPC_THROW;

/**
 * Removes the name of a semaphore; the semaphore itself goes with the last process that has it
 * open. sem_unlink(3)
 *
 * Errors:
 * - EACCES: no permission to remove it
 * - EFAULT: `name` is no address
 * - ENAMETOOLONG: `name` is too long
 * - ENOENT: there is no such semaphore
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/sem_unlink.html>
 */
int sem_unlink(const char *name) USIPC_THROW;

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* USIPC_SEMAPHORE_H */
