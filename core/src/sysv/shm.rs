//! System V shared memory: shmget(2), shmop(2), and what a fork means for it.

pub use super::attached::ATTACHES;
pub use super::shmctl::control;

use super::attached;
use super::object::{self, Get, Keys, Kind};
use super::segment::{self, visit, Locked, Segment, DATA_AT, HUGE, LOCKED, PAGE};
use crate::cred;
use crate::errno::{Errno, Result};
use crate::limits::{self, Limit};
use crate::namespace::lifeline::{self, Token};
use crate::namespace::{self, ids, ids::Room, Namespace};
use crate::perm::{self, Perm};
use crate::process;
use crate::region::header::ObjectKind;
use crate::region::object::{Geometry, Mapping, Ref};
use crate::region::table::Table;
use crate::sync::section::Section;
use crate::sys::{clock, file, map};
use core::ffi::c_int;
use core::sync::atomic::{AtomicU64, Ordering::*};

/// The huge page that file systems have; SHM_HUGE_2MB.
const HUGE_PAGE: u64 = 2 << 20;
/// Sizes of huge pages that the processor has, as binary logarithms; SHM_HUGE_SHIFT of <sys/shm.h>.
const HUGE_SIZES: &[u32] = if cfg!(target_arch = "x86_64") { &[0, 21, 30] } else { &[0, 16, 21, 25, 30] };
const HUGE_SHIFT: u32 = 26;
/// Removed segments that a creation looks at, so that the memory of killed attachers comes back.
const SWEPT_EACH: u32 = 8;

/// Shared memory segments, as a kind of object.
pub static SHM: Kind = Kind {
    room: Room::Shm,
    mark: ObjectKind::Shm,
    least: LEAST,
    measure,
    table: {
        static TABLE: Table = Table::new();
        &TABLE
    },
    keys: {
        static KEYS: Keys = [const { AtomicU64::new(0) }; _];
        &KEYS
    },
    // The contents are mapped by shmat alone, but for the first page: see map_again().
    most_mapped: MAPPED,
    empty,
};

/// Bytes that every file of it has.
const LEAST: u64 = DATA_AT + 1;
/// Bytes of a segment's file that are mapped with its bookkeeping.
const MAPPED: u64 = DATA_AT + PAGE;

fn measure(mapping: &Mapping, size: u64) -> Result<Geometry> {
    // SAFETY: the mapping is page-aligned and, of a file of LEAST bytes, DATA_AT bytes long.
    let segment_bytes = unsafe { Segment::at(mapping.base) }.head().segment_bytes.get();
    if segment_bytes == 0 || segment_bytes > size - DATA_AT {
        return Err(Errno::EINVAL);
    }
    Ok(Geometry { segment_bytes, ..Geometry::default() })
}

/// Others may have the bookkeeping mapped for long: the contents' memory is given back at once.
fn empty(ns: &'static Namespace, object: &Ref, index: u32) {
    if let Ok((fd, size)) = open(ns, object, index, libc::O_RDWR) {
        let _ = file::punch(fd.raw(), DATA_AT, size - DATA_AT);
    }
}

/// Opens the file of a segment anew; its length. EACCES, EINVAL.
fn open(ns: &Namespace, object: &Ref, index: u32, access: c_int) -> Result<(file::Fd, u64)> {
    let flags = access | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    let fd = file::open_at(ns.dir()?, Room::Shm.path(index).as_cstr(), flags, 0)?;
    let st = file::stat(fd.raw())?;
    if st.file != object.file() || st.size < LEAST {
        return Err(Errno::EINVAL);
    }
    Ok((fd, st.size))
}

