//! POSIX IPC.

pub mod descriptor;
pub mod mqueue;
pub mod name;
pub mod notify;
pub mod poll;
pub mod queue_file;
pub mod sem;
pub mod shm;
mod transfer;
mod watcher;
