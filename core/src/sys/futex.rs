//! Futexes, shared between processes (never the private ones: the words lie in shared memory).

use super::clock::Deadline;
use super::raw::syscall;
use crate::errno::Result;
use crate::sync::primitive::AtomicU32;
use libc::timespec;

const FUTEX_WAKE: i32 = 1;
const FUTEX_CMP_REQUEUE: i32 = 4;
const FUTEX_WAIT_BITSET: i32 = 9;
const FUTEX_CLOCK_REALTIME: i32 = 256;
const MATCH_ANY: u32 = u32::MAX;

/// Sleeps while `*word == value`, until woken or until `until`.
/// EAGAIN (value differs), EINTR (a handler ran, even one with SA_RESTART: a wait with a timeout
/// is never restarted, signal(7)), ETIMEDOUT. futex(2)
pub fn wait_until(word: &AtomicU32, value: u32, until: &Deadline) -> Result<()> {
    #[cfg(loom)]
    if crate::model::runs() {
        return crate::model::futex::wait(word, value, until);
    }
    let clock = if until.realtime { FUTEX_CLOCK_REALTIME } else { 0 };
    // SAFETY: the word outlives the call (a mapping held by a reference count); `until` is valid.
    unsafe {
        syscall!(
            libc::SYS_futex,
            word.as_ptr(),
            FUTEX_WAIT_BITSET | clock,
            value,
            &until.at as *const timespec,
            0,
            MATCH_ANY
        )
    }
    .map(|_| ())
}

/// Wakes up to `n` sleepers; how many there were.
pub fn wake(word: &AtomicU32, n: u32) -> usize {
    #[cfg(loom)]
    if crate::model::runs() {
        return crate::model::futex::wake(word, n);
    }
    // SAFETY: waking needs only an address.
    unsafe { syscall!(libc::SYS_futex, word.as_ptr(), FUTEX_WAKE, n) }.unwrap_or(0)
}

/// Lets one who sleeps on `word`, which has `value`, go on sleeping on `other`; how many there were.
pub fn move_sleeper(word: &AtomicU32, value: u32, other: &AtomicU32) -> usize {
    #[cfg(loom)]
    if crate::model::runs() {
        return crate::model::futex::move_sleeper(word, other);
    }
    // SAFETY: only addresses; the kernel reads the first word.
    unsafe { syscall!(libc::SYS_futex, word.as_ptr(), FUTEX_CMP_REQUEUE, 0, 1, other.as_ptr(), value) }
        .unwrap_or(0)
}
