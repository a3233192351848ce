//! System V semaphores: semget(2).

pub use super::semctl::control;
pub use super::semop::{operate, operate_within};

use super::object::{Get, Keys, Kind};
use crate::errno::{Errno, Result};
use crate::limits::{self, Limit};
use crate::namespace::{self, ids, ids::Room, lifeline, Namespace};
use crate::perm::{self, Perm};
use crate::region::header::ObjectKind;
use crate::region::object::{Geometry, Mapping, Ref};
use crate::region::table::Table;
use crate::semset::layout::*;
use crate::semset::Set;
use crate::sync::section::Section;
use crate::sys::{clock, file};
use core::ffi::c_int;
use core::sync::atomic::AtomicU64;

/// Length of a set's file beyond its tables; sparse: cells for sleepers and adjustments.
const CELL_BYTES: u64 = 4 << 20;
/// Steps of the redo record that always have memory: the adjustments of a dead process need as many.
const FIRST_STEPS: usize = GROUP as usize;

/// Semaphore sets, as a kind of object.
pub static SEM: Kind = Kind {
    room: Room::Sem,
    mark: ObjectKind::Sem,
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
    most_mapped: u64::MAX,
    empty: |_, _, _| {},
};

/// Bytes that every file of it has.
const LEAST: u64 = 4096;

fn measure(mapping: &Mapping, size: u64) -> Result<Geometry> {
    // SAFETY: the mapping has a page at least; all atomics.
    let nsems = unsafe { &*mapping.base.cast::<SetHeader>() }.nsems.get();
    // More semaphores than there were would be written beyond the program's array by GETALL.
    if nsems == 0 || nsems > MAX_SEMS || size != length(nsems) && size != short_length(nsems) {
        return Err(Errno::EINVAL);
    }
    let cells_at = Offsets::of(nsems).cells as u64;
    let nodes = u32::try_from((size - cells_at) / size_of::<Cell>() as u64).map_err(|_| Errno::EINVAL)?;
    Ok(Geometry { nsems, nodes, ..Geometry::default() })
}

/// Length of the file of a set of `nsems`: longer for every semaphore, so that it says how many there
/// are to those who may not open it.
const fn length(nsems: u32) -> u64 {
    Offsets::of(nsems).cells as u64 + CELL_BYTES + nsems as u64 * size_of::<Cell>() as u64
}

/// The same where RLIMIT_FSIZE does not allow more.
const fn short_length(nsems: u32) -> u64 {
    Offsets::of(nsems).cells as u64 + 4096
}

/// Makes a set that has no name yet.
fn make(ns: &Namespace, key: i32, nsems: u32, perm: &Perm) -> Result<(file::Fd, Mapping, u64)> {
    let mode = perm::file_mode(perm.mode);
    let fd = file::open_at(ns.dir()?, c"sem", libc::O_TMPFILE | libc::O_RDWR, mode)?;
    let no_room = |_| Errno::ENOSPC;
    let offsets = Offsets::of(nsems);
    let reserved = ((offsets.redo + FIRST_STEPS * size_of::<Step>()) as u64).next_multiple_of(4096);
    let mut size = length(nsems);
    if file::set_len(fd.raw(), size) == Err(Errno::EFBIG) {
        size = short_length(nsems);
        file::set_len(fd.raw(), size).map_err(no_room)?;
    }
    file::reserve(fd.raw(), 0, reserved).map_err(no_room)?;
    let st = file::ensure_mode(fd.raw(), mode)?;
    let mapping = Mapping::new(fd.raw(), size as usize, st.file)?;
    mapping.header().initialise(ObjectKind::Sem, key, perm, clock::now_s());
    // SAFETY: as in measure().
    let head = unsafe { &*mapping.base.cast::<SetHeader>() };
    head.nsems.set(nsems);
    head.redo_backed.set(((reserved as usize - offsets.redo) / size_of::<Step>()) as u32);
    let geometry = measure(&mapping, size)?;
    // SAFETY: the mapping is as long as the measures say.
    let set = unsafe { Set::raw(mapping.base, &geometry) };
    set.initialise()?;
    Ok((fd, mapping, size))
}

/// The identifier of the set with this key, or of a new one.
/// EACCES, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC. semget(2)
pub fn get(key: libc::key_t, nsems: c_int, flags: c_int) -> Result<c_int> {
    let ns = namespace::current()?;
    let nsems = u32::try_from(nsems).map_err(|_| Errno::EINVAL)?;
    if nsems as u64 > limits::get(ns, Limit::SemMsl) {
        return Err(Errno::EINVAL);
    }
    let _section = Section::enter()?;
    // Who only makes or opens a set uses the namespace too: nobody is to remove it under him.
    lifeline::my_token(ns)?;
    Get {
        kind: &SEM,
        ns,
        key,
        flags,
        make: &|perm| {
            if nsems == 0 {
                return Err(Errno::EINVAL);
            }
            make(ns, key, nsems, perm)
        },
        suits: &|object| if nsems > object.geometry().nsems { Err(Errno::EINVAL) } else { Ok(()) },
        least: length(nsems),
        limit: limits::get(ns, Limit::SemMni) as u32,
    }
    .run()
}

/// The set, for operations on semaphores up to `last`. EINVAL; EFBIG, before EACCES.
pub fn find(ns: &'static Namespace, id: c_int, last: u32) -> Result<Ref> {
    SEM.by_id(ns, id).map_err(|e| if e == Errno::EACCES { out_of_reach(ns, id, last) } else { e })
}

/// What a caller hears who may not open the set.
#[cold]
#[inline(never)]
fn out_of_reach(ns: &'static Namespace, id: c_int, last: u32) -> Errno {
    let path = Room::Sem.path(ids::index_of(id));
    match ns.dir().and_then(|dir| file::stat_at(dir, path.as_cstr())) {
        Ok(st) if last >= MAX_SEMS || st.size < length(last + 1) => Errno::EFBIG,
        _ => Errno::EACCES,
    }
}
