//! Copying from and to the program's memory, where an address may be bad: a fault in here is an answer
//! and no signal (as in the kernel's copy_from_user).
//!
//! The signal trampoline calls [`caught`] with the place of a fault; if that is in the copying
//! instructions, the thread goes on behind them with the answer "faulted".

use core::ffi::{c_int, c_void};

extern "C" {
    fn usipc_copy(to: *mut u8, from: *const u8, len: usize) -> c_int;
    fn usipc_three_words(from: *const u8) -> Words;
    fn usipc_read_word(from: *const u64) -> Words;
    fn usipc_write_word(to: *mut u64, word: u64) -> c_int;
    fn usipc_copy_end();
    fn usipc_copy_faulted();
}

/// As two registers: whether they could not be read, and the words from the lowest bits on.
#[repr(C)]
struct Words {
    faulted: u64,
    words: u64,
}

// Short copies by overlapping moves from both ends, longer ones by a loop, with registers of 32 bytes where there are some; the
// longest by the processor's own, which takes some time to begin. The stack pointer does not move, so `usipc_copy_faulted` can
// return from anywhere.
#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(
    ".pushsection .text.usipc_copy,\"ax\",@progbits",
    ".hidden usipc_copy, usipc_three_words, usipc_read_word, usipc_write_word, usipc_copy_end, usipc_copy_faulted",
    ".globl usipc_copy, usipc_three_words, usipc_read_word, usipc_write_word, usipc_copy_end, usipc_copy_faulted",
    ".type usipc_copy, @function",
    // So that the loop lies in one cache line.
    ".p2align 6",
    "usipc_copy:",
    "cmp rdx, 16",
    "jb 5f",
    "movups xmm0, [rsi]",
    "movups xmm1, [rsi + rdx - 16]",
    "cmp rdx, 32",
    "ja 2f",
    "movups [rdi], xmm0",
    "jmp 8f",
    "2:",
    "movups xmm2, [rsi + 16]",
    "movups xmm3, [rsi + rdx - 32]",
    "cmp rdx, 64",
    "ja 3f",
    "movups [rdi], xmm0",
    "movups [rdi + 16], xmm2",
    "jmp 7f",
    "3:",
    "cmp rdx, 256",
    "ja 6f",
    "3:",
    "lea rcx, [rdx - 32]",
    "xor eax, eax",
    "4:",
    "movups xmm0, [rsi + rax]",
    "movups xmm2, [rsi + rax + 16]",
    "movups [rdi + rax], xmm0",
    "movups [rdi + rax + 16], xmm2",
    "add rax, 32",
    "cmp rax, rcx",
    "jb 4b",
    "7:",
    "movups [rdi + rdx - 32], xmm3",
    "8:",
    "movups [rdi + rdx - 16], xmm1",
    "xor eax, eax",
    "ret",
    "5:",
    "cmp edx, 8",
    "jb 5f",
    "mov rax, [rsi]",
    "mov rcx, [rsi + rdx - 8]",
    "mov [rdi], rax",
    "mov [rdi + rdx - 8], rcx",
    "xor eax, eax",
    "ret",
    "5:",
    "cmp edx, 4",
    "jb 5f",
    "mov eax, [rsi]",
    "mov ecx, [rsi + rdx - 4]",
    "mov [rdi], eax",
    "mov [rdi + rdx - 4], ecx",
    "xor eax, eax",
    "ret",
    "5:",
    "test edx, edx",
    "je 9f",
    // One to three bytes: the first, the middle and the last, which may be the same.
    "mov r8d, edx",
    "shr r8d, 1",
    "movzx eax, byte ptr [rsi]",
    "movzx ecx, byte ptr [rsi + rdx - 1]",
    "movzx r9d, byte ptr [rsi + r8]",
    "mov [rdi], al",
    "mov [rdi + r8], r9b",
    "mov [rdi + rdx - 1], cl",
    "jmp 9f",
    "6:",
    "cmp byte ptr [rip + usipc_wide], 1",
    "jb 2f",
    "ja 7f",
    "6:",
    "cmp rdx, 1024",
    "jbe 3b",
    "jmp 8f",
    "7:",
    "cmp rdx, 8192",
    "ja 8f",
    "lea rcx, [rdx - 64]",
    "xor eax, eax",
    "vmovdqu ymm2, [rsi + rdx - 64]",
    "vmovdqu ymm3, [rsi + rdx - 32]",
    ".p2align 5",
    "4:",
    "vmovdqu ymm0, [rsi + rax]",
    "vmovdqu ymm1, [rsi + rax + 32]",
    "vmovdqu [rdi + rax], ymm0",
    "vmovdqu [rdi + rax + 32], ymm1",
    "add rax, 64",
    "cmp rax, rcx",
    "jb 4b",
    "vmovdqu [rdi + rdx - 64], ymm2",
    "vmovdqu [rdi + rdx - 32], ymm3",
    "vzeroupper",
    "xor eax, eax",
    "ret",
    "8:",
    "mov rcx, rdx",
    "rep movsb",
    "9:",
    "xor eax, eax",
    "ret",
    // The first long copy of a process asks whether the processor has AVX and the system saves its registers. Not sooner: in a
    // virtual machine the question takes microseconds, which most programs need not spend.
    "2:",
    "mov r8, rbx",
    "mov r9, rdx",
    "mov eax, 1",
    "xor ecx, ecx",
    "cpuid",
    "mov rbx, r8",
    "mov rdx, r9",
    "mov byte ptr [rip + usipc_wide], 1",
    "not ecx",
    "test ecx, (1 << 27) | (1 << 28)",
    "jnz 6b",
    "xor ecx, ecx",
    "xgetbv",
    "mov rdx, r9",
    "not eax",
    "test al, 6",
    "jnz 6b",
    "mov byte ptr [rip + usipc_wide], 2",
    "jmp 7b",
    "usipc_three_words:",
    "movzx edx, word ptr [rdi + 4]",
    "movzx eax, word ptr [rdi + 2]",
    "movzx ecx, word ptr [rdi]",
    "shl rdx, 32",
    "shl eax, 16",
    "or ecx, eax",
    "or rdx, rcx",
    "xor eax, eax",
    "ret",
    "usipc_read_word:",
    "mov rdx, [rdi]",
    "xor eax, eax",
    "ret",
    "usipc_write_word:",
    "mov [rdi], rsi",
    "xor eax, eax",
    "ret",
    "usipc_copy_end:",
    "usipc_copy_faulted:",
    "mov eax, 1",
    "ret",
    ".size usipc_copy, . - usipc_copy",
    ".popsection",
    // 0 is not yet known, 1 narrow, 2 wide.
    ".pushsection .bss.usipc_wide,\"aw\",@nobits",
    ".hidden usipc_wide",
    ".globl usipc_wide",
    ".type usipc_wide, @object",
    ".size usipc_wide, 1",
    "usipc_wide: .zero 1",
    ".popsection",
);

