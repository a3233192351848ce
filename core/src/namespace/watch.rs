//! A quick answer to "does that process live?", for those whose adjustments (SEM_UNDO) others meet at every
//! operation: asking for its lifeline's lock takes five system calls.
//!
//! A process that makes adjustments keeps a robust mutex locked (pthread_mutexattr_setrobust(3)) in its
//! lifeline's file, which only its user may write. However its thread ends, the kernel marks the
//! mutex's word first. So as long as the word says "locked" the process lives, and who has the file mapped
//! sees it. Marked, it says nothing (the thread may have ended without the process): then the lifeline is asked.

use super::lifeline::{self, Token};
use super::Namespace;
use crate::errno::{Errno, Result};
use crate::process::{self, ProcessPage};
use crate::region::W32;
use crate::sys::{copy, file, map, raw::syscall};
use core::mem::{offset_of, MaybeUninit};
use core::sync::atomic::{AtomicUsize, Ordering::*};
use libc::{pthread_mutex_t, FUTEX_OWNER_DIED, FUTEX_TID_MASK};

/// A lifeline's file, from its start.
#[repr(C)]
struct Watched {
    record: [u32; 4],
    /// The generation in whose name the mutex is locked.
    generation: W32,
    _pad: [u32; 11],
    mutex: pthread_mutex_t,
}

const MUTEX_AT: usize = offset_of!(Watched, mutex);
const GENERATION_AT: usize = offset_of!(Watched, generation);
/// Length of the file of a process that can be watched.
pub(super) const WATCHED_BYTES: u64 = 128;
const _: () = assert!(size_of::<Watched>() <= WATCHED_BYTES as usize && MUTEX_AT == 64);

/// Said by [`ProcessPage::watched`] where there is none and will be none.
const UNWATCHED: usize = 1;

/// Where glibc has the futex; elsewhere processes are not watched.
fn word(mutex: *mut pthread_mutex_t) -> &'static W32 {
    // SAFETY: the mapping is never removed.
    unsafe { &*mutex.cast::<W32>() }
}

fn is_locked(word: u32) -> bool {
    word & FUTEX_TID_MASK != 0 && word & FUTEX_OWNER_DIED == 0
}

/// To be called before this process makes an adjustment: from now on others see quickly that it lives, if
/// that can be had. The caller is inside a section.
pub fn stay_watched(ns: &Namespace) {
    let Ok(page) = process::page() else { return };
    match page.watched.load(Acquire) {
        UNWATCHED => {}
        0 => begin(ns, page),
        mutex => {
            let mutex = mutex as *mut pthread_mutex_t;
            if !is_locked(word(mutex).get()) && is_listed() {
                lock(mutex);
            }
        }
    }
}

/// Whether the kernel would mark this thread's mutexes: in a child made by a bare clone(2) nobody has told it of
/// the list of them.
fn is_listed() -> bool {
    let (mut list, mut len) = (0usize, 0usize);
    // SAFETY: the kernel writes two words.
    let known = unsafe { syscall!(libc::SYS_get_robust_list, 0, &raw mut list, &raw mut len) };
    known.is_ok() && list != 0
}

#[cold]
fn begin(ns: &Namespace, page: &ProcessPage) {
    // For the other threads meanwhile, and for all if it cannot be had.
    if page.watched.compare_exchange(0, UNWATCHED, AcqRel, Relaxed).is_ok() {
        if let Ok(mutex) = make(ns) {
            page.watched.store(mutex as usize, Release);
        }
    }
}

fn make(ns: &Namespace) -> Result<*mut pthread_mutex_t> {
    let token = lifeline::my_token(ns)?;
    // The file of an earlier image was watched by that.
    if cfg!(not(target_env = "gnu")) || !is_listed() || lifeline::my_undo_token(ns)? != token {
        return Err(Errno::ENOSYS);
    }
    let fd = lifeline::open_own(ns, token)?;
    file::set_len(fd.raw(), WATCHED_BYTES)?;
    let start = map::shared(fd.raw(), lifeline::LIFE_BYTES, libc::PROT_READ | libc::PROT_WRITE)?;
    // SAFETY: the mapping begins with a Watched, whose mutex nobody uses: its last owner is dead.
    unsafe {
        let mutex = start.add(MUTEX_AT).cast::<pthread_mutex_t>();
        let mut attributes = MaybeUninit::uninit();
        libc::pthread_mutexattr_init(attributes.as_mut_ptr());
        libc::pthread_mutexattr_setpshared(attributes.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED);
        libc::pthread_mutexattr_setrobust(attributes.as_mut_ptr(), libc::PTHREAD_MUTEX_ROBUST);
        libc::pthread_mutex_init(mutex, attributes.as_ptr());
        lock(mutex);
        (*start.cast::<Watched>()).generation.atomic().store(lifeline::generation_of(token), Release);
        Ok(mutex)
    }
}

fn lock(mutex: *mut pthread_mutex_t) {
    // SAFETY: an initialised mutex that stays mapped. Another thread of ours may be quicker.
    unsafe {
        if libc::pthread_mutex_trylock(mutex) == libc::EOWNERDEAD {
            libc::pthread_mutex_consistent(mutex);
        }
    }
}

/// Slots whose files this process maps at most, to look at them.
const VIEWS: usize = 1024;
/// A view that has been asked for once. Only who asks again gets one: a thousand processes that meet once make no million mappings.
const ASKED: usize = 1;
/// Their addresses, [`ASKED`], or 0.
static VIEW: [AtomicUsize; VIEWS] = [const { AtomicUsize::new(0) }; VIEWS];

/// Whether the process that keeps adjustments under `token` is seen to live. False: ask its lifeline.
pub fn is_seen_alive(ns: &Namespace, token: Token) -> bool {
    let Some(slot) = lifeline::slot_of(token).filter(|slot| (*slot as usize) < VIEWS) else { return false };
    let view = &VIEW[slot as usize];
    let start = match view.load(Acquire) {
        0 => {
            let _ = view.compare_exchange(0, ASKED, Relaxed, Relaxed);
            return false;
        }
        ASKED => match look_at(ns, slot) {
            Ok(start) => {
                // Two threads' views serve equally well.
                view.store(start, Release);
                start
            }
            Err(_) => return false,
        },
        start => start,
    };
    let wanted = Some(lifeline::generation_of(token));
    read(start) == wanted
        && read(start + GENERATION_AT) == wanted
        && read(start + MUTEX_AT).is_some_and(is_locked)
}

/// A word of somebody's file; None: he has cut it short.
fn read(at: usize) -> Option<u32> {
    let mut value = 0u32;
    // SAFETY: a fault is an answer.
    unsafe { copy::copy((&raw mut value).cast(), at as *const u8, 4) }.then_some(value)
}

#[cold]
fn look_at(ns: &Namespace, slot: u32) -> Result<usize> {
    let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let fd = file::open_at(ns.dir()?, lifeline::slot_path(slot).as_cstr(), flags, 0)?;
    let st = file::stat(fd.raw())?;
    if !st.is(libc::S_IFREG) || st.size != WATCHED_BYTES {
        return Err(Errno::EINVAL);
    }
    map::shared(fd.raw(), lifeline::LIFE_BYTES, libc::PROT_READ).map(|p| p as usize)
}
