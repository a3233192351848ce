//! An object as this process has it mapped, and the slots of all of them.
//!
//! Every call takes a reference, so that another thread's mq_close or IPC_RMID does not unmap the
//! memory under it. Slots are type-stable (never given back), so a reference can be tried on one
//! that has just been retired: the state bits in the count tell.

use super::header::{Header, ObjectKind};
use crate::errno::{Errno, Result};
use crate::likely::unlikely;
use crate::sync::primitive::{AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};
use crate::sys::{file, map};
use core::num::NonZeroUsize;
use once_cell::race::OnceNonZeroUsize;

/// In a table: may be used.
const LIVE: u32 = 1 << 31;
/// Nobody's: may be taken for a new object.
const FREE: u32 = 1 << 30;

/// An object's measures, copied from the header when it was mapped, so that nothing that is written
/// to the header later can lead outside the mapping.
#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
pub struct Geometry {
    /// POSIX: messages the queue holds. System V: 0.
    pub max_messages: u32,
    /// POSIX: bytes a message may have.
    pub message_bytes: u32,
    /// Semaphores in a set.
    pub nsems: u32,
    /// Places for a node: of the node array (POSIX), or units of the arena (System V), or for
    /// a cell of a semaphore set.
    pub nodes: u32,
    /// POSIX: the binary logarithm of the key table's size.
    pub table_bits: u32,
    /// POSIX: offset of the cells, and the distance between them.
    pub cells_at: u64,
    #[allow(missing_docs)]
    pub cell_bytes: u64,
    /// Shared memory: bytes of the segment.
    pub segment_bytes: u64,
    /// POSIX: the user, if the kernel let nobody else (but root) write into the file when it was mapped.
    pub sole_user: Option<u32>,
}

/// One mapped object.
pub struct Object {
    refs: AtomicU32,
    next_free: AtomicU32,
    base: AtomicPtr<u8>,
    len: AtomicUsize,
    device: AtomicU64,
    inode: AtomicU64,
    /// System V: the identifier. POSIX: the descriptor.
    pub number: AtomicI32,
    /// POSIX: the access mode of the descriptor (O_RDONLY, O_WRONLY, O_RDWR, 3: neither).
    pub access: AtomicU32,
    /// System V: the caller's rights, as `perm generation << 32 | credential generation << 4 | rights`.
    /// POSIX: 1 if the description was without O_NONBLOCK when it was last asked.
    pub verdict: AtomicU64,
    kind: AtomicU32,
    /// POSIX: inode of the FIFO that stands in for the descriptor; 0: none does.
    pub fifo: AtomicU64,
    /// POSIX: a descriptor of the queue's file behind the FIFO, or -1.
    pub behind: AtomicI32,
    /// POSIX: a descriptor of that FIFO through which this process keeps it in step, or -1.
    pub tap: AtomicI32,
    /// POSIX: the watch of this descriptor's last registration that had one, or 0
    /// (see [`crate::posix::notify`]).
    pub watch: AtomicUsize,
    geometry: core::cell::UnsafeCell<Geometry>,
}

// SAFETY: all fields are atomics but `geometry`, which is written only between allocation and
// publication and is read-only while references exist.
unsafe impl Sync for Object {}

/// Objects that one process can have mapped: all System V indexes and as many descriptors.
const SLOTS: usize = 1 << 17;

static SLAB: OnceNonZeroUsize = OnceNonZeroUsize::new();
/// Top of the stack of free slots, as `tag << 32 | slot + 1`; the tag counts pops (ABA).
static FREE_TOP: AtomicU64 = AtomicU64::new(0);
static FRESH: AtomicU32 = AtomicU32::new(0);

fn slab() -> Result<&'static [Object]> {
    let p = SLAB.get_or_try_init(|| {
        let p = map::anonymous(SLOTS * size_of::<Object>())?;
        NonZeroUsize::new(p as usize).ok_or(Errno::ENOMEM)
    })?;
    // SAFETY: never unmapped; all-zero is a valid Object with no references.
    Ok(unsafe { core::slice::from_raw_parts(p.get() as *const Object, SLOTS) })
}

fn pop_free(slab: &[Object]) -> Option<u32> {
    let mut top = FREE_TOP.load(Acquire);
    while top as u32 != 0 {
        let slot = top as u32 - 1;
        let next = slab[slot as usize].next_free.load(Relaxed);
        let new = (top >> 32).wrapping_add(1) << 32 | next as u64;
        match FREE_TOP.compare_exchange_weak(top, new, AcqRel, Acquire) {
            Ok(_) => return Some(slot),
            Err(seen) => top = seen,
        }
    }
    None
}

fn push_free(slab: &[Object], slot: u32) {
    let mut top = FREE_TOP.load(Relaxed);
    loop {
        slab[slot as usize].next_free.store(top as u32, Relaxed);
        let new = top & !0xffff_ffff | (slot as u64 + 1);
        match FREE_TOP.compare_exchange_weak(top, new, Release, Relaxed) {
            Ok(_) => return,
            Err(seen) => top = seen,
        }
    }
}

