//! A queue with its lock held.

use super::waiters::Wakes;
use super::{Checked, Queue};
use crate::namespace::Namespace;
use crate::posix::poll;
use crate::region::object::Ref;
use crate::sync::lock::Got;

/// The lock, held until dropped; then those who are to be woken are woken.
pub struct Locked<'r> {
    /// The queue.
    pub queue: Queue<'r>,
    /// Whom to wake when the lock is released.
    pub wakes: Wakes<'r>,
    ns: &'static Namespace,
    object: &'r Ref,
}

impl<'r> Locked<'r> {
    /// Takes the lock, and repairs the queue if its last holder died over it.
    /// Corrupt when that cannot be done. The caller is inside a section.
    #[inline]
    pub fn acquire(object: &'r Ref, ns: &'static Namespace, me: u64) -> Checked<Locked<'r>> {
        let queue = Queue::of(object);
        let got = queue.head().common.lock.acquire(ns, me);
        let mut locked = Locked { queue, wakes: Wakes::default(), ns, object };
        if got == Got::Stolen || queue.head().broken.get() != 0 {
            locked.repair()?;
        }
        Ok(locked)
    }

    /// Makes the derived data anew.
    #[cold]
    pub fn repair(&mut self) -> Checked<()> {
        let repaired = self.queue.recover(self.ns, &mut self.wakes);
        // Whoever died may have changed the queue and not yet its FIFO.
        poll::keep_in_step(self.ns, self.object, &self.queue, usize::MAX);
        repaired
    }

    /// Runs `body`, and once more after a repair when it finds the queue in disorder.
    #[inline]
    pub fn attempt<T>(&mut self, body: &mut dyn FnMut(&mut Locked<'r>) -> Checked<T>) -> Checked<T> {
        match body(self) {
            Ok(value) => Ok(value),
            Err(_) => {
                self.repair()?;
                body(self)
            }
        }
    }

    /// Gives messages back that were assigned to waiters who were killed before they fetched them.
    #[cold]
    pub fn sweep(&mut self) -> Checked<bool> {
        if !self.queue.has_dead_waiter(self.ns) {
            return Ok(false);
        }
        self.repair()?;
        Ok(true)
    }
}

impl Drop for Locked<'_> {
    #[inline]
    fn drop(&mut self) {
        self.queue.head().common.lock.release();
        self.wakes.wake();
    }
}
