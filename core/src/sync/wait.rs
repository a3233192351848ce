//! The one place where a thread sleeps for an object, and what it takes to wake one.
//!
//! A sleeper has a word in shared memory, its state (see [`waiting`]). A wait ends in exactly one
//! way, decided in [`Wait::settle`] under the object's lock. `settle` is also what the signal
//! trampoline calls before it runs a handler: the handler finds no trace of the wait, and may use
//! the same object, or siglongjmp away.

use super::section::Section;
use crate::entry::Begun;
use crate::errno::{Errno, Result};
use crate::namespace::Namespace;
use crate::region::object::Ref;
use crate::sync::primitive::{fence, AtomicU32, Ordering::*};
use crate::sys::clock::{self, Deadline};
use crate::sys::{cancel, futex, tls::tls};
use core::cell::Cell;
use core::ffi::c_void;
use core::mem::MaybeUninit;

/// States of a sleeper's word.
pub mod waiting {
    /// Unused.
    pub const FREE: u32 = 0;
    /// Waits, looking at the word.
    pub const AWAKE: u32 = 1;
    /// Waits in the kernel: to be woken by a system call.
    pub const ASLEEP: u32 = 2;
    /// It has what it waited for.
    pub const DONE: u32 = 3;
    /// To try again: something has changed.
    pub const RETRY: u32 = 4;
    /// Cannot ever have it: a message that is too long (E2BIG), a value out of range (ERANGE).
    pub const FAILED: u32 = 5;
    /// The object has been removed.
    pub const REMOVED: u32 = 6;
    /// Found waiting by somebody who holds the lock and will say more before he releases it.
    pub const CLAIMED: u32 = 7;
}

/// Futexes to wake once the lock is released. What does not fit is woken at once.
pub struct Wakes<'r> {
    /// The first `count` of them are there: the others are not even zero, lest every call writes them.
    words: [MaybeUninit<&'r AtomicU32>; 4],
    count: usize,
}

impl Default for Wakes<'_> {
    #[inline(always)]
    fn default() -> Self {
        Wakes { words: [const { MaybeUninit::uninit() }; 4], count: 0 }
    }
}

impl<'r> Wakes<'r> {
    fn add(&mut self, word: &'r AtomicU32) {
        if self.count == self.words.len() {
            futex::wake(word, 1);
            return;
        }
        self.words[self.count].write(word);
        self.count += 1;
    }
    /// Wakes them all.
    #[inline(always)]
    pub fn wake(&mut self) {
        if self.count != 0 {
            self.wake_some();
        }
    }
    #[cold]
    #[inline(never)]
    fn wake_some(&mut self) {
        for word in &self.words[..self.count] {
            // SAFETY: one of the first `count`.
            futex::wake(unsafe { word.assume_init() }, 1);
        }
        self.count = 0;
    }
    /// Tells a sleeper, which is in no list any more, how its wait ended.
    pub fn end(&mut self, word: &'r AtomicU32, how: u32) {
        // SYNC: waiter state (release side): what was written to the entry before is seen.
        if word.swap(how, Release) == waiting::ASLEEP {
            self.add(word);
        }
    }

    /// Whether a sleeper, which is in no list any more, is there to be given something: it looks at
    /// its word, or the kernel has it asleep. One that has been killed or stopped
    /// is not, as it is not in the kernel's queues; it will try again when it runs again.
    ///
    /// To wake it now would let it run against the lock, and on one processor even in place of the lock's holder. So it is only
    /// moved, to a futex on which nobody else ever sleeps and where it is woken later.
    pub fn claim(&mut self, word: &'r AtomicU32) -> bool {
        let there = match word.swap(waiting::CLAIMED, AcqRel) {
            waiting::ASLEEP => {
                let other = bedside(word);
                let moved = futex::move_sleeper(word, waiting::CLAIMED, other) != 0;
                if moved {
                    self.add(other);
                }
                // gVisor moves it but does not count it.
                moved || futex::wake(other, 1) != 0
            }
            waiting::AWAKE => true,
            _ => false,
        };
        if !there {
            word.store(waiting::RETRY, Release);
        }
        there
    }
}

/// The other half of the eight bytes that a sleeper's word lies in.
fn bedside(word: &AtomicU32) -> &AtomicU32 {
    // SAFETY: both layouts have another word there; it is only compared by the kernel, never read here.
    unsafe { &*((word.as_ptr() as usize ^ 4) as *const AtomicU32) }
}

