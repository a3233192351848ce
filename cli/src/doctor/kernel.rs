//! What the kernel offers here. Each question is asked in a child, for a seccomp filter may kill who asks.

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::ptr::{null, null_mut};

use super::storage::existing_ancestor;
use super::{Finding, State};
use crate::place::Place;

/// A facility: how to ask for it, and what is lost without.
struct Facility {
    name: &'static str,
    /// 0 when it is there, else errno.
    ask: fn(&CString) -> i32,
    /// What to say when it is missing, and how bad that is.
    missing: (State, &'static str),
    /// A limit of it to show, below /proc/sys.
    sysctl: Option<&'static str>,
}

const FACILITIES: [Facility; 10] = [
    Facility {
        name: "System V queues",
        ask: |_| info(libc::SYS_msgctl),
        missing: (State::Fact, "usipc does not need them"),
        sysctl: Some("kernel/msgmni"),
    },
    Facility {
        name: "System V semaphores",
        ask: |_| info(libc::SYS_semctl),
        missing: (State::Fact, "usipc does not need them"),
        sysctl: Some("kernel/sem"),
    },
    Facility {
        name: "System V memory",
        ask: |_| info(libc::SYS_shmctl),
        missing: (State::Fact, "usipc does not need it"),
        sysctl: Some("kernel/shmmni"),
    },
    Facility {
        name: "POSIX queues",
        ask: |_| mq_open(),
        missing: (State::Fact, "usipc does not need them"),
        sysctl: Some("fs/mqueue/msg_max"),
    },
    Facility {
        name: "sem_open, shm_open",
        // libc makes their files in this directory, wherever usipc's are.
        ask: |_| with_file(c"/dev/shm", |_| 0),
        missing: (State::Fact, "libc has no room for them in /dev/shm, but usipc does not need it"),
        sysctl: None,
    },
    Facility {
        name: "O_TMPFILE",
        ask: |dir| with_file(dir, |_| 0),
        missing: (
            State::Bad,
            "on this file system objects cannot be made whole before they are seen; set USIPC_DIR",
        ),
        sysctl: None,
    },
    Facility {
        name: "OFD locks",
        ask: |dir| with_file(dir, ofd_lock),
        missing: (State::Bad, "on this file system nobody can tell which processes live; set USIPC_DIR"),
        sysctl: None,
    },
    Facility {
        name: "fallocate",
        ask: |dir| with_file(dir, fallocate),
        missing: (State::Bad, "on this file system memory cannot be reserved; set USIPC_DIR"),
        sysctl: None,
    },
    Facility {
        name: "MADV_WIPEONFORK",
        ask: |_| wipe_on_fork(),
        missing: (State::Warning, "(Linux 4.14) a child made by raw clone is not told from its parent"),
        sysctl: None,
    },
    Facility {
        name: "pidfd_open",
        ask: |_| pidfd_open(),
        missing: (
            State::Ok,
            "(Linux 5.3) usipc run --private looks for the program's end ten times a second",
        ),
        sysctl: None,
    },
];

pub fn findings(place: &Place) -> Vec<Finding> {
    let dir = existing_ancestor(place.path());
    // A path that exists has no NUL in it.
    let dir = CString::new(dir.as_os_str().as_bytes()).unwrap_or_default();
    FACILITIES.iter().map(|facility| facility.finding(&dir)).collect()
}

impl Facility {
    fn finding(&self, dir: &CString) -> Finding {
        match in_child(self.ask, dir) {
            Answer::Errno(0) => {
                let limit = self.sysctl.and_then(|name| {
                    let value = fs::read_to_string(format!("/proc/sys/{name}")).ok()?;
                    Some(format!(" ({name} {})", value.split_whitespace().collect::<Vec<_>>().join(" ")))
                });
                Finding::new(State::Ok, self.name, format!("yes{}", limit.unwrap_or_default()))
            }
            Answer::Errno(errno) => self.missing(&io::Error::from_raw_os_error(errno).to_string()),
            Answer::Killed(libc::SIGSYS) => self.missing("SIGSYS: a seccomp filter kills who asks"),
            Answer::Killed(signal) => self.missing(&format!("killed by signal {signal}")),
            Answer::NoChild(error) => {
                Finding::new(State::Warning, self.name, format!("cannot be asked: fork: {error}"))
            }
        }
    }

