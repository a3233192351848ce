//! Which directory: `USIPC_DIR`, `USIPC_NAMESPACE`, the system-wide one, or a private one.

use crate::errno::Errno;
use crate::sys::file;
use crate::text::{parse_u64, Text};
use core::ffi::CStr;
use core::fmt::{self, Write};

/// A path. Shorter than PATH_MAX: the library may run on a thread's smallest stack.
pub type Path = Text<512>;

/// Why a directory was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Why {
    UsipcDir,
    UsipcNamespace,
    SystemWide,
    PrivateShm,
    XdgRuntimeDir,
    Tmpdir,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::UsipcDir => "USIPC_DIR names it",
            Why::UsipcNamespace => "USIPC_NAMESPACE names it",
            Why::SystemWide => "the system-wide directory, set up by root",
            Why::PrivateShm => "your private directory on /dev/shm",
            Why::XdgRuntimeDir => "/dev/shm is not usable, so it lies in XDG_RUNTIME_DIR",
            Why::Tmpdir => {
                "neither /dev/shm nor XDG_RUNTIME_DIR is usable, so it lies in the temporary directory"
            }
        })
    }
}

/// A directory and why it is that one.
#[derive(Clone, Copy)]
pub struct Choice {
    path: Path,
    /// The reason.
    pub why: Why,
}

impl Choice {
    /// Its absolute path.
    pub fn path(&self) -> &CStr {
        self.path.as_cstr()
    }
}

/// Why a directory is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// It belongs to this user id, who could delete everybody's objects.
    OwnedByStranger(u32),
    /// It is a file, or a symbolic link.
    NotADirectory,
    /// Users share it, and its owner has not made its rooms.
    Unfurnished,
    /// The name has a character other than letters, digits, `.`, `_`, `-`, or begins with `.`.
    BadName,
    /// The path is too long.
    TooLong,
    /// A system call failed.
    Unusable(Errno),
}

/// A directory that is not used, and why.
#[derive(Clone, Copy)]
pub struct Refusal {
    pub(super) path: Path,
    /// The reason.
    pub kind: RefusalKind,
}

impl Refusal {
    pub(super) fn new(path: &[u8], kind: RefusalKind) -> Refusal {
        let mut text = Path::new();
        text.push(path);
        Refusal { path: text, kind }
    }
    /// What a call returns that cannot have a namespace.
    pub fn errno(&self) -> Errno {
        match self.kind {
            RefusalKind::OwnedByStranger(_) | RefusalKind::Unfurnished => Errno::EACCES,
            RefusalKind::NotADirectory => Errno::ENOTDIR,
            RefusalKind::BadName => Errno::EINVAL,
            RefusalKind::TooLong => Errno::ENAMETOOLONG,
            RefusalKind::Unusable(e) => e,
        }
    }
}

/// A name that may have any characters in it, for a message.
struct OnOneLine<'a>(&'a str);

impl fmt::Display for OnOneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| f.write_char(if c.is_control() { '?' } else { c }))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = OnOneLine(core::str::from_utf8(self.path.as_bytes()).unwrap_or("(not UTF-8)"));
        match self.kind {
            RefusalKind::OwnedByStranger(uid) => write!(
                f,
                "the namespace directory {path} belongs to user {uid}, who could delete your objects; \
                 remove it, or set USIPC_DIR to a directory of yours or root's"
            ),
            RefusalKind::NotADirectory => {
                write!(f, "{path} is not a directory (or is a symbolic link); set USIPC_DIR to a directory")
            }
            RefusalKind::Unfurnished => write!(
                f,
                "the shared namespace directory {path} has no rooms yet: its owner must set it up \
                 (any usipc call of his does), or set USIPC_DIR to a directory of yours"
            ),
            RefusalKind::BadName => {
                write!(f, "the namespace name \"{path}\" may have only letters, digits, '.', '_' and '-', and not begin with '.'")
            }
            RefusalKind::TooLong => write!(f, "the path of the namespace directory is too long"),
            RefusalKind::Unusable(e) => write!(
                f,
                "cannot use the namespace directory {path} (error {}); set USIPC_DIR to a directory where you may create files",
                e.raw()
            ),
        }
    }
}

