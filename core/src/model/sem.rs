//! Semaphores: the word that is changed without the lock, and the wait of those who cannot go on.

use super::{every_death, every_order, futex, plainly, spawn, Running, TOKENS};
use crate::errno::{Errno, Result};
use crate::perm::Perm;
use crate::region::header::ObjectKind;
use crate::region::object::{Geometry, Mapping};
use crate::semset::layout::*;
use crate::semset::ops::SEM_UNDO;
use crate::semset::Set;
use crate::sys::map;
use crate::sysv::sem::{self, SEM};
use crate::user::In;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use libc::{sembuf, IPC_NOWAIT};
use std::sync::Arc;
use std::vec::Vec;

/// The identifier, and so the index, of the set that a model works on.
const ID: i32 = 1;
const SEMS: u32 = 2;

/// A new set in private memory.
pub fn set(values: [i32; SEMS as usize]) {
    plainly(|| {
        let geometry = Geometry { nsems: SEMS, nodes: 64, ..Geometry::default() };
        let len = Offsets::of(SEMS).cells + geometry.nodes as usize * size_of::<Cell>();
        // SAFETY: just mapped.
        let mapping = unsafe { Mapping::of(map::anonymous(len).unwrap(), len, (0, 0)).unwrap() };
        let perm = Perm { uid: 0, gid: 0, cuid: 0, cgid: 0, mode: 0o666 };
        mapping.header().initialise(ObjectKind::Sem, 0, &perm, 1);
        // SAFETY: the memory is as long as the measures say.
        let set = unsafe { Set::raw(mapping.base, &geometry) };
        set.head().nsems.set(SEMS);
        set.head().redo_backed.set(redo_steps(SEMS) as u32);
        set.head().backed_cells.set(geometry.nodes);
        set.initialise().unwrap();
        for (sem, value) in (0..).zip(values) {
            let word = set.word(sem).unwrap();
            word.set(word.get() | value as u64);
        }
        let object = mapping.install(ObjectKind::Sem, ID, 0, geometry).unwrap();
        SEM.table.put(ID as usize, &object).unwrap();
    });
    // What is looked at without the lock.
    assert_eq!(semop(&[(0, 1, 0)]), Ok(()));
    assert_eq!(semop(&[(0, -1, 0), (1, 1, 0)]), Ok(()));
    assert_eq!(semop(&[(1, -1, 0)]), Ok(()));
}

/// semop(2), of operations as (semaphore, change, flags).
pub fn semop(ops: &[(u16, i16, i32)]) -> Result<()> {
    let ops: Vec<sembuf> = ops
        .iter()
        .map(|&(sem_num, sem_op, flags)| sembuf { sem_num, sem_op, sem_flg: flags as i16 })
        .collect();
    // SAFETY: the operations stay where they are during the call.
    sem::operate(ID, unsafe { In::new(ops.as_ptr()) }, ops.len())
}

/// The values, when nobody else is at work.
pub fn values() -> [i32; SEMS as usize] {
    let object = SEM.table.get(ID as usize).unwrap();
    core::array::from_fn(|sem| word::value(Set::of(&object).word(sem as u32).unwrap().get()))
}

fn start(who: usize, steps: Option<u32>, ops: &'static [(u16, i16, i32)]) -> Running {
    spawn(TOKENS[who], steps, move || assert_eq!(semop(ops), Ok(())))
}

/// A thread that may be interrupted, and 1 if its operations were done, 2 if not.
fn start_heedful(who: usize, ops: &'static [(u16, i16, i32)]) -> (Running, Arc<AtomicU32>) {
    let ended = Arc::new(AtomicU32::new(0));
    let how = ended.clone();
    let thread = spawn(TOKENS[who], None, move || match semop(ops) {
        Ok(()) => how.store(1, Relaxed),
        Err(e) => {
            assert_eq!(e, Errno::EINTR);
            how.store(2, Relaxed);
        }
    });
    (thread, ended)
}

/// Two that change the word without the lock, and one with it.
#[test]
fn no_change_of_the_word_is_lost() {
    every_order(2, || {
        set([0, 0]);
        let all = [
            start(0, None, &[(0, 1, 0)]),
            start(1, None, &[(0, 2, 0)]),
            start(2, None, &[(0, 4, 0), (1, 1, 0)]),
        ];
        all.into_iter().for_each(|thread| assert!(thread.join()));
        assert_eq!(values(), [7, 1]);
    });
}

