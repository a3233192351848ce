//! Indexes, sequence numbers and keys of the System V objects.
//!
//! An identifier is `sequence << 15 | index`, as the kernel's. The file `msg/.seq` (one a kind)
//! holds the next sequence number and a map of the indexes in use. Both are only hints: what is
//! there is what `linkat` has made, and whoever spoils the hints makes creation slower, or
//! identifiers less distinct, but breaks no object.

use super::Namespace;
use crate::errno::{Errno, Result};
use crate::sys::{file, map};
use crate::text::{parse_u64, Text};
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering::*};
use once_cell::race::OnceNonZeroUsize;

/// Indexes of one kind: IPCMNI of Linux.
pub const INDEXES: u32 = 1 << 15;

/// A kind of System V object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Room {
    /// Message queues.
    Msg = 0,
    /// Semaphore sets.
    Sem = 1,
    /// Shared memory segments.
    Shm = 2,
}

impl Room {
    /// The directory.
    pub const fn name(self) -> &'static str {
        match self {
            Room::Msg => "msg",
            Room::Sem => "sem",
            Room::Shm => "shm",
        }
    }
    /// `<room>/<index>`.
    pub fn path(self, index: u32) -> Text<32> {
        let mut path = Text::new();
        path.push(self.name().as_bytes()).push(b"/").push_u64(index as u64);
        path
    }
    /// `keys/<room>-<key>`.
    pub fn key_path(self, key: i32) -> Text<32> {
        let mut path = Text::new();
        path.push(b"keys/").push(self.name().as_bytes()).push(b"-").push_hex32(key as u32);
        path
    }
}

/// The index part of an identifier.
pub const fn index_of(id: i32) -> u32 {
    id as u32 & (INDEXES - 1)
}

/// `msg/.seq`, mapped.
#[repr(C)]
struct Hints {
    next_seq: AtomicU32,
    _pad: AtomicU32,
    map: [AtomicU64; INDEXES as usize / 64],
    /// What is to be looked at now and then. Shared memory: removed segments that go with their last attachment.
    /// Queues: those that may hold messages, for who asks how many there are in all. The last 64 indexes have no bit.
    noted: [AtomicU64; (4096 - 8) / 8],
    /// The sequence number of each index's last object, for those who may not open it.
    sequences: [AtomicU16; INDEXES as usize],
}

/// The part that always has memory; that of `sequences` comes as indexes are used.
const HINTS_FIRST: usize = 8192;
const HINTS_LEN: usize = size_of::<Hints>();
const _: () =
    assert!(core::mem::offset_of!(Hints, sequences) == HINTS_FIRST && HINTS_LEN.is_multiple_of(4096));

static HINTS: [OnceNonZeroUsize; 3] = [const { OnceNonZeroUsize::new() }; 3];

fn hints(ns: &Namespace, room: Room) -> Result<&'static Hints> {
    let p = HINTS[room as usize].get_or_try_init(|| {
        let mut path = Text::<16>::new();
        path.push(room.name().as_bytes()).push(b"/.seq");
        let flags = libc::O_RDWR | libc::O_NOFOLLOW;
        let dir = ns.dir()?;
        // First without O_CREAT: fs.protected_regular forbids it for another user's file.
        let fd = file::open_at(dir, path.as_cstr(), flags, 0)
            .or_else(|_| file::open_at(dir, path.as_cstr(), flags | libc::O_CREAT, 0o600))?;
        let st = file::stat(fd.raw())?;
        if ns.room_mode == 0o1777 && st.mode & 0o666 != 0o666 {
            file::set_mode(fd.raw(), 0o666)?;
        }
        if st.size < HINTS_LEN as u64 {
            file::set_len(fd.raw(), HINTS_LEN as u64)?;
        }
        file::reserve(fd.raw(), 0, HINTS_FIRST as u64)?;
        let p = map::shared(fd.raw(), HINTS_LEN, libc::PROT_READ | libc::PROT_WRITE)?;
        NonZeroUsize::new(p as usize).ok_or(Errno::ENOMEM)
    })?;
    // SAFETY: the mapping is never removed, all its fields are atomics.
    Ok(unsafe { &*(p.get() as *const Hints) })
}

/// As [`crate::region::object::lose`], for the hints.
pub fn lose_hints(addr: usize) -> bool {
    let of = |p: &&OnceNonZeroUsize| p.get().is_some_and(|p| addr.wrapping_sub(p.get()) < HINTS_LEN);
    let Some(base) = HINTS.iter().find(of).and_then(OnceNonZeroUsize::get) else { return false };
    map::blank(base.get() as *mut u8, HINTS_LEN).is_ok()
}

