//! Repair: what is committed is carried out, and all derived data made anew from the truth (see
//! [`super::layout`]).
//!
//! Runs when a lock was taken over from a dead process, and when an index led nowhere. It may be
//! killed itself at any point: it changes the truth only by carrying out what is committed, and
//! by freeing cells whose owner is dead.

use super::guard::Context;
use super::layout::*;
use super::Set;
use crate::region::{Checked, NIL};
use core::sync::atomic::Ordering::*;

/// Makes the derived data anew. Corrupt when the truth itself contradicts itself.
pub fn recover<'r>(set: &Set<'r>, cx: &mut Context<'_, 'r>) -> Checked<()> {
    let head = set.head();
    head.common.broken.set(1);
    if set.carry_out().is_err() {
        // A record that leads nowhere is none of ours.
        head.redo_count.set(0);
    }
    head.fresh_cell.set(head.fresh_cell.get().min(set.geometry.nodes));
    set.clear_derived()?;
    set.relink(cx)?;
    if head.common.removed.get() != 0 {
        set.end_all(cx.wakes)?;
    } else {
        set.reap_all(cx)?;
        set.serve_all(cx)?;
    }
    head.common.broken.set(0);
    Ok(())
}

impl<'r> Set<'r> {
    /// Empties lists and chains.
    pub(crate) fn clear_derived(&self) -> Checked<()> {
        let head = self.head();
        for word in [&head.waiters.head, &head.waiters.tail, &head.free_cell] {
            word.set(NIL);
        }
        head.arrays.set(0);
        head.adjusted.set(0);
        for sem in 0..self.nsems() {
            // Frozen until it is known who waits for it.
            self.freeze(sem)?;
            let list = self.list(sem)?;
            list.head.set(NIL);
            list.tail.set(NIL);
        }
        (0..groups(self.nsems())).try_for_each(|g| self.group(g).map(|first| first.set(NIL)))
    }

    /// Enters every cell where it belongs. The semaphores stay frozen if anybody waits for several, or
    /// while they are adjusted; else they are free again.
    fn relink(&self, cx: &mut Context<'_, 'r>) -> Checked<()> {
        let head = self.head();
        let mut next_seq = 0;
        for c in 0..head.fresh_cell.get() {
            let cell = self.cell(c)?;
            match cell.kind.get() {
                kind::WAITER => {
                    let waiter = self.waiter(c)?;
                    next_seq = next_seq.max(waiter.seq.get().wrapping_add(1));
                    self.relink_waiter(c, waiter, cx)?;
                }
                kind::UNDO if !cell.is_idle() && cell.group().get() < groups(self.nsems()) => {
                    let group = self.group(cell.group().get())?;
                    cell.next.set(group.get());
                    group.set(c);
                    let adjusted = (0..GROUP).filter(|sem| cell.adjustment(*sem) != 0).count();
                    head.adjusted.set(head.adjusted.get().wrapping_add(adjusted as u32));
                }
                kind::MORE => {}
                _ => self.cell_free(c)?,
            }
        }
        head.waiter_seq.set(next_seq);
        for c in 0..head.fresh_cell.get() {
            let cell = self.cell(c)?;
            let kept = || self.waiter(cell.pid.get()).is_ok_and(|w| w.seq.get() == cell.token.get());
            if cell.kind.get() == kind::MORE && !kept() {
                self.cell_free(c)?;
            }
        }
        (0..self.nsems()).try_for_each(|sem| self.thaw(sem))
    }

    fn relink_waiter(&self, c: u32, waiter: &Waiter, cx: &Context<'_, 'r>) -> Checked<()> {
        let state = waiter.state.get();
        if state == waiting::FREE || state > waiting::CLAIMED || !cx.waits(waiter.token.get()) {
            return self.cell_free(c);
        }
        if matches!(state, waiting::AWAKE | waiting::ASLEEP | waiting::CLAIMED) {
            if state == waiting::CLAIMED {
                // It was woken by whoever died before he could do its operations.
                waiter.state.atomic().store(waiting::AWAKE, Release);
            }
            self.link(c, waiter)?;
        }
        Ok(())
    }
}
