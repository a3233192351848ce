use super::*;
use crate::posix::queue_file;
use crate::region::object::Geometry;
use std::alloc::{alloc_zeroed, dealloc, Layout};
use std::collections::{BTreeSet, VecDeque};
use std::vec::Vec;

/// Numbers without a pattern, the same in every run (the constants are MMIX's).
pub struct Lcg(pub u64);

impl Lcg {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 ^ self.0 >> 33
    }
    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 8) % n
    }
}

/// How often something is tried: under miri, which takes hundreds of times as long, less often.
pub const fn times(n: u32) -> u32 {
    if cfg!(miri) {
        n / 40
    } else {
        n
    }
}

/// On either side of a queue's memory, so that a write beyond it is noticed.
const GUARD: usize = 4096;
const GUARD_BYTE: u8 = 0xa5;

/// A queue in private memory, prepared as sysv/msg.rs and posix/mqueue.rs prepare theirs.
pub struct Memory {
    base: *mut u8,
    pub len: usize,
    layout: Layout,
    pub geometry: Geometry,
    system_v: bool,
}

impl Memory {
    fn new(len: usize, geometry: Geometry, system_v: bool) -> Memory {
        let len = len.next_multiple_of(4096);
        let layout = Layout::from_size_align(len + 2 * GUARD, 4096).unwrap();
        // SAFETY: the length is not 0, and the guards lie in the allocation.
        let base = unsafe {
            let start = alloc_zeroed(layout);
            assert!(!start.is_null());
            start.write_bytes(GUARD_BYTE, GUARD);
            start.add(GUARD + len).write_bytes(GUARD_BYTE, GUARD);
            start.add(GUARD)
        };
        let memory = Memory { base, len, layout, geometry, system_v };
        memory.queue().head().clear_lists();
        memory
    }

    pub fn system_v(bytes: usize) -> Memory {
        let nodes = (bytes / UNIT) as u32 - (NODE_UNITS - 1);
        let memory = Memory::new(NODES_AT + bytes, Geometry { nodes, ..Geometry::default() }, true);
        let head = memory.queue().head();
        head.max_bytes.set(u64::MAX);
        head.table.set(NIL);
        head.last_run.set(NIL);
        head.free.set(NIL);
        head.fresh.set(NIL);
        head.buckets.iter().chain(&head.bins).for_each(|w| w.set(NIL));
        memory.queue().extend(0, (FIRST_BYTES / UNIT) as u32).unwrap();
        memory
    }

    pub fn posix(messages: u32, bytes: u32) -> Memory {
        let geometry = queue_file::geometry(messages, bytes);
        let memory = Memory::new(queue_file::len(&geometry) as usize, geometry, false);
        let queue = memory.queue();
        queue.head().backed.set(messages);
        queue.clear_index().unwrap();
        queue.head().free.set(NIL);
        memory
    }

    pub fn queue(&self) -> Queue<'_> {
        // SAFETY: the memory is as long as the measures say, and page-aligned.
        unsafe { Queue::raw(self.base, &self.geometry, self.system_v) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: from alloc_zeroed with this layout; no queue outlives it.
        let whole = unsafe {
            let guard = |at| std::slice::from_raw_parts(at, GUARD).iter().all(|b| *b == GUARD_BYTE);
            let whole = guard(self.base.sub(GUARD)) && guard(self.base.add(self.len));
            dealloc(self.base.sub(GUARD), self.layout);
            whole
        };
        assert!(whole || std::thread::panicking(), "something was written beyond the queue");
    }
}

