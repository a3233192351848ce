/* Written by `cargo run --example headers`: edit the sources in src/ instead. */

#ifndef USIPC_MSG_H
#define USIPC_MSG_H

#include <sys/msg.h>

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
 * Returns the identifier of the message queue with the key `key`, which it creates with the
 * permissions in the low nine bits of `msgflg` if that has IPC_CREAT, or if the key is
 * IPC_PRIVATE. msgget(2)
 *
 * Errors:
 * - EACCES: the queue exists and the caller may not use it as `msgflg` asks
 * - EEXIST: it exists and `msgflg` has IPC_CREAT and IPC_EXCL
 * - EINVAL: the namespace has a layout that this library does not know
 * - ENOENT: it does not exist and `msgflg` has no IPC_CREAT
 * - ENOMEM, ENOSPC: no memory for a new queue, or the limit msgmni is reached
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/msgget.html>
 */
int msgget(key_t key, int msgflg) USIPC_THROW;

/**
 * Appends a message to a queue: `msgp` points to its type, a positive long, which `msgsz` bytes of
 * text follow. Waits for room unless `msgflg` has IPC_NOWAIT. A cancellation point. msgsnd(2)
 *
 * Errors:
 * - EACCES: no write permission on the queue
 * - EAGAIN: no room (msg_qbytes), and `msgflg` has IPC_NOWAIT
 * - EFAULT: `msgp` is no address
 * - EIDRM: the queue was removed
 * - EINTR: a signal handler ran during the wait, even one with SA_RESTART
 * - EINVAL: no such queue, a type below 1, or `msgsz` greater than the limit msgmax
 * - ENOMEM: no memory for the message
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/msgsnd.html>
 */
int msgsnd(int msqid, const void *msgp, size_t msgsz, int msgflg);

/**
 * Takes a message out of a queue: the first (`msgtyp` 0), the first of type `msgtyp` (positive; of
 * any other type with MSG_EXCEPT), or the first of the lowest type up to `-msgtyp` (negative), and
 * with MSG_COPY a copy of the one at position `msgtyp`. Its type, a long, and up to `msgsz` bytes
 * of text go to `msgp`; returns the number of bytes of text. Waits for a message unless `msgflg`
 * has IPC_NOWAIT. A cancellation point. msgrcv(2)
 *
 * Errors:
 * - E2BIG: the text is longer than `msgsz`, and `msgflg` has no MSG_NOERROR
 * - EACCES: no read permission on the queue
 * - EFAULT: `msgp` is no address
 * - EIDRM: the queue was removed
 * - EINTR: a signal handler ran during the wait, even one with SA_RESTART
 * - EINVAL: no such queue, `msgsz` greater than SSIZE_MAX, or MSG_COPY without IPC_NOWAIT or with
 *   MSG_EXCEPT
 * - ENOMSG: no such message, and `msgflg` has IPC_NOWAIT
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/msgrcv.html>
 */
ssize_t msgrcv(int msqid, void *msgp, size_t msgsz, long msgtyp, int msgflg);

/**
 * Controls a message queue: IPC_STAT, IPC_SET, IPC_RMID, and Linux' IPC_INFO, MSG_INFO (where
 * `buf` points to a `struct msginfo`), MSG_STAT and MSG_STAT_ANY (where `msqid` is an index).
 * Returns 0, the highest index in use (the two INFO commands), or an identifier (the two MSG_STAT
 * commands). msgctl(2)
 *
 * Errors:
 * - EACCES: IPC_STAT or MSG_STAT without read permission
 * - EFAULT: `buf` is no address
 * - EIDRM: the queue was removed
 * - EINVAL: no such queue or index, or no such command
 * - EPERM: IPC_SET or IPC_RMID by neither owner nor creator nor CAP_SYS_ADMIN, or msg_qbytes above
 *   the limit msgmnb without CAP_SYS_RESOURCE
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/msgctl.html>
 */
int msgctl(int msqid, int cmd, struct msqid_ds *buf) USIPC_THROW;

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* USIPC_MSG_H */
