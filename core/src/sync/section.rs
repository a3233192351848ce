//! A critical section in which no signal handler of the program runs.
//!
//! Blocking signals would cost two system calls, more than the operation. Instead a thread-local
//! depth says that we are inside; the trampoline in front of every handler (see [`crate::signal`])
//! looks at it, keeps the signal, and the end of the section raises it again.

use crate::errno::{Errno, Result};
use crate::likely::unlikely;
use crate::sys::tls::{tls, Tls};
use core::sync::atomic::{compiler_fence, Ordering::SeqCst};

const INSIDE: u32 = 1;
/// In the same word, so that leaving the section clears it: see [`once_in_a_section`].
const CHECKED: u32 = 2;

/// Whether the caller, for the first time in this section or outside of any, has to make a check that holds for all of it.
pub fn once_in_a_section() -> bool {
    let inside = &tls().inside;
    let first = inside.get() & CHECKED == 0;
    if inside.get() != 0 {
        inside.set(inside.get() | CHECKED);
    }
    first
}

/// Inside until dropped.
pub struct Section(&'static Tls);

impl Section {
    /// Enters. EDEADLK when this thread is inside already: a signal handler that was installed
    /// behind the library's back (a bare rt_sigaction) interrupted a section and called in.
    #[inline(always)]
    pub fn enter() -> Result<Section> {
        let tls = tls();
        if unlikely(tls.inside.get() != 0) {
            return Err(Errno::EDEADLK);
        }
        tls.inside.set(INSIDE);
        // Only this thread's own handlers are meant: no fence of the processor is needed.
        compiler_fence(SeqCst);
        Ok(Section(tls))
    }
}

impl Drop for Section {
    #[inline(always)]
    fn drop(&mut self) {
        compiler_fence(SeqCst);
        self.0.inside.set(0);
        compiler_fence(SeqCst);
        if unlikely(self.0.deferred.get() != 0) {
            crate::signal::let_deferred_in(self.0);
        }
    }
}
