//! Memory mappings.

use super::raw::syscall;
use crate::errno::{Errno, Result};

const MADV_POPULATE_WRITE: usize = 23;

/// Maps `len` bytes of the file `fd` from its start, shared, for reading and writing.
pub fn shared(fd: i32, len: usize, prot: i32) -> Result<*mut u8> {
    // SAFETY: a new mapping at an address of the kernel's choice disturbs nothing.
    unsafe { syscall!(libc::SYS_mmap, 0, len, prot, libc::MAP_SHARED | libc::MAP_NORESERVE, fd, 0) }
        .map(|p| p as *mut u8)
}

/// Where a mapping is to go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// Where the kernel likes.
    Anywhere,
    /// At this address, if nothing is there.
    Free(usize),
    /// At this address, instead of what is there.
    Over(usize),
}

/// Maps `[at, at + len)` of the file `fd`, shared. EEXIST: something is there. mmap(2)
///
/// # Safety
/// The program has asked for whatever is there to be replaced.
pub unsafe fn contents(fd: i32, at: u64, len: usize, prot: i32, place: Where) -> Result<usize> {
    let (addr, flag) = match place {
        Where::Anywhere => (0, 0),
        Where::Free(addr) => (addr, libc::MAP_FIXED_NOREPLACE),
        Where::Over(addr) => (addr, libc::MAP_FIXED),
    };
    let flags = libc::MAP_SHARED | libc::MAP_NORESERVE | flag;
    // SAFETY: the caller's contract; without MAP_FIXED a new mapping disturbs nothing.
    let got = unsafe { syscall!(libc::SYS_mmap, addr, len, prot, flags, fd, at)? };
    if flag != 0 && got != addr {
        // Before Linux 4.17 the address was a hint only.
        // SAFETY: just made, and known to nobody.
        unsafe { unmap(got as *mut u8, len) };
        return Err(Errno::EEXIST);
    }
    Ok(got)
}

/// Keeps the pages of `[p, p + len)` in memory from their first use on, or no longer. mlock2(2)
pub fn keep_in_memory(p: usize, len: usize, keep: bool) -> Result<()> {
    const MLOCK_ONFAULT: usize = 1;
    let nr = if keep { libc::SYS_mlock2 } else { libc::SYS_munlock };
    // SAFETY: changes no contents.
    unsafe { syscall!(nr, p, len, MLOCK_ONFAULT) }.map(|_| ())
}

/// Maps `len` bytes of zeros, private to this process.
pub fn anonymous(len: usize) -> Result<*mut u8> {
    // SAFETY: as above.
    unsafe {
        syscall!(
            libc::SYS_mmap,
            0,
            len,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1i32,
            0
        )
    }
    .map(|p| p as *mut u8)
}

/// Maps the pages of the shared mapping `[p, p + len)` a second time, elsewhere. mremap(2)
pub fn duplicate(p: *mut u8, len: usize) -> Result<*mut u8> {
    // SAFETY: an old size of 0 leaves the old mapping as it is.
    unsafe { syscall!(libc::SYS_mremap, p, 0, len, libc::MREMAP_MAYMOVE, 0) }.map(|p| p as *mut u8)
}

/// Puts zeros, private to this process, in the place of a mapping of ours.
pub fn blank(p: *mut u8, len: usize) -> Result<()> {
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
    // SAFETY: callers pass whole mappings of ours, which are read through checked offsets alone.
    unsafe { syscall!(libc::SYS_mmap, p, len, prot, flags, -1i32, 0) }.map(|_| ())
}

/// Whether the page at `p`, the first of a mapping, can be read.
pub fn is_there(p: *mut u8) -> bool {
    const FUTEX_WAKE: i32 = 1;
    // To the kernel a page that cannot be had is EFAULT, and no signal; nobody sleeps on this word.
    // SAFETY: waking needs only an address.
    unsafe { syscall!(libc::SYS_futex, p, FUTEX_WAKE, 1) }.is_ok()
}

/// Removes a mapping.
///
/// # Safety
/// Nothing refers to it any more.
pub unsafe fn unmap(p: *mut u8, len: usize) {
    #[cfg(loom)]
    if crate::model::unmapped(p, len) {
        return;
    }
    // SAFETY: the caller's contract.
    let _ = unsafe { syscall!(libc::SYS_munmap, p, len) };
}

/// `madvise(2)` on a mapping of ours with an advice that keeps its contents.
pub fn advise(p: *mut u8, len: usize, advice: i32) -> Result<()> {
    // SAFETY: callers pass whole mappings of theirs.
    unsafe { syscall!(libc::SYS_madvise, p, len, advice) }.map(|_| ())
}

/// As [`populate`], for pages whose contents are to stay.
pub fn back(p: *mut u8, len: usize) -> Result<()> {
    // SAFETY: populating changes no contents.
    unsafe { syscall!(libc::SYS_madvise, p, len, MADV_POPULATE_WRITE) }.map(|_| ())
}

/// Makes sure that memory stands behind the pages of `[p, p + len)` of a shared mapping, whose
/// contents do not matter, so that writing to them cannot raise SIGBUS. ENOMEM when the file system
/// is full or the file too short.
pub fn populate(p: *mut u8, len: usize) -> Result<()> {
    let start = p as usize & !4095;
    let end = (p as usize + len + 4095) & !4095;
    loop {
        // SAFETY: populating changes no contents.
        match unsafe { syscall!(libc::SYS_madvise, start, end - start, MADV_POPULATE_WRITE) } {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(Errno::EINVAL) => return populate_by_writing(p as usize, p as usize + len),
            Err(_) => return Err(Errno::ENOMEM),
        }
    }
}

/// For kernels that do not know the advice (before 5.14): lets the kernel write into each page, to
/// which a page that cannot be had is EFAULT and no signal.
fn populate_by_writing(start: usize, end: usize) -> Result<()> {
    let mut at = start;
    while at < end {
        // SAFETY: the range lies in a mapping of ours and holds nothing yet.
        unsafe {
            syscall!(libc::SYS_clock_gettime, libc::CLOCK_MONOTONIC_COARSE, at & !15)
                .map_err(|_| Errno::ENOMEM)?;
            core::ptr::write_bytes((at & !15) as *mut u8, 0, size_of::<libc::timespec>());
        }
        at = (at & !4095) + 4096;
    }
    Ok(())
}
