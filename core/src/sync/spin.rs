//! How long a thread that has to wait looks round before it sleeps.
//!
//! To sleep and to be woken on another processor takes the kernel tens of microseconds, to see a word change there less than
//! one. So a thread first looks again and again, for as long as that has been paying and hurts nobody:
//!
//! - Whom it waits for ran last on another processor: it polls. On this one: it can only come when
//!   this thread lets it, so that yields, twice. Where others want the processor, it glances before it yields.
//! - A thread may poll for [`MOST_NS`]. Each time in vain halves that, until it is not worth while and the thread sleeps at
//!   once; a wait that ends within that time, polled or slept, restores it.
//! - A thread that was kept from running while it polled, or for long when it yielded, shares its processor with those who
//!   have more to do: it sleeps, and for sixteen times as long it neither polls nor yields, but glances at what another
//!   processor has.
//!
//! A thread that polls is nobody to whom anything could be given: it is in no list and need not be woken.
//! The caller stays in its section, and comes back from it at once when a signal is there.

use crate::likely::unlikely;
use crate::region::W64;
use crate::sys::{clock, clock::Deadline, cpu, cpu::Cpu, tls::tls};
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
/// Pauses between two looks of a thread that waits for something to be done, at first.
pub const CLOSELY: u32 = 1;
/// Of one that waits for something to be given back: looks disturb who has it, and who has it may soon have it again.
pub const RARELY: u32 = 48;
/// Looks after which they become rarer by a pause.
const LOOKS: u32 = 12;
/// How long a thread polls before it first yields, to see whether others want the processor.
const FIRST_PROBE_NS: u64 = 4_000;
/// And from then on.
const PROBE_NS: u64 = 25_000;
/// Waits after which a thread tries whether more comes.
const UNTRIED: u8 = 16;
/// Pauses in which something has to come.
const FLOW_PAUSES: u32 = 30;
/// How often.
const MOST_FLOW: u32 = if cfg!(loom) { 0 } else { 16 };
/// How much longer to keep still than it was kept.
const REST: u64 = 16;
/// Looks of a thread that rests, at what another processor has.
const GLANCES: u32 = 8;
/// Pauses before a yield: less than that takes, and most of what another processor has at hand comes in them.
const GLANCE_PAUSES: u32 = 16;

/// A word that changes whenever something happens that others may poll for, in a cache line of its own: they disturb nobody until
/// then. It says too on which processor, and on which one before that: who has rung last himself waits for the other.
#[repr(C, align(64))]
pub struct Bell(W64);

const CPU_BITS: u32 = 16;

impl Bell {
    /// The caller holds the lock.
    #[inline(always)]
    pub fn ring(&self) {
        let (mut seen, here) = (self.0.get(), Cpu::here().0 as u16);
        if unlikely(seen as u16 != here) {
            let places = (seen as u32) << CPU_BITS | here as u32;
            seen = seen >> (2 * CPU_BITS) << (2 * CPU_BITS) | places as u64;
        }
        self.0.set(seen.wrapping_add(1 << (2 * CPU_BITS)));
    }
    /// As it is now.
    pub fn look(&self) -> u64 {
        self.0.get()
    }
    /// How often it was rung between two looks.
    fn rings(before: u64, now: u64) -> u64 {
        (now >> (2 * CPU_BITS)).wrapping_sub(before >> (2 * CPU_BITS)) & (u64::MAX >> (2 * CPU_BITS))
    }
    /// Where it was rung last; elsewhere than here, if it ever was.
    pub fn place(seen: u64) -> Cpu {
        let other = Cpu((seen >> CPU_BITS) as u16 as u32);
        if other.0 != 0 && Bell::is_near(seen) {
            other
        } else {
            Cpu(seen as u16 as u32)
        }
    }
    /// Whether it was rung last on this processor, by this thread or by one that has let it have it.
    fn is_near(seen: u64) -> bool {
        Cpu(seen as u16 as u32).is_here()
    }
}

/// What a thread remembers of its waits.
#[repr(C)]
pub struct Past {
    /// How often in a row it has polled in vain.
    failures: Cell<u32>,
    /// Whether others had its processor when it last yielded.
    crowded: Cell<bool>,
    /// Whether more came at once when it last looked for more, and how often it has not looked since.
    flows: Cell<bool>,
    passed: Cell<u8>,
    /// When it may poll again: nanoseconds of CLOCK_MONOTONIC.
    rest_until: Cell<u64>,
}

/// What is left to one call.
#[derive(Default)]
pub struct Spin {
    /// When it began, as far as that has been asked; 0: not yet.
    began: u64,
    over: bool,
}

impl Spin {
    /// Whether the call may go on without sleeping.
    pub fn may(&self) -> bool {
        !self.over
    }

    /// Returns when `ready` says that it is worth trying again, or it is time to sleep. `peer` is where the one was
    /// seen last who can bring that about, `gap` is [`CLOSELY`] or [`RARELY`]. The caller is inside a section and holds no lock.
    #[cold]
    pub fn poll(&mut self, (peer, gap): (Cpu, u32), deadline: Option<&Deadline>, ready: &dyn Fn() -> bool) {
        let past = &tls().spin;
        if cfg!(loom) {
            // Once is enough for something to come between.
            ready();
            self.over = true;
        } else if !self.look_round(past, (peer, gap), deadline, ready) {
            self.over = true;
            if self.began == 0 {
                self.began = clock::monotonic_ns();
            }
        }
    }

