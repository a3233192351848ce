//! Atomics of the layout of the real ones, which may lie anywhere in memory.
//!
//! Under loom the memory itself is never written: it holds the value with which an execution begins, and
//! loom's own atomic, looked up by address, holds the rest. So every execution begins from the same state.
//! Who touches an atomic first brings loom's into being; loom objects if another thread touches it without having
//! synchronised with that. What threads touch without a lock is therefore touched by the model first ([`known`]).
//!
//! loom treats SeqCst as AcqRel, but for fences; the code that is modelled has SeqCst fences alone.

use super::{step, Step};
use core::marker::PhantomData;
use core::sync::atomic;
pub use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU16, AtomicU8, Ordering};
use std::boxed::Box;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::vec::Vec;

/// As the real one, which only a plain execution and shuttle's (where one thread runs at a time) need.
pub fn fence(order: Ordering) {
    match step() {
        Step::Loom => loom::sync::atomic::fence(order),
        _ => atomic::fence(order),
    }
}

macro_rules! atomic {
    ($name:ident, $int:ty, $cells:ident) => {
        /// See the module.
        #[repr(transparent)]
        #[derive(Default)]
        pub struct $name(atomic::$name);

        std::thread_local! {
            static $cells: RefCell<HashMap<usize, Rc<loom::sync::atomic::$name>>> = RefCell::default();
        }

        #[allow(missing_docs)]
        impl $name {
            pub const fn new(value: $int) -> Self {
                Self(atomic::$name::new(value))
            }
            pub const fn as_ptr(&self) -> *mut $int {
                self.0.as_ptr()
            }
            /// loom's atomic for this place.
            fn cell(&self) -> Rc<loom::sync::atomic::$name> {
                let begin = || Rc::new(loom::sync::atomic::$name::new(self.0.load(Ordering::Relaxed)));
                let at = super::checked(self.as_ptr() as usize);
                $cells.with_borrow_mut(|cells| cells.entry(at).or_insert_with(begin).clone())
            }
            pub fn load(&self, order: Ordering) -> $int {
                match step() {
                    Step::Loom => self.cell().load(order),
                    Step::Plain | Step::Dead => self.0.load(order),
                }
            }
            pub fn store(&self, value: $int, order: Ordering) {
                match step() {
                    Step::Loom => self.cell().store(value, order),
                    Step::Plain => self.0.store(value, order),
                    Step::Dead => {}
                }
            }
            pub fn compare_exchange(
                &self,
                old: $int,
                new: $int,
                order: Ordering,
                failed: Ordering,
            ) -> Result<$int, $int> {
                match step() {
                    Step::Loom => self.cell().compare_exchange(old, new, order, failed),
                    Step::Plain => self.0.compare_exchange(old, new, order, failed),
                    Step::Dead => Err(self.0.load(Ordering::Relaxed)),
                }
            }
            pub fn compare_exchange_weak(
                &self,
                old: $int,
                new: $int,
                order: Ordering,
                failed: Ordering,
            ) -> Result<$int, $int> {
                self.compare_exchange(old, new, order, failed)
            }
        }
        atomic!(@rmw $name, $int, swap fetch_add fetch_sub fetch_and fetch_or fetch_max);
    };
    (@rmw $name:ident, $int:ty, $($rmw:ident)*) => {
        #[allow(missing_docs)]
        impl $name {
            $(pub fn $rmw(&self, value: $int, order: Ordering) -> $int {
                match step() {
                    Step::Loom => self.cell().$rmw(value, order),
                    Step::Plain => self.0.$rmw(value, order),
                    Step::Dead => self.0.load(Ordering::Relaxed),
                }
            })*
        }
    };
}

atomic!(AtomicU32, u32, CELLS_U32);
atomic!(AtomicU64, u64, CELLS_U64);
atomic!(AtomicUsize, usize, CELLS_USIZE);

/// A pointer, as its address.
#[repr(transparent)]
pub struct AtomicPtr<T>(AtomicUsize, PhantomData<*mut T>);

// SAFETY: as core's.
unsafe impl<T> Sync for AtomicPtr<T> {}

#[allow(missing_docs)]
impl<T> AtomicPtr<T> {
    pub fn load(&self, order: Ordering) -> *mut T {
        self.0.load(order) as *mut T
    }
    pub fn store(&self, value: *mut T, order: Ordering) {
        self.0.store(value as usize, order)
    }
}

/// The value of a futex, which may be half of a 64-bit word, as the kernel finds it.
pub(super) fn value_of(futex: &AtomicU32, under_loom: bool) -> u32 {
    let at = futex.as_ptr() as usize;
    if !under_loom {
        return futex.0.load(Ordering::Relaxed);
    }
    let whole = CELLS_U64.with_borrow(|cells| cells.get(&(at & !7)).cloned());
    match whole {
        Some(cell) => (cell.load(Ordering::Relaxed) >> (at % 8 * 8)) as u32,
        None => futex.cell().load(Ordering::Relaxed),
    }
}

/// Memory is unmapped: for loom a store, so that it tries all orders of that and of other uses.
pub(super) fn end(range: core::ops::Range<usize>) {
    let cells: Vec<_> = CELLS_U32.with_borrow(|cells| {
        let inside = |(at, _): &(&usize, _)| range.contains(*at);
        cells.iter().filter(inside).map(|(_, cell)| cell.clone()).collect()
    });
    cells.iter().for_each(|cell| cell.store(0, Ordering::Relaxed));
}

/// An execution begins: nothing is known yet.
pub(super) fn forget() {
    CELLS_U32.with_borrow_mut(HashMap::clear);
    CELLS_U64.with_borrow_mut(HashMap::clear);
    CELLS_USIZE.with_borrow_mut(HashMap::clear);
}

/// Touches words that threads are going to use without a lock.
pub fn known(words: &[&dyn Known]) {
    words.iter().for_each(|word| word.touch());
}

/// A word of any size.
pub trait Known {
    /// Brings loom's atomic into being.
    fn touch(&self);
}

impl Known for AtomicU32 {
    fn touch(&self) {
        self.load(Ordering::Relaxed);
    }
}

impl Known for AtomicU64 {
    fn touch(&self) {
        self.load(Ordering::Relaxed);
    }
}

/// Not to be dropped while loom's execution is over.
pub(super) type Flag = Box<loom::sync::atomic::AtomicBool>;
