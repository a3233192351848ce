//! POSIX shared memory objects: shm_overview(7). Plain files, whose descriptors are the kernel's.

use super::{descriptor, name};
use crate::errno::{Errno, Result};
use crate::namespace::{self, lifeline, Namespace};
use crate::sync::section::Section;
use crate::sys::{cancel, file};
use crate::user::In;
use core::ffi::{c_char, c_int};
use libc::mode_t;

/// Opens or makes the object `name`, by the flags and the mode of open(2).
/// EACCES, EEXIST, EFAULT, EINVAL, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOSPC. shm_open(3)
pub fn open(name: In<c_char>, oflag: c_int, mode: mode_t) -> Result<c_int> {
    let path = name::file_path("pshm", 0, name, Errno::EINVAL)?;
    cancel::put_off(|| {
        let ns = namespace::current()?;
        let _section = Section::enter()?;
        lifeline::my_token(ns)?;
        match file::open_at(ns.dir()?, path.as_cstr(), oflag | libc::O_NOFOLLOW, mode) {
            Ok(fd) => {
                descriptor::reused(fd.raw());
                Ok(fd.into_raw())
            }
            // As glibc says it: POSIX knows no directories here.
            Err(Errno::EISDIR) => Err(Errno::EINVAL),
            Err(e) => Err(e),
        }
    })
}

/// Removes a name; the memory lives on while it is open or mapped somewhere.
/// EACCES, EFAULT, ENAMETOOLONG, ENOENT. shm_unlink(3)
pub fn unlink(name: In<c_char>) -> Result<()> {
    cancel::put_off(|| unlink_in(namespace::current()?, name))
}

/// As [`unlink`], in a given namespace.
pub fn unlink_in(ns: &Namespace, name: In<c_char>) -> Result<()> {
    remove(ns, name::file_path("pshm", 0, name, Errno::ENOENT)?)
}

/// Removes the file of an object.
pub(super) fn remove(ns: &Namespace, path: name::NamePath) -> Result<()> {
    let _section = Section::enter()?;
    file::unlink_at(ns.dir()?, path.as_cstr(), 0).map_err(|e| match e {
        // POSIX names only EACCES; glibc does the same.
        Errno::EPERM => Errno::EACCES,
        e => e,
    })
}