    /// Whether it has come.
    fn look_round(
        &mut self,
        past: &Past,
        (peer, gap): (Cpu, u32),
        deadline: Option<&Deadline>,
        ready: &dyn Fn() -> bool,
    ) -> bool {
        let here = peer.is_here();
        if past.rests() {
            return !here && glance(GLANCES * gap, gap, ready);
        }
        if here || past.crowded.get() {
            if !here && glance(GLANCE_PAUSES, gap.clamp(2, GLANCE_PAUSES), ready) {
                return true;
            }
            match past.yield_to(here, ready) {
                Some(came) => return came,
                None if here => return false,
                None => {}
            }
        }
        self.watch(past, gap, deadline, ready)
    }

    /// Polls; whether it has come.
    fn watch(
        &mut self,
        past: &Past,
        first: u32,
        deadline: Option<&Deadline>,
        ready: &dyn Fn() -> bool,
    ) -> bool {
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
            let gap = first + (look / LOOKS).min(PAUSES);
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
                if let Some(came) = past.yield_to(false, ready) {
                    return came;
                }
                last = clock::monotonic_ns();
                probe = last + PROBE_NS;
            }
        }
        false
    }

    /// What was polled for has come: if it has been coming in streams, lets more of it come as long as it does. To take each single
    /// one would cost two journeys of the object's memory from processor to processor. After the bell was `seen`, no more
    /// than `most` can come.
    pub fn let_flow(&self, always: bool, bell: &Bell, seen: u64, most: u64) {
        let past = &tls().spin;
        let passed = past.passed.get();
        let mut last = bell.look();
        if self.over || Bell::is_near(last) || !always && !past.flows.get() && passed < UNTRIED {
            past.passed.set(passed.wrapping_add(1));
            return;
        }
        past.passed.set(0);
        past.flows.set(false);
        let mut still = 0;
        for _ in 0..MOST_FLOW {
            let left = most.saturating_sub(Bell::rings(seen, last)).min(FLOW_PAUSES as u64) as u32;
            // What is left takes about so long: a look before would only hold it up.
            let pauses = (left + left.div_ceil(2)).min(FLOW_PAUSES - still);
            if pauses == 0 {
                break;
            }
            (0..pauses).for_each(|_| core::hint::spin_loop());
            let now = bell.look();
            if now == last {
                still += pauses;
            } else {
                past.flows.set(true);
                (still, last) = (0, now);
            }
        }
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
    /// Lets others have this processor: whether it has come by that. None: there are no others. Where there ought to be one
    /// (`again`) a second time anyhow: the scheduler need not have let it run.
    fn yield_to(&self, again: bool, ready: &dyn Fn() -> bool) -> Option<bool> {
        if again {
            // The common case, so without looking at the clock.
            cpu::yield_now();
            if ready() {
                return Some(true);
            }
        }
        for _ in 0..2 - again as u32 {
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

/// Looks a few times; whether it has come. What another processor holds for a moment comes sooner than any sleep ends.
fn glance(pauses: u32, gap: u32, ready: &dyn Fn() -> bool) -> bool {
    (0..pauses / gap).any(|_| {
        (0..gap).for_each(|_| core::hint::spin_loop());
        ready()
    })
}

#[cfg(all(test, not(any(loom, miri))))]
mod tests {
    use super::*;

    /// Whether this thread runs on processor `n` from here on.
    fn moved_to(n: usize) -> bool {
        // SAFETY: all-zero is an empty set; the set is valid for its size.
        unsafe {
            let mut set: libc::cpu_set_t = core::mem::zeroed();
            libc::CPU_SET(n, &mut set);
            libc::sched_setaffinity(0, size_of_val(&set), &set) == 0
        }
    }

    #[test]
    fn who_rang_last_is_sent_to_the_other() {
        if number_is_unknown() || !moved_to(1) {
            return;
        }
        // SAFETY: all atomics.
        let bell: Bell = unsafe { core::mem::zeroed() };
        bell.ring();
        let there = Cpu::here();
        assert!(Bell::place(bell.look()) == there, "nobody has rung elsewhere");
        assert!(moved_to(0));
        assert!(Bell::place(bell.look()) == there);
        bell.ring();
        bell.ring();
        assert!(Bell::place(bell.look()) == there, "in a queue used both ways");
        let here = Cpu::here();
        assert!(moved_to(1));
        assert!(Bell::place(bell.look()) == here);
    }

    #[test]
    fn who_shares_its_processor_looks_before_it_yields() {
        let past = &tls().spin;
        let elsewhere = Cpu(Cpu::here().0 + 1);
        past.crowded.set(true);
        let mut spin = Spin::default();
        spin.poll((elsewhere, CLOSELY), None, &|| true);
        // A yield would have found that nobody else wants it.
        assert!(spin.may() && past.crowded.replace(false));
    }

    /// Without glibc's rseq area.
    fn number_is_unknown() -> bool {
        Cpu::here().0 == 0
    }
}
