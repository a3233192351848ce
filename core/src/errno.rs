//! Error numbers, and the one place that writes `errno`.

use core::ffi::c_int;

/// An error number as `<errno.h>` names them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub c_int);

/// What every operation of this crate returns.
pub type Result<T> = core::result::Result<T, Errno>;

impl Errno {
    /// The number itself, as `errno` holds it.
    pub const fn raw(self) -> c_int {
        self.0
    }
}

macro_rules! errnos {
    ($($name:ident)*) => { impl Errno { $(
        #[allow(missing_docs)]
        pub const $name: Errno = Errno(libc::$name);
    )* } };
}
errnos! {
    E2BIG EACCES EAGAIN EBADF EBADMSG EBUSY EDEADLK EEXIST EFAULT EFBIG EIDRM EINTR EINVAL
    EISDIR ELOOP EMFILE EMSGSIZE ENAMETOOLONG ENFILE ENODEV ENOENT ENOMEM ENOMSG ENOSPC ENOSYS ENOTDIR
    ENXIO EOPNOTSUPP EPERM ERANGE EROFS ESRCH ETIMEDOUT
}

/// Turns a result into what a C function returns: the value, or -1 with `errno` set.
/// Success never writes `errno`.
pub trait OrMinusOne {
    /// The C return type.
    type Out;
    /// The value, or -1 with `errno` set.
    fn or_minus_one_errno(self) -> Self::Out;
}

fn set_errno(e: Errno) {
    // SAFETY: the address of this thread's errno is always valid.
    unsafe { *libc::__errno_location() = e.0 }
}

impl OrMinusOne for Result<c_int> {
    type Out = c_int;
    fn or_minus_one_errno(self) -> c_int {
        self.unwrap_or_else(|e| {
            set_errno(e);
            -1
        })
    }
}

impl OrMinusOne for Result<()> {
    type Out = c_int;
    fn or_minus_one_errno(self) -> c_int {
        self.map(|()| 0).or_minus_one_errno()
    }
}

impl OrMinusOne for Result<usize> {
    type Out = isize;
    fn or_minus_one_errno(self) -> isize {
        match self {
            Ok(n) => n as isize,
            Err(e) => {
                set_errno(e);
                -1
            }
        }
    }
}

/// A `sem_open(3)` result: the semaphore, or `SEM_FAILED` with `errno` set.
pub fn or_sem_failed(result: Result<*mut libc::sem_t>) -> *mut libc::sem_t {
    result.unwrap_or_else(|e| {
        set_errno(e);
        libc::SEM_FAILED
    })
}

/// A `signal(2)` result: the previous handler, or `SIG_ERR` with `errno` set.
pub fn or_sig_err(result: Result<libc::sighandler_t>) -> libc::sighandler_t {
    result.unwrap_or_else(|e| {
        set_errno(e);
        libc::SIG_ERR
    })
}