/// A slot that is nobody's: still FREE, but in no list.
fn take_free(slab: &'static [Object]) -> Result<&'static Object> {
    if let Some(slot) = pop_free(slab) {
        return Ok(&slab[slot as usize]);
    }
    let slot = FRESH.fetch_add(1, Relaxed) as usize;
    let Some(object) = slab.get(slot) else {
        FRESH.fetch_sub(1, Relaxed);
        return Err(Errno::ENOMEM);
    };
    object.refs.store(FREE, Relaxed);
    Ok(object)
}

/// A mapping that is not an object of the table yet. It has its slot from the first moment, so that
/// [`lose`] finds it while it is looked at.
pub struct Mapping {
    /// Where it starts.
    pub base: *mut u8,
    /// Its length in bytes.
    pub len: usize,
    /// Which file it is.
    pub file: (u64, u64),
    object: Ref,
}

impl Mapping {
    /// Maps the first `len` bytes of a file.
    pub fn new(fd: i32, len: usize, file: (u64, u64)) -> Result<Mapping> {
        let base = map::shared(fd, len, libc::PROT_READ | libc::PROT_WRITE)?;
        // SAFETY: just mapped.
        unsafe { Self::of(base, len, file) }
    }
    /// Takes charge of a mapping, which ends with the last reference.
    ///
    /// # Safety
    /// `len` bytes are mapped at `base`, which nobody else unmaps.
    pub unsafe fn of(base: *mut u8, len: usize, file: (u64, u64)) -> Result<Mapping> {
        let object = slab().and_then(take_free).inspect_err(|_| {
            // SAFETY: known to nobody yet.
            unsafe { map::unmap(base, len) }
        })?;
        object.base.store(base, Relaxed);
        object.len.store(len, Relaxed);
        // FREE -> one reference, for the caller; stray references of failed tries stay counted.
        object.refs.fetch_sub(FREE - 1, Release);
        Ok(Mapping { base, len, file, object: Ref { object } })
    }
    /// The header.
    pub fn header(&self) -> &Header {
        // SAFETY: every mapping is at least a page long and page-aligned; Header is all atomics.
        unsafe { &*self.base.cast::<Header>() }
    }
    /// Makes an object of it, with one reference for the caller; not yet findable.
    pub fn install(self, kind: ObjectKind, number: i32, access: u32, geometry: Geometry) -> Result<Ref> {
        let object = self.object;
        object.device.store(self.file.0, Relaxed);
        object.inode.store(self.file.1, Relaxed);
        object.number.store(number, Relaxed);
        object.access.store(access, Relaxed);
        object.verdict.store(0, Relaxed);
        object.fifo.store(0, Relaxed);
        object.watch.store(0, Relaxed);
        object.behind.store(-1, Relaxed);
        object.tap.store(-1, Relaxed);
        object.kind.store(kind as u32, Relaxed);
        // SAFETY: the slot is not LIVE, nobody reads its geometry.
        unsafe { *object.geometry.get() = geometry };
        object.refs.fetch_add(LIVE, Release);
        Ok(object)
    }
}

/// A counted reference to a mapped object.
pub struct Ref {
    object: &'static Object,
}

#[inline(always)]
fn add(count: &AtomicU32, n: u32) -> u32 {
    if !cfg!(loom) && single_threaded() {
        // No other thread: a plain addition does, at a fifth of the cost.
        let old = count.load(Relaxed);
        count.store(old.wrapping_add(n), Relaxed);
        old
    } else {
        add_among_threads(count, n)
    }
}

#[cold]
#[inline(never)]
fn add_among_threads(count: &AtomicU32, n: u32) -> u32 {
    count.fetch_add(n, AcqRel)
}

#[inline(always)]
fn single_threaded() -> bool {
    extern "C" {
        static __libc_single_threaded: core::ffi::c_char;
    }
    // SAFETY: a byte that glibc keeps (2.32 and later); threads are only made outside sections.
    unsafe { core::ptr::addr_of!(__libc_single_threaded).read_volatile() != 0 }
}

impl Ref {
    /// A reference to the object in `slot`, if it is in use.
    #[inline(always)]
    pub(super) fn try_slot(slot: u32) -> Option<Ref> {
        if unlikely(slot as usize >= SLOTS) {
            return None;
        }
        let first = SLAB.get()?.get() as *const Object;
        // SAFETY: as in slab(), and the slot is one of its.
        let reference = Ref { object: unsafe { &*first.add(slot as usize) } };
        if unlikely(add(&reference.object.refs, 1) & LIVE == 0) {
            reference.end();
            return None;
        }
        Some(reference)
    }

    /// Which slot it is in.
    pub(super) fn slot(&self) -> u32 {
        let first = SLAB.get().map_or(0, |p| p.get());
        ((self.object as *const Object as usize - first) / size_of::<Object>()) as u32
    }

    /// Its place in this process.
    #[inline(always)]
    pub fn base(&self) -> *mut u8 {
        self.object.base.load(Relaxed)
    }
    /// Bytes mapped.
    pub fn mapped_bytes(&self) -> usize {
        self.object.len.load(Relaxed)
    }
    /// The header.
    #[inline(always)]
    pub fn header(&self) -> &Header {
        // SAFETY: as Mapping::header; the reference keeps the mapping.
        unsafe { &*self.base().cast::<Header>() }
    }
    /// The measures taken when it was mapped.
    #[inline(always)]
    pub fn geometry(&self) -> &Geometry {
        // SAFETY: read-only while references exist.
        unsafe { &*self.object.geometry.get() }
    }
    /// What kind it is.
    #[inline(always)]
    pub fn is(&self, kind: ObjectKind) -> bool {
        self.object.kind.load(Relaxed) == kind as u32
    }
    /// Which file it is.
    pub fn file(&self) -> (u64, u64) {
        (self.object.device.load(Relaxed), self.object.inode.load(Relaxed))
    }
    /// Another reference.
    pub fn again(&self) -> Ref {
        add(&self.object.refs, 1);
        Ref { object: self.object }
    }
    /// Whether the object is still in use: in a table, or about to be.
    pub fn is_live(&self) -> bool {
        self.object.refs.load(Relaxed) & LIVE != 0
    }
    /// Takes the object out of use: no new references, unmapped with the last. Once only.
    pub(super) fn retire(&self) {
        self.object.refs.fetch_and(!LIVE, AcqRel);
    }
}

impl core::ops::Deref for Ref {
    type Target = Object;
    #[inline(always)]
    fn deref(&self) -> &Object {
        self.object
    }
}

impl Ref {
    /// Gives it back, here: what drops it where nobody says so is a function of its own.
    #[inline(always)]
    pub fn end(self) {
        core::mem::ManuallyDrop::new(self).count_down();
    }

    #[inline(always)]
    fn count_down(&self) {
        if unlikely(add(&self.object.refs, u32::MAX) == 1) {
            reclaim(self.object);
        }
    }
}

impl Drop for Ref {
    #[inline(always)]
    fn drop(&mut self) {
        self.count_down();
    }
}

/// Somebody has cut the file of an object short: memory at `addr`, where it was mapped, is gone.
/// From here on the object is nothing but zeros to this process, and every call says so. Called out of
/// a signal handler that has interrupted a section. False: no object of ours.
pub fn lose(addr: usize, me: u64) -> bool {
    let Ok(slab) = slab() else { return false };
    let of_object = |object: &&Object| {
        let base = object.base.load(Relaxed) as usize;
        object.refs.load(Acquire) & FREE == 0 && addr.wrapping_sub(base) < object.len.load(Relaxed)
    };
    let used = (FRESH.load(Acquire) as usize).min(SLOTS);
    let Some(object) = slab[..used].iter().find(of_object) else { return false };
    let (base, len) = (object.base.load(Relaxed), object.len.load(Relaxed));
    if map::is_there(base) {
        // SAFETY: every mapping begins with a header; the page has just been found.
        unsafe { &*base.cast::<Header>() }.lock.release_if(me);
    }
    map::blank(base, len).is_ok()
}

/// The last reference to a retired object is gone.
#[cold]
#[inline(never)]
fn reclaim(object: &'static Object) {
    // A stray try may count up and down to 0 again: only one wins.
    if object.refs.compare_exchange(0, FREE, AcqRel, Relaxed).is_err() {
        return;
    }
    // SAFETY: FREE: nobody uses the mapping any more.
    unsafe { map::unmap(object.base.load(Relaxed), object.len.load(Relaxed)) };
    if let Ok(slab) = slab() {
        push_free(slab, (Ref { object }).leak_slot());
    }
}

impl Ref {
    /// The slot of the object; the reference stays counted until [`Ref::adopt`] takes it back.
    pub fn leak_slot(self) -> u32 {
        let slot = self.slot();
        core::mem::forget(self);
        slot
    }
    /// Takes back a reference that was leaked; `slot` comes from [`Ref::leak_slot`].
    pub fn adopt(slot: u32) -> Option<Ref> {
        slab().ok()?.get(slot as usize).map(|object| Ref { object })
    }
    /// Another reference to what a leaked one refers to, retired or not. Whoever holds that one may
    /// give it up meanwhile: the caller looks again whether it is still there.
    pub fn beside(slot: u32) -> Option<Ref> {
        let object = slab().ok()?.get(slot as usize)?;
        add(&object.refs, 1);
        Some(Ref { object })
    }
}

/// Opens `path` for mapping: a regular file of at least `least` bytes, not a link, device or FIFO.
/// Errors: those of open(2); EINVAL for another type of file or a shorter one.
pub fn open_file(dir: i32, path: &core::ffi::CStr, least: u64) -> Result<(file::Fd, file::Stat)> {
    let flags = libc::O_RDWR | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    let fd = file::open_at(dir, path, flags, 0)?;
    let st = file::stat(fd.raw())?;
    if !st.is(libc::S_IFREG) || st.size < least {
        return Err(Errno::EINVAL);
    }
    Ok((fd, st))
}
