//! Kills and damage.

use super::model::{Model, Verdict, Who};
use super::random::{some_ops, take_turn, used, Pair};
use super::{Crowd, Lcg, Memory};
use crate::region::{header::Header, NIL};
use crate::region::{Checked, W32, W64};
use crate::semset::layout::*;
use crate::semset::ops::{Doer, Ops, Plan};
use crate::semset::recover::recover;
use crate::semset::Set;
use std::vec::Vec;

/// A record of what one operation does: the set's memory when it is planned, and when it is done.
struct Recorded {
    before: Vec<u64>,
    after: Vec<u64>,
    steps: u32,
    pid: u32,
    waiter: u32,
    clear: u32,
}

impl Recorded {
    fn new(memory: &Memory, steps: usize, (pid, waiter, clear): (u32, u32, u32)) -> Recorded {
        let before = memory.words();
        memory.set().commit(steps, pid, waiter, clear).unwrap();
        Recorded { before, after: memory.words(), steps: steps as u32, pid, waiter, clear }
    }

    /// Killed before the commit point: the record says what it wants, but not yet that it holds.
    fn cut_before(&self, memory: &Memory) {
        memory.restore(&self.before);
        let head = memory.set().head();
        head.redo_pid.set(self.pid);
        head.redo_waiter.set(self.waiter);
        head.redo_clear.set(self.clear);
    }

    /// Killed after it: any part of the rest may be done.
    fn cut_after(&self, memory: &Memory, random: &mut Lcg) {
        let some = |(before, after): (&u64, &u64)| if random.one_in(2) { *before } else { *after };
        let mixed: Vec<u64> = self.before.iter().zip(&self.after).map(some).collect();
        memory.restore(&mixed);
        let head = memory.set().head();
        head.redo_pid.set(self.pid);
        head.redo_waiter.set(self.waiter);
        head.redo_clear.set(self.clear);
        head.redo_count.set(self.steps);
    }
}

/// The model must hold, after a repair that also serves whoever can be served.
fn repaired(pair: &mut Pair<'_>, model: &Model) {
    pair.model = model.clone();
    pair.model.serve_all();
    pair.recover();
    pair.settle_ended();
    pair.check();
}

/// Killed at any point of it, an operation is done altogether or not at all.
fn cut_short(pair: &mut Pair<'_>, recorded: &Recorded, undone: &Model, done: &Model, random: &mut Lcg) {
    recorded.cut_before(pair.memory);
    repaired(pair, undone);
    for round in 0..4 {
        recorded.cut_after(pair.memory, random);
        if round % 2 == 0 {
            // The repair was killed too.
            pair.set().carry_out().unwrap();
            pair.set().head().redo_count.set(recorded.steps);
        }
        repaired(pair, done);
    }
}

#[test]
fn an_operation_is_done_or_not() {
    let mut crowd = Crowd::new("cut", 3);
    let mut ready = 0;
    for seed in 0..150 {
        let memory = Memory::new(1 + seed as u32 % 20, 2048);
        let mut random = Lcg(seed);
        let mut pair = used(&memory, &mut crowd, &mut random, 40);
        let (set, who) = (memory.set(), pair.who(random.below(3) as usize));
        let ops = some_ops(&mut random, memory.geometry.nsems);
        let doer = Doer { pid: who.pid, token: pair.crowd.members[who.number].undo };
        let plan = pair.crowd.locked(&set, who.number, |cx| {
            set.prepare(Ops::Program(&ops), cx).unwrap();
            set.plan(Ops::Program(&ops), doer).unwrap()
        });
        let Plan::Ready(steps) = plan else { continue };
        ready += 1;
        let undone = pair.model.clone();
        assert_eq!(pair.model.perform(who, &ops), Verdict::Done);
        let done = pair.model.clone();
        let recorded = Recorded::new(&memory, steps, (who.pid, NIL, 0));
        cut_short(&mut pair, &recorded, &undone, &done, &mut random);
    }
    assert!(ready > 50, "only {ready} could be done");
}

