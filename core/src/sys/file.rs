//! Files, by direct system calls.

use super::raw::syscall;
use crate::errno::{Errno, Result};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use core::ops::Range;

/// An open descriptor that is closed when it goes out of scope.
#[derive(Debug)]
pub struct Fd(i32);

impl Fd {
    /// The number.
    pub fn raw(&self) -> i32 {
        self.0
    }
    /// Gives the descriptor away, open.
    pub fn into_raw(self) -> i32 {
        let fd = self.0;
        core::mem::forget(self);
        fd
    }
    /// Takes an open descriptor over.
    pub fn from_raw(fd: i32) -> Fd {
        Fd(fd)
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        close(self.0);
    }
}

/// What `fstat(2)` says, as far as it is used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Device and inode number: which file it is.
    pub file: (u64, u64),
    /// Type and permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length in bytes.
    pub size: u64,
    /// Memory behind it, in bytes.
    pub allocated: u64,
    /// The unit in which its memory comes.
    pub block: u64,
    /// Number of names.
    pub links: u64,
    /// Time of last status change, in seconds since the Epoch.
    pub ctime: i64,
    /// Time of last modification, likewise.
    pub mtime: i64,
}

impl Stat {
    /// Whether it is a file of this type (`S_IFREG`, ...).
    pub fn is(&self, kind: u32) -> bool {
        self.mode & libc::S_IFMT == kind
    }
}

/// `openat(2)`; always close-on-exec.
pub fn open_at(dir: i32, path: &CStr, flags: i32, mode: u32) -> Result<Fd> {
    // SAFETY: the path is a C string.
    unsafe { syscall!(libc::SYS_openat, dir, path.as_ptr(), flags | libc::O_CLOEXEC, mode) }
        .map(|fd| Fd(fd as i32))
}

/// `close(2)`.
pub fn close(fd: i32) {
    // SAFETY: callers close descriptors that they own.
    let _ = unsafe { syscall!(libc::SYS_close, fd) };
}

/// `fstatat(2)`; an empty path means `dir` itself; symbolic links are not followed.
pub fn stat_at(dir: i32, path: &CStr) -> Result<Stat> {
    let flags = libc::AT_SYMLINK_NOFOLLOW | libc::AT_EMPTY_PATH;
    stat_by(|st| {
        // SAFETY: path and buffer are valid.
        unsafe { syscall!(libc::SYS_newfstatat, dir, path.as_ptr(), st, flags) }
    })
}

/// What a system call says of a file.
#[inline(always)]
// On other machines the types are others.
#[allow(clippy::unnecessary_cast)]
fn stat_by(call: impl FnOnce(*mut libc::stat) -> Result<usize>) -> Result<Stat> {
    let mut st = MaybeUninit::<libc::stat>::uninit();
    call(st.as_mut_ptr())?;
    // SAFETY: filled by the call.
    let st = unsafe { st.assume_init() };
    Ok(Stat {
        file: (st.st_dev as u64, st.st_ino as u64),
        mode: st.st_mode,
        uid: st.st_uid,
        gid: st.st_gid,
        size: st.st_size as u64,
        allocated: st.st_blocks as u64 * 512,
        block: st.st_blksize as u64,
        links: st.st_nlink as u64,
        ctime: st.st_ctime as i64,
        mtime: st.st_mtime as i64,
    })
}

/// `stat(2)`: follows symbolic links.
pub fn stat_follow(path: *const core::ffi::c_char) -> Result<(u64, u64)> {
    // SAFETY: all-zero is a valid stat structure.
    let mut st: libc::stat = unsafe { core::mem::zeroed() };
    // SAFETY: the kernel checks the path pointer; the buffer is valid.
    unsafe { syscall!(libc::SYS_newfstatat, libc::AT_FDCWD, path, &mut st as *mut libc::stat, 0)? };
    Ok((st.st_dev as u64, st.st_ino as u64))
}

