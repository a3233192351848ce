//! SEM_UNDO: adjustments, kept for each process and semaphore, that whoever comes along applies when
//! the process is dead (semop(2); Linux: exit_sem).

use super::guard::Context;
use super::layout::*;
use super::ops::Doer;
use super::Set;
use crate::namespace::lifeline::Token;
use crate::region::{Checked, Corrupt, NIL};

/// Why there is no cell for adjustments.
pub enum NoCell {
    #[allow(missing_docs)]
    Corrupt,
    /// The set has no more room, or the file system is full.
    NoMemory,
}

impl From<Corrupt> for NoCell {
    fn from(_: Corrupt) -> NoCell {
        NoCell::Corrupt
    }
}

impl Cell {
    /// UNDO: the adjustment for a semaphore of its group.
    #[inline(always)]
    pub fn adjustment(&self, sem: u32) -> i32 {
        let slot = sem % GROUP;
        (self.body[(slot / 2) as usize].get() >> (slot % 2 * 16)) as i16 as i32
    }

    #[inline(always)]
    fn set_adjustment(&self, sem: u32, adjustment: i32) {
        let slot = sem % GROUP;
        let (word, shift) = (&self.body[(slot / 2) as usize], slot % 2 * 16);
        word.set(word.get() & !(0xffff << shift) | (adjustment as u16 as u32) << shift);
    }

    /// UNDO: the group of its semaphores.
    pub fn group(&self) -> &crate::region::W32 {
        &self.body[8]
    }

    /// UNDO: whether there is no adjustment in it.
    pub fn is_idle(&self) -> bool {
        self.body[..8].iter().all(|w| w.get() == 0)
    }
}

impl<'r> Set<'r> {
    /// Calls `each` with the UNDO cells of a group until it returns true; whether it did.
    fn any_undo(&self, group: u32, each: &mut dyn FnMut(u32, &Cell) -> Checked<bool>) -> Checked<bool> {
        let mut c = self.group(group)?.get();
        for _ in 0..=self.geometry.nodes {
            if c == NIL {
                return Ok(false);
            }
            let cell = self.cell(c)?;
            if cell.kind.get() != kind::UNDO {
                return Err(Corrupt);
            }
            if each(c, cell)? {
                return Ok(true);
            }
            c = cell.next.get();
        }
        Err(Corrupt)
    }

    /// Whether there are adjustments for a semaphore.
    pub fn is_adjusted(&self, sem: u32) -> Checked<bool> {
        self.any_undo(sem / GROUP, &mut |_, cell| Ok(cell.adjustment(sem) != 0))
    }

    /// The cell with a process's adjustments for a semaphore's group; a new one if need be.
    #[inline(always)]
    pub fn undo_cell(&self, sem: u32, doer: Doer) -> Result<u32, NoCell> {
        // Most often the first is its own.
        let first = self.group(sem / GROUP)?.get();
        if self.cell(first).is_ok_and(|cell| cell.token.get() == doer.token && cell.kind.get() == kind::UNDO)
        {
            return Ok(first);
        }
        self.find_undo_cell(sem, doer)
    }

    #[inline(never)]
    fn find_undo_cell(&self, sem: u32, doer: Doer) -> Result<u32, NoCell> {
        let (mut own, mut idle) = (NIL, NIL);
        self.any_undo(sem / GROUP, &mut |c, cell| {
            if cell.token.get() == doer.token {
                own = c;
            } else if cell.is_idle() {
                // Nobody misses it: so there are only as many as processes hold something at once.
                idle = c;
            }
            Ok(own != NIL)
        })?;
        if own != NIL {
            return Ok(own);
        }
        let c = if idle != NIL { idle } else { self.cell_alloc()? };
        let cell = self.cell(c)?;
        cell.pid.set(doer.pid);
        cell.token.set(doer.token);
        if idle == NIL {
            let group = sem / GROUP;
            cell.body.iter().for_each(|w| w.set(0));
            cell.group().set(group);
            cell.next.set(self.group(group)?.get());
            cell.kind.set(kind::UNDO);
            self.group(group)?.set(c);
        }
        Ok(c)
    }

    /// Changes an adjustment, and the count of those that are not 0.
    #[inline(always)]
    pub(super) fn adjust(&self, c: u32, sem: u32, adjustment: i32) -> Checked<()> {
        let (cell, adjusted) = (self.cell(c)?, &self.head().adjusted);
        if cell.kind.get() != kind::UNDO {
            return Err(Corrupt);
        }
        let before = cell.adjustment(sem);
        cell.set_adjustment(sem, adjustment);
        match (before != 0, adjustment != 0) {
            (false, true) => adjusted.set(adjusted.get().wrapping_add(1)),
            (true, false) => adjusted.set(adjusted.get().wrapping_sub(1)),
            _ => {}
        }
        Ok(())
    }

