//! The bookkeeping of a shared memory segment: who has it attached how often, and its end.
//!
//! The file is a header page, attach records up to [`DATA_AT`], and the contents. A record counts
//! while its process is alive, and only then, so that exit, exec and SIGKILL detach; whoever looks
//! at the segment next voids the records of the dead ([`Segment::reap`]), and destroys it if it was
//! removed before and nobody is left.

use super::shm::SHM;
use crate::errno::{Errno, Result};
use crate::namespace::lifeline::{self, Token};
use crate::namespace::{ids, ids::Room, Namespace};
use crate::region::header::{Header, DOOMED};
use crate::region::object::Ref;
use crate::region::{Checked, W32, W64};
use crate::sync::guard::{self, Shared};
use crate::sync::wait::Wakes;
use crate::sys::{clock, map};
use core::sync::atomic::Ordering::*;

/// Offset of the contents: a multiple of the huge page's size, so that those fit.
pub const DATA_AT: u64 = 2 << 20;
/// The page size.
pub const PAGE: u64 = 4096;
/// `flags`: SHM_LOCK holds.
pub const LOCKED: u32 = 1;
/// `flags`: made with SHM_HUGETLB.
pub const HUGE: u32 = 2;

const RECORDS_AT: usize = 512;
const RECORDS_MAX: usize = (DATA_AT as usize - RECORDS_AT) / size_of::<Record>();
/// Records in the first page, which always has memory.
const RECORDS_FIRST: usize = (PAGE as usize - RECORDS_AT) / size_of::<Record>();

/// The first bytes of a segment's file.
#[repr(C)]
#[allow(missing_docs)]
pub struct SegmentHeader {
    pub common: Header,
    /// [`LOCKED`], [`HUGE`].
    pub flags: W32,
    /// shm_segsz.
    pub segment_bytes: W64,
    pub cpid: W32,
    pub lpid: W32,
    pub atime: W64,
    pub dtime: W64,
    /// Who has locked it: user id.
    pub locker: W32,
    /// Records that were ever in use.
    records: W32,
}

/// How often a process has the segment attached.
#[repr(C)]
pub struct Record {
    /// The process; 0: unused. The commit point: what else is in it, is written before.
    token: W64,
    /// Its id, for shm_lpid after its end; 0: its lifeline knows it.
    pid: W32,
    /// Attachments.
    count: W32,
    _spare: [W64; 2],
}

const _: () = assert!(size_of::<SegmentHeader>() <= RECORDS_AT && size_of::<Record>() == 32);

/// A mapped segment's bookkeeping.
#[derive(Clone, Copy)]
pub struct Segment<'r> {
    head: &'r SegmentHeader,
}

/// The lock of a segment, held.
pub type Locked<'r> = guard::Locked<'r, Segment<'r>>;

impl<'r> Shared<'r> for Segment<'r> {
    fn of(object: &'r Ref) -> Segment<'r> {
        // SAFETY: the reference keeps a page-aligned mapping of DATA_AT bytes; all atomics.
        unsafe { Segment::at(object.base()) }
    }
    fn common(&self) -> &'r Header {
        &self.head.common
    }
    /// Records need no repair, each is committed by one store. A removal may have stopped half-way.
    fn repair(&self, object: &'r Ref, ns: &'static Namespace, _: &mut Wakes<'r>) -> Checked<()> {
        if self.head.common.removed.get() == DOOMED {
            let _ = SHM.remove_key(ns, object, object.number.load(Relaxed));
        }
        self.head.common.broken.set(0);
        Ok(())
    }
}

