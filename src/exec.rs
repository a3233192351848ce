//! `<unistd.h>`: the calls that run another program in this process. What the process has adjusted with
//! SEM_UNDO is undone at its end, not at exec, so its lifeline is handed on before
//! ([`usipc_core::namespace::handover`]). Each is interposed by itself, since libc's call one another
//! inside.
//!
//! Linux keeps the adjustments over exec as it keeps other attributes of the process, execve(2), semop(2).

use crate::next;
use core::arch::naked_asm;
use libc::{c_char, c_int};
use usipc_core::namespace::handover;

type Strings = *const *const c_char;

macro_rules! exec {
    ($($page:literal $name:ident($($arg:ident: $type:ty),*) => $next:ident;)*) => { $(
        #[doc = concat!("Runs another program in this process, which keeps its SEM_UNDO adjustments. ", $page)]
        ///
        /// Errors:
        /// - as the page has them
        ///
        #[doc = concat!("Source: ", $page)]
        #[no_mangle]
        pub unsafe extern "C" fn $name($($arg: $type),*) -> c_int {
            let _kept = handover::before_exec();
            // SAFETY: the C caller's arguments, handed on.
            unsafe { next::$next.get()($($arg),*) }
        }
    )* };
}

exec! {
    "execve(2)" execve(path: *const c_char, argv: Strings, envp: Strings) => EXECVE;
    "exec(3)" execv(path: *const c_char, argv: Strings) => EXECV;
    "exec(3)" execvp(file: *const c_char, argv: Strings) => EXECVP;
    "exec(3)" execvpe(file: *const c_char, argv: Strings, envp: Strings) => EXECVPE;
    "fexecve(3)" fexecve(fd: c_int, argv: Strings, envp: Strings) => FEXECVE;
    "execveat(2)" execveat(dirfd: c_int, path: *const c_char, argv: *const *mut c_char, envp: *const *mut c_char, flags: c_int) => EXECVEAT;
}

unsafe extern "C" fn execl_listed(path: *const c_char, argv: Strings) -> c_int {
    let _kept = handover::before_exec();
    // SAFETY: the C caller's arguments, laid out by `listed!`.
    unsafe { next::EXECV.get()(path, argv) }
}

unsafe extern "C" fn execlp_listed(file: *const c_char, argv: Strings) -> c_int {
    let _kept = handover::before_exec();
    // SAFETY: as above.
    unsafe { next::EXECVP.get()(file, argv) }
}

unsafe extern "C" fn execle_listed(path: *const c_char, argv: Strings) -> c_int {
    let _kept = handover::before_exec();
    let mut end = argv;
    // SAFETY: the list ends with a null pointer, behind which the C caller has given the environment.
    unsafe {
        while !(*end).is_null() {
            end = end.add(1);
        }
        next::EXECVE.get()(path, argv, *end.add(1) as Strings)
    }
}

/// Declares calls that take a list of arguments, which Rust cannot define: `$name(path, arg, ..., NULL)`
/// becomes `$listed(path, argv)`. The arguments that came in registers are stored in front of those
/// on the stack.
macro_rules! listed {
    ($($name:ident($($c:literal)?) => $listed:ident;)*) => { $(
        #[doc = concat!("Runs another program in this process, which keeps its SEM_UNDO adjustments: `", stringify!($name),
            "(path, arg, ..., NULL", $($c,)? ")`. exec(3)")]
        ///
        /// Errors:
        /// - as the page has them
        ///
        /// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/exec.html>
        #[cfg(target_arch = "x86_64")]
        #[no_mangle]
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            naked_asm!(
                ".cfi_startproc",
                // The return address makes room: its place is that of the last register.
                "pop rax",
                ".cfi_adjust_cfa_offset -8",
                ".cfi_register rip, rax",
                "push r9",
                ".cfi_adjust_cfa_offset 8",
                "push r8",
                ".cfi_adjust_cfa_offset 8",
                "push rcx",
                ".cfi_adjust_cfa_offset 8",
                "push rdx",
                ".cfi_adjust_cfa_offset 8",
                "push rsi",
                ".cfi_adjust_cfa_offset 8",
                "mov rsi, rsp",
                "push rax",
                ".cfi_adjust_cfa_offset 8",
                ".cfi_offset rip, -48",
                "call {listed}",
                "pop rcx",
                ".cfi_adjust_cfa_offset -8",
                ".cfi_register rip, rcx",
                "add rsp, 40",
                ".cfi_adjust_cfa_offset -40",
                "push rcx",
                ".cfi_adjust_cfa_offset 8",
                ".cfi_offset rip, -8",
                "ret",
                ".cfi_endproc",
                listed = sym $listed,
            )
        }

        #[doc = concat!("As on x86-64: `", stringify!($name), "(path, arg, ..., NULL", $($c,)? ")`. exec(3)")]
        #[cfg(target_arch = "aarch64")]
        #[no_mangle]
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            naked_asm!(
                ".cfi_startproc",
                "stp x29, x30, [sp, #-80]!",
                ".cfi_adjust_cfa_offset 80",
                ".cfi_offset x29, -80",
                ".cfi_offset x30, -72",
                "mov x29, sp",
                "str x1, [sp, #24]",
                "stp x2, x3, [sp, #32]",
                "stp x4, x5, [sp, #48]",
                "stp x6, x7, [sp, #64]",
                "add x1, sp, #24",
                "bl {listed}",
                "ldp x29, x30, [sp], #80",
                ".cfi_adjust_cfa_offset -80",
                ".cfi_restore x29",
                ".cfi_restore x30",
                "ret",
                ".cfi_endproc",
                listed = sym $listed,
            )
        }
    )* };
}

listed! {
    execl() => execl_listed;
    execlp() => execlp_listed;
    execle(", envp") => execle_listed;
}
