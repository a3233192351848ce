//! A queue of messages in shared memory: what System V and POSIX queues have in common.
//!
//! All functions here are called under the object's lock, except those of [`wait`]. Functions that
//! follow indexes found in shared memory return [`Corrupt`] when one leads nowhere.

pub mod arena;
pub mod cells;
pub mod guard;
pub mod heap;
pub mod index;
pub mod layout;
pub mod ops;
pub mod recover;
pub mod wait;
pub mod waiters;

use crate::region::header::ObjectKind;
use crate::region::object::{Geometry, Ref};
use crate::region::{Corrupt, NIL, W32, W64};
use crate::sys::cpu;
use core::ptr;
use layout::*;

pub use crate::region::Checked;

/// So many messages ahead memory is fetched: as long as their calls take, another processor's lines are on their way.
const AHEAD: u32 = 6;

/// A mapped queue. Copyable: it borrows the mapping that a reference keeps.
#[derive(Clone, Copy)]
pub struct Queue<'r> {
    base: *mut u8,
    geometry: &'r Geometry,
    /// `geometry.nodes`, which is asked for all the time.
    nodes: u32,
    system_v: bool,
}

impl<'r> Queue<'r> {
    /// The queue in this object.
    #[inline(always)]
    pub fn of(object: &'r Ref) -> Queue<'r> {
        // SAFETY: the object is mapped as its measures say, as long as the reference lives.
        unsafe { Queue::raw(object.base(), object.geometry(), object.is(ObjectKind::Msg)) }
    }

    /// The same, of an object whose kind is known where this is compiled: of what follows there, only the half for
    /// that kind is.
    #[inline(always)]
    pub fn of_kind(object: &'r Ref, kind: ObjectKind) -> Queue<'r> {
        Queue { system_v: matches!(kind, ObjectKind::Msg), ..Queue::of(object) }
    }

    /// A queue in memory that is not an object of the table (being made, or under test).
    ///
    /// # Safety
    /// `base` is valid for reading and writing as `geometry` says, and page-aligned.
    #[inline(always)]
    pub unsafe fn raw(base: *mut u8, geometry: &'r Geometry, system_v: bool) -> Queue<'r> {
        Queue { base, geometry, nodes: geometry.nodes, system_v }
    }

    /// The header.
    #[inline(always)]
    pub fn head(&self) -> &'r QueueHeader {
        // SAFETY: every queue mapping begins with this header; all atomics.
        unsafe { &*self.base.cast::<QueueHeader>() }
    }

    /// POSIX: see [`Geometry::sole_user`].
    pub fn sole_user(&self) -> Option<u32> {
        self.geometry.sole_user
    }

    /// POSIX: messages it holds at most.
    #[inline(always)]
    pub fn max_messages(&self) -> u64 {
        self.geometry.max_messages as u64
    }

    /// System V: units in the mapping. The last place for a node is NODE_UNITS before their end.
    #[inline(always)]
    pub fn units(&self) -> u32 {
        self.nodes + (NODE_UNITS - 1)
    }

    /// System V: how many units of the arena must be mapped, if not all of them are.
    #[inline(always)]
    pub fn unmapped(&self) -> Option<u32> {
        Some(self.head().end.get()).filter(|&end| end > self.units())
    }

    /// The node with this index.
    #[inline(always)]
    pub fn node(&self, n: u32) -> Checked<&'r Node> {
        let (first, stride) = if self.system_v {
            (NODES_AT, UNIT)
        } else {
            (self.geometry.cells_at as usize, self.geometry.cell_bytes as usize)
        };
        // SAFETY: below `nodes`, which the mapping holds; Node is all atomics.
        Corrupt::unless(n < self.nodes, || unsafe {
            &*self.base.add(first + n as usize * stride).cast::<Node>()
        })
    }

    /// Has the memory of message `n`, if there is one, brought to this processor while other work is done: a call soon is
    /// probably about it.
    #[inline(always)]
    pub fn expect(&self, n: u32) {
        if let Ok(node) = self.node(n) {
            cpu::fetch_to_write(ptr::from_ref(node).cast());
            if let Ok(text) = self.text_of(n, node, 0) {
                cpu::fetch_to_write(text);
            }
        }
    }

    /// The same for what a call needs that comes to the queue after others: at once, since
    /// each line would otherwise be asked for when the one before has come.
    pub fn expect_turn(&self, kind: u32) {
        let head = self.head();
        cpu::fetch_to_write((&raw const head.common.lock).cast());
        cpu::fetch_to_write((&raw const head.count).cast());
        cpu::fetch_to_write((&raw const head.free).cast());
        let (first, second) =
            if self.system_v { (&head.fresh, &head.free) } else { (&head.free, &head.fresh) };
        let n = match (kind, first.get()) {
            (waiter_kind::RECEIVER, _) => head.front.get(),
            (_, NIL) => second.get(),
            (_, n) => n,
        };
        (0..=AHEAD).for_each(|i| self.expect(n.wrapping_add(i)));
    }

    /// The same for what comes some places on if messages lie as far apart as `n` and `next`.
    #[inline(always)]
    pub fn expect_in_line(&self, n: u32, next: u32) {
        self.expect(n.wrapping_add(next.wrapping_sub(n).wrapping_mul(AHEAD)));
    }

    /// The waiter with this index.
    #[inline(always)]
    pub fn waiter(&self, w: u32) -> Checked<&'r Waiter> {
        // SAFETY: every queue mapping holds all waiters; Waiter is all atomics.
        Corrupt::unless(w < WAITERS, || unsafe {
            &*self.base.add(WAITERS_AT + w as usize * size_of::<Waiter>()).cast::<Waiter>()
        })
    }