    /// SETVAL, SETALL: all processes' adjustments for the semaphores `[first, end)` become 0.
    pub(super) fn clear_adjustments(&self, first: u32, end: u32) -> Checked<()> {
        for sem in first..end {
            self.any_undo(sem / GROUP, &mut |c, _| self.adjust(c, sem, 0).map(|()| false))?;
        }
        Ok(())
    }

    /// Whether nobody but the process `token` has adjustments for a semaphore.
    #[inline(always)]
    pub fn is_only_adjusted_by(&self, token: Token, sem: u32) -> Checked<bool> {
        if self.head().adjusted.get() == 0 {
            return Ok(true);
        }
        let first = self.group(sem / GROUP)?.get();
        if let Ok(cell) = self.cell(first) {
            // Most often there is but its own.
            if cell.next.get() == NIL && cell.token.get() == token && cell.kind.get() == kind::UNDO {
                return Ok(true);
            }
        }
        self.is_adjusted_by_others(token, sem).map(|others| !others)
    }

    #[inline(never)]
    fn is_adjusted_by_others(&self, token: Token, sem: u32) -> Checked<bool> {
        self.any_undo(sem / GROUP, &mut |_, cell| Ok(cell.adjustment(sem) != 0 && cell.token.get() != token))
    }

    /// Applies the adjustments that dead processes have left for a semaphore; whether there were some.
    pub fn reap(&self, sem: u32, cx: &mut Context<'_, 'r>) -> Checked<bool> {
        let mut changed = false;
        // Each round ends the adjustments of one cell.
        while self.head().adjusted.get() != 0 {
            let mut dead = NIL;
            self.any_undo(sem / GROUP, &mut |c, cell| {
                if cell.adjustment(sem) != 0 && !cx.lives(cell.token.get()) {
                    dead = c;
                }
                Ok(dead != NIL)
            })?;
            if dead == NIL {
                break;
            }
            self.apply(dead)?;
            changed = true;
        }
        Ok(changed)
    }

    /// Whether somebody with adjustments is dead: for those who look often. Without a system call while all of them are seen to
    /// live.
    pub fn misses_somebody(&self, cx: &mut Context<'_, 'r>) -> Checked<bool> {
        let mut dead = |_, cell: &Cell| Ok(!cell.is_idle() && !cx.lives(cell.token.get()));
        for group in 0..groups(self.nsems()) {
            if self.any_undo(group, &mut dead)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// As [`Set::reap`], for all semaphores.
    pub fn reap_all(&self, cx: &mut Context<'_, 'r>) -> Checked<bool> {
        let mut changed = false;
        if self.head().adjusted.get() == 0 {
            return Ok(false);
        }
        for c in 0..self.head().fresh_cell.get() {
            let cell = self.cell(c)?;
            if cell.kind.get() == kind::UNDO && !cell.is_idle() && !cx.lives_surely(cell.token.get()) {
                self.apply(c)?;
                changed = true;
            }
        }
        Ok(changed)
    }

    /// As [`Set::reap_all`], and notes the end of those who had nothing to undo: in the kernel that, too,
    /// counts as an operation (Linux: exit_sem).
    pub fn reap_idle(&self, cx: &mut Context<'_, 'r>) -> Checked<bool> {
        let mut changed = self.reap_all(cx)?;
        for c in 0..self.head().fresh_cell.get() {
            let cell = self.cell(c)?;
            let token = &cell.token;
            if cell.kind.get() == kind::UNDO
                && token.get() != 0
                && cell.is_idle()
                && !cx.lives_surely(token.get())
            {
                token.set(0);
                self.stamp();
                changed = true;
            }
        }
        Ok(changed)
    }

    /// Applies all adjustments in a cell, whose process is dead.
    fn apply(&self, c: u32) -> Checked<()> {
        let cell = self.cell(c)?;
        let mut n = 0;
        let first = cell.group().get().checked_mul(GROUP).ok_or(Corrupt)?;
        for sem in first..first + GROUP {
            let adjustment = cell.adjustment(sem);
            if adjustment != 0 {
                let value = (self.freeze(sem)? + adjustment).clamp(0, SEMVMX);
                self.plan_value(n, sem, value)?;
                let step = self.step(n)?;
                step.cell.set(c);
                step.adjustment.set(0);
                n += 1;
            }
        }
        self.stamp();
        self.commit(n, cell.pid.get(), NIL, 0)?;
        cell.token.set(0);
        Ok(())
    }
}
