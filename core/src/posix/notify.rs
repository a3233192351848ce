//! mq_notify(3): word of a message that arrives in an empty queue.
//!
//! The sender signals the registrant itself where it may, and where nobody else can have written what the
//! registration says. Where users other than the owner can send, and for SIGEV_THREAD, a thread of the registrant
//! waits for it and does.

use super::descriptor;
use crate::errno::{Errno, Result};
use crate::namespace::{self, lifeline, Namespace};
use crate::perm::Perm;
use crate::process;
use crate::queue::guard::Locked;
use crate::queue::layout::Notify;
use crate::queue::Queue;
use crate::region::object::Ref;
use crate::signal::{set_mask, Quiet};
use crate::sync::primitive::{AtomicBool, AtomicU32, Ordering::*};
use crate::sync::section::Section;
use crate::sys::{clock, file, futex, map, raw::syscall};
use crate::user::In;
use core::ffi::{c_int, c_void};

/// `SI_MESGQ` of <signal.h>.
const SI_MESGQ: c_int = -3;

/// glibc's and musl's `struct sigevent`, as far as it is used.
#[repr(C)]
#[derive(Clone, Copy)]
struct SigEvent {
    value: u64,
    signal: c_int,
    how: c_int,
    function: Option<extern "C" fn(u64)>,
    attributes: *const libc::pthread_attr_t,
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

fn send_signal(pid: u32, signal: c_int, value: u64, sender: (u32, u32)) -> Result<()> {
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
        notify.sender_pid.set(sender.0);
        notify.sender_uid.set(sender.1);
        let direct = notify.how.get() as c_int == libc::SIGEV_SIGNAL
            && is_ours_to_signal(ns, queue, uid)
            && notify.pid_namespace.get() == pid_namespace()
            && send_signal(notify.pid.get(), notify.signal.get() as c_int, notify.value.get(), sender)
                .is_ok();
        if direct {
            let turn = notify.turn.get();
            notify.delivered[turn as usize % notify.delivered.len()].set(turn);
        }
    }
    clear(notify);
}

/// This process closes a descriptor of the queue: its registration, if it has one, ends.
pub fn closing(ns: &'static Namespace, object: &Ref) {
    let Ok(me) = lifeline::my_token(ns) else { return };
    let queue = Queue::of(object);
    if queue.head().notify.token.get() == me {
        let Ok(locked) = Locked::acquire(object, ns, me) else { return };
        take_back(&locked, object, me);
    }
    let_go(object, LEFT);
}

fn take_back(locked: &Locked<'_>, object: &Ref, me: u64) {
    let notify = &locked.shared.head().notify;
    if notify.token.get() == me {
        // Whichever of the process's descriptors it was registered with.
        descriptor::each_of(object, &mut |object| let_go(object, DROPPED));
        clear(notify);
    }
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
    let mut watch = None;
    {
        let locked = Locked::acquire(&object, ns, me).map_err(|_| Errno::EBADMSG)?;
        match event {
            None => take_back(&locked, &object, me),
            Some(event) => watch = register(ns, &locked, &object, me, &event)?,
        }
    }
    drop(section);
    // Outside the section: starting a thread takes locks of libc's.
    match watch {
        None => Ok(()),
        Some(watch) => start(watch, ns, me, fd),
    }
}

/// What a watching thread knows, in this process's own memory: nothing that is called or
/// signalled is taken from shared memory.
struct Watch {
    object: Ref,
    turn: u32,
    event: SigEvent,
    state: AtomicU32,
}

/// What a thread is started with. It lies on its starter's stack.
struct Start {
    watch: *mut Watch,
    /// 1 once the thread runs. glibc's set*id calls wait for threads that have not begun, and in a
    /// child made by a bare clone(2) such a thread never will.
    begun: AtomicU32,
}

fn register(
    ns: &'static Namespace,
    locked: &Locked<'_>,
    object: &Ref,
    me: u64,
    event: &SigEvent,
) -> Result<Option<*mut Watch>> {
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
    let watch = if watched {
        let watch = Watch { object: object.again(), turn, event: *event, state: AtomicU32::new(WATCHING) };
        let place = map::anonymous(size_of::<Watch>())?.cast::<Watch>();
        // SAFETY: fresh memory.
        unsafe { place.write(watch) };
        let_go(object, LEFT);
        object.watch.store(place as usize, Release);
        Some(place)
    } else {
        None
    };
    notify.token.atomic().store(me, Release);
    Ok(watch)
}

/// Whether somebody may send who may not signal this process (kill(2)). That may also be a process that
/// opened the queue with more rights than it has now: so always where users share the namespace, or
/// the registrant is root.
fn strangers_may_send(ns: &Namespace, perm: &Perm) -> bool {
    // SAFETY: no arguments.
    let uid = unsafe { syscall!(libc::SYS_getuid) }.unwrap_or(0) as u32;
    ns.is_shared() || uid == 0 || perm.mode & 0o066 != 0 || perm.uid != uid
}

