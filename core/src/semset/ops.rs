//! Arrays of operations: whether one can be done, and doing it, all or nothing.

use super::guard::Context;
use super::layout::*;
use super::undo::NoCell;
use super::Set;
use crate::errno::Errno;
use crate::likely::unlikely;
use crate::namespace::lifeline::Token;
use crate::region::{Checked, Corrupt, NIL};
use core::sync::atomic::Ordering::*;
use libc::sembuf;

/// An operation on one semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// Which semaphore.
    pub sem: u32,
    /// What is added to its value; 0: wait until it is 0.
    pub change: i32,
    /// IPC_NOWAIT and SEM_UNDO.
    pub flags: i32,
}

/// SEM_UNDO of <sys/sem.h>.
pub const SEM_UNDO: i32 = 0x1000;

impl From<&sembuf> for Op {
    fn from(s: &sembuf) -> Op {
        Op { sem: s.sem_num as u32, change: s.sem_op as i32, flags: s.sem_flg as i32 }
    }
}

impl Op {
    /// As one word of a cell.
    pub fn pack(self) -> u64 {
        self.sem as u64 & 0xffff | (self.change as u16 as u64) << 16 | (self.flags as u16 as u64) << 32
    }
    /// From such a word.
    pub fn unpack(word: u64) -> Op {
        Op {
            sem: word as u32 & 0xffff,
            change: (word >> 16) as i16 as i32,
            flags: (word >> 32) as u16 as i32,
        }
    }
    /// Whether it is to be undone when the process ends.
    pub fn undo(self) -> bool {
        self.flags & SEM_UNDO != 0
    }
}

/// Where operations are to be found.
#[derive(Clone, Copy)]
pub enum Ops<'a> {
    /// Those that the program has passed.
    Program(&'a [sembuf]),
    /// Those of the sleeper in this cell.
    Sleeper(u32),
}

/// Goes through operations.
pub struct Cursor<'s, 'r, 'a> {
    set: &'s Set<'r>,
    ops: Ops<'a>,
    i: u32,
    cell: u32,
}

/// Operations in a MORE cell.
pub const OPS_IN_CELL: u32 = 5;

impl Cursor<'_, '_, '_> {
    /// The next one.
    pub fn advance(&mut self) -> Checked<Option<Op>> {
        let i = self.i;
        self.i += 1;
        match self.ops {
            Ops::Program(ops) => Ok(ops.get(i as usize).map(Op::from)),
            Ops::Sleeper(w) => self.of_sleeper(w, i),
        }
    }

    fn of_sleeper(&mut self, w: u32, i: u32) -> Checked<Option<Op>> {
        let waiter = self.set.waiter(w)?;
        if i >= waiter.count().min(MAX_OPS as u32) {
            return Ok(None);
        }
        if i == 0 {
            self.cell = waiter.more.get();
            return Ok(Some(Op::unpack(waiter.op.get())));
        }
        let place = (i - 1) % OPS_IN_CELL;
        let cell = self.set.cell(self.cell)?;
        if cell.kind.get() != kind::MORE || cell.pid.get() != w {
            return Err(Corrupt);
        }
        if place == OPS_IN_CELL - 1 {
            self.cell = cell.next.get();
        }
        let half = |k: u32| cell.body[(place * 2 + k) as usize].get() as u64;
        Ok(Some(Op::unpack(half(1) << 32 | half(0))))
    }
}

/// In whose name operations are done.
#[derive(Clone, Copy)]
pub struct Doer {
    /// For sempid.
    pub pid: u32,
    /// For the adjustments.
    pub token: Token,
}

/// Whether operations can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// They can: so many steps stand in the redo record, not yet committed.
    Ready(usize),
    /// This one has to wait.
    Blocked(Op),
    /// They cannot: EAGAIN, ERANGE, ENOMEM.
    Fail(Errno),
}

