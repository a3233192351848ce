//! System V IPC.

pub mod control;
pub mod msg;
pub mod msgctl;
pub mod object;
