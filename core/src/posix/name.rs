//! Names of POSIX objects: a slash, and then none (mq_overview(7), sem_overview(7), shm_overview(7)).

use crate::errno::{Errno, Result};
use crate::text::Text;
use crate::user::In;
use core::ffi::{c_char, CStr};

/// NAME_MAX: bytes in a name after its slash.
const NAME_MAX: usize = 255;

/// A path inside the namespace.
pub type NamePath = Text<288>;

/// EINVAL unless the name begins with a slash (this much glibc checks itself); EFAULT.
pub fn check_slash(name: In<c_char>) -> Result<()> {
    if name.read()? as u8 != b'/' {
        return Err(Errno::EINVAL);
    }
    Ok(())
}

/// `<room>/<name>` for the name that the program passed.
/// EFAULT; EINVAL: no slash in front; ENOENT: nothing behind it; EACCES: another slash, `.`, `..`;
/// ENAMETOOLONG. In the order in which glibc and Linux (ipc/mqueue.c, fs/namei.c) check.
pub fn path(room: &str, name: In<c_char>) -> Result<NamePath> {
    check_slash(name)?;
    // SAFETY: the C caller's contract: a NUL-terminated string; its start was just read.
    let name = &unsafe { CStr::from_ptr(name.addr() as *const c_char) }.to_bytes()[1..];
    if name.is_empty() {
        return Err(Errno::ENOENT);
    }
    if name.len() >= libc::PATH_MAX as usize {
        return Err(Errno::ENAMETOOLONG);
    }
    if name == b"." || name == b".." || name.contains(&b'/') {
        return Err(Errno::EACCES);
    }
    if name.len() > NAME_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    let mut path = NamePath::new();
    path.push(room.as_bytes()).push(b"/").push(name);
    Ok(path)
}

/// `<room>/<name>` for the name of a semaphore or shared memory object, by glibc's rules: any number
/// of slashes in front, none behind. glibc's own file has a `prefix` of so many bytes in its name,
/// which counts here too, so that the same names are too long.
/// EFAULT; `no_name` (EINVAL to open, ENOENT to remove): empty, a slash inside, or far too long;
/// ENAMETOOLONG. glibc 2.36: posix/shm-directory.c
pub fn file_path(room: &str, prefix: usize, name: In<c_char>, no_name: Errno) -> Result<NamePath> {
    name.read()?;
    // SAFETY: the C caller's contract: a NUL-terminated string; its start was just read.
    let name = unsafe { CStr::from_ptr(name.addr() as *const c_char) }.to_bytes();
    let slashes = name.iter().take_while(|c| **c == b'/').count();
    let name = &name[slashes..];
    // glibc's buffer has room for the longest name with the longest prefix, "sem.".
    if name.is_empty() || name.contains(&b'/') || prefix + name.len() > NAME_MAX + 4 {
        return Err(no_name);
    }
    if prefix + name.len() > NAME_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    let mut path = NamePath::new();
    path.push(room.as_bytes()).push(b"/").push(name);
    Ok(path)
}
