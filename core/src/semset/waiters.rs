//! Cells, and the sleepers in them: in the order in which they came, and those who want one operation
//! also by their semaphore.

use super::guard::Context;
use super::layout::*;
use super::ops::{Doer, Op, OPS_IN_CELL};
use super::undo::NoCell;
use super::Set;
use crate::namespace::lifeline::Token;
use crate::region::{Checked, Corrupt, NIL, W32};
use crate::sync::wait::{self, Wakes};
use crate::sys::map;
use core::sync::atomic::Ordering::*;

impl Waiter {
    /// How many operations it wants; FAILED: the errno.
    pub fn count(&self) -> u32 {
        (self.op.get() >> 48) as u32
    }
    pub(super) fn set_count(&self, count: u32) {
        self.op.set(self.op.get() & !(0xffff << 48) | (count as u64) << 48);
    }
    /// Whether it wants one operation only.
    pub fn is_single(&self) -> bool {
        self.count() == 1
    }
    /// Its operation, or the first of them.
    pub fn first(&self) -> Op {
        Op::unpack(self.op.get())
    }
    /// In whose name its operations are done.
    pub fn doer(&self) -> Doer {
        let token = (self.undo[1].get() as u64) << 32 | self.undo[0].get() as u64;
        Doer { pid: self.pid.get(), token }
    }
    /// Notes which operation an array waits for (semncnt and semzcnt count it there alone).
    pub fn note_blocked(&self, op: Op) {
        if !self.is_single() {
            self.sem_before.set(op.sem);
            self.sem_after.set((op.change == 0) as u32);
        }
    }
    /// The semaphore that it waits for, and whether it waits for zero.
    fn blocked(&self) -> (u32, bool) {
        if self.is_single() {
            (self.first().sem, self.first().change == 0)
        } else {
            (self.sem_before.get(), self.sem_after.get() != 0)
        }
    }
}

/// How many sleepers look after the rest, and how many more do so less often.
pub const WATCHERS: usize = 6;
const MORE_WATCHERS: usize = 16;

/// Which links of a waiter.
type Links = fn(&Waiter) -> (&W32, &W32);

fn in_all(w: &Waiter) -> (&W32, &W32) {
    (&w.before, &w.after)
}

fn in_sem(w: &Waiter) -> (&W32, &W32) {
    (&w.sem_before, &w.sem_after)
}

impl<'r> Set<'r> {
    /// An unused cell.
    pub(super) fn cell_alloc(&self) -> Result<u32, NoCell> {
        let head = self.head();
        let c = head.free_cell.get();
        if c != NIL {
            let cell = self.cell(c)?;
            if cell.kind.get() != kind::FREE {
                return Err(NoCell::Corrupt);
            }
            head.free_cell.set(cell.next.get());
            return Ok(c);
        }
        let c = head.fresh_cell.get();
        if c >= self.geometry.nodes {
            return Err(NoCell::NoMemory);
        }
        if c >= head.backed_cells.get() {
            const PAGE: u32 = 4096 / size_of::<Cell>() as u32;
            let start = c / PAGE * PAGE;
            // SAFETY: cell c, and so the page that it lies in, is in the mapping.
            let page = unsafe { self.base.add(self.offsets().cells + start as usize * size_of::<Cell>()) };
            map::populate(page, 4096).map_err(|_| NoCell::NoMemory)?;
            head.backed_cells.set(start + PAGE);
        }
        head.fresh_cell.set(c + 1);
        Ok(c)
    }

    pub(super) fn cell_free(&self, c: u32) -> Checked<()> {
        let (cell, free) = (self.cell(c)?, &self.head().free_cell);
        cell.kind.atomic().store(kind::FREE, Release);
        cell.next.set(free.get());
        free.set(c);
        Ok(())
    }

    /// Gives back the cells of a sleeper that is in no list any more.
    pub(super) fn waiter_free(&self, w: u32) -> Checked<()> {
        let mut more = self.waiter(w)?.more.get();
        self.cell_free(w)?;
        for _ in 0..MAX_OPS {
            if more == NIL {
                return Ok(());
            }
            let cell = self.cell(more)?;
            if cell.kind.get() != kind::MORE || cell.pid.get() != w {
                return Err(Corrupt);
            }
            let next = cell.next.get();
            self.cell_free(more)?;
            more = next;
        }
        Err(Corrupt)
    }

