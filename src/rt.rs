//! What a `no_std` library has to bring along: the end of the process.

use core::fmt::{self, Write};

/// One line of text on the stack, cut off where it does not fit: no allocator here.
struct Line {
    text: [u8; 256],
    len: usize,
}

impl Write for Line {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let n = s.len().min(self.text.len() - self.len);
        self.text[self.len..self.len + n].copy_from_slice(&s.as_bytes()[..n]);
        self.len += n;
        Ok(())
    }
}

/// Writes a line to stderr and ends the process by SIGABRT. `write(2)` is entered directly: libc's
/// is a cancellation point, and others interpose it.
pub fn die(message: fmt::Arguments) -> ! {
    let mut line = Line { text: [0; 256], len: 0 };
    let _ = writeln!(line, "{message}");
    // SAFETY: the buffer is valid for its length; abort has no precondition.
    unsafe {
        libc::syscall(libc::SYS_write, libc::STDERR_FILENO, line.text.as_ptr(), line.len);
        libc::abort()
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    die(format_args!("usipc: {info}"))
}

// The precompiled `core` names this function in its unwind tables; LTO drops those, other builds
// need it. With panic=abort there is nothing to clean up in a Rust frame: "continue unwinding" (8,
// _URC_CONTINUE_UNWIND) lets a cancelled thread's forced unwinding pass. Hidden, so that it never
// serves a Rust program that has its own.
#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(
    ".pushsection .text.rust_eh_personality,\"ax\",@progbits",
    ".globl rust_eh_personality",
    ".hidden rust_eh_personality",
    ".type rust_eh_personality, @function",
    "rust_eh_personality:",
    "mov eax, 8",
    "ret",
    ".size rust_eh_personality, . - rust_eh_personality",
    ".popsection",
);
#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(
    ".pushsection .text.rust_eh_personality,\"ax\",%progbits",
    ".globl rust_eh_personality",
    ".hidden rust_eh_personality",
    ".type rust_eh_personality, %function",
    "rust_eh_personality:",
    "mov w0, #8",
    "ret",
    ".size rust_eh_personality, . - rust_eh_personality",
    ".popsection",
);

/// What only the start of the program can tell: who it is, so that a vfork(2) child can be told from it, what
/// was handed on through exec, and the forks to come. Nothing else, since every program under a preload waits
/// for it.
extern "C" fn at_start() {
    usipc_core::process::begin();
    usipc_core::namespace::handover::adopt();
    usipc_core::namespace::birth::watch_forks();
}

#[used]
#[link_section = ".init_array"]
static CONSTRUCTOR: extern "C" fn() = at_start;
