//! Exclusion: against signal handlers of this thread, and against other threads and processes.

pub mod local;
pub mod lock;
pub mod section;