    /// Enters a sleeper; its operations are frozen. `blocked` is the one that cannot be done.
    pub fn enter(
        &self,
        ops: &[libc::sembuf],
        blocked: Op,
        (token, doer): (Token, Doer),
    ) -> Result<(u32, &'r Waiter), NoCell> {
        let head = self.head();
        let w = self.cell_alloc()?;
        let seq = head.waiter_seq.get();
        let more = self.store_more(w, seq, ops).inspect_err(|_| {
            let _ = self.cell_free(w);
        })?;
        let cell = self.cell(w)?;
        // The state that the last sleeper left here is nobody's: it goes first.
        cell.state.set(waiting::FREE);
        cell.kind.atomic().store(kind::WAITER, Release);
        let waiter = self.waiter(w)?;
        waiter.token.set(token);
        waiter.undo[0].set(doer.token as u32);
        waiter.undo[1].set((doer.token >> 32) as u32);
        waiter.pid.set(doer.pid);
        waiter.seq.set(seq);
        waiter.more.set(more);
        waiter.op.set(ops.first().map_or(0, |op| Op::from(op).pack()));
        waiter.set_count(ops.len() as u32);
        waiter.note_blocked(blocked);
        head.waiter_seq.set(seq.wrapping_add(1));
        // From here on it waits.
        waiter.state.atomic().store(waiting::AWAKE, Release);
        self.link(w, waiter)?;
        Ok((w, waiter))
    }

    /// Stores the operations behind the first; the first cell of them.
    fn store_more(&self, w: u32, seq: u64, ops: &[libc::sembuf]) -> Result<u32, NoCell> {
        let mut next = NIL;
        let rest = ops.get(1..).unwrap_or(&[]);
        for part in rest.chunks(OPS_IN_CELL as usize).rev() {
            let c = match self.cell_alloc() {
                Ok(c) => c,
                Err(e) => {
                    while next != NIL {
                        let after = self.cell(next)?.next.get();
                        self.cell_free(next)?;
                        next = after;
                    }
                    return Err(e);
                }
            };
            let cell = self.cell(c)?;
            for (i, op) in part.iter().enumerate() {
                let word = Op::from(op).pack();
                cell.body[i * 2].set(word as u32);
                cell.body[i * 2 + 1].set((word >> 32) as u32);
            }
            cell.token.set(seq);
            cell.pid.set(w);
            cell.next.set(next);
            cell.kind.set(kind::MORE);
            next = c;
        }
        Ok(next)
    }

    /// Enters a waiter in the lists, by order of arrival.
    pub(super) fn link(&self, w: u32, waiter: &Waiter) -> Checked<()> {
        let head = self.head();
        self.list_push(&head.waiters, w, waiter, in_all)?;
        if waiter.is_single() {
            self.list_push(self.list(waiter.first().sem)?, w, waiter, in_sem)
        } else {
            head.arrays.set(head.arrays.get().wrapping_add(1));
            Ok(())
        }
    }

    /// Takes a waiter out of the lists.
    pub(super) fn unlink(&self, waiter: &Waiter) -> Checked<()> {
        let head = self.head();
        let watched =
            head.adjusted.get() != 0 && self.watchers().take(WATCHERS).any(|(_, w)| core::ptr::eq(w, waiter));
        self.list_remove(&head.waiters, waiter, in_all)?;
        if waiter.is_single() {
            self.list_remove(self.list(waiter.first().sem)?, waiter, in_sem)?;
        } else {
            head.arrays.set(head.arrays.get().saturating_sub(1));
        }
        if let Some((_, next)) = self.watchers().nth(WATCHERS - 1).filter(|_| watched) {
            wait::nudge(next.state.atomic());
        }
        Ok(())
    }

