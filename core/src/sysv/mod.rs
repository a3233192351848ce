//! System V IPC.

pub mod control;
pub mod msg;
pub mod msgctl;
pub mod object;
pub mod sem;
pub mod semctl;
pub mod shm;
