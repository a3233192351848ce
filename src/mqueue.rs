//! `<mqueue.h>`: POSIX message queues.

use crate::rt;
use libc::{c_char, c_int, c_uint, mode_t, mq_attr, mqd_t, sigevent, size_t, ssize_t, timespec, O_CREAT};
use usipc_core::errno::OrMinusOne;
use usipc_core::posix::mqueue;
use usipc_core::user::{In, Out};

/// Opens the message queue `name` ("/" and up to 254 other characters) for O_RDONLY, O_WRONLY or
/// O_RDWR; with O_CREAT, which alone looks at `mode` and `attr`, creates it if need be, for
/// `mq_maxmsg` messages of up to `mq_msgsize` bytes (NULL: the defaults, 10 of 8192). Returns a
/// descriptor, which is closed on exec. mq_open(3)
///
/// Of fixed arity, as a variadic definition cannot be written in stable Rust: on the supported
/// machines a caller passes these arguments in the same registers.
///
/// Errors:
/// - EACCES: no permission to open it so, or more than one slash in `name`
/// - EEXIST: it exists, and `oflag` has O_CREAT and O_EXCL
/// - EFAULT: `name` or `attr` is no address
/// - EINVAL: `name` does not begin with a slash, an attribute is out of range, or the namespace has a
///   layout that this library does not know
/// - EMFILE, ENFILE: too many open descriptors
/// - ENAMETOOLONG: `name` is too long
/// - ENOENT: it does not exist and `oflag` has no O_CREAT, or `name` is "/"
/// - ENOMEM, ENOSPC: no memory for a new queue
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_open.html>
#[no_mangle]
pub unsafe extern "C" fn mq_open(
    name: *const c_char,
    oflag: c_int,
    mode: mode_t,
    attr: *const mq_attr,
) -> mqd_t {
    // Without O_CREAT the caller passed neither, and the registers hold anything.
    // SAFETY: the C caller's contract: a string, and attributes or NULL.
    let (mode, attr) = if oflag & O_CREAT != 0 { (mode, unsafe { In::new(attr) }) } else { (0, In::null()) };
    // SAFETY: as above.
    mqueue::open(unsafe { In::new(name) }, oflag, mode, attr).or_minus_one_errno()
}

/// What `mq_open` with two arguments becomes under `_FORTIFY_SOURCE` when `oflag` is not a constant:
/// with O_CREAT it ends the process, as glibc's does.
///
/// Errors:
/// - as mq_open
///
/// Source: glibc's `<bits/mqueue2.h>`
#[no_mangle]
pub unsafe extern "C" fn __mq_open_2(name: *const c_char, oflag: c_int) -> mqd_t {
    if oflag & O_CREAT != 0 {
        rt::die(b"*** invalid mq_open call: O_CREAT without mode and attr ***: terminated\n");
    }
    // SAFETY: the C caller's contract: a string.
    mqueue::open(unsafe { In::new(name) }, oflag, 0, In::null()).or_minus_one_errno()
}

/// Closes a message queue descriptor, and removes the calling process's notification request for
/// the queue. mq_close(3)
///
/// Errors:
/// - EBADF: `mqdes` is not open
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_close.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn mq_close(mqdes: mqd_t) -> c_int {
    mqueue::close(mqdes).or_minus_one_errno()
}

/// Removes the name of a message queue; the queue itself goes with its last descriptor. mq_unlink(3)
///
/// Errors:
/// - EACCES: no permission to remove it
/// - EFAULT: `name` is no address
/// - EINVAL: `name` does not begin with a slash
/// - ENAMETOOLONG: `name` is too long
/// - ENOENT: there is no such queue
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_unlink.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn mq_unlink(name: *const c_char) -> c_int {
    // SAFETY: the C caller's contract: a string.
    mqueue::unlink(unsafe { In::new(name) }).or_minus_one_errno()
}

/// Sends the `msg_len` bytes at `msg_ptr` with the priority `msg_prio` (0 to 32767, the highest is
/// received first). Waits for room unless the description has O_NONBLOCK. A cancellation point.
/// mq_send(3)
///
/// Errors:
/// - EAGAIN: the queue is full, and the description has O_NONBLOCK
/// - EBADF: `mqdes` is not open for writing
/// - EBADMSG: the queue's memory has been spoilt
/// - EFAULT: `msg_ptr` is no address
/// - EINTR: a signal handler without SA_RESTART ran during the wait
/// - EINVAL: `msg_prio` is too high
/// - EMSGSIZE: `msg_len` is greater than mq_msgsize
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_send.html>
#[no_mangle]
pub unsafe extern "C" fn mq_send(
    mqdes: mqd_t,
    msg_ptr: *const c_char,
    msg_len: size_t,
    msg_prio: c_uint,
) -> c_int {
    // SAFETY: the C caller's contract: msg_len bytes.
    mqueue::send(mqdes, unsafe { In::new(msg_ptr) }, msg_len, msg_prio, In::null()).or_minus_one_errno()
}