impl Hints {
    /// Whether that changes anything.
    fn mark(&self, index: u32, used: bool) -> bool {
        let bit = 1u64 << (index % 64);
        let word = &self.map[index as usize / 64];
        let old = if used { word.fetch_or(bit, Relaxed) } else { word.fetch_and(!bit, Relaxed) };
        (old & bit != 0) != used
    }
    /// Notes the sequence number of an index; without memory for it, it stays unknown.
    fn note_sequence(&self, index: u32, sequence: u32) {
        // Pages of `sequences` known to have memory, by this process.
        static BACKED: AtomicU32 = AtomicU32::new(0);
        let page = index / 2048;
        let word = &self.sequences[index as usize];
        if BACKED.load(Relaxed) >> page & 1 == 0 {
            let page_start = (word.as_ptr() as usize & !4095) as *mut u8;
            if map::back(page_start, 4096).is_err() {
                return;
            }
            BACKED.fetch_or(1 << page, Relaxed);
        }
        word.store(sequence as u16, Relaxed);
    }
    fn lowest_free(&self, from: u32) -> Option<u32> {
        let first = from / 64;
        (first..INDEXES / 64).find_map(|w| {
            let mut free = !self.map[w as usize].load(Relaxed);
            if w == first {
                free &= u64::MAX << (from % 64);
            }
            (free != 0).then(|| w * 64 + free.trailing_zeros())
        })
    }
    /// Whether at least `limit` indexes are in use. To count them takes a microsecond, to see that they cannot be so many does not.
    fn is_full(&self, limit: u32) -> bool {
        let words = self.map.iter().filter(|w| w.load(Relaxed) != 0).count() as u32;
        words * 64 >= limit && self.count() >= limit
    }
    fn count(&self) -> u32 {
        // Without an instruction for it, to count the bits of a word is many; of nearly all there is none.
        self.map.iter().map(|w| w.load(Relaxed)).filter(|w| *w != 0).map(u64::count_ones).sum()
    }
}

/// How many indexes are in use, and the highest of them.
pub fn used(ns: &Namespace, room: Room) -> Result<(u32, Option<u32>)> {
    let hints = hints(ns, room)?;
    let highest = (0..hints.map.len()).rev().find_map(|w| {
        let word = hints.map[w].load(Relaxed);
        (word != 0).then(|| w as u32 * 64 + 63 - word.leading_zeros())
    });
    Ok((hints.count(), highest))
}

/// The identifier that the object at `index` had when it was made, by the hint.
pub fn known_id(ns: &Namespace, room: Room, index: u32) -> i32 {
    let sequence = hints(ns, room).map_or(0, |h| {
        let word = &h.sequences[(index % INDEXES) as usize];
        // A page that nobody has written to reads as zeros.
        word.load(Relaxed) as u32
    });
    (sequence << 15 | index) as i32
}

/// Gives the finished, still nameless file `fd` an index. `stamp` writes the identifier into it
/// before it gets its name, so that nobody ever sees it without. ENOSPC above `limit` objects.
pub fn publish(ns: &Namespace, room: Room, fd: i32, limit: u32, stamp: &dyn Fn(i32)) -> Result<i32> {
    let hints = hints(ns, room)?;
    if hints.is_full(limit) {
        recount(ns, room)?;
        if hints.is_full(limit) {
            return Err(Errno::ENOSPC);
        }
    }
    let sequence = hints.next_seq.fetch_add(1, Relaxed) & 0xffff;
    let dir = ns.dir()?;
    let mut from = 0;
    while let Some(index) = hints.lowest_free(from) {
        from = index + 1;
        // Before the name, so that who is killed on the way leaves marks without names, never names without marks: errors
        // that add up show in the count.
        if !hints.mark(index, true) {
            continue;
        }
        let id = (sequence << 15 | index) as i32;
        stamp(id);
        if room == Room::Msg {
            // Who asks for all queues is to see this one even if nobody ever sets its key.
            note(ns, room, index, true);
        }
        match file::link_unnamed(fd, dir, room.path(index).as_cstr()) {
            Ok(()) => {
                // Who counted meanwhile found no name.
                hints.mark(index, true);
                hints.note_sequence(index, sequence);
                return Ok(id);
            }
            Err(Errno::EEXIST) => {}
            Err(e) => {
                hints.mark(index, false);
                return Err(e);
            }
        }
    }
    Err(Errno::ENOSPC)
}

/// Makes the hints true again if the directory contradicts them: after files were removed by hand, or processes killed on the way.
pub fn recount(ns: &Namespace, room: Room) -> Result<()> {
    let hints = hints(ns, room)?;
    if entries(ns, room)? == Some(hints.count()) {
        return Ok(());
    }
    let mut found = [0u64; INDEXES as usize / 64];
    read_indexes(ns, room, &mut |index| found[index as usize / 64] |= 1 << (index % 64))?;
    for (word, found) in hints.map.iter().zip(&found) {
        word.fetch_or(*found, Relaxed);
    }
    for (word, found) in hints.noted.iter().zip(&found) {
        word.fetch_or(*found, Relaxed);
    }
    let dir = ns.dir()?;
    each_bit(hints.map.iter().zip(&found).map(|(word, found)| word.load(Relaxed) & !found), &mut |index| {
        hints.mark(index, false);
        // It may have got its name since the directory was read.
        if file::stat_at(dir, room.path(index).as_cstr()).is_ok() {
            hints.mark(index, true);
        }
    });
    Ok(())
}

