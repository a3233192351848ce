/* Written by `cargo run --example headers`: edit the sources in src/ instead. */

#ifndef USIPC_MQUEUE_H
#define USIPC_MQUEUE_H

#include <mqueue.h>

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
 * Opens the message queue `name`; with O_CREAT, two more arguments follow: the permissions (a
 * mode_t) and the attributes (a const struct mq_attr *, or NULL for the defaults). mq_open(3)
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_open.html>
 */
mqd_t mq_open(const char *name, int oflag, ...) USIPC_THROW;

#ifdef __cplusplus
}  // extern "C"
#endif

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Closes a message queue descriptor, and removes the calling process's notification request for
 * the queue. mq_close(3)
 *
 * Errors:
 * - EBADF: `mqdes` is not open
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_close.html>
 */
int mq_close(mqd_t mqdes) USIPC_THROW;

/**
 * Removes the name of a message queue; the queue itself goes with its last descriptor. mq_unlink(3)
 *
 * Errors:
 * - EACCES: no permission to remove it
 * - EFAULT: `name` is no address
 * - EINVAL: `name` does not begin with a slash
 * - ENAMETOOLONG: `name` is too long
 * - ENOENT: there is no such queue
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_unlink.html>
 */
int mq_unlink(const char *name) USIPC_THROW;

/**
 * Sends the `msg_len` bytes at `msg_ptr` with the priority `msg_prio` (0 to 32767, the highest is
 * received first). Waits for room unless the description has O_NONBLOCK. A cancellation point.
 * mq_send(3)
 *
 * Errors:
 * - EAGAIN: the queue is full, and the description has O_NONBLOCK
 * - EBADF: `mqdes` is not open for writing
 * - EBADMSG: the queue's memory has been spoilt
 * - EFAULT: `msg_ptr` is no address
 * - EINTR: a signal handler without SA_RESTART ran during the wait
 * - EINVAL: `msg_prio` is too high
 * - EMSGSIZE: `msg_len` is greater than mq_msgsize
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_send.html>
 */
int mq_send(mqd_t mqdes, const char *msg_ptr, size_t msg_len, unsigned int msg_prio);

/**
 * As mq_send, but waits no longer than until `abs_timeout` on CLOCK_REALTIME; NULL: for ever.
 * mq_timedsend(3)
 *
 * Errors:
 * - as mq_send
 * - EFAULT: `abs_timeout` is no address
 * - EINVAL: `abs_timeout` is negative, or its tv_nsec is not below 10^9
 * - ETIMEDOUT: the time came before there was room
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_timedsend.html>
 */
int mq_timedsend(mqd_t mqdes,
                 const char *msg_ptr,
                 size_t msg_len,
                 unsigned int msg_prio,
                 const struct timespec *abs_timeout);

/**
 * Takes the oldest of the messages with the highest priority out of the queue, into the `msg_len`
 * bytes at `msg_ptr`, and its priority into `msg_prio` unless that is NULL; returns its length in
 * bytes. Waits for a message unless the description has O_NONBLOCK. A cancellation point.
 * mq_receive(3)
 *
 * Errors:
 * - EAGAIN: the queue is empty, and the description has O_NONBLOCK
 * - EBADF: `mqdes` is not open for reading
 * - EBADMSG: the queue's memory has been spoilt
 * - EFAULT: `msg_ptr` or `msg_prio` is no address
 * - EINTR: a signal handler without SA_RESTART ran during the wait
 * - EMSGSIZE: `msg_len` is less than mq_msgsize
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_receive.html>
 */
ssize_t mq_receive(mqd_t mqdes, char *msg_ptr, size_t msg_len, unsigned int *msg_prio);

/**
 * As mq_receive, but waits no longer than until `abs_timeout` on CLOCK_REALTIME; NULL: for
 * ever. mq_timedreceive(3)
 *
 * Errors:
 * - as mq_receive
 * - EFAULT: `abs_timeout` is no address
 * - EINVAL: `abs_timeout` is negative, or its tv_nsec is not below 10^9
 * - ETIMEDOUT: the time came before there was a message
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_timedreceive.html>
 */
ssize_t mq_timedreceive(mqd_t mqdes,
                        char *msg_ptr,
                        size_t msg_len,
                        unsigned int *msg_prio,
                        const struct timespec *abs_timeout);

/**
 * Reads the attributes of a message queue and of its description (mq_flags: 0 or O_NONBLOCK).
 * mq_getattr(3)
 *
 * Errors:
 * - EBADF: `mqdes` is not open
 * - EFAULT: `attr` is no address
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_getattr.html>
 */
int mq_getattr(mqd_t mqdes, struct mq_attr *attr) USIPC_THROW;

/**
 * Sets the O_NONBLOCK flag of a description from mq_flags of `newattr` (the rest of it is ignored),
 * and reads the attributes as they were into `oldattr` unless that is NULL. mq_setattr(3)
 *
 * Errors:
 * - EBADF: `mqdes` is not open
 * - EFAULT: `newattr` or `oldattr` is no address
 * - EINVAL: mq_flags has other bits than O_NONBLOCK
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_setattr.html>
 */
int mq_setattr(mqd_t mqdes, const struct mq_attr *newattr, struct mq_attr *oldattr) USIPC_THROW;

/**
 * Asks for a notification (SIGEV_NONE, SIGEV_SIGNAL or SIGEV_THREAD) when a message arrives at the
 * empty queue and nobody waits in mq_receive for it; NULL takes the request back. One process at a
 * time may ask, and is notified once. mq_notify(3)
 *
 * Errors:
 * - EBADF: `mqdes` is not open
 * - EBUSY: another process has asked already
 * - EFAULT: `sevp` is no address
 * - EINVAL: sigev_notify or sigev_signo is not valid
 * - ENOMEM: no memory
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_notify.html>
 */
int mq_notify(mqd_t mqdes, const struct sigevent *sevp) USIPC_THROW;

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* USIPC_MQUEUE_H */
