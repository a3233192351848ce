//! POSIX message queues: mq_overview(7).

pub use super::notify::notify;
pub use super::transfer::{receive, send};

use super::descriptor;
use super::name;
use super::queue_file;
use crate::cred::{self, Cred};
use crate::errno::{Errno, Result};
use crate::limits::{self, Limit};
use crate::namespace::{self, lifeline, Namespace};
use crate::perm::{self, Perm};
use crate::queue::guard::Locked;
use crate::queue::layout::*;
use crate::region::header::ObjectKind;
use crate::region::object::Geometry;
use crate::region::{Plain, NIL};
use crate::sync::section::Section;
use crate::sys::{clock, file};
use crate::user::{In, Out};
use core::ffi::{c_char, c_int, c_long};
use libc::{mode_t, mq_attr, mqd_t};

/// A queue made without attributes (mq_overview(7): mq_default...).
const DEFAULT_MESSAGES: u32 = 10;
const DEFAULT_BYTES: u32 = 8192;

/// Opens or makes the queue `name`; `mode` and `attr` count only with O_CREAT.
/// EACCES, EEXIST, EFAULT, EINVAL, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOSPC. mq_open(3)
pub fn open(name: In<c_char>, oflag: c_int, mode: mode_t, attr: In<mq_attr>) -> Result<c_int> {
    name::check_slash(name)?;
    let create = oflag & libc::O_CREAT != 0;
    // The kernel copies the attributes before it looks at the rest of the name.
    let attr = if create && !attr.is_null() { Some(attr.read()?) } else { None };
    let path = name::path("mq", name)?;
    let ns = namespace::current()?;
    let _section = Section::enter()?;
    lifeline::my_token(ns)?;
    let mut opened = Err(Errno::EAGAIN);
    // A queue may be unlinked and made again between any two steps.
    for _ in 0..1000 {
        opened = match open_existing(ns, path.as_cstr(), oflag) {
            Err(Errno::ENOENT) if create => make(ns, path.as_cstr(), oflag, mode, attr.as_ref()),
            other => other,
        };
        if !create || opened != Err(Errno::EEXIST) || oflag & libc::O_EXCL != 0 {
            break;
        }
    }
    let fd = opened?;
    if oflag & libc::O_PATH != 0 {
        make_blind(ns, path.as_cstr(), fd)?;
    }
    Ok(fd)
}

/// O_PATH (open(2)): a descriptor that refers to the queue but serves no operation.
fn make_blind(ns: &Namespace, path: &core::ffi::CStr, fd: c_int) -> Result<()> {
    let blind = file::open_at(ns.dir()?, path, libc::O_PATH | libc::O_NOFOLLOW, 0)?;
    file::replace(blind.raw(), fd, true)
}

fn open_flags(oflag: c_int) -> c_int {
    libc::O_RDWR
        | libc::O_NOFOLLOW
        | libc::O_NOCTTY
        | descriptor::marks(oflag & libc::O_ACCMODE)
        | (oflag & libc::O_NONBLOCK)
}

fn open_existing(ns: &Namespace, path: &core::ffi::CStr, oflag: c_int) -> Result<c_int> {
    let dir = ns.dir()?;
    let exclusive = libc::O_CREAT | libc::O_EXCL;
    if oflag & exclusive == exclusive || oflag & libc::O_ACCMODE == 3 {
        file::stat_at(dir, path)?;
        return Err(if oflag & exclusive == exclusive { Errno::EEXIST } else { Errno::EINVAL });
    }
    let fd = match file::open_at(dir, path, open_flags(oflag), 0) {
        Ok(fd) => fd,
        Err(Errno::ELOOP | Errno::ENXIO | Errno::EISDIR | Errno::ENODEV) => return Err(Errno::EINVAL),
        Err(e) => return Err(e),
    };
    check_access(&queue_file::look(fd.raw())?, &cred::current()?, oflag)?;
    install(fd, oflag)
}

