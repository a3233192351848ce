//! Clocks and deadlines.

use libc::{clockid_t, timespec};

fn read(clock: clockid_t) -> timespec {
    let mut t = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is valid for writing; the clocks used here always exist.
    unsafe { libc::clock_gettime(clock, &mut t) };
    t
}

/// Seconds since the Epoch, of the coarse clock (which is what the kernel's IPC stamps are).
pub fn now_s() -> i64 {
    read(libc::CLOCK_REALTIME_COARSE).tv_sec
}

/// CLOCK_REALTIME.
pub fn realtime() -> timespec {
    read(libc::CLOCK_REALTIME)
}

/// Whether `t` lies in the past or is now, by CLOCK_REALTIME.
pub fn passed(t: &timespec) -> bool {
    let now = realtime();
    (now.tv_sec, now.tv_nsec) >= (t.tv_sec, t.tv_nsec)
}

/// The earlier of `t` and `ns` from now, by CLOCK_REALTIME.
pub fn sooner(t: Option<&timespec>, ns: i64) -> timespec {
    let now = realtime();
    let sum = now.tv_nsec + ns;
    let slice = timespec { tv_sec: now.tv_sec + sum / 1_000_000_000, tv_nsec: sum % 1_000_000_000 };
    match t {
        Some(t) if (t.tv_sec, t.tv_nsec) < (slice.tv_sec, slice.tv_nsec) => *t,
        _ => slice,
    }
}