    fn missing(&self, why: &str) -> Finding {
        let (state, what) = self.missing;
        Finding::new(state, self.name, format!("no ({why}): {what}"))
    }
}

enum Answer {
    Errno(i32),
    Killed(i32),
    NoChild(io::Error),
}

fn in_child(ask: fn(&CString) -> i32, dir: &CString) -> Answer {
    // SAFETY: this process has one thread, so that the child may do anything; errno fits an exit status.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::_exit(ask(dir));
        }
        let mut status = 0;
        if child == -1 || libc::waitpid(child, &mut status, 0) != child {
            return Answer::NoChild(io::Error::last_os_error());
        }
        match libc::WIFSIGNALED(status) {
            true => Answer::Killed(libc::WTERMSIG(status)),
            false => Answer::Errno(libc::WEXITSTATUS(status)),
        }
    }
}

/// 0 when the call succeeds or fails as only an existing one does; else errno.
fn answered(also: &[i32], call: impl FnOnce() -> libc::c_long) -> i32 {
    if call() != -1 {
        return 0;
    }
    let errno = io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
    if also.contains(&errno) {
        0
    } else {
        errno
    }
}

/// By system call, as below: libc's functions may be the library's.
fn info(call: libc::c_long) -> i32 {
    const IPC_INFO: usize = 3;
    // More than a struct msginfo, seminfo or shminfo.
    let mut info = [0u64; 32];
    let buffer = info.as_mut_ptr() as usize;
    // The number of a semaphore stands before semctl's command.
    let (second, third) = if call == libc::SYS_semctl { (0, IPC_INFO) } else { (IPC_INFO, buffer) };
    // SAFETY: the kernel writes one such structure.
    answered(&[], || unsafe { libc::syscall(call, 0, second, third, buffer) })
}

fn mq_open() -> i32 {
    const NAME: &CStr = c"usipc-doctor";
    // SAFETY: the name is a C string, and nothing is created.
    answered(&[libc::ENOENT, libc::EACCES], || unsafe {
        libc::syscall(libc::SYS_mq_open, NAME.as_ptr(), libc::O_RDONLY, 0, null::<u8>())
    })
}

fn pidfd_open() -> i32 {
    // SAFETY: no pointers.
    answered(&[], || unsafe { libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0) })
}

fn with_file(dir: &CStr, ask: impl FnOnce(i32) -> i32) -> i32 {
    // SAFETY: a C string; the descriptor ends with the child.
    let file = unsafe { libc::open(dir.as_ptr(), libc::O_TMPFILE | libc::O_RDWR | libc::O_CLOEXEC, 0o600) };
    if file == -1 {
        io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
    } else {
        ask(file)
    }
}

fn ofd_lock(file: i32) -> i32 {
    // SAFETY: struct flock is plain data, and the descriptor is our own.
    answered(&[], || unsafe {
        let mut lock: libc::flock = std::mem::zeroed();
        lock.l_type = libc::F_WRLCK as libc::c_short;
        libc::fcntl(file, libc::F_OFD_SETLK, &lock).into()
    })
}

fn fallocate(file: i32) -> i32 {
    // SAFETY: a descriptor of our own.
    answered(&[], || unsafe { libc::fallocate(file, 0, 0, 4096) }.into())
}

fn wipe_on_fork() -> i32 {
    const BYTES: usize = 4096;
    // SAFETY: a fresh private mapping that ends with the child.
    answered(&[], || unsafe {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let page = libc::mmap(null_mut(), BYTES, access, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
        if page == libc::MAP_FAILED {
            return -1;
        }
        libc::madvise(page, BYTES, libc::MADV_WIPEONFORK).into()
    })
}
