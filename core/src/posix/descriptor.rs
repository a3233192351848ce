//! Message queue descriptors: real descriptors, of the queue's file.
//!
//! What belongs to the open description lives in the kernel's: O_NONBLOCK is its own flag, shared
//! with forks and duplicates, and settable by fcntl(2). The access mode is marked by the flags
//! O_DSYNC and O_SYNC, which nobody can change later (the file itself is always opened for both,
//! since receiving changes the queue). So a descriptor that came by fork, dup, exec or a socket can
//! be taken up by looking at it.

use super::queue_file;
use crate::entry;
use crate::errno::{Errno, Result};
use crate::namespace::Namespace;
use crate::process::ProcessPage;
use crate::queue::layout::QueueHeader;
use crate::region::header::ObjectKind;
use crate::region::object::{Geometry, Mapping, Ref};
use crate::region::table::Table;
use crate::sys::{file, map};
use core::sync::atomic::{AtomicBool, Ordering::*};

static TABLE: Table = Table::new();
/// Whether this process has ever had a queue descriptor.
static ANY: AtomicBool = AtomicBool::new(false);

/// The marks of an access mode in the flags of an open description.
pub fn marks(access: i32) -> i32 {
    match access {
        libc::O_RDONLY => libc::O_DSYNC,
        libc::O_WRONLY => libc::O_SYNC,
        libc::O_RDWR => 0,
        // Linux makes a descriptor that may do neither of an O_CREAT with access mode 3.
        _ => libc::O_APPEND,
    }
}

fn access_of(flags: i32) -> i32 {
    if flags & libc::O_APPEND != 0 {
        return 3;
    }
    match flags & libc::O_SYNC {
        0 => libc::O_RDWR,
        libc::O_DSYNC => libc::O_RDONLY,
        _ => libc::O_WRONLY,
    }
}

/// A descriptor that mq_open has got: it is mapped when it is first used, since to map costs more than to
/// open and some do no more than that. The caller is inside a section.
pub fn opened(fd: i32) {
    ANY.store(true, Relaxed);
    // One with this number may have been closed behind the library's back.
    TABLE.remove(fd as usize);
}

/// Enters a descriptor. The caller is inside a section.
pub fn enter(fd: i32, access: i32, mapping: Mapping, geometry: Geometry) -> Result<Ref> {
    ANY.store(true, Relaxed);
    let object = mapping.install(ObjectKind::Mq, fd, access as u32, geometry)?;
    TABLE.put(fd as usize, &object)?;
    Ok(object)
}

/// The queue that a call is for: its access mode must have the right, and `check` agree. EBADF, and what `check` says.
pub struct Wanted<'a, C: ?Sized> {
    #[allow(missing_docs)]
    pub fd: i32,
    /// O_RDONLY or O_WRONLY.
    pub right: i32,
    #[allow(missing_docs)]
    pub check: &'a C,
}

impl<C: ?Sized> Clone for Wanted<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<C: ?Sized> Copy for Wanted<'_, C> {}

impl<C: Fn(&Geometry) -> Result<()> + ?Sized> entry::Wanted for Wanted<'_, C> {
    #[inline(always)]
    fn place(self) -> (&'static Table, usize) {
        // As an unsigned number, a negative one is above all entries.
        (&TABLE, self.fd as u32 as usize)
    }
    #[inline(always)]
    fn is(self, object: &Ref, _: &'static ProcessPage) -> bool {
        is_behind(self.fd, object) && may(object, self.right) && (self.check)(object.geometry()).is_ok()
    }
}

impl<C: Fn(&Geometry) -> Result<()> + ?Sized> entry::Sought for Wanted<'_, C> {
    fn find(self, _: &'static Namespace) -> Result<Ref> {
        let object = find(self.fd)?;
        if !may(&object, self.right) {
            return Err(Errno::EBADF);
        }
        (self.check)(object.geometry())?;
        Ok(object)
    }
}

#[inline(always)]
fn may(object: &Ref, right: i32) -> bool {
    let access = object.access.load(Relaxed) as i32;
    access == libc::O_RDWR || access == right
}

/// Whether this, of the table, is the queue behind a descriptor: its slot may have become another's since it was
/// looked up.
#[inline(always)]
fn is_behind(fd: i32, object: &Ref) -> bool {
    object.number.load(Relaxed) == fd && object.is(ObjectKind::Mq)
}

/// The queue behind a descriptor. EBADF. The caller is inside a section.
pub fn find(fd: i32) -> Result<Ref> {
    match known(fd) {
        Some(object) => Ok(object),
        None => adopt(fd),
    }
}

/// The queue behind a descriptor that this process has used before.
pub fn known(fd: i32) -> Option<Ref> {
    TABLE.get(fd as u32 as usize).filter(|object| is_behind(fd, object))
}

