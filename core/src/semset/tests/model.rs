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
        if verdict == Verdict::Done {
            self.serve();
        }
        verdict
    }

    /// Those who wait for zero first, the others by order of arrival, from the start after each
    /// who was served. Linux: do_smart_update
    pub fn serve(&mut self) {
        loop {
            self.round(false);
            if !self.round(true) {
                return;
            }
        }
    }

    fn round(&mut self, alter: bool) -> bool {
        let mut i = 0;
        while i < self.asleep.len() {
            let sleeper = self.asleep[i].clone();
            if sleeper.alters() == alter {
                match self.perform(sleeper.who, &sleeper.ops) {
                    Verdict::Blocked(op) => self.asleep[i].blocked = op,
                    verdict => {
                        self.asleep.remove(i);
                        self.ended.push((sleeper.cell, verdict));
                        if alter && verdict == Verdict::Done {
                            return true;
                        }
                        continue;
                    }
                }
            }
            i += 1;
        }
        false
    }

    /// SETVAL and SETALL.
    pub fn assign(&mut self, pid: u32, first: u32, values: &[i32]) {
        for (sem, value) in (first..).zip(values) {
            (self.values[sem as usize], self.pids[sem as usize]) = (*value, pid);
            self.adjustments.retain(|(_, adjusted), _| *adjusted != sem);
        }
        self.serve();
    }

    /// A process dies. Linux: exit_sem
    pub fn bury(&mut self, who: Who) {
        self.asleep.retain(|sleeper| sleeper.who != who);
        for ((_, sem), adjustment) in self.adjustments.iter().filter(|((number, _), _)| *number == who.number)
        {
            let value = &mut self.values[*sem as usize];
            *value = (*value + adjustment).clamp(0, SEMVMX);
            self.pids[*sem as usize] = who.pid;
        }
        self.adjustments.retain(|(number, _), _| *number != who.number);
        self.serve();
    }

    /// semncnt or semzcnt. Linux: count_semcnt
    pub fn count(&self, sem: u32, zero: bool) -> u32 {
        let counted = |s: &&Asleep| s.blocked.sem == sem && (s.blocked.change == 0) == zero;
        self.asleep.iter().filter(counted).count() as u32
    }
}
