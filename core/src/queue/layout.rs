//! The layout of a queue's file, the same for both kinds.
//!
//! ```text
//!     0   Header, QueueHeader
//!  4096   keymap: a bit for each of the keys 0..32768 in use
//!  8192   waiters: 256 entries of 64 bytes, with memory for those that have come so far
//! 24576   messages: each a node, which is a header of 64 bytes, and its text behind it
//!           System V: an arena of 32-byte units; a message is a run of units
//!           POSIX:    the key table, then an array of max_messages + STAGED cells
//! ```
//!
//! Truth and derived data. A message is in the queue exactly while its node's `state` is QUEUED:
//! storing that word is the commit point of a send, clearing it that of a receive. A sleeper is
//! what its waiter entry says. A System V arena is a chain of runs, each `units` long, that a walk
//! from the first to `end` can follow at every moment. Lists, counts, bitmaps, bins, table and heap are
//! derived: [`super::recover`] makes them anew.

use crate::errno::Result;
use crate::region::header::Header;
use crate::region::{Plain, NIL, W32, W64};
use crate::sync::spin::Bell;
use crate::sys::file;

/// Where the key bitmap lies.
pub const KEYMAP_AT: usize = 4096;
/// Where the waiters lie.
pub const WAITERS_AT: usize = 8192;
/// Threads that can sleep on a queue in order; more sleep unordered.
pub const WAITERS: u32 = 256;
/// Where the nodes lie.
pub const NODES_AT: usize = WAITERS_AT + WAITERS as usize * size_of::<Waiter>();
/// Keys below this are found by the bitmap, larger ones by the heap.
pub const SMALL_KEYS: i64 = 32768;
/// Binary logarithm of the size of a POSIX queue's largest key table: a bucket for every priority.
pub const MOST_TABLE_BITS: u32 = SMALL_KEYS.trailing_zeros();
/// What a POSIX key is multiplied by to find its bucket. Odd, so that in the largest table each has one of its own; this one also
/// scatters evenly spread priorities well over smaller tables (found by trying all).
pub const PRIORITY_MIX: u64 = 7641;
/// Bytes in a System V unit.
pub const UNIT: usize = 32;
/// Units in a node.
pub const NODE_UNITS: u32 = (size_of::<Node>() / UNIT) as u32;
/// Memory that a new System V queue has for messages: a page.
pub const FIRST_BYTES: usize = 4096;
/// Size classes of free runs.
pub const BINS: usize = 128;
/// Buckets of a System V queue's first key table, which lies in the header.
pub const FIRST_BUCKETS: usize = 64;

/// States of a node.
pub mod state {
    /// Not a message.
    pub const FREE: u32 = 0;
    /// A message.
    pub const QUEUED: u32 = 1;
    /// System V: a run that holds the key table.
    pub const TABLE: u32 = 2;
}

/// The header of a message. Indexes count nodes (POSIX) or units (System V).
#[repr(C, align(32))]
pub struct Node {
    /// Truth: see [`state`].
    pub state: W32,
    /// Truth, System V: length of the run.
    pub units: W32,
    /// Truth: order of sending.
    pub seq: W64,
    /// Truth: type (System V) or 32767 - priority (POSIX): the smallest key goes first.
    pub key: W64,
    /// Truth: bytes of text.
    pub len: W32,
    /// System V: start of the run before this one.
    pub prev_run: W32,
    /// Neighbours in order of sending (System V), or in the bin of a free run.
    pub before: W32,
    #[allow(missing_docs)]
    pub after: W32,
    /// Next message of the same key, or next free node (POSIX).
    pub next: W32,
    /// First of its key: the last of its key.
    pub tail: W32,
    /// First of its key: next in the same bucket of the key table.
    pub bucket_next: W32,
    /// First of its large key: links of the pairing heap.
    pub child: W32,
    #[allow(missing_docs)]
    pub sibling: W32,
    /// Parent if this is its first child, else the sibling before it.
    pub heap_prev: W32,
}

const _: () = assert!(size_of::<Node>() == 64);

pub use crate::sync::wait::waiting;

