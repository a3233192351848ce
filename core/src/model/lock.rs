//! The token lock.

use super::{atomic, every_death, every_order, futex, nowhere, spawn, Running, TOKENS};
use crate::region::W32;
use crate::sync::lock::{Got, TokenLock};
use std::sync::Arc;
use std::vec::Vec;

/// A lock, and two words that are equal while nobody holds it.
struct Guarded {
    lock: TokenLock,
    first: W32,
    second: W32,
    /// Turns are counted, by [`TokenLock::release`].
    counts: bool,
}

fn guarded() -> Arc<Guarded> {
    guarded_by(true)
}

fn guarded_by(counts: bool) -> Arc<Guarded> {
    // SAFETY: all-zero is a free lock, and two words.
    let (lock, first, second) = unsafe { core::mem::zeroed() };
    let guarded = Arc::new(Guarded { lock, first, second, counts });
    // SAFETY: the lock is its word and the count of its turns, behind them only padding.
    let [word, turns] = unsafe { &*core::ptr::from_ref(&guarded.lock).cast::<[atomic::AtomicU64; 2]>() };
    atomic::known(&[word, turns, guarded.first.atomic(), guarded.second.atomic()]);
    guarded
}

impl Guarded {
    /// Looks without the lock.
    fn glance(&self) {
        if let Some((first, second)) = self.seen() {
            assert_eq!(first, second, "seen in the middle of a turn");
        }
    }

    fn seen(&self) -> Option<(u32, u32)> {
        let marks = || if self.counts { 0 } else { self.first.get() };
        self.lock.glance(marks, || (self.first.get(), self.second.get()))
    }

    fn add_one(&self, me: u64) -> Got {
        let got = self.lock.acquire(nowhere(), me);
        match got {
            Got::Clean => {
                assert_eq!(self.first.get(), self.second.get(), "not alone, or repair was left out")
            }
            Got::Stolen => self.second.set(self.first.get()),
        }
        self.first.set(self.first.get() + 1);
        self.second.set(self.second.get() + 1);
        if self.counts {
            self.lock.release();
        } else {
            self.lock.leave();
        }
        got
    }
}

fn start(guarded: &Arc<Guarded>, who: usize, steps: Option<u32>) -> Running {
    let guarded = guarded.clone();
    spawn(TOKENS[who], steps, move || {
        guarded.add_one(TOKENS[who]);
    })
}

fn contend(threads: usize) {
    let guarded = guarded();
    let all: Vec<_> = (0..threads).map(|who| start(&guarded, who, None)).collect();
    all.into_iter().for_each(|thread| assert!(thread.join()));
    assert_eq!(guarded.first.get(), threads as u32);
}

/// Nobody is in at the same time, and nobody sleeps for ever: a sleep here ends by a wake-up alone.
#[test]
fn two_contend_for_the_lock() {
    every_order(4, || contend(2));
}

#[test]
fn three_contend_for_the_lock() {
    every_order(2, || contend(3));
}

fn look_on(counts: bool) {
    every_order(4, move || {
        let guarded = guarded_by(counts);
        let other = guarded.clone();
        let looks = spawn(TOKENS[1], None, move || other.glance());
        guarded.add_one(TOKENS[0]);
        guarded.add_one(TOKENS[0]);
        assert!(looks.join());
        assert_eq!(guarded.seen(), Some((2, 2)));
    });
}

/// Who looks without the lock sees what one turn left, or nothing.
#[test]
fn a_glance_is_of_one_moment() {
    look_on(true);
}

/// By a mark that is set in the middle of a turn, too.
#[test]
fn a_glance_goes_by_marks() {
    look_on(false);
}

/// The same beside one who is killed, after every step, and then one who sees to what he left.
#[test]
fn a_glance_sees_nothing_of_what_the_dead_left() {
    every_death(3, |steps| {
        let guarded = guarded();
        futex::time_passes();
        let other = guarded.clone();
        let killed = start(&guarded, 0, Some(steps));
        let looks = spawn(TOKENS[2], None, move || other.glance());
        let died = !killed.join();
        guarded.add_one(TOKENS[1]);
        assert!(looks.join());
        guarded.glance();
        died
    });
}

/// One of them is killed, after every step: the others get in, and see to what he left.
#[test]
fn a_dead_holders_lock_is_taken_over() {
    every_death(2, |steps| {
        let guarded = guarded();
        futex::time_passes();
        let killed = start(&guarded, 0, Some(steps));
        let other = start(&guarded, 1, None);
        let died = !killed.join();
        assert!(other.join());
        // He may have been killed with the lock after the other had left.
        assert!(start(&guarded, 2, None).join());
        assert_eq!(guarded.first.get(), guarded.second.get());
        assert!((2..=3).contains(&guarded.first.get()));
        died
    });
}
