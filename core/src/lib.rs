//! The semantics of usipc: System V and POSIX IPC in user space, out of shared memory, atomics and
//! futexes. The C ABI is the crate `usipc`; see docs/ARCHITECTURE.md for how it all fits.
//!
//! No std: the library lives in other people's processes, where it must be small, start quickly,
//! and allocate nothing on any path that a signal handler may take.
#![no_std]
// A refusal carries its path: there is no allocator to box it with.
#![allow(clippy::result_large_err)]

pub mod cred;
pub mod entry;
pub mod errno;
pub mod fd;
pub mod inspect;
pub mod ipc;
pub mod likely;
pub mod limits;
pub mod namespace;
pub mod perm;
pub mod posix;
pub mod process;
pub mod queue;
pub mod region;
pub mod semset;
pub mod signal;
pub mod sync;
pub mod sys;
pub mod sysv;
pub mod text;
pub mod user;

#[cfg(loom)]
pub mod model;

#[cfg(test)]
extern crate std;
