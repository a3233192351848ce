//! System V message queues: msgget(2), msgop(2).

pub use super::msgctl::control;
pub use super::msgop::{receive, send};

use super::object::{Get, Keys, Kind};
use crate::errno::{Errno, Result};
use crate::limits::{self, Limit};
use crate::namespace::{self, ids::Room, lifeline, Namespace};
use crate::perm::{self, Perm};
use crate::queue::layout::*;
use crate::queue::Queue;
use crate::region::header::ObjectKind;
use crate::region::object::{Geometry, Mapping};
use crate::region::table::Table;
use crate::region::NIL;
use crate::sync::section::Section;
use crate::sys::{clock, file};
use core::ffi::c_int;
use core::sync::atomic::AtomicU64;

/// Length of a new queue's file; sparse, so that most queues never have to be mapped again.
const FILE_BYTES: u64 = 4 << 20;

/// Message queues, as a kind of object.
pub static MSG: Kind = Kind {
    room: Room::Msg,
    mark: ObjectKind::Msg,
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
const LEAST: u64 = (NODES_AT + FIRST_BYTES) as u64;

pub(super) fn measure(_: &Mapping, size: u64) -> Result<Geometry> {
    let units = (size - NODES_AT as u64) / UNIT as u64;
    let nodes = u32::try_from(units).map_err(|_| Errno::EINVAL)? - (NODE_UNITS - 1);
    Ok(Geometry { nodes, ..Geometry::default() })
}

/// Makes a queue that has no name yet.
fn make(ns: &Namespace, key: i32, perm: &Perm) -> Result<(file::Fd, Mapping, u64)> {
    let mode = perm::file_mode(perm.mode);
    let fd = file::open_at(ns.dir()?, c"msg", libc::O_TMPFILE | libc::O_RDWR, mode)?;
    let no_room = |_| Errno::ENOSPC;
    let mut size = FILE_BYTES;
    if file::set_len(fd.raw(), size) == Err(Errno::EFBIG) {
        size = LEAST;
        file::set_len(fd.raw(), size).map_err(no_room)?;
    }
    reserve_beginning(fd.raw(), LEAST).map_err(no_room)?;
    let st = file::ensure_mode(fd.raw(), mode)?;
    let mapping = Mapping::new(fd.raw(), size as usize, st.file)?;
    mapping.header().initialise(ObjectKind::Msg, key, perm, clock::now_s());
    let geometry = measure(&mapping, size)?;
    // SAFETY: the mapping is as long as the measures say.
    let queue = unsafe { Queue::raw(mapping.base, &geometry, true) };
    queue.initialise(limits::get(ns, Limit::MsgMnb));
    Ok((fd, mapping, size))
}

impl Queue<'_> {
    /// Fills a new, all-zero System V queue.
    pub(crate) fn initialise(&self, max_bytes: u64) {
        let head = self.head();
        head.max_bytes.set(max_bytes);
        // As its index is from the moment it has one.
        head.noted.set(1);
        head.clear_lists();
        head.table.set(NIL);
        head.last_run.set(NIL);
        head.fresh.set(NIL);
        head.buckets.iter().chain(&head.bins).for_each(|w| w.set(NIL));
        // A new arena has nothing that could contradict itself.
        let _ = self.extend(0, (FIRST_BYTES / UNIT) as u32);
    }
}

/// The identifier of the queue with this key, or of a new one.
/// EACCES, EEXIST, ENOENT, ENOMEM, ENOSPC. msgget(2)
pub fn get(key: libc::key_t, flags: c_int) -> Result<c_int> {
    let ns = namespace::current()?;
    let _section = Section::enter()?;
    // Who only makes or opens a queue uses the namespace too: nobody is to remove it under him.
    lifeline::my_token(ns)?;
    Get {
        kind: &MSG,
        ns,
        key,
        flags,
        make: &|perm| make(ns, key, perm),
        suits: &|_| Ok(()),
        least: 0,
        limit: limits::get(ns, Limit::MsgMni) as u32,
    }
    .run()
}