/// Makes a segment that has no name yet. EINVAL, ENOMEM, ENOSPC, EPERM.
#[inline(never)]
fn make(
    ns: &'static Namespace,
    key: i32,
    bytes: u64,
    flags: c_int,
    perm: &Perm,
) -> Result<(file::Fd, Mapping, u64)> {
    if bytes == 0 || bytes > limits::get(ns, Limit::ShmMax) {
        return Err(Errno::EINVAL);
    }
    let length = bytes.checked_next_multiple_of(PAGE).ok_or(Errno::ENOSPC)?;
    segment::sweep(ns, SWEPT_EACH);
    let all = limits::get(ns, Limit::ShmAll);
    // Beyond 2^52 pages no sum can come.
    if all < u64::MAX / PAGE && totals(ns)?.0 + length / PAGE > all {
        return Err(Errno::ENOSPC);
    }
    // No file is longer. Linux: __shmem_file_setup
    let huge = flags & libc::SHM_HUGETLB != 0;
    if bytes > i64::MAX as u64 && !huge {
        return Err(Errno::EINVAL);
    }
    let mode = perm::file_mode(perm.mode);
    let fd = file::open_at(ns.dir()?, c"shm", libc::O_TMPFILE | libc::O_RDWR, mode)?;
    let length = if huge { huge_length(fd.raw(), flags, bytes)? } else { length };
    let no_room = |_| Errno::ENOMEM;
    // The length tells those who may not open the file how large the segment is.
    let size = DATA_AT.checked_add(if huge { length } else { bytes }).ok_or(Errno::ENOMEM)?;
    if flags & libc::SHM_NORESERVE == 0 && file::available(fd.raw())?.is_some_and(|left| length > left) {
        return Err(Errno::ENOMEM);
    }
    file::set_len(fd.raw(), size).map_err(no_room)?;
    file::reserve(fd.raw(), 0, PAGE).map_err(no_room)?;
    let st = file::ensure_mode(fd.raw(), mode)?;
    let mapping = Mapping::new(fd.raw(), MAPPED as usize, st.file)?;
    mapping.header().initialise(ObjectKind::Shm, key, perm, clock::now_s());
    // SAFETY: as in measure().
    let head = unsafe { Segment::at(mapping.base) }.head();
    head.segment_bytes.set(bytes);
    head.cpid.set(process::pid()?);
    head.flags.set(if huge { HUGE } else { 0 });
    Ok((fd, mapping, size))
}

/// The length of a segment of huge pages. Errors as Linux' hugetlb_file_setup has them without such pages.
fn huge_length(fd: c_int, flags: c_int, bytes: u64) -> Result<u64> {
    let log = flags as u32 >> HUGE_SHIFT & 63;
    if !HUGE_SIZES.contains(&log) {
        return Err(Errno::EINVAL);
    }
    let cred = cred::current()?;
    // Linux: can_do_hugetlb_shm, with vm.hugetlb_shm_group 0.
    if !cred.capable(cred::CAP_IPC_LOCK) && !cred.in_group(0) {
        return Err(Errno::EPERM);
    }
    let there_are = file::stat(fd)?.block >= HUGE_PAGE && 1 << log <= HUGE_PAGE;
    // The kernel makes one all the same, which raises SIGBUS when it is used; here it has other pages.
    if !there_are && flags & libc::SHM_NORESERVE == 0 {
        return Err(Errno::ENOMEM);
    }
    bytes.checked_next_multiple_of(HUGE_PAGE).ok_or(Errno::ENOMEM)
}

/// Pages that all segments have, and pages of those that take memory.
pub fn totals(ns: &Namespace) -> Result<(u64, u64)> {
    let dir = ns.dir()?;
    let (mut pages, mut resident) = (0, 0);
    ids::each_index(ns, Room::Shm, &mut |index| {
        if let Ok(st) = file::stat_at(dir, Room::Shm.path(index).as_cstr()) {
            pages += st.size.saturating_sub(DATA_AT).div_ceil(PAGE);
            resident += (st.allocated / PAGE).saturating_sub(1);
        }
    })?;
    Ok((pages, resident))
}

/// The identifier of the segment with this key, or of a new one of `size` bytes.
/// EACCES, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC, EPERM. shmget(2)
pub fn get(key: libc::key_t, size: usize, flags: c_int) -> Result<c_int> {
    let ns = namespace::current()?;
    let _section = Section::enter()?;
    // As in msg::get.
    lifeline::my_token(ns)?;
    let bytes = size as u64;
    let get = Get {
        kind: &SHM,
        ns,
        key,
        flags,
        make: &|perm| make(ns, key, bytes, flags, perm),
        suits: &|object| if object.geometry().segment_bytes < bytes { Err(Errno::EINVAL) } else { Ok(()) },
        least: DATA_AT.saturating_add(bytes),
        limit: limits::get(ns, Limit::ShmMni) as u32,
    };
    match get.run() {
        // Perhaps what is in the way is waiting for attachers who were killed.
        Err(Errno::ENOMEM | Errno::ENOSPC) if segment::sweep(ns, u32::MAX) => get.run(),
        result => result,
    }
}

