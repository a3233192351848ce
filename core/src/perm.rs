//! Permissions of an object: the kernel's `ipcperms` (Linux: ipc/util.c) over ids kept in its
//! header, and what they mean for the modes of its file.

use crate::cred::{self, Cred};
use crate::errno::{Errno, Result};
use crate::sys::file;

/// Owner, creator and mode of an object, as in `struct ipc_perm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Perm {
    /// Owner's user id.
    pub uid: u32,
    /// Owner's group id.
    pub gid: u32,
    /// Creator's user id.
    pub cuid: u32,
    /// Creator's group id.
    pub cgid: u32,
    /// The lowest nine bits: read and write for user, group and others.
    pub mode: u32,
}

/// Reading an object.
pub const READ: u32 = 4;
/// Writing an object.
pub const WRITE: u32 = 2;
/// Attaching shared memory for execution.
pub const EXEC: u32 = 1;

/// The rights that an octal mode asks for, in whichever class it names them (Linux: ipcperms).
pub fn wanted(flags: u32) -> u32 {
    (flags >> 6 | flags >> 3 | flags) & 7
}

impl Perm {
    /// The rights (4 read, 2 write) that the caller's class has.
    fn granted(&self, cred: &Cred) -> u32 {
        let shift = if cred.euid == self.cuid || cred.euid == self.uid {
            6
        } else if cred.in_group(self.cgid) || cred.in_group(self.gid) {
            3
        } else {
            0
        };
        self.mode >> shift & 7
    }
    /// Whether every right in `wanted` (4 read, 2 write, 1) is in `verdict`.
    #[inline(always)]
    pub fn allows(verdict: u32, wanted: u32) -> bool {
        wanted & !verdict & 7 == 0 || verdict & 8 != 0
    }
    /// The caller's rights as one number to keep: the class's, and 8 for one who bypasses them.
    pub fn verdict(&self, cred: &Cred) -> u32 {
        self.granted(cred) | (cred.capable(cred::CAP_IPC_OWNER) as u32) << 3
    }
    /// EPERM unless the caller owns or made the object, or may administer it.
    pub fn check_owner(&self, cred: &Cred) -> Result<()> {
        if cred.euid == self.cuid || cred.euid == self.uid || cred.capable(cred::CAP_SYS_ADMIN) {
            return Ok(());
        }
        Err(Errno::EPERM)
    }
}

/// The file mode for an object's `mode`: a class with either right gets both, since receiving a
/// message changes the queue; which one it has is checked by the library. A class with neither is
/// kept out by the kernel. The third bit of each class means nothing here, but `*get` calls may ask
/// for it.
pub fn file_mode(mode: u32) -> u32 {
    let any = (mode >> 1 | mode >> 2) & 0o111;
    any << 1 | any << 2 | mode & 0o111
}

const ACCESS: &core::ffi::CStr = c"system.posix_acl_access";
/// Tags of a list's entries: a named user, a named group.
const USER: u16 = 0x02;
const GROUP: u16 = 0x08;

/// The permissions with a creator that the kernel knows of: the file's owner, or whom its list names.
/// Whoever may write the object could have entered himself as its creator.
fn creator_as_known(fd: i32, st: &file::Stat, perm: &Perm) -> Perm {
    let mut list = [0u8; 4 + 8 * 16];
    let len = file::attribute(fd, ACCESS, &mut list).unwrap_or(0).max(4);
    let is_named = |tag: u16, id: u32| {
        list[4..len].chunks_exact(8).any(|e| e[..2] == tag.to_le_bytes() && e[4..] == id.to_le_bytes())
    };
    let known = |id, owner, tag| if id == owner || is_named(tag, id) { id } else { owner };
    Perm { cuid: known(perm.cuid, st.uid, USER), cgid: known(perm.cgid, st.gid, GROUP), ..*perm }
}

/// Makes the kernel admit to the file of an object who its permissions admit, and nobody else.
/// EPERM when the caller may change the object but not its file (see docs/DIFFERENCES.md).
pub fn apply(fd: i32, perm: &Perm) -> Result<()> {
    let st = file::stat(fd)?;
    let perm = &creator_as_known(fd, &st, perm);
    let mode = file_mode(perm.mode);
    let mut owners = (st.uid, st.gid);
    if owners != (perm.uid, perm.gid) && file::set_owner(fd, perm.uid, perm.gid).is_ok() {
        owners = (perm.uid, perm.gid);
    }
    if owners != (perm.uid, perm.gid) {
        // An unprivileged creator cannot give the file away, but can name the new owner in an
        // access control list.
        let list = acl(perm, mode, owners);
        return file::set_attribute(fd, ACCESS, list.as_bytes()).map_err(|_| Errno::EPERM);
    }
    if perm.uid != perm.cuid || perm.gid != perm.cgid {
        if file::set_attribute(fd, ACCESS, acl(perm, mode, owners).as_bytes()).is_ok() {
            return Ok(());
        }
    } else if st.mode & 0o777 == mode {
        return Ok(());
    }
    file::set_mode(fd, mode)
}

struct Acl {
    bytes: [u8; 4 + 8 * 8],
    len: usize,
}

impl Acl {
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// A POSIX access control list, version 2 (acl(5)): both owners and both groups. The file's own
/// owner can let himself in at any time, so he is let in where he is neither of them.
fn acl(perm: &Perm, mode: u32, (uid, gid): (u32, u32)) -> Acl {
    const ANY: u32 = u32::MAX;
    let rights = |shift: u32| (mode >> shift & 6) as u16;
    let of_owner = if uid == perm.uid || uid == perm.cuid { rights(6) } else { 6 };
    let of_group = if gid == perm.gid || gid == perm.cgid { rights(3) } else { rights(0) };
    let users = [perm.uid.min(perm.cuid), perm.uid.max(perm.cuid)];
    let groups = [perm.gid.min(perm.cgid), perm.gid.max(perm.cgid)];
    let entries: [(u16, u16, u32); 8] = [
        (0x01, of_owner, ANY),
        (USER, rights(6), users[0]),
        (USER, rights(6), users[1]),
        (0x04, of_group, ANY),
        (GROUP, rights(3), groups[0]),
        (GROUP, rights(3), groups[1]),
        (0x10, 6, ANY),
        (0x20, rights(0), ANY),
    ];
    let mut bytes = [0u8; 4 + 8 * 8];
    bytes[0] = 2;
    let mut at = 4;
    let mut last = None;
    for (tag, rights, id) in entries {
        // A list must not name anybody twice.
        if last == Some((tag, id)) {
            continue;
        }
        last = Some((tag, id));
        bytes[at..at + 2].copy_from_slice(&tag.to_le_bytes());
        bytes[at + 2..at + 4].copy_from_slice(&rights.to_le_bytes());
        bytes[at + 4..at + 8].copy_from_slice(&id.to_le_bytes());
        at += 8;
    }
    Acl { bytes, len: at }
}
