//! Names of POSIX objects: a slash, and then none (mq_overview(7)).

use crate::errno::{Errno, Result};
use crate::text::Text;
use crate::user::In;
use core::ffi::c_char;

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
    let mut buf = [0; libc::PATH_MAX as usize];
    let name = name.offset::<c_char>(1).read_string(&mut buf)?;
    if name.is_empty() {
        return Err(Errno::ENOENT);
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
