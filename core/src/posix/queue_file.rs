//! The file of a message queue: its measures, and what can be seen of it through a descriptor.

use crate::errno::{Errno, Result};
use crate::perm::Perm;
use crate::queue::cells::staged_cells;
use crate::queue::layout::*;
use crate::region::header::{Header, ObjectKind};
use crate::region::object::{Geometry, Mapping};
use crate::region::Plain;
use crate::sys::file;

/// The measures of a queue of so many messages of so many bytes.
pub fn geometry(max_messages: u32, message_bytes: u32) -> Geometry {
    let nodes = max_messages + staged_cells(message_bytes as u64);
    // Four buckets a message: which of them are in use is anybody's guess, and each that is takes a look at another's node.
    let table_bits = (max_messages.next_power_of_two().trailing_zeros() + 2).min(MOST_TABLE_BITS);
    // A node and the first bytes of its text are a pair of cache lines, which processors like to fetch together.
    let cells_at = (NODES_AT as u64 + (4u64 << table_bits)).next_multiple_of(128);
    let cell_bytes = (size_of::<Node>() as u64 + message_bytes as u64).next_multiple_of(64);
    Geometry { max_messages, message_bytes, nodes, table_bits, cells_at, cell_bytes, ..Geometry::default() }
}

/// Length of the file of such a queue.
pub fn len(g: &Geometry) -> u64 {
    g.cells_at + g.nodes as u64 * g.cell_bytes
}

/// The measures in a header, checked against the length of the file. EINVAL.
pub fn measure(head: &QueueHeader, file_bytes: u64) -> Result<Geometry> {
    let (max, bytes) = (head.max_messages.get(), head.message_bytes.get());
    if !(1..=1 << 16).contains(&max) || !(1..=16 << 20).contains(&bytes) {
        return Err(Errno::EINVAL);
    }
    let g = geometry(max, bytes);
    if len(&g) > file_bytes {
        return Err(Errno::EINVAL);
    }
    Ok(g)
}

/// See [`Geometry::sole_user`].
fn sole_user(st: &file::Stat) -> Option<u32> {
    (st.mode & 0o077 == 0).then_some(st.uid)
}

/// Whether a file is long enough to be looked at. EINVAL.
fn check_file(st: &file::Stat) -> Result<()> {
    if st.is(libc::S_IFREG) && st.size >= NODES_AT as u64 {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}

/// Maps the queue behind a descriptor. EINVAL: it is none.
pub fn map(fd: i32, st: &file::Stat) -> Result<(Mapping, Geometry)> {
    check_file(st)?;
    let mapping = Mapping::new(fd, st.size as usize, st.file)?;
    // SAFETY: the mapping holds at least the header page.
    let head = unsafe { &*mapping.base.cast::<QueueHeader>() };
    head.common.verify(ObjectKind::Mq).map_err(|_| Errno::EINVAL)?;
    let geometry = measure(head, st.size)?;
    Ok((mapping, Geometry { sole_user: sole_user(st), ..geometry }))
}

/// The permissions of the queue behind a descriptor, without mapping it. EINVAL: it is none.
pub fn look(fd: i32) -> Result<Perm> {
    let mut head = Header::zeroed();
    // A file that is too short leaves zeros; how long the rest should be is looked at when it is mapped.
    file::read_at(fd, head.bytes(), 0).map_err(|_| Errno::EINVAL)?;
    head.verify(ObjectKind::Mq).map_err(|_| Errno::EINVAL)?;
    Ok(head.perm())
}
