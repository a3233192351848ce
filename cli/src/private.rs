//! `usipc run --private`: a fresh namespace directory, and the watcher that removes it.
//!
//! The command execs the program, so that nobody of ours is left to clean up. A process forked off before
//! waits until the program has ended and nobody alive uses the namespace, and removes the directory. It has
//! none of the caller's descriptors, is in a session of its own and no child of the program's, which would
//! otherwise meet a stranger in wait(2). It is this command again under a name of its own, for a `pkill -f`
//! meant for the program must not find the program's name in the watcher's command line.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, io, ptr};

use usipc_core::inspect;
use usipc_core::namespace::Namespace;

use crate::fail::{say, Fail};
use crate::place::c_string;
use crate::tree;

/// The hidden subcommand that the watcher is.
pub const SUBCOMMAND: &str = "watch-private";

const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Where the watcher finds the program's pidfd.
const PIDFD: RawFd = 3;

#[derive(clap::Args)]
pub struct WatchArgs {
    /// The process whose end is waited for; descriptor 3 is its pidfd unless --no-pidfd is given
    program: libc::pid_t,
    dir: OsString,
    #[arg(long)]
    no_pidfd: bool,
}

/// A fresh directory on a memory file system where there is one.
///
/// Mode 0700; for root 1777, since a program started by root may go on as another user and must still reach
/// its objects.
pub fn create() -> Result<CString, Fail> {
    let from_env = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let parents =
        [Some("/dev/shm".into()), from_env("XDG_RUNTIME_DIR"), from_env("TMPDIR"), Some("/tmp".into())];
    let mut last = io::Error::from_raw_os_error(libc::ENOENT);
    for parent in parents.into_iter().flatten() {
        match make_temporary(&parent) {
            Ok(dir) => return Ok(dir),
            Err(error) => last = error,
        }
    }
    Err(Fail::failed(format!(
        "cannot make a private namespace in /dev/shm, $XDG_RUNTIME_DIR, $TMPDIR or /tmp ({last}); set TMPDIR to a directory that you may write"
    )))
}

fn make_temporary(parent: &Path) -> io::Result<CString> {
    let template = parent.join("usipc-private-XXXXXX").into_os_string().into_vec();
    let template = CString::new(template)?.into_raw();
    // SAFETY: the template is a writable C string whose length mkdtemp keeps; it is taken back exactly once.
    let (made, dir) = unsafe { (!libc::mkdtemp(template).is_null(), CString::from_raw(template)) };
    // SAFETY: `dir` is a C string; geteuid cannot fail.
    if !made || unsafe { libc::geteuid() == 0 && libc::chmod(dir.as_ptr(), 0o1777) != 0 } {
        return Err(io::Error::last_os_error());
    }
    Ok(dir)
}

/// Starts the watcher that removes `dir` once this process, or what it execs, has ended.
pub fn start_watcher(dir: &CString) -> Result<(), Fail> {
    let program = std::process::id() as libc::pid_t;
    if program == 1 {
        say(format!(
            "warning: as pid 1 nobody is left to remove {0} at the end; usipc rm --dir {0} namespace does",
            dir.to_string_lossy()
        ));
        return Ok(());
    }
    // A subreaper would adopt the watcher; the attribute survives exec, so it is set back.
    let subreaper = subreaper();
    set_subreaper(false);
    // SAFETY: this process has one thread, so that the child may do anything.
    let helper = unsafe { libc::fork() };
    if helper == 0 {
        become_watcher(program, dir);
    }
    let forked = match helper {
        -1 => Err(io::Error::last_os_error()),
        _ => reap(helper),
    };
    set_subreaper(subreaper);
    forked.map_err(|error| {
        let _ = tree::remove(path(dir));
        Fail::failed(format!("cannot start the process that removes the private namespace: {error}"))
    })
}

fn subreaper() -> bool {
    let mut set: libc::c_int = 0;
    // SAFETY: the call writes one int.
    unsafe { libc::prctl(libc::PR_GET_CHILD_SUBREAPER, &mut set) };
    set != 0
}

fn set_subreaper(set: bool) {
    // SAFETY: no pointers.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, libc::c_ulong::from(set)) };
}

/// Waits for the helper, whose status says whether the watcher runs.
fn reap(helper: libc::pid_t) -> io::Result<()> {
    let mut status = 0;
    // SAFETY: `status` is ours.
    while unsafe { libc::waitpid(helper, &mut status, 0) } == -1 {
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => continue,
            // A caller that ignores SIGCHLD leaves nothing to wait for.
            Some(libc::ECHILD) => return Ok(()),
            _ => return Err(error),
        }
    }
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::EAGAIN))
    }
}

