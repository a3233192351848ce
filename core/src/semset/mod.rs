//! A set of semaphores in shared memory (Linux: ipc/sem.c).
//!
//! An operation on one semaphore without SEM_UNDO is one compare-and-swap on its word, unless the
//! word is SLOW. All else is done under the object's lock, which makes the words that it looks at SLOW
//! first: [`ops`] finds out whether an array of operations can be done and does it, [`undo`] keeps the
//! adjustments, [`waiters`] those who sleep, [`serve`] does their operations for them, in the kernel's order.

pub mod guard;
pub mod layout;
pub mod ops;
pub mod recover;
pub mod serve;
pub mod undo;
pub mod wait;
pub mod waiters;

#[cfg(test)]
mod tests;

use crate::region::object::{Geometry, Ref};
use crate::region::{Checked, Corrupt, NIL, W32, W64};
use layout::*;

/// A mapped set. Copyable: it borrows the mapping that a reference keeps.
#[derive(Clone, Copy)]
pub struct Set<'r> {
    base: *mut u8,
    geometry: &'r Geometry,
    /// `geometry.nsems`, and what follows from it.
    nsems: u32,
    offsets: Offsets,
}

impl<'r> Set<'r> {
    /// The set in this object.
    #[inline(always)]
    pub fn of(object: &'r Ref) -> Set<'r> {
        // SAFETY: the object is mapped as its measures say, as long as the reference lives.
        unsafe { Set::raw(object.base(), object.geometry()) }
    }

    /// A set in memory that is not an object of the table (being made, or under test).
    ///
    /// # Safety
    /// `base` is valid for reading and writing as `geometry` says, and page-aligned.
    #[inline(always)]
    pub unsafe fn raw(base: *mut u8, geometry: &'r Geometry) -> Set<'r> {
        Set { base, geometry, nsems: geometry.nsems, offsets: Offsets::of(geometry.nsems) }
    }

    /// The header.
    #[inline(always)]
    pub fn head(&self) -> &'r SetHeader {
        // SAFETY: every set's mapping begins with this header; all atomics.
        unsafe { &*self.base.cast::<SetHeader>() }
    }

    /// How many semaphores there are.
    #[inline(always)]
    pub fn nsems(&self) -> u32 {
        self.nsems
    }

    #[inline(always)]
    fn at<T>(&self, offset: usize, i: u32, n: u32) -> Checked<&'r T> {
        // SAFETY: the mapping holds `n` of them here, by the measures taken when it was mapped;
        // all are structures of atomics.
        Corrupt::unless(i < n, || unsafe { &*self.base.add(offset).cast::<T>().add(i as usize) })
    }

    /// The word of semaphore `i`.
    #[inline(always)]
    pub fn word(&self, i: u32) -> Checked<&'r W64> {
        self.at(WORDS_AT, i, self.nsems())
    }

    /// Fills a new set, all-zero but for its measures.
    pub fn initialise(&self) -> Checked<()> {
        self.clear_derived()?;
        self.head().redo_waiter.set(NIL);
        (0..self.nsems()).try_for_each(|sem| self.thaw(sem))
    }

    /// Those who wait for semaphore `i` alone.
    #[inline(always)]
    fn list(&self, i: u32) -> Checked<&'r List> {
        self.at(self.offsets().lists, i, self.nsems())
    }

    /// The first UNDO cell of group `g`.
    #[inline(always)]
    fn group(&self, g: u32) -> Checked<&'r W32> {
        self.at(self.offsets().groups, g, groups(self.nsems()))
    }

    /// Step `i` of the redo record.
    #[inline(always)]
    fn step(&self, i: usize) -> Checked<&'r Step> {
        self.at(self.offsets().redo, i as u32, redo_steps(self.nsems()) as u32)
    }

    /// Cell `c`.
    #[inline(always)]
    pub fn cell(&self, c: u32) -> Checked<&'r Cell> {
        self.at(self.offsets().cells, c, self.geometry.nodes)
    }

    /// Cell `c`, which is a sleeper's.
    pub fn waiter(&self, c: u32) -> Checked<&'r Waiter> {
        if self.cell(c)?.kind.get() != kind::WAITER {
            return Err(Corrupt);
        }
        self.at(self.offsets().cells, c, self.geometry.nodes)
    }

    #[inline(always)]
    fn offsets(&self) -> Offsets {
        self.offsets
    }
}
