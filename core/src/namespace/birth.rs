//! A child that inherits attached shared memory is alive before it runs.
//!
//! `shm_nattch` counts it from its first moment, so it needs a token by then. The parent takes a slot
//! for it before the fork and maps the lifeline file so that the child inherits the mapping; after the
//! fork it unmaps its own, and the lock lives as long as the child. After a fork that failed nobody
//! holds it, and what was counted for the child is void. A child of `_Fork(3)` or a raw clone(2), which
//! run no handlers, registers at its first call.

use super::{lifeline, lifeline::Token};
use crate::errno::{Errno, Result};
use crate::process;
use crate::signal::{set_mask, ALL};
use crate::sync::section::Section;
use crate::sys::{map, raw::syscall, tls::tls};
use crate::sysv::shm;
use core::ffi::{c_int, c_void};
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering::*};

/// What a thread remembers between the handlers of one fork; all zero: nothing is to be done.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Birth {
    /// Signals are blocked, `mask` is to be restored.
    forking: bool,
    mask: u64,
    /// The child's token, and the mapping that it is to inherit; null: none could be had.
    token: Token,
    life: *mut u8,
}

const NONE: Birth = Birth { forking: false, mask: 0, token: 0, life: ptr::null_mut() };

/// Takes a slot for the child and has its attaches counted.
fn conceive() -> Result<(Token, *mut u8)> {
    let _section = Section::enter()?;
    let ns = super::in_use().ok_or(Errno::ENOENT)?;
    let me = lifeline::my_token(ns)?;
    // From another place for every child: its siblings' slots are taken.
    static CHILDREN: AtomicU32 = AtomicU32::new(1);
    let seed = process::pid()?.wrapping_add(CHILDREN.fetch_add(1, Relaxed));
    let slot = lifeline::take_slot(ns.dir()?, seed, 0)?;
    shm::before_fork(ns, me, slot.token);
    Ok((slot.token, slot.life))
}

extern "C" fn prepare() {
    if shm::ATTACHES.load(Relaxed) == 0 {
        return;
    }
    let Ok(page) = process::page() else { return };
    // Until the fork no handler may attach or detach, nor jump away.
    let mask = set_mask(libc::SIG_SETMASK, ALL);
    // Another thread's child would inherit this one's lifeline.
    while page.fork_lock.compare_exchange(0, 1, Acquire, Relaxed).is_err() {
        // SAFETY: no arguments.
        let _ = unsafe { syscall!(libc::SYS_sched_yield) };
    }
    // Without a slot the child registers at its first call.
    let (token, life) = conceive().unwrap_or((0, ptr::null_mut()));
    tls().birth.set(Birth { forking: true, mask, token, life });
}

extern "C" fn in_parent() {
    let birth = tls().birth.replace(NONE);
    if !birth.forking {
        return;
    }
    if !birth.life.is_null() {
        // SAFETY: mapped by conceive, and nothing refers to it.
        unsafe { map::unmap(birth.life, lifeline::LIFE_BYTES) };
    }
    if let Ok(page) = process::page() {
        page.fork_lock.store(0, Release);
    }
    set_mask(libc::SIG_SETMASK, birth.mask);
}

extern "C" fn in_child() {
    // By it the child's own vfork children will be known.
    let _ = process::pid();
    let birth = tls().birth.replace(NONE);
    if !birth.forking {
        return;
    }
    if !birth.life.is_null() {
        let _ = live(&birth);
    }
    set_mask(libc::SIG_SETMASK, birth.mask);
}

fn live(birth: &Birth) -> Result<()> {
    lifeline::not_for_children(birth.life)?;
    let ns = super::in_use().ok_or(Errno::ENOENT)?;
    let pid = process::pid()?;
    // For shm_lpid if it is killed soon. Without a descriptor to write with it stays 0.
    let _ = lifeline::set_pid(ns, birth.token, pid);
    process::page()?.token.store(birth.token, Release);
    shm::after_fork_in_child(ns, birth.token, pid);
    Ok(())
}

/// Has the handlers called at every fork(3) from now on. To be called once.
#[inline(always)]
pub fn watch_forks() {
    // What pthread_atfork(3) is, in each library that uses it: code of its own, called by way of a table of its own.
    extern "C" {
        fn __register_atfork(
            prepare: extern "C" fn(),
            parent: extern "C" fn(),
            child: extern "C" fn(),
            // Any address, the same for all handlers of a library.
            library: *const c_void,
        ) -> c_int;
    }
    // SAFETY: the library is never unloaded. A failure (ENOMEM) leaves children to register themselves.
    unsafe { __register_atfork(prepare, in_parent, in_child, prepare as *const c_void) };
}
