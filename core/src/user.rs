//! Pointers handed in by the program, as the kernel's `__user`: checked where that can be done
//! without a fault, and dereferenced only here.

use crate::errno::{Errno, Result};
use core::ptr;

/// The first address above user space. Programs that ask for 57-bit (52-bit) addresses get them only
/// by an explicit hint; those are not served.
#[cfg(target_arch = "x86_64")]
const USER_END: usize = (1 << 47) - 4096;
/// As above, for AArch64.
#[cfg(not(target_arch = "x86_64"))]
const USER_END: usize = 1 << 48;
/// No object is ever mapped in the first page (`vm.mmap_min_addr`).
const USER_START: usize = 4096;

fn plausible(addr: usize, len: usize) -> bool {
    (USER_START..USER_END).contains(&addr) && len <= USER_END - addr
}

/// A pointer from which the program lets us read.
#[derive(Debug)]
pub struct In<T>(*const T);
/// A pointer through which the program lets us read and write.
#[derive(Debug)]
pub struct Out<T>(*mut T);

impl<T> Clone for In<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for In<T> {}
impl<T> Clone for Out<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Out<T> {}

impl<T> In<T> {
    /// # Safety
    /// `p` is null, or what the C caller's contract says it is; an address that no mapping holds
    /// gives EFAULT where that can be told without touching it, and a fault otherwise.
    pub const unsafe fn new(p: *const T) -> Self {
        In(p)
    }
    /// The null pointer.
    pub const fn null() -> Self {
        In(ptr::null())
    }
    /// Whether the program passed NULL.
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }
    /// The address, for comparisons.
    pub fn addr(self) -> usize {
        self.0 as usize
    }
    /// Reads a value, aligned or not. EFAULT for an address outside user space.
    pub fn read(self) -> Result<T>
    where
        T: Copy,
    {
        if !plausible(self.0 as usize, size_of::<T>()) {
            return Err(Errno::EFAULT);
        }
        // SAFETY: `new`'s contract; plausible() has kept out what is certainly no user address.
        Ok(unsafe { ptr::read_unaligned(self.0) })
    }
    /// The pointer `bytes` further on, as another type.
    pub fn offset<U>(self, bytes: usize) -> In<U> {
        In((self.0 as usize).wrapping_add(bytes) as *const U)
    }
    /// EFAULT unless `len` bytes from here lie in user space.
    pub fn check(self, len: usize) -> Result<()> {
        if len != 0 && !plausible(self.0 as usize, len) {
            return Err(Errno::EFAULT);
        }
        Ok(())
    }
    /// Copies `len` bytes to `to`; `check(len)` has been called.
    ///
    /// # Safety
    /// `to` is valid for `len` bytes.
    pub unsafe fn copy_to(self, to: *mut u8, len: usize) {
        // SAFETY: `new`'s and this function's contracts; the two never overlap, `to` is ours.
        unsafe { ptr::copy_nonoverlapping(self.0.cast::<u8>(), to, len) }
    }
}

impl<T> Out<T> {
    /// # Safety
    /// As [`In::new`], and writable.
    pub const unsafe fn new(p: *mut T) -> Self {
        Out(p)
    }
    /// The null pointer.
    pub const fn null() -> Self {
        Out(ptr::null_mut())
    }
    /// Whether the program passed NULL.
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }
    /// The address, or the number that is passed in its place.
    pub fn addr(self) -> usize {
        self.0 as usize
    }
    /// The same pointer for reading.
    pub fn as_in(self) -> In<T> {
        In(self.0)
    }
    /// Writes a value, aligned or not. EFAULT for an address outside user space.
    pub fn write(self, value: T) -> Result<()> {
        if !plausible(self.0 as usize, size_of::<T>()) {
            return Err(Errno::EFAULT);
        }
        // SAFETY: as In::read.
        unsafe { ptr::write_unaligned(self.0, value) }
        Ok(())
    }
    /// The pointer `bytes` further on, as another type.
    pub fn offset<U>(self, bytes: usize) -> Out<U> {
        Out((self.0 as usize).wrapping_add(bytes) as *mut U)
    }
    /// EFAULT unless `len` bytes from here lie in user space.
    pub fn check(self, len: usize) -> Result<()> {
        self.as_in().check(len)
    }
    /// Copies `len` bytes from `from`; `check(len)` has been called.
    ///
    /// # Safety
    /// `from` is valid for `len` bytes.
    pub unsafe fn copy_from(self, from: *const u8, len: usize) {
        // SAFETY: as In::copy_to.
        unsafe { ptr::copy_nonoverlapping(from, self.0.cast::<u8>(), len) }
    }
}
