//! Limits: the kernel's defaults, changed for a namespace (its file `limits`, lines `NAME=VALUE`)
//! or for a process (environment variables).

use crate::likely::unlikely;
use crate::namespace::{choose::environment, Namespace};
use crate::semset::layout::{MAX_OPS, MAX_SEMS};
use crate::sys::file;
use crate::text::complain;
use core::ffi::CStr;
use core::sync::atomic::{AtomicU64, AtomicU8, Ordering::*};

/// Where a limit's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Source {
    Default,
    Namespace,
    Environment,
}

/// A limit. The order is that of [`ROWS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
#[allow(missing_docs)]
pub enum Limit {
    MsgMax,
    MsgMnb,
    MsgMni,
    SemMsl,
    SemOpm,
    SemMni,
    ShmMax,
    ShmAll,
    ShmMni,
    MqMsgMax,
    MqMsgSizeMax,
}

/// What is fixed about a limit.
struct Definition {
    name: &'static str,
    env: &'static CStr,
    default: u64,
    most: u64,
    unit: &'static str,
}

/// ULONG_MAX - 2^24: SHMMAX and SHMALL of Linux.
const SHM_DEFAULT: u64 = u64::MAX - (1 << 24);

const COUNT: usize = 11;

static ROWS: [Definition; COUNT] = [
    Definition {
        name: "msgmax",
        env: c"USIPC_MSGMAX",
        default: 8192,
        most: 1 << 30,
        unit: "bytes in a System V message",
    },
    Definition {
        name: "msgmnb",
        env: c"USIPC_MSGMNB",
        default: 16384,
        most: 1 << 30,
        unit: "bytes in a new System V queue",
    },
    Definition { name: "msgmni", env: c"USIPC_MSGMNI", default: 32000, most: 32768, unit: "System V queues" },
    Definition {
        name: "semmsl",
        env: c"USIPC_SEMMSL",
        default: MAX_SEMS as u64,
        most: MAX_SEMS as u64,
        unit: "semaphores in a set",
    },
    Definition {
        name: "semopm",
        env: c"USIPC_SEMOPM",
        default: MAX_OPS as u64,
        most: MAX_OPS as u64,
        unit: "operations in a semop call",
    },
    Definition { name: "semmni", env: c"USIPC_SEMMNI", default: 32000, most: 32768, unit: "semaphore sets" },
    Definition {
        name: "shmmax",
        env: c"USIPC_SHMMAX",
        default: SHM_DEFAULT,
        most: u64::MAX,
        unit: "bytes in a shared memory segment",
    },
    Definition {
        name: "shmall",
        env: c"USIPC_SHMALL",
        default: SHM_DEFAULT,
        most: u64::MAX,
        unit: "pages in all shared memory segments",
    },
    Definition {
        name: "shmmni",
        env: c"USIPC_SHMMNI",
        default: 4096,
        most: 32768,
        unit: "shared memory segments",
    },
    Definition {
        name: "mq_msg_max",
        env: c"USIPC_MQ_MSG_MAX",
        default: 65536,
        most: 65536,
        unit: "messages in a POSIX queue",
    },
    Definition {
        name: "mq_msgsize_max",
        env: c"USIPC_MQ_MSGSIZE_MAX",
        default: 16 << 20,
        most: 16 << 20,
        unit: "bytes in a POSIX message",
    },
];

struct Value {
    value: AtomicU64,
    source: AtomicU8,
}

static VALUES: [Value; COUNT] =
    [const { Value { value: AtomicU64::new(0), source: AtomicU8::new(0) } }; COUNT];
/// 0: not read yet.
static READ: AtomicU8 = AtomicU8::new(0);

/// A limit as it holds now.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Row {
    pub name: &'static str,
    pub env: &'static str,
    pub value: u64,
    pub default: u64,
    pub unit: &'static str,
    pub source: Source,
}

/// A number with an optional K, M or G (powers of 1024).
fn parse(text: &[u8]) -> Option<u64> {
    let (digits, shift) = match text.split_last()? {
        (b'K' | b'k', digits) => (digits, 10),
        (b'M' | b'm', digits) => (digits, 20),
        (b'G' | b'g', digits) => (digits, 30),
        _ => (text, 0),
    };
    crate::text::parse_u64(digits)?.checked_mul(1 << shift)
}

fn set(row: &Definition, slot: &Value, text: &[u8], source: Source, place: &[u8]) {
    match parse(text).filter(|v| (1..=row.most).contains(v)) {
        Some(value) => {
            slot.value.store(value, Relaxed);
            slot.source.store(source as u8, Relaxed);
        }
        None => {
            let mut most = crate::text::Text::<24>::new();
            most.push_u64(row.most);
            complain(&[
                place,
                b"=",
                text,
                b" is not a number from 1 to ",
                most.as_bytes(),
                b" (64K, 8M, 1G are understood): the default holds",
            ]);
        }
    }
}

fn read_file(ns: &Namespace) {
    let Ok(fd) = ns.dir().and_then(|dir| {
        file::open_at(dir, c"limits", libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK, 0)
    }) else {
        return;
    };
    let Ok(st) = file::stat(fd.raw()) else { return };
    // In a directory that others may write, only root's word counts.
    let trusted = st.uid == 0 || crate::cred::current().is_ok_and(|c| c.euid == st.uid);
    let mut buf = [0u8; 1024];
    if !trusted || !st.is(libc::S_IFREG) {
        return;
    }
    let n = file::read_at(fd.raw(), &mut buf, 0).unwrap_or(0);
    for line in buf[..n].split(|b| *b == b'\n').map(<[u8]>::trim_ascii) {
        let Some(eq) = line.iter().position(|b| *b == b'=') else { continue };
        let (name, value) = (line[..eq].trim_ascii(), line[eq + 1..].trim_ascii());
        match ROWS.iter().zip(&VALUES).find(|(r, _)| r.name.as_bytes() == name) {
            Some((row, slot)) => set(row, slot, value, Source::Namespace, row.name.as_bytes()),
            None => complain(&[b"unknown limit ", name, b" in the namespace's file limits"]),
        }
    }
}

#[cold]
#[inline(never)]
fn read_all(ns: Option<&Namespace>) {
    for (row, slot) in ROWS.iter().zip(&VALUES) {
        slot.value.store(row.default, Relaxed);
        slot.source.store(Source::Default as u8, Relaxed);
    }
    if let Some(ns) = ns {
        read_file(ns);
    }
    for (row, slot) in ROWS.iter().zip(&VALUES) {
        if let Some(text) = environment(row.env) {
            set(row, slot, text, Source::Environment, row.env.to_bytes());
        }
    }
    READ.store(1, Release);
}

/// The value of a limit.
#[inline]
pub fn get(ns: &Namespace, limit: Limit) -> u64 {
    if unlikely(READ.load(Acquire) == 0) {
        read_all(Some(ns));
    }
    VALUES[limit as usize].value.load(Relaxed)
}

/// All limits, as they hold for a process that starts now in `ns`.
pub fn rows(ns: Option<&Namespace>) -> [Row; COUNT] {
    read_all(ns);
    core::array::from_fn(|i| Row {
        name: ROWS[i].name,
        env: ROWS[i].env.to_str().unwrap_or(""),
        value: VALUES[i].value.load(Relaxed),
        default: ROWS[i].default,
        unit: ROWS[i].unit,
        source: match VALUES[i].source.load(Relaxed) {
            1 => Source::Namespace,
            2 => Source::Environment,
            _ => Source::Default,
        },
    })
}