/// How many indexes there are, where the directory's length says it: on tmpfs, which counts 20 bytes for each entry, `.` and `..`.
fn entries(ns: &Namespace, room: Room) -> Result<Option<u32>> {
    let mut path = Text::<8>::new();
    path.push(room.name().as_bytes());
    let len = file::stat_at(ns.dir()?, path.as_cstr())?.size;
    // And one for the hints.
    Ok(u32::try_from(len / 20).ok().filter(|_| len.is_multiple_of(20)).and_then(|n| n.checked_sub(3)))
}

/// Calls `each` with every index that is there, by the hints, once they agree with the directory.
pub fn each_index(ns: &Namespace, room: Room, each: &mut dyn FnMut(u32)) -> Result<()> {
    recount(ns, room)?;
    each_bit(hints(ns, room)?.map.iter().map(|word| word.load(Relaxed)), each);
    Ok(())
}

/// The same with those that are noted, and those that cannot be.
pub fn each_noted(ns: &Namespace, room: Room, each: &mut dyn FnMut(u32)) -> Result<()> {
    recount(ns, room)?;
    let hints = hints(ns, room)?;
    let noted = hints.noted.iter().map(|word| word.load(Relaxed)).chain([u64::MAX]);
    each_bit(hints.map.iter().zip(noted).map(|(word, noted)| word.load(Relaxed) & noted), each);
    Ok(())
}

fn each_bit(words: impl Iterator<Item = u64>, each: &mut dyn FnMut(u32)) {
    for (w, mut bits) in words.enumerate() {
        while bits != 0 {
            each(w as u32 * 64 + bits.trailing_zeros());
            bits &= bits - 1;
        }
    }
}

/// Calls `each` with every index in the directory, whatever the hints say.
pub fn read_indexes(ns: &Namespace, room: Room, each: &mut dyn FnMut(u32)) -> Result<()> {
    let mut path = Text::<8>::new();
    path.push(room.name().as_bytes());
    let dir = file::open_at(ns.dir()?, path.as_cstr(), libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    file::each_entry(dir.raw(), &mut |name| {
        if let Some(index) = super::choose::index_of(name).filter(|i| *i < INDEXES as u64) {
            each(index as u32);
        }
        true
    })
}

/// Notes that the object at `index` is to be looked at now and then, or is not. A hint.
pub fn note(ns: &Namespace, room: Room, index: u32, wanted: bool) {
    let Some(word) = hints(ns, room).ok().and_then(|h| h.noted.get(index as usize / 64)) else { return };
    let bit = 1u64 << (index % 64);
    if wanted {
        word.fetch_or(bit, Relaxed);
    } else if word.load(Relaxed) & bit != 0 {
        word.fetch_and(!bit, Relaxed);
    }
}

/// The first index from `from` on that is noted.
pub fn next_noted(ns: &Namespace, room: Room, from: u32) -> Option<u32> {
    let hints = hints(ns, room).ok()?;
    let first = from as usize / 64;
    (first..hints.noted.len()).find_map(|w| {
        let mut bits = hints.noted[w].load(Relaxed);
        if w == first {
            bits &= u64::MAX << (from % 64);
        }
        (bits != 0).then(|| w as u32 * 64 + bits.trailing_zeros())
    })
}

/// Takes the name of an object away; its index may be used again.
pub fn withdraw(ns: &Namespace, room: Room, index: u32) -> Result<()> {
    match file::unlink_at(ns.dir()?, room.path(index).as_cstr(), 0) {
        Ok(()) | Err(Errno::ENOENT) => {}
        Err(e) => return Err(e),
    }
    if let Ok(hints) = hints(ns, room) {
        // Before the index is another's.
        note(ns, room, index, false);
        hints.mark(index, false);
    }
    Ok(())
}

/// The identifier that `key` leads to. It needs no permission on the object. ENOENT.
pub fn find_key(ns: &Namespace, room: Room, key: i32) -> Result<i32> {
    let mut buf = [0u8; 16];
    let n = match file::read_link_at(ns.dir()?, room.key_path(key).as_cstr(), &mut buf) {
        Ok(n) => n,
        // Not a symbolic link: nobody's key.
        Err(Errno::EINVAL) => return Err(Errno::ENOENT),
        Err(e) => return Err(e),
    };
    parse_u64(&buf[..n]).and_then(|id| i32::try_from(id).ok()).ok_or(Errno::ENOENT)
}

/// Makes `key` lead to `id`: EEXIST when it leads somewhere already. One creator wins.
pub fn set_key(ns: &Namespace, room: Room, key: i32, id: i32) -> Result<()> {
    let mut text = Text::<16>::new();
    text.push_u64(id as u64);
    file::symlink_at(text.as_cstr(), ns.dir()?, room.key_path(key).as_cstr())
}

/// Removes the key if it still leads to `id`. The caller holds that object's lock (only under it
/// is a key to it ever removed, so that nobody else can change the link in between).
pub fn clear_key(ns: &Namespace, room: Room, key: i32, id: i32) -> Result<()> {
    match find_key(ns, room, key) {
        Ok(found) if found == id => file::unlink_at(ns.dir()?, room.key_path(key).as_cstr(), 0),
        Ok(_) | Err(Errno::ENOENT) => Ok(()),
        Err(e) => Err(e),
    }
}
