//! mq_notify(3): word of a message that arrives in an empty queue.
//!
//! The sender signals the registrant itself where it may, and where nobody else can have written what the
//! registration says. Where users other than the owner can send, and for SIGEV_THREAD, a thread of the registrant
//! waits for it and does (see [`super::watcher`]).

use super::descriptor;
use super::watcher::{self, Watch};
use crate::errno::{Errno, Result};
use crate::namespace::{self, lifeline, Namespace};
use crate::perm::Perm;
use crate::process;
use crate::queue::guard::Locked;
use crate::queue::layout::Notify;
use crate::queue::Queue;
use crate::region::object::Ref;
use crate::signal::Quiet;
use crate::sync::primitive::{fence, AtomicBool, Ordering::*};
use crate::sync::section::Section;
use crate::sys::{file, futex, raw::syscall};
use crate::user::In;
use core::ffi::c_int;

/// `SI_MESGQ` of <signal.h>.
const SI_MESGQ: c_int = -3;

/// glibc's and musl's `struct sigevent`, as far as it is used.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct SigEvent {
    pub value: u64,
    pub signal: c_int,
    pub how: c_int,
    pub function: Option<extern "C" fn(u64)>,
    pub attributes: *const libc::pthread_attr_t,
}

/// `siginfo_t` of a message queue.
#[repr(C)]
struct SigInfo {
    signal: c_int,
    errno: c_int,
    code: c_int,
    _pad: c_int,
    pid: u32,
    uid: u32,
    value: u64,
    _rest: [u64; 12],
}

const _: () = assert!(size_of::<SigInfo>() == 128);

/// A sender's pid and uid.
pub(super) type Sender = (u32, u32);

pub(super) fn send_signal(pid: u32, signal: c_int, value: u64, sender: Sender) -> Result<()> {
    let info = SigInfo {
        signal,
        errno: 0,
        code: SI_MESGQ,
        _pad: 0,
        pid: sender.0,
        uid: sender.1,
        value,
        _rest: [0; 12],
    };
    // SAFETY: the structure is a siginfo_t.
    unsafe { syscall!(libc::SYS_rt_sigqueueinfo, pid, signal, &info as *const SigInfo) }.map(|_| ())
}

/// 0 where /proc does not tell.
fn pid_namespace() -> u64 {
    file::stat_follow(c"/proc/self/ns/pid".as_ptr()).map_or(0, |(_, inode)| inode)
}

/// Ends the registration.
fn clear(notify: &Notify) {
    notify.token.set(0);
    notify.turn.atomic().fetch_add(1, Release);
    if notify.watched.get() != 0 {
        futex::wake(notify.turn.atomic(), u32::MAX >> 1);
    }
}

/// A message has arrived in the empty queue, and nobody waited for it. The lock is held.
#[inline]
pub fn fire(ns: &Namespace, queue: &Queue<'_>) {
    if queue.head().notify.token.get() != 0 {
        fire_registered(ns, queue);
    }
}

/// Whether what a registration says was written by users with no other rights than `uid`, this process's:
/// else whoever may write into the queue would have us signal whom and as he likes.
fn is_ours_to_signal(ns: &Namespace, queue: &Queue<'_>, uid: u32) -> bool {
    let sole = |cred: crate::cred::Cred| cred.euid == uid && queue.sole_user() == Some(uid);
    !ns.is_shared() || crate::cred::current().is_ok_and(sole)
}

#[cold]
#[inline(never)]
fn fire_registered(ns: &Namespace, queue: &Queue<'_>) {
    let notify = &queue.head().notify;
    // Who is dead hears nothing, and his pid may be another's by now.
    if lifeline::is_alive(ns, notify.token.get()) {
        // SAFETY: no arguments.
        let uid = unsafe { syscall!(libc::SYS_getuid) }.unwrap_or(0) as u32;
        let sender = (process::pid().unwrap_or(0), uid);
        // SYNC: left to tell (release side)
        fence(Release);
        notify.sender_pid.set(sender.0);
        notify.sender_uid.set(sender.1);
        let direct = notify.how.get() as c_int == libc::SIGEV_SIGNAL
            && is_ours_to_signal(ns, queue, uid)
            && notify.pid_namespace.get() == pid_namespace()
            && send_signal(notify.pid.get(), notify.signal.get() as c_int, notify.value.get(), sender)
                .is_ok();
        if !direct {
            let turn = notify.turn.get();
            notify.left[turn as usize % notify.left.len()].set(turn);
        }
    }
    clear(notify);
}

