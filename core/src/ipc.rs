//! ftok(3).

use crate::errno::Result;
use crate::sys::file;
use crate::user::In;
use core::ffi::{c_char, c_int};

/// A key from a file's inode and device numbers and eight bits of `proj_id`.
/// Errors: those of stat(2). ftok(3)
pub fn ftok(path: In<c_char>, proj_id: c_int) -> Result<libc::key_t> {
    let (dev, ino) = file::stat_follow(path.addr() as *const c_char)?;
    Ok(((proj_id as u32 & 0xff) << 24 | (dev as u32 & 0xff) << 16 | ino as u32 & 0xffff) as i32)
}
