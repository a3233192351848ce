//! An object with its lock held.

use super::wait::Wakes;
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
        let mut locked = Self::hold(S::of(object), object, ns, me);
        locked.ready()?;
        Ok(locked)
    }

    /// The first half of [`Locked::acquire`], for paths on which even to move it would be felt: [`Locked::ready`]
    /// comes next. `shared` is what lies in `object`.
    #[inline(always)]
    pub fn hold(shared: S, object: &'r Ref, ns: &'static Namespace, me: u64) -> Self {
        shared.common().help(ns, me);
        Locked { shared, wakes: Wakes::default(), ns, object }
    }

    /// Repairs the object if it needs it. Corrupt when that cannot be done.
    #[inline(always)]
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
    #[inline(always)]
    pub fn attempt<T>(&mut self, mut body: impl FnMut(&mut Self) -> Checked<T>) -> Checked<T> {
        let mut repaired = false;
        loop {
            match body(self) {
                Ok(value) => return self.check().map(|()| value),
                Err(Corrupt) if repaired => return Err(Corrupt),
                Err(Corrupt) => self.repair()?,
            }
            repaired = true;
        }
    }
}

impl<'r, S: Shared<'r>> Drop for Locked<'r, S> {
    #[inline(always)]
    fn drop(&mut self) {
        self.shared.common().lock.release();
        self.wakes.wake();
    }
}
