//! This thread's block of state.
//!
//! `#[thread_local]` is not stable and `thread_local!` needs std, so the block is declared in
//! assembly as initial-exec thread-local storage: reading its address costs one load and one add,
//! needs no allocation, and is safe in a signal handler and before any constructor.

use core::cell::Cell;

/// What a thread must remember across a call; all zero in a new thread.
#[repr(C)]
pub struct Tls {
    /// Not 0 in a critical section: no signal handler may run.
    pub inside: Cell<u32>,
    /// Not 0: signals arrived inside a section, and are pending until the mask is restored at its end.
    pub deferred: Cell<u32>,
    /// That mask.
    pub saved_mask: Cell<u64>,
    /// The wait that this thread sleeps in, or null.
    pub waiting: Cell<*const crate::sync::wait::Known>,
    /// The child that this thread is about to fork.
    pub birth: Cell<crate::namespace::birth::Birth>,
    /// What its waits have come to.
    pub spin: crate::sync::spin::Past,
}

const _: () = assert!(size_of::<Tls>() <= 128);

core::arch::global_asm!(
    ".pushsection .tbss.usipc_tls,\"awT\",@nobits",
    ".balign 64",
    ".hidden usipc_tls",
    ".globl usipc_tls",
    ".type usipc_tls, @object",
    ".size usipc_tls, 128",
    "usipc_tls:",
    ".zero 128",
    ".popsection",
);

/// The blocks of model threads, and of those under miri, which knows no assembly.
#[cfg(any(loom, miri))]
fn block() -> *const Tls {
    std::thread_local!(static BLOCK: std::cell::UnsafeCell<[u64; 24]> = const { std::cell::UnsafeCell::new([0; 24]) });
    #[cfg(loom)]
    if crate::model::runs() {
        return crate::model::tls();
    }
    BLOCK.with(|block| block.get().cast())
}

/// This thread's block.
#[inline(always)]
pub fn tls() -> &'static Tls {
    let p: *const Tls;
    #[cfg(any(loom, miri))]
    {
        p = block();
    }
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    // SAFETY: computes the address of this thread's copy of `usipc_tls`; touches no memory but the GOT.
    unsafe {
        core::arch::asm!("movq usipc_tls@GOTTPOFF(%rip), {0}", "addq %fs:0, {0}",
            out(reg) p, options(att_syntax, pure, readonly, nostack));
    }
    #[cfg(all(target_arch = "aarch64", not(any(loom, miri))))]
    // SAFETY: as above.
    unsafe {
        core::arch::asm!("adrp {0}, :gottprel:usipc_tls", "ldr {0}, [{0}, :gottprel_lo12:usipc_tls]",
            "mrs {1}, tpidr_el0", "add {0}, {0}, {1}",
            out(reg) p, out(reg) _, options(pure, readonly, nostack));
    }
    // SAFETY: the block lives as long as the thread, is zero-initialised, and is used by this thread alone.
    unsafe { &*p }
}
