//! The tables in which a process finds its mapped objects.

use super::object::Ref;
use crate::errno::{Errno, Result};
use crate::sync::primitive::{AtomicU32, Ordering::*};
use crate::sys::map;
use core::num::NonZeroUsize;
use once_cell::race::OnceNonZeroUsize;

/// From small numbers (indexes, descriptors) to objects, lock-free to read. Two levels; untouched
/// parts cost no memory.
pub struct Table {
    leaves: [OnceNonZeroUsize; LEAVES],
}

const LEAF: usize = 4096;
const LEAVES: usize = 4096;

impl Default for Table {
    fn default() -> Self {
        Self::new()
    }
}

impl Table {
    /// Empty.
    pub const fn new() -> Table {
        Table { leaves: [const { OnceNonZeroUsize::new() }; LEAVES] }
    }

    #[inline(always)]
    fn existing(&self, n: usize) -> Option<&AtomicU32> {
        let leaf = self.leaves.get(n / LEAF)?.get()?;
        // SAFETY: a leaf is a mapping of LEAF atomics that is never removed.
        Some(unsafe { &*(leaf.get() as *const AtomicU32).add(n % LEAF) })
    }

    fn entry(&self, n: usize) -> Result<&AtomicU32> {
        self.leaves
            .get(n / LEAF)
            .ok_or(Errno::ENOMEM)?
            .get_or_try_init(|| NonZeroUsize::new(map::anonymous(LEAF * 4)? as usize).ok_or(Errno::ENOMEM))?;
        self.existing(n).ok_or(Errno::ENOMEM)
    }

    /// The object at `n`.
    #[inline(always)]
    pub fn get(&self, n: usize) -> Option<Ref> {
        // 0, for none, is no slot either.
        Ref::try_slot(self.existing(n)?.load(Acquire).wrapping_sub(1))
    }

    /// Whether there is something at `n`.
    pub fn has(&self, n: usize) -> bool {
        self.existing(n).is_some_and(|e| e.load(Relaxed) != 0)
    }

    /// Puts an object at `n`; what was there is retired.
    pub fn put(&self, n: usize, object: &Ref) -> Result<()> {
        let old = self.entry(n)?.swap(object.slot() + 1, AcqRel);
        retire_slot(old);
        Ok(())
    }

    /// Takes `n` out of use; whether there was something.
    pub fn remove(&self, n: usize) -> bool {
        let old = self.existing(n).map_or(0, |e| e.swap(0, AcqRel));
        retire_slot(old);
        old != 0
    }

    /// Takes `n` out of use if it is still this object.
    pub fn remove_object(&self, n: usize, object: &Ref) {
        let slot = object.slot() + 1;
        if self.existing(n).is_some_and(|e| e.compare_exchange(slot, 0, AcqRel, Relaxed).is_ok()) {
            retire_slot(slot);
        }
    }

    /// Calls `each` with every number in use below `end`.
    pub fn each_in(&self, first: usize, end: usize, each: &mut dyn FnMut(usize)) {
        let mut n = first;
        while n < end && n / LEAF < LEAVES {
            if self.leaves[n / LEAF].get().is_none() {
                n = (n / LEAF + 1) * LEAF;
                continue;
            }
            if self.has(n) {
                each(n);
            }
            n += 1;
        }
    }
}

fn retire_slot(entry: u32) {
    if entry != 0 {
        if let Some(old) = Ref::try_slot(entry - 1) {
            old.retire();
        }
    }
}
