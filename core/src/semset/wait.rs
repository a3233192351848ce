//! Waiting for a set: how a wait ends, and who looks after the adjustments of the dead meanwhile.

use super::guard::Locked;
use super::layout::*;
use super::waiters::WATCHERS;
use super::Set;
use crate::errno::{Errno, Result};
use crate::namespace::Namespace;
use crate::region::object::Ref;
use crate::region::{Checked, Corrupt};
use crate::sync::wait::{self, Sleeper, Why};
use crate::sys::clock;
use core::sync::atomic::Ordering::*;

/// Those who came last look after the others: so often that no adjustment of a dead process is overlooked for long, even if it
/// was not the only one killed. One look does for all.
fn watch_ns(rank: usize) -> i64 {
    match rank {
        0 => 40_000_000,
        1 => 100_000_000,
        _ if rank < WATCHERS => 400_000_000,
        _ => 900_000_000,
    }
}
/// Where there are no adjustments, all that may have been lost is a wake-up that died with its sender.
const SLICE_NS: i64 = 1_000_000_000;
/// Who is not among them.
const LONG_NS: i64 = 60_000_000_000;
/// One look in this time is enough for all sleepers of a set.
const LOOK_MS: u64 = 15;
/// How often it is asked whether those who look are alive themselves, and whether a wake-up was lost.
const RARELY_MS: u64 = 500;

/// A thread's wait for a set.
pub type Wait = wait::Wait<Waiting>;

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The operations have been done, or cannot be.
    Done(Result<()>),
    /// To try again: something has changed.
    Again,
    /// EIDRM.
    Removed,
    /// A handler ran.
    Interrupted,
    /// The deadline has passed.
    TimedOut,
    /// The memory contradicts itself.
    Corrupt,
}

/// What a sleeping thread knows of its place in the set.
pub struct Waiting {
    /// Its cell.
    pub cell: u32,
    #[allow(missing_docs)]
    pub seq: u64,
}

impl Sleeper for Waiting {
    type Outcome = Outcome;
    /// semop is no cancellation point (pthreads(7)).
    const CANCELLABLE: bool = false;

    fn slice_ns(&self, object: &Ref) -> i64 {
        let set = Set::of(object);
        match set.rank(self.cell) {
            None => LONG_NS,
            Some(rank) if set.head().adjusted.get() != 0 => watch_ns(rank),
            Some(_) => SLICE_NS,
        }
    }

    fn look_round(&self, object: &Ref, ns: &'static Namespace, me: u64) {
        let set = Set::of(object);
        let looked = &set.head().looked_ms;
        let now = clock::monotonic_ms();
        let last = looked.get();
        if now.wrapping_sub(last) < LOOK_MS {
            return;
        }
        looked.set(now);
        let rarely = now / RARELY_MS != last / RARELY_MS;
        if rarely {
            set.wake_forgotten();
        }
        if let Ok(mut locked) = Locked::acquire(object, ns, me) {
            let _ = locked.attempt(&mut |locked| {
                let (set, mut cx) = locked.context().map_err(|_| Corrupt)?;
                if rarely {
                    set.bury_watchers(&mut cx)?;
                }
                if (rarely || set.misses_somebody(&mut cx)?) && set.reap_all(&mut cx)? {
                    set.serve_all(&mut cx)?;
                }
                Ok(())
            });
        }
    }

    fn settle(&self, object: &Ref, ns: &'static Namespace, me: u64, why: Why) -> Outcome {
        Locked::acquire(object, ns, me)
            .and_then(|locked| {
                let outcome = self.settle_locked(&locked.shared, me, why)?;
                locked.check().map(|()| outcome)
            })
            .unwrap_or(Outcome::Corrupt)
    }
}

impl Waiting {
    fn settle_locked(&self, set: &Set<'_>, me: u64, why: Why) -> Checked<Outcome> {
        let waiter = set.waiter(self.cell)?;
        if waiter.token.get() != me || waiter.seq.get() != self.seq {
            return Err(Corrupt);
        }
        // SYNC: waiter state (acquire side)
        let outcome = match waiter.state.atomic().load(Acquire) {
            waiting::AWAKE | waiting::ASLEEP => {
                set.unlink(waiter)?;
                match why {
                    Why::Woken | Why::Cancelled => Outcome::Again,
                    Why::TimedOut => Outcome::TimedOut,
                    Why::Signal(_) => Outcome::Interrupted,
                }
            }
            waiting::DONE => Outcome::Done(Ok(())),
            waiting::FAILED => {
                let known = [Errno::EAGAIN, Errno::ENOMEM, Errno::ERANGE];
                let errno = known.into_iter().find(|e| e.raw() as u32 == waiter.count());
                Outcome::Done(Err(errno.ok_or(Corrupt)?))
            }
            waiting::RETRY => Outcome::Again,
            waiting::REMOVED => Outcome::Removed,
            _ => return Err(Corrupt),
        };
        set.waiter_free(self.cell)?;
        Ok(outcome)
    }
}