/// Lets a sleeper look round, and choose anew how long it sleeps, without ending its wait.
pub fn nudge(word: &AtomicU32) {
    // SYNC: nudge (the sleeper reads behind its word what was written before)
    fence(SeqCst);
    if word.compare_exchange(waiting::ASLEEP, waiting::AWAKE, AcqRel, Relaxed).is_ok() {
        futex::wake(word, 1);
    }
}

/// Wakes a sleeper, if its wait is over, in case the wake-up died with its sender.
pub fn wake_forgotten(word: &AtomicU32) {
    if word.load(Relaxed) > waiting::ASLEEP {
        futex::wake(word, 1);
        futex::wake(bedside(word), 1);
    }
}

/// Why a wait is being settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The word says that it is over.
    Woken,
    /// The deadline has passed.
    TimedOut,
    /// A handler is about to run, or has run; whether with SA_RESTART.
    Signal(bool),
    /// The thread is being cancelled.
    Cancelled,
}

/// What a kind of object does about one of its sleepers. Both functions are called in a section.
pub trait Sleeper {
    /// How a wait can end.
    type Outcome: Copy;
    /// Whether the thread may be cancelled while it sleeps (pthreads(7)).
    const CANCELLABLE: bool;
    /// Decides, under the object's lock, how the wait ends, and takes its entry back.
    fn settle(&self, object: &Ref, ns: &'static Namespace, me: u64, why: Why) -> Self::Outcome;
    /// Nobody sleeps longer than this without looking: a wake-up may have died with its sender.
    fn slice_ns(&self, object: &Ref) -> i64;
    /// After a slice of sleep: has something been lost?
    fn look_round(&self, object: &Ref, ns: &'static Namespace, me: u64);
}

/// Where a wait can be found by this thread's signal handlers.
pub struct Known {
    settle: unsafe fn(*const Known, Why),
}

/// A thread's wait. It lies on the thread's stack and is known through thread-local storage.
#[repr(C)]
pub struct Wait<S: Sleeper> {
    known: Known,
    ns: &'static Namespace,
    me: u64,
    object: Cell<Option<Ref>>,
    sleeper: S,
    word: *const AtomicU32,
    /// The value to sleep on. None: the word is the sleeper's own, with a state of [`waiting`].
    expected: Option<u32>,
    slice_ns: Cell<i64>,
    deadline: Option<Deadline>,
    outcome: Cell<Option<S::Outcome>>,
    sleep: Cell<Result<()>>,
}

/// What a wait looks at.
pub enum On<'a> {
    /// The sleeper's own word, with a state of [`waiting`].
    State(&'a AtomicU32),
    /// A word that it shares with others, as long as it has this value.
    Value(&'a AtomicU32, u32),
}

impl<S: Sleeper> Wait<S> {
    /// A wait that has been entered in the object.
    pub fn new(
        (object, ns, me): (&Ref, &'static Namespace, u64),
        sleeper: S,
        on: On<'_>,
        deadline: Option<Deadline>,
    ) -> Wait<S> {
        let (word, expected) = match on {
            On::State(word) => (word, None),
            On::Value(word, value) => (word, Some(value)),
        };
        Wait {
            known: Known { settle: settle_known::<S> },
            ns,
            me,
            object: Cell::new(Some(object.again())),
            sleeper,
            word,
            expected,
            slice_ns: Cell::new(0),
            deadline,
            outcome: Cell::new(None),
            sleep: Cell::new(Ok(())),
        }
    }

    /// Waits. What the call has `begun` ends first, and with it the section: from there on this thread's signal handlers
    /// know the wait.
    pub fn block(&mut self, begun: Begun) -> S::Outcome {
        tls().waiting.set(&self.known);
        drop(begun);
        loop {
            if let Some(outcome) = self.look() {
                return outcome;
            }
            let arg = (self as *mut Wait<S>).cast::<c_void>();
            if S::CANCELLABLE {
                // SAFETY: `sleep` only enters the kernel; frames below hold nothing with a Drop that
                // `cancelled` does not settle.
                unsafe { cancel::sleep_cancellable(sleep::<S>, cancelled::<S>, arg) };
            } else {
                sleep::<S>(arg);
            }
            match self.sleep.get() {
                Ok(()) | Err(Errno::EAGAIN) => {}
                // Not by way of the trampoline, so a handler of libc's own (setxid): as it installs
                // them, with SA_RESTART.
                Err(Errno::EINTR) => self.settle(Why::Signal(true)),
                Err(Errno::ETIMEDOUT) if self.deadline.is_some_and(|t| t.passed()) => {
                    self.settle(Why::TimedOut)
                }
                // EFAULT: a handler's settling has unmapped the object; look() sees the outcome.
                Err(_) => self.look_round(),
            }
            if self.expected.is_some() {
                self.settle(Why::Woken);
            }
        }
    }

    /// The outcome if there is one; else the word says from here on that we sleep.
    fn look(&mut self) -> Option<S::Outcome> {
        let section = Section::enter();
        if let Some(outcome) = self.outcome.get() {
            return Some(outcome);
        }
        if self.move_on(waiting::AWAKE, waiting::ASLEEP) {
            // SYNC: nudge: who changes what the slice follows from looks at the word afterwards.
            fence(SeqCst);
            if let Some(object) = self.object.take() {
                self.slice_ns.set(self.sleeper.slice_ns(&object));
                self.object.set(Some(object));
            }
            return None;
        }
        drop(section);
        self.settle(Why::Woken);
        self.outcome.get()
    }

    /// Changes the sleeper's own word; false if somebody has ended the wait. The caller is in a section.
    fn move_on(&self, from: u32, to: u32) -> bool {
        if self.expected.is_some() {
            return true;
        }
        // SAFETY: no outcome yet: the reference still keeps the mapping.
        let word = unsafe { &*self.word };
        // SYNC: waiter state (acquire side)
        match word.compare_exchange(from, to, AcqRel, Acquire) {
            Ok(_) => true,
            Err(seen) => seen == to,
        }
    }

    fn look_round(&self) {
        let Ok(_section) = Section::enter() else { return };
        // While it looks the kernel would not know it as a sleeper: what is given out meanwhile, perhaps by itself, is not to
        // pass it by.
        if self.outcome.get().is_some() || !self.move_on(waiting::ASLEEP, waiting::AWAKE) {
            return;
        }
        let Some(object) = self.object.take() else { return };
        self.sleeper.look_round(&object, self.ns, self.me);
        self.object.set(Some(object));
    }

    /// Brings the wait to its end, if it has not come to one yet.
    fn settle(&self, why: Why) {
        let Ok(_section) = Section::enter() else { return };
        if core::ptr::eq(tls().waiting.get(), &self.known) {
            tls().waiting.set(core::ptr::null());
        }
        let Some(object) = self.object.take() else { return };
        self.outcome.set(Some(self.sleeper.settle(&object, self.ns, self.me, why)));
    }
}

/// The part of a wait in which the thread can be cancelled.
extern "C" fn sleep<S: Sleeper>(arg: *mut c_void) {
    // SAFETY: `arg` is the Wait that block() runs on.
    let wait = unsafe { &*arg.cast::<Wait<S>>() };
    let until = clock::sooner(wait.deadline.as_ref(), wait.slice_ns.get());
    // SAFETY: only the kernel looks at the word; if a handler's settling has unmapped it, that is EFAULT.
    let word = unsafe { &*wait.word };
    wait.sleep.set(futex::wait_until(word, wait.expected.unwrap_or(waiting::ASLEEP), &until));
}

extern "C" fn cancelled<S: Sleeper>(arg: *mut c_void) {
    // SAFETY: as in sleep(); the frame of block() is still there while handlers run.
    unsafe { &*arg.cast::<Wait<S>>() }.settle(Why::Cancelled);
}

/// # Safety
/// `known` is the first field of a `Wait<S>` that has not ended.
unsafe fn settle_known<S: Sleeper>(known: *const Known, why: Why) {
    // SAFETY: the caller's contract; the struct is repr(C).
    unsafe { &*known.cast::<Wait<S>>() }.settle(why);
}

/// Called by the signal trampoline before a handler runs.
pub fn before_handler(restart: bool) {
    let known = tls().waiting.get();
    if !known.is_null() {
        // SAFETY: set by block(), cleared by settle(): the Wait lies on this thread's stack.
        unsafe { ((*known).settle)(known, Why::Signal(restart)) };
    }
}
