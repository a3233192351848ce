//! POSIX named semaphores: sem_overview(7).
//!
//! The file holds a `sem_t` of the C library's own, so that its sem_wait(3), sem_post(3) and so on
//! work on what [`open`] returns. What is done here is to find the file, to make it whole, and to
//! give out one address for it in a process, however often it is opened.

use super::name;
use crate::errno::{Errno, Result};
use crate::namespace::Namespace;
use crate::process;
use crate::sync::section::Section;
use crate::sys::{cancel, file, map};
use crate::user::In;
use core::ffi::{c_char, c_int, c_uint, CStr};
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::*};
use libc::{mode_t, sem_t};
use once_cell::race::OnceNonZeroUsize;

/// SEM_VALUE_MAX.
const VALUE_MAX: c_uint = c_int::MAX as c_uint;
/// Length of the file, and of the mapping.
const BYTES: usize = size_of::<sem_t>();
const _: () = assert!(BYTES.is_multiple_of(8) && align_of::<sem_t>() <= 8);
/// The room and the names of semaphores; glibc's files are called "sem.NAME".
const FILES: name::Files = name::Files { room: "psem", prefix: 4 };

/// A semaphore that this process has open. `count` is written last and makes the entry; 0 ends it.
/// So a child finds each entry whole or not at all, whatever another thread of its parent was doing.
struct Entry {
    count: AtomicU32,
    address: AtomicUsize,
    device: AtomicU64,
    inode: AtomicU64,
}

/// Mappings that a process may have (vm.max_map_count).
const ENTRIES: usize = 1 << 16;

/// The table; all that is done with it happens under `ProcessPage::sem_lock`.
static TABLE: OnceNonZeroUsize = OnceNonZeroUsize::new();
/// Entries beyond this were never used.
static USED: AtomicUsize = AtomicUsize::new(0);

fn table() -> Result<&'static [Entry]> {
    let new = || {
        let p = map::anonymous(ENTRIES * size_of::<Entry>())?;
        NonZeroUsize::new(p as usize).ok_or(Errno::ENOMEM)
    };
    TABLE.get_or_try_init(new).map(entries)
}

/// The entries of the table at an address that [`TABLE`] holds.
fn entries(table: NonZeroUsize) -> &'static [Entry] {
    // SAFETY: never unmapped; all-zero is a valid Entry, and its fields are atomics.
    unsafe { core::slice::from_raw_parts(table.get() as *const Entry, ENTRIES) }
}

/// Opens or makes the semaphore `name`; `mode` and `value` count only with O_CREAT, and of `oflag` only
/// that and O_EXCL. EACCES, EEXIST, EFAULT, EINVAL, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOMEM,
/// ENOSPC. sem_open(3)
pub fn open(name: In<c_char>, oflag: c_int, mode: mode_t, value: c_uint) -> Result<*mut sem_t> {
    let create = oflag & libc::O_CREAT != 0;
    name::on_file(&FILES, name, Errno::EINVAL, &|ns, path| {
        if create && oflag & libc::O_EXCL != 0 {
            return make(ns, path, mode, value);
        }
        let mut opened = Err(Errno::EAGAIN);
        // A semaphore may be unlinked and made again between any two steps.
        for _ in 0..1000 {
            opened = match open_existing(ns, path) {
                Err(Errno::ENOENT) if create => make(ns, path, mode, value),
                other => return other,
            };
            if opened != Err(Errno::EEXIST) {
                break;
            }
        }
        opened
    })
    .map(|address| address as *mut sem_t)
}

fn open_existing(ns: &Namespace, path: &CStr) -> Result<usize> {
    let fd = file::open_at(ns.dir()?, path, libc::O_RDWR | libc::O_NOFOLLOW | libc::O_NOCTTY, 0)?;
    let st = check(&fd)?;
    if st.allocated == 0 {
        // Sparse, so not of our making: writing to it must not raise SIGBUS.
        file::reserve(fd.raw(), 0, BYTES as u64)?;
    }
    enter(&fd, st.file)
}

/// ENODEV, EINVAL unless the file can be a semaphore.
fn check(fd: &file::Fd) -> Result<file::Stat> {
    let st = file::stat(fd.raw())?;
    if !st.is(libc::S_IFREG) {
        return Err(Errno::ENODEV);
    }
    if st.size < BYTES as u64 {
        return Err(Errno::EINVAL);
    }
    Ok(st)
}