#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(
    ".pushsection .text.usipc_copy,\"ax\",%progbits",
    ".hidden usipc_copy, usipc_three_words, usipc_read_word, usipc_write_word, usipc_copy_end, usipc_copy_faulted",
    ".globl usipc_copy, usipc_three_words, usipc_read_word, usipc_write_word, usipc_copy_end, usipc_copy_faulted",
    ".type usipc_copy, %function",
    "usipc_copy:",
    "1: cmp x2, #16",
    "b.lo 2f",
    "ldp x3, x4, [x1], #16",
    "stp x3, x4, [x0], #16",
    "sub x2, x2, #16",
    "b 1b",
    "2: cbz x2, 3f",
    "ldrb w3, [x1], #1",
    "strb w3, [x0], #1",
    "sub x2, x2, #1",
    "b 2b",
    "3: mov w0, #0",
    "ret",
    "usipc_three_words:",
    "ldrh w1, [x0]",
    "ldrh w2, [x0, #2]",
    "ldrh w3, [x0, #4]",
    "orr x1, x1, x2, lsl #16",
    "orr x1, x1, x3, lsl #32",
    "mov x0, #0",
    "ret",
    "usipc_read_word:",
    "ldr x1, [x0]",
    "mov x0, #0",
    "ret",
    "usipc_write_word:",
    "str x1, [x0]",
    "mov w0, #0",
    "ret",
    "usipc_copy_end:",
    "usipc_copy_faulted:",
    "mov w0, #1",
    "ret",
    ".size usipc_copy, . - usipc_copy",
    ".popsection",
);