impl<'r> Segment<'r> {
    /// The segment whose bookkeeping is mapped at `base`.
    ///
    /// # Safety
    /// `base` is page-aligned and valid for [`DATA_AT`] bytes for as long as `'r`.
    pub unsafe fn at(base: *mut u8) -> Segment<'r> {
        // SAFETY: the caller's contract.
        Segment { head: unsafe { &*base.cast::<SegmentHeader>() } }
    }

    /// The header.
    pub fn head(&self) -> &'r SegmentHeader {
        self.head
    }

    /// Record number `n`, below RECORDS_MAX.
    fn place(&self, n: usize) -> *const Record {
        let first = self.head as *const SegmentHeader as usize + RECORDS_AT;
        (first as *const Record).wrapping_add(n)
    }

    /// The records that were ever in use.
    fn records(&self) -> &'r [Record] {
        let mut n = (self.head.records.get() as usize).min(RECORDS_MAX);
        if n > RECORDS_FIRST {
            // A number that somebody wrote over must not lead to pages without memory.
            let base = self.head as *const SegmentHeader as *mut u8;
            let bytes = RECORDS_AT + n * size_of::<Record>();
            if map::back(base, bytes.next_multiple_of(PAGE as usize)) == Err(Errno::ENOMEM) {
                n = RECORDS_FIRST;
            }
        }
        // SAFETY: below RECORDS_MAX all lie in the mapping; all atomics.
        unsafe { core::slice::from_raw_parts(self.place(0), n) }
    }

    /// shm_nattch, of the processes alive at the last [`Segment::reap`].
    pub fn attached(&self) -> u64 {
        self.records().iter().filter(|r| r.token.get() != 0).map(|r| r.count.get() as u64).sum()
    }

    /// shm_nattch, if nobody but `me` has it attached, so that nobody has to be asked whether he lives.
    #[inline(always)]
    pub fn attached_by(&self, me: Token) -> Option<u64> {
        let n = self.head.records.get() as usize;
        if n > RECORDS_FIRST {
            return None;
        }
        // SAFETY: as in records(); the first page is always there.
        let records = unsafe { core::slice::from_raw_parts(self.place(0), n) };
        let mut count = 0;
        for record in records {
            match record.token.get() {
                0 => {}
                token if token == me => count += record.count.get() as u64,
                _ => return None,
            }
        }
        Some(count)
    }

    /// Calls `each(pid, count)` for every living process that has it attached. Changes nothing.
    pub fn each_attacher(&self, ns: &Namespace, each: &mut dyn FnMut(u32, u32)) {
        for record in self.records().iter().filter(|r| lifeline::is_alive(ns, r.token.get())) {
            each(record.pid_in(ns), record.count.get());
        }
    }

    /// Voids the records of the dead. Nobody saw them go: shm_dtime is now.
    pub fn reap(&self, ns: &Namespace) {
        for record in self.records() {
            let token = record.token.get();
            if token == 0 || lifeline::is_alive(ns, token) {
                continue;
            }
            if record.count.get() != 0 {
                // Without a pid it is the child of a fork that failed, or was killed as it was born.
                self.note_detach(match record.pid_in(ns) {
                    0 => self.head.lpid.get(),
                    pid => pid,
                });
            }
            record.token.atomic().store(0, Release);
        }
    }

    /// A record for `token`: the one it has, or an unused one. ENOMEM
    pub fn record(&self, token: Token) -> Result<&'r Record> {
        let records = self.records();
        let of = |token| records.iter().find(|r| r.token.get() == token);
        if let Some(record) = of(token).or_else(|| of(0)) {
            return Ok(record);
        }
        let n = records.len();
        if n >= RECORDS_MAX {
            return Err(Errno::ENOMEM);
        }
        let place = self.place(n);
        if (place as usize).is_multiple_of(PAGE as usize) {
            map::populate(place as *mut u8, size_of::<Record>())?;
        }
        // SAFETY: in the mapping; all atomics.
        let record = unsafe { &*place };
        record.token.set(0);
        self.head.records.atomic().store(n as u32 + 1, Release);
        Ok(record)
    }

    /// Notes an attachment by process `pid`, or a fork by it.
    pub fn note_attach(&self, pid: u32) {
        self.head.atime.set(clock::now_s() as u64);
        self.head.lpid.set(pid);
    }

    /// Notes that process `pid` has detached it.
    pub fn note_detach(&self, pid: u32) {
        self.head.dtime.set(clock::now_s() as u64);
        self.head.lpid.set(pid);
    }
}