/// The value of the semaphore in a file, and how many threads wait for it. EINVAL, ENODEV: it is none.
pub fn look(fd: &file::Fd) -> Result<(u32, u32)> {
    check(fd)?;
    // A copy: reading cannot raise SIGBUS, whatever becomes of the file meanwhile.
    let mut copy = [0u64; BYTES / 8];
    // SAFETY: all of it is plain bytes.
    let bytes = unsafe { core::slice::from_raw_parts_mut(copy.as_mut_ptr().cast::<u8>(), BYTES) };
    file::read_at(fd.raw(), bytes, 0)?;
    let mut value: c_int = 0;
    // SAFETY: as large and as aligned as a sem_t; the call only reads it.
    unsafe { libc::sem_getvalue(copy.as_mut_ptr().cast(), &mut value) };
    // On the machines that are served, glibc (struct new_sem) and musl (__val[1]) both have it here.
    Ok((value as u32, (copy[0] >> 32) as u32))
}

/// Makes the semaphore whole, without a name, and then gives it its name. EEXIST: somebody was quicker.
fn make(ns: &Namespace, path: &CStr, mode: mode_t, value: c_uint) -> Result<usize> {
    if value > VALUE_MAX {
        return Err(Errno::EINVAL);
    }
    let dir = ns.dir()?;
    // The kernel takes the umask off the mode, as it does for glibc.
    let fd = file::open_at(dir, c"psem", libc::O_TMPFILE | libc::O_RDWR, mode)?;
    file::set_len(fd.raw(), BYTES as u64)?;
    file::reserve(fd.raw(), 0, BYTES as u64)?;
    let sem = enter(&fd, file::stat(fd.raw())?.file)?;
    // SAFETY: a mapping of that length, which nobody else looks at before the file has its name; the
    // value has been checked, so that the call neither fails nor touches errno.
    unsafe { libc::sem_init(sem as *mut sem_t, 1, value) };
    file::link_unnamed(fd.raw(), dir, path).map(|()| sem).inspect_err(|_| _ = release(sem))
}

/// The address of the semaphore in the file `fd`, which is known by `id`, with one more reference.
/// The caller is inside a section.
fn enter(fd: &file::Fd, id: (u64, u64)) -> Result<usize> {
    let table = table()?;
    let _held = process::page()?.sem_lock.hold();
    let used = USED.load(Relaxed);
    let mut free = None;
    for entry in &table[..used] {
        let count = entry.count.load(Relaxed);
        if count == 0 {
            free = free.or(Some(entry));
        } else if (entry.device.load(Relaxed), entry.inode.load(Relaxed)) == id {
            entry.count.store(count.checked_add(1).ok_or(Errno::EMFILE)?, Relaxed);
            return Ok(entry.address.load(Relaxed));
        }
    }
    let entry = free.or(table.get(used)).ok_or(Errno::ENOMEM)?;
    let address = map::shared(fd.raw(), BYTES, libc::PROT_READ | libc::PROT_WRITE)? as usize;
    if free.is_none() {
        USED.store(used + 1, Relaxed);
    }
    entry.address.store(address, Relaxed);
    entry.device.store(id.0, Relaxed);
    entry.inode.store(id.1, Relaxed);
    entry.count.store(1, Release);
    Ok(address)
}

/// Gives back one reference; the last one takes the mapping with it. EINVAL: this process has no
/// semaphore open at that address. The caller is inside a section.
fn release(address: usize) -> Result<usize> {
    let Some(table) = TABLE.get() else { return Err(Errno::EINVAL) };
    let _held = process::page()?.sem_lock.hold();
    let open = |e: &&Entry| e.count.load(Relaxed) != 0 && e.address.load(Relaxed) == address;
    let entry = entries(table)[..USED.load(Relaxed)].iter().find(open).ok_or(Errno::EINVAL)?;
    // The entry goes first: in a child, it must never lead to memory that is unmapped.
    if entry.count.fetch_sub(1, AcqRel) == 1 {
        // SAFETY: made by enter(), and given back as often as it was given out.
        unsafe { map::unmap(address as *mut u8, BYTES) };
    }
    Ok(0)
}

/// Closes a semaphore as often as it was opened, and its memory is given back. EINVAL. sem_close(3)
pub fn close(sem: *mut sem_t) -> Result<()> {
    cancel::put_off(&|| {
        let _section = Section::enter()?;
        release(sem as usize)
    })
    .map(|_| ())
}

/// Removes a name; the semaphore lives on while it is open somewhere.
/// EACCES, EFAULT, ENAMETOOLONG, ENOENT. sem_unlink(3)
pub fn unlink(name: In<c_char>) -> Result<()> {
    name::on_file(&FILES, name, Errno::ENOENT, &|ns, path| name::remove(ns, path)).map(|_| ())
}

/// As [`unlink`], in a given namespace.
pub fn unlink_in(ns: &Namespace, name: In<c_char>) -> Result<()> {
    name::remove(ns, name::file_path(&FILES, name, Errno::ENOENT)?.as_cstr()).map(|_| ())
}