/// In the helper: a new session, and in it the watcher, which gets another parent when the helper ends.
fn become_watcher(program: libc::pid_t, dir: &CString) -> ! {
    // SAFETY: one thread, and nothing of the parent's is used any more; _exit runs no handlers of its.
    unsafe {
        // While the parent waits for us, its number cannot belong to another process.
        let pidfd = libc::syscall(libc::SYS_pidfd_open, program, 0) as RawFd;
        let mut ready = [-1; 2];
        libc::pipe2(ready.as_mut_ptr(), libc::O_CLOEXEC);
        libc::setsid();
        match libc::fork() {
            -1 => libc::_exit(1),
            0 => {}
            _ => await_let_go(ready),
        }
        let kept = let_go(pidfd);
        exec_self(program, dir, kept);
        // Without /proc there is no way to exec oneself; the watcher then keeps the caller's command line.
        clean_up(program, kept, dir);
        libc::_exit(0)
    }
}

/// The helper's end: not before the watcher holds nothing of the caller's, its end of the pipe included.
///
/// # Safety
/// `ready` is a pipe, or two invalid descriptors.
unsafe fn await_let_go(ready: [RawFd; 2]) -> ! {
    // SAFETY: descriptors of our own and one byte to read into, which never comes.
    unsafe {
        libc::close(ready[1]);
        libc::read(ready[0], [0u8].as_mut_ptr().cast(), 1);
        libc::_exit(0)
    }
}

/// Keeps only the pidfd, as PIDFD, and gives up the caller's directory and descriptors; whether there is one.
///
/// # Safety
/// Nobody in this process may use a descriptor afterwards.
unsafe fn let_go(pidfd: RawFd) -> bool {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGPIPE] {
        // SAFETY: no handler is installed. The clean-up must survive what ends the program's group.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    // SAFETY: plain system calls on descriptors that nobody uses any more.
    unsafe {
        libc::chdir(c"/".as_ptr());
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for standard in 0..3 {
            if null == -1 || libc::dup2(null, standard) == -1 {
                libc::close(standard);
            }
        }
        let kept = pidfd == PIDFD || libc::dup2(pidfd, PIDFD) == PIDFD;
        // pidfd_open sets close-on-exec.
        libc::fcntl(PIDFD, libc::F_SETFD, 0);
        close_from(if kept { PIDFD + 1 } else { PIDFD });
        kept
    }
}

/// Closes every descriptor from `first` on.
///
/// # Safety
/// Nobody in this process may use one of them afterwards.
unsafe fn close_from(first: RawFd) {
    // SAFETY: see above; the limit is read into a local.
    unsafe {
        if libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) == 0 {
            return;
        }
        let mut limit: libc::rlimit = std::mem::zeroed();
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        for descriptor in first..limit.rlim_cur.min(1 << 20) as RawFd {
            libc::close(descriptor);
        }
    }
}

/// Execs this command as the watcher, with an empty environment: none of the caller's preloads are wanted.
fn exec_self(program: libc::pid_t, dir: &CString, has_pidfd: bool) {
    let option = if has_pidfd { "--" } else { "--no-pidfd" };
    let program = program.to_string();
    let words = ["usipc", SUBCOMMAND, option, &program].map(|word| c_string(OsStr::new(word)));
    let Ok(words) = words.into_iter().collect::<Result<Vec<_>, _>>() else { return };
    let mut pointers: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
    pointers.extend([dir.as_ptr(), ptr::null()]);
    // SAFETY: null-terminated arrays of C strings that outlive the call.
    unsafe { libc::execve(c"/proc/self/exe".as_ptr(), pointers.as_ptr(), [ptr::null()].as_ptr()) };
}

/// The subcommand: the watcher after its exec.
pub fn watch(args: &WatchArgs) -> Result<(), Fail> {
    clean_up(args.program, !args.no_pidfd, &c_string(&args.dir)?);
    Ok(())
}

fn clean_up(program: libc::pid_t, has_pidfd: bool, dir: &CString) {
    if has_pidfd {
        await_readable(PIDFD)
    } else {
        await_gone(program)
    }
    if let Ok(Some(namespace)) = Namespace::open_existing(dir) {
        while in_use(&namespace) {
            std::thread::sleep(LOOK_AGAIN);
        }
    }
    let _ = tree::remove(path(dir));
}

/// A pidfd becomes readable when its process has ended.
fn await_readable(pidfd: RawFd) {
    let mut end = libc::pollfd { fd: pidfd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd of ours. A signal only means to look again.
    while unsafe { libc::poll(&mut end, 1, -1) } != 1 {}
}

fn await_gone(process: libc::pid_t) {
    // SAFETY: signal 0 only asks.
    let exists = || unsafe { libc::kill(process, 0) } == 0;
    let denied = || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM);
    while exists() || denied() {
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Whether a live process still uses the namespace, as a daemon that the program left behind may.
fn in_use(namespace: &Namespace) -> bool {
    let mut used = false;
    // Where nobody can be asked any more, nobody is left.
    let _ = inspect::processes(namespace, &mut |_, alive| used |= alive);
    used
}

fn path(dir: &CString) -> &Path {
    Path::new(OsStr::from_bytes(dir.as_bytes()))
}