impl Record {
    /// Commits that `token` has the segment attached `count` times.
    pub fn set(&self, token: Token, pid: u32, count: u32) {
        self.pid.set(pid);
        self.count.atomic().store(count, Release);
        self.token.atomic().store(if count == 0 { 0 } else { token }, Release);
    }

    fn pid_in(&self, ns: &Namespace) -> u32 {
        match self.pid.get() {
            0 => lifeline::pid_of(ns, self.token.get()),
            pid => pid,
        }
    }
}

/// Runs `change` under the lock of a segment whose dead attachers are voided. EINVAL: it is gone,
/// perhaps just now, because they were its last. It goes after `change` too, if that leaves it
/// removed and not attached.
pub fn visit(
    ns: &'static Namespace,
    object: &Ref,
    me: Token,
    change: &mut dyn FnMut(Segment<'_>) -> Result<()>,
) -> Result<()> {
    let done = {
        let locked = Locked::acquire(object, ns, me)?;
        let segment = locked.shared;
        let header = &segment.head.common;
        let over = || header.removed.get() == DOOMED && segment.attached() == 0;
        segment.reap(ns);
        let done = if header.is_gone() || over() { Err(Errno::EINVAL) } else { change(segment) };
        if over() {
            destroy(ns, object);
        }
        done
    };
    if object.header().is_gone() {
        SHM.forget(object.number.load(Relaxed), object);
    }
    done
}

/// IPC_RMID under the lock, of a segment that may be attached: its key is free, its identifier
/// holds until the last detach.
pub fn doom(ns: &'static Namespace, object: &Ref) {
    let id = object.number.load(Relaxed);
    ids::note(ns, Room::Shm, ids::index_of(id), true);
    // Without its key it must not look like one whose creator was killed before he set it.
    object.header().creator.set(0);
    object.header().removed.atomic().store(DOOMED, Release);
    let _ = SHM.remove_key(ns, object, id);
}

/// The end, under the lock. The note that it is doomed stays until the names are gone: they may be
/// another user's to remove.
fn destroy(ns: &'static Namespace, object: &Ref) {
    let id = object.number.load(Relaxed);
    ids::note(ns, Room::Shm, ids::index_of(id), true);
    object.header().removed.atomic().store(1, Release);
    let _ = SHM.remove_names(ns, object, id);
}

/// Looks at up to `most` segments that wait for their last attacher, in turn, since he may have been
/// killed. Whether one of them went.
pub fn sweep(ns: &'static Namespace, most: u32) -> bool {
    use core::sync::atomic::AtomicU32;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut went = false;
    let mut from = if most == u32::MAX { 0 } else { NEXT.load(Relaxed) };
    for _ in 0..most {
        let Some(index) = ids::next_noted(ns, Room::Shm, from) else {
            from = 0;
            break;
        };
        from = index + 1;
        let Ok(me) = lifeline::my_token(ns) else { return false };
        went |= look_at(ns, me, index);
    }
    NEXT.store(from, Relaxed);
    went
}

/// Looks at the segment at `index`; whether it went.
pub fn look_at(ns: &'static Namespace, me: Token, index: u32) -> bool {
    match SHM.by_index(ns, index) {
        Ok(object) => visit(ns, &object, me, &mut |segment| {
            if segment.head.common.removed.get() == 0 {
                // Its index has been given to another meanwhile.
                ids::note(ns, Room::Shm, index, false);
            }
            Ok(())
        })
        .is_err(),
        Err(Errno::EINVAL) => {
            let path = Room::Shm.path(index);
            if ns.dir().and_then(|dir| crate::sys::file::stat_at(dir, path.as_cstr())) == Err(Errno::ENOENT) {
                ids::note(ns, Room::Shm, index, false);
            }
            true
        }
        // Not the caller's to look at.
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests;