/// Where shmat is to map, by address and flags. EINVAL
fn place(addr: usize, flags: c_int) -> Result<map::Where> {
    let remap = flags & libc::SHM_REMAP != 0;
    let rounded = if flags & libc::SHM_RND != 0 { addr & !(PAGE as usize - 1) } else { addr };
    if !rounded.is_multiple_of(PAGE as usize) || remap && rounded == 0 {
        return Err(Errno::EINVAL);
    }
    Ok(match (addr, remap) {
        (0, _) => map::Where::Anywhere,
        (_, true) => map::Where::Over(rounded),
        (_, false) => map::Where::Free(rounded),
    })
}

/// Maps the contents by the library's own mapping, which reaches to their first page: the file need not be opened
/// anew, only looked at, in case somebody has cut it short. None: it must be.
fn map_again(ns: &Namespace, object: &Ref, place: &map::Where, flags: c_int) -> Option<(usize, usize)> {
    if !matches!(place, map::Where::Anywhere) || flags & (libc::SHM_RDONLY | libc::SHM_EXEC) != 0 {
        return None;
    }
    let index = ids::index_of(object.number.load(Relaxed));
    // Whether the descriptor is the namespace's still shows in what is found by it.
    let st = file::stat_at(ns.hidden_fd(), Room::Shm.path(index).as_cstr()).ok()?;
    let bytes = object.geometry().segment_bytes;
    if st.file != object.file() || st.size < DATA_AT.checked_add(bytes)? {
        return None;
    }
    let len = bytes.next_multiple_of(PAGE) as usize;
    // SAFETY: every mapping of a segment goes on beyond DATA_AT.
    let contents = unsafe { object.base().add(DATA_AT as usize) };
    map::duplicate(contents, len).ok().map(|at| (at as usize, len))
}

/// Maps the contents. EACCES, EINVAL, ENOMEM, EPERM.
fn map_contents(ns: &Namespace, object: &Ref, place: map::Where, flags: c_int) -> Result<(usize, usize)> {
    if let Some(mapped) = map_again(ns, object, &place, flags) {
        return Ok(mapped);
    }
    let (access, mut prot) = match flags & libc::SHM_RDONLY {
        0 => (libc::O_RDWR, libc::PROT_READ | libc::PROT_WRITE),
        _ => (libc::O_RDONLY, libc::PROT_READ),
    };
    let exec = flags & libc::SHM_EXEC != 0;
    if exec {
        prot |= libc::PROT_EXEC;
    }
    let (fd, size) =
        open(ns, object, ids::index_of(object.number.load(Relaxed)), access).map_err(|e| match e {
            Errno::EMFILE | Errno::ENFILE => Errno::ENOMEM,
            Errno::ENOENT => Errno::EINVAL,
            e => e,
        })?;
    let bytes = object.geometry().segment_bytes;
    if bytes > size - DATA_AT {
        return Err(Errno::EINVAL);
    }
    let len = bytes.next_multiple_of(PAGE) as usize;
    if matches!(place, map::Where::Free(addr) if addr.checked_add(len).is_none()) {
        return Err(Errno::EINVAL);
    }
    // SAFETY: SHM_REMAP is the program's wish.
    let at = unsafe { map::contents(fd.raw(), DATA_AT, len, prot, place) }.map_err(|e| match e {
        Errno::EEXIST => Errno::EINVAL,
        // The file system is mounted noexec.
        Errno::EPERM if exec => Errno::EACCES,
        e => e,
    })?;
    Ok((at, len))
}