    /// The text of message `n`, `len` bytes long: behind its node.
    #[inline(always)]
    pub fn text(&self, n: u32, len: usize) -> Checked<*mut u8> {
        self.text_of(n, self.node(n)?, len)
    }

    /// The same, where the node is at hand.
    #[inline(always)]
    pub fn text_of(&self, n: u32, node: &Node, len: usize) -> Checked<*mut u8> {
        let node = ptr::from_ref(node).cast_mut();
        let room = if self.system_v {
            (self.nodes - 1 - n) as usize * UNIT
        } else {
            self.geometry.message_bytes as usize
        };
        // SAFETY: so much of the mapping lies behind the node.
        Corrupt::unless(len <= room, || unsafe { node.add(1).cast() })
    }

    /// Word `i` of the keymap; `i` below 512.
    #[inline(always)]
    fn keymap(&self, i: usize) -> &'r W64 {
        debug_assert!(i < 512);
        // SAFETY: the keymap is a page of the mapping; callers derive `i` from a key below 32768.
        unsafe { &*self.base.add(KEYMAP_AT).cast::<W64>().add(i & 511) }
    }

    /// The bucket of the key table for `key`.
    #[inline(always)]
    fn bucket(&self, key: i64) -> Checked<&'r W32> {
        let hash = (key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if !self.system_v {
            let mixed = (key as u64).wrapping_mul(PRIORITY_MIX) as usize & (SMALL_KEYS as usize - 1);
            let i = mixed >> (MOST_TABLE_BITS - self.geometry.table_bits);
            // SAFETY: the mapping holds the table, by the measures taken when it was mapped.
            return Ok(unsafe { &*self.base.add(NODES_AT).cast::<W32>().add(i) });
        }
        let head = self.head();
        let table = head.table.get();
        if table == NIL {
            return Ok(&head.buckets[(hash >> 32) as usize & (FIRST_BUCKETS - 1)]);
        }
        let bits = head.table_bits.get();
        if bits > 28 {
            return Err(Corrupt);
        }
        let i = (hash >> 32) as usize & ((1 << bits) - 1);
        let words = self.text(table, 4 << bits)?;
        // SAFETY: text() has checked that the whole table lies in the mapping.
        Ok(unsafe { &*words.cast::<W32>().add(i) })
    }
}
