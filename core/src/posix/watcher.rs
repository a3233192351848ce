//! The threads that wait for the end of a registration of mq_notify(3), and tell where the sender may not.
//!
//! A registration is often made anew in the handler of the signal that ended the last, and a handler must not
//! start a thread: it may have interrupted malloc or fork. So a thread that is to send a signal stays when it
//! is through, and goes on with the descriptor's next registration, for which no function of libc is called. It ends
//! when the descriptor is closed. For SIGEV_THREAD there is a new one each time: the program's function runs in it.

use super::descriptor;
use super::notify::{left_to_tell, send_signal, take_back, Sender, SigEvent};
use crate::errno::{Errno, Result};
use crate::namespace::{self, lifeline, Namespace};
use crate::process;
use crate::queue::guard::Locked;
use crate::queue::Queue;
use crate::region::object::Ref;
use crate::signal::set_mask;
use crate::sync::primitive::{fence, AtomicU32, Ordering::*};
use crate::sync::section::Section;
use crate::sys::{clock, futex, map};
use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

/// A registration that a thread watches, in this process's own memory: nothing that is called or signalled is
/// taken from shared memory. The descriptor and the thread share it; whoever lets go last frees it.
pub(super) struct Watch {
    object: Ref,
    /// Whose it is: a child made by fork(2) has this memory, but not the thread.
    token: u64,
    turn: u32,
    event: SigEvent,
    /// Below. The futex on which the thread is parked.
    state: AtomicU32,
    /// What the descriptor leaves behind: whether the thread is to tell, and the registration that it is
    /// to go on with.
    told_by: Cell<Option<Sender>>,
    next: Cell<*mut Watch>,
}

/// States of a watch: both have it; the descriptor has let go; the thread has.
const SHARED: u32 = 0;
const LEFT: u32 = 1;
const THROUGH: u32 = 2;

/// Between looks of a parked thread, in nanoseconds: whether its descriptor was closed without the library's knowledge.
const LOOK_NS: i64 = 60_000_000_000;

impl Watch {
    /// ENOMEM.
    pub fn new(object: &Ref, token: u64, turn: u32, event: &SigEvent) -> Result<*mut Watch> {
        let place = map::anonymous(size_of::<Watch>())?.cast::<Watch>();
        let watch = Watch {
            object: object.again(),
            token,
            turn,
            event: *event,
            state: AtomicU32::new(SHARED),
            told_by: Cell::new(None),
            next: Cell::new(null_mut()),
        };
        // SAFETY: fresh memory.
        unsafe { place.write(watch) };
        Ok(place)
    }

    fn is_for_signal(&self) -> bool {
        self.event.how == libc::SIGEV_SIGNAL
    }
}

/// # Safety
/// Nobody else refers to it any more.
unsafe fn free(place: *mut Watch) -> Watch {
    // SAFETY: it came from Watch::new.
    unsafe {
        let watch = place.read();
        map::unmap(place.cast(), size_of::<Watch>());
        watch
    }
}

/// One side lets go: LEFT or THROUGH. What was in the watch, if the other has.
///
/// # Safety
/// Each side calls this once.
unsafe fn let_go(place: *mut Watch, side: u32) -> Option<Watch> {
    // SAFETY: the memory is there until the second call.
    unsafe { ((*place).state.swap(side, AcqRel) != SHARED).then(|| free(place)) }
}

/// The thread lets go; what it is to go on with, or null.
///
/// # Safety
/// As [`let_go`].
unsafe fn through(place: *mut Watch) -> *mut Watch {
    // SAFETY: the caller's contract.
    unsafe { let_go(place, THROUGH) }.map_or(null_mut(), |watch| watch.next.get())
}

