//! Memory for System V messages: runs of units, found by size class.
//!
//! Two-level segregated fit (Masmano, Ripoll, Crespo, Real, ECRTS 2004) with neighbours merged at
//! once, but for two runs that are in no bin: the one that came free last, and the one that messages are cut from. Every change of the chain of runs is one store that leaves it walkable: a run is split by
//! writing the rest's node before shortening it, two are merged by lengthening the first, and
//! the arena grows by writing the new run's node before moving `end`.

use super::layout::*;
use super::{Checked, Queue};
use crate::errno::Errno;
use crate::likely::unlikely;
use crate::region::{Corrupt, NIL};
use crate::sys::map;
use core::sync::atomic::Ordering::Release;

/// Why there is no memory for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// Somebody wrote over the queue.
    Corrupt,
    /// The file is too short, or the mapping: it must hold this many units.
    Units(u32),
    /// The file system is full.
    Full(Errno),
}

impl From<Corrupt> for NoRoom {
    fn from(_: Corrupt) -> NoRoom {
        NoRoom::Corrupt
    }
}

/// Runs of fewer units have a class of their own for each length.
const SMALL_UNITS: u32 = 32;

/// Units for a text of `len` bytes.
pub fn units_for(len: usize) -> u32 {
    NODE_UNITS + len.div_ceil(UNIT) as u32
}

/// The class of runs of `units`: exact below 32, then four classes for each doubling.
fn bin_of(units: u32) -> usize {
    if units < SMALL_UNITS {
        return units as usize;
    }
    let log = 31 - units.leading_zeros();
    let bin = 32 + (log as usize - 5) * 4 + (units >> (log - 2) & 3) as usize;
    // Only a number that somebody scribbled there is larger.
    bin.min(BINS - 1)
}

/// The first class all of whose runs hold `units`.
fn bin_holding(units: u32) -> usize {
    if units < SMALL_UNITS {
        return units as usize;
    }
    let log = 31 - units.leading_zeros();
    bin_of(units.saturating_add((1 << (log - 2)) - 1))
}