/// Walks the arena: (start, units, state) of every run. The chain covers it without a gap, its
/// links back are right, and exactly the free runs are in the bins, but for the two beside them; no two of them are neighbours.
pub fn walk(queue: &Queue<'_>) -> Vec<(u32, u32, u32)> {
    let head = queue.head();
    let (mut runs, mut n, mut prev) = (Vec::new(), 0, NIL);
    while n < head.end.get() {
        let node = queue.node(n).unwrap();
        assert!(node.units.get() >= NODE_UNITS && node.units.get() <= head.end.get() - n);
        assert_eq!(node.prev_run.get(), prev);
        runs.push((n, node.units.get(), node.state.get()));
        prev = n;
        n += node.units.get();
    }
    assert_eq!(n, head.end.get());
    assert_eq!(head.last_run.get(), prev);
    let beside = [head.free.get(), head.fresh.get()];
    for n in beside.into_iter().filter(|n| *n != NIL) {
        assert!(
            runs.iter().any(|r| r.0 == n && r.2 == state::FREE),
            "what is beside the bins is no free run"
        );
    }
    assert!(beside[0] == NIL || beside[0] != beside[1]);
    let merged = |r: &(u32, u32, u32)| r.2 == state::FREE && !beside.contains(&r.0);
    assert!(!runs.windows(2).any(|w| merged(&w[0]) && merged(&w[1])), "neighbours were not merged");
    let free: BTreeSet<u32> = runs.iter().filter(|r| merged(r)).map(|r| r.0).collect();
    assert_eq!(binned(queue), free);
    runs
}

fn binned(queue: &Queue<'_>) -> BTreeSet<u32> {
    let head = queue.head();
    let mut found = BTreeSet::new();
    for bin in 0..BINS {
        let (mut n, mut before) = (head.bins[bin].get(), NIL);
        assert_eq!(head.bin_map[bin / 64].get() >> (bin % 64) & 1 != 0, n != NIL);
        while n != NIL {
            let node = queue.node(n).unwrap();
            assert_eq!((bin_of(node.units.get()), node.before.get()), (bin, before));
            assert!(found.insert(n), "a run is in two bins");
            (before, n) = (n, node.after.get());
        }
    }
    found
}

fn take(queue: &Queue<'_>, len: usize, mark: u8) -> Result<u32, NoRoom> {
    let n = queue.arena_alloc(len)?;
    let text = queue.text(n, len).unwrap();
    // SAFETY: text() has checked the length.
    unsafe { text.write_bytes(mark, len) };
    queue.node(n).unwrap().state.set(state::QUEUED);
    Ok(n)
}

fn give_back(queue: &Queue<'_>, (n, len, mark): (u32, usize, u8)) {
    let text = queue.text(n, len).unwrap();
    // SAFETY: text() has checked the length.
    let bytes = unsafe { std::slice::from_raw_parts(text, len) };
    assert!(bytes.iter().all(|b| *b == mark), "another run's text lies in this one's");
    queue.node(n).unwrap().state.set(state::FREE);
    queue.arena_free(n).unwrap();
}

#[test]
fn a_bin_holds_what_is_asked_of_it() {
    for units in (0..times(5000)).chain([1 << 16, (1 << 20) + 1, u32::MAX]) {
        assert!(bin_of(units) < BINS && bin_holding(units) < BINS);
        let smaller = (units.saturating_sub(600)..units).filter(|u| bin_of(*u) == bin_holding(units)).count();
        assert!(smaller == 0 || bin_holding(units) == BINS - 1, "{units}");
    }
}

#[test]
fn runs_never_overlap_and_all_merge_again() {
    let memory = Memory::system_v(1 << 20);
    let queue = memory.queue();
    let mut random = Lcg(1);
    for round in 0..8 {
        let mut held: Vec<(u32, usize, u8)> = Vec::new();
        for step in 0..times(600) {
            let grow = held.len() < 40 || (held.len() < 120 && random.below(2) == 0);
            if grow {
                let most = [1, 40, 400, 6000][random.below(4) as usize];
                let (len, mark) = (random.below(most) as usize, step as u8);
                match take(&queue, len, mark) {
                    Ok(n) => held.push((n, len, mark)),
                    Err(e) => panic!("round {round}: {e:?}"),
                }
            } else {
                give_back(&queue, held.swap_remove(random.below(held.len() as u64) as usize));
            }
            let used = walk(&queue).iter().filter(|r| r.2 != state::FREE).count();
            assert_eq!(used, held.len());
        }
        held.drain(..).for_each(|run| give_back(&queue, run));
        queue.gather().unwrap();
        assert_eq!(walk(&queue), [(0, queue.head().end.get(), state::FREE)]);
    }
}

