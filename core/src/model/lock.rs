//! The token lock.

use super::{atomic, every_death, every_order, futex, nowhere, spawn, Running, TOKENS};
use crate::region::W32;
use crate::sync::lock::{Got, TokenLock};
use std::sync::Arc;
use std::vec::Vec;

/// A lock, and two words that are equal while nobody holds it.
#[repr(C)]
struct Guarded {
    lock: TokenLock,
    first: W32,
    second: W32,
}

fn guarded() -> Arc<Guarded> {
    // SAFETY: all-zero is a free lock and two words.
    let guarded = Arc::new(unsafe { core::mem::zeroed::<Guarded>() });
    // SAFETY: the lock is its word, behind it only padding.
    let word = unsafe { &*core::ptr::from_ref(&guarded.lock).cast::<atomic::AtomicU64>() };
    atomic::known(&[word, guarded.first.atomic(), guarded.second.atomic()]);
    guarded
}

impl Guarded {
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
        self.lock.release();
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