impl Queue<'_> {
    pub(super) fn bin_insert(&self, n: u32, node: &Node) -> Checked<()> {
        let (head, bin) = (self.head(), bin_of(node.units.get()));
        let first = head.bins[bin].get();
        node.before.set(NIL);
        node.after.set(first);
        if first != NIL {
            self.node(first)?.before.set(n);
        }
        head.bins[bin].set(n);
        let map = &head.bin_map[bin / 64];
        map.set(map.get() | 1 << (bin % 64));
        Ok(())
    }

    /// Takes the free run `n` out of its bin, or from a place beside them.
    fn bin_remove(&self, n: u32, node: &Node) -> Checked<()> {
        let (head, bin) = (self.head(), bin_of(node.units.get()));
        for beside in [&head.free, &head.fresh] {
            if beside.get() == n {
                beside.set(NIL);
                return Ok(());
            }
        }
        let (before, after) = (node.before.get(), node.after.get());
        if after != NIL {
            self.node(after)?.before.set(before);
        }
        if before != NIL {
            self.node(before)?.after.set(after);
            return Ok(());
        }
        head.bins[bin].set(after);
        if after == NIL {
            let map = &head.bin_map[bin / 64];
            map.set(map.get() & !(1 << (bin % 64)));
        }
        Ok(())
    }

    /// A free run of at least `units`, or NIL.
    fn bin_find(&self, units: u32) -> Checked<u32> {
        let (head, bin) = (self.head(), bin_holding(units));
        let mut word = bin / 64;
        let mut map = head.bin_map[word].get() & (u64::MAX << (bin % 64));
        while map == 0 {
            word += 1;
            if word == head.bin_map.len() {
                return Ok(NIL);
            }
            map = head.bin_map[word].get();
        }
        let n = head.bins[word * 64 + map.trailing_zeros() as usize].get();
        if self.node(n)?.units.get() < units {
            return Err(Corrupt);
        }
        Ok(n)
    }

    /// The run after `n`, or NIL at the end.
    fn run_after(&self, n: u32, node: &Node) -> Checked<u32> {
        let (units, end) = (node.units.get(), self.head().end.get());
        match n.checked_add(units).ok_or(Corrupt)? {
            next if next == end => Ok(NIL),
            next if next < end && units != 0 => Ok(next),
            _ => Err(Corrupt),
        }
    }

    fn set_prev_run(&self, of: u32, prev: u32) -> Checked<()> {
        match of {
            NIL => self.head().last_run.set(prev),
            n => self.node(n)?.prev_run.set(prev),
        }
        Ok(())
    }

    /// A run for a text of `len` bytes, not FREE in the bins any more but still so by its state.
    #[inline(never)]
    pub fn arena_alloc(&self, len: usize) -> Result<u32, NoRoom> {
        let units = units_for(len);
        let n = self.arena_take(units)?;
        if n != NIL {
            return Ok(n);
        }
        self.grow(units)?;
        // Not by its bin, some runs of which may be too short.
        Ok(self.take(self.head().last_run.get(), units)?)
    }

    /// The same from the memory at hand, or NIL.
    #[inline(always)]
    pub fn arena_take(&self, units: u32) -> Checked<u32> {
        let free = &self.head().free;
        let n = free.get();
        if let Ok(node) = self.node(n) {
            if node.units.get() == units && node.state.get() == state::FREE {
                free.set(NIL);
                return Ok(n);
            }
        }
        match self.cut(units)? {
            NIL => self.take_larger(units),
            n => Ok(n),
        }
    }

    #[inline(never)]
    fn take_larger(self, units: u32) -> Checked<u32> {
        let head = self.head();
        if head.fresh.get() == NIL {
            head.fresh.set(head.free.get());
            head.free.set(NIL);
            let n = self.cut_again(units)?;
            if n != NIL {
                return Ok(n);
            }
        }
        self.gather()?;
        match self.bin_find(units)? {
            NIL => Ok(NIL),
            n => self.take(n, units),
        }
    }

    /// Takes `units` of the free run `n`, which messages are cut from next. None is so far.
    fn take(&self, n: u32, units: u32) -> Checked<u32> {
        let node = self.node(n)?;
        if node.units.get() < units || node.state.get() != state::FREE {
            return Err(Corrupt);
        }
        self.bin_remove(n, node)?;
        self.head().fresh.set(n);
        self.cut_again(units)
    }

    #[inline(never)]
    fn cut_again(&self, units: u32) -> Checked<u32> {
        self.cut(units)
    }

    /// Takes `units` from the beginning of the run that messages are cut from; NIL if it is too short.
    #[inline(always)]
    fn cut(&self, units: u32) -> Checked<u32> {
        let head = self.head();
        let n = head.fresh.get();
        let Ok(node) = self.node(n) else { return Ok(NIL) };
        let rest_units = node.units.get().wrapping_sub(units);
        if unlikely(node.units.get() < units || node.state.get() != state::FREE) {
            return Ok(NIL);
        }
        if unlikely(rest_units < NODE_UNITS) {
            head.fresh.set(NIL);
            return Ok(n);
        }
        // Checked: the rest lies in the arena.
        let next = self.run_after(n, node)?;
        let rest = self.node(n + units)?;
        rest.state.set(state::FREE);
        rest.units.set(rest_units);
        rest.prev_run.set(n);
        node.units.atomic().store(units, Release);
        self.set_prev_run(next, n + units)?;
        head.fresh.set(n + units);
        Ok(n)
    }

    /// As [`Queue::arena_put`], on the paths that need not be short.
    #[inline(never)]
    pub fn arena_free(&self, n: u32) -> Checked<()> {
        self.arena_put(n)
    }

    /// Gives a run back. Its state is FREE already. The last one stays as it is and in no bin, for a message as long;
    /// it becomes longer when the one behind it comes free, and the one that messages are cut from when that before it does. When another
    /// comes free it is merged with its free neighbours.
    #[inline(always)]
    pub fn arena_put(&self, n: u32) -> Checked<()> {
        let head = self.head();
        let kept = head.free.get();
        if kept == NIL {
            head.free.set(n);
            return Ok(());
        }
        let (node, before) = (self.node(n)?, self.node(kept)?);
        let end = n.wrapping_add(node.units.get());
        if kept.wrapping_add(before.units.get()) == n {
            self.lengthen(kept, before, self.run_after(n, node)?, node.units.get())
        } else if end == head.fresh.get() {
            let after = self.node(end)?;
            self.lengthen(n, node, self.run_after(end, after)?, after.units.get())?;
            head.fresh.set(n);
            Ok(())
        } else if before.state.get() != state::FREE {
            Err(Corrupt)
        } else {
            head.free.set(n);
            self.merge(kept)
        }
    }

    /// Adds to the run `n` the one behind it, of `units`. What comes then is `next`.
    #[inline(always)]
    fn lengthen(&self, n: u32, node: &Node, next: u32, units: u32) -> Checked<()> {
        node.units.atomic().store(node.units.get().wrapping_add(units), Release);
        self.set_prev_run(next, n)
    }

    #[inline(never)]
    fn merge(self, mut n: u32) -> Checked<()> {
        let mut node = self.node(n)?;
        let next = self.swallow(n, node)?;
        loop {
            let prev = node.prev_run.get();
            if prev == NIL {
                break;
            }
            let before = self.node(prev)?;
            if before.state.get() != state::FREE {
                break;
            }
            if prev >= n {
                return Err(Corrupt);
            }
            self.bin_remove(prev, before)?;
            before.units.set(before.units.get().wrapping_add(node.units.get()));
            (n, node) = (prev, before);
        }
        self.set_prev_run(next, n)?;
        self.bin_insert(n, node)
    }

    /// Merges the free runs behind a run with it; what comes then.
    #[inline(never)]
    fn swallow(&self, n: u32, node: &Node) -> Checked<u32> {
        loop {
            let next = self.run_after(n, node)?;
            if next == NIL {
                return Ok(NIL);
            }
            let after = self.node(next)?;
            if after.state.get() != state::FREE {
                return Ok(next);
            }
            self.run_after(next, after)?;
            self.bin_remove(next, after)?;
            node.units.set(node.units.get() + after.units.get());
        }
    }

    /// Merges the runs that are in no bin.
    pub(super) fn gather(&self) -> Checked<()> {
        for beside in [&self.head().free, &self.head().fresh] {
            let n = beside.get();
            if n == NIL {
                continue;
            }
            if self.node(n)?.state.get() != state::FREE {
                return Err(Corrupt);
            }
            beside.set(NIL);
            self.merge(n)?;
        }
        Ok(())
    }

    /// Makes the arena longer by at least `units`: by little, so that it never holds much more memory
    /// than its messages need.
    fn grow(&self, units: u32) -> Result<(), NoRoom> {
        let head = self.head();
        let end = head.end.get();
        let page = (4096 / UNIT) as u32;
        let wanted = units.max(end / 64) as u64;
        let new_end = (end as u64 + wanted).next_multiple_of(page as u64);
        let mapped = self.units() as u64;
        let new_end = if new_end <= mapped { new_end } else { (end as u64 + units as u64).min(mapped) };
        if new_end < end as u64 + units as u64 {
            return Err(NoRoom::Units(end.saturating_add(units)));
        }
        let at = NODES_AT + end as usize * UNIT;
        // SAFETY: below `mapped`, inside the mapping.
        map::populate(unsafe { self.base.add(at) }, (new_end as usize - end as usize) * UNIT)
            .map_err(NoRoom::Full)?;
        self.extend(end, new_end as u32)?;
        Ok(())
    }

    /// Appends the run `[end, new_end)`, behind which memory stands.
    pub(crate) fn extend(&self, end: u32, new_end: u32) -> Checked<()> {
        let (head, node) = (self.head(), self.node(end)?);
        node.state.set(state::FREE);
        node.units.set(new_end - end);
        node.prev_run.set(head.last_run.get());
        head.end.atomic().store(new_end, Release);
        head.last_run.set(end);
        self.merge(end)
    }

    /// Whether [`Queue::trim`] may have something to do.
    #[inline(always)]
    pub fn may_trim(&self) -> bool {
        let head = self.head();
        head.count.get() == 0 && unlikely(head.end.get() > 4 * (FIRST_BYTES / UNIT) as u32)
    }

    /// Gives the memory of an empty queue back, but for its first page; at most once a second, so
    /// that a queue which fills and empties all the time keeps what it needs.
    #[cold]
    #[inline(never)]
    pub fn trim(self, now_s: i64) -> Checked<()> {
        let head = self.head();
        let (end, first) = (head.end.get(), (FIRST_BYTES / UNIT) as u32);
        if end <= 4 * first || head.assigned.get() != 0 || head.trim_time.get() == now_s as u64 {
            return Ok(());
        }
        head.trim_time.set(now_s as u64);
        let mapped = self.units();
        if end > mapped {
            return Err(Corrupt);
        }
        // One free run, as in a new queue: each of these stores leaves the chain of runs walkable.
        let node = self.node(0)?;
        node.state.set(state::FREE);
        node.units.atomic().store(end, Release);
        let rest = self.node(first)?;
        rest.state.set(state::FREE);
        rest.units.set(end - first);
        node.units.atomic().store(first, Release);
        head.end.atomic().store(first, Release);
        head.table.set(NIL);
        head.free.set(NIL);
        head.fresh.set(NIL);
        head.buckets.iter().chain(&head.bins).for_each(|w| w.set(NIL));
        head.bin_map.iter().for_each(|m| m.set(0));
        node.prev_run.set(NIL);
        head.last_run.set(0);
        self.bin_insert(0, node)?;
        let at = NODES_AT + FIRST_BYTES;
        // SAFETY: below `mapped`, inside the mapping; no message lies there.
        let _ = map::advise(unsafe { self.base.add(at) }, (end - first) as usize * UNIT, libc::MADV_REMOVE);
        Ok(())
    }

    /// Whether the chains in the key table grow long.
    #[inline(always)]
    pub fn table_is_crowded(&self) -> bool {
        let keys = self.head().keys.get() as usize;
        keys >= 2 * FIRST_BUCKETS && keys >> self.table_bits() >= 2
    }

    /// The binary logarithm of the key table's size.
    fn table_bits(&self) -> u32 {
        let head = self.head();
        let bits =
            if head.table.get() == NIL { FIRST_BUCKETS.trailing_zeros() } else { head.table_bits.get() };
        bits.min(31)
    }

    /// Makes the key table larger. Failing to is no error.
    #[cold]
    #[inline(never)]
    pub fn grow_table(self) -> Result<(), NoRoom> {
        let head = self.head();
        let (old, bits) = (head.table.get(), self.table_bits());
        if bits >= 24 || !self.table_is_crowded() {
            return Ok(());
        }
        let new_bits = bits + 2;
        let run = self.arena_alloc(4 << new_bits)?;
        let words = self.text(run, 4 << new_bits)?;
        for i in 0..1usize << new_bits {
            // SAFETY: text() has checked the length; runs are 32-aligned.
            unsafe { &*words.cast::<crate::region::W32>().add(i) }.set(NIL);
        }
        self.node(run)?.state.set(state::TABLE);
        head.table_bits.set(new_bits);
        head.table.set(run);
        self.rehash()?;
        if old != NIL {
            self.node(old)?.state.set(state::FREE);
            self.arena_free(old)?;
        }
        Ok(())
    }

    /// Enters every leader in the (empty) key table.
    fn rehash(&self) -> Checked<()> {
        let mut n = self.head().first.get();
        let mut bound = self.nodes;
        while n != NIL {
            bound = bound.checked_sub(1).ok_or(Corrupt)?;
            let node = self.node(n)?;
            let bucket = self.bucket(node.key.get() as i64)?;
            if !self.is_in_front(node.key.get() as i64)
                && self.leader_in(bucket.get(), node.key.get())? == NIL
            {
                node.bucket_next.set(bucket.get());
                bucket.set(n);
            }
            n = node.after.get();
        }
        Ok(())
    }

    fn leader_in(&self, mut n: u32, key: u64) -> Checked<u32> {
        let mut bound = self.nodes;
        while n != NIL && self.node(n)?.key.get() != key {
            bound = bound.checked_sub(1).ok_or(Corrupt)?;
            n = self.node(n)?.bucket_next.get();
        }
        Ok(n)
    }
}

#[cfg(test)]
pub(super) mod tests;
