//! Sending to and receiving from a System V message queue: msgop(2).
//!
//! Each call first tries what is to be done when nothing is out of the ordinary: room, or a message, and nobody
//! who waits (`..._calmly`). Everything else is the business of `..._in_turn`.

mod receive;
mod send;

use super::msg::{measure, MSG};
use super::object;
use crate::entry::{self, Begun};
use crate::errno::{Errno, Result};
use crate::namespace::{ids, ids::Room, Namespace};
use crate::process::ProcessPage;
use crate::queue::guard::Locked;
use crate::queue::layout::*;
use crate::queue::wait::{Caller, Outcome, Patience};
use crate::queue::{Checked, Queue};
use crate::region::header::ObjectKind;
use crate::region::object::{Mapping, Ref};
use crate::region::table::Table;
use crate::sync::guard::Brief;
use crate::sys::{file, map};
use core::ffi::c_int;
use core::sync::atomic::Ordering::*;

pub use receive::receive;
pub use send::send;

/// What a try under the lock comes to.
enum Step {
    Done(usize),
    Sleep,
    /// The file must be made longer: it must hold this many units.
    Grow(u32),
    /// Somebody else has made it longer: it must be mapped again.
    Remap(u32),
    Fail(Errno),
}

/// One try: what a call does with the lock held.
type Try<'a> = &'a mut dyn FnMut(&mut Locked<'_>, &mut Caller<'_>) -> Checked<Step>;
/// The same, if no more is to be done than to change the queue; None: nothing has been done.
type Shortly<'a> = &'a dyn Fn(&Begun, &Brief<'_>) -> Option<usize>;

/// Maps the file anew, with an arena of `units`; makes it longer if it `may`. ENOMEM, EINVAL.
fn remap(ns: &'static Namespace, object: &Ref, units: u32, may: bool) -> Result<()> {
    let id = object.number.load(Relaxed);
    let index = ids::index_of(id);
    let flags = libc::O_RDWR | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let fd =
        file::open_at(ns.dir()?, Room::Msg.path(index).as_cstr(), flags, 0).map_err(|_| Errno::EINVAL)?;
    let st = file::stat(fd.raw())?;
    if st.file != object.file() {
        return Err(Errno::EINVAL);
    }
    let needed = NODES_AT as u64 + units as u64 * UNIT as u64;
    let mut size = st.size;
    if size < needed && !may {
        return Err(Errno::EINVAL);
    }
    if size < needed {
        // Doubling: each process maps a queue anew only a few times.
        size = (needed * 2).next_multiple_of(4096);
        if file::set_len(fd.raw(), size).is_err() {
            size = needed.next_multiple_of(4096);
            file::set_len(fd.raw(), size).map_err(|_| Errno::ENOMEM)?;
        }
    }
    let mapping = Mapping::new(fd.raw(), size as usize, st.file)?;
    let geometry = measure(&mapping, size)?;
    let object = mapping.install(ObjectKind::Msg, id, 0, geometry)?;
    MSG.table.put(index as usize, &object)
}

/// The queue with an arena of `units` mapped, by a mapping of it that is too short: for sleepers, whose queue may
/// have lost its name meanwhile. ENOMEM.
#[cold]
#[inline(never)]
pub fn map_more(object: &Ref, units: u32) -> Result<Ref> {
    let len = (NODES_AT + units as usize * UNIT).next_multiple_of(4096);
    // SAFETY: just mapped.
    let mapping = unsafe { Mapping::of(map::duplicate(object.base(), len)?, len, object.file())? };
    let geometry = measure(&mapping, len as u64)?;
    let id = object.number.load(Relaxed);
    let object = mapping.install(ObjectKind::Msg, id, 0, geometry)?;
    MSG.table.put(ids::index_of(id) as usize, &object)?;
    Ok(object)
}

/// A try under the lock, with the whole arena mapped. The caller has the lock.
fn attempt(ns: &'static Namespace, mut caller: Caller<'_>, step: Try<'_>) -> Checked<Step> {
    let mut locked = Locked::taken(caller.object, ns);
    // Before anything is repaired, too: that walks the arena.
    if let Some(units) = locked.shared.unmapped() {
        return Ok(Step::Remap(units));
    }
    locked.ready()?;
    if locked.shared.head().common.removed.get() != 0 {
        return Ok(Step::Fail(Errno::EIDRM));
    }
    locked.attempt(&mut |locked| step(locked, &mut caller))
}

/// The queue that a call is for. EACCES, EINVAL.
#[derive(Clone, Copy)]
struct Wanted {
    id: c_int,
    right: u32,
}

impl entry::Wanted for Wanted {
    #[inline(always)]
    fn place(self) -> (&'static Table, usize) {
        (MSG.table, ids::index_of(self.id) as usize)
    }
    #[inline(always)]
    fn is(self, object: &Ref, page: &'static ProcessPage) -> bool {
        MSG.is_open(self.id, self.right, object, page)
    }
}

impl entry::Sought for Wanted {
    fn find(self, ns: &'static Namespace) -> Result<Ref> {
        let object = MSG.by_id(ns, self.id)?;
        object::check(&object, self.right)?;
        Ok(object)
    }
}

/// Whether no more is to be done than to change the queue: it is there, nobody waits or has been killed.
#[inline(always)]
fn is_calm(lock: &Brief<'_>, queue: &Queue<'_>) -> bool {
    let head = queue.head();
    lock.is_sound() && head.common.removed.get() == 0 && queue.unmapped().is_none() && !head.is_waited_for()
}

/// Runs `step` under the lock until it is done, sleeping where it says so. Who has `begun` has the lock.
#[inline(never)]
fn operate(wanted: Wanted, mut begun: Option<Begun>, shortly: Shortly<'_>, step: Try<'_>) -> Result<usize> {
    let mut grown = 0;
    let mut slept = false;
    let mut patience = Patience::default();
    loop {
        let begun = match begun.take() {
            Some(begun) => begun,
            None => {
                let gone = |e| if slept && e == Errno::EINVAL { Errno::EIDRM } else { e };
                let begun = Begun::anew(wanted).map_err(gone)?;
                Brief::hold(&begun).hand_on();
                begun
            }
        };
        let mut wait = None;
        let mut outcome;
        // In one section: a signal that comes meanwhile ends the call as it would a sleep.
        loop {
            let (object, me) = (&begun.object, begun.me);
            let caller = Caller { object, me, wait: &mut wait, patience: &mut patience };
            outcome = attempt(begun.ns, caller, step)?;
            if !matches!(outcome, Step::Sleep) || wait.is_some() {
                break;
            }
            patience.poll(object);
            let lock = Brief::hold(&begun);
            if let Some(n) = shortly(&begun, &lock) {
                return Ok(n);
            }
            lock.hand_on();
        }
        match outcome {
            Step::Done(n) => return Ok(n),
            Step::Fail(e) => return Err(e),
            Step::Grow(units) | Step::Remap(units) => {
                // Others may lengthen it as fast as we map; an arena that never fits is spoilt.
                grown += 1;
                if grown > 1000 {
                    return Err(Errno::EINVAL);
                }
                remap(begun.ns, &begun.object, units, matches!(outcome, Step::Grow(_)))?;
            }
            Step::Sleep => {
                let Some(wait) = &mut wait else { return Err(Errno::EINVAL) };
                slept = true;
                let result = result_of(wait.block(begun));
                patience.slept();
                if let Some(result) = result {
                    return result;
                }
            }
        }
    }
}

/// What the call comes to after a wait; None: it tries again.
fn result_of(outcome: Outcome) -> Option<Result<usize>> {
    Some(match outcome {
        Outcome::Received(result) => result,
        Outcome::Again | Outcome::Sent | Outcome::TimedOut => return None,
        Outcome::TooBig => Err(Errno::E2BIG),
        Outcome::Removed => Err(Errno::EIDRM),
        // Never restarted, whatever SA_RESTART says: signal(7).
        Outcome::Interrupted(_) => Err(Errno::EINTR),
        Outcome::Corrupt => Err(Errno::EINVAL),
    })
}