/// `fstat(2)`.
pub fn stat(fd: i32) -> Result<Stat> {
    stat_by(|st| {
        // SAFETY: the buffer is valid.
        unsafe { syscall!(libc::SYS_fstat, fd, st) }
    })
}

/// `ftruncate(2)`, refused with EFBIG instead of a SIGXFSZ where RLIMIT_FSIZE forbids it.
pub fn set_len(fd: i32, len: u64) -> Result<()> {
    check_file_limit(len)?;
    // SAFETY: no pointers.
    unsafe { syscall!(libc::SYS_ftruncate, fd, len) }.map(|_| ())
}

/// Reserves memory for `[start, start + len)`, which is within the file: ENOSPC when the file system is full. fallocate(2)
pub fn reserve(fd: i32, start: u64, len: u64) -> Result<()> {
    loop {
        // SAFETY: no pointers.
        match unsafe { syscall!(libc::SYS_fallocate, fd, 0, start, len) } {
            // tmpfs gives up a long reservation when any signal is pending, handled or not.
            Err(Errno::EINTR) => {}
            other => return other.map(|_| ()),
        }
    }
}

/// Gives the memory behind `[start, start + len)` back; it reads as zeros then. fallocate(2)
pub fn punch(fd: i32, start: u64, len: u64) -> Result<()> {
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: no pointers.
    unsafe { syscall!(libc::SYS_fallocate, fd, mode, start, len) }.map(|_| ())
}

/// Bytes that the file system of `fd` still has for the caller; None when it has no bound. fstatfs(2)
pub fn available(fd: i32) -> Result<Option<u64>> {
    // SAFETY: all-zero is a valid structure.
    let mut fs: libc::statfs = unsafe { core::mem::zeroed() };
    // SAFETY: the structure is valid.
    unsafe { syscall!(libc::SYS_fstatfs, fd, &mut fs as *mut libc::statfs)? };
    Ok((fs.f_blocks != 0).then(|| fs.f_bavail.saturating_mul(fs.f_bsize as u64)))
}

/// EFBIG where RLIMIT_FSIZE forbids a file of `len` bytes: growing one would be a SIGXFSZ.
pub fn check_file_limit(len: u64) -> Result<()> {
    if len > soft_limit(libc::RLIMIT_FSIZE as i32)? {
        return Err(Errno::EFBIG);
    }
    Ok(())
}

/// A resource limit that holds for this process. getrlimit(2)
pub fn soft_limit(resource: i32) -> Result<u64> {
    let mut limit = [0u64; 2];
    // SAFETY: the buffer holds a struct rlimit64.
    unsafe { syscall!(libc::SYS_prlimit64, 0, resource, 0, limit.as_mut_ptr())? };
    Ok(limit[0])
}

/// `fchmod(2)`.
pub fn set_mode(fd: i32, mode: u32) -> Result<()> {
    // SAFETY: no pointers.
    unsafe { syscall!(libc::SYS_fchmod, fd, mode) }.map(|_| ())
}

/// Gives a file the mode if it has another, by the umask for example; its state before that.
pub fn ensure_mode(fd: i32, mode: u32) -> Result<Stat> {
    let st = stat(fd)?;
    if st.mode & 0o7777 != mode {
        set_mode(fd, mode)?;
    }
    Ok(st)
}

/// `fchmodat(2)`.
pub fn set_mode_at(dir: i32, path: &CStr, mode: u32) -> Result<()> {
    // SAFETY: the path is a C string.
    unsafe { syscall!(libc::SYS_fchmodat, dir, path.as_ptr(), mode) }.map(|_| ())
}

/// `fchown(2)`.
pub fn set_owner(fd: i32, uid: u32, gid: u32) -> Result<()> {
    // SAFETY: no pointers.
    unsafe { syscall!(libc::SYS_fchown, fd, uid, gid) }.map(|_| ())
}

/// Sets the extended attribute `name` to `value`. fsetxattr(2)
pub fn set_attribute(fd: i32, name: &CStr, value: &[u8]) -> Result<()> {
    // SAFETY: name and value are valid.
    unsafe { syscall!(libc::SYS_fsetxattr, fd, name.as_ptr(), value.as_ptr(), value.len(), 0) }.map(|_| ())
}