/// Whoever sleeps is woken: a sleep here ends by a wake-up alone.
#[test]
fn a_sleeper_is_served() {
    every_order(3, || {
        set([0, 0]);
        let sleeper = start(0, None, &[(0, -2, 0)]);
        // The first does not help him: the second must not pass him by.
        let other = spawn(TOKENS[1], None, || (0..2).for_each(|_| assert_eq!(semop(&[(0, 1, 0)]), Ok(()))));
        assert!(sleeper.join() && other.join());
        assert_eq!(values(), [0, 0]);
    });
}

/// A handler, or the end of the time, meets a wake-up: the wait ends in one way only.
#[test]
fn an_interrupted_sleeper_has_it_or_has_it_not() {
    every_order(2, || {
        set([0, 0]);
        let (sleeper, how) = start_heedful(0, &[(0, -1, 0)]);
        let other = start(1, None, &[(0, 1, 0)]);
        futex::interrupt(TOKENS[0], Errno::EINTR, false);
        assert!(sleeper.join() && other.join());
        assert_eq!(values(), [how.load(Relaxed) as i32 - 1, 0]);
        settled();
    });
}

/// Nothing is left of those who have come and gone: the next operation needs no lock.
pub fn settled() {
    let object = SEM.table.get(ID as usize).unwrap();
    let set = Set::of(&object);
    assert_eq!(set.head().waiters.head.get(), crate::region::NIL);
    assert_eq!(set.head().arrays.get(), 0);
}

/// A sleeper is killed while another gives what he waits for: if he was still in the kernel's queue he has not got it.
#[test]
fn what_a_killed_sleeper_does_not_take_is_left() {
    every_order(2, || {
        set([0, 0]);
        let (sleeper, other) = (start(0, None, &[(0, -1, 0)]), start(1, None, &[(0, 1, 0)]));
        let killed = futex::interrupt(TOKENS[0], Errno::EINTR, true);
        assert!(other.join());
        assert_eq!(sleeper.join(), !killed);
        // What is left of the killed one does not stand in the way.
        assert_eq!(semop(&[(0, 1, 0), (1, 1, 0)]), Ok(()));
        assert_eq!(values(), [1 + killed as i32, 1]);
    });
}

/// Killed after any step of an array: all of it is done, or nothing.
#[test]
fn an_array_is_done_whole_or_not_at_all() {
    every_death(1, |steps| {
        set([1, 0]);
        futex::time_passes();
        let killed = start(0, Some(steps), &[(0, -1, 0), (1, 1, 0)]);
        let other = start(1, None, &[(0, 2, 0), (1, 2, 0)]);
        let died = !killed.join();
        assert!(other.join());
        // The next one sees to what he has left.
        assert_eq!(semop(&[(0, 0, IPC_NOWAIT), (1, 0, IPC_NOWAIT)]), Err(Errno::EAGAIN));
        assert!(matches!((values(), died), ([2, 3], _) | ([3, 2], true)), "{:?}", values());
        settled();
        died
    });
}

/// Killed after any step of taking a semaphore with SEM_UNDO, which another waits for: he gets it.
#[test]
fn what_was_taken_with_undo_comes_back() {
    every_death(1, |steps| {
        set([1, 0]);
        futex::time_passes();
        let killed = spawn(TOKENS[0], Some(steps), || {
            assert_eq!(semop(&[(0, -1, SEM_UNDO)]), Ok(()));
            assert_eq!(semop(&[(0, 1, SEM_UNDO)]), Ok(()));
        });
        let other = spawn(TOKENS[1], None, || {
            assert_eq!(semop(&[(0, -1, 0)]), Ok(()));
            assert_eq!(semop(&[(0, 1, 0)]), Ok(()));
        });
        let died = !killed.join();
        assert!(other.join());
        // It may have been given to one who died before he slept: the next look takes it back.
        assert_eq!(semop(&[(0, 0, IPC_NOWAIT)]), Err(Errno::EAGAIN));
        assert_eq!(values(), [1, 0]);
        settled();
        died
    });
}
