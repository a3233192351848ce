//! mq_notify(3): word of a message that arrives in an empty queue.
//!
//! The sender signals the registrant itself where it may. Where it may not, because users other
//! than the owner can send, and for SIGEV_THREAD, a thread of the registrant waits for it.

use super::descriptor;
use crate::errno::{Errno, Result};
use crate::namespace::{self, lifeline, Namespace};
use crate::process;
use crate::queue::guard::Locked;
use crate::queue::layout::Notify;
use crate::queue::Queue;
use crate::region::object::Ref;
use crate::sync::section::Section;
use crate::sys::{clock, futex, map, raw::syscall};
use crate::user::In;
use core::ffi::{c_int, c_void};
use core::sync::atomic::Ordering::*;

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
    let info = SigInfo { signal, errno: 0, code: SI_MESGQ, _pad: 0, pid: sender.0, uid: sender.1, value, _rest: [0; 12] };
    // SAFETY: the structure is a siginfo_t.
    unsafe { syscall!(libc::SYS_rt_sigqueueinfo, pid, signal, &info as *const SigInfo) }.map(|_| ())
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
        fire_registered(ns, &queue.head().notify);
    }
}

#[cold]
fn fire_registered(ns: &Namespace, notify: &Notify) {
    // Who is dead hears nothing, and his pid may be another's by now.
    if lifeline::is_alive(ns, notify.token.get()) {
        // SAFETY: no arguments.
        let uid = unsafe { syscall!(libc::SYS_getuid) }.unwrap_or(0) as u32;
        let sender = (process::pid().unwrap_or(0), uid);
        notify.sender_pid.set(sender.0);
        notify.sender_uid.set(sender.1);
        if notify.how.get() as c_int == libc::SIGEV_SIGNAL && notify.watched.get() == 0 {
            let _ = send_signal(notify.pid.get(), notify.signal.get() as c_int, notify.value.get(), sender);
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
}

fn take_back(locked: &Locked<'_>, object: &Ref, me: u64) {
    let notify = &locked.queue.head().notify;
    if notify.token.get() == me {
        object.dropped_turn.store(notify.turn.get(), Release);
        clear(notify);
    }
}

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
}

fn register(ns: &'static Namespace, locked: &Locked<'_>, object: &Ref, me: u64, event: &SigEvent) -> Result<Option<Watch>> {
    let head = locked.queue.head();
    let notify = &head.notify;
    let holder = notify.token.get();
    if holder != 0 && lifeline::is_alive(ns, holder) {
        return Err(Errno::EBUSY);
    }
    let watched = event.how == libc::SIGEV_THREAD
        || (event.how == libc::SIGEV_SIGNAL && head.common.perm().mode & 0o066 != 0);
    notify.value.set(event.value);
    notify.pid.set(process::pid()?);
    notify.how.set(event.how as u32);
    notify.signal.set(event.signal as u32);
    notify.watched.set(watched as u32);
    let turn = notify.turn.atomic().fetch_add(1, Release).wrapping_add(1);
    notify.token.atomic().store(me, Release);
    Ok(watched.then(|| Watch { object: object.again(), turn, event: *event }))
}

fn start(watch: Watch, ns: &'static Namespace, me: u64, fd: c_int) -> Result<()> {
    let attributes = match watch.event.how {
        libc::SIGEV_THREAD => watch.event.attributes,
        _ => core::ptr::null(),
    };
    let failed = |watch: Option<Watch>| {
        drop(watch);
        if let Ok(object) = descriptor::find(fd) {
            if let Ok(locked) = Locked::acquire(&object, ns, me) {
                take_back(&locked, &object, me);
            }
        }
        Err(Errno::ENOMEM)
    };
    let Ok(place) = map::anonymous(size_of::<Watch>()) else { return failed(Some(watch)) };
    let place = place.cast::<Watch>();
    // SAFETY: fresh memory; the thread takes it over. Signals are blocked while it is started, so
    // that it never runs a handler of the program's.
    let created = unsafe {
        place.write(watch);
        let all = u64::MAX;
        let mut old = 0u64;
        let _ = syscall!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &all as *const u64, &mut old as *mut u64, 8);
        let mut thread: libc::pthread_t = core::mem::zeroed();
        let created = libc::pthread_create(&mut thread, attributes, run, place.cast());
        if created == 0 && !is_detached(attributes) {
            libc::pthread_detach(thread);
        }
        let _ = syscall!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &old as *const u64, 0, 8);
        created
    };
    if created == 0 {
        return Ok(());
    }
    // SAFETY: no thread has it.
    let watch = unsafe { place.read() };
    // SAFETY: read out just now.
    unsafe { map::unmap(place.cast(), size_of::<Watch>()) };
    failed(Some(watch))
}

unsafe fn is_detached(attributes: *const libc::pthread_attr_t) -> bool {
    extern "C" {
        fn pthread_attr_getdetachstate(attr: *const libc::pthread_attr_t, state: *mut c_int) -> c_int;
    }
    let mut state = libc::PTHREAD_CREATE_JOINABLE;
    // SAFETY: the program's attributes are valid, as mq_notify(3) asks.
    !attributes.is_null() && unsafe { pthread_attr_getdetachstate(attributes, &mut state) } == 0 && state == libc::PTHREAD_CREATE_DETACHED
}

/// The watching thread: sleeps until its registration ends, and delivers if it was fired.
extern "C" fn run(place: *mut c_void) -> *mut c_void {
    let place = place.cast::<Watch>();
    // SAFETY: start() handed the memory over.
    let watch = unsafe {
        let watch = place.read();
        map::unmap(place.cast(), size_of::<Watch>());
        watch
    };
    let (fired, sender) = {
        let queue = Queue::of(&watch.object);
        let notify = &queue.head().notify;
        while notify.turn.atomic().load(Acquire) == watch.turn {
            // A time limit as everywhere: the waker may have died.
            let _ = futex::wait_until(notify.turn.atomic(), watch.turn, &clock::sooner(None, 1_000_000_000));
        }
        let dropped = watch.object.dropped_turn.load(Acquire) == watch.turn;
        (!dropped, (notify.sender_pid.get(), notify.sender_uid.get()))
    };
    let event = watch.event;
    drop(watch);
    if fired {
        if let (libc::SIGEV_THREAD, Some(function)) = (event.how, event.function) {
            function(event.value);
        } else if event.how == libc::SIGEV_SIGNAL {
            let _ = process::pid().and_then(|pid| send_signal(pid, event.signal, event.value, sender));
        }
    }
    core::ptr::null_mut()
}
