//! This process's attachments: a table in ordinary memory, which a fork copies with what it tells of.
//!
//! There is no lock. An entry is committed by its state, so that a fork in the midst of another
//! thread's shmat or shmdt copies a table in order; several threads may attach and detach at once.
//! How often the process has a segment attached is counted in here whenever it changes, and only
//! then written to the segment.

use crate::errno::{Errno, Result};
use crate::process;
use crate::region::object::Ref;
use crate::sys::map;
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::*};
use once_cell::race::OnceNonZeroUsize;

const FREE: u32 = 0;
/// Being filled, changed or emptied by one thread.
const BUSY: u32 = 1;
const USED: u32 = 2;

/// As many mappings as a process can have (vm.max_map_count of Linux is 65530).
const PLACES: usize = 1 << 16;

/// How many attachments this process has, or had when it was forked off.
pub static ATTACHES: AtomicU32 = AtomicU32::new(0);
static TABLE: OnceNonZeroUsize = OnceNonZeroUsize::new();
/// Entries that were ever in use.
static HIGH: AtomicUsize = AtomicUsize::new(0);

/// An attachment. One that SHM_REMAP has cut in two is two with the same `base`.
#[repr(C)]
pub struct Place {
    state: AtomicU32,
    /// The object, by a counted reference (see [`Ref::adopt`]).
    slot: AtomicU32,
    device: AtomicU64,
    inode: AtomicU64,
    /// What shmat returned.
    base: AtomicUsize,
    /// What is still mapped of it.
    start: AtomicUsize,
    end: AtomicUsize,
}

/// The entries that were ever in use.
fn places() -> &'static [Place] {
    match TABLE.get() {
        // SAFETY: a mapping of PLACES all-zero entries that is never removed.
        Some(p) => unsafe {
            core::slice::from_raw_parts(p.get() as *const Place, HIGH.load(Acquire).min(PLACES))
        },
        None => &[],
    }
}

/// An entry for the caller to fill. ENOMEM
pub fn take() -> Result<&'static Place> {
    TABLE.get_or_try_init(|| {
        NonZeroUsize::new(map::anonymous(PLACES * size_of::<Place>())? as usize).ok_or(Errno::ENOMEM)
    })?;
    loop {
        let places = places();
        let free = |p: &&Place| p.state.compare_exchange(FREE, BUSY, Acquire, Relaxed).is_ok();
        if let Some(place) = places.iter().find(free) {
            return Ok(place);
        }
        if places.len() == PLACES {
            return Err(Errno::ENOMEM);
        }
        HIGH.fetch_max(places.len() + 1, AcqRel);
    }
}

impl Place {
    /// Commits the attachment of `object` at `[start, end)`, part of one that began at `base`.
    pub fn fill(&self, object: Ref, base: usize, start: usize, end: usize) {
        let (device, inode) = object.file();
        self.device.store(device, Relaxed);
        self.inode.store(inode, Relaxed);
        self.slot.store(object.leak_slot(), Relaxed);
        self.base.store(base, Relaxed);
        self.start.store(start, Relaxed);
        self.end.store(end, Relaxed);
        self.commit();
    }

    fn commit(&self) {
        self.state.store(USED, Release);
        ATTACHES.fetch_add(1, Relaxed);
        if let Ok(page) = process::page() {
            page.attaches.fetch_add(1, Relaxed);
        }
    }

    /// Takes it out of use, for one thread to change.
    fn claim(&self) -> bool {
        if self.state.compare_exchange(USED, BUSY, AcqRel, Relaxed).is_err() {
            return false;
        }
        ATTACHES.fetch_sub(1, Relaxed);
        if let Ok(page) = process::page() {
            page.attaches.fetch_sub(1, Relaxed);
        }
        true
    }

    /// Gives an entry that was taken or claimed back.
    pub fn free(&self) {
        self.state.store(FREE, Release);
    }

    fn is_used(&self) -> bool {
        self.state.load(Acquire) == USED
    }

    fn is_of(&self, object: &Ref) -> bool {
        self.is_used() && (self.device.load(Relaxed), self.inode.load(Relaxed)) == object.file()
    }

    fn range(&self) -> (usize, usize) {
        (self.start.load(Relaxed), self.end.load(Relaxed))
    }

    /// The object, if the entry is in use.
    fn object(&self) -> Option<Ref> {
        if !self.is_used() {
            return None;
        }
        let slot = self.slot.load(Relaxed);
        // Another thread may detach it in between: look again while the reference holds the object.
        Ref::beside(slot).filter(|_| self.is_used() && self.slot.load(Relaxed) == slot)
    }

    /// The reference of an entry that is claimed.
    fn adopt(&self) -> Option<Ref> {
        Ref::adopt(self.slot.load(Relaxed))
    }
}

/// How often this process has `object` attached.
pub fn count(object: &Ref) -> u32 {
    places().iter().filter(|p| p.is_of(object)).count() as u32
}

/// Calls `each` with every range in which this process has `object` attached.
pub fn each_range(object: &Ref, each: &mut dyn FnMut(usize, usize)) {
    for place in places().iter().filter(|p| p.is_of(object)) {
        let (start, end) = place.range();
        each(start, end - start);
    }
}

/// Calls `each` with every object that this process has attached.
pub fn each_object(each: &mut dyn FnMut(&Ref)) {
    let places = places();
    for (i, place) in places.iter().enumerate() {
        let Some(object) = place.object() else { continue };
        if !places[..i].iter().any(|p| p.is_of(&object)) {
            each(&object);
        }
    }
}

/// Unmaps what is left of the attachment that began at `base`; its object. Of two threads that ask,
/// one gets None. Of several segments, one over the other's beginning, the lower goes. Linux: ksys_shmdt
pub fn detach(base: usize) -> Option<Ref> {
    let at_base = |p: &&Place| p.is_used() && p.base.load(Relaxed) == base;
    let first = loop {
        let lowest = places().iter().filter(at_base).min_by_key(|p| p.range().0)?;
        if lowest.claim() {
            break lowest;
        }
    };
    let object = first.adopt()?;
    let unmap = |place: &Place| {
        let (start, end) = place.range();
        // SAFETY: the program asks for it.
        unsafe { map::unmap(start as *mut u8, end - start) };
        place.free();
    };
    unmap(first);
    for place in places().iter().filter(at_base).filter(|p| p.is_of(&object) && p.claim()) {
        drop(place.adopt());
        unmap(place);
    }
    Some(object)
}

/// Cuts `[start, end)`, where `except` has just been attached, out of all other attachments:
/// SHM_REMAP has replaced them, or the program had unmapped them itself. Calls `each` with the
/// objects of those.
pub fn cut_out(start: usize, end: usize, except: &Place, each: &mut dyn FnMut(Ref)) {
    for place in places() {
        let (first, last) = place.range();
        if core::ptr::eq(place, except) || !place.is_used() || last <= start || end <= first || !place.claim()
        {
            continue;
        }
        let Some(object) = place.adopt() else { continue };
        if first < start && end < last {
            if let Ok(rest) = take() {
                rest.fill(object.again(), place.base.load(Relaxed), end, last);
            }
        }
        if first < start {
            place.end.store(start, Relaxed);
        } else if end < last {
            place.start.store(end, Relaxed);
        } else {
            place.free();
            each(object);
            continue;
        }
        place.slot.store(object.again().leak_slot(), Relaxed);
        place.commit();
        each(object);
    }
}
