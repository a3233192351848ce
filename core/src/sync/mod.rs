//! Exclusion: against signal handlers of this thread, and against other threads and processes.

pub mod lock;
pub mod section;
