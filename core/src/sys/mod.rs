//! The only code that enters the kernel.
//!
//! usipc's own files are opened, linked and removed by direct system calls, never through libc:
//! fakeroot and others wrap libc's calls, and fakeroot itself sends its messages through `msgsnd`,
//! so that the call would re-enter us (and `errno` stays untouched this way).

pub mod cancel;
pub mod clock;
pub mod copy;
pub mod cpu;
pub mod file;
pub mod futex;
pub mod map;
pub mod raw;
pub mod tls;
