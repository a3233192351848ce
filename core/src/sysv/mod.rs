//! System V IPC.

pub mod msg;
pub mod msgctl;
pub mod object;
pub mod shm;
