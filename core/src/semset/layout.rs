//! The layout of a semaphore set's file.
//!
//! ```text
//!     0   Header, SetHeader
//!   384   words: one of 64 bits for each semaphore
//!         lists: for each semaphore, those who wait for it alone
//!         groups: for each 16 semaphores, the chain of their adjustments
//!         redo: 16 bytes for each step of the largest operation
//!         cells: 64 bytes each, as many as the file is long
//! ```
//!
//! Truth and derived data. A semaphore is its word: value and pid change together, by one store. An
//! operation on several words, or on words and adjustments, is written to the redo record first; storing
//! its `count` is the commit point, and who finds a count that is not 0 carries the operation out (again).
//! A sleeper is its WAITER cell with the cells of its further operations, an adjustment its place in an
//! UNDO cell. Lists, chains, counts and the SLOW bits are derived: [`super::recover`] makes them anew.

pub use crate::sync::wait::waiting;

use crate::region::header::Header;
use crate::region::{W32, W64};

/// The greatest value of a semaphore (Linux: SEMVMX), and of an adjustment.
pub const SEMVMX: i32 = 32767;
/// Operations of one call that there is room for.
pub const MAX_OPS: usize = 500;
/// Semaphores of a set that there is room for.
pub const MAX_SEMS: u32 = 32000;
/// Semaphores whose adjustments share a cell.
pub const GROUP: u32 = 16;
/// Where the words lie.
pub const WORDS_AT: usize = 384;

/// A semaphore's word: pid of the last operation, where it was last decremented and incremented (hints, see
/// [`crate::sys::cpu`]), [`SLOW`], value.
pub mod word {
    use crate::sys::cpu::Cpu;

    /// Where the processor of the last decrement and of the last increment lie.
    const DOWN: u32 = 17;
    const UP: u32 = 24;
    const CPU: u64 = 0x7f;

    /// The value.
    pub const VALUE: u64 = 0x7fff;
    /// Somebody waits for it, or its value is subject to adjustments, or who holds the set's lock
    /// is at work on it: only who holds the lock may change the word.
    pub const SLOW: u64 = 1 << 16;

    /// The value in a word.
    #[inline(always)]
    pub fn value(word: u64) -> i32 {
        (word & VALUE) as i32
    }
    /// The pid in a word.
    #[inline(always)]
    pub fn pid(word: u64) -> u32 {
        (word >> 32) as u32
    }
    /// The word that one which is not [`SLOW`] becomes when `pid` makes it `value`.
    #[inline(always)]
    pub fn after(word: u64, value: i32, pid: u32) -> u64 {
        let (mine, other) = if value < self::value(word) { (DOWN, UP) } else { (UP, DOWN) };
        of(value, pid) | word & CPU << other | Cpu::here().fold() << mine
    }
    /// Where one runs, as far as known, who may change it so that `pid` can go on: who incremented it last if `pid` has
    /// decremented it since, else who has decremented it.
    pub fn peer(word: u64, pid: u32) -> Cpu {
        Cpu::unfold(word >> if self::pid(word) == pid { UP } else { DOWN } & CPU)
    }
    /// A word that is not [`SLOW`].
    #[inline(always)]
    pub fn of(value: i32, pid: u32) -> u64 {
        (pid as u64) << 32 | value as u64 & VALUE
    }
}

/// What a cell is.
pub mod kind {
    /// Unused.
    pub const FREE: u32 = 0;
    /// A sleeping thread.
    pub const WAITER: u32 = 1;
    /// Further operations of a sleeping thread.
    pub const MORE: u32 = 2;
    /// Adjustments of a process for the semaphores of a group.
    pub const UNDO: u32 = 3;
}

/// A piece of memory that serves as what its `kind` says.
#[repr(C, align(64))]
pub struct Cell {
    /// See [`kind`].
    pub kind: W32,
    /// WAITER: see [`waiting`]; the futex.
    pub state: W32,
    /// WAITER: the program image that waits. UNDO: the process (0: nobody). MORE: `seq` of its waiter.
    pub token: W64,
    /// FREE: next on the stack. WAITER, MORE: the next five operations. UNDO: next of the group.
    pub next: W32,
    /// WAITER, UNDO: the process's id. MORE: the waiter's cell.
    pub pid: W32,
    /// WAITER: see [`Waiter`]. MORE: five operations. UNDO: sixteen adjustments, then the group.
    pub body: [W32; 10],
}

