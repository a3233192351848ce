//! What the program has set for each signal, and what the kernel is told.

use super::trampoline::{set_mask, ALL};
use crate::errno::{Errno, Result};
use crate::process;
use crate::sys::raw::syscall;
use core::ffi::c_int;
use core::sync::atomic::{fence, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};

pub(super) const SIGNALS: usize = 65;

/// What the program has set for one signal. A sequence lock: odd while being written.
pub(super) struct Action {
    sequence: AtomicU32,
    flags: AtomicU32,
    handler: AtomicUsize,
    mask: AtomicU64,
}

pub(super) static ACTIONS: [Action; SIGNALS] = [const {
    Action {
        sequence: AtomicU32::new(0),
        flags: AtomicU32::new(0),
        handler: AtomicUsize::new(0),
        mask: AtomicU64::new(0),
    }
}; SIGNALS];

impl Action {
    pub(super) fn read(&self) -> (usize, u32, u64) {
        loop {
            let before = self.sequence.load(Acquire);
            let record = (self.handler.load(Relaxed), self.flags.load(Relaxed), self.mask.load(Relaxed));
            fence(Acquire);
            if before & 1 == 0 && self.sequence.load(Relaxed) == before {
                return record;
            }
            core::hint::spin_loop();
        }
    }
    /// Only under [`Writing`].
    pub(super) fn write(&self, handler: usize, flags: u32, mask: u64) {
        let before = self.sequence.load(Relaxed) & !1;
        self.sequence.store(before.wrapping_add(1), Relaxed);
        fence(Release);
        self.handler.store(handler, Relaxed);
        self.flags.store(flags, Relaxed);
        self.mask.store(mask, Relaxed);
        self.sequence.store(before.wrapping_add(2), Release);
    }
}

/// The right to change the table: all signals are blocked, other threads wait.
pub(super) struct Writing {
    lock: &'static AtomicU32,
    mask: u64,
}

impl Writing {
    pub(super) fn begin() -> Result<Writing> {
        let lock = &process::page()?.signal_lock;
        let mask = set_mask(libc::SIG_SETMASK, ALL);
        while lock.compare_exchange(0, 1, Acquire, Relaxed).is_err() {
            // SAFETY: no arguments.
            let _ = unsafe { syscall!(libc::SYS_sched_yield) };
        }
        Ok(Writing { lock, mask })
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.lock.store(0, Release);
        set_mask(libc::SIG_SETMASK, self.mask);
    }
}

type SigactionFn = unsafe extern "C" fn(c_int, *const libc::sigaction, *mut libc::sigaction) -> c_int;

/// The next `sigaction` in the search order: libc's, or that of another library that interposes it.
pub(super) fn real(sig: c_int, act: *const libc::sigaction, old: *mut libc::sigaction) -> Result<()> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let mut next = NEXT.load(Relaxed);
    if next == 0 {
        // SAFETY: a plain look-up.
        next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"sigaction".as_ptr()) } as usize;
        if next == 0 {
            next = bare as SigactionFn as usize;
        }
        NEXT.store(next, Relaxed);
    }
    // SAFETY: the symbol `sigaction` has this type; the pointers are null or valid.
    unsafe {
        let call: SigactionFn = core::mem::transmute(next);
        let saved = *libc::__errno_location();
        if call(sig, act, old) == 0 {
            return Ok(());
        }
        let e = Errno(*libc::__errno_location());
        *libc::__errno_location() = saved;
        Err(e)
    }
}

/// The kernel's `struct sigaction`.
#[repr(C)]
struct KernelAction {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

// SA_RESTORER: x86-64 asks for the way back from a handler.
#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(".hidden usipc_restorer", "usipc_restorer:", "mov eax, 15", "syscall");
/// The flag with which the C library sets every action.
pub(super) const SA_RESTORER: c_int = if cfg!(target_arch = "x86_64") { 0x0400_0000 } else { 0 };

/// Serves where dlsym finds none, as in a statically linked program: the bare system call.
unsafe extern "C" fn bare(sig: c_int, act: *const libc::sigaction, old: *mut libc::sigaction) -> c_int {
    #[cfg(target_arch = "x86_64")]
    let restorer = {
        extern "C" {
            fn usipc_restorer();
        }
        usipc_restorer as *const () as usize
    };
    #[cfg(not(target_arch = "x86_64"))]
    let restorer = 0;
    // SAFETY: the pointers are null or valid, as sigaction(2) asks.
    unsafe {
        let new = act.as_ref().map(|a| KernelAction {
            handler: a.sa_sigaction,
            flags: (a.sa_flags | SA_RESTORER) as u32 as u64,
            restorer,
            mask: mask_word(&a.sa_mask),
        });
        let mut before = KernelAction { handler: 0, flags: 0, restorer: 0, mask: 0 };
        let new = new.as_ref().map_or(core::ptr::null(), |n| n as *const KernelAction);
        match syscall!(libc::SYS_rt_sigaction, sig, new, &mut before as *mut KernelAction, 8) {
            Ok(_) => {
                if let Some(old) = old.as_mut() {
                    old.sa_sigaction = before.handler;
                    old.sa_flags = before.flags as c_int;
                    old.sa_mask = with_mask(before.mask);
                }
                0
            }
            Err(e) => {
                *libc::__errno_location() = e.0;
                -1
            }
        }
    }
}

pub(super) fn mask_word(set: &libc::sigset_t) -> u64 {
    // SAFETY: a signal set is at least 8 bytes; the kernel's is its first word.
    unsafe { core::ptr::addr_of!(*set).cast::<u64>().read() }
}

pub(super) fn with_mask(mask: u64) -> libc::sigset_t {
    // SAFETY: all-zero is an empty set.
    let mut set: libc::sigset_t = unsafe { core::mem::zeroed() };
    // SAFETY: as in mask_word.
    unsafe { core::ptr::addr_of_mut!(set).cast::<u64>().write(mask) };
    set
}

pub(super) fn as_set((handler, flags, mask): (usize, u32, u64)) -> libc::sigaction {
    // SAFETY: all-zero is a valid action.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags as c_int;
    action.sa_mask = with_mask(mask);
    action
}
