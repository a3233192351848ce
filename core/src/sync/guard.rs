//! An object with its lock held.

use super::wait::Wakes;
use crate::entry::Begun;
use crate::likely::unlikely;
use crate::namespace::Namespace;
use crate::region::header::Header;
use crate::region::object::Ref;
use crate::region::{Checked, Corrupt};

/// What lies behind the lock of one kind of object. Copyable: it borrows the mapping that a
/// reference keeps.
pub trait Shared<'r>: Copy {
    /// That of a mapped object.
    fn of(object: &'r Ref) -> Self;
    /// The common header.
    fn common(&self) -> &'r Header;
    /// Makes the derived data anew from the truth; Corrupt when that contradicts itself.
    fn repair(&self, object: &'r Ref, ns: &'static Namespace, wakes: &mut Wakes<'r>) -> Checked<()>;
}

/// The lock, held until dropped by one who finds nothing out of the ordinary. It is no more than an address,
/// so that all that is worked with meanwhile stays in registers; for everything else there is [`Locked`].
pub struct Brief<'r>(&'r Header);

impl<'r> Brief<'r> {
    /// Takes the lock of a call's object.
    #[inline(always)]
    pub fn hold(begun: &'r Begun) -> Self {
        let header = begun.object.header();
        header.help(begun.ns, begun.me);
        Brief(header)
    }
    /// Whether nothing has to be repaired first.
    #[inline(always)]
    pub fn is_sound(&self) -> bool {
        self.0.is_sound()
    }
    /// Whether the object's memory is there still, so that what has been read and written is so.
    #[inline(always)]
    pub fn is_there(&self) -> bool {
        self.0.is_there()
    }
    /// Goes, and leaves the lock to [`Locked::taken`].
    #[inline(always)]
    pub fn hand_on(self) {
        core::mem::forget(self);
    }
}

impl Drop for Brief<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.lock.leave();
    }
}

/// The lock, held until dropped; then those who are to be woken are woken.
pub struct Locked<'r, S: Shared<'r>> {
    /// What it guards.
    pub shared: S,
    /// Whom to wake when the lock is released.
    pub wakes: Wakes<'r>,
    /// The namespace.
    pub ns: &'static Namespace,
    object: &'r Ref,
}

impl<'r, S: Shared<'r>> Locked<'r, S> {
    /// Takes the lock, and repairs the object if its last holder died over it.
    /// Corrupt when that cannot be done. The caller is inside a section.
    pub fn acquire(object: &'r Ref, ns: &'static Namespace, me: u64) -> Checked<Self> {
        object.header().help(ns, me);
        let mut locked = Self::taken(object, ns);
        locked.ready()?;
        Ok(locked)
    }

    /// The lock that the caller has taken already. [`Locked::ready`] comes next.
    pub fn taken(object: &'r Ref, ns: &'static Namespace) -> Self {
        Locked { shared: S::of(object), wakes: Wakes::default(), ns, object }
    }

    /// Repairs the object if it needs it. Corrupt when that cannot be done.
    pub fn ready(&mut self) -> Checked<()> {
        if unlikely(self.shared.common().broken.get() != 0) {
            self.repair()?;
        }
        self.check()
    }

    /// Makes the derived data anew.
    #[cold]
    #[inline(never)]
    pub fn repair(&mut self) -> Checked<()> {
        self.check()?;
        self.shared.repair(self.object, self.ns, &mut self.wakes)
    }

    /// Corrupt when the object's memory has gone: then what was read was zeros, what was written is lost.
    #[inline(always)]
    pub fn check(&self) -> Checked<()> {
        Corrupt::unless(self.shared.common().is_there(), || ())
    }

    /// Runs `body`, and once more after a repair when it finds the object in disorder.
    pub fn attempt<T>(&mut self, body: &mut dyn FnMut(&mut Self) -> Checked<T>) -> Checked<T> {
        if let Ok(value) = body(self) {
            return self.check().map(|()| value);
        }
        self.repair()?;
        let value = body(self)?;
        self.check().map(|()| value)
    }
}

impl<'r, S: Shared<'r>> Drop for Locked<'r, S> {
    #[inline(always)]
    fn drop(&mut self) {
        self.shared.common().lock.release();
        self.wakes.wake();
    }
}
