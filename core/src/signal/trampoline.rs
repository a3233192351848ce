//! The trampoline, and how signals are kept out of sections.

use super::table::{as_set, real, Action, ACTIONS};
use super::{is_caught, replace, SIG_HOLD};
use crate::namespace::ids;
use crate::process;
use crate::region::object;
use crate::sys::{
    copy,
    raw::syscall,
    tls::{tls, Tls},
};
use core::ffi::{c_int, c_void};
use core::sync::atomic::Ordering::*;
use libc::{siginfo_t, ucontext_t};

/// Raised by the instruction that they interrupt: cannot be put off.
const FAULTS: [c_int; 6] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS];
const FAULT_SET: u64 = {
    let (mut set, mut i) = (0, 0);
    while i < FAULTS.len() {
        set |= 1 << (FAULTS[i] - 1);
        i += 1;
    }
    set
};

/// All signals but the two that the C library keeps for itself (pthread_cancel, set*id in all
/// threads): a thread that blocks those stalls the others.
pub const ALL: u64 = !(3 << 31);

/// `sigprocmask(2)` for this thread; the mask before.
pub fn set_mask(how: c_int, mask: u64) -> u64 {
    let mut old = 0u64;
    // SAFETY: both words are kernel signal sets of 8 bytes.
    let _ = unsafe { syscall!(libc::SYS_rt_sigprocmask, how, &mask as *const u64, &mut old as *mut u64, 8) };
    old
}

/// No handler of the program runs in this thread until this is dropped; but faults are caught, for they may be
/// the answer to a question of ours.
pub struct Quiet(u64);

impl Quiet {
    #[allow(missing_docs)]
    pub fn begin() -> Quiet {
        Quiet(set_mask(libc::SIG_BLOCK, ALL & !FAULT_SET))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        set_mask(libc::SIG_SETMASK, self.0);
    }
}

/// In front of every handler.
pub(super) extern "C" fn trampoline(sig: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let tls = tls();
    // SAFETY: the kernel passes a valid siginfo_t to a SA_SIGINFO handler.
    let fault = FAULTS.contains(&sig) && unsafe { (*info).si_code } > 0;
    if fault && sig == libc::SIGBUS {
        // SAFETY: as above.
        let addr = unsafe { (*info).si_addr() } as usize;
        if lost(tls, addr) {
            return;
        }
    }
    // SAFETY: the context is the kernel's.
    if fault && unsafe { copy::caught(context) } {
        return;
    }
    if tls.inside.get() != 0 && !fault {
        // SAFETY: as above, and context is a ucontext_t.
        unsafe { defer(tls, sig, info, context.cast()) };
        return;
    }
    let (handler, flags, mask) = ACTIONS.get(sig as usize).map_or((0, 0, 0), Action::read);
    if flags & libc::SA_RESETHAND as u32 != 0 {
        // As in the kernel, flags and mask stay.
        let _ = replace(sig, Some(as_set((libc::SIG_DFL, flags, mask))));
    }
    if !fault {
        crate::sync::wait::before_handler(flags & libc::SA_RESTART as u32 != 0);
    }
    if handler <= SIG_HOLD {
        if handler == libc::SIG_DFL && is_caught(sig) || fault {
            // SAFETY: as above.
            unsafe { die_of(sig, info, fault) };
        }
        // Else reset by another thread since the kernel looked, or ignored.
        return;
    }
    // SAFETY: the program installed this address as a handler of this kind.
    unsafe {
        if flags & libc::SA_SIGINFO as u32 != 0 {
            let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = core::mem::transmute(handler);
            handler(sig, info, context);
        } else {
            let handler: extern "C" fn(c_int) = core::mem::transmute(handler);
            handler(sig);
        }
    }
}

/// Whether the fault at `addr` is that of an object whose file was cut short while the library is at work on it.
fn lost(tls: &Tls, addr: usize) -> bool {
    if tls.inside.get() == 0 {
        return false;
    }
    let me = process::page().map_or(0, |page| page.token.load(Relaxed));
    // The file may grow shorter still while this looks at it: that fault, too, comes here.
    let mask = set_mask(libc::SIG_UNBLOCK, 1 << (libc::SIGBUS - 1));
    let lost = object::lose(addr, me) || ids::lose_hints(addr);
    set_mask(libc::SIG_SETMASK, mask);
    lost
}

/// Lets a signal for which the program has no handler do what it does then: end the process.
///
/// # Safety
/// `info` is what the kernel passed to a handler.
unsafe fn die_of(sig: c_int, info: *const siginfo_t, fault: bool) {
    // SAFETY: all-zero is SIG_DFL.
    let default: libc::sigaction = unsafe { core::mem::zeroed() };
    let _ = real(sig, &default, core::ptr::null_mut());
    if !fault {
        // SAFETY: the caller's contract.
        unsafe { raise(sig, info) };
    }
    // A fault comes again when the thread goes on.
}

/// Makes the signal pending again, with its siginfo unchanged, and blocks it and all others until the
/// section ends; but not faults, which may be the answer to a question of ours.
///
/// # Safety
/// `info` and `context` are what the kernel passed to a handler.
unsafe fn defer(tls: &Tls, sig: c_int, info: *const siginfo_t, context: *mut ucontext_t) {
    // With SA_NODEFER it would come at once.
    set_mask(libc::SIG_BLOCK, 1 << (sig - 1));
    // SAFETY: the caller's contract; the mask is the first word of the context's set.
    unsafe {
        raise(sig, info);
        let mask = core::ptr::addr_of_mut!((*context).uc_sigmask).cast::<u64>();
        if tls.deferred.replace(1) == 0 {
            tls.saved_mask.set(mask.read());
        }
        // Blocked already, if this is a fault's signal which somebody has sent after another.
        mask.write(mask.read() | ALL & !FAULT_SET | 1 << (sig - 1));
    }
}

/// The end of a section in which signals were deferred.
#[cold]
#[inline(never)]
pub fn let_deferred_in(tls: &Tls) {
    tls.deferred.set(0);
    set_mask(libc::SIG_SETMASK, tls.saved_mask.get());
}

/// Sends a signal to this thread.
///
/// # Safety
/// `info` is valid.
unsafe fn raise(sig: c_int, info: *const siginfo_t) {
    // SAFETY: the kernel copies the siginfo; a process may send itself any.
    unsafe {
        let pid = syscall!(libc::SYS_getpid).unwrap_or(0);
        let tid = syscall!(libc::SYS_gettid).unwrap_or(0);
        if syscall!(libc::SYS_rt_tgsigqueueinfo, pid, tid, sig, info).is_err() {
            // Out of queue entries (RLIMIT_SIGPENDING): the signal itself must not be lost.
            let _ = syscall!(libc::SYS_tgkill, pid, tid, sig);
        }
    }
}