/// What a waiter waits for.
pub mod waiter_kind {
    /// A message.
    pub const RECEIVER: u32 = 1;
    /// Room.
    pub const SENDER: u32 = 2;
}

/// A sleeping thread. All of it is truth but the list links.
#[repr(C, align(64))]
pub struct Waiter {
    /// See [`waiting`]; the futex.
    pub state: W32,
    /// See [`waiter_kind`].
    pub kind: W32,
    /// Whose it is.
    pub token: W64,
    /// Order of arrival.
    pub seq: W64,
    /// Receiver: the type it wants.
    pub want: W64,
    /// Receiver: the largest text it takes. Sender: the size of its message.
    pub max_len: W64,
    /// Receiver: how it matches, see [`super::index::Match`].
    pub how: W32,
    /// Assigned (receiver) or prepared (POSIX sender) message; NIL: none.
    pub node: W32,
    /// Its process id, for lrpid and to show.
    pub pid: W32,
    /// Neighbours in its list; once a message is assigned, msg_lrpid and msg_rtime (until 2106) as they were.
    pub before: W32,
    #[allow(missing_docs)]
    pub after: W32,
    /// POSIX: urgency by nice value, as getpriority(2) of the kernel gives it: 40 (nice -20) to 1.
    pub urgency: W32,
}

const _: () = assert!(size_of::<Waiter>() == 64);

/// A doubly linked list of waiters.
#[repr(C)]
pub struct List {
    #[allow(missing_docs)]
    pub head: W32,
    #[allow(missing_docs)]
    pub tail: W32,
}

/// Who wants to hear of a message in an empty queue (mq_notify(3)).
#[repr(C)]
pub struct Notify {
    /// The registered process; 0: nobody. The commit point of registering.
    pub token: W64,
    /// `sigev_value`.
    pub value: W64,
    #[allow(missing_docs)]
    pub pid: W32,
    /// SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD.
    pub how: W32,
    /// Signal number.
    pub signal: W32,
    /// Not 0: a thread of the registrant waits on `turn`, and delivers the notification itself.
    pub watched: W32,
    /// Futex: counts registrations and their ends.
    pub turn: W32,
    /// Sender of the message that was last notified of.
    pub sender_pid: W32,
    #[allow(missing_docs)]
    pub sender_uid: W32,
    /// Not 0 while a message is sent that the registrant is to hear of: if its sender is killed, repair
    /// tells him, perhaps a second time.
    pub due: W32,
    /// The pid namespace in which `pid` means something, by its inode number.
    pub pid_namespace: W64,
    /// The last turns that ended with a message whose sender could not signal the registrant himself: its watching
    /// thread is to, however late it wakes. Each at its number modulo their number.
    pub left: [W32; 64],
}

/// What follows the common header.
#[repr(C)]
pub struct QueueHeader {
    /// See [`crate::region::header`].
    pub common: Header,

    /// Messages in the queue, without those assigned to a waiter.
    pub count: W64,
    /// Bytes of text in them.
    pub bytes: W64,
    /// The next message's place in the order.
    pub next_seq: W64,
    /// Times of the last send and receive, seconds since the Epoch.
    pub send_time: W64,
    #[allow(missing_docs)]
    pub receive_time: W64,
    /// Process ids of the last sender and receiver.
    pub send_pid: W32,
    #[allow(missing_docs)]
    pub receive_pid: W32,
    /// Messages assigned to waiters that have not yet fetched them.
    pub assigned: W32,
    /// Different keys in the index.
    pub keys: W32,