/// A WAITER cell.
#[repr(C, align(64))]
pub struct Waiter {
    kind: W32,
    #[allow(missing_docs)]
    pub state: W32,
    #[allow(missing_docs)]
    pub token: W64,
    /// The first cell of further operations.
    pub more: W32,
    #[allow(missing_docs)]
    pub pid: W32,
    /// Order of arrival.
    pub seq: W64,
    /// The first operation, see [`super::ops::Op`], and above it how many there are; FAILED: the errno.
    pub op: W64,
    /// The token of the process's adjustments, in halves.
    pub undo: [W32; 2],
    /// Neighbours in the list of all sleepers.
    pub before: W32,
    #[allow(missing_docs)]
    pub after: W32,
    /// A single operation: neighbours in the list of its semaphore. Several: the one that
    /// cannot be done, as its semaphore, and whether that waits for zero.
    pub sem_before: W32,
    #[allow(missing_docs)]
    pub sem_after: W32,
}

const _: () = assert!(size_of::<Cell>() == 64 && size_of::<Waiter>() == 64);
const _: () = assert!(core::mem::offset_of!(Cell, body) == core::mem::offset_of!(Waiter, seq));

/// The ends of a list.
#[repr(C)]
pub struct List {
    #[allow(missing_docs)]
    pub head: W32,
    #[allow(missing_docs)]
    pub tail: W32,
}

/// One step of a redo record: what a semaphore and an adjustment become.
#[repr(C)]
pub struct Step {
    /// The semaphore.
    pub sem: W32,
    /// Its value.
    pub value: W32,
    /// The UNDO cell, or NIL.
    pub cell: W32,
    /// The adjustment.
    pub adjustment: W32,
}

/// What [`SetHeader::redo_clear`] means when it clears the adjustments of all semaphores.
pub const CLEAR_ALL: u32 = u32::MAX;

/// What follows the common header.
#[repr(C)]
pub struct SetHeader {
    /// See [`crate::region::header`].
    pub common: Header,
    /// Semaphores in the set; the measure from which all offsets follow.
    pub nsems: W32,
    /// sem_otime, seconds since the Epoch.
    pub otime: W64,

    /// Steps of an operation that is committed and perhaps not yet carried out.
    pub redo_count: W32,
    /// Whose pid the semaphores get.
    pub redo_pid: W32,
    /// The sleeper whose operation this is, or NIL.
    pub redo_waiter: W32,
    /// 0, or 1 + the semaphore that loses all adjustments, or [`CLEAR_ALL`].
    pub redo_clear: W32,
    /// Steps for which there is memory.
    pub redo_backed: W32,

    /// Top of the stack of unused cells.
    pub free_cell: W32,
    /// Cells above this were never used.
    pub fresh_cell: W32,
    /// Cells for which there is memory.
    pub backed_cells: W32,

    /// All sleepers, in order of arrival.
    pub waiters: List,
    /// Order of arrival of the next one.
    pub waiter_seq: W64,
    /// How many of them want several operations.
    pub arrays: W32,
    /// Adjustments that are not 0.
    pub adjusted: W32,
    /// When a sleeper last looked whether those who have adjustments live: CLOCK_MONOTONIC, milliseconds.
    pub looked_ms: W64,
}

const _: () = assert!(size_of::<SetHeader>() <= WORDS_AT);

/// Offsets that follow from the number of semaphores.
#[derive(Clone, Copy)]
pub struct Offsets {
    #[allow(missing_docs)]
    pub lists: usize,
    #[allow(missing_docs)]
    pub groups: usize,
    #[allow(missing_docs)]
    pub redo: usize,
    #[allow(missing_docs)]
    pub cells: usize,
}

/// Steps of the largest operation on `nsems` semaphores: a SETALL, or a semop.
pub const fn redo_steps(nsems: u32) -> usize {
    if nsems as usize > MAX_OPS {
        nsems as usize
    } else {
        MAX_OPS
    }
}

/// Groups of `nsems` semaphores.
pub const fn groups(nsems: u32) -> u32 {
    nsems.div_ceil(GROUP)
}

impl Offsets {
    /// Those of a set of `nsems`.
    #[inline(always)]
    pub const fn of(nsems: u32) -> Offsets {
        let lists = WORDS_AT + nsems as usize * size_of::<W64>();
        let groups_at = lists + nsems as usize * size_of::<List>();
        let redo = (groups_at + groups(nsems) as usize * size_of::<W32>()).next_multiple_of(16);
        let cells = (redo + redo_steps(nsems) * size_of::<Step>()).next_multiple_of(4096);
        Offsets { lists, groups: groups_at, redo, cells }
    }
}
