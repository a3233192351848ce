//! How long a thread that has to wait looks round before it sleeps.
//!
//! To sleep and to be woken on another processor takes the kernel tens of microseconds, to see a word change there less than
//! one. So a thread first looks again and again, for as long as that has been paying and hurts nobody:
//!
//! - Whom it waits for ran last on another processor: it polls. On this one: it can only come when
//!   this thread lets it, so that yields, twice.
//! - A thread may poll for [`MOST_NS`]. Each time in vain halves that, until it is not worth while and the thread sleeps at
//!   once; a wait that ends within that time, polled or slept, restores it.
//! - A thread that was kept from running while it polled, or for long when it yielded, shares its processor with those who
//!   have more to do: it sleeps, and for sixteen times as long it neither polls nor yields.
//!
//! A thread that polls is nobody to whom anything could be given: it is in no list and need not be woken.
//! The caller stays in its section, and comes back from it at once when a signal is there.

use crate::sys::{clock, clock::Deadline, cpu, cpu::Cpu, tls::tls};
use crate::region::W64;
use core::cell::Cell;

/// Two to four times what a wake-up takes on a virtual machine.
const MOST_NS: u64 = 150_000;
/// Less than a wake-up takes: worse than none.
const LEAST_NS: u64 = 20_000;
/// From a yield that takes longer others have got something.
const ALONE_NS: u64 = 5_000;
/// From one that takes longer, or between two looks at the clock, not just a little.
const KEPT_NS: u64 = 400_000;
/// Pauses between two looks at the clock; each takes 10 to 50 ns.
const PAUSES: u32 = 64;
/// At most so many between two looks at the word.
const MOST_PAUSES: u32 = 16;
/// Looks after which they become rarer.
const LOOKS: u32 = 16;
/// How long a thread polls before it first yields, to see whether others want the processor.
const FIRST_PROBE_NS: u64 = 4_000;
/// And from then on.
const PROBE_NS: u64 = 25_000;
/// How much longer to keep still than it was kept.
const REST: u64 = 16;

/// A word that changes whenever something happens that others may poll for, in a cache line of its own: they disturb nobody until
/// then. It says too on which processor.
#[repr(C, align(64))]
pub struct Bell(W64);

const CPU_BITS: u32 = 16;

impl Bell {
    /// The caller holds the lock.
    #[inline(always)]
    pub fn ring(&self) {
        self.0.set(((self.0.get() >> CPU_BITS) + 1) << CPU_BITS | Cpu::here().0 as u16 as u64);
    }
    /// As it is now.
    pub fn look(&self) -> u64 {
        self.0.get()
    }
    /// Where it was rung.
    pub fn place(seen: u64) -> Cpu {
        Cpu(seen as u16 as u32)
    }
}

/// What a thread remembers of its waits.
#[repr(C)]
pub struct Past {
    /// How often in a row it has polled in vain.
    failures: Cell<u32>,
    /// Whether others had its processor when it last yielded.
    crowded: Cell<bool>,
    /// When it may poll again: nanoseconds of CLOCK_MONOTONIC.
    rest_until: Cell<u64>,
}

/// What is left to one call.
pub struct Spin {
    /// When it began, as far as that has been asked; 0: not yet.
    began: u64,
    over: bool,
}

impl Spin {
    /// Of a call that has not waited yet.
    #[inline(always)]
    pub const fn new() -> Spin {
        Spin { began: 0, over: false }
    }

    /// Whether the call may go on without sleeping.
    pub fn may(&self) -> bool {
        !self.over
    }

    /// Returns when `ready` says that it is worth trying again, or it is time to sleep. `peer` is where the one was
    /// seen last who can bring that about. The caller is inside a section and holds no lock.
    #[cold]
    pub fn poll(&mut self, peer: Cpu, deadline: Option<&Deadline>, ready: &dyn Fn() -> bool) {
        let past = &tls().spin;
        if cfg!(loom) {
            // Once is enough for something to come between.
            ready();
            self.over = true;
        } else if !self.look_round(past, peer, deadline, ready) {
            self.over = true;
            if self.began == 0 {
                self.began = clock::monotonic_ns();
            }
        }
    }

    /// Whether it has come.
    fn look_round(&mut self, past: &Past, peer: Cpu, deadline: Option<&Deadline>, ready: &dyn Fn() -> bool) -> bool {
        if past.rests() {
            return false;
        }
        let here = peer.is_here();
        if here || past.crowded.get() {
            match past.yield_to(ready) {
                Some(came) => return came,
                None if here => return false,
                None => {}
            }
        }
        self.watch(past, deadline, ready)
    }

    /// Polls; whether it has come.
    fn watch(&mut self, past: &Past, deadline: Option<&Deadline>, ready: &dyn Fn() -> bool) -> bool {
        let budget = MOST_NS >> past.failures.get().min(63);
        if budget < LEAST_NS {
            return false;
        }
        let (mut pauses, mut last, mut probe) = (0, 0, 0);
        for look in 0.. {
            if ready() {
                past.failures.set(0);
                return true;
            }
            let gap = 1 + (look / LOOKS).min(MOST_PAUSES - 1);
            (0..gap).for_each(|_| core::hint::spin_loop());
            pauses += gap;
            if pauses < PAUSES {
                continue;
            }
            pauses = 0;
            let now = clock::monotonic_ns();
            if self.began == 0 {
                self.began = now;
            }
            if tls().deferred.get() != 0 || deadline.is_some_and(Deadline::passed) {
                return false;
            }
            if last != 0 && past.kept(now, now - last) {
                return false;
            }
            if now - self.began > budget {
                past.failures.set(past.failures.get() + 1);
                return false;
            }
            if probe == 0 {
                probe = now + FIRST_PROBE_NS;
            }
            last = now;
            if now >= probe {
                if let Some(came) = past.yield_to(ready) {
                    return came;
                }
                last = clock::monotonic_ns();
                probe = last + PROBE_NS;
            }
        }
        false
    }

    /// The call has slept: had it polled for as long as it may, would that have been enough?
    pub fn slept(&self) {
        let past = &tls().spin;
        if past.failures.get() != 0 && clock::monotonic_ns() - self.began < MOST_NS {
            past.failures.set(0);
        }
    }
}

impl Past {
    /// Lets others have this processor: whether it has come by that. None: there are no others.
    fn yield_to(&self, ready: &dyn Fn() -> bool) -> Option<bool> {
        for _ in 0..2 {
            let before = clock::monotonic_ns();
            cpu::yield_now();
            let now = clock::monotonic_ns();
            self.crowded.set(now - before > ALONE_NS);
            if ready() {
                return Some(true);
            }
            if self.kept(now, now - before) {
                return Some(false);
            }
            if !self.crowded.get() {
                return None;
            }
        }
        Some(false)
    }

    /// Whether the thread was kept for long, and is to rest.
    fn kept(&self, now: u64, kept: u64) -> bool {
        if kept > KEPT_NS {
            self.rest_until.set(now + REST * kept);
        }
        kept > KEPT_NS
    }

    /// Whether it is to rest still.
    fn rests(&self) -> bool {
        self.rest_until.get() != 0 && clock::monotonic_ns() < self.rest_until.get()
    }
}