/// Takes up a descriptor that came by dup, exec or a socket. EBADF.
#[cold]
#[inline(never)]
fn adopt(fd: i32) -> Result<Ref> {
    if fd < 0 {
        return Err(Errno::EBADF);
    }
    // Most files that are no queues are known by this alone, which takes half as long as fstat(2).
    let flags = file::control(fd, libc::F_GETFL, 0)?;
    if flags & libc::O_ACCMODE != libc::O_RDWR {
        return Err(Errno::EBADF);
    }
    let st = file::stat(fd)?;
    if st.is(libc::S_IFIFO) {
        return adopt_fifo(fd, st.file.1, flags);
    }
    // Only an object's file is worth mapping.
    let mut magic = [0u8; 8];
    let read = st.is(libc::S_IFREG) && file::read_at(fd, &mut magic, 0) == Ok(8);
    if !read || u64::from_ne_bytes(magic) != crate::region::header::MAGIC {
        return Err(Errno::EBADF);
    }
    let (mapping, geometry) = queue_file::map(fd, &st).map_err(|_| Errno::EBADF)?;
    enter(fd, access_of(flags), mapping, geometry)
}

/// Takes up a descriptor that came when it was polled already (see [`super::poll`]): a duplicate,
/// or one kept over an exec.
fn adopt_fifo(fd: i32, inode: u64, flags: i32) -> Result<Ref> {
    let mut found = None;
    TABLE.each_in(0, usize::MAX, &mut |n| {
        if let Some(object) = known(n as i32).filter(|o| o.fifo.load(Relaxed) == inode) {
            found = Some(object);
        }
    });
    match found {
        Some(old) => duplicate(&old, fd),
        None => adopt_fifo_by_name(fd, inode, flags & !libc::O_APPEND),
    }
}

fn adopt_fifo_by_name(fd: i32, inode: u64, flags: i32) -> Result<Ref> {
    let mut link = crate::text::Text::<32>::new();
    link.push(b"/proc/self/fd/").push_u64(fd as u64);
    let mut path = [0u8; 640];
    let len = file::read_link_at(libc::AT_FDCWD, link.as_cstr(), &mut path).map_err(|_| Errno::EBADF)?;
    let name = super::poll::name_of_fifo(&path[..len]).ok_or(Errno::EBADF)?;
    let new = |(mapping, geometry)| enter(fd, access_of(flags), mapping, geometry);
    // The queue's own descriptor was kept over the exec with the FIFO's; else its link is left.
    let object = match queue_still_open(name) {
        Some((queue, mapping, geometry)) => {
            let object = new((mapping, geometry))?;
            keep_behind(&object, queue)?;
            object
        }
        None => {
            let ns = crate::namespace::current()?;
            let queue = super::poll::queue_of_fifo(ns, name).map_err(|_| Errno::EBADF)?;
            let st = file::stat(queue.raw())?;
            new(queue_file::map(queue.raw(), &st).map_err(|_| Errno::EBADF)?)?
        }
    };
    object.fifo.store(inode, Relaxed);
    Ok(object)
}

/// A descriptor of the queue whose FIFO has this name, among those that are open.
fn queue_still_open(name: u64) -> Option<(i32, Mapping, Geometry)> {
    let mut found = None;
    each_open(&mut |fd| {
        let Some(st) = file::stat(fd).ok().filter(|st| found.is_none() && st.is(libc::S_IFREG)) else {
            return;
        };
        let Ok((mapping, geometry)) = queue_file::map(fd, &st) else { return };
        // SAFETY: the mapping holds at least the header page.
        if unsafe { &*mapping.base.cast::<QueueHeader>() }.poll_name.get() == name {
            found = Some((fd, mapping, geometry));
        }
    });
    found
}

/// Keeps a copy of `queue`, a descriptor of the object's own file, behind the FIFO that stands in for it:
/// over an exec, if the FIFO is kept.
fn keep_behind(object: &Ref, queue: i32) -> Result<()> {
    let kept = file::control(object.number.load(Relaxed), libc::F_GETFD, 0)? & libc::FD_CLOEXEC == 0;
    let copy = out_of_the_way(queue, if kept { libc::F_DUPFD } else { libc::F_DUPFD_CLOEXEC });
    object.behind.store(copy.unwrap_or(-1), Relaxed);
    Ok(())
}

/// A duplicate where programs do not expect descriptors, by F_DUPFD or F_DUPFD_CLOEXEC.
fn out_of_the_way(fd: i32, duplicate: i32) -> Result<i32> {
    file::control(fd, duplicate, 1000).or_else(|_| file::control(fd, duplicate, 60))
}

/// The FIFO that stands in for the object's descriptor: device and inode. None has the inode 0.
fn fifo_of(object: &Ref) -> (u64, u64) {
    (object.file().0, object.fifo.load(Relaxed))
}

