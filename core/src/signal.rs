//! Signal actions: a trampoline in front of every handler of the program.
//!
//! It keeps handlers out of critical sections (the signal is pending again until the section's end) and
//! ends a wait before the handler runs, so that a handler may call any function of this library or
//! siglongjmp out of one. Nothing is paid while no signal comes. As libjsig does, the calls that
//! set actions are interposed; what they return is what the program had set.

mod table;
mod trampoline;

pub use trampoline::{let_deferred_in, set_mask, Quiet, ALL};

use crate::errno::{Errno, Result};
use crate::process;
use crate::user::{In, Out};
use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use libc::sighandler_t;
use table::{as_set, mask_word, real, with_mask, Writing, ACTIONS, SA_RESTORER, SIGNALS};
use trampoline::trampoline;

const SIG_HOLD: sighandler_t = 2;
/// Signals that siginterrupt(3) has told to interrupt: signal(2) then sets no SA_RESTART.
static INTERRUPTING: AtomicU64 = AtomicU64::new(0);

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
        old.write(&before)?;
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
