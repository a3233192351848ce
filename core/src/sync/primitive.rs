//! The atomics of this crate. Under `cfg(loom)` they are those of [`crate::model`], so that the models run
//! the real code; they have the same layout, so they may lie in mapped memory there, too.

#[cfg(not(loom))]
pub use core::sync::atomic::*;

#[cfg(loom)]
pub use crate::model::atomic::*;