#[test]
fn setting_values_is_done_or_not() {
    let mut crowd = Crowd::new("set", 3);
    for seed in 0..60 {
        let memory = Memory::new(1 + seed as u32 % 20, 2048);
        let mut random = Lcg(seed);
        let mut pair = used(&memory, &mut crowd, &mut random, 40);
        let (set, nsems) = (memory.set(), memory.geometry.nsems);
        let (first, count) = if seed % 2 == 0 { (0, nsems) } else { (random.below(nsems as u64) as u32, 1) };
        for sem in first..first + count {
            set.freeze(sem).unwrap();
            set.plan_value((sem - first) as usize, sem, 2).unwrap();
        }
        let undone = pair.model.clone();
        let mut done = undone.clone();
        for sem in first..first + count {
            (done.values[sem as usize], done.pids[sem as usize]) = (2, 77);
            done.adjustments.retain(|(_, adjusted), _| *adjusted != sem);
        }
        let clear = if seed % 2 == 0 { CLEAR_ALL } else { first + 1 };
        let recorded = Recorded::new(&memory, count as usize, (77, NIL, clear));
        cut_short(&mut pair, &recorded, &undone, &done, &mut random);
    }
}

/// A sleeper whose operations are being done for it either has them done, or sleeps on in its place.
#[test]
fn a_sleeper_is_served_or_not() {
    let mut crowd = Crowd::new("serve", 3);
    let mut ready = 0;
    for seed in 0..150 {
        let memory = Memory::new(1 + seed as u32 % 20, 2048);
        let mut random = Lcg(seed);
        let mut pair = used(&memory, &mut crowd, &mut random, 40);
        let set = memory.set();
        if pair.model.asleep.is_empty() {
            continue;
        }
        // Suddenly there is enough for many of them.
        for sem in 0..memory.geometry.nsems {
            set.word(sem).unwrap().set(word::of(5, 1) | word::SLOW);
            (pair.model.values[sem as usize], pair.model.pids[sem as usize]) = (5, 1);
        }
        let undone = pair.model.clone();
        let i = random.below(pair.model.asleep.len() as u64) as usize;
        let sleeper = pair.model.asleep.remove(i);
        if pair.model.perform(sleeper.who, &sleeper.ops) != Verdict::Done {
            continue;
        }
        pair.model.ended.push((sleeper.cell, Verdict::Done));
        let done = pair.model.clone();
        let waiter = set.waiter(sleeper.cell).unwrap();
        let Ok(Plan::Ready(steps)) = set.plan(Ops::Sleeper(sleeper.cell), waiter.doer()) else {
            panic!("it could have been done");
        };
        ready += 1;
        set.unlink(waiter).unwrap();
        waiter.state.set(waiting::CLAIMED);
        let recorded = Recorded::new(&memory, steps, (sleeper.who.pid, sleeper.cell, 0));
        cut_short(&mut pair, &recorded, &undone, &done, &mut random);
    }
    assert!(ready > 50, "only {ready} could be done");
}

/// Writes over everything that the layout calls derived.
fn scramble(set: &Set<'_>, random: &mut Lcg) {
    let head = set.head();
    let mut any = || match random.below(3) {
        0 => NIL,
        1 => random.below(100) as u32,
        _ => random.next() as u32,
    };
    for w in [&head.waiters.head, &head.waiters.tail, &head.free_cell, &head.arrays, &head.adjusted] {
        w.set(any());
    }
    head.looked_ms.set(any() as u64);
    head.waiter_seq.set(any() as u64);
    for sem in 0..set.nsems() {
        let (list, word) = (set.list(sem).unwrap(), set.word(sem).unwrap());
        list.head.set(any());
        list.tail.set(any());
        word.set(if any() % 2 == 0 { word.get() | word::SLOW } else { word.get() & !word::SLOW });
    }
    (0..groups(set.nsems())).for_each(|g| set.group(g).unwrap().set(any()));
    for c in 0..set.head().fresh_cell.get() {
        let cell = set.cell(c).unwrap();
        if let Ok(waiter) = set.waiter(c) {
            for w in [&waiter.before, &waiter.after, &waiter.sem_before, &waiter.sem_after] {
                w.set(any());
            }
        } else if cell.kind.get() != kind::MORE {
            cell.next.set(any());
        }
    }
}

