//! What the library must know of the program's close(2), dup2(2) and polling calls.

use crate::namespace;
use crate::posix::{descriptor, poll};
use crate::sync::section::Section;
use core::ffi::{c_int, c_uint};

/// Whether this process may have message queue descriptors.
pub fn any() -> bool {
    descriptor::any()
}

/// Whether a descriptor that is to be polled may be a message queue's.
pub fn any_to_poll() -> bool {
    descriptor::any_to_poll()
}

/// To be called before a close. False: the number is the library's own hidden descriptor, which
/// the program never opened: to it, EBADF.
pub fn before_close(fd: c_int) -> bool {
    let Some(ns) = namespace::in_use() else { return true };
    if fd == ns.hidden_fd() && fd >= 0 {
        return false;
    }
    if any() {
        let section = Section::enter();
        descriptor::forget(ns, fd);
        drop(section);
    }
    true
}

/// To be called before dup2 or dup3 puts another file on `fd`.
pub fn before_replace(fd: c_int) {
    let Some(ns) = namespace::in_use() else { return };
    if fd == ns.hidden_fd() && fd >= 0 {
        ns.move_hidden_fd();
    }
    if any() {
        let section = Section::enter();
        descriptor::forget(ns, fd);
        drop(section);
    }
}

/// To be called after `old` was duplicated as `new`.
pub fn duplicated(old: c_int, new: c_int) {
    if any() && old != new {
        let section = Section::enter();
        descriptor::duplicated(old, new);
        drop(section);
    }
}

/// To be called after F_SETFL on `fd`.
pub fn status_flags_set(fd: c_int) {
    if any() {
        let section = Section::enter();
        descriptor::flags_set(fd);
        drop(section);
    }
}

/// The flags that F_GETFL gave for `fd`, as the kernel would give them for a queue's descriptor.
pub fn status_flags(fd: c_int, flags: c_int) -> c_int {
    if !any() {
        return flags;
    }
    let section = Section::enter();
    let shown = descriptor::shown_flags(fd, flags);
    drop(section);
    shown
}

/// Closes the range by calling `close` for the parts of it round the library's own descriptor.
/// `flags` with CLOSE_RANGE_CLOEXEC closes nothing now. The first failure is returned.
pub fn before_close_range(
    first: c_uint,
    last: c_uint,
    flags: c_int,
    close: &mut dyn FnMut(c_uint, c_uint) -> c_int,
) -> c_int {
    let Some(ns) = namespace::in_use().filter(|_| first <= last) else { return close(first, last) };
    const CLOEXEC: c_int = 4;
    if flags & CLOEXEC == 0 && any() {
        let section = Section::enter();
        descriptor::forget_range(ns, first, last.min(c_int::MAX as c_uint));
        drop(section);
    }
    match c_uint::try_from(ns.hidden_fd()) {
        Ok(own) if (first..=last).contains(&own) => {
            let below = if own > first { close(first, own - 1) } else { 0 };
            if below != 0 || own == last {
                return below;
            }
            close(own + 1, last)
        }
        _ => close(first, last),
    }
}

/// To be called before a descriptor is given to an epoll: from then on a queue's readiness is kept for the kernel to see.
pub fn watch(fd: c_int) {
    let _ = poll::begin_for_good(fd);
}

/// A poll or select that is going on: as long as this lives, the readiness of its queues is kept for the kernel to see.
#[derive(Default)]
pub struct Polling {
    queues: [Option<poll::Polled>; 8],
    used: usize,
}

impl Polling {
    /// To be called for each descriptor, before the call.
    pub fn add(&mut self, fd: c_int) {
        match self.queues.get_mut(self.used) {
            Some(place) => {
                *place = poll::begin(fd).unwrap_or(None);
                self.used += place.is_some() as usize;
            }
            // More than are remembered: watched for good.
            None => watch(fd),
        }
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        self.queues.iter().flatten().for_each(|queue| {
            let _ = poll::end(*queue);
        });
    }
}
