//! A set with its lock held.

use super::layout::SetHeader;
use super::recover;
use super::Set;
use crate::errno::Result;
use crate::namespace::{lifeline, lifeline::Token, watch, Namespace};
use crate::region::header::Header;
use crate::region::object::Ref;
use crate::region::{Checked, Corrupt};
use crate::sync::guard::{self, Shared};
use crate::sync::wait::Wakes;
use crate::sys::clock;

/// The lock of a set, held.
pub type Locked<'r> = guard::Locked<'r, Set<'r>>;

impl<'r> Shared<'r> for Set<'r> {
    #[inline(always)]
    fn of(object: &'r Ref) -> Set<'r> {
        Set::of(object)
    }
    #[inline(always)]
    fn common(&self) -> &'r Header {
        let head: &'r SetHeader = self.head();
        &head.common
    }
    fn repair(&self, _: &'r Ref, ns: &'static Namespace, wakes: &mut Wakes<'r>) -> Checked<()> {
        let mine = lifeline::my_undo_token(ns).map_err(|_| Corrupt)?;
        recover::recover(self, &mut Context::new(*self, ns, wakes, mine))
    }
}

/// What work on a locked set needs beside the set.
pub struct Context<'a, 'r> {
    /// Whom to wake when the lock is released.
    pub wakes: &'a mut Wakes<'r>,
    /// In whose name this process keeps adjustments.
    pub mine: Token,
    set: Set<'r>,
    ns: &'static Namespace,
    /// The process last seen alive.
    seen: Token,
    /// Whether there were adjustments when the work began.
    adjusted: bool,
}

impl<'a, 'r> Context<'a, 'r> {
    pub(super) fn new(set: Set<'r>, ns: &'static Namespace, wakes: &'a mut Wakes<'r>, mine: Token) -> Self {
        Context { wakes, mine, set, ns, seen: 0, adjusted: set.head().adjusted.get() != 0 }
    }

    /// Whether the process that has adjustments in the name of `token` lives: for every operation.
    pub fn lives(&mut self, token: Token) -> bool {
        token == self.mine || watch::is_seen_alive(self.ns, token) || self.lives_surely(token)
    }

    /// As [`Context::lives`], by its lifeline alone: for those who ask now and then.
    pub fn lives_surely(&mut self, token: Token) -> bool {
        if token != self.mine && token != self.seen {
            if !lifeline::is_process_alive(self.ns, token) {
                return false;
            }
            self.seen = token;
        }
        true
    }

    /// Whether the program that sleeps in the name of `token` is there.
    pub fn waits(&self, token: Token) -> bool {
        lifeline::is_alive(self.ns, token)
    }
}

impl Drop for Context<'_, '_> {
    fn drop(&mut self) {
        if !self.adjusted && self.set.head().adjusted.get() != 0 {
            // From now on the sleepers have to look after those who may be killed.
            self.set.nudge();
        }
    }
}

impl<'r> Locked<'r> {
    /// The set, and what work on it needs.
    pub fn context(&mut self) -> Result<(Set<'r>, Context<'_, 'r>)> {
        let mine = lifeline::my_undo_token(self.ns)?;
        Ok((self.shared, Context::new(self.shared, self.ns, &mut self.wakes, mine)))
    }
}

impl Set<'_> {
    /// Something has been done to a semaphore now.
    #[inline]
    pub fn stamp(&self) {
        let (otime, now_s) = (&self.head().otime, clock::now_s() as u64);
        // A line that all users of the set would else write to.
        if otime.get() != now_s {
            otime.set(now_s);
        }
    }
}