/// The bins are for messages of all sizes in any order; one after the other comes and goes without them, or streams take half as
/// long again.
#[test]
fn a_stream_leaves_the_bins_alone() {
    let memory = Memory::system_v(1 << 20);
    let queue = memory.queue();
    let mut held: VecDeque<_> = (0..30).map(|i| (take(&queue, 64, i).unwrap(), 64, i)).collect();
    let (mut bins, mut changes) = (binned(&queue), 0);
    let steps = times(3000);
    for i in 0..steps {
        held.push_back((take(&queue, 64, i as u8).unwrap(), 64, i as u8));
        give_back(&queue, held.pop_front().unwrap());
        walk(&queue);
        let now = binned(&queue);
        changes += (now != bins) as u32;
        bins = now;
    }
    assert!(changes * 10 < steps, "{changes} of {steps} steps");
    assert_eq!(queue.head().end.get(), (FIRST_BYTES / UNIT) as u32, "more than all of them take");
}

/// The same by many at a time.
#[test]
fn bursts_leave_the_bins_alone() {
    let memory = Memory::system_v(1 << 20);
    let queue = memory.queue();
    let runs = || -> Vec<_> {
        binned(&queue).into_iter().map(|n| (n, queue.node(n).unwrap().units.get())).collect()
    };
    let (mut bins, mut changes, mut steps) = (runs(), 0, 0);
    for _ in 0..times(40) {
        let held: Vec<_> = (0..100).map(|i| (take(&queue, 64, i).unwrap(), 64, i)).collect();
        for run in held {
            give_back(&queue, run);
            let now = runs();
            changes += (now != bins) as u32;
            steps += 1;
            bins = now;
        }
    }
    assert!(changes * 10 < steps, "{changes} of {steps} steps");
}

#[test]
fn a_long_run_is_found_at_once_where_the_arena_was_lengthened_for_it() {
    for len in [1000, 33_000, 70_000, 100_000, 500_000] {
        let memory = Memory::system_v(1 << 20);
        let queue = memory.queue();
        take(&queue, len, 1).unwrap();
        assert!((queue.head().end.get() as usize) < len / UNIT + 400);
    }
}

#[test]
fn a_full_mapping_says_how_much_is_needed() {
    let memory = Memory::system_v(3 * 4096);
    let queue = memory.queue();
    let mut held = Vec::new();
    let refusal = loop {
        match take(&queue, 500, held.len() as u8) {
            Ok(n) => held.push((n, 500, held.len() as u8)),
            Err(e) => break e,
        }
    };
    assert_eq!(refusal, NoRoom::Units(queue.head().end.get() + units_for(500)));
    assert_eq!(walk(&queue).iter().filter(|r| r.2 == state::QUEUED).count(), held.len());
    held.drain(..).for_each(|run| give_back(&queue, run));
    queue.gather().unwrap();
    assert_eq!(walk(&queue), [(0, queue.head().end.get(), state::FREE)]);
}

#[test]
fn an_empty_arena_shrinks_to_its_first_page_once_a_second() {
    let memory = Memory::system_v(1 << 20);
    let queue = memory.queue();
    let first = (FIRST_BYTES / UNIT) as u32;
    for (now, shrinks) in [(7, true), (7, false), (8, true)] {
        let held: Vec<_> = (0..12).map(|i| (take(&queue, 8000, i).unwrap(), 8000, i)).collect();
        held.into_iter().for_each(|run| give_back(&queue, run));
        let long = queue.head().end.get();
        queue.trim(now).unwrap();
        queue.gather().unwrap();
        assert_eq!(walk(&queue), [(0, if shrinks { first } else { long }, state::FREE)]);
    }
}