impl<'r> Set<'r> {
    #[allow(missing_docs)]
    pub fn each<'s, 'a>(&'s self, ops: Ops<'a>) -> Cursor<'s, 'r, 'a> {
        Cursor { set: self, ops, i: 0, cell: NIL }
    }

    /// The value of a semaphore, which from here on only the holder of the lock may change.
    #[inline(always)]
    pub fn freeze(&self, sem: u32) -> Checked<i32> {
        let word = self.word(sem)?;
        let mut seen = word.get();
        if unlikely(seen & word::SLOW == 0) {
            // SYNC: semaphore word (acquire side)
            seen = word.atomic().fetch_or(word::SLOW, AcqRel);
        }
        Ok(word::value(seen))
    }

    /// Gives a semaphore free for operations without the lock, unless there is a reason not to.
    pub fn thaw(&self, sem: u32) -> Checked<()> {
        let head = self.head();
        if head.arrays.get() == 0
            && self.list(sem)?.head.get() == NIL
            && (head.adjusted.get() == 0 || !self.is_adjusted(sem)?)
        {
            let word = self.word(sem)?;
            let seen = word.get();
            if seen & word::SLOW != 0 {
                // SYNC: semaphore word (release side): a frozen one only the lock's holder writes.
                word.atomic().store(seen & !word::SLOW, Release);
            }
        }
        Ok(())
    }

    /// Whether the operations can be done now; what they would change goes to the redo record.
    /// The semaphores are frozen. Linux: perform_atomic_semop
    #[inline(never)]
    pub fn plan(&self, ops: Ops<'_>, doer: Doer) -> Checked<Plan> {
        let mut cursor = self.each(ops);
        self.plan_each(|| cursor.advance(), doer)
    }

    /// The same, with the operations given one by one.
    #[inline(always)]
    pub fn plan_each(&self, mut next: impl FnMut() -> Checked<Option<Op>>, doer: Doer) -> Checked<Plan> {
        let (mut n, mut seen) = (0, 0u64);
        while let Some(op) = next()? {
            let bit = 1u64 << (op.sem % 64);
            // Only where a semaphore may come twice are the steps before looked through.
            let before = if unlikely(seen & bit != 0) { self.planned(op.sem, n)? } else { None };
            seen |= bit;
            let value = match before {
                Some(step) => step.value.get() as i32,
                None => word::value(self.word(op.sem)?.get()),
            };
            let after = value + op.change;
            if unlikely(op.change == 0 && value != 0 || after < 0) {
                let fails = op.flags & libc::IPC_NOWAIT != 0;
                return Ok(if fails { Plan::Fail(Errno::EAGAIN) } else { Plan::Blocked(op) });
            }
            if unlikely(after > SEMVMX) {
                return Ok(Plan::Fail(Errno::ERANGE));
            }
            let step = self.step(n)?;
            let (mut cell, mut adjustment) = match before {
                Some(before) => (before.cell.get(), before.adjustment.get() as i32),
                None => (NIL, 0),
            };
            if op.undo() && op.change != 0 {
                if cell == NIL {
                    cell = match self.undo_cell(op.sem, doer) {
                        Ok(cell) => cell,
                        Err(NoCell::Corrupt) => return Err(Corrupt),
                        Err(NoCell::NoMemory) => return Ok(Plan::Fail(Errno::ENOMEM)),
                    };
                    adjustment = self.cell(cell)?.adjustment(op.sem);
                }
                adjustment -= op.change;
                if unlikely(!(-SEMVMX - 1..=SEMVMX).contains(&adjustment)) {
                    return Ok(Plan::Fail(Errno::ERANGE));
                }
            }
            step.sem.set(op.sem);
            step.value.set(after as u32);
            step.cell.set(cell);
            step.adjustment.set(adjustment as u32);
            n += 1;
        }
        Ok(Plan::Ready(n))
    }

    /// The last of the first `n` steps that concerns `sem`.
    #[cold]
    #[inline(never)]
    fn planned(&self, sem: u32, n: usize) -> Checked<Option<&'r Step>> {
        for i in (0..n).rev() {
            let step = self.step(i)?;
            if step.sem.get() == sem {
                return Ok(Some(step));
            }
        }
        Ok(None)
    }

    /// Sets step `i` of an operation that is being planned: only a value.
    pub fn plan_value(&self, i: usize, sem: u32, value: i32) -> Checked<()> {
        let step = self.step(i)?;
        step.sem.set(sem);
        step.value.set(value as u32);
        step.cell.set(NIL);
        Ok(())
    }

    /// Does what the first `n` steps say, in the name of `pid`: for the sleeper `waiter` (or NIL), and
    /// clearing adjustments as `clear` says (see [`SetHeader::redo_clear`]).
    #[inline(never)]
    pub fn commit(&self, n: usize, pid: u32, waiter: u32, clear: u32) -> Checked<()> {
        self.commit_here(n, pid, waiter, clear)
    }

    /// The same, on the paths that must be short.
    #[inline(always)]
    pub fn commit_here(&self, n: usize, pid: u32, waiter: u32, clear: u32) -> Checked<()> {
        let head = self.head();
        let first = self.step(0)?;
        if n == 1 && first.cell.get() == NIL && waiter == NIL && clear == 0 {
            // One word: the store is the commit point.
            let new = word::of(first.value.get() as i32, pid) | word::SLOW;
            self.word(first.sem.get())?.atomic().store(new, Release);
            return Ok(());
        }
        head.redo_pid.set(pid);
        head.redo_waiter.set(waiter);
        head.redo_clear.set(clear);
        // The commit point: from here on it is done, by whoever comes along.
        head.redo_count.atomic().store(n as u32, Release);
        self.carry_out_steps(n, pid)?;
        if unlikely(clear != 0 || waiter != NIL) {
            return self.carry_out();
        }
        head.redo_count.atomic().store(0, Release);
        Ok(())
    }

    /// What the first `n` steps say becomes so.
    #[inline(always)]
    fn carry_out_steps(&self, n: usize, pid: u32) -> Checked<()> {
        for i in 0..n {
            let step = self.step(i)?;
            let (sem, cell) = (step.sem.get(), step.cell.get());
            let new = word::of(step.value.get() as i32, pid) | word::SLOW;
            self.word(sem)?.atomic().store(new, Release);
            if cell != NIL {
                self.adjust(cell, sem, step.adjustment.get() as i32)?;
            }
        }
        Ok(())
    }

    /// Carries out what is committed; again, if somebody was killed over it.
    pub fn carry_out(&self) -> Checked<()> {
        let head = self.head();
        let (count, pid) = (head.redo_count.get(), head.redo_pid.get());
        if count == 0 {
            // What else stands there is of an operation that is over, or not committed.
            return Ok(());
        }
        self.carry_out_steps(count as usize, pid)?;
        match head.redo_clear.get() {
            0 => {}
            CLEAR_ALL => self.clear_adjustments(0, self.nsems())?,
            sem => self.clear_adjustments(sem - 1, sem)?,
        }
        if head.redo_waiter.get() != NIL {
            let waiter = self.waiter(head.redo_waiter.get())?;
            // SYNC: waiter state (release side)
            waiter.state.atomic().store(waiting::DONE, Release);
        }
        head.redo_count.atomic().store(0, Release);
        Ok(())
    }

    /// Makes sure of memory for `n` steps.
    pub fn back_redo(&self, n: usize) -> Result<(), Errno> {
        let backed = &self.head().redo_backed;
        if n <= backed.get() as usize {
            return Ok(());
        }
        let at = self.offsets().redo;
        // SAFETY: the redo record lies in the mapping.
        crate::sys::map::populate(unsafe { self.base.add(at) }, n * size_of::<Step>())?;
        backed.set(n as u32);
        Ok(())
    }

    /// Freezes the semaphores of all operations, and undoes what dead processes did to them:
    /// whether there was something to undo.
    pub fn prepare(&self, ops: Ops<'_>, cx: &mut Context<'_, 'r>) -> Checked<bool> {
        let mut changed = false;
        let mut cursor = self.each(ops);
        while let Some(op) = cursor.advance()? {
            self.freeze(op.sem)?;
            changed |= self.reap(op.sem, cx)?;
        }
        Ok(changed)
    }

    /// Ends what [`Set::prepare`] began.
    pub fn thaw_all(&self, ops: Ops<'_>) -> Checked<()> {
        let mut cursor = self.each(ops);
        while let Some(op) = cursor.advance()? {
            self.thaw(op.sem)?;
        }
        Ok(())
    }
}