/// The value of an environment variable; none in a set-user-id program, whose caller is not trusted.
pub(crate) fn environment(name: &CStr) -> Option<&'static [u8]> {
    // SAFETY: getauxval and getenv have no preconditions but a C string; the value is only read.
    unsafe {
        if libc::getauxval(libc::AT_SECURE) != 0 {
            return None;
        }
        let p = libc::getenv(name.as_ptr());
        if p.is_null() {
            return None;
        }
        let value = CStr::from_ptr(p).to_bytes();
        (!value.is_empty()).then_some(value)
    }
}

fn euid() -> u64 {
    // SAFETY: no arguments.
    unsafe { crate::sys::raw::syscall6(libc::SYS_geteuid, [0; 6]) }.unwrap_or(0) as u64
}

fn checked(path: Path, why: Why) -> Result<Choice, Refusal> {
    if path.is_full() {
        return Err(Refusal::new(b"", RefusalKind::TooLong));
    }
    Ok(Choice { path, why })
}

fn valid_name(name: &[u8]) -> bool {
    name.len() <= 100
        && !name.starts_with(b".")
        && !name.is_empty()
        && name.iter().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(c))
}

/// The directory that the environment asks for. Creates nothing.
pub fn choose() -> Result<Choice, Refusal> {
    if let Some(dir) = environment(c"USIPC_DIR") {
        return checked(absolute(dir)?, Why::UsipcDir);
    }
    if let Some(name) = environment(c"USIPC_NAMESPACE") {
        return private(name, Some(Why::UsipcNamespace));
    }
    let system = file::stat_at(libc::AT_FDCWD, c"/dev/shm/usipc");
    if system.is_ok_and(|st| st.is(libc::S_IFDIR) && st.uid == 0 && st.mode & 0o1777 == 0o1777) {
        let mut path = Path::new();
        path.push(b"/dev/shm/usipc");
        return checked(path, Why::SystemWide);
    }
    private(b"default", None)
}

/// The caller's private namespace of this name.
pub fn choose_named(name: &CStr) -> Result<Choice, Refusal> {
    private(name.to_bytes(), Some(Why::UsipcNamespace))
}

fn private(name: &[u8], why: Option<Why>) -> Result<Choice, Refusal> {
    if !valid_name(name) {
        return Err(Refusal::new(name, RefusalKind::BadName));
    }
    let mut path = Path::new();
    if writable(c"/dev/shm") {
        path.push(b"/dev/shm/usipc-").push_u64(euid()).push(b"/").push(name);
        return checked(path, why.unwrap_or(Why::PrivateShm));
    }
    if let Some(dir) = environment(c"XDG_RUNTIME_DIR") {
        let mut base = Path::new();
        base.push(dir);
        if dir.starts_with(b"/") && writable(base.as_cstr()) {
            path.push(dir).push(b"/usipc/").push(name);
            return checked(path, why.unwrap_or(Why::XdgRuntimeDir));
        }
    }
    let tmp = environment(c"TMPDIR").filter(|d| d.starts_with(b"/")).unwrap_or(b"/tmp");
    path.push(tmp).push(b"/usipc-").push_u64(euid()).push(b"/").push(name);
    checked(path, why.unwrap_or(Why::Tmpdir))
}

fn writable(dir: &CStr) -> bool {
    let mode = libc::W_OK | libc::X_OK;
    // SAFETY: the path is a C string.
    file::stat_at(libc::AT_FDCWD, dir).is_ok()
        && unsafe {
            crate::sys::raw::syscall6(
                libc::SYS_faccessat,
                [libc::AT_FDCWD as usize, dir.as_ptr() as usize, mode as usize, 0, 0, 0],
            )
        }
        .is_ok()
}

/// A relative path is resolved once, at the first call: a later chdir(2) does not move it.
fn absolute(dir: &[u8]) -> Result<Path, Refusal> {
    let mut path = Path::new();
    if !dir.starts_with(b"/") {
        let mut buf = [0u8; 512];
        // SAFETY: the buffer is valid for its length.
        let n = unsafe {
            crate::sys::raw::syscall6(libc::SYS_getcwd, [buf.as_mut_ptr() as usize, buf.len(), 0, 0, 0, 0])
        }
        .map_err(|e| Refusal::new(dir, RefusalKind::Unusable(e)))?;
        path.push(&buf[..n.saturating_sub(1)]).push(b"/");
    }
    path.push(dir);
    Ok(path)
}

/// The number in the name of a file of ours, such as `msg/17`.
pub(crate) fn index_of(name: &CStr) -> Option<u64> {
    parse_u64(name.to_bytes())
}