/// `fgetxattr(2)`: how many bytes of `buf` the value fills.
pub fn attribute(fd: i32, name: &CStr, buf: &mut [u8]) -> Result<usize> {
    // SAFETY: name and buffer are valid.
    unsafe { syscall!(libc::SYS_fgetxattr, fd, name.as_ptr(), buf.as_mut_ptr(), buf.len()) }
}

/// Gives the unnamed file `fd` the name `path`: EEXIST when it is taken. The whole file appears at once.
pub fn link_unnamed(fd: i32, dir: i32, path: &CStr) -> Result<()> {
    // SAFETY: paths are C strings.
    let direct =
        unsafe { syscall!(libc::SYS_linkat, fd, c"".as_ptr(), dir, path.as_ptr(), libc::AT_EMPTY_PATH) };
    match direct {
        // Before Linux 6.10 this form asks for CAP_DAC_READ_SEARCH and says ENOENT without it.
        Err(Errno::ENOENT | Errno::EPERM) => {}
        other => return other.map(|_| ()),
    }
    let mut text = crate::text::Text::<32>::new();
    text.push(b"/proc/self/fd/").push_u64(fd as u64);
    // SAFETY: as above.
    unsafe {
        syscall!(
            libc::SYS_linkat,
            libc::AT_FDCWD,
            text.as_cstr().as_ptr(),
            dir,
            path.as_ptr(),
            libc::AT_SYMLINK_FOLLOW
        )
    }
    .map(|_| ())
}

/// `symlinkat(2)`.
pub fn symlink_at(text: &CStr, dir: i32, path: &CStr) -> Result<()> {
    // SAFETY: paths are C strings.
    unsafe { syscall!(libc::SYS_symlinkat, text.as_ptr(), dir, path.as_ptr()) }.map(|_| ())
}

/// `readlinkat(2)`: how many bytes of `buf` the text fills.
pub fn read_link_at(dir: i32, path: &CStr, buf: &mut [u8]) -> Result<usize> {
    // SAFETY: path and buffer are valid.
    unsafe { syscall!(libc::SYS_readlinkat, dir, path.as_ptr(), buf.as_mut_ptr(), buf.len()) }
}

/// `unlinkat(2)`; `flags` may be AT_REMOVEDIR.
pub fn unlink_at(dir: i32, path: &CStr, flags: i32) -> Result<()> {
    // SAFETY: the path is a C string.
    unsafe { syscall!(libc::SYS_unlinkat, dir, path.as_ptr(), flags) }.map(|_| ())
}

/// `mkdirat(2)`.
pub fn mkdir_at(dir: i32, path: &CStr, mode: u32) -> Result<()> {
    // SAFETY: the path is a C string.
    unsafe { syscall!(libc::SYS_mkdirat, dir, path.as_ptr(), mode) }.map(|_| ())
}

/// Makes a FIFO. mknodat(2)
pub fn mkfifo_at(dir: i32, path: &CStr, mode: u32) -> Result<()> {
    // SAFETY: the path is a C string.
    unsafe { syscall!(libc::SYS_mknodat, dir, path.as_ptr(), libc::S_IFIFO | mode, 0) }.map(|_| ())
}

/// `fcntl(2)` with an integer argument.
pub fn control(fd: i32, cmd: i32, arg: usize) -> Result<i32> {
    // SAFETY: callers use commands whose argument is an integer.
    unsafe { syscall!(libc::SYS_fcntl, fd, cmd, arg) }.map(|r| r as i32)
}

/// `dup3(2)`, close-on-exec or not.
pub fn replace(old: i32, new: i32, close_on_exec: bool) -> Result<()> {
    let flags = if close_on_exec { libc::O_CLOEXEC } else { 0 };
    // SAFETY: no pointers.
    unsafe { syscall!(libc::SYS_dup3, old, new, flags) }.map(|_| ())
}

