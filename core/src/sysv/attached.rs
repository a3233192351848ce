//! This process's attachments: a table in ordinary memory, which a fork copies with what it tells of.
//!
//! There is no lock. An entry is committed by its state, so that a fork in the midst of another
//! thread's shmat or shmdt copies a table in order; several threads may attach and detach at once.
//! How often the process has a segment attached is counted in here whenever it changes, and only
//! then written to the segment.

use crate::errno::{Errno, Result};
use crate::process;
use crate::region::object::Ref;
use crate::sync::primitive::{fence, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};
use crate::sys::map;
use core::num::NonZeroUsize;
use once_cell::race::OnceNonZeroUsize;

/// The lowest bits of a state; above them is a number that moves when the entry is taken, so that
/// nobody takes the next attachment in it for the last.
const STATE: u32 = 3;
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
    /// While it is being detached: the piece claimed before, its number + 1.
    before: AtomicUsize,
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
        let free = |p: &&Place| {
            let seen = p.state.load(Relaxed);
            let next = (seen & !STATE).wrapping_add(STATE + 1) | BUSY;
            seen & STATE == FREE && p.state.compare_exchange(seen, next, Acquire, Relaxed).is_ok()
        };
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

    /// Ends the caller's hold on an entry that was taken or claimed.
    fn set(&self, state: u32) {
        self.state.store(self.state.load(Relaxed) & !STATE | state, Release);
    }

    fn commit(&self) {
        self.set(USED);
        ATTACHES.fetch_add(1, Relaxed);
        if let Ok(page) = process::page() {
            page.attaches.fetch_add(1, Relaxed);
        }
    }

    /// Gives an entry that was taken or claimed back.
    pub fn free(&self) {
        self.set(FREE);
    }

    /// What `read` finds in an entry that is in use, and the state that it had all the while.
    fn look<T>(&self, read: impl FnOnce(&Place) -> T) -> Option<(u32, T)> {
        let state = self.state.load(Acquire);
        if state & STATE != USED {
            return None;
        }
        let found = read(self);
        fence(Acquire);
        (self.state.load(Relaxed) == state).then_some((state, found))
    }

    /// Takes it out of use, for one thread to change, if it is still in the state in which it was seen.
    fn claim(&self, seen: u32) -> bool {
        if self.state.compare_exchange(seen, seen & !STATE | BUSY, AcqRel, Relaxed).is_err() {
            return false;
        }
        ATTACHES.fetch_sub(1, Relaxed);
        if let Ok(page) = process::page() {
            page.attaches.fetch_sub(1, Relaxed);
        }
        true
    }

    fn file(&self) -> (u64, u64) {
        (self.device.load(Relaxed), self.inode.load(Relaxed))
    }

    fn range(&self) -> (usize, usize) {
        (self.start.load(Relaxed), self.end.load(Relaxed))
    }

    fn is_of(&self, object: &Ref) -> bool {
        self.look(Place::file).is_some_and(|(_, file)| file == object.file())
    }

    /// The object, if the entry is in use.
    fn object(&self) -> Option<Ref> {
        // The reference is not ours to take when another thread detaches in between; then it is dropped.
        self.look(|p| Ref::beside(p.slot.load(Relaxed))).and_then(|(_, object)| object)
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
    for place in places() {
        match place.look(|p| (p.file(), p.range())) {
            Some((_, (file, (start, end)))) if file == object.file() => each(start, end - start),
            _ => {}
        }
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
    // The lowest piece that began there, and how it was seen.
    let lowest = |of: Option<(u64, u64)>| {
        let pieces = places().iter().enumerate().filter_map(|(i, place)| {
            let (state, (at, start, file)) = place.look(|p| (p.base.load(Relaxed), p.range().0, p.file()))?;
            (at == base && of.is_none_or(|of| of == file)).then_some((start, state, i, place))
        });
        pieces.min_by_key(|(start, ..)| *start)
    };
    let mut object: Option<Ref> = None;
    let mut last = 0;
    while let Some((_, state, i, place)) = lowest(object.as_ref().map(Ref::file)) {
        if place.claim(state) {
            object = place.adopt();
            place.before.store(last, Relaxed);
            last = i + 1;
        }
    }
    // Only now: as soon as the place is free, another thread may attach the same segment there.
    while last != 0 {
        let place = &places()[last - 1];
        let (start, end) = place.range();
        last = place.before.load(Relaxed);
        // SAFETY: the program asks for it.
        unsafe { map::unmap(start as *mut u8, end - start) };
        place.free();
    }
    object
}

/// Cuts `[start, end)`, where `except` has just been attached, out of all other attachments:
/// SHM_REMAP has replaced them, or the program had unmapped them itself. Calls `each` with the
/// objects of those.
pub fn cut_out(start: usize, end: usize, except: &Place, each: &mut dyn FnMut(Ref)) {
    for place in places() {
        if core::ptr::eq(place, except) {
            continue;
        }
        let Some((state, (first, last))) = place.look(Place::range) else { continue };
        if last <= start || end <= first || !place.claim(state) {
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
