//! Which processor a thread is on, and how to let others have it.

use super::raw::syscall;

/// A processor by its number; 0: not known. Only a hint, and it is shared memory that bears it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cpu(pub u32);

#[cfg(not(any(loom, miri)))]
core::arch::global_asm!(".weak __rseq_offset");

/// What the kernel's rseq(2) area in this thread's block says, where the C library (glibc 2.35) has asked for one: the number, or
/// something negative.
#[inline(always)]
fn number() -> i32 {
    let mut _number = -1;
    // SAFETY: the symbol is null, or that of the area's offset from the thread pointer; its second word is written by the
    // kernel alone.
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    unsafe {
        core::arch::asm!("movq __rseq_offset@GOTPCREL(%rip), {0}", "testq {0}, {0}", "jz 2f",
            "movq ({0}), {0}", "movl %fs:4({0}), {1:e}", "2:",
            out(reg) _, inout(reg) _number, options(att_syntax, readonly, nostack));
    }
    // SAFETY: as above.
    #[cfg(all(target_arch = "aarch64", not(any(loom, miri))))]
    unsafe {
        core::arch::asm!("adrp {0}, :got:__rseq_offset", "ldr {0}, [{0}, :got_lo12:__rseq_offset]", "cbz {0}, 2f",
            "ldr {0}, [{0}]", "mrs {1}, tpidr_el0", "add {0}, {0}, {1}", "ldr {2:w}, [{0}, #4]", "2:",
            out(reg) _, out(reg) _, inout(reg) _number, options(readonly, nostack));
    }
    _number
}

impl Cpu {
    /// Of this thread, now.
    #[inline(always)]
    pub fn here() -> Cpu {
        Cpu((number() + 1).max(0) as u32)
    }

    /// Whether it is certain to be the one that this thread is on.
    pub fn is_here(self) -> bool {
        self.0 != 0 && self == Cpu::here()
    }

    /// As a number of seven bits; different processors may have the same.
    #[inline(always)]
    pub fn fold(self) -> u64 {
        (self.0 & 63 | ((self.0 != 0) as u32) << 6) as u64
    }

    /// From such a number: this one, if it may be that.
    pub fn unfold(number: u64) -> Cpu {
        let here = Cpu::here();
        if here.fold() == number {
            here
        } else {
            Cpu(number as u32)
        }
    }
}

/// Has the cache line at `p` brought here, to be written: it may be another processor's. Any address will do.
#[inline(always)]
pub fn fetch_to_write(p: *const u8) {
    // SAFETY: only a hint, which changes nothing that can be seen.
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    unsafe {
        core::arch::asm!("prefetchw [{}]", in(reg) p, options(nostack, preserves_flags, readonly));
    }
    // SAFETY: as above.
    #[cfg(all(target_arch = "aarch64", not(any(loom, miri))))]
    unsafe {
        core::arch::asm!("prfm pstl1keep, [{}]", in(reg) p, options(nostack, preserves_flags, readonly));
    }
    let _ = p;
}

/// Lets others have the processor, if there are any. sched_yield(2)
pub fn yield_now() {
    // SAFETY: no arguments.
    let _ = unsafe { syscall!(libc::SYS_sched_yield) };
}
