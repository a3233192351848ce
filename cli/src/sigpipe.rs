//! SIGPIPE as our caller left it.
//!
//! Rust's runtime sets it to SIG_IGN before main(), which exec would hand on to the program we run.

use std::sync::atomic::{AtomicBool, Ordering};

static IGNORED: AtomicBool = AtomicBool::new(false);

extern "C" fn remember() {
    // SAFETY: sigaction is plain data; with a null new action the call only fills `old`.
    let ignored = unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGPIPE, std::ptr::null(), &mut old) == 0 && old.sa_sigaction == libc::SIG_IGN
    };
    IGNORED.store(ignored, Ordering::Relaxed);
}

/// Constructors run before Rust's runtime does.
#[used]
#[link_section = ".init_array"]
static REMEMBER: extern "C" fn() = remember;

/// Sets SIGPIPE back, so that `usipc ls | head` ends as other commands do and `usipc run` is transparent.
pub fn restore() {
    if !IGNORED.load(Ordering::Relaxed) {
        // SAFETY: no handler is installed, only the default disposition.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    }
}
