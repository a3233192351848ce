//! The rows of the table and what is asked of them.

use crate::run::Side;

/// What a row has to show.
#[derive(Clone, Copy, Debug)]
pub enum Bar {
    /// The kernel's cost by usipc's is at least this.
    Ratio(f64),
    /// As `Ratio`, and usipc costs less than the peer.
    RatioAndPeer(f64),
    /// usipc's cost is under so many times that of another row.
    Growth(f64, &'static str),
    /// usipc's value is under this.
    Under(f64),
    /// usipc's value is at most so much above the kernel's.
    Added(f64),
    /// Only shown.
    None,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// As the benchmark calls it.
    pub name: &'static str,
    /// As people read it.
    pub label: &'static str,
    /// The headline it stands below.
    pub group: &'static str,
    /// "ns", "bytes", "% of a core".
    pub unit: &'static str,
    pub bar: Bar,
    pub peer: bool,
}

impl Row {
    /// Who plays it.
    pub fn sides(&self) -> Vec<Side> {
        crate::sides(self.peer)
    }
}

use Bar::*;

type Line = (&'static str, &'static str, Bar, bool);

const MQ: &[Line] = &[
    ("mq-pair:64", "pair, 64 B", RatioAndPeer(13.0), true),
    ("mq-pair:1024", "pair, 1 KiB", RatioAndPeer(10.0), true),
    ("mq-pair:8192", "pair, 8 KiB", RatioAndPeer(6.5), true),
    ("mq-pingpong-cross", "ping-pong, 64 B, cross", Ratio(75.0), true),
    ("mq-pingpong-same", "ping-pong, 64 B, same", Ratio(1.5), true),
    ("mq-stream-cross:0", "stream, 64 B, 10 slots, cross", Ratio(14.0), true),
    ("mq-stream-same:0", "stream, 64 B, 10 slots, same", Ratio(3.0), true),
    ("mq-stream-cross:1024", "stream, 64 B, 1024 slots, cross", Ratio(12.0), true),
    ("mq-stream-same:1024", "stream, 64 B, 1024 slots, same", Ratio(12.0), true),
    ("mq-4x4:0", "4 producers, 4 consumers, 10 slots", Ratio(3.5), true),
    ("mq-4x4:1024", "4 producers, 4 consumers, 1024 slots", Ratio(9.0), true),
    ("mq-shared:8", "pairs of 8 processes by one queue", Ratio(1.0), true),
    ("mq-shared:64", "pairs of 64 processes by one queue", Ratio(1.0), true),
    ("mq-ranks:0", "pair at random priorities, empty", None, true),
    ("mq-ranks:5000", "the same, 5,000 queued", RatioAndPeer(12.0), true),
    ("mq-ranks:5000", "the same: growth from empty", Growth(1.2, "mq-ranks:0"), true),
];

const MSG: &[Line] = &[
    ("msg-pair:64", "pair, 64 B, any", Ratio(11.0), false),
    ("msg-type:0", "pair, 64 B, by type", Ratio(11.0), false),
    ("msg-type:10000", "by type, 10,000 of others queued", Ratio(900.0), false),
    ("msg-type:10000", "the same: growth from empty", Growth(1.3, "msg-type:0"), false),
    ("msg-negative:0", "by negative type, empty", None, false),
    ("msg-negative:10000", "by negative type, 10,000 queued", Ratio(900.0), false),
    ("msg-negative:10000", "the same: growth from empty", Growth(1.3, "msg-negative:0"), false),
    ("msg-random-type:10000", "a random one of 10,000 types", None, false),
    ("msg-pingpong-cross", "ping-pong, 64 B, cross", Ratio(70.0), false),
    ("msg-pingpong-same", "ping-pong, 64 B, same", Ratio(1.5), false),
    ("msg-stream-cross:0", "stream, 64 B, default queue, cross", Ratio(6.5), false),
    ("msg-stream-same:0", "stream, 64 B, default queue, same", Ratio(1.0), false),
    ("msg-stream-cross:131072", "stream, 64 B, 8 MB queue, cross", Ratio(8.0), false),
    ("msg-2x2:0", "2 producers, 2 consumers", Ratio(4.0), false),
    ("msg-4x4:0", "4 producers, 4 consumers", Ratio(9.0), false),
    ("msg-shared:8", "pairs of 8 processes by one queue", Ratio(1.0), false),
    ("msg-shared:64", "pairs of 64 processes by one queue", Ratio(1.0), false),
];

const SEM: &[Line] = &[
    ("sem-pair", "down and up", Ratio(18.0), true),
    ("sem-undo", "the same with SEM_UNDO", Ratio(14.0), false),
    ("sem-array", "arrays of three", Ratio(7.0), false),
    ("sem-pingpong-cross", "ping-pong, cross", Ratio(200.0), true),
    ("sem-pingpong-same", "ping-pong, same", Ratio(1.0), true),
    ("sem-lock:2", "lock contended by 2 processes", Ratio(300.0), true),
    ("sem-lock:4", "lock contended by 4 processes", Ratio(130.0), true),
    ("sem-lock:8", "lock contended by 8 processes", Ratio(1.0), true),
    ("sem-lock:64", "lock contended by 64 processes", Ratio(1.0), true),
];

const LOOKUP: &[Line] = &[
    ("msg-find", "msgget of a known key", Ratio(5.0), false),
    ("sem-find", "semget of a known key", Ratio(5.0), false),
    ("shm-find", "shmget of a known key", Ratio(5.0), false),
    ("msg-stat", "msgctl IPC_STAT", Ratio(9.0), false),
    ("sem-stat", "semctl IPC_STAT", Ratio(9.0), false),
    ("shm-stat", "shmctl IPC_STAT", Ratio(9.0), false),
    ("shm-cycle", "shmget, shmat, touch, shmdt, IPC_RMID, 4 KiB", Ratio(1.0), false),
    ("shm-attach", "shmat, touch, shmdt, 4 KiB", Ratio(1.0), false),
    ("mq-find", "mq_open, mq_close of an existing queue", RatioAndPeer(0.5), true),
    ("mq-create", "mq_open, mq_close, mq_unlink of a new queue", RatioAndPeer(0.4), true),
    ("msg-create:0", "msgget of a new key, IPC_RMID", Ratio(0.25), false),
    ("msg-create:10000", "the same, 10,000 queues there", None, false),
    ("msg-create:10000", "the same: growth", Growth(1.2, "msg-create:0"), false),
    ("msg-create-private:0", "msgget of IPC_PRIVATE, IPC_RMID", Ratio(0.25), false),
];

const BYTES: &[Line] = &[
    ("mq-bytes", "a POSIX queue for one message of 64 B", None, false),
    ("mq-default-bytes:1000", "a POSIX queue for 10 messages of 8 KiB", None, false),
    ("msg-bytes", "a System V queue", None, false),
    ("sem-bytes", "a set of one semaphore", None, false),
    ("shm-bytes", "a segment of 4 KiB, untouched", None, false),
    ("mq-process-bytes", "a process that uses a POSIX queue", None, false),
    ("msg-process-bytes", "a process that uses a System V queue", None, false),
];

/// All of the table. A name that comes twice is played once.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |group, unit, lines: &[Line]| {
        rows.extend(lines.iter().map(|&(name, label, bar, peer)| Row {
            name,
            label,
            group,
            unit,
            bar,
            peer,
        }));
    };
    add("POSIX message queues", "ns", MQ);
    add("System V message queues", "ns", MSG);
    add("Semaphores", "ns", SEM);
    add("Making, finding, asking", "ns", LOOKUP);
    add("Starting and waiting", "ns", &[("start", "/bin/true", Added(40_000.0), false)]);
    let idle = ("mq-idle:1000", "1,000 processes that wait", Under(0.5), false);
    add("Starting and waiting", "% of a core", &[idle]);
    add("Memory", "bytes", BYTES);
    rows
}
