//! Random operations.

use super::model::{Asleep, Model, Verdict, Who};
use super::{Crowd, Lcg, Memory};
use crate::errno::Errno;
use crate::region::{Checked, Corrupt, NIL};
use crate::semset::layout::*;
use crate::semset::ops::{Doer, Op, Ops, Plan, SEM_UNDO};
use crate::semset::recover::recover;
use crate::semset::undo::NoCell;
use crate::semset::Set;
use libc::sembuf;
use std::vec::Vec;

/// A set, what it should be, and who uses it.
pub struct Pair<'a> {
    pub memory: &'a Memory,
    pub crowd: &'a mut Crowd,
    pub model: Model,
}

pub fn some_ops(random: &mut Lcg, nsems: u32) -> Vec<sembuf> {
    let most = [3, 3, 3, 13][random.below(4) as usize];
    let count = if random.one_in(3) { 2 + random.below(most) } else { 1 };
    let undo = random.one_in(2);
    let one = |random: &mut Lcg| {
        let change = match random.below(40) {
            0 => [i16::MAX, i16::MIN, 20000, -20000][random.below(4) as usize],
            1..=5 => 0,
            _ => random.below(5) as i16 - 2,
        };
        let mut flags = if random.one_in(6) { libc::IPC_NOWAIT } else { 0 };
        flags |= if undo && !random.one_in(4) { SEM_UNDO } else { 0 };
        sembuf { sem_num: random.below(nsems as u64) as u16, sem_op: change, sem_flg: flags as i16 }
    };
    (0..count).map(|_| one(random)).collect()
}

/// As sysv/sem.rs does it: without the lock where the word allows it, else in turn. The cell of
/// who has to sleep.
pub fn take_turn(set: &Set<'_>, crowd: &Crowd, who: Who, ops: &[sembuf]) -> Checked<(Verdict, u32)> {
    if let [op] = ops {
        let (op, word) = (Op::from(op), set.word(ops[0].sem_num as u32)?);
        let after = word::value(word.get()) + op.change;
        let waits = after < 0 || op.change == 0 && after != 0;
        if !op.undo() && word.get() & word::SLOW == 0 && !waits && after <= SEMVMX {
            word.set(word::of(after, who.pid));
            return Ok((Verdict::Done, NIL));
        }
    }
    crowd.locked(set, who.number, |cx| {
        let member = &crowd.members[who.number];
        let (list, doer) = (Ops::Program(ops), Doer { pid: who.pid, token: member.undo });
        if set.prepare(list, cx)? {
            set.serve_all(cx)?;
        }
        let verdict = match set.plan(list, doer)? {
            Plan::Fail(e) => Verdict::Fails(e),
            Plan::Blocked(op) => match set.enter(ops, op, (member.token, doer)) {
                Ok((cell, _)) => return Ok((Verdict::Blocked(op), cell)),
                Err(NoCell::NoMemory) => Verdict::Fails(Errno::ENOMEM),
                Err(NoCell::Corrupt) => return Err(Corrupt),
            },
            Plan::Ready(n) => {
                set.commit(n, doer.pid, NIL, 0)?;
                set.serve(list, cx)?;
                Verdict::Done
            }
        };
        set.thaw_all(list)?;
        Ok((verdict, NIL))
    })
}

