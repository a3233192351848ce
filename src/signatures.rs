//! Every exported function has the signature that the libc crate declares for it: `if` and `else`
//! have one type, a function pointer, only if the two agree.
//!
//! The exceptions:
//! - `mq_open`, `sem_open`, `semctl`, `fcntl`, `fcntl64`: variadic in C, of fixed arity here; the first
//!   two parameters and the result of `mq_open` and `sem_open` are compared
//! - `execl`, `execlp`, `execle`: variadic, in assembly
//! - `semtimedop`, `__mq_open_2`, `__poll_chk`, `__ppoll_chk`, `__sigaction`, `bsd_signal`, `ssignal`,
//!   `sysv_signal`, `__sysv_signal`, `sigset`, `sigignore`, `siginterrupt`, `capset`, `closefrom`: the
//!   libc crate does not declare them (those that are another function by a second name are compared
//!   with that one)

use crate::{exec, ipc, mman, mqueue, msg, poll, sem, semaphore, shm, signal, unistd};

macro_rules! same {
    ($($ours:path = $theirs:path;)*) => {
        $( const _: () = _ = if true { $ours } else { $theirs }; )*
    };
}

same! {
    ipc::ftok = libc::ftok;
    msg::msgget = libc::msgget;
    msg::msgsnd = libc::msgsnd;
    msg::msgrcv = libc::msgrcv;
    msg::msgctl = libc::msgctl;
    sem::semget = libc::semget;
    sem::semop = libc::semop;
    shm::shmget = libc::shmget;
    shm::shmat = libc::shmat;
    shm::shmdt = libc::shmdt;
    shm::shmctl = libc::shmctl;
    mqueue::mq_close = libc::mq_close;
    mqueue::mq_unlink = libc::mq_unlink;
    mqueue::mq_send = libc::mq_send;
    mqueue::mq_receive = libc::mq_receive;
    mqueue::mq_timedsend = libc::mq_timedsend;
    mqueue::mq_timedreceive = libc::mq_timedreceive;
    mqueue::mq_getattr = libc::mq_getattr;
    mqueue::mq_setattr = libc::mq_setattr;
    semaphore::sem_close = libc::sem_close;
    semaphore::sem_unlink = libc::sem_unlink;
    mman::shm_open = libc::shm_open;
    mman::shm_unlink = libc::shm_unlink;
    signal::sigaction = libc::sigaction;
    signal::__sigaction = libc::sigaction;
    signal::signal = libc::signal;
    signal::bsd_signal = libc::signal;
    signal::ssignal = libc::signal;
    signal::sysv_signal = libc::signal;
    signal::__sysv_signal = libc::signal;
    signal::sigset = libc::signal;
    unistd::chroot = libc::chroot;
    unistd::dup = libc::dup;
    unistd::setuid = libc::setuid;
    unistd::seteuid = libc::seteuid;
    unistd::setreuid = libc::setreuid;
    unistd::setresuid = libc::setresuid;
    unistd::setgid = libc::setgid;
    unistd::setegid = libc::setegid;
    unistd::setregid = libc::setregid;
    unistd::setresgid = libc::setresgid;
    unistd::setgroups = libc::setgroups;
    unistd::initgroups = libc::initgroups;
    unistd::close = libc::close;
    unistd::dup2 = libc::dup2;
    unistd::dup3 = libc::dup3;
    exec::execve = libc::execve;
    exec::execv = libc::execv;
    exec::execvp = libc::execvp;
    poll::poll = libc::poll;
    poll::ppoll = libc::ppoll;
    poll::select = libc::select;
    poll::pselect = libc::pselect;
    poll::epoll_ctl = libc::epoll_ctl;
}

// The libc crate has these for glibc alone.
#[cfg(target_env = "gnu")]
same! {
    mqueue::mq_notify = libc::mq_notify;
    unistd::close_range = libc::close_range;
    exec::execvpe = libc::execvpe;
    exec::fexecve = libc::fexecve;
    exec::execveat = libc::execveat;
}

// Calls of the variadic ones that type-check with our parameters.
const _: unsafe fn(*const libc::c_char, libc::c_int, libc::mode_t, *const libc::mq_attr) -> libc::mqd_t =
    // SAFETY: never called; the signature is all that counts.
    |name, oflag, mode, attr| unsafe {
            if true {
                mqueue::mq_open(name, oflag, mode, attr)
            } else {
                libc::mq_open(name, oflag, mode, attr)
            }
        };
const _: unsafe fn(*const libc::c_char, libc::c_int, libc::mode_t, libc::c_uint) -> *mut libc::sem_t =
    // SAFETY: as above.
    |name, oflag, mode, value| unsafe {
            if true {
                semaphore::sem_open(name, oflag, mode, value)
            } else {
                libc::sem_open(name, oflag, mode, value)
            }
        };
