//! Thread cancellation (pthreads(7)): only a thread that is about to sleep can be cancelled, in a
//! window in which nothing is held that the clean-up does not give back.

use crate::errno::Result;
use core::ffi::{c_int, c_void};

/// glibc's and musl's `struct _pthread_cleanup_buffer` / `struct __ptcb`: both fit.
#[repr(C)]
struct CleanupBuffer {
    words: [usize; 8],
}

extern "C" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
    fn pthread_setcanceltype(kind: c_int, old: *mut c_int) -> c_int;
    fn pthread_testcancel();
    fn _pthread_cleanup_push(
        buffer: *mut CleanupBuffer,
        routine: extern "C" fn(*mut c_void),
        arg: *mut c_void,
    );
    fn _pthread_cleanup_pop(buffer: *mut CleanupBuffer, execute: c_int);
}

const PTHREAD_CANCEL_ASYNCHRONOUS: c_int = 1;
const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// A cancellation point: acts on a pending cancellation. No value with a `Drop` may be alive in the caller.
pub fn test() {
    // SAFETY: no arguments; unwinding passes over frames without destructors.
    unsafe { pthread_testcancel() }
}

/// Runs `body` without being cancelled, even where the thread may be at any instruction: such a
/// thread is cancelled on the way out.
pub fn put_off(body: &dyn Fn() -> Result<usize>) -> Result<usize> {
    let mut old = 0;
    // SAFETY: the pointer is valid; the state is put back below.
    unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &mut old) };
    let result = body();
    // SAFETY: as above.
    unsafe { pthread_setcancelstate(old, &mut old) };
    result
}

/// Runs `body(arg)` so that the thread can be cancelled in it, at any instruction; if it is,
/// `cleanup(arg)` runs before the program's own clean-up handlers.
///
/// # Safety
/// `body` does nothing but enter the kernel to sleep; no value with a `Drop` is alive in any frame
/// of this crate below.
pub unsafe fn sleep_cancellable(
    body: extern "C" fn(*mut c_void),
    cleanup: extern "C" fn(*mut c_void),
    arg: *mut c_void,
) {
    let mut buffer = CleanupBuffer { words: [0; 8] };
    let mut old = 0;
    // SAFETY: the buffer lives until it is popped; the pairs are balanced, as pthread_cleanup_push(3) asks.
    unsafe {
        _pthread_cleanup_push(&mut buffer, cleanup, arg);
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &mut old);
        body(arg);
        pthread_setcanceltype(old, &mut old);
        _pthread_cleanup_pop(&mut buffer, 0);
    }
}
