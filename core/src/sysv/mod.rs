//! System V IPC.

pub mod attached;
pub mod control;
pub mod msg;
pub mod msgctl;
pub mod msgop;
pub mod object;
pub mod segment;
pub mod sem;
pub mod semctl;
pub mod semop;
pub mod shm;
pub mod shmctl;
