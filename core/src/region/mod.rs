//! A mapped object file: untrusted memory, read through relaxed atomics and checked offsets.

pub mod header;
pub mod object;
pub mod table;

use crate::likely::unlikely;
use crate::sync::primitive::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// No index: the null pointer of shared memory.
pub const NIL: u32 = u32::MAX;

/// A 32-bit word of a region. Under the object's lock a plain variable; anybody may spoil it.
#[repr(transparent)]
pub struct W32(AtomicU32);
/// A 64-bit word of a region.
#[repr(transparent)]
pub struct W64(AtomicU64);

impl W32 {
    /// The value.
    #[inline(always)]
    pub fn get(&self) -> u32 {
        self.0.load(Relaxed)
    }
    /// Stores a value.
    #[inline(always)]
    pub fn set(&self, v: u32) {
        self.0.store(v, Relaxed)
    }
    /// The atomic itself: for futexes and for stores whose order matters.
    #[inline(always)]
    pub fn atomic(&self) -> &AtomicU32 {
        &self.0
    }
}

impl W64 {
    /// The value.
    #[inline(always)]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
    /// Stores a value.
    #[inline(always)]
    pub fn set(&self, v: u64) {
        self.0.store(v, Relaxed)
    }
    /// The atomic itself.
    #[inline(always)]
    pub fn atomic(&self) -> &AtomicU64 {
        &self.0
    }
}

/// What is read from a file or written to one as it lies in memory.
///
/// # Safety
/// Any bytes are a value of the type.
pub unsafe trait Plain: Sized {
    /// That of a file that is all zeros.
    fn zeroed() -> Self {
        // SAFETY: the trait's.
        unsafe { core::mem::zeroed() }
    }
    /// Its bytes.
    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the trait's; nobody else refers to this one.
        unsafe { core::slice::from_raw_parts_mut((self as *mut Self).cast(), size_of::<Self>()) }
    }
}

/// The object's memory contradicts itself: somebody wrote over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

/// What following an index gives.
pub type Checked<T> = Result<T, Corrupt>;

impl Corrupt {
    /// `value`, if `fits`.
    #[inline(always)]
    pub fn unless<T>(fits: bool, value: impl FnOnce() -> T) -> Checked<T> {
        if unlikely(!fits) {
            return Err(Corrupt);
        }
        Ok(value())
    }
}

impl From<Corrupt> for crate::errno::Errno {
    /// For System V calls; mq calls make EBADMSG of it.
    fn from(_: Corrupt) -> Self {
        crate::errno::Errno::EINVAL
    }
}