/// Who sent the message that the watching thread of a registration is to tell of, if it is: that has ended, and
/// the sender could not signal the registrant himself.
pub(super) fn left_to_tell(object: &Ref, turn: u32) -> Option<Sender> {
    let notify = &Queue::of(object).head().notify;
    let left = notify.left[turn as usize % notify.left.len()].get() == turn;
    left.then(|| (notify.sender_pid.get(), notify.sender_uid.get()))
}

/// This process closes a descriptor of the queue: its registration, if it has one, ends.
pub fn closing(ns: &'static Namespace, object: &Ref) {
    let Ok(me) = lifeline::my_token(ns) else { return };
    if Queue::of(object).head().notify.token.get() == me {
        let _ = take_back(ns, object, me);
    }
    watcher::follow(object, me, core::ptr::null_mut());
}

/// Takes this process's registration back, whichever of its descriptors it was made with. EBADMSG.
pub(super) fn take_back(ns: &'static Namespace, object: &Ref, me: u64) -> Result<()> {
    let locked = Locked::acquire(object, ns, me).map_err(|_| Errno::EBADMSG)?;
    let notify = &locked.shared.head().notify;
    if notify.token.get() == me {
        clear(notify);
    }
    Ok(())
}

/// Whether this process has ever registered.
pub fn ever_registered() -> bool {
    EVER.load(Relaxed)
}

static EVER: AtomicBool = AtomicBool::new(false);

/// Registers this process, or (null) takes its registration back.
/// EBADF, EBUSY, EFAULT, EINVAL, ENOMEM. mq_notify(3)
pub fn notify(fd: c_int, event: In<libc::sigevent>) -> Result<()> {
    let event = if event.is_null() { None } else { Some(event.offset::<SigEvent>(0).read()?) };
    if let Some(event) = event {
        let known = [libc::SIGEV_NONE, libc::SIGEV_SIGNAL, libc::SIGEV_THREAD].contains(&event.how);
        let bad_signal = event.how == libc::SIGEV_SIGNAL && !(0..=64).contains(&event.signal);
        if !known || bad_signal {
            return Err(Errno::EINVAL);
        }
    }
    let ns = namespace::current()?;
    // A handler must find a registration whose thread has been started, and may not jump away before.
    let _quiet = event.map(|_| Quiet::begin());
    let section = Section::enter()?;
    let me = lifeline::my_token(ns)?;
    let object = descriptor::find(fd)?;
    let Some(event) = event else { return take_back(ns, &object, me) };
    let watch = register(ns, &object, me, &event)?;
    drop(section);
    // Outside the section: starting a thread takes locks of libc's.
    match watch {
        None => Ok(()),
        Some(watch) => watcher::start(watch, ns, me, fd),
    }
}

/// The watch of the registration for which a thread is yet to be started, if it needs one.
fn register(ns: &'static Namespace, object: &Ref, me: u64, event: &SigEvent) -> Result<Option<*mut Watch>> {
    let locked = Locked::acquire(object, ns, me).map_err(|_| Errno::EBADMSG)?;
    let head = locked.shared.head();
    let notify = &head.notify;
    EVER.store(true, Relaxed);
    let holder = notify.token.get();
    if holder != 0 && lifeline::is_alive(ns, holder) {
        return Err(Errno::EBUSY);
    }
    let watched = event.how == libc::SIGEV_THREAD
        || (event.how == libc::SIGEV_SIGNAL && strangers_may_send(ns, &head.common.perm()));
    notify.value.set(event.value);
    notify.pid.set(process::pid()?);
    notify.pid_namespace.set(pid_namespace());
    notify.how.set(event.how as u32);
    notify.signal.set(event.signal as u32);
    notify.watched.set(watched as u32);
    let turn = notify.turn.atomic().fetch_add(1, Release).wrapping_add(1);
    let mut without_thread = None;
    if watched {
        let watch = Watch::new(object, me, turn, event)?;
        if !watcher::follow(object, me, watch) {
            without_thread = Some(watch);
        }
    }
    notify.token.atomic().store(me, Release);
    Ok(without_thread)
}

/// Whether somebody may send who may not signal this process (kill(2)). That may also be a process that
/// opened the queue with more rights than it has now: so always where users share the namespace, or
/// the registrant is root.
fn strangers_may_send(ns: &Namespace, perm: &Perm) -> bool {
    // SAFETY: no arguments.
    let uid = unsafe { syscall!(libc::SYS_getuid) }.unwrap_or(0) as u32;
    ns.is_shared() || uid == 0 || perm.mode & 0o066 != 0 || perm.uid != uid
}
