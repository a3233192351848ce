//! The C ABI of usipc: libusipc.so, to be preloaded or linked with `-lusipc`, and libusipc.a.
//!
//! A module per C header. Every function here only converts: its arguments into the types of
//! [`usipc_core`], where the semantics are, and the result into a return value and `errno`, which
//! stays untouched on success. Three kinds of functions are exported:
//!
//! - the IPC calls themselves ([`ipc`], [`msg`], [`sem`], [`shm`], [`mqueue`], [`semaphore`],
//!   [`mman`]), which never reach libc's;
//! - those that install signal handlers ([`signal`]), since no handler may run while the library is
//!   inside a critical section;
//! - libc calls that change what the library caches or hides ([`unistd`]), wait for a descriptor
//!   ([`poll`]), or run another program ([`exec`]): these call core and then the next definition in the
//!   search order ([`next`]).
//!
//! All are plain `extern "C"`: a thread cancelled in one of them is unwound through it, and
//! `extern "C-unwind"` would make that an abort, as the crate is built with `panic=abort`. Symbols carry
//! no version, because a versioned definition is not preferred to libc's.
#![no_std]
// The contract of each function is that of the C function which it replaces, as its page states it.
#![allow(clippy::missing_safety_doc)]

pub mod exec;
pub mod ipc;
pub mod mman;
pub mod mqueue;
pub mod msg;
pub mod next;
pub mod poll;
pub mod sem;
pub mod semaphore;
pub mod shm;
pub mod signal;
pub mod unistd;

mod rt;
mod signatures;
