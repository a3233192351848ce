//! The caller's credentials, cached per process.
//!
//! Every System V call checks permissions against the effective ids of that moment. Asking the
//! kernel costs more than the call, so the answer is kept; the calls that change credentials are
//! libc calls too, and [`changed`] makes the next look ask again. A fork wipes the cache.

use crate::errno::Result;
use crate::process;
use crate::sys::raw::syscall;
use core::sync::atomic::{AtomicU32, Ordering::*};

/// NGROUPS_MAX of Linux.
const GROUPS_MAX: usize = 65536;

/// CAP_IPC_OWNER: bypasses permission checks of System V objects.
pub const CAP_IPC_OWNER: u32 = 15;
/// CAP_IPC_LOCK: keeps memory from being swapped, beyond RLIMIT_MEMLOCK.
pub const CAP_IPC_LOCK: u32 = 14;
/// CAP_SYS_ADMIN: IPC_SET and IPC_RMID on other users' objects.
pub const CAP_SYS_ADMIN: u32 = 21;
/// CAP_SYS_RESOURCE: raises msg_qbytes above the limit.
pub const CAP_SYS_RESOURCE: u32 = 24;
/// CAP_DAC_OVERRIDE: bypasses file permission checks.
pub const CAP_DAC_OVERRIDE: u32 = 1;

/// The cached answers; `state` is 0 (unknown), 1 (being written) or a generation.
#[repr(C)]
pub(crate) struct CredCache {
    state: AtomicU32,
    euid: AtomicU32,
    egid: AtomicU32,
    caps: [AtomicU32; 2],
    group_count: AtomicU32,
    groups: [AtomicU32; GROUPS_MAX],
}

/// Moves with every change of credentials; forks carry it on.
static GENERATION: AtomicU32 = AtomicU32::new(2);

/// To be called after every call that changes credentials, whether it succeeded or not.
pub fn changed() {
    let next = GENERATION.fetch_add(1, AcqRel) + 1;
    if next < 2 {
        GENERATION.store(2, Release);
    }
}

/// The effective ids and capabilities of this moment.
#[derive(Clone, Copy, Debug)]
pub struct Cred {
    /// Effective user id.
    pub euid: u32,
    /// Effective group id.
    pub egid: u32,
    caps: [u32; 2],
    /// Which set of credentials this is: a verdict reached with one holds for the same number.
    pub generation: u32,
}

/// Which set of credentials is the caller's (see [`Cred::generation`]), if that is known.
#[inline(always)]
pub fn known_generation(page: &process::ProcessPage) -> Option<u32> {
    let generation = GENERATION.load(Acquire);
    (page.cred.state.load(Acquire) == generation).then_some(generation)
}

/// Which set of credentials is the caller's.
pub fn generation() -> Result<u32> {
    let page = process::page()?;
    match known_generation(page) {
        Some(generation) => Ok(generation),
        None => fill(&page.cred),
    }
}

/// The caller's credentials.
pub fn current() -> Result<Cred> {
    let generation = generation()?;
    let cache = &process::page()?.cred;
    Ok(Cred {
        euid: cache.euid.load(Relaxed),
        egid: cache.egid.load(Relaxed),
        caps: [cache.caps[0].load(Relaxed), cache.caps[1].load(Relaxed)],
        generation,
    })
}

/// Asks the kernel. Two threads may fill at once: they write the same values.
#[cold]
#[inline(never)]
fn fill(cache: &CredCache) -> Result<u32> {
    if cache.state.load(Relaxed) == 0 {
        // A child may have changed them by bare system calls: what its parent was allowed counts no more.
        changed();
    }
    let generation = GENERATION.load(Acquire);
    let mut header = [0x2008_0522u32, 0];
    let mut caps = [0u32; 6];
    // SAFETY: no arguments; capget gets a version 3 header and room for both halves; getgroups
    // writes at most GROUPS_MAX ids into the array.
    unsafe {
        cache.euid.store(syscall!(libc::SYS_geteuid)? as u32, Relaxed);
        cache.egid.store(syscall!(libc::SYS_getegid)? as u32, Relaxed);
        syscall!(libc::SYS_capget, header.as_mut_ptr(), caps.as_mut_ptr())?;
        let n = syscall!(libc::SYS_getgroups, GROUPS_MAX, cache.groups.as_ptr())?;
        cache.group_count.store(n as u32, Relaxed);
    }
    cache.caps[0].store(caps[0], Relaxed);
    cache.caps[1].store(caps[3], Relaxed);
    cache.state.store(generation, Release);
    Ok(generation)
}

impl Cred {
    /// Whether the effective set holds capability number `cap`.
    pub fn capable(&self, cap: u32) -> bool {
        self.caps[(cap / 32) as usize] >> (cap % 32) & 1 != 0
    }
    /// Whether the caller belongs to group `gid`.
    pub fn in_group(&self, gid: u32) -> bool {
        if gid == self.egid {
            return true;
        }
        let Ok(page) = process::page() else { return false };
        let n = page.cred.group_count.load(Relaxed) as usize;
        page.cred.groups[..n.min(GROUPS_MAX)].iter().any(|g| g.load(Relaxed) == gid)
    }
}