/// Keeps a copy of `fifo`, a description of `file` that nobody else has and that does not block, if this is the object's
/// FIFO.
pub fn keep_tap(object: &Ref, fifo: i32, file: (u64, u64)) {
    if file != fifo_of(object) {
        return;
    }
    if let Ok(copy) = out_of_the_way(fifo, libc::F_DUPFD_CLOEXEC) {
        object.tap.store(copy, Relaxed);
    }
}

/// That copy, if the program has not closed it.
pub fn tap(object: &Ref) -> Option<i32> {
    let fd = object.tap.load(Relaxed);
    (fd >= 0 && file::stat(fd).is_ok_and(|st| st.is(libc::S_IFIFO) && st.file == fifo_of(object)))
        .then_some(fd)
}

/// Whether this process may have queue descriptors.
pub fn any() -> bool {
    ANY.load(Relaxed)
}

/// Whether this process may have queue descriptors, those included that were there when it began:
/// kept over an exec, they may be polled before they are used in any other way.
pub fn any_to_poll() -> bool {
    if !LOOKED.swap(true, Relaxed) {
        each_open(&mut |fd| {
            if !TABLE.has(fd as usize) && is_queue_file(fd) {
                let _ = adopt(fd);
            }
        });
    }
    any()
}

/// Calls `each` with every descriptor that this process has open, where /proc tells.
fn each_open(each: &mut dyn FnMut(i32)) {
    let flags = libc::O_RDONLY | libc::O_DIRECTORY;
    let Ok(dir) = file::open_at(libc::AT_FDCWD, c"/proc/self/fd", flags, 0) else { return };
    let _ = file::each_entry(dir.raw(), &mut |name| {
        if let Some(fd) = crate::namespace::choose::index_of(name).filter(|fd| *fd != dir.raw() as u64) {
            each(fd as i32);
        }
        true
    });
}

static LOOKED: AtomicBool = AtomicBool::new(false);

/// Forgets a descriptor that is being closed or replaced.
pub fn forget(ns: &'static Namespace, fd: i32) {
    if !any() || fd < 0 {
        return;
    }
    if TABLE.has(fd as usize) {
        if let Some(object) = known(fd) {
            super::notify::closing(ns, &object);
            if let Some(tap) = tap(&object) {
                file::close(tap);
            }
            // None is to be opened for it any more.
            object.fifo.store(0, Relaxed);
            if let Some(behind) = behind(&object) {
                // The program's close is still to come: let it close the queue's own file.
                let _ = file::replace(behind, fd, true);
                file::close(behind);
            }
            super::poll::left(ns, &object);
        }
        TABLE.remove(fd as usize);
    } else if super::notify::ever_registered() && is_queue_file(fd) {
        // A duplicate that was never used as a queue: closing it ends a registration all the same.
        if let Ok(object) = adopt(fd) {
            super::notify::closing(ns, &object);
            TABLE.remove(fd as usize);
        }
    }
}

/// A descriptor that the kernel has just given out for another file: if a queue of this number was
/// closed behind the library's back, that is over.
pub fn reused(fd: i32) {
    if any() && TABLE.has(fd as usize) {
        TABLE.remove(fd as usize);
    }
}

/// Whether a descriptor that is not known may be a queue's: of its file, or of the FIFO in its place, which, unlike a pipe,
/// everybody may open.
fn is_queue_file(fd: i32) -> bool {
    const FIFO: u32 = libc::S_IFIFO | super::poll::FIFO_MODE;
    file::stat(fd).is_ok_and(|st| st.is(libc::S_IFREG) || st.mode == FIFO)
}

/// The queue behind a descriptor that may be something else as well.
pub fn find_if_any(fd: i32) -> Option<Ref> {
    known(fd).or_else(|| if is_queue_file(fd) { adopt(fd).ok() } else { None })
}

/// A descriptor was duplicated by the C library: the duplicate is the same queue's.
pub fn duplicated(old: i32, new: i32) {
    let Some(old) = known(old) else { return };
    if TABLE.has(new as usize) {
        TABLE.remove(new as usize);
    }
    let _ = duplicate(&old, new);
}

fn duplicate(old: &Ref, fd: i32) -> Result<Ref> {
    let base = map::duplicate(old.base(), old.mapped_bytes())?;
    // SAFETY: just mapped.
    let mapping = unsafe { Mapping::of(base, old.mapped_bytes(), old.file())? };
    let new = enter(fd, old.access.load(Relaxed) as i32, mapping, *old.geometry())?;
    new.fifo.store(old.fifo.load(Relaxed), Relaxed);
    if let Some(behind) = behind(old) {
        keep_behind(&new, behind)?;
    }
    Ok(new)
}

