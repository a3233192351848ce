//! Names of POSIX objects: a slash, and then none (mq_overview(7), sem_overview(7), shm_overview(7)).

use crate::errno::{Errno, Result};
use crate::namespace::{self, lifeline, Namespace};
use crate::sync::section::Section;
use crate::sys::{cancel, file};
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

/// Where the C library would keep a kind of POSIX object, as files.
pub struct Files {
    /// The room that they have here.
    pub room: &'static str,
    /// Bytes that glibc puts in front of the name, which count when it looks whether one is too long.
    pub prefix: usize,
}

/// `<room>/<name>` for the name of a semaphore or shared memory object, by glibc's rules: any number
/// of slashes in front, none behind.
/// EFAULT; `no_name` (EINVAL to open, ENOENT to remove): empty, a slash inside, or far too long;
/// ENAMETOOLONG. glibc 2.36: posix/shm-directory.c
pub fn file_path(files: &Files, name: In<c_char>, no_name: Errno) -> Result<NamePath> {
    let mut buf = [0; libc::PATH_MAX as usize];
    let name = match name.read_string(&mut buf) {
        Err(Errno::ENAMETOOLONG) => return Err(no_name),
        name => name?,
    };
    let slashes = name.iter().take_while(|c| **c == b'/').count();
    let name = &name[slashes..];
    let len = files.prefix + name.len();
    // glibc's buffer has room for the longest name with the longest prefix, "sem.". With that, the
    // two directories are names to glibc like any other; here they cannot be.
    let directory = files.prefix != 0 && (name == b"." || name == b"..");
    if name.is_empty() || name.contains(&b'/') || len > NAME_MAX + 4 || directory {
        return Err(no_name);
    }
    if len > NAME_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    let mut path = NamePath::new();
    path.push(files.room.as_bytes()).push(b"/").push(name);
    Ok(path)
}

/// Runs `body` with the path of an object in this process's namespace, in which the process is
/// registered: inside a section, and without being cancelled. Not generic, since it has several
/// callers, and none is in a hurry.
pub fn on_file(
    files: &Files,
    name: In<c_char>,
    no_name: Errno,
    body: &dyn Fn(&'static Namespace, &CStr) -> Result<usize>,
) -> Result<usize> {
    let path = file_path(files, name, no_name)?;
    cancel::put_off(&|| {
        let ns = namespace::current()?;
        let _section = Section::enter()?;
        lifeline::my_token(ns)?;
        body(ns, path.as_cstr())
    })
}

/// Removes the file of an object, as glibc does.
pub fn remove(ns: &Namespace, path: &CStr) -> Result<usize> {
    match file::unlink_at(ns.dir()?, path, 0) {
        // POSIX names only EACCES.
        Err(Errno::EPERM) => Err(Errno::EACCES),
        other => other.map(|()| 0),
    }
}
