//! The kernel's futexes, keyed by address. A sleep that has a time-out lasts for ever, so that a lost wake-up is found as a
//! deadlock, unless [`time_passes`]: then it ends when the others have had their turn.

use super::atomic::{value_of, AtomicU32};
use super::{Engine, Life, ENGINE};
use crate::errno::{Errno, Result};
use crate::sync::wait::waiting::ASLEEP;
use crate::sys::clock::Deadline;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::vec::Vec;

struct Sleeper {
    at: Cell<usize>,
    /// By [`move_sleeper`].
    moved: Cell<bool>,
    value: u32,
    life: Rc<Life>,
    thread: Handle,
    outcome: Cell<Option<Result<()>>>,
}

enum Handle {
    Loom(loom::thread::Thread),
    Shuttle(shuttle::thread::Thread),
}

impl Sleeper {
    fn end(&self, how: Result<()>) {
        self.outcome.set(Some(how));
        match &self.thread {
            Handle::Loom(thread) => thread.unpark(),
            Handle::Shuttle(thread) => thread.unpark(),
        }
    }
}

std::thread_local! {
    static SLEEPERS: RefCell<Vec<Rc<Sleeper>>> = RefCell::default();
    static BUCKET: RefCell<Option<Rc<loom::sync::Mutex<()>>>> = RefCell::default();
    static TIME_PASSES: Cell<bool> = const { Cell::new(false) };
    static NOW_S: Cell<i64> = const { Cell::new(1) };
}

pub(super) fn forget() {
    SLEEPERS.with_borrow_mut(Vec::clear);
    BUCKET.set(None);
    TIME_PASSES.set(false);
    NOW_S.set(1);
}

/// From here on sleeps time out.
pub fn time_passes() {
    TIME_PASSES.set(true);
}

/// The time by all clocks, which only sleeping takes: executions have to be repeatable.
pub(crate) fn now() -> libc::timespec {
    libc::timespec { tv_sec: NOW_S.get(), tv_nsec: 0 }
}

/// Runs `body` as the kernel does with the bucket of a futex locked. All futexes share one here, so that loom sees that
/// who interrupts a sleeper depends on when it went to sleep. shuttle's threads change at atomic operations alone, of
/// which there are none in there.
fn locked<T>(body: impl FnOnce() -> T) -> T {
    if ENGINE.get() != Engine::Loom {
        return body();
    }
    let new = || Rc::new(loom::sync::Mutex::new(()));
    let bucket = BUCKET.with_borrow_mut(|bucket| bucket.get_or_insert_with(new).clone());
    let _held = bucket.lock().unwrap();
    body()
}

fn take_out(sleeper: &Rc<Sleeper>) {
    SLEEPERS.with_borrow_mut(|all| all.retain(|other| !Rc::ptr_eq(other, sleeper)));
}

/// As [`crate::sys::futex::wait_until`].
pub(crate) fn wait(word: &AtomicU32, value: u32, _: &Deadline) -> Result<()> {
    let (at, life, under_loom) = (word.as_ptr() as usize, super::this(), ENGINE.get() == Engine::Loom);
    if life.gone.get() {
        return Err(Errno::EINTR);
    }
    let thread = match under_loom {
        true => Handle::Loom(loom::thread::current()),
        false => Handle::Shuttle(shuttle::thread::current()),
    };
    let sleeper = Rc::new(Sleeper {
        at: Cell::new(at),
        moved: Cell::new(false),
        value,
        life,
        thread,
        outcome: Cell::new(None),
    });
    locked(|| {
        if value_of(word, under_loom) != value {
            return Err(Errno::EAGAIN);
        }
        SLEEPERS.with_borrow_mut(|all| all.push(sleeper.clone()));
        Ok(())
    })?;
    if TIME_PASSES.get() {
        match under_loom {
            true => loom::thread::yield_now(),
            false => shuttle::thread::yield_now(),
        }
        return locked(|| {
            take_out(&sleeper);
            NOW_S.set(NOW_S.get() + 1);
            sleeper.outcome.get().unwrap_or(Err(Errno::ETIMEDOUT))
        });
    }
    loop {
        match under_loom {
            true => loom::thread::park(),
            false => shuttle::thread::park(),
        }
        if let Some(outcome) = sleeper.outcome.get() {
            return outcome;
        }
    }
}

/// As [`crate::sys::futex::wake`].
pub(crate) fn wake(word: &AtomicU32, n: u32) -> usize {
    let at = word.as_ptr() as usize;
    if super::this().gone.get() {
        return 0;
    }
    locked(|| {
        let woken: Vec<_> = SLEEPERS.with_borrow_mut(|all| {
            let woken: Vec<_> = all.iter().filter(|s| s.at.get() == at).take(n as usize).cloned().collect();
            all.retain(|s| !woken.iter().any(|w| Rc::ptr_eq(s, w)));
            woken
        });
        woken.iter().for_each(|s| s.end(Ok(())));
        woken.len()
    })
}

/// As [`crate::sys::futex::move_sleeper`].
pub(crate) fn move_sleeper(word: &AtomicU32, other: &AtomicU32) -> usize {
    let (at, other) = (word.as_ptr() as usize, other.as_ptr() as usize);
    if super::this().gone.get() {
        return 0;
    }
    locked(|| {
        SLEEPERS.with_borrow(|all| {
            let sleeper = all.iter().find(|s| s.at.get() == at);
            sleeper.iter().for_each(|s| {
                s.at.set(other);
                s.moved.set(true);
            });
            sleeper.is_some() as usize
        })
    })
}

/// Ends the wait of the thread that bears `token`, if it sleeps in one (and not for a lock): a handler has run, its time is over, or it
/// is killed (not if it has been given what it waits for already).
pub fn interrupt(token: u64, how: Errno, killed: bool) -> bool {
    locked(|| {
        let find = || {
            let waits =
                |s: &&Rc<Sleeper>| s.life.token == token && s.value == ASLEEP && !(killed && s.moved.get());
            SLEEPERS.with_borrow(|all| all.iter().find(waits).cloned())
        };
        let Some(sleeper) = find() else { return false };
        take_out(&sleeper);
        if killed {
            sleeper.life.end();
        }
        sleeper.end(Err(how));
        true
    })
}