/// Forgets all descriptors from `first` to `last`.
pub fn forget_range(ns: &'static Namespace, first: u32, last: u32) {
    if any() {
        TABLE.each_in(first as usize, last as usize + 1, &mut |n| forget(ns, n as i32));
    }
}

/// The descriptor of the queue's file behind a FIFO, if the program has not closed it.
fn behind(object: &Ref) -> Option<i32> {
    let fd = object.behind.load(Relaxed);
    (fd >= 0 && file::stat(fd).is_ok_and(|st| st.file == object.file())).then_some(fd)
}

/// Lets the FIFO stand in for the queue's descriptor; the queue's open description stays, out of
/// the way, since duplicates and children may share it.
pub fn stand_in(object: &Ref, fifo: &file::Fd, inode: u64) -> Result<()> {
    let fd = object.number.load(Relaxed);
    let flags = file::control(fd, libc::F_GETFL, 0)? & libc::O_NONBLOCK;
    let close_on_exec = file::control(fd, libc::F_GETFD, 0)? & libc::FD_CLOEXEC != 0;
    keep_behind(object, fd)?;
    set_compared(fifo.raw(), flags)?;
    file::replace(fifo.raw(), fd, close_on_exec)?;
    object.fifo.store(inode, Relaxed);
    Ok(())
}

/// The flags of the open description, as far as anybody may look at them: O_NONBLOCK.
///
/// Where a FIFO stands in there are two descriptions. Whichever was changed since they were last
/// compared is right: the FIFO's by ioctl(2), or the queue's through a duplicate that is not polled.
/// How it was then, the FIFO's O_APPEND remembers, which means nothing to a FIFO.
pub fn flags(object: &Ref) -> Result<i32> {
    let fd = object.number.load(Relaxed);
    let shown = file::control(fd, libc::F_GETFL, 0)?;
    let own = shown & libc::O_NONBLOCK;
    let Some(behind) = behind(object) else { return Ok(own) };
    let kept = file::control(behind, libc::F_GETFL, 0)? & libc::O_NONBLOCK;
    let compared = if shown & libc::O_APPEND != 0 { libc::O_NONBLOCK } else { 0 };
    let right = if own != compared { own } else { kept };
    if own != kept || right != compared {
        set_flags(object, right)?;
    }
    Ok(right)
}

/// Sets the flags of a FIFO's description, and its memory of them.
fn set_compared(fifo: i32, flags: i32) -> Result<()> {
    let memory = if flags != 0 { libc::O_APPEND } else { 0 };
    file::control(fifo, libc::F_SETFL, (flags | memory) as usize).map(|_| ())
}

/// What F_GETFL is to show of `fd`, of which the kernel says `flags`: for a queue, the access mode it
/// was opened with and not our marks.
pub fn shown_flags(fd: i32, flags: i32) -> i32 {
    let marked = flags & (libc::O_SYNC | libc::O_APPEND) != 0;
    match known(fd).or_else(|| if marked { find_if_any(fd) } else { None }) {
        Some(object) => {
            let nonblocking = self::flags(&object).unwrap_or(flags & libc::O_NONBLOCK);
            object.access.load(Relaxed) as i32 | nonblocking
        }
        None => flags,
    }
}

/// Sets O_NONBLOCK, or clears it.
pub fn set_flags(object: &Ref, flags: i32) -> Result<()> {
    object.verdict.store(0, Relaxed);
    let fd = object.number.load(Relaxed);
    let queue = match object.fifo.load(Relaxed) {
        0 => Some(fd),
        _ => {
            set_compared(fd, flags)?;
            behind(object)
        }
    };
    if let Some(queue) = queue {
        let others = file::control(queue, libc::F_GETFL, 0)? & !libc::O_NONBLOCK;
        file::control(queue, libc::F_SETFL, (others | flags) as usize)?;
    }
    Ok(())
}

/// The program has set the flags of a descriptor by fcntl(2): where a FIFO stands in, the queue's own
/// description follows.
pub fn flags_set(fd: i32) {
    let Some(object) = known(fd) else { return };
    object.verdict.store(0, Relaxed);
    if object.fifo.load(Relaxed) != 0 {
        let own = file::control(fd, libc::F_GETFL, 0).unwrap_or(0) & libc::O_NONBLOCK;
        let _ = set_flags(&object, own);
    }
}

/// Whether the open description says O_NONBLOCK.
pub fn is_nonblocking(object: &Ref) -> bool {
    let flags = flags(object);
    object.verdict.store((flags == Ok(0)) as u64, Relaxed);
    flags.is_ok_and(|flags| flags != 0)
}

/// Whether it did not when this was last asked.
pub fn was_blocking(object: &Ref) -> bool {
    object.verdict.load(Relaxed) != 0
}
