//! A lock between the threads of one process.

use crate::sync::primitive::{AtomicU32, Ordering::*};
use crate::sys::{clock, futex};

/// A pause after which a sleeper looks again by itself.
const SLICE_NS: i64 = 100_000_000;

/// The lock word: 0 free, 1 held, 2 held and perhaps waited for. It lies in the
/// [`crate::process::ProcessPage`], so that a child never inherits it held by a thread that it does
/// not have.
pub struct LocalLock(AtomicU32);

/// Held until dropped.
pub struct Held<'a>(&'a AtomicU32);

impl LocalLock {
    /// Takes the lock. The caller is inside a section: a handler that came in between would wait
    /// for the thread that it interrupted.
    #[inline(never)]
    pub fn hold(&self) -> Held<'_> {
        let word = &self.0;
        // SYNC: process lock (acquire side)
        if word.compare_exchange(0, 1, Acquire, Relaxed).is_err() {
            while word.swap(2, Acquire) != 0 {
                let _ = futex::wait_until(word, 2, &clock::sooner(None, SLICE_NS));
            }
        }
        Held(word)
    }
}

impl Drop for Held<'_> {
    #[inline(never)]
    fn drop(&mut self) {
        // SYNC: process lock (release side)
        if self.0.swap(0, Release) == 2 {
            futex::wake(self.0, 1);
        }
    }
}