/// The check that the kernel makes of a file of that mode (Linux: inode_permission).
fn check_access(perm: &Perm, cred: &Cred, oflag: c_int) -> Result<()> {
    let wanted = match oflag & libc::O_ACCMODE {
        libc::O_RDONLY => perm::READ,
        libc::O_WRONLY => perm::WRITE,
        _ => perm::READ | perm::WRITE,
    };
    let shift = if cred.euid == perm.uid {
        6
    } else if cred.in_group(perm.gid) {
        3
    } else {
        0
    };
    if wanted & !(perm.mode >> shift) != 0 && !cred.capable(cred::CAP_DAC_OVERRIDE) {
        return Err(Errno::EACCES);
    }
    Ok(())
}

fn install(fd: file::Fd, oflag: c_int) -> Result<c_int> {
    if oflag & libc::O_PATH != 0 {
        return Ok(fd.into_raw());
    }
    if oflag & libc::O_DIRECT != 0 {
        // A queue's file has no direct I/O; Linux, too, says so after making the queue.
        return Err(Errno::EINVAL);
    }
    descriptor::opened(fd.raw());
    Ok(fd.into_raw())
}

/// The numbers of messages and bytes that the attributes ask for. EINVAL.
fn measures(ns: &Namespace, attr: Option<&mq_attr>) -> Result<(u32, u32)> {
    let (most, largest) = (limits::get(ns, Limit::MqMsgMax), limits::get(ns, Limit::MqMsgSizeMax));
    let Some(attr) = attr else {
        return Ok((DEFAULT_MESSAGES.min(most as u32), DEFAULT_BYTES.min(largest as u32)));
    };
    let messages = u64::try_from(attr.mq_maxmsg).ok().filter(|n| (1..=most).contains(n));
    let bytes = u64::try_from(attr.mq_msgsize).ok().filter(|n| (1..=largest).contains(n));
    match (messages, bytes) {
        (Some(messages), Some(bytes)) => Ok((messages as u32, bytes as u32)),
        _ => Err(Errno::EINVAL),
    }
}

/// Makes the queue whole, without a name, and then gives it its name. EEXIST: somebody was quicker.
fn make(
    ns: &Namespace,
    path: &core::ffi::CStr,
    oflag: c_int,
    mode: mode_t,
    attr: Option<&mq_attr>,
) -> Result<c_int> {
    let (messages, bytes) = measures(ns, attr)?;
    let dir = ns.dir()?;
    let flags = open_flags(oflag) & !libc::O_NOFOLLOW;
    // By a descriptor with O_APPEND nothing can be written at the beginning: pwrite(2).
    let fd = file::open_at(dir, c"mq", libc::O_TMPFILE | flags & !libc::O_APPEND, mode & 0o777)?;
    let cred = cred::current()?;
    // The kernel has taken the umask off the mode.
    let st = file::stat(fd.raw())?;
    let perm = Perm { uid: cred.euid, gid: st.gid, cuid: cred.euid, cgid: st.gid, mode: st.mode & 0o777 };
    let geometry = queue_file::geometry(messages, bytes);
    let no_room = |_| Errno::ENOSPC;
    file::set_len(fd.raw(), queue_file::len(&geometry)).map_err(no_room)?;
    let reserved = geometry.cells_at + messages as u64 * geometry.cell_bytes;
    reserve_beginning(fd.raw(), reserved).map_err(no_room)?;
    if perm::file_mode(perm.mode) != perm.mode {
        file::set_mode(fd.raw(), perm::file_mode(perm.mode))?;
    }
    write_beginning(fd.raw(), &geometry, &perm)?;
    if flags & libc::O_APPEND != 0 {
        file::control(fd.raw(), libc::F_SETFL, flags as usize)?;
    }
    file::link_unnamed(fd.raw(), dir, path)?;
    install(fd, oflag)
}