/// Attaches a segment: maps it at `addr`, or with 0 where there is room; where it is.
/// EACCES, EINVAL, ENOMEM. shmat(2)
pub fn attach(id: c_int, addr: usize, flags: c_int) -> Result<usize> {
    if id < 0 {
        return Err(Errno::EINVAL);
    }
    let place = place(addr, flags)?;
    let ns = namespace::current()?;
    let _section = Section::enter()?;
    let me = lifeline::my_token(ns)?;
    let object = SHM.by_id(ns, id)?;
    let mut wanted = perm::READ;
    if flags & libc::SHM_RDONLY == 0 {
        wanted |= perm::WRITE;
    }
    if flags & libc::SHM_EXEC != 0 {
        wanted |= perm::EXEC;
    }
    object::check(&object, wanted)?;
    let pid = process::pid()?;
    let entry = attached::take()?;
    let mut range = (0, 0);
    let attached = visit(ns, &object, me, &mut |segment| {
        let record = segment.record(me)?;
        let (at, len) = map_contents(ns, &object, place, flags)?;
        range = (at, at + len);
        advise(segment.head().flags.get(), at, len);
        entry.fill(object.again(), at, at, at + len);
        segment.note_attach(pid);
        record.set(me, pid, attached::count(&object));
        Ok(())
    });
    if let Err(e) = attached {
        entry.free();
        return Err(e);
    }
    // The segment is attached: what lay there before is not.
    attached::cut_out(range.0, range.1, entry, &mut |other| detached(ns, &other, me, pid));
    Ok(range.0)
}

fn advise(flags: u32, at: usize, len: usize) {
    if flags & HUGE != 0 {
        let _ = map::advise(at as *mut u8, len, libc::MADV_HUGEPAGE);
    }
    if flags & LOCKED != 0 {
        let _ = map::keep_in_memory(at, len, true);
    }
}

/// Writes to a segment that this process has it attached less often.
fn detached(ns: &'static Namespace, object: &Ref, me: Token, pid: u32) {
    let _ = visit(ns, object, me, &mut |segment| {
        segment.note_detach(pid);
        segment.record(me)?.set(me, pid, attached::count(object));
        Ok(())
    });
}

/// Detaches the segment that was attached at `addr`. EINVAL: none was. shmdt(2)
pub fn detach(addr: usize) -> Result<()> {
    let ns = namespace::in_use().ok_or(Errno::EINVAL)?;
    let _section = Section::enter()?;
    // First, so that the attachments which a child has inherited are in its name.
    let me = lifeline::my_token(ns);
    let object = attached::detach(addr).ok_or(Errno::EINVAL)?;
    detached(ns, &object, me?, process::pid()?);
    Ok(())
}

/// Writes this process's attachments down in the name of `token`, its own or its child's.
fn inherit(ns: &'static Namespace, me: Token, token: Token, pid: u32, forked_by: Option<u32>) {
    // Who forks is not inside; who has just registered may be.
    let _section = Section::enter();
    attached::each_object(&mut |object| {
        let Ok(locked) = Locked::acquire(object, ns, me) else { return };
        let segment = locked.shared;
        if segment.head().common.is_gone() {
            return;
        }
        if let Ok(record) = segment.record(token) {
            record.set(token, pid, attached::count(object));
        }
        segment.reap(ns);
        if let Some(parent) = forked_by {
            segment.note_attach(parent);
        }
    });
}

/// To be called in the parent before a fork, when `child` is the lifeline of the process to be: it
/// will have the same attachments. If the fork fails and `child` with it, they are void.
pub fn before_fork(ns: &'static Namespace, me: Token, child: Token) {
    if ATTACHES.load(Relaxed) != 0 {
        inherit(ns, me, child, 0, process::pid().ok());
    }
}

/// To be called in the child: another thread of the parent may have attached or detached meanwhile.
pub fn after_fork_in_child(ns: &'static Namespace, child: Token, pid: u32) {
    let attaches = ATTACHES.load(Relaxed);
    if let Ok(page) = process::page() {
        page.attaches.store(attaches, Relaxed);
    }
    if attaches != 0 {
        inherit(ns, child, child, pid, None);
    }
}

/// To be called by a process that registers as `token` and finds that its attachments, ATTACHES, are
/// not its own (`page().attaches` is 0): it was made by _Fork(3) or a raw clone(2).
pub fn after_unseen_fork(ns: &Namespace, token: Token) {
    // Attachments belong to the process's own namespace, whichever else it may look at.
    if let Some(own) = namespace::in_use().filter(|own| core::ptr::eq(*own, ns)) {
        after_fork_in_child(own, token, process::pid().unwrap_or(0));
    }
}
