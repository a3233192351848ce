//! After a change: the operations of sleepers that can be done now are done for them, in the kernel's
//! order (Linux: do_smart_update, update_queue).
//!
//! If a changed semaphore is zero, those who wait for zero come first; then the others by order of arrival; who cannot be served does not
//! hold up those behind. Whoever is served may make it possible for others in turn.

use super::guard::Context;
use super::layout::*;
use super::ops::{Ops, Plan};
use super::Set;
use crate::region::{Checked, Corrupt, NIL};

/// What became of a sleeper that was looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Served {
    /// It goes on sleeping, or its wait has ended without its operations being done.
    No,
    /// Its operations are done.
    Yes,
    /// Adjustments of the dead were found on the way: everything may be different.
    Changed,
}

/// When a sleeper has its turn. Linux: do_smart_wakeup_zero, then update_queue
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Who waits for one semaphore to be zero; only when one that was changed is.
    Zero,
    /// Who waits for several; likewise.
    ZeroArray,
    /// Who wants to change something.
    Alter,
}

impl<'r> Set<'r> {
    /// Serves the sleepers that the program's operations, just done, may have helped.
    pub fn serve(&self, ops: Ops<'_>, cx: &mut Context<'_, 'r>) -> Checked<()> {
        let head = self.head();
        if head.waiters.head.get() == NIL || !self.alters(ops)? {
            return Ok(());
        }
        if head.arrays.get() != 0 {
            return self.serve_arrays(self.any_zero_of(ops)?, cx);
        }
        let mut cursor = self.each(ops);
        while let Some(op) = cursor.advance()? {
            if op.change != 0 {
                self.serve_one(op.sem, cx)?;
            }
        }
        Ok(())
    }

    /// Serves the sleepers that a new value of one semaphore may help: those who wait for it alone, when nobody waits for several.
    /// Linux does not remember which one it was (do_smart_update without operations).
    pub fn serve_one(&self, sem: u32, cx: &mut Context<'_, 'r>) -> Checked<()> {
        let is_zero = || self.word(sem).map(|word| word::value(word.get()) == 0);
        if self.head().arrays.get() != 0 {
            return self.serve_all(cx);
        }
        if is_zero()? {
            return self.serve_list(sem, true, cx);
        }
        self.serve_list(sem, false, cx)?;
        if is_zero()? {
            self.serve_list(sem, true, cx)?;
        }
        Ok(())
    }

    /// Goes through the list of a semaphore once: those who wait for zero, or the others as long
    /// as it is not zero (then a decrement cannot help those before it: once is enough).
    fn serve_list(&self, sem: u32, zero: bool, cx: &mut Context<'_, 'r>) -> Checked<()> {
        let mut w = self.list(sem)?.head.get();
        for _ in 0..=self.geometry.nodes {
            if w == NIL || !zero && word::value(self.word(sem)?.get()) == 0 {
                return Ok(());
            }
            let waiter = self.waiter(w)?;
            let next = waiter.sem_after.get();
            if (waiter.first().change == 0) == zero {
                self.try_for(w, waiter, cx)?;
            }
            w = next;
        }
        Err(Corrupt)
    }

    /// Serves whoever can be served, after a change of all semaphores.
    pub fn serve_all(&self, cx: &mut Context<'_, 'r>) -> Checked<()> {
        let zero = self.any_zero()?;
        self.serve_arrays(zero, cx)
    }

    fn any_zero(&self) -> Checked<bool> {
        for sem in 0..self.nsems() {
            if word::value(self.word(sem)?.get()) == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether one of these semaphores is zero.
    fn any_zero_of(&self, ops: Ops<'_>) -> Checked<bool> {
        let mut cursor = self.each(ops);
        while let Some(op) = cursor.advance()? {
            if word::value(self.word(op.sem)?.get()) == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Serves all sleepers, those who wait for zero only if `zero`: a changed semaphore is zero.
    fn serve_arrays(&self, mut zero: bool, cx: &mut Context<'_, 'r>) -> Checked<()> {
        // Each further round has one sleeper, or the adjustments of one dead process, less.
        for _ in 0..=2 * self.geometry.nodes {
            let first = if zero { Turn::Zero } else { Turn::Alter };
            let (w, served) = self.round(first, cx)?;
            zero = match served {
                Served::No => return Ok(()),
                Served::Yes => self.any_zero_of(Ops::Sleeper(w))?,
                Served::Changed => self.any_zero()?,
            };
        }
        Err(Corrupt)
    }

    /// Lets the sleepers have their turns, from `turn` on, until one is served who has changed something.
    /// Whom, and whether to begin again.
    fn round(&self, turn: Turn, cx: &mut Context<'_, 'r>) -> Checked<(u32, Served)> {
        for turn in
            [Turn::Zero, Turn::ZeroArray, Turn::Alter].into_iter().filter(|t| *t as u32 >= turn as u32)
        {
            let mut w = self.head().waiters.head.get();
            while w != NIL {
                let waiter = self.waiter(w)?;
                let next = waiter.after.get();
                if self.turn_of(w, waiter)? == turn {
                    match self.try_for(w, waiter, cx)? {
                        Served::Changed => return Ok((w, Served::Changed)),
                        Served::Yes if turn == Turn::Alter => return Ok((w, Served::Yes)),
                        _ => {}
                    }
                }
                if next != NIL && self.waiter(next)?.seq.get() <= waiter.seq.get() {
                    // Not by order of arrival: a ring.
                    return Err(Corrupt);
                }
                w = next;
            }
        }
        Ok((NIL, Served::No))
    }

    /// Whether operations change a value, or only wait for zero. Linux: sem_queue.alter
    fn alters(&self, ops: Ops<'_>) -> Checked<bool> {
        let mut cursor = self.each(ops);
        while let Some(op) = cursor.advance()? {
            if op.change != 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn turn_of(&self, w: u32, waiter: &Waiter) -> Checked<Turn> {
        if self.alters(Ops::Sleeper(w))? {
            return Ok(Turn::Alter);
        }
        Ok(if waiter.is_single() { Turn::Zero } else { Turn::ZeroArray })
    }

    /// Does a sleeper's operations if they can be done.
    fn try_for(&self, w: u32, waiter: &'r Waiter, cx: &mut Context<'_, 'r>) -> Checked<Served> {
        let ops = Ops::Sleeper(w);
        if self.prepare(ops, cx)? {
            return Ok(Served::Changed);
        }
        match self.plan(ops, waiter.doer())? {
            Plan::Blocked(op) => waiter.note_blocked(op),
            Plan::Fail(e) => {
                self.unlink(waiter)?;
                waiter.set_count(e.raw() as u32);
                cx.wakes.end(waiter.state.atomic(), waiting::FAILED);
            }
            Plan::Ready(n) => {
                self.unlink(waiter)?;
                // Of one that is not asleep the kernel cannot say whether it is there.
                let there = waiter.state.get() == waiting::ASLEEP || cx.waits(waiter.token.get());
                if there && cx.wakes.claim(waiter.state.atomic()) {
                    self.commit(n, waiter.pid.get(), w, 0)?;
                    self.stamp();
                    return Ok(Served::Yes);
                }
                if !cx.waits(waiter.token.get()) {
                    self.waiter_free(w)?;
                }
            }
        }
        Ok(Served::No)
    }
}
