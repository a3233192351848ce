//! The entries of sleeping threads, in the order in which they came.

use super::layout::*;
use super::{Checked, Queue};
use crate::errno::Errno;
use crate::namespace::{lifeline, Namespace};
use crate::region::{Corrupt, NIL};
use crate::sys::futex;
use core::sync::atomic::{AtomicU32, Ordering::*};

/// Futexes to wake once the lock is released. What does not fit is woken at once.
#[derive(Default)]
pub struct Wakes<'r> {
    words: [Option<&'r AtomicU32>; 4],
    count: usize,
}

impl<'r> Wakes<'r> {
    fn add(&mut self, word: &'r AtomicU32) {
        if self.count == self.words.len() {
            futex::wake(word, 1);
            return;
        }
        self.words[self.count] = Some(word);
        self.count += 1;
    }
    /// Wakes them all.
    #[inline]
    pub fn wake(&mut self) {
        for word in self.words.iter_mut().take(self.count) {
            if let Some(word) = word.take() {
                futex::wake(word, 1);
            }
        }
        self.count = 0;
    }
}

impl<'r> Queue<'r> {
    /// The list that a waiter of this kind is in.
    fn list(&self, kind: u32) -> &'r List {
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
        if w >= WAITERS {
            return Ok(NIL);
        }
        head.fresh_waiter.set(w + 1);
        Ok(w)
    }

    /// Gives an entry back, which is in no list any more, and tells those for whom there was none.
    pub(super) fn waiter_free(&self, w: u32, waiter: &Waiter) {
        let head = self.head();
        waiter.state.atomic().store(waiting::FREE, Release);
        waiter.after.set(head.free_waiter.get());
        head.free_waiter.set(w);
        if head.overflowed.get() != 0 {
            head.overflow.atomic().fetch_add(1, Release);
            futex::wake(head.overflow.atomic(), 1);
        }
    }

    /// Tells a waiter, which is in no list any more, how its wait ended.
    pub(super) fn end_wait(&self, waiter: &'r Waiter, how: u32, wakes: &mut Wakes<'r>) {
        // SYNC: waiter state (release side): what was written to the entry before is seen.
        if waiter.state.atomic().swap(how, Release) == waiting::ASLEEP {
            wakes.add(waiter.state.atomic());
        }
    }

    /// Whether a waiter, which is in no list any more, is there to be given something: it looks at
    /// its entry, or the kernel had it asleep and has woken it. One that has been killed or stopped
    /// is not, as it is not in the kernel's queues; it will try again when it runs again.
    pub(super) fn claim(&self, waiter: &Waiter) -> bool {
        let word = waiter.state.atomic();
        let there = match word.swap(waiting::CLAIMED, AcqRel) {
            waiting::ASLEEP => futex::wake(word, 1) != 0,
            waiting::AWAKE => true,
            _ => false,
        };
        if !there {
            word.store(waiting::RETRY, Release);
        }
        there
    }

    /// Ends the wait of all in a list in the same way.
    pub fn end_all(&self, kind: u32, how: u32, wakes: &mut Wakes<'r>) -> Checked<()> {
        for _ in 0..=WAITERS {
            let w = self.list(kind).head.get();
            if w == NIL {
                return Ok(());
            }
            let waiter = self.waiter(w)?;
            self.list_remove(waiter)?;
            self.drop_prepared(waiter)?;
            self.end_wait(waiter, how, wakes);
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
        (0..self.head().fresh_waiter.get().min(WAITERS)).any(|w| {
            self.waiter(w)
                .is_ok_and(|e| e.state.get() != waiting::FREE && !lifeline::is_alive(ns, e.token.get()))
        })
    }
}

impl From<Corrupt> for Errno {
    /// For System V calls; mq calls make EBADMSG of it.
    fn from(_: Corrupt) -> Errno {
        Errno::EINVAL
    }
}

impl Queue<'_> {
    /// Empties all lists of a new queue.
    pub(crate) fn clear_lists(&self) {
        let head = self.head();
        for w in [
            &head.first,
            &head.last,
            &head.heap,
            &head.free,
            &head.free_waiter,
            &head.receivers.head,
            &head.receivers.tail,
            &head.senders.head,
            &head.senders.tail,
        ] {
            w.set(NIL);
        }
    }
}
