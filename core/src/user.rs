//! Pointers handed in by the program, as the kernel's `__user`: dereferenced only here, and a bad
//! address is EFAULT.

use crate::errno::{Errno, Result};
use crate::likely::unlikely;
use crate::sys::copy;
use core::ffi::{c_char, c_long};
use core::{mem::MaybeUninit, ptr};
use libc::sembuf;

/// The first address above user space. Programs that ask for 57-bit (52-bit) addresses get them only
/// by an explicit hint; those are not served.
#[cfg(target_arch = "x86_64")]
const USER_END: usize = (1 << 47) - 4096;
/// As above, for AArch64.
#[cfg(not(target_arch = "x86_64"))]
const USER_END: usize = 1 << 48;
/// No object is ever mapped in the first page (`vm.mmap_min_addr`).
const USER_START: usize = 4096;

#[inline(always)]
fn plausible(addr: usize, len: usize) -> bool {
    const SPAN: usize = USER_END - USER_START;
    // Of a known length: one comparison.
    len <= SPAN && addr.wrapping_sub(USER_START) <= SPAN - len
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
    /// `p` is what the C caller's contract says it is, or an address that nobody else uses.
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
    #[inline]
    pub fn read(self) -> Result<T>
    where
        T: Copy,
    {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: room for a T, which is all there when the copy succeeds; T is plain data.
        unsafe {
            self.copy_to(value.as_mut_ptr().cast(), size_of::<T>())?;
            Ok(value.assume_init())
        }
    }
    /// The pointer `bytes` further on, as another type.
    pub fn offset<U>(self, bytes: usize) -> In<U> {
        In((self.0 as usize).wrapping_add(bytes) as *const U)
    }
    /// EFAULT unless `len` bytes from here lie in user space; whether there is memory, a copy will tell.
    #[inline(always)]
    pub fn check(self, len: usize) -> Result<()> {
        if unlikely(len != 0 && !plausible(self.0 as usize, len)) {
            return Err(Errno::EFAULT);
        }
        Ok(())
    }
    /// Copies `len` bytes to `to`. EFAULT.
    ///
    /// # Safety
    /// `to` is valid for `len` bytes.
    #[inline]
    pub unsafe fn copy_to(self, to: *mut u8, len: usize) -> Result<()> {
        self.check(len)?;
        // SAFETY: the caller's contract.
        unsafe { self.copy_checked_to(to, len) }
    }
    /// The same, of what [`In::check`] has found good.
    ///
    /// # Safety
    /// As [`In::copy_to`].
    #[inline(always)]
    pub unsafe fn copy_checked_to(self, to: *mut u8, len: usize) -> Result<()> {
        // SAFETY: `new`'s and this function's contracts; the two never overlap, `to` is ours.
        if unlikely(!unsafe { copy::copy(to, self.0.cast(), len) }) {
            return Err(Errno::EFAULT);
        }
        Ok(())
    }
}

impl In<sembuf> {
    /// As [`In::read`], field by field.
    #[inline(always)]
    pub fn read_fields(self) -> Result<sembuf> {
        self.check(size_of::<sembuf>())?;
        // SAFETY: `new`'s contract.
        let [sem_num, sem_op, flags] = unsafe { copy::three_words(self.0.cast()) }.ok_or(Errno::EFAULT)?;
        Ok(sembuf { sem_num, sem_op: sem_op as i16, sem_flg: flags as i16 })
    }
}

impl In<c_long> {
    /// As [`In::read`].
    #[inline(always)]
    pub fn read_word(self) -> Result<c_long> {
        self.check(size_of::<c_long>())?;
        // SAFETY: `new`'s contract.
        unsafe { copy::read_word(self.0.cast()) }.map(|word| word as c_long).ok_or(Errno::EFAULT)
    }
}

impl Out<c_long> {
    /// As [`Out::write`].
    #[inline(always)]
    pub fn write_word(self, value: c_long) -> Result<()> {
        self.check(size_of::<c_long>())?;
        // SAFETY: `new`'s contract.
        if unlikely(!unsafe { copy::write_word(self.0.cast(), value as u64) }) {
            return Err(Errno::EFAULT);
        }
        Ok(())
    }
}

impl In<c_char> {
    /// Reads a string into `buf`, without its NUL. EFAULT; ENAMETOOLONG: it does not fit with its NUL.
    pub fn read_string(self, buf: &mut [u8]) -> Result<&[u8]> {
        let mut len = 0;
        while len < buf.len() {
            // No further than the string may reach into a page.
            let step = (64 - (self.addr() + len) % 64).min(buf.len() - len);
            let part = &mut buf[len..len + step];
            // SAFETY: a part of the buffer.
            unsafe { self.offset::<u8>(len).copy_to(part.as_mut_ptr(), step)? };
            if let Some(end) = part.iter().position(|b| *b == 0) {
                return Ok(&buf[..len + end]);
            }
            len += step;
        }
        Err(Errno::ENAMETOOLONG)
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
    #[inline]
    pub fn write(self, value: &T) -> Result<()> {
        // SAFETY: `value` is valid for its size.
        unsafe { self.copy_from(ptr::from_ref(value).cast(), size_of::<T>()) }
    }
    /// The pointer `bytes` further on, as another type.
    pub fn offset<U>(self, bytes: usize) -> Out<U> {
        Out((self.0 as usize).wrapping_add(bytes) as *mut U)
    }
    /// EFAULT unless `len` bytes from here lie in user space; whether there is memory, a copy will tell.
    pub fn check(self, len: usize) -> Result<()> {
        self.as_in().check(len)
    }
    /// Copies `len` bytes from `from`. EFAULT.
    ///
    /// # Safety
    /// `from` is valid for `len` bytes.
    #[inline]
    pub unsafe fn copy_from(self, from: *const u8, len: usize) -> Result<()> {
        self.check(len)?;
        // SAFETY: as In::copy_to.
        if unlikely(!unsafe { copy::copy(self.0.cast(), from, len) }) {
            return Err(Errno::EFAULT);
        }
        Ok(())
    }
}
