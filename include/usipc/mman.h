/* Written by `cargo run --example headers`: edit the sources in src/ instead. */

#ifndef USIPC_MMAN_H
#define USIPC_MMAN_H

#include <sys/mman.h>

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
 * Opens the shared memory object `name` (up to 255 characters behind its slash) for O_RDONLY or
 * O_RDWR; with O_CREAT, creates it if need be, empty, with the permissions `mode` less the umask.
 * Returns the lowest free descriptor, which is closed on exec. shm_open(3)
 *
 * Errors:
 * - EACCES: no permission to open it so
 * - EEXIST: it exists, and `oflag` has O_CREAT and O_EXCL
 * - EFAULT: `name` is no address
 * - EINVAL: `name` is empty or has a slash inside
 * - ELOOP: there is a symbolic link by this name
 * - EMFILE, ENFILE: too many open descriptors
 * - ENAMETOOLONG: `name` is too long
 * - ENOENT: it does not exist and `oflag` has no O_CREAT
 * - ENOSPC: no room for a new one
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/shm_open.html>
 */
int shm_open(const char *name, int oflag, mode_t mode);

/**
 * Removes the name of a shared memory object; the memory goes with the last descriptor and mapping
 * of it. shm_unlink(3)
 *
 * Errors:
 * - EACCES: no permission to remove it
 * - EFAULT: `name` is no address
 * - ENAMETOOLONG: `name` is too long
 * - ENOENT: there is no such object
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/shm_unlink.html>
 */
int shm_unlink(const char *name);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* USIPC_MMAN_H */