/// Copies `len` bytes; false if an address on the program's side is bad, and then in part.
///
/// # Safety
/// The two do not overlap; the one that is not the program's is valid for `len` bytes.
#[inline(always)]
pub unsafe fn copy(to: *mut u8, from: *const u8, len: usize) -> bool {
    // SAFETY: the caller's contract; a fault does not get out of it.
    unsafe { usipc_copy(to, from, len) == 0 }
}

/// Three words of 16 bits, each read by itself: a program writes them one by one, often just before, and a load of more than one
/// would have to wait until they are in the cache.
///
/// # Safety
/// As [`copy`].
#[inline(always)]
pub unsafe fn three_words(from: *const u8) -> Option<[u16; 3]> {
    // SAFETY: the caller's contract; a fault does not get out of it.
    let got = unsafe { usipc_three_words(from) };
    (got.faulted == 0).then_some([got.words as u16, (got.words >> 16) as u16, (got.words >> 32) as u16])
}

/// A word of 64 bits, aligned or not.
///
/// # Safety
/// As [`copy`].
#[inline(always)]
pub unsafe fn read_word(from: *const u64) -> Option<u64> {
    // SAFETY: the caller's contract; a fault does not get out of it.
    let got = unsafe { usipc_read_word(from) };
    (got.faulted == 0).then_some(got.words)
}

/// The same, written; false if the address is bad.
///
/// # Safety
/// As [`copy`].
#[inline(always)]
pub unsafe fn write_word(to: *mut u64, word: u64) -> bool {
    // SAFETY: the caller's contract; a fault does not get out of it.
    unsafe { usipc_write_word(to, word) == 0 }
}

/// Whether the fault at this place was in here: then the thread goes on with the answer.
///
/// # Safety
/// `context` is what the kernel passed to a signal handler.
pub unsafe fn caught(context: *mut c_void) -> bool {
    let context = context.cast::<libc::ucontext_t>();
    // SAFETY: the caller's contract.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        let pc = &mut *core::ptr::addr_of_mut!((*context).uc_mcontext.gregs[libc::REG_RIP as usize])
            .cast::<usize>();
        #[cfg(target_arch = "aarch64")]
        let pc = &mut *core::ptr::addr_of_mut!((*context).uc_mcontext.pc).cast::<usize>();
        let (start, end) = (usipc_copy as *const () as usize, usipc_copy_end as *const () as usize);
        if !(start..end).contains(pc) {
            return false;
        }
        *pc = usipc_copy_faulted as *const () as usize;
    }
    true
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn copies_every_length() {
        let from: Vec<u8> = (0..20_100).map(|i| (i * 7 + i / 251) as u8).collect();
        let mut to = std::vec![0u8; from.len() + 64];
        for len in (0..700).chain(1000..1100).chain(8100..8300).chain([16_384, 20_000]) {
            for skew in [0, 1, 24] {
                to.fill(0xEE);
                // SAFETY: both are long enough.
                assert!(unsafe { copy(to[skew..].as_mut_ptr(), from[skew..].as_ptr(), len) });
                assert!(to[..skew].iter().chain(&to[skew + len..]).all(|&byte| byte == 0xEE), "{len} {skew}");
                assert_eq!(to[skew..skew + len], from[skew..skew + len], "{len} {skew}");
            }
        }
    }

    #[test]
    fn copies_of_every_length_with_wide_registers_and_without() {
        copies_every_length();
        #[cfg(target_arch = "x86_64")]
        {
            extern "C" {
                static mut usipc_wide: u8;
            }
            // SAFETY: another test that copies meanwhile takes the one way or the other.
            unsafe {
                let wide = (&raw const usipc_wide).read();
                assert_eq!(wide, 1 + u8::from(std::is_x86_feature_detected!("avx")));
                usipc_wide = 1;
                copies_every_length();
                usipc_wide = 0;
            }
        }
    }
}