/// As mq_send, but waits no longer than until `abs_timeout` on CLOCK_REALTIME; NULL: for ever.
/// mq_timedsend(3)
///
/// Errors:
/// - as mq_send
/// - EFAULT: `abs_timeout` is no address
/// - EINVAL: `abs_timeout` is negative, or its tv_nsec is not below 10^9
/// - ETIMEDOUT: the time came before there was room
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_timedsend.html>
#[no_mangle]
pub unsafe extern "C" fn mq_timedsend(
    mqdes: mqd_t,
    msg_ptr: *const c_char,
    msg_len: size_t,
    msg_prio: c_uint,
    abs_timeout: *const timespec,
) -> c_int {
    // SAFETY: the C caller's contract: msg_len bytes, and a time or NULL.
    let (msg_ptr, until) = unsafe { (In::new(msg_ptr), In::new(abs_timeout)) };
    mqueue::send(mqdes, msg_ptr, msg_len, msg_prio, until).or_minus_one_errno()
}

/// Takes the oldest of the messages with the highest priority out of the queue, into the `msg_len`
/// bytes at `msg_ptr`, and its priority into `msg_prio` unless that is NULL; returns its length in
/// bytes. Waits for a message unless the description has O_NONBLOCK. A cancellation point.
/// mq_receive(3)
///
/// Errors:
/// - EAGAIN: the queue is empty, and the description has O_NONBLOCK
/// - EBADF: `mqdes` is not open for reading
/// - EBADMSG: the queue's memory has been spoilt
/// - EFAULT: `msg_ptr` or `msg_prio` is no address
/// - EINTR: a signal handler without SA_RESTART ran during the wait
/// - EMSGSIZE: `msg_len` is less than mq_msgsize
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_receive.html>
#[no_mangle]
pub unsafe extern "C" fn mq_receive(
    mqdes: mqd_t,
    msg_ptr: *mut c_char,
    msg_len: size_t,
    msg_prio: *mut c_uint,
) -> ssize_t {
    // SAFETY: the C caller's contract: room for msg_len bytes, and for a priority or NULL.
    let (msg_ptr, msg_prio) = unsafe { (Out::new(msg_ptr), Out::new(msg_prio)) };
    mqueue::receive(mqdes, msg_ptr, msg_len, msg_prio, In::null()).or_minus_one_errno()
}

/// As mq_receive, but waits no longer than until `abs_timeout` on CLOCK_REALTIME; NULL: for
/// ever. mq_timedreceive(3)
///
/// Errors:
/// - as mq_receive
/// - EFAULT: `abs_timeout` is no address
/// - EINVAL: `abs_timeout` is negative, or its tv_nsec is not below 10^9
/// - ETIMEDOUT: the time came before there was a message
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_timedreceive.html>
#[no_mangle]
pub unsafe extern "C" fn mq_timedreceive(
    mqdes: mqd_t,
    msg_ptr: *mut c_char,
    msg_len: size_t,
    msg_prio: *mut c_uint,
    abs_timeout: *const timespec,
) -> ssize_t {
    // SAFETY: the C caller's contract: as mq_receive, and a time or NULL.
    let (msg_ptr, msg_prio, until) = unsafe { (Out::new(msg_ptr), Out::new(msg_prio), In::new(abs_timeout)) };
    mqueue::receive(mqdes, msg_ptr, msg_len, msg_prio, until).or_minus_one_errno()
}

/// Reads the attributes of a message queue and of its description (mq_flags: 0 or O_NONBLOCK).
/// mq_getattr(3)
///
/// Errors:
/// - EBADF: `mqdes` is not open
/// - EFAULT: `attr` is no address
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_getattr.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn mq_getattr(mqdes: mqd_t, attr: *mut mq_attr) -> c_int {
    // SAFETY: the C caller's contract: room for the attributes.
    mqueue::attributes(mqdes, In::null(), unsafe { Out::new(attr) }).or_minus_one_errno()
}

/// Sets the O_NONBLOCK flag of a description from mq_flags of `newattr` (the rest of it is ignored),
/// and reads the attributes as they were into `oldattr` unless that is NULL. mq_setattr(3)
///
/// Errors:
/// - EBADF: `mqdes` is not open
/// - EFAULT: `newattr` or `oldattr` is no address
/// - EINVAL: mq_flags has other bits than O_NONBLOCK
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_setattr.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn mq_setattr(mqdes: mqd_t, newattr: *const mq_attr, oldattr: *mut mq_attr) -> c_int {
    // SAFETY: the C caller's contract: attributes, and room for them, or NULL.
    let (newattr, oldattr) = unsafe { (In::new(newattr), Out::new(oldattr)) };
    mqueue::attributes(mqdes, newattr, oldattr).or_minus_one_errno()
}

/// Asks for a notification (SIGEV_NONE, SIGEV_SIGNAL or SIGEV_THREAD) when a message arrives at the
/// empty queue and nobody waits in mq_receive for it; NULL takes the request back. One process at a
/// time may ask, and is notified once. mq_notify(3)
///
/// Errors:
/// - EBADF: `mqdes` is not open
/// - EBUSY: another process has asked already
/// - EFAULT: `sevp` is no address
/// - EINVAL: sigev_notify or sigev_signo is not valid
/// - ENOMEM: no memory
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_notify.html>
/// cbindgen:postfix=USIPC_THROW
#[no_mangle]
pub unsafe extern "C" fn mq_notify(mqdes: mqd_t, sevp: *const sigevent) -> c_int {
    // SAFETY: the C caller's contract: a request or NULL.
    mqueue::notify(mqdes, unsafe { In::new(sevp) }).or_minus_one_errno()
}
