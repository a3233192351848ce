//! The token lock: one word in shared memory that says who holds it, so that a dead holder's lock
//! can be taken over.
//!
//! Word: high half the owner's generation, low half (the futex) the owner's slot + 1 and a bit
//! "somebody sleeps". 0: free. A sleeper wakes now and then and asks the lifeline whether the
//! holder lives; if not, it takes the lock over and must repair the object.

use crate::errno::Errno;
use crate::likely::unlikely;
use crate::namespace::{lifeline, Namespace};
use crate::region::W64;
use crate::sync::primitive::{fence, AtomicU32, AtomicU64, Ordering::*};
use crate::sys::{clock, futex};

/// Somebody sleeps.
const WAITERS: u64 = 1 << 31;
/// How long to sleep before looking whether the holder still lives: at first, and at most. It doubles each time, since a thousand
/// who look every few milliseconds leave no processor to a living holder, who is then waited for by all the more.
const FIRST_SLICE_NS: i64 = 5_000_000;
const LAST_SLICE_NS: i64 = 32 * FIRST_SLICE_NS;
/// Looks before sleeping: for as long as that takes.
const LOOKS: u32 = if cfg!(loom) { 1 } else { 36 };
/// Pauses, of 10 to 50 ns, before the first look: most sections are over by then.
const FIRST_PAUSES: u32 = if cfg!(loom) { 1 } else { 8 };
/// And before each of the others: the lock is in use all the time. Who is at work on the object has its memory at hand, and is to get
/// far before it changes processors; but he may soon have to wait for just this thread.
const PAUSES: u32 = if cfg!(loom) { 1 } else { 64 };

/// The lock word, in the object's header, and how often it was released.
#[repr(C, align(64))]
pub struct TokenLock {
    word: W64,
    turns: W64,
}

/// How the lock was got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    /// Released by its last holder: the object is in order.
    Clean,
    /// Taken over from a dead holder: the object must be repaired.
    Stolen,
}

impl TokenLock {
    fn word(&self) -> &AtomicU64 {
        self.word.atomic()
    }

    /// The half on which sleepers wait.
    fn futex(&self) -> &AtomicU32 {
        let low = if cfg!(target_endian = "little") { 0 } else { 1 };
        // SAFETY: both halves of an AtomicU64 are 4-aligned 32-bit words; the futex is only
        // compared by the kernel, never read here.
        unsafe { &*self.word().as_ptr().cast::<AtomicU32>().add(low) }
    }

    /// What `read` makes of that which the lock guards, if nobody had the lock meanwhile. It is to have no effects: what it
    /// reads may be of different moments, and then it is not used. `marks` tell of those who [`TokenLock::leave`].
    #[inline(always)]
    pub fn glance<M: PartialEq, T>(&self, marks: impl Fn() -> M, read: impl FnOnce() -> T) -> Option<T> {
        // SYNC: glance (acquire side)
        let before = (self.turns.get(), marks());
        // Who has set the last of these has left, too, and done all he did, if the lock is free.
        fence(Acquire);
        if unlikely(self.word().load(Acquire) != 0) {
            return None;
        }
        let seen = read();
        // Who has seen a later holder's store sees his word, too, or what he left.
        fence(Acquire);
        let undisturbed = self.word().load(Acquire) == 0 && (self.turns.get(), marks()) == before;
        undisturbed.then_some(seen)
    }

    /// Takes the lock in the name of `me`.
    #[inline(always)]
    pub fn acquire(&self, ns: &Namespace, me: u64) -> Got {
        // SYNC: object lock (acquire side)
        let got = match self.word().compare_exchange(0, me, Acquire, Relaxed) {
            Ok(_) => Got::Clean,
            Err(_) => self.acquire_slowly(ns, me),
        };
        // SYNC: glance (release side): nothing of what the holder stores is seen before his word. No instruction on x86.
        fence(Release);
        got
    }

    #[cold]
    #[inline(never)]
    fn acquire_slowly(&self, ns: &Namespace, me: u64) -> Got {
        for look in 0..LOOKS {
            (0..if look == 0 { FIRST_PAUSES } else { PAUSES }).for_each(|_| core::hint::spin_loop());
            if self.word().load(Relaxed) == 0 && self.word().compare_exchange(0, me, Acquire, Relaxed).is_ok()
            {
                return Got::Clean;
            }
        }
        let mut slice = FIRST_SLICE_NS;
        loop {
            let seen = self.word().load(Relaxed);
            // Having slept, or about to, we cannot know who else sleeps: keep the bit set.
            if seen == 0 {
                if self.word().compare_exchange(0, me | WAITERS, Acquire, Relaxed).is_ok() {
                    return Got::Clean;
                }
                continue;
            }
            if seen & WAITERS == 0
                && self.word().compare_exchange(seen, seen | WAITERS, Relaxed, Relaxed).is_err()
            {
                continue;
            }
            let seen = seen | WAITERS;
            let until = clock::sooner(None, slice);
            if futex::wait_until(self.futex(), seen as u32, &until) != Err(Errno::ETIMEDOUT) {
                continue;
            }
            if !lifeline::is_alive(ns, seen & !WAITERS)
                && self.word().compare_exchange(seen, me | WAITERS, Acquire, Relaxed).is_ok()
            {
                return Got::Stolen;
            }
            slice = LAST_SLICE_NS.min(2 * slice);
        }
    }

    /// Releases the lock if `me` has it.
    pub fn release_if(&self, me: u64) {
        if self.word().load(Relaxed) & !WAITERS == me {
            self.release();
        }
    }

    /// Releases the lock.
    #[inline(always)]
    pub fn release(&self) {
        // SYNC: glance (release side)
        self.turns.set(self.turns.get().wrapping_add(1));
        self.leave();
    }

    /// Releases the lock after a turn that has changed a mark of the object's own, or one word at most, so that it need not be
    /// counted: that would cost half a nanosecond.
    #[inline(always)]
    pub fn leave(&self) {
        // SYNC: object lock (release side)
        // A plain store, at a third of an exchange's cost. The mark of one who comes between the load and the store is lost; but
        // he finds, on his way to sleep, that the word is not what it was, and if this thread is kept from running just here,
        // he looks again by himself after a slice. In the models nobody does, so there it is the exchange.
        if cfg!(loom) || unlikely(self.word().load(Relaxed) & WAITERS != 0) {
            self.release_and_wake();
        } else {
            self.word().store(0, Release);
        }
    }

    #[cold]
    #[inline(never)]
    fn release_and_wake(&self) {
        if self.word().swap(0, Release) & WAITERS != 0 {
            futex::wake(self.futex(), 1);
        }
    }
}
