//! POSIX shared memory objects: shm_overview(7). Plain files, whose descriptors are the kernel's.

use super::{descriptor, name};
use crate::errno::{Errno, Result};
use crate::namespace::Namespace;
use crate::sys::file;
use crate::user::In;
use core::ffi::{c_char, c_int};
use libc::mode_t;

/// The room and the names of shared memory objects.
const FILES: name::Files = name::Files { room: "pshm", prefix: 0 };

/// Opens or makes the object `name`, by the flags and the mode of open(2).
/// EACCES, EEXIST, EFAULT, EINVAL, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOSPC. shm_open(3)
pub fn open(name: In<c_char>, oflag: c_int, mode: mode_t) -> Result<c_int> {
    name::on_file(&FILES, name, Errno::EINVAL, &|ns, path| {
        match file::open_at(ns.dir()?, path, oflag | libc::O_NOFOLLOW, mode) {
            Ok(fd) => {
                descriptor::reused(fd.raw());
                Ok(fd.into_raw() as usize)
            }
            // As glibc says it: POSIX knows no directories here.
            Err(Errno::EISDIR) => Err(Errno::EINVAL),
            Err(e) => Err(e),
        }
    })
    .map(|fd| fd as c_int)
}

/// Removes a name; the memory lives on while it is open or mapped somewhere.
/// EACCES, EFAULT, ENAMETOOLONG, ENOENT. shm_unlink(3)
pub fn unlink(name: In<c_char>) -> Result<()> {
    name::on_file(&FILES, name, Errno::ENOENT, &|ns, path| name::remove(ns, path)).map(|_| ())
}

/// As [`unlink`], in a given namespace.
pub fn unlink_in(ns: &Namespace, name: In<c_char>) -> Result<()> {
    name::remove(ns, name::file_path(&FILES, name, Errno::ENOENT)?.as_cstr()).map(|_| ())
}