/// Writes what is not zero in the file of a new queue.
fn write_beginning(fd: c_int, geometry: &Geometry, perm: &Perm) -> Result<()> {
    let mut head = QueueHeader::zeroed();
    head.common.initialise(ObjectKind::Mq, 0, perm, clock::now_s());
    head.max_messages.set(geometry.max_messages);
    head.message_bytes.set(geometry.message_bytes);
    head.backed.set(geometry.max_messages);
    head.clear_lists();
    file::write_at(fd, head.bytes(), 0)?;
    // The key table: no chain begins in any of its buckets.
    static EMPTY: [u8; 1024] = [0xff; 1024];
    const { assert!(NIL == u32::MAX) };
    let (mut at, end) = (NODES_AT as u64, NODES_AT as u64 + (4 << geometry.table_bits));
    while at < end {
        let len = (end - at).min(EMPTY.len() as u64);
        file::write_at(fd, &EMPTY[..len as usize], at)?;
        at += len;
    }
    Ok(())
}

/// Closes a descriptor, as close(2) does: the caller closes it. mq_close(3)
pub fn close(fd: mqd_t) -> Result<()> {
    if !crate::fd::before_close(fd) {
        return Err(Errno::EBADF);
    }
    // SAFETY: the program closes its own descriptor.
    unsafe { crate::sys::raw::syscall6(libc::SYS_close, [fd as usize, 0, 0, 0, 0, 0]) }.map(|_| ())
}

/// Removes a name; the queue lives on while it is open somewhere.
/// EACCES, EFAULT, EINVAL, ENAMETOOLONG, ENOENT. mq_unlink(3)
pub fn unlink(name: In<c_char>) -> Result<()> {
    let ns = namespace::current()?;
    unlink_in(ns, name)
}

/// As [`unlink`], in a given namespace.
pub fn unlink_in(ns: &Namespace, name: In<c_char>) -> Result<()> {
    let path = name::path("mq", name)?;
    let _section = Section::enter()?;
    file::unlink_at(ns.dir()?, path.as_cstr(), 0).map_err(|e| match e {
        // POSIX names only EACCES; glibc does the same.
        Errno::EPERM | Errno::EISDIR => Errno::EACCES,
        e => e,
    })
}

/// Gets the attributes and sets O_NONBLOCK; either pointer may be null.
/// EBADF, EFAULT, EINVAL. mq_getattr(3), mq_setattr(3)
pub fn attributes(fd: mqd_t, new: In<mq_attr>, old: Out<mq_attr>) -> Result<()> {
    let wanted = if new.is_null() { None } else { Some(new.read()?.mq_flags) };
    if wanted.is_some_and(|flags| flags & !(libc::O_NONBLOCK as c_long) != 0) {
        return Err(Errno::EINVAL);
    }
    let ns = namespace::current()?;
    let section = Section::enter()?;
    let me = lifeline::my_token(ns)?;
    let object = descriptor::find(fd)?;
    let flags = descriptor::flags(&object)?;
    // SAFETY: all-zero is a valid structure.
    let mut attr: mq_attr = unsafe { core::mem::zeroed() };
    attr.mq_flags = flags as c_long;
    attr.mq_maxmsg = object.geometry().max_messages as c_long;
    attr.mq_msgsize = object.geometry().message_bytes as c_long;
    {
        let mut locked = Locked::acquire(&object, ns, me).map_err(|_| Errno::EBADMSG)?;
        if locked.shared.head().assigned.get() != 0 {
            locked.sweep().map_err(|_| Errno::EBADMSG)?;
        }
        attr.mq_curmsgs = locked.shared.head().count.get() as c_long;
    }
    if let Some(wanted) = wanted {
        descriptor::set_flags(&object, wanted as c_int)?;
    }
    drop(object);
    drop(section);
    if !old.is_null() {
        old.write(&attr)?;
    }
    Ok(())
}
