//! The cost curves: what a scene costs as its number grows.

use crate::run::Side;

/// One panel of a chart.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// The benchmark's scene; the number is added.
    pub scene: &'static str,
    /// As people read it.
    pub label: &'static str,
    pub peer: bool,
}

impl Series {
    /// Who plays it.
    pub fn sides(&self) -> Vec<Side> {
        crate::sides(self.peer)
    }
}

/// One chart.
#[derive(Clone, Copy, Debug)]
pub struct Curve {
    /// Its file, without the ending.
    pub file: &'static str,
    pub title: &'static str,
    /// What the number is.
    pub across: &'static str,
    /// Messages are shown as MB/s, not as their cost.
    pub throughput: bool,
    pub series: &'static [Series],
    all: &'static [u64],
}

impl Curve {
    /// The numbers to measure at; a quick run takes every third.
    pub fn numbers(&self, quick: bool) -> Vec<u64> {
        if quick {
            self.all.iter().copied().step_by(3).collect()
        } else {
            self.all.to_vec()
        }
    }
}

const fn series(scene: &'static str, label: &'static str, peer: bool) -> Series {
    Series { scene, label, peer }
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const COUNTS: &[u64] = &[1, 10, 100, 1000, 10_000, 32_000];
const PROCESSES: &[u64] = &[1, 2, 4, 8, 16, 64, 256, 1000];

const BASE: Curve = Curve { file: "", title: "", across: "", throughput: false, series: &[], all: &[] };

/// All charts.
pub static CURVES: &[Curve] = &[
    Curve {
        file: "latency-by-size",
        title: "Send and receive in one process",
        across: "bytes in the message",
        series: &[series("mq-pair", "POSIX queue", true), series("msg-pair", "System V queue", false)],
        all: &[0, 16, 64, 256, KIB, 4 * KIB, 8 * KIB, 32 * KIB, 128 * KIB, MIB, 4 * MIB, 16 * MIB],
        ..BASE
    },
    Curve {
        file: "throughput-by-size",
        title: "One process sends, one receives, on two CPUs",
        across: "bytes in the message",
        throughput: true,
        series: &[
            series("mq-bulk-cross", "POSIX queue", true),
            series("msg-bulk-cross", "System V queue", false),
        ],
        all: &[16, 64, 256, KIB, 4 * KIB, 8 * KIB, 32 * KIB, 128 * KIB, MIB, 4 * MIB, 16 * MIB],
    },
    Curve {
        file: "cost-by-depth",
        title: "Send and receive with others queued",
        across: "messages in the queue",
        series: &[
            series("mq-fifo", "POSIX, one priority", true),
            series("mq-ranks", "POSIX, random priorities", true),
            series("msg-fifo", "System V, the oldest", false),
            series("msg-type", "System V, the last of the types", false),
            series("msg-negative", "System V, the lowest type", false),
            series("msg-random-type", "System V, a random type", false),
        ],
        all: &[1, 10, 100, 1000, 5000, 10_000, 30_000, 65_000, 100_000],
        ..BASE
    },
    Curve {
        file: "cost-by-queues",
        title: "Send and receive, each time by another queue",
        across: "queues",
        series: &[series("mq-among", "POSIX queues", true), series("msg-among", "System V queues", false)],
        all: COUNTS,
        ..BASE
    },
    Curve {
        file: "lookup-by-objects",
        title: "Making and finding, with others there",
        across: "objects",
        series: &[
            series("msg-create", "msgget of a new key, IPC_RMID", false),
            series("sem-create", "semget of a new key, IPC_RMID", false),
            series("msg-find", "msgget of a known key", false),
            series("shm-find", "shmget of a known key", false),
        ],
        all: COUNTS,
        ..BASE
    },
    Curve {
        file: "cost-by-processes",
        title: "Processes that send and receive, take and release",
        across: "processes",
        series: &[
            series("mq-shared", "one POSIX queue", true),
            series("mq-own", "a POSIX queue each", true),
            series("msg-shared", "one System V queue", false),
            series("msg-own", "a System V queue each", false),
            series("sem-lock", "one semaphore", true),
        ],
        all: PROCESSES,
        ..BASE
    },
    Curve {
        file: "wake-up-by-gap",
        title: "From a send to the end of a blocked receive",
        across: "microseconds since the message before",
        series: &[series("mq-wake", "POSIX queue", true), series("msg-wake", "System V queue", false)],
        all: &[1, 10, 50, 100, 200, 1000, 10_000, 100_000],
        ..BASE
    },
    Curve {
        file: "cost-by-set-size",
        title: "Down and up of a random semaphore",
        across: "semaphores in the set",
        series: &[series("sem-set", "semop", false)],
        all: COUNTS,
        ..BASE
    },
];