/// The descriptor's registration is over, and the one of the watch `next` follows, or (null) none does.
/// Whether there is a thread that goes on with that.
pub(super) fn follow(object: &Ref, me: u64, next: *mut Watch) -> bool {
    let last = object.watch.swap(next as usize, AcqRel) as *mut Watch;
    // SAFETY: the descriptor has not let go of the one, and nobody knows the other yet.
    let (Some(watch), next_watch) = (unsafe { (last.as_ref(), next.as_ref()) }) else { return false };
    if watch.token != me {
        // SAFETY: a copy that a fork has made, of which no thread knows.
        drop(unsafe { free(last) });
        return false;
    }
    let goes_on = watch.is_for_signal() && next_watch.is_some_and(Watch::is_for_signal);
    if goes_on {
        watch.next.set(next);
    }
    // The thread may look so late that later turns have taken the place of this one.
    watch.told_by.set(left_to_tell(&watch.object, watch.turn));
    let state = &watch.state;
    // SAFETY: this side, once; of the word that may be gone then only the address is used.
    unsafe {
        let thread_is_there = let_go(last, LEFT).is_none();
        futex::wake(state, 1);
        thread_is_there && goes_on
    }
}

/// What a thread is started with. It lies on its starter's stack.
struct Start {
    watch: *mut Watch,
    /// 1 once the thread runs. glibc's set*id calls wait for threads that have not begun, and in a
    /// child made by a bare clone(2) such a thread never will.
    begun: AtomicU32,
}

/// Starts a thread for a registration. ENOMEM: it is taken back.
pub(super) fn start(watch: *mut Watch, ns: &'static Namespace, me: u64, fd: c_int) -> Result<()> {
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
    let _ = descriptor::find(fd).and_then(|object| take_back(ns, &object, me));
    let mut unwatched = watch;
    while !unwatched.is_null() {
        // SAFETY: the side of the thread that was never started. Another thread may have registered after this one.
        unwatched = unsafe { through(unwatched) };
    }
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

/// The thread: sees registrations through, one after the other.
extern "C" fn run(place: *mut c_void) -> *mut c_void {
    let start = place.cast::<Start>();
    // SAFETY: the starter waits for the store; of the word that may be gone then only the address is used.
    let mut place = unsafe {
        let (place, begun) = ((*start).watch, &(*start).begun);
        begun.store(1, Release);
        futex::wake(begun, 1);
        place
    };
    while !place.is_null() {
        // SAFETY: not freed before this side has let go.
        let watch = unsafe { &*place };
        let told_by = wait_for_end(watch);
        let event = watch.event;
        if !watch.is_for_signal() {
            // SAFETY: this side, once.
            unsafe { through(place) };
            if let (Some(_), Some(function)) = (told_by, event.function) {
                // As glibc starts it: with no signal blocked.
                set_mask(libc::SIG_SETMASK, 0);
                function(event.value);
            }
            break;
        }
        if let Some(sender) = told_by {
            let _ = process::pid().and_then(|pid| send_signal(pid, event.signal, event.value, sender));
        }
        park(place, watch);
        // SAFETY: this side, once.
        place = unsafe { through(place) };
    }
    null_mut()
}

/// Waits until the registration has ended; whose message this thread is to tell of.
fn wait_for_end(watch: &Watch) -> Option<Sender> {
    let turn = Queue::of(&watch.object).head().notify.turn.atomic();
    while turn.load(Acquire) == watch.turn && watch.state.load(Relaxed) == SHARED {
        let until = clock::sooner(None, 1_000_000_000);
        if futex::wait_until(turn, watch.turn, &until) == Err(Errno::ETIMEDOUT) {
            look_round(&watch.object);
        }
    }
    let seen = left_to_tell(&watch.object, watch.turn);
    // SYNC: left to tell (acquire side): if a later turn was seen, so is what the descriptor left behind.
    fence(Acquire);
    match watch.state.load(Acquire) {
        SHARED => seen,
        _ => watch.told_by.get(),
    }
}

/// Whoever was to tell may have been killed over it, with the lock held: the repair tells.
fn look_round(object: &Ref) {
    if let (Ok(ns), Ok(_section)) = (namespace::current(), Section::enter()) {
        let _ = lifeline::my_token(ns).map(|me| Locked::acquire(object, ns, me).is_ok());
    }
}

/// Sleeps until the descriptor lets go.
fn park(place: *mut Watch, watch: &Watch) {
    while watch.state.load(Acquire) == SHARED {
        let _ = futex::wait_until(&watch.state, SHARED, &clock::sooner(None, LOOK_NS));
        let known = &watch.object.watch;
        if !watch.object.is_live() && known.compare_exchange(place as usize, 0, AcqRel, Relaxed).is_ok() {
            // Nobody will close it or register with it any more.
            watch.state.store(LEFT, Release);
        }
    }
}
