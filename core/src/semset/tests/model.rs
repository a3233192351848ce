//! What a set should be: values, adjustments and sleepers, as ipc/sem.c of Linux has them.

use crate::errno::Errno;
use crate::semset::layout::SEMVMX;
use crate::semset::ops::Op;
use libc::sembuf;
use std::collections::BTreeMap;
use std::vec::Vec;

/// What became of an array of operations. Linux: perform_atomic_semop
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Done,
    Blocked(Op),
    Fails(Errno),
}

/// A process: its number in the crowd, and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    pub number: usize,
    pub pid: u32,
}

/// One who sleeps.
#[derive(Clone)]
pub struct Asleep {
    pub cell: u32,
    pub who: Who,
    pub ops: Vec<sembuf>,
    pub blocked: Op,
}

impl Asleep {
    fn alters(&self) -> bool {
        self.ops.iter().any(|op| op.sem_op != 0)
    }
}

#[derive(Clone, Default)]
pub struct Model {
    pub values: Vec<i32>,
    pub pids: Vec<u32>,
    /// By process and semaphore; never 0.
    pub adjustments: BTreeMap<(usize, u32), i32>,
    /// In order of arrival.
    pub asleep: Vec<Asleep>,
    /// Those who were served and have not run since.
    pub ended: Vec<(u32, Verdict)>,
}

impl Model {
    pub fn new(nsems: u32) -> Model {
        Model { values: std::vec![0; nsems as usize], pids: std::vec![0; nsems as usize], ..Model::default() }
    }

    /// All of them or none.
    pub fn perform(&mut self, who: Who, ops: &[sembuf]) -> Verdict {
        let (mut values, mut adjustments) = (self.values.clone(), self.adjustments.clone());
        for op in ops.iter().map(Op::from) {
            let value = &mut values[op.sem as usize];
            if op.change == 0 && *value != 0 || *value + op.change < 0 {
                let fails = op.flags & libc::IPC_NOWAIT != 0;
                return if fails { Verdict::Fails(Errno::EAGAIN) } else { Verdict::Blocked(op) };
            }
            *value += op.change;
            if *value > SEMVMX {
                return Verdict::Fails(Errno::ERANGE);
            }
            if op.undo() {
                let adjustment = adjustments.entry((who.number, op.sem)).or_default();
                *adjustment -= op.change;
                if *adjustment < -SEMVMX - 1 || *adjustment > SEMVMX {
                    return Verdict::Fails(Errno::ERANGE);
                }
            }
        }
        (self.values, self.adjustments) = (values, adjustments);
        self.adjustments.retain(|_, adjustment| *adjustment != 0);
        ops.iter().for_each(|op| self.pids[op.sem_num as usize] = who.pid);
        Verdict::Done
    }

    /// The caller enters the sleeper when this is Blocked.
    pub fn operate(&mut self, who: Who, ops: &[sembuf]) -> Verdict {
        let verdict = self.perform(who, ops);
        if verdict == Verdict::Done && ops.iter().any(|op| op.sem_op != 0) {
            self.serve(ops.iter().map(|op| op.sem_num as u32).collect());
        }
        verdict
    }

    /// After a change of all semaphores.
    pub fn serve_all(&mut self) {
        self.serve((0..self.values.len() as u32).collect());
    }

    /// If a changed semaphore is zero those who wait for zero first, single operations before arrays; then
    /// the others by order of arrival, until one is served. Linux: do_smart_update
    fn serve(&mut self, changed: Vec<u32>) {
        let mut changed = changed;
        loop {
            if changed.iter().any(|sem| self.values[*sem as usize] == 0) {
                self.round(&|sleeper| !sleeper.alters() && sleeper.ops.len() == 1, false);
                self.round(&|sleeper| !sleeper.alters() && sleeper.ops.len() > 1, false);
            }
            match self.round(&|sleeper| sleeper.alters(), true) {
                Some(sems) => changed = sems,
                None => return,
            }
        }
    }

    /// Whom was served, by the semaphores of his operations, when `one` is enough.
    fn round(&mut self, turn: &dyn Fn(&Asleep) -> bool, one: bool) -> Option<Vec<u32>> {
        let mut i = 0;
        while i < self.asleep.len() {
            let sleeper = self.asleep[i].clone();
            if turn(&sleeper) {
                match self.perform(sleeper.who, &sleeper.ops) {
                    Verdict::Blocked(op) => self.asleep[i].blocked = op,
                    verdict => {
                        self.asleep.remove(i);
                        self.ended.push((sleeper.cell, verdict));
                        if one && verdict == Verdict::Done {
                            return Some(sleeper.ops.iter().map(|op| op.sem_num as u32).collect());
                        }
                        continue;
                    }
                }
            }
            i += 1;
        }
        None
    }

    /// SETVAL and SETALL. Linux: do_smart_update without operations
    pub fn assign(&mut self, pid: u32, first: u32, values: &[i32]) {
        for (sem, value) in (first..).zip(values) {
            (self.values[sem as usize], self.pids[sem as usize]) = (*value, pid);
            self.adjustments.retain(|(_, adjusted), _| *adjusted != sem);
        }
        self.serve_all();
    }

    /// A process dies. Linux: exit_sem
    pub fn bury(&mut self, who: Who) {
        self.asleep.retain(|sleeper| sleeper.who != who);
        if !self.adjustments.keys().any(|(number, _)| *number == who.number) {
            return;
        }
        for ((_, sem), adjustment) in self.adjustments.iter().filter(|((number, _), _)| *number == who.number)
        {
            let value = &mut self.values[*sem as usize];
            *value = (*value + adjustment).clamp(0, SEMVMX);
            self.pids[*sem as usize] = who.pid;
        }
        self.adjustments.retain(|(number, _), _| *number != who.number);
        self.serve_all();
    }

    /// semncnt or semzcnt. Linux: count_semcnt
    pub fn count(&self, sem: u32, zero: bool) -> u32 {
        let counted = |s: &&Asleep| s.blocked.sem == sem && (s.blocked.change == 0) == zero;
        self.asleep.iter().filter(counted).count() as u32
    }
}
