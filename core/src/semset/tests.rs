//! Sets on private memory, with processes that live and die, against a model that follows the kernel.

mod damage;
mod model;
mod random;

use super::guard::Context;
use super::layout::*;
use super::Set;
use crate::namespace::member::Member;
use crate::namespace::Namespace;
use crate::region::object::Geometry;
use crate::sync::wait::Wakes;
use std::alloc::{alloc_zeroed, dealloc, Layout};
use std::ffi::CString;
use std::path::PathBuf;
use std::vec::Vec;

/// Numbers without a pattern, the same in every run (the constants are MMIX's).
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 ^ self.0 >> 33
    }
    fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 8) % n
    }
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// On either side of a set's memory, so that a write beyond it is noticed.
const GUARD: usize = 4096;
const GUARD_BYTE: u8 = 0xa5;

/// A set in private memory, prepared as sysv/sem.rs prepares one.
struct Memory {
    base: *mut u8,
    len: usize,
    layout: Layout,
    geometry: Geometry,
}

impl Memory {
    fn new(nsems: u32, nodes: u32) -> Memory {
        let geometry = Geometry { nsems, nodes, ..Geometry::default() };
        let len = (Offsets::of(nsems).cells + nodes as usize * size_of::<Cell>()).next_multiple_of(4096);
        let layout = Layout::from_size_align(len + 2 * GUARD, 4096).unwrap();
        // SAFETY: the length is not 0, and the guards lie in the allocation.
        let base = unsafe {
            let start = alloc_zeroed(layout);
            assert!(!start.is_null());
            start.write_bytes(GUARD_BYTE, GUARD);
            start.add(GUARD + len).write_bytes(GUARD_BYTE, GUARD);
            start.add(GUARD)
        };
        let memory = Memory { base, len, layout, geometry };
        let head = memory.set().head();
        head.nsems.set(nsems);
        head.redo_backed.set(redo_steps(nsems) as u32);
        head.backed_cells.set(nodes);
        memory.set().initialise().unwrap();
        memory
    }

    fn set(&self) -> Set<'_> {
        // SAFETY: the memory is as long as the measures say, and page-aligned.
        unsafe { Set::raw(self.base, &self.geometry) }
    }

    fn words(&self) -> Vec<u64> {
        // SAFETY: zeroed when it was allocated, and nobody else is at work on it.
        unsafe { std::slice::from_raw_parts(self.base.cast::<u64>(), self.len / 8) }.to_vec()
    }

    fn restore(&self, words: &[u64]) {
        assert_eq!(words.len(), self.len / 8);
        // SAFETY: as many as there are.
        unsafe { self.base.cast::<u64>().copy_from(words.as_ptr(), words.len()) };
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: from alloc_zeroed with this layout; no set outlives it.
        let whole = unsafe {
            let guard = |at| std::slice::from_raw_parts(at, GUARD).iter().all(|b| *b == GUARD_BYTE);
            let whole = guard(self.base.sub(GUARD)) && guard(self.base.add(self.len));
            dealloc(self.base.sub(GUARD), self.layout);
            whole
        };
        assert!(whole || std::thread::panicking(), "something was written beyond the set");
    }
}

/// Some living processes in a namespace of their own, which is removed with the value.
struct Crowd {
    ns: &'static Namespace,
    path: PathBuf,
    members: Vec<Member>,
}

impl Crowd {
    fn new(name: &str, size: usize) -> Crowd {
        let path = std::env::temp_dir().join(std::format!("usipc-semset-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let text = CString::new(path.to_str().unwrap()).unwrap();
        let ns: &Namespace =
            std::boxed::Box::leak(std::boxed::Box::new(Namespace::open(&text).ok().unwrap()));
        let members = (0..size).map(|_| Member::born(ns)).collect();
        Crowd { ns, path, members }
    }

    /// One is killed, and another takes its place.
    fn replace(&mut self, i: usize) {
        self.members[i].end();
        self.members[i] = Member::born(self.ns);
    }

    /// Runs `body` as if the lock were held, in the name of member `i`.
    fn locked<'r, T>(&self, set: &Set<'r>, i: usize, body: impl FnOnce(&mut Context<'_, 'r>) -> T) -> T {
        let mine = self.members.get(i).map_or(1 << 32 | 1, |member| member.undo);
        let mut wakes = Wakes::default();
        let result = body(&mut Context::new(*set, self.ns, &mut wakes, mine));
        wakes.wake();
        result
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.members.iter().for_each(Member::end);
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
