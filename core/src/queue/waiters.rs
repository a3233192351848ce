//! The entries of sleeping threads, in the order in which they came.

use super::layout::*;
use super::{Checked, Queue};
use crate::namespace::{lifeline, Namespace};
use crate::region::{Corrupt, NIL};
use crate::sys::{futex, map};
use core::sync::atomic::Ordering::*;

pub use crate::sync::wait::Wakes;

const WAITERS_IN_PAGE: u32 = 4096 / size_of::<Waiter>() as u32;

impl<'r> Queue<'r> {
    /// The list that a waiter of this kind is in.
    pub(super) fn list(&self, kind: u32) -> &'r List {
        if kind == waiter_kind::SENDER {
            &self.head().senders
        } else {
            &self.head().receivers
        }
    }

    /// Enters a waiter in its list: at the end, but before those of less urgency (POSIX; Linux:
    /// wq_add).
    pub(super) fn list_push(&self, w: u32, waiter: &Waiter) -> Checked<()> {
        let list = self.list(waiter.kind.get());
        let (mut before, mut after) = (list.tail.get(), NIL);
        for _ in 0..WAITERS {
            if before == NIL || self.waiter(before)?.urgency.get() >= waiter.urgency.get() {
                break;
            }
            (before, after) = (self.waiter(before)?.before.get(), before);
        }
        waiter.before.set(before);
        waiter.after.set(after);
        match before {
            NIL => list.head.set(w),
            _ => self.waiter(before)?.after.set(w),
        }
        match after {
            NIL => list.tail.set(w),
            _ => self.waiter(after)?.before.set(w),
        }
        Ok(())
    }

    /// Takes a waiter out of its list.
    pub(super) fn list_remove(&self, waiter: &Waiter) -> Checked<()> {
        let list = self.list(waiter.kind.get());
        let (before, after) = (waiter.before.get(), waiter.after.get());
        match before {
            NIL => list.head.set(after),
            _ => self.waiter(before)?.after.set(after),
        }
        match after {
            NIL => list.tail.set(before),
            _ => self.waiter(after)?.before.set(before),
        }
        Ok(())
    }

    /// An unused entry, or NIL.
    pub(super) fn waiter_alloc(&self) -> Checked<u32> {
        let head = self.head();
        let w = head.free_waiter.get();
        if w != NIL {
            head.free_waiter.set(self.waiter(w)?.after.get());
            return Ok(w);
        }
        let w = head.fresh_waiter.get();
        if w >= head.backed_waiters.get() && !self.back_waiters(w)? {
            return Ok(NIL);
        }
        head.fresh_waiter.set(w + 1);
        Ok(w)
    }

    /// Gets memory for a page of waiters from this one on.
    #[cold]
    fn back_waiters(&self, from: u32) -> Checked<bool> {
        if from >= WAITERS {
            return Ok(false);
        }
        let page = self.waiter(from / WAITERS_IN_PAGE * WAITERS_IN_PAGE)? as *const Waiter;
        let backed = map::populate(page.cast_mut().cast(), 4096).is_ok();
        if backed {
            self.head().backed_waiters.set((from / WAITERS_IN_PAGE + 1) * WAITERS_IN_PAGE);
        }
        Ok(backed)
    }

    /// The waiters that have been used.
    pub(super) fn used_waiters(&self) -> core::ops::Range<u32> {
        0..self.head().fresh_waiter.get().min(WAITERS)
    }

    /// Gives an entry back, which is in no list any more, and tells those for whom there was none.
    pub(super) fn waiter_free(&self, w: u32, waiter: &Waiter) {
        let head = self.head();
        waiter.state.atomic().store(waiting::FREE, Release);
        waiter.after.set(head.free_waiter.get());
        head.free_waiter.set(w);
        self.tell_overflowed(1);
    }

    /// Lets so many of those try again for whom there was no entry.
    pub(super) fn tell_overflowed(&self, n: u32) {
        let head = self.head();
        if head.overflowed.get() != 0 {
            head.overflow.atomic().fetch_add(1, Release);
            futex::wake(head.overflow.atomic(), n);
        }
    }

    /// Ends the wait of all in a list in the same way. Those for whom there was no entry see for themselves.
    pub fn end_all(&self, kind: u32, how: u32, wakes: &mut Wakes<'r>) -> Checked<()> {
        for _ in 0..=WAITERS {
            let w = self.list(kind).head.get();
            if w == NIL {
                self.tell_overflowed(u32::MAX >> 1);
                return Ok(());
            }
            let waiter = self.waiter(w)?;
            self.list_remove(waiter)?;
            self.drop_prepared(waiter)?;
            wakes.end(waiter.state.atomic(), how);
        }
        Err(Corrupt)
    }

    /// Frees the message that a waiting sender has prepared.
    pub(super) fn drop_prepared(&self, waiter: &Waiter) -> Checked<()> {
        let n = waiter.node.get();
        if waiter.kind.get() == waiter_kind::SENDER && n != NIL {
            waiter.node.set(NIL);
            self.cell_free(n)?;
        }
        Ok(())
    }

    /// How many wait in a list.
    pub fn waiting_count(&self, kind: u32) -> u32 {
        let mut n = 0;
        let mut w = self.list(kind).head.get();
        while let Ok(waiter) = self.waiter(w) {
            n += 1;
            w = waiter.after.get();
            if n > WAITERS {
                break;
            }
        }
        n
    }

    /// Whether a killed process left an entry behind.
    pub fn has_dead_waiter(&self, ns: &Namespace) -> bool {
        self.used_waiters().any(|w| {
            self.waiter(w)
                .is_ok_and(|e| e.state.get() != waiting::FREE && !lifeline::is_alive(ns, e.token.get()))
        })
    }
}

impl QueueHeader {
    /// Empties all lists of a new queue.
    pub(crate) fn clear_lists(&self) {
        for w in [
            &self.first,
            &self.last,
            &self.heap,
            &self.front,
            &self.free,
            &self.free_waiter,
            &self.receivers.head,
            &self.receivers.tail,
            &self.senders.head,
            &self.senders.tail,
        ] {
            w.set(NIL);
        }
    }
}