    /// First and last message in order of sending (System V).
    pub first: W32,
    #[allow(missing_docs)]
    pub last: W32,
    /// POSIX: first of the free nodes. System V: the free run that came free last, in no bin.
    pub free: W32,
    /// POSIX: last of the free nodes.
    pub free_last: W32,
    /// First and last of the messages that are in no index, all of one key: those that came when the queue was empty, and
    /// after them.
    pub front: W32,
    #[allow(missing_docs)]
    pub front_last: W32,
    /// Their key.
    pub front_key: W64,
    /// System V: msg_qbytes.
    pub max_bytes: W64,
    /// Sleeping receivers and senders.
    pub receivers: List,
    #[allow(missing_docs)]
    pub senders: List,
    /// POSIX: how many polls are going on, see [`crate::posix::poll`]: if any, the FIFO is kept in step.
    pub polled: W32,
    /// How many wait for whom no entry was free: only a hint.
    pub overflowed: W32,
    /// System V: units in the arena.
    pub end: W32,
    /// POSIX: nodes from this one on are free too, and in no list. System V: the free run that messages are cut from, in no bin.
    pub fresh: W32,

    /// Summary of the keymap, of [`QueueHeader::keymap_words`].
    pub keymap_top: W64,
    /// Root of the heap of large keys.
    pub heap: W32,
    /// System V: run that holds the key table, NIL while it is `buckets`.
    pub table: W32,
    /// System V: binary logarithm of the table's size.
    pub table_bits: W32,
    /// System V: not 0 while it is noted that there may be messages, see [`crate::namespace::ids::note`].
    pub noted: W32,
    /// POSIX: nodes behind which memory stands.
    pub backed: W32,
    /// System V: start of the last run.
    pub last_run: W32,
    /// Top of the stack of unused waiters.
    pub free_waiter: W32,
    /// Waiters above this were never used.
    pub fresh_waiter: W32,
    /// Waiters for which there is memory: it is got when so many come.
    pub backed_waiters: W32,
    /// Order of arrival of the next waiter.
    pub waiter_seq: W64,
    /// Futex of those for whom no entry was free; counts entries that came free.
    pub overflow: W32,
    /// See [`Notify`].
    pub notify: Notify,
    /// POSIX: the FIFO's name, which nobody can guess; 0: none yet.
    pub poll_name: W64,
    /// System V: when the arena last gave memory back, seconds since the Epoch.
    pub trim_time: W64,
    /// When somebody last looked for dead waiters because no entry was free: low half of milliseconds.
    pub swept_ms: W32,

    /// Summary of the keymap: which of its 512 words are not 0.
    pub keymap_words: [W64; 8],

    /// Rung by senders and by receivers.
    pub sent: Bell,
    #[allow(missing_docs)]
    pub received: Bell,

    /// POSIX: the measures, see [`crate::region::object::Geometry`].
    pub max_messages: W32,
    #[allow(missing_docs)]
    pub message_bytes: W32,

    /// System V: free runs by size class, and which classes have some.
    pub bin_map: [W64; BINS / 64],
    #[allow(missing_docs)]
    pub bins: [W32; BINS],
    /// System V: the first key table.
    pub buckets: [W32; FIRST_BUCKETS],
}

impl QueueHeader {
    /// Whether somebody sleeps, or has something that he has not yet fetched.
    #[inline(always)]
    pub fn is_waited_for(&self) -> bool {
        let lists = !self.receivers.head.get() | !self.senders.head.get();
        const { assert!(!NIL == 0) };
        // By one branch: every call asks.
        lists | self.assigned.get() | self.overflowed.get() != 0
    }

    /// What every short call changes: a send the first; without one, a receive the second. For [`Header::glance`].
    #[inline(always)]
    pub fn marks(&self) -> (u64, u64) {
        (self.next_seq.get(), self.count.get())
    }
}

/// Reserves memory for the first `len` bytes of a new queue's file, but for the waiters: few queues ever have many.
pub fn reserve_beginning(fd: i32, len: u64) -> Result<()> {
    file::reserve(fd, 0, WAITERS_AT as u64)?;
    file::reserve(fd, NODES_AT as u64, len - NODES_AT as u64)
}

const _: () = assert!(size_of::<QueueHeader>() <= KEYMAP_AT);
/// What nearly every call needs lies in two cache lines.
const _: () = assert!(
    core::mem::offset_of!(QueueHeader, count) == 192 && core::mem::offset_of!(QueueHeader, fresh) == 316
);

// SAFETY: all atomics.
unsafe impl Plain for QueueHeader {}
