/* Written by `cargo run --example headers`: edit the sources in src/ instead. */

#ifndef USIPC_IPC_H
#define USIPC_IPC_H

#include <sys/ipc.h>

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
 * Makes a key for msgget of the file `pathname` and the low eight bits of `proj_id`: the same two
 * give the same key in every process. ftok(3)
 *
 * Errors:
 * - as stat(2) of `pathname`: EACCES, EFAULT, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/ftok.html>
 */
key_t ftok(const char *pathname, int proj_id) USIPC_THROW;

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* USIPC_IPC_H */
