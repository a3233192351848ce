//! Clocks and deadlines.

use libc::{clockid_t, timespec};

fn read(clock: clockid_t) -> timespec {
    #[cfg(loom)]
    if crate::model::runs() {
        return crate::model::futex::now();
    }
    let mut t = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is valid for writing; the clocks used here always exist.
    unsafe { libc::clock_gettime(clock, &mut t) };
    t
}

/// Seconds since the Epoch, of the coarse clock (which is what the kernel's IPC stamps are).
#[inline(always)]
pub fn now_s() -> i64 {
    #[cfg(loom)]
    if crate::model::runs() {
        return crate::model::futex::now().tv_sec;
    }
    // It reads the second that the kernel last wrote to the vDSO, and nothing else: an eighth of clock_gettime(2).
    // SAFETY: null is allowed.
    unsafe { libc::time(core::ptr::null_mut()) }
}

/// Milliseconds of CLOCK_MONOTONIC, coarse: the same for all processes of a machine.
pub fn monotonic_ms() -> u64 {
    let t = read(libc::CLOCK_MONOTONIC_COARSE);
    t.tv_sec as u64 * 1000 + t.tv_nsec as u64 / 1_000_000
}

/// Nanoseconds of CLOCK_MONOTONIC.
pub fn monotonic_ns() -> u64 {
    let t = read(libc::CLOCK_MONOTONIC);
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// A moment by one of the clocks.
#[derive(Clone, Copy)]
pub struct Deadline {
    /// Whether by CLOCK_REALTIME (which can be set), else by CLOCK_MONOTONIC.
    pub realtime: bool,
    /// When.
    pub at: timespec,
}

impl Deadline {
    /// The moment `t` of CLOCK_REALTIME.
    pub fn at(t: timespec) -> Deadline {
        Deadline { realtime: true, at: t }
    }

    /// So long from now, whatever happens to the time of day; for ever where that has no number.
    pub fn after(s: i64, ns: i64) -> Deadline {
        let now = read(libc::CLOCK_MONOTONIC);
        Deadline { realtime: false, at: sum(now, s, ns) }
    }

    fn now(&self) -> timespec {
        read(if self.realtime { libc::CLOCK_REALTIME } else { libc::CLOCK_MONOTONIC })
    }

    /// Whether it lies in the past or is now.
    pub fn passed(&self) -> bool {
        let now = self.now();
        (now.tv_sec, now.tv_nsec) >= (self.at.tv_sec, self.at.tv_nsec)
    }
}

/// `ns` may have up to 2^62.
fn sum(t: timespec, s: i64, ns: i64) -> timespec {
    let ns = t.tv_nsec + ns;
    timespec {
        tv_sec: t.tv_sec.saturating_add(s).saturating_add(ns / 1_000_000_000),
        tv_nsec: ns % 1_000_000_000,
    }
}

/// The earlier of `deadline` and `ns` from now.
pub fn sooner(deadline: Option<&Deadline>, ns: i64) -> Deadline {
    let Some(deadline) = deadline else { return Deadline::after(0, ns) };
    let slice = sum(deadline.now(), 0, ns);
    if (deadline.at.tv_sec, deadline.at.tv_nsec) < (slice.tv_sec, slice.tv_nsec) {
        return *deadline;
    }
    Deadline { at: slice, ..*deadline }
}