impl<'a> Pair<'a> {
    pub fn set(&self) -> Set<'a> {
        self.memory.set()
    }

    pub fn who(&self, number: usize) -> Who {
        Who { number, pid: self.crowd.members[number].pid }
    }

    pub fn operate(&mut self, number: usize, ops: Vec<sembuf>) {
        let who = self.who(number);
        let (verdict, cell) = take_turn(&self.set(), self.crowd, who, &ops).unwrap();
        assert_eq!(verdict, self.model.operate(who, &ops));
        if let Verdict::Blocked(blocked) = verdict {
            self.model.asleep.push(Asleep { cell, who, ops, blocked });
        } else {
            ops.iter().for_each(|op| self.check_slow(op.sem_num as u32, true));
        }
        self.settle_ended();
    }

    /// A sleeper's time is over, or a handler runs.
    fn interrupt(&mut self, i: usize) {
        let sleeper = self.model.asleep.remove(i);
        let waiter = self.set().waiter(sleeper.cell).unwrap();
        self.set().unlink(waiter).unwrap();
        self.set().waiter_free(sleeper.cell).unwrap();
    }

    /// SETVAL, or SETALL.
    fn assign(&mut self, number: usize, random: &mut Lcg) {
        let (set, pid) = (self.set(), self.who(number).pid);
        let all = random.one_in(3);
        let first = if all { 0 } else { random.below(set.nsems() as u64) as u32 };
        let end = if all { set.nsems() } else { first + 1 };
        let values: Vec<i32> = (first..end).map(|_| random.below(3) as i32).collect();
        self.crowd.locked(&set, number, |cx| {
            for (i, sem) in (first..end).enumerate() {
                set.freeze(sem).unwrap();
                set.plan_value(i, sem, values[i]).unwrap();
            }
            set.commit(values.len(), pid, NIL, if all { CLEAR_ALL } else { first + 1 }).unwrap();
            if all {
                set.serve_all(cx).unwrap();
            } else {
                set.serve_one(first, cx).unwrap();
            }
            (first..end).for_each(|sem| set.thaw(sem).unwrap());
        });
        self.model.assign(pid, first, &values);
        (first..end).for_each(|sem| self.check_slow(sem, true));
        self.settle_ended();
    }

    /// A process is killed; whoever comes along next cleans up after it.
    fn kill(&mut self, number: usize, random: &mut Lcg) {
        let who = self.who(number);
        self.crowd.replace(number);
        let set = self.set();
        self.crowd.locked(&set, number, |cx| {
            for sem in 0..set.nsems() {
                set.count_waiting(sem, false, cx).unwrap();
                set.count_waiting(sem, true, cx).unwrap();
            }
        });
        self.model.bury(who);
        if random.one_in(2) {
            self.reap();
        } else {
            // By the way: whoever touches a semaphore undoes what the dead did to it.
            (0..set.nsems()).for_each(|sem| {
                self.crowd.locked(&set, number, |cx| {
                    set.freeze(sem).unwrap();
                    if set.reap(sem, cx).unwrap() {
                        set.serve_all(cx).unwrap();
                    }
                    set.thaw(sem).unwrap();
                })
            });
        }
        self.settle_ended();
    }

    fn reap(&self) {
        let set = self.set();
        self.crowd.locked(&set, 0, |cx| {
            if set.reap_all(cx).unwrap() {
                set.serve_all(cx).unwrap();
            }
        });
    }

    pub fn recover(&self) {
        self.crowd.locked(&self.set(), 0, |cx| recover(&self.set(), cx)).unwrap();
    }

    /// Those whose wait is over have the right result, and give their cells back.
    pub fn settle_ended(&mut self) {
        for (cell, verdict) in std::mem::take(&mut self.model.ended) {
            let waiter = self.set().waiter(cell).unwrap();
            let got = match waiter.state.get() {
                waiting::DONE => Verdict::Done,
                waiting::FAILED if waiter.count() == Errno::EAGAIN.raw() as u32 => {
                    Verdict::Fails(Errno::EAGAIN)
                }
                waiting::FAILED if waiter.count() == Errno::ERANGE.raw() as u32 => {
                    Verdict::Fails(Errno::ERANGE)
                }
                state => panic!("a sleeper in state {state}, not {verdict:?}"),
            };
            assert_eq!(got, verdict);
            self.set().waiter_free(cell).unwrap();
        }
    }

    /// Who needs the lock finds the bit; with `free`, nobody else does.
    fn check_slow(&self, sem: u32, free: bool) {
        let arrays = self.model.asleep.iter().any(|s| s.ops.len() > 1);
        let named = self.model.asleep.iter().any(|s| s.ops.iter().any(|op| op.sem_num as u32 == sem));
        let adjusted = self.model.adjustments.keys().any(|(_, adjusted)| *adjusted == sem);
        let slow = self.set().word(sem).unwrap().get() & word::SLOW != 0;
        assert!(slow || !named && !adjusted, "semaphore {sem} is free to change");
        assert!(!slow || arrays || named || adjusted || !free, "semaphore {sem} is not free");
    }

    /// Compares everything.
    pub fn check(&self) {
        let (set, model) = (self.set(), &self.model);
        let head = set.head();
        for sem in 0..set.nsems() {
            let word = set.word(sem).unwrap().get();
            assert_eq!((sem, word::value(word)), (sem, model.values[sem as usize]));
            assert_eq!(word::pid(word), model.pids[sem as usize], "sempid of {sem}");
            self.check_slow(sem, false);
        }
        assert_eq!(head.adjusted.get() as usize, model.adjustments.len());
        assert_eq!(head.arrays.get() as usize, model.asleep.iter().filter(|s| s.ops.len() > 1).count());
        for number in 0..self.crowd.members.len() {
            for sem in 0..set.nsems() {
                let wanted = model.adjustments.get(&(number, sem)).copied().unwrap_or(0);
                assert_eq!(self.adjustment(number, sem), wanted, "adjustment of {number} for {sem}");
            }
        }
        let mut w = head.waiters.head.get();
        for sleeper in &model.asleep {
            assert_eq!(w, sleeper.cell, "not in order of arrival");
            assert_eq!(set.waiter(w).unwrap().state.get(), waiting::AWAKE);
            w = set.waiter(w).unwrap().after.get();
        }
        assert_eq!(w, NIL);
        self.crowd.locked(&set, 0, |cx| {
            for (sem, zero) in (0..set.nsems()).flat_map(|sem| [(sem, false), (sem, true)]) {
                assert_eq!(set.count_waiting(sem, zero, cx), Ok(model.count(sem, zero)));
            }
        });
    }

    fn adjustment(&self, number: usize, sem: u32) -> i32 {
        let (set, token) = (self.set(), self.crowd.members[number].undo);
        let cells = (0..set.head().fresh_cell.get()).map(|c| set.cell(c).unwrap());
        cells
            .filter(|cell| cell.kind.get() == kind::UNDO && cell.group().get() == sem / GROUP)
            .filter(|cell| cell.token.get() == token)
            .map(|cell| cell.adjustment(sem))
            .sum()
    }

    pub fn step(&mut self, random: &mut Lcg) {
        let number = random.below(self.crowd.members.len() as u64) as usize;
        match random.below(100) {
            0..=2 => self.assign(number, random),
            3 => self.kill(number, random),
            4..=12 if !self.model.asleep.is_empty() => {
                let i = random.below(self.model.asleep.len() as u64) as usize;
                self.interrupt(i);
            }
            _ => {
                let ops = some_ops(random, self.memory.geometry.nsems);
                self.operate(number, ops);
            }
        }
    }
}

