//! `<signal.h>`: the calls that install handlers. Core keeps handlers out of its critical sections;
//! nothing else about signals differs from libc.

use crate::next::find_all;
use libc::{c_int, sighandler_t};
use usipc_core::errno::{or_sig_err, OrMinusOne};
use usipc_core::signal::{self, Flavour};
use usipc_core::user::{In, Out};

/// Examines and changes the action for a signal. sigaction(2)
///
/// Errors:
/// - EFAULT: `act` or `oldact` is no address
/// - EINVAL: no such signal, or an action for SIGKILL or SIGSTOP
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/sigaction.html>
#[no_mangle]
pub unsafe extern "C" fn sigaction(
    signum: c_int,
    act: *const libc::sigaction,
    oldact: *mut libc::sigaction,
) -> c_int {
    find_all();
    // SAFETY: the C caller's contract: an action, and room for one, or NULL.
    let (act, oldact) = unsafe { (In::new(act), Out::new(oldact)) };
    signal::sigaction(signum, act, oldact).or_minus_one_errno()
}

/// glibc's other name of [`sigaction()`], which it exports too.
///
/// Errors:
/// - as sigaction
///
/// Source: sigaction(2)
#[no_mangle]
pub unsafe extern "C" fn __sigaction(
    signum: c_int,
    act: *const libc::sigaction,
    oldact: *mut libc::sigaction,
) -> c_int {
    find_all();
    // SAFETY: the C caller's contract: an action, and room for one, or NULL.
    let (act, oldact) = unsafe { (In::new(act), Out::new(oldact)) };
    signal::sigaction(signum, act, oldact).or_minus_one_errno()
}

/// Declares a function that installs `handler` with the flags that `signal` or its like has.
macro_rules! signal_like {
    ($($(#[$doc:meta])* $name:ident, $flavour:expr;)*) => { $(
        $(#[$doc])*
        ///
        /// Returns the previous handler, or SIG_ERR. Errors:
        /// - EINVAL: no such signal, or a handler for SIGKILL or SIGSTOP
        ///
        /// Source: signal(2), <https://pubs.opengroup.org/onlinepubs/9799919799/functions/signal.html>
        #[no_mangle]
        pub unsafe extern "C" fn $name(signum: c_int, handler: sighandler_t) -> sighandler_t {
            find_all();
            or_sig_err(signal::signal(signum, handler, $flavour))
        }
    )* };
}

signal_like! {
    /// Installs a handler that stays installed, is blocked while it runs, and restarts calls.
    /// signal(2)
    signal, Flavour::Bsd;
    /// [`signal()`] by the name that old BSD programs know.
    bsd_signal, Flavour::Bsd;
    /// [`signal()`] by the name of System V's software signals, which glibc has given it.
    ssignal, Flavour::Bsd;
    /// Installs a handler that is reset before it runs, is not blocked, and interrupts calls.
    /// sysv_signal(3)
    sysv_signal, Flavour::SysV;
    /// What `signal` becomes in a program compiled for strict X/Open: [`sysv_signal`].
    __sysv_signal, Flavour::SysV;
}

/// Installs a handler that stays installed, and unblocks the signal; SIG_HOLD (2) blocks it instead.
/// Returns the previous handler, SIG_HOLD if the signal was blocked, or SIG_ERR. sigset(3)
///
/// Errors:
/// - EINVAL: no such signal, or a handler for SIGKILL or SIGSTOP
///
/// Source: sigset(3)
#[no_mangle]
pub unsafe extern "C" fn sigset(sig: c_int, disp: sighandler_t) -> sighandler_t {
    find_all();
    or_sig_err(signal::sigset(sig, disp))
}

/// Sets the action for a signal to SIG_IGN. sigset(3)
///
/// Errors:
/// - EINVAL: no such signal, or SIGKILL or SIGSTOP
///
/// Source: sigset(3)
#[no_mangle]
pub unsafe extern "C" fn sigignore(sig: c_int) -> c_int {
    signal::sigignore(sig).or_minus_one_errno()
}

/// Makes the signal's handler interrupt calls (`flag` not 0) or restart them (0). siginterrupt(3)
///
/// Errors:
/// - EINVAL: no such signal
///
/// Source: siginterrupt(3)
#[no_mangle]
pub unsafe extern "C" fn siginterrupt(sig: c_int, flag: c_int) -> c_int {
    signal::siginterrupt(sig, flag).or_minus_one_errno()
}
