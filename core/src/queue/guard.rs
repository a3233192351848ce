//! A queue with its lock held.

use super::index::Match;
use super::waiters::Wakes;
use super::{Checked, Queue};
use crate::namespace::Namespace;
use crate::posix::poll;
use crate::region::header::Header;
use crate::region::object::Ref;
use crate::sync::guard::{self, Shared};

/// The lock of a queue, held.
pub type Locked<'r> = guard::Locked<'r, Queue<'r>>;

impl<'r> Shared<'r> for Queue<'r> {
    #[inline(always)]
    fn of(object: &'r Ref) -> Queue<'r> {
        Queue::of(object)
    }
    #[inline(always)]
    fn common(&self) -> &'r Header {
        &self.head().common
    }
    fn repair(&self, object: &'r Ref, ns: &'static Namespace, wakes: &mut Wakes<'r>) -> Checked<()> {
        let repaired = self.recover(ns, wakes);
        // Whoever died may have changed the queue and not yet its FIFO.
        poll::keep_in_step(ns, object, self, None);
        repaired
    }
}

impl<'r> Locked<'r> {
    /// The message that a receiver gets, or NIL. What was assigned to a receiver who was killed before he fetched it is
    /// back first: it comes before those that were sent later.
    pub fn first(&mut self, how: Match) -> Checked<u32> {
        if self.shared.head().assigned.get() != 0 {
            self.sweep()?;
        }
        self.shared.find(how)
    }

    /// Gives messages back that were assigned to waiters who were killed before they fetched them.
    #[cold]
    #[inline(never)]
    pub fn sweep(&mut self) -> Checked<bool> {
        if !self.shared.has_dead_waiter(self.ns) {
            return Ok(false);
        }
        self.repair()?;
        Ok(true)
    }
}
