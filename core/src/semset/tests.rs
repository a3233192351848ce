//! Sets on private memory, with processes that live and die, against a model that follows the kernel.

mod damage;
mod model;
mod random;

use super::guard::Context;
use super::layout::*;
use super::Set;
use crate::namespace::lifeline::{self, Token};
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

/// A process that does nothing but live, and its names in the namespace.
struct Member {
    pid: u32,
    token: Token,
    undo: Token,
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
        let members = (0..size).map(|_| born(ns)).collect();
        Crowd { ns, path, members }
    }

    /// One is killed, and another takes its place.
    fn replace(&mut self, i: usize) {
        end(&self.members[i]);
        self.members[i] = born(self.ns);
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
        self.members.iter().for_each(end);
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn born(ns: &'static Namespace) -> Member {
    let mut ends = [0; 2];
    let mut tokens = [0u64; 2];
    // SAFETY: the child makes system calls alone, and never returns from here.
    let pid = unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        let pid = libc::fork();
        assert!(pid >= 0);
        if pid == 0 {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            tokens = [lifeline::my_token(ns).unwrap_or(0), lifeline::my_undo_token(ns).unwrap_or(0)];
            libc::write(ends[1], tokens.as_ptr().cast(), size_of_val(&tokens));
            loop {
                libc::pause();
            }
        }
        libc::close(ends[1]);
        let got = libc::read(ends[0], tokens.as_mut_ptr().cast(), size_of_val(&tokens));
        libc::close(ends[0]);
        assert_eq!(got as usize, size_of_val(&tokens));
        pid
    };
    assert!(tokens[0] != 0 && tokens[1] != 0);
    Member { pid: pid as u32, token: tokens[0], undo: tokens[1] }
}

fn end(member: &Member) {
    // SAFETY: a child of this process that has not been waited for.
    unsafe {
        libc::kill(member.pid as i32, libc::SIGKILL);
        libc::waitpid(member.pid as i32, core::ptr::null_mut(), 0);
    }
}
