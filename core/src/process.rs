//! What this process is, remembered in a page that a child does not inherit.
//!
//! The page is `MADV_WIPEONFORK`: a child, even one made by a raw clone(2), finds zeros and asks
//! afresh, and needs no fork handler for it.

use crate::cred::CredCache;
use crate::errno::{Errno, Result};
use crate::likely::unlikely;
use crate::sync::local::LocalLock;
use crate::sys::{map, raw::syscall};
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::*};
use once_cell::race::OnceNonZeroUsize;

/// The remembered facts; all zero means that nothing is known yet.
#[repr(C)]
pub struct ProcessPage {
    /// The process's token in its namespace, see [`crate::namespace::lifeline`]; 0: not registered.
    pub token: AtomicU64,
    /// The token under which the process keeps SEM_UNDO adjustments; 0: not asked for yet.
    pub undo_token: AtomicU64,
    /// 0 until the process makes its first SEM_UNDO adjustment.
    pub adjusts: AtomicU32,
    /// The mutex by which others see that this process lives, see [`crate::namespace::watch`].
    pub watched: AtomicUsize,
    /// How many System V shared memory attaches are counted in the name of `token`.
    pub attaches: AtomicU32,
    pub(crate) pid: AtomicU32,
    /// Held by the thread that forks, from one handler of [`crate::namespace::birth`] to the next.
    pub(crate) fork_lock: AtomicU32,
    /// Guards the table of signal actions; a child must not inherit it held.
    pub(crate) signal_lock: AtomicU32,
    /// Guards the table of POSIX semaphores.
    pub(crate) sem_lock: LocalLock,
    pub(crate) cred: CredCache,
}

/// Among the data that the dynamic linker writes to in any case: a page more is a fault more in every program's start.
#[link_section = ".data"]
static PAGE: OnceNonZeroUsize = OnceNonZeroUsize::new();

#[inline(always)]
fn new_page() -> Result<NonZeroUsize> {
    let len = size_of::<ProcessPage>();
    let p = map::anonymous(len)?;
    // Linux 4.14. Without it a child would take its parent for itself: better not to start.
    map::advise(p, (len + 4095) & !4095, libc::MADV_WIPEONFORK).map_err(|_| {
        crate::text::complain(&[b"this kernel has no MADV_WIPEONFORK (Linux 4.14), which usipc needs"]);
        Errno::ENOSYS
    })?;
    // A write, since a page that is read first is taken twice.
    // SAFETY: just mapped, of this type, all zero.
    unsafe { &*p.cast::<ProcessPage>() }.pid.store(kernel_pid(), Relaxed);
    NonZeroUsize::new(p as usize).ok_or(Errno::ENOMEM)
}

/// This process's page. ENOMEM, ENOSYS.
#[inline(always)]
pub fn page() -> Result<&'static ProcessPage> {
    match page_if_any() {
        Some(page) => Ok(page),
        None => first_page(),
    }
}

/// At the start of the program; inlined, since code from elsewhere in the library is another fault.
#[inline(always)]
pub fn begin() {
    if PAGE.get().is_none() {
        let _ = new_page().map(|page| PAGE.set(page));
    }
}

#[cold]
#[inline(never)]
fn first_page() -> Result<&'static ProcessPage> {
    PAGE.get_or_try_init(new_page)?;
    page_if_any().ok_or(Errno::ENOMEM)
}

/// The page, if there is one already. A vfork(2) child finds its parent's.
#[inline(always)]
pub fn page_if_any() -> Option<&'static ProcessPage> {
    // SAFETY: the mapping is never removed, is zero-initialised, and all its fields are atomics.
    PAGE.get().map(|p| unsafe { &*(p.get() as *const ProcessPage) })
}

/// This process's id. getpid(2)
#[inline(always)]
pub fn pid() -> Result<u32> {
    let page = page()?;
    let pid = page.pid.load(Relaxed);
    if unlikely(pid == 0) {
        return Ok(ask_pid(page));
    }
    Ok(pid)
}

#[cold]
#[inline(never)]
fn ask_pid(page: &ProcessPage) -> u32 {
    let pid = kernel_pid();
    page.pid.store(pid, Relaxed);
    pid
}

/// Whether this is a vfork(2) child, which runs in its parent's memory. Only for a process that has asked for
/// its [`pid`] before can its child be told from it; the library's constructor and the handler of fork(3) do.
pub fn is_borrowed() -> bool {
    page_if_any().is_some_and(|page| ![0, kernel_pid()].contains(&page.pid.load(Relaxed)))
}

/// This process's id, asked of the kernel: also right in a vfork(2) child. getpid(2)
pub fn kernel_pid() -> u32 {
    // SAFETY: no arguments.
    unsafe { syscall!(libc::SYS_getpid) }.unwrap_or(0) as u32
}
