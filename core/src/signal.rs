//! Signal actions: a trampoline in front of every handler of the program.
//!
//! It keeps handlers out of critical sections (the signal is pending again until the section's end) and
//! ends a wait before the handler runs, so that a handler may call any function of this library or
//! siglongjmp out of one. Nothing is paid while no signal comes. As libjsig does, the calls that
//! set actions are interposed; what they return is what the program had set.

use crate::errno::{Errno, Result};
use crate::namespace::ids;
use crate::process;
use crate::region::object;
use crate::sys::{
    copy,
    raw::syscall,
    tls::{tls, Tls},
};
use crate::user::{In, Out};
use core::ffi::{c_int, c_void};
use core::sync::atomic::{fence, AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};
use libc::{sighandler_t, siginfo_t, ucontext_t};

const SIGNALS: usize = 65;
const SIG_HOLD: sighandler_t = 2;
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

/// What the program has set for one signal. A sequence lock: odd while being written.
struct Action {
    sequence: AtomicU32,
    flags: AtomicU32,
    handler: AtomicUsize,
    mask: AtomicU64,
}

static ACTIONS: [Action; SIGNALS] = [const {
    Action {
        sequence: AtomicU32::new(0),
        flags: AtomicU32::new(0),
        handler: AtomicUsize::new(0),
        mask: AtomicU64::new(0),
    }
}; SIGNALS];

/// Signals that siginterrupt(3) has told to interrupt: signal(2) then sets no SA_RESTART.
static INTERRUPTING: AtomicU64 = AtomicU64::new(0);

