//! What a `no_std` library has to bring along: the end of the process.

use usipc_core::text::Text;

/// Writes a line to stderr and ends the process by SIGABRT. `write(2)` is entered directly: libc's
/// is a cancellation point, and others interpose it.
pub fn die(line: &[u8]) -> ! {
    // SAFETY: the buffer is valid for its length; abort has no precondition.
    unsafe {
        libc::syscall(libc::SYS_write, libc::STDERR_FILENO, line.as_ptr(), line.len());
        libc::abort()
    }
}

/// Says where: what it would be to say why, with all kinds of values in it, is a thirtieth of the library.
#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    let mut line = Text::<256>::new();
    line.push(b"usipc: panicked");
    if let Some(place) = info.location() {
        line.push(b" at ").push(place.file().as_bytes()).push(b":").push_u64(place.line() as u64);
    }
    die(line.push(b"\n").as_bytes())
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