/// The descriptor's last registration, if it had a watching thread, is over: taken back (DROPPED),
/// or fired (LEFT). Whoever of the descriptor and the thread comes last frees what they share.
fn let_go(object: &Ref, side: u32) {
    let watch = object.watch.swap(0, AcqRel) as *mut Watch;
    if !watch.is_null() {
        // SAFETY: not freed before both have let go.
        unsafe { release(watch, side) };
    }
}

/// # Safety
/// `watch` came from `register`; each of the two sides calls this once.
unsafe fn release(watch: *mut Watch, side: u32) {
    // SAFETY: the memory is there until the second call.
    unsafe {
        if (*watch).state.swap(side, AcqRel) != WATCHING {
            drop(watch.read());
            map::unmap(watch.cast(), size_of::<Watch>());
        }
    }
}

/// States of a watch: its thread waits, and the descriptor knows it; the registration was taken
/// back; the descriptor knows it no more; the thread is through.
const WATCHING: u32 = 0;
const DROPPED: u32 = 1;
const LEFT: u32 = 2;
const THROUGH: u32 = 3;

fn start(watch: *mut Watch, ns: &'static Namespace, me: u64, fd: c_int) -> Result<()> {
    // SAFETY: the thread that could free it is not started yet.
    let event = unsafe { (*watch).event };
    let attributes = match event.how {
        libc::SIGEV_THREAD => event.attributes,
        _ => core::ptr::null(),
    };
    let start = Start { watch, begun: AtomicU32::new(0) };
    // SAFETY: the thread takes its side of the watch over, which may be gone as soon as it runs. It inherits
    // the mask, so that it runs no handler of the program's.
    let created = unsafe {
        let mut thread: libc::pthread_t = core::mem::zeroed();
        let argument = core::ptr::addr_of!(start).cast_mut().cast();
        let created = libc::pthread_create(&mut thread, attributes, run, argument);
        if created == 0 && !is_detached(attributes) {
            libc::pthread_detach(thread);
        }
        created
    };
    while created == 0 && start.begun.load(Acquire) == 0 {
        let _ = futex::wait_until(&start.begun, 0, &clock::sooner(None, 1_000_000_000));
    }
    if created == 0 {
        return Ok(());
    }
    let _section = Section::enter()?;
    if let Ok(object) = descriptor::find(fd) {
        if let Ok(locked) = Locked::acquire(&object, ns, me) {
            take_back(&locked, &object, me);
        }
    }
    // SAFETY: the side of the thread that was never started.
    unsafe { release(watch, THROUGH) };
    Err(Errno::ENOMEM)
}

unsafe fn is_detached(attributes: *const libc::pthread_attr_t) -> bool {
    extern "C" {
        fn pthread_attr_getdetachstate(attr: *const libc::pthread_attr_t, state: *mut c_int) -> c_int;
    }
    let mut state = libc::PTHREAD_CREATE_JOINABLE;
    // SAFETY: the program's attributes are valid, as mq_notify(3) asks.
    !attributes.is_null()
        && unsafe { pthread_attr_getdetachstate(attributes, &mut state) } == 0
        && state == libc::PTHREAD_CREATE_DETACHED
}

/// Whoever was to tell may have been killed over it, with the lock held: the repair tells.
fn look_round(object: &Ref) {
    if let (Ok(ns), Ok(_section)) = (namespace::current(), Section::enter()) {
        let _ = lifeline::my_token(ns).map(|me| Locked::acquire(object, ns, me).is_ok());
    }
}

/// The watching thread: sleeps until its registration ends, and delivers if it was fired.
extern "C" fn run(place: *mut c_void) -> *mut c_void {
    let start = place.cast::<Start>();
    // SAFETY: the starter waits for the store; of the word that may be gone then only the address is used.
    let place = unsafe {
        let (place, begun) = ((*start).watch, &(*start).begun);
        begun.store(1, Release);
        futex::wake(begun, 1);
        place
    };
    // SAFETY: not freed before this side has let go.
    let (event, sender, done) = unsafe {
        let watch = &*place;
        let queue = Queue::of(&watch.object);
        let notify = &queue.head().notify;
        while notify.turn.atomic().load(Acquire) == watch.turn {
            let until = clock::sooner(None, 1_000_000_000);
            if futex::wait_until(notify.turn.atomic(), watch.turn, &until) == Err(Errno::ETIMEDOUT) {
                look_round(&watch.object);
            }
        }
        let sender = (notify.sender_pid.get(), notify.sender_uid.get());
        let delivered = notify.delivered[watch.turn as usize % notify.delivered.len()].get() == watch.turn;
        (watch.event, sender, delivered || watch.state.load(Acquire) == DROPPED)
    };
    // SAFETY: this side, once.
    unsafe { release(place, THROUGH) };
    if done {
        return core::ptr::null_mut();
    }
    if let (libc::SIGEV_THREAD, Some(function)) = (event.how, event.function) {
        // As glibc starts it: with no signal blocked.
        set_mask(libc::SIG_SETMASK, 0);
        function(event.value);
    } else if event.how == libc::SIGEV_SIGNAL {
        let _ = process::pid().and_then(|pid| send_signal(pid, event.signal, event.value, sender));
    }
    core::ptr::null_mut()
}