#[test]
fn a_set_is_whole_again_from_its_truth() {
    let mut crowd = Crowd::new("truth", 3);
    for seed in 0..40 {
        let memory = Memory::new(1 + seed as u32, 2048);
        let mut random = Lcg(seed);
        let mut pair = used(&memory, &mut crowd, &mut random, 10 + seed * 3);
        scramble(&memory.set(), &mut random);
        pair.recover();
        pair.settle_ended();
        pair.check();
        (0..50).for_each(|_| pair.step(&mut random));
        pair.check();
    }
}

/// IPC_RMID was killed when it had removed the set and not yet told those who sleep on it.
#[test]
fn sleepers_on_a_removed_set_hear_of_it() {
    let mut crowd = Crowd::new("removed", 2);
    let memory = Memory::new(4, 2048);
    let mut random = Lcg(3);
    let pair = used(&memory, &mut crowd, &mut random, 60);
    assert!(!pair.model.asleep.is_empty());
    memory.set().head().common.removed.set(1);
    pair.recover();
    for sleeper in &pair.model.asleep {
        assert_eq!(memory.set().waiter(sleeper.cell).unwrap().state.get(), waiting::REMOVED);
    }
}

/// Random words written over the whole of a set: errors, but never a panic, an endless loop or a
/// write outside it (which [`Memory`] notices).
#[test]
fn scribbling_does_no_harm() {
    let mut crowd = Crowd::new("scribble", 2);
    for seed in 0..300 {
        let mut random = Lcg(seed);
        let memory = Memory::new([1, 5, 40][seed as usize % 3], 2048);
        let pair = used(&memory, &mut crowd, &mut random, 60);
        let (set, who) = (memory.set(), [0, 1].map(|number| pair.who(number)));
        for _ in 0..1 + random.below(60) {
            scribble(&memory, &mut random);
        }
        for _ in 0..60 {
            let begun = std::time::Instant::now();
            let _ = poke(&set, pair.crowd, who[random.below(2) as usize], &mut random);
            assert!(begun.elapsed().as_secs() < 20, "seed {seed}: a loop that hardly ends");
        }
    }
}

fn scribble(memory: &Memory, random: &mut Lcg) {
    let cells_at = Offsets::of(memory.geometry.nsems).cells;
    // Most of them where there is something.
    let at = match random.below(4) {
        0 => size_of::<Header>() + random.below(128) as usize,
        1 => WORDS_AT + random.below((cells_at - WORDS_AT) as u64) as usize,
        2 => cells_at + random.below(64 * 100) as usize,
        _ => size_of::<Header>() + random.below((memory.len - size_of::<Header>()) as u64) as usize,
    };
    let small = random.below(100) as u32;
    let value = [small, small, NIL, random.next() as u32][random.below(4) as usize];
    // SAFETY: inside the set's memory, which is all words.
    unsafe {
        if random.one_in(3) {
            (*memory.base.add(at & !7).cast::<W64>()).set(random.next());
        } else {
            (*memory.base.add(at & !3).cast::<W32>()).set(value);
        }
    }
}

fn poke(set: &Set<'_>, crowd: &Crowd, who: Who, random: &mut Lcg) -> Checked<()> {
    let sem = random.below(set.nsems() as u64) as u32;
    let zero = random.one_in(2);
    match random.below(10) {
        0 => crowd.locked(set, who.number, |cx| recover(set, cx)),
        1 => crowd.locked(set, who.number, |cx| set.count_waiting(sem, zero, cx)).map(|_| ()),
        2 => crowd.locked(set, who.number, |cx| {
            set.reap_all(cx)?;
            set.serve_all(cx)
        }),
        3 => {
            set.freeze(sem)?;
            set.plan_value(0, sem, 1)?;
            set.commit(1, who.pid, NIL, sem + 1)?;
            crowd.locked(set, who.number, |cx| set.serve_one(sem, cx))
        }
        4 => {
            set.nudge();
            Ok(())
        }
        5 => {
            let w = set.head().waiters.head.get();
            set.unlink(set.waiter(w)?)?;
            set.waiter_free(w)
        }
        6 if random.one_in(10) => crowd.locked(set, who.number, |cx| set.end_all(cx.wakes)),
        _ => take_turn(set, crowd, who, &some_ops(random, set.nsems())).map(|_| ()),
    }
}