/// A pair that has seen some use.
pub fn used<'a>(memory: &'a Memory, crowd: &'a mut Crowd, random: &mut Lcg, steps: u64) -> Pair<'a> {
    let model = Model::new(memory.geometry.nsems);
    let mut pair = Pair { memory, crowd, model };
    (0..steps).for_each(|_| pair.step(random));
    pair
}

#[test]
fn a_set_agrees_with_the_model() {
    let mut crowd = Crowd::new("random", 4);
    for (seed, nsems) in (0..).zip([1, 2, 3, 15, 16, 17, 40]) {
        let memory = Memory::new(nsems, 4096);
        let mut random = Lcg(seed);
        let mut pair = used(&memory, &mut crowd, &mut random, 0);
        for step in 0..1500 {
            pair.step(&mut random);
            if step % 10 == 0 {
                pair.check();
            }
        }
        // Nothing has leaked: once nobody sleeps or holds anything, all cells can be had.
        while !pair.model.asleep.is_empty() {
            pair.interrupt(0);
        }
        (0..pair.crowd.members.len()).for_each(|number| pair.kill(number, &mut random));
        pair.check();
        pair.recover();
        let set = memory.set();
        (0..nsems).for_each(|sem| assert_eq!(set.word(sem).unwrap().get() & word::SLOW, 0));
        (0..memory.geometry.nodes).for_each(|_| assert!(set.cell_alloc().is_ok(), "a cell was lost"));
        assert!(matches!(set.cell_alloc(), Err(NoCell::NoMemory)));
    }
}

/// Without a repair, cells that nobody needs are used again.
#[test]
fn cells_do_not_leak() {
    let mut crowd = Crowd::new("leak", 2);
    let memory = Memory::new(20, 600);
    let mut random = Lcg(99);
    let mut pair = used(&memory, &mut crowd, &mut random, 0);
    for step in 0..3000 {
        pair.step(&mut random);
        if step % 20 == 0 {
            pair.kill(step / 20 % 2, &mut random);
        }
        while pair.model.asleep.len() > 10 {
            pair.interrupt(0);
        }
    }
    // At most 4 cells for each who sleeps, and 2 for each process.
    assert!(
        memory.set().head().fresh_cell.get() <= 11 * 4 + 2 * 2,
        "{}",
        memory.set().head().fresh_cell.get()
    );
}

/// The lock's holder is killed now and then, between operations: nothing changes by that.
#[test]
fn repair_at_any_time_changes_nothing() {
    let mut crowd = Crowd::new("repair", 3);
    for seed in 0..4 {
        let memory = Memory::new(5 + 10 * seed as u32, 4096);
        let mut random = Lcg(1000 + seed);
        let mut pair = used(&memory, &mut crowd, &mut random, 0);
        for _ in 0..600 {
            pair.step(&mut random);
            if random.one_in(5) {
                // It looks at all sleepers anew, which nobody can see but by what their wait is counted for.
                pair.model.serve_all();
                pair.recover();
                pair.settle_ended();
                pair.check();
            }
        }
    }
}