fn range_lock(lock_type: i32, bytes: Range<i64>) -> libc::flock {
    // SAFETY: all-zero is a valid struct flock.
    let mut lock: libc::flock = unsafe { core::mem::zeroed() };
    lock.l_type = lock_type as _;
    lock.l_start = bytes.start;
    lock.l_len = bytes.end - bytes.start;
    lock
}

/// Takes an open-file-description write lock on `bytes`; EAGAIN when another has one there. fcntl(2)
pub fn lock(fd: i32, bytes: Range<i64>) -> Result<()> {
    let mut lock = range_lock(libc::F_WRLCK, bytes);
    // SAFETY: the structure is valid.
    unsafe { syscall!(libc::SYS_fcntl, fd, libc::F_OFD_SETLK, &mut lock as *mut libc::flock) }.map(|_| ())
}

/// Whether somebody else holds such a write lock on any of `bytes`.
pub fn is_locked(fd: i32, bytes: Range<i64>) -> Result<bool> {
    // A read lock conflicts with write locks alone, which only who may write the file can take.
    let mut lock = range_lock(libc::F_RDLCK, bytes);
    // SAFETY: the structure is valid.
    unsafe { syscall!(libc::SYS_fcntl, fd, libc::F_OFD_GETLK, &mut lock as *mut libc::flock)? };
    Ok(lock.l_type as i32 != libc::F_UNLCK)
}

/// `pread(2)`.
pub fn read_at(fd: i32, buf: &mut [u8], at: u64) -> Result<usize> {
    // SAFETY: the buffer is valid.
    unsafe { syscall!(libc::SYS_pread64, fd, buf.as_mut_ptr(), buf.len(), at) }
}

/// `pwrite(2)`.
pub fn write_at(fd: i32, buf: &[u8], at: u64) -> Result<usize> {
    // SAFETY: the buffer is valid.
    unsafe { syscall!(libc::SYS_pwrite64, fd, buf.as_ptr(), buf.len(), at) }
}

/// `read(2)`.
pub fn read(fd: i32, buf: &mut [u8]) -> Result<usize> {
    // SAFETY: the buffer is valid.
    unsafe { syscall!(libc::SYS_read, fd, buf.as_mut_ptr(), buf.len()) }
}

/// `write(2)`.
pub fn write(fd: i32, buf: &[u8]) -> Result<usize> {
    // SAFETY: the buffer is valid.
    unsafe { syscall!(libc::SYS_write, fd, buf.as_ptr(), buf.len()) }
}

/// Bytes waiting in a FIFO. ioctl_tty(2) FIONREAD
pub fn bytes_waiting(fd: i32) -> Result<usize> {
    let mut n = 0i32;
    // SAFETY: FIONREAD writes an int.
    unsafe { syscall!(libc::SYS_ioctl, fd, libc::FIONREAD, &mut n as *mut i32)? };
    Ok(n as usize)
}

/// Calls `each` with the name of every entry of the directory `dir`, except `.` and `..`;
/// it may return false to stop. getdents64(2)
pub fn each_entry(dir: i32, each: &mut dyn FnMut(&CStr) -> bool) -> Result<()> {
    let mut buf = [0u64; 256];
    loop {
        // SAFETY: the buffer is valid and aligned for struct linux_dirent64.
        let n = unsafe { syscall!(libc::SYS_getdents64, dir, buf.as_mut_ptr(), size_of_val(&buf))? };
        if n == 0 {
            return Ok(());
        }
        // SAFETY: the kernel has filled n bytes.
        let bytes = unsafe { core::slice::from_raw_parts(buf.as_ptr().cast::<u8>(), n) };
        let mut at = 0;
        while at + 19 < n {
            let len = u16::from_ne_bytes([bytes[at + 16], bytes[at + 17]]) as usize;
            let Ok(name) = CStr::from_bytes_until_nul(&bytes[at + 19..at + len]) else { break };
            if name != c"." && name != c".." && !each(name) {
                return Ok(());
            }
            at += len;
        }
    }
}
