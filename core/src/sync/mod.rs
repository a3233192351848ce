//! Exclusion: against signal handlers of this thread, and against other threads and processes; and waiting.

pub mod guard;
pub mod local;
pub mod lock;
pub mod primitive;
pub mod section;
pub mod spin;
pub mod wait;