    /// The sleepers that came last, the last first. They look after the rest: see [`super::wait`].
    fn watchers(&self) -> impl Iterator<Item = (u32, &'r Waiter)> + '_ {
        let first = self.head().waiters.tail.get();
        let each = move |w: &mut u32| {
            let (cell, waiter) = (*w, self.waiter(*w).ok()?);
            *w = waiter.before.get();
            Some((cell, waiter))
        };
        let mut w = first;
        core::iter::from_fn(move || each(&mut w)).take(WATCHERS + MORE_WATCHERS)
    }

    /// Its place among them, if it is one. The lock is not needed: who becomes one is nudged.
    pub fn rank(&self, w: u32) -> Option<usize> {
        self.watchers().position(|(cell, _)| cell == w)
    }

    /// Frees the entries of those of them who were killed: others take their places.
    pub fn bury_watchers(&self, cx: &mut Context<'_, 'r>) -> Checked<()> {
        // Each round has one less.
        for _ in 0..=self.geometry.nodes {
            let dead = self.watchers().take(WATCHERS).find(|(_, waiter)| !cx.waits(waiter.token.get()));
            let Some((w, waiter)) = dead else { return Ok(()) };
            self.unlink(waiter)?;
            self.waiter_free(w)?;
        }
        Err(Corrupt)
    }

    /// Wakes those whose wait is over, in case the wake-ups died with their sender.
    pub fn wake_forgotten(&self) {
        for c in 0..self.head().fresh_cell.get().min(self.geometry.nodes) {
            if let Ok(waiter) = self.waiter(c) {
                wait::wake_forgotten(waiter.state.atomic());
            }
        }
    }

    fn list_push(&self, list: &List, w: u32, waiter: &Waiter, links: Links) -> Checked<()> {
        let (mut before, mut after) = (list.tail.get(), NIL);
        // Only a repair enters them in another order than that of arrival.
        for _ in 0..=self.geometry.nodes {
            if before == NIL || self.waiter(before)?.seq.get() < waiter.seq.get() {
                break;
            }
            (before, after) = (links(self.waiter(before)?).0.get(), before);
        }
        links(waiter).0.set(before);
        links(waiter).1.set(after);
        match before {
            NIL => list.head.set(w),
            _ => links(self.waiter(before)?).1.set(w),
        }
        match after {
            NIL => list.tail.set(w),
            _ => links(self.waiter(after)?).0.set(w),
        }
        Ok(())
    }

    fn list_remove(&self, list: &List, waiter: &Waiter, links: Links) -> Checked<()> {
        let (before, after) = (links(waiter).0.get(), links(waiter).1.get());
        match before {
            NIL => list.head.set(after),
            _ => links(self.waiter(before)?).1.set(after),
        }
        match after {
            NIL => list.tail.set(before),
            _ => links(self.waiter(after)?).0.set(before),
        }
        Ok(())
    }

    /// Ends the wait of all: the set is removed.
    pub fn end_all(&self, wakes: &mut Wakes<'r>) -> Checked<()> {
        for _ in 0..=self.geometry.nodes {
            let w = self.head().waiters.head.get();
            if w == NIL {
                return Ok(());
            }
            let waiter = self.waiter(w)?;
            self.unlink(waiter)?;
            wakes.end(waiter.state.atomic(), waiting::REMOVED);
        }
        Err(Corrupt)
    }

    /// How many wait for a semaphore: for zero, or for a greater value. Those who were killed
    /// do not. Linux: count_semcnt
    pub fn count_waiting(&self, sem: u32, zero: bool, cx: &Context<'_, 'r>) -> Checked<u32> {
        let mut n = 0;
        let mut w = self.head().waiters.head.get();
        for _ in 0..=self.geometry.nodes {
            if w == NIL {
                return Ok(n);
            }
            let waiter = self.waiter(w)?;
            let next = waiter.after.get();
            if waiter.blocked() == (sem, zero) {
                if cx.waits(waiter.token.get()) {
                    n += 1;
                } else {
                    self.unlink(waiter)?;
                    self.waiter_free(w)?;
                }
            }
            w = next;
        }
        Err(Corrupt)
    }

    /// Lets those who look after the others look at the set again, without ending their wait.
    pub fn nudge(&self) {
        self.watchers().for_each(|(_, waiter)| wait::nudge(waiter.state.atomic()));
    }
}
