//! Bare system calls: a value, or an [`Errno`]; `errno` is not involved.

use crate::errno::{Errno, Result};
use core::ffi::c_long;

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
unsafe fn enter(nr: c_long, a: [usize; 6]) -> isize {
    let r: isize;
    // SAFETY: the x86-64 system call convention; the caller answers for the arguments.
    unsafe {
        core::arch::asm!("syscall", inlateout("rax") nr as isize => r,
            in("rdi") a[0], in("rsi") a[1], in("rdx") a[2],
            in("r10") a[3], in("r8") a[4], in("r9") a[5],
            lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    r
}

#[cfg(all(target_arch = "aarch64", not(miri)))]
#[inline(always)]
unsafe fn enter(nr: c_long, a: [usize; 6]) -> isize {
    let r: isize;
    // SAFETY: the AArch64 system call convention; the caller answers for the arguments.
    unsafe {
        core::arch::asm!("svc 0", in("x8") nr, inlateout("x0") a[0] as isize => r,
            in("x1") a[1], in("x2") a[2], in("x3") a[3], in("x4") a[4], in("x5") a[5],
            options(nostack));
    }
    r
}

/// miri knows no assembly: what the tests that it runs need, by way of libc.
#[cfg(miri)]
unsafe fn enter(nr: c_long, a: [usize; 6]) -> isize {
    // SAFETY: the caller answers for the arguments.
    unsafe {
        match nr {
            libc::SYS_mmap => {
                libc::mmap(a[0] as *mut _, a[1], a[2] as i32, a[3] as i32, a[4] as i32, 0) as isize
            }
            libc::SYS_munmap => libc::munmap(a[0] as *mut _, a[1]) as isize,
            // Of memory that is there in any case.
            libc::SYS_madvise => 0,
            _ => -libc::ENOSYS as isize,
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("usipc: system call entry and thread-local access are written for x86-64 and AArch64 only (core/src/sys/raw.rs, tls.rs)");

/// Enters the kernel.
///
/// # Safety
/// The arguments are what system call `nr` asks for.
#[inline(always)]
pub unsafe fn syscall6(nr: c_long, args: [usize; 6]) -> Result<usize> {
    // SAFETY: the caller's contract.
    let r = unsafe { enter(nr, args) };
    if (-4095..0).contains(&r) {
        Err(Errno(-r as i32))
    } else {
        Ok(r as usize)
    }
}

/// `syscall!(nr, args...)`: up to six arguments, each cast to a word.
macro_rules! syscall {
    ($nr:expr $(, $arg:expr)* $(,)?) => {{
        #[allow(unused_mut)]
        let mut args = [0usize; 6];
        #[allow(unused_mut, unused_variables)]
        let mut _n = 0;
        $( args[_n] = $arg as usize; _n += 1; )*
        $crate::sys::raw::syscall6($nr, args)
    }};
}
pub(crate) use syscall;