impl Action {
    fn read(&self) -> (usize, u32, u64) {
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
    fn write(&self, handler: usize, flags: u32, mask: u64) {
        let before = self.sequence.load(Relaxed) & !1;
        self.sequence.store(before.wrapping_add(1), Relaxed);
        fence(Release);
        self.handler.store(handler, Relaxed);
        self.flags.store(flags, Relaxed);
        self.mask.store(mask, Relaxed);
        self.sequence.store(before.wrapping_add(2), Release);
    }
}

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

/// The right to change the table: all signals are blocked, other threads wait.
struct Writing {
    lock: &'static AtomicU32,
    mask: u64,
}

impl Writing {
    fn begin() -> Result<Writing> {
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
fn real(sig: c_int, act: *const libc::sigaction, old: *mut libc::sigaction) -> Result<()> {
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
const SA_RESTORER: c_int = if cfg!(target_arch = "x86_64") { 0x0400_0000 } else { 0 };

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

/// Signals before which the trampoline stands even where the program has no handler: a fault may be
/// the answer to one of our own questions, see [`crate::sys::copy`].
const CAUGHT: [c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];
/// Whether it does: from the first use of a namespace on.
static CATCHING: AtomicBool = AtomicBool::new(false);

/// Puts the trampoline before those signals. Once.
pub fn catch_faults() -> Result<()> {
    if CATCHING.swap(true, Relaxed) {
        return Ok(());
    }
    CAUGHT.iter().try_for_each(|&sig| {
        let set = exchange(sig, None)?;
        replace(sig, Some(set)).map(|_| ())
    })
}

/// The signals that exec would reset because the trampoline is before them, though the program ignores
/// them. The kernel ignores them until this is dropped.
pub struct Ignored([bool; CAUGHT.len()]);

/// To be called before an exec: an ignored signal stays ignored, execve(2).
pub fn ignore_through_exec() -> Ignored {
    Ignored(CAUGHT.map(|sig| {
        let action = ACTIONS[sig as usize].read();
        is_caught(sig)
            && action.0 == libc::SIG_IGN
            && real(sig, &as_set(action), core::ptr::null_mut()).is_ok()
    }))
}

impl Drop for Ignored {
    fn drop(&mut self) {
        for (&sig, _) in CAUGHT.iter().zip(self.0).filter(|(_, ignored)| *ignored) {
            let _ = replace(sig, Some(as_set(ACTIONS[sig as usize].read())));
        }
    }
}

fn is_caught(sig: c_int) -> bool {
    CAUGHT.contains(&sig) && CATCHING.load(Relaxed)
}

fn mask_word(set: &libc::sigset_t) -> u64 {
    // SAFETY: a signal set is at least 8 bytes; the kernel's is its first word.
    unsafe { core::ptr::addr_of!(*set).cast::<u64>().read() }
}

fn with_mask(mask: u64) -> libc::sigset_t {
    // SAFETY: all-zero is an empty set.
    let mut set: libc::sigset_t = unsafe { core::mem::zeroed() };
    // SAFETY: as in mask_word.
    unsafe { core::ptr::addr_of_mut!(set).cast::<u64>().write(mask) };
    set
}

fn as_set((handler, flags, mask): (usize, u32, u64)) -> libc::sigaction {
    // SAFETY: all-zero is a valid action.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags as c_int;
    action.sa_mask = with_mask(mask);
    action
}

fn is_trampoline(handler: usize) -> bool {
    handler == trampoline as *const () as usize
}

/// Sets and gets the action of a signal. EINVAL, EFAULT. sigaction(2)
pub fn sigaction(sig: c_int, new: In<libc::sigaction>, old: Out<libc::sigaction>) -> Result<()> {
    let wanted = if new.is_null() { None } else { Some(new.read()?) };
    if !old.is_null() {
        old.check(size_of::<libc::sigaction>())?;
    }
    let before = exchange(sig, wanted)?;
    if !old.is_null() {
        old.write(before)?;
    }
    Ok(())
}

/// What the program sets, and what it had set.
fn exchange(sig: c_int, mut wanted: Option<libc::sigaction>) -> Result<libc::sigaction> {
    if let Some(wanted) = &mut wanted {
        wanted.sa_flags |= SA_RESTORER;
    }
    replace(sig, wanted)
}

fn replace(sig: c_int, wanted: Option<libc::sigaction>) -> Result<libc::sigaction> {
    // SAFETY: all-zero is a valid action.
    let mut before: libc::sigaction = unsafe { core::mem::zeroed() };
    if !(1..SIGNALS as c_int).contains(&sig) {
        return Err(Errno::EINVAL);
    }
    let _writing = Writing::begin()?;
    let action = &ACTIONS[sig as usize];
    let (handler, flags, mask) = action.read();
    match wanted {
        None => real(sig, core::ptr::null(), &mut before)?,
        // The table is the parent's: a vfork child, which may do little more than exec, goes without.
        Some(wanted) if wanted.sa_sigaction <= libc::SIG_IGN && !is_caught(sig) || process::is_borrowed() => {
            real(sig, &wanted, &mut before)?;
        }
        Some(wanted) => {
            let mut ours = wanted;
            ours.sa_sigaction = trampoline as *const () as usize;
            ours.sa_flags = wanted.sa_flags & !libc::SA_RESETHAND | libc::SA_SIGINFO;
            if wanted.sa_sigaction <= libc::SIG_IGN {
                ours.sa_flags |= libc::SA_ONSTACK;
            }
            // The record first: the kernel may call the trampoline as soon as it is set.
            action.write(wanted.sa_sigaction, wanted.sa_flags as u32, mask_word(&wanted.sa_mask));
            if let Err(e) = real(sig, &ours, &mut before) {
                action.write(handler, flags, mask);
                return Err(e);
            }
        }
    }
    if is_trampoline(before.sa_sigaction) {
        const UNBLOCKABLE: u64 = 1 << (libc::SIGKILL - 1) | 1 << (libc::SIGSTOP - 1);
        before.sa_sigaction = handler;
        const OURS: c_int = libc::SA_RESETHAND | libc::SA_SIGINFO | libc::SA_ONSTACK | SA_RESTORER;
        before.sa_flags = before.sa_flags & !OURS | flags as c_int & OURS;
        before.sa_mask = with_mask(mask & !UNBLOCKABLE);
    }
    Ok(before)
}

/// In front of every handler.
extern "C" fn trampoline(sig: c_int, info: *mut siginfo_t, context: *mut c_void) {
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

/// Which signal(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// The handler stays, calls are restarted.
    Bsd,
    /// The handler is reset, the signal is not blocked, calls are not restarted.
    SysV,
}

fn simple(sig: c_int, handler: sighandler_t, flags: c_int) -> Result<sighandler_t> {
    if handler == libc::SIG_ERR || sig < 1 || sig >= SIGNALS as c_int {
        return Err(Errno::EINVAL);
    }
    let own = if flags & libc::SA_NODEFER == 0 { 1u64 << (sig - 1) } else { 0 };
    exchange(sig, Some(as_set((handler, flags as u32, own)))).map(|before| before.sa_sigaction)
}

/// Sets a handler; the previous one. EINVAL. signal(2), sysv_signal(3)
pub fn signal(sig: c_int, handler: sighandler_t, flavour: Flavour) -> Result<sighandler_t> {
    let flags = match flavour {
        Flavour::SysV => libc::SA_RESETHAND | libc::SA_NODEFER,
        Flavour::Bsd
            if (1..SIGNALS as c_int).contains(&sig) && INTERRUPTING.load(Relaxed) >> (sig - 1) & 1 != 0 =>
        {
            0
        }
        Flavour::Bsd => libc::SA_RESTART,
    };
    simple(sig, handler, flags)
}

/// Sets a handler, or holds the signal (SIG_HOLD); SIG_HOLD if it was held before. EINVAL. sigset(3)
pub fn sigset(sig: c_int, handler: sighandler_t) -> Result<sighandler_t> {
    if sig < 1 || sig >= SIGNALS as c_int {
        return Err(Errno::EINVAL);
    }
    let bit = 1u64 << (sig - 1);
    if handler == SIG_HOLD {
        if set_mask(libc::SIG_BLOCK, bit) & bit != 0 {
            return Ok(SIG_HOLD);
        }
        return exchange(sig, None).map(|before| before.sa_sigaction);
    }
    if handler == libc::SIG_ERR {
        return Err(Errno::EINVAL);
    }
    let before = exchange(sig, Some(as_set((handler, 0, 0))))?;
    let held = set_mask(libc::SIG_UNBLOCK, bit) & bit != 0;
    Ok(if held { SIG_HOLD } else { before.sa_sigaction })
}

/// Ignores the signal. EINVAL. sigset(3)
pub fn sigignore(sig: c_int) -> Result<()> {
    simple(sig, libc::SIG_IGN, libc::SA_NODEFER).map(|_| ())
}

/// Whether calls are to be interrupted by the signal. EINVAL. siginterrupt(3)
pub fn siginterrupt(sig: c_int, interrupt: c_int) -> Result<()> {
    let mut action = exchange(sig, None)?;
    let bit = 1u64 << (sig - 1);
    if interrupt != 0 {
        INTERRUPTING.fetch_or(bit, Relaxed);
        action.sa_flags &= !libc::SA_RESTART;
    } else {
        INTERRUPTING.fetch_and(!bit, Relaxed);
        action.sa_flags |= libc::SA_RESTART;
    }
    exchange(sig, Some(action)).map(|_| ())
}
