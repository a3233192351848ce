//! msgctl(2).

use super::control::{self, Found, Which};
use super::msg::MSG;
use crate::cred;
use crate::entry::Begun;
use crate::errno::{Errno, Result};
use crate::limits::{self, Limit};
use crate::namespace::{self, ids, ids::Room, lifeline, Namespace};
use crate::queue::guard::Locked;
use crate::queue::layout::*;
use crate::queue::Queue;
use crate::region::header::ObjectKind;
use crate::region::object::Ref;
use crate::sync::section::Section;
use crate::sys::clock;
use crate::user::Out;
use core::ffi::{c_int, c_ushort};
use core::sync::atomic::Ordering::*;
use libc::msqid_ds;

const MSG_STAT: c_int = 11;
const MSG_INFO: c_int = 12;
const MSG_STAT_ANY: c_int = 13;

/// `struct msginfo` of <sys/msg.h>.
#[repr(C)]
struct MsgInfo {
    msgpool: c_int,
    msgmap: c_int,
    msgmax: c_int,
    msgmnb: c_int,
    msgmni: c_int,
    msgssz: c_int,
    msgtql: c_int,
    msgseg: c_ushort,
}

/// Commands on a queue, or on all of them.
/// EACCES, EFAULT, EINVAL, EPERM. msgctl(2)
#[inline(always)]
pub fn control(id: c_int, cmd: c_int, buf: Out<msqid_ds>) -> Result<c_int> {
    if cmd == libc::IPC_STAT {
        // SAFETY: all-zero is a valid structure.
        let mut ds = unsafe { core::mem::zeroed() };
        let show = |begun: &Begun| {
            let head = Queue::of_kind(&begun.object, ObjectKind::Msg).head();
            (head.assigned.get() == 0).then(|| describe(head, &mut ds))
        };
        if control::glance(
            &MSG,
            id,
            |begun| Queue::of_kind(&begun.object, ObjectKind::Msg).head().marks(),
            show,
        ) {
            return buf.write(&ds).map(|()| 0);
        }
    }
    control_in_turn(id, cmd, buf)
}

#[inline(never)]
fn control_in_turn(id: c_int, cmd: c_int, buf: Out<msqid_ds>) -> Result<c_int> {
    let ns = namespace::current()?;
    if id < 0 || cmd < 0 {
        return Err(Errno::EINVAL);
    }
    match cmd {
        libc::IPC_INFO | MSG_INFO => info(ns, cmd, buf.offset(0)),
        libc::IPC_STAT => status(ns, id, Which::Id, buf),
        MSG_STAT => status(ns, id, Which::Index, buf),
        MSG_STAT_ANY => status(ns, id, Which::IndexAny, buf),
        libc::IPC_SET => {
            let wanted = buf.as_in().read()?;
            set(ns, id, &wanted).map(|()| 0)
        }
        libc::IPC_RMID => remove(ns, id).map(|()| 0),
        _ => Err(Errno::EINVAL),
    }
}

/// Runs `body` with the queue locked.
fn locked<T>(
    ns: &'static Namespace,
    object: &Ref,
    body: impl FnOnce(&mut Locked<'_>) -> Result<T>,
) -> Result<T> {
    let me = lifeline::my_token(ns)?;
    let mut locked = Locked::acquire(object, ns, me)?;
    body(&mut locked)
}

/// IPC_STAT, MSG_STAT, MSG_STAT_ANY.
fn status(ns: &'static Namespace, id: c_int, which: Which, buf: Out<msqid_ds>) -> Result<c_int> {
    // SAFETY: all-zero is a valid structure.
    let mut ds: msqid_ds = unsafe { core::mem::zeroed() };
    let id = {
        let _section = Section::enter()?;
        match control::find(&MSG, ns, id, which)? {
            Found::Object(object) => {
                locked(ns, &object, |locked| {
                    if locked.shared.head().assigned.get() != 0 {
                        locked.sweep()?;
                    }
                    describe(locked.shared.head(), &mut ds);
                    Ok(())
                })?;
                object.number.load(Relaxed)
            }
            Found::Outside(perm, ctime, id) => {
                (ds.msg_perm, ds.msg_ctime) = (perm, ctime as _);
                id
            }
        }
    };
    buf.write(&ds)?;
    Ok(which.answer(id))
}

#[inline(always)]
fn describe(head: &QueueHeader, ds: &mut msqid_ds) {
    ds.msg_perm = control::permissions(&head.common);
    ds.msg_stime = head.send_time.get() as _;
    ds.msg_rtime = head.receive_time.get() as _;
    ds.msg_ctime = head.common.ctime.get() as _;
    ds.__msg_cbytes = head.bytes.get() as _;
    ds.msg_qnum = head.count.get() as _;
    ds.msg_qbytes = head.max_bytes.get() as _;
    ds.msg_lspid = head.send_pid.get() as _;
    ds.msg_lrpid = head.receive_pid.get() as _;
}

/// IPC_INFO, MSG_INFO: the highest index in use.
fn info(ns: &'static Namespace, cmd: c_int, buf: Out<MsgInfo>) -> Result<c_int> {
    let limit = |l| limits::get(ns, l) as c_int;
    let (max, mnb, mni) = (limit(Limit::MsgMax), limit(Limit::MsgMnb), limit(Limit::MsgMni));
    let mut info = MsgInfo {
        msgpool: (mni as i64 * mnb as i64 / 1024).min(c_int::MAX as i64) as c_int,
        msgmap: mnb,
        msgmax: max,
        msgmnb: mnb,
        msgmni: mni,
        msgssz: 16,
        msgtql: mnb,
        msgseg: 0xffff,
    };
    let highest = {
        let _section = Section::enter()?;
        if cmd == MSG_INFO {
            let (messages, bytes) = totals(ns)?;
            info.msgmap = messages as c_int;
            info.msgtql = bytes as c_int;
        }
        let (count, highest) = ids::used(ns, Room::Msg)?;
        if cmd == MSG_INFO {
            info.msgpool = count as c_int;
        }
        highest.unwrap_or(0) as c_int
    };
    buf.write(&info)?;
    Ok(highest)
}

/// Messages and bytes in all queues that the caller may open. Those are looked at that may hold any: of thousands few do.
fn totals(ns: &'static Namespace) -> Result<(u64, u64)> {
    let (mut messages, mut bytes) = (0, 0);
    ids::each_noted(ns, Room::Msg, &mut |index| {
        let Ok(object) = MSG.by_index(ns, index) else { return };
        let head = Queue::of(&object).head();
        // A sum over many queues is of no one moment: without the lock, whose cache line others would have to fetch back, unless
        // there is something to repair.
        let at_rest = head
            .common
            .glance(|| head.marks(), || (!is_idle(head)).then(|| (head.count.get(), head.bytes.get())));
        let Some(seen) = at_rest.or_else(|| locked(ns, &object, |locked| pass_over(ns, locked)).ok()) else {
            return;
        };
        messages += seen.0;
        bytes += seen.1;
    })?;
    Ok((messages, bytes))
}

/// Has nobody look at a queue again, if it is idle, until somebody sends. What it holds: messages, bytes.
fn pass_over(ns: &'static Namespace, locked: &mut Locked<'_>) -> Result<(u64, u64)> {
    let head = locked.shared.head();
    if is_idle(head) {
        head.noted.set(0);
        ids::note(ns, Room::Msg, ids::index_of(head.common.id.get() as c_int), false);
    }
    Ok((head.count.get(), head.bytes.get()))
}

/// Whether a queue is empty, nobody has sent anything for a while (who did is likely to do it again), and it is no orphan in
/// the making.
fn is_idle(head: &QueueHeader) -> bool {
    head.count.get() == 0
        && head.common.creator.get() == 0
        && head.assigned.get() == 0
        && clock::now_s().saturating_sub(head.send_time.get() as i64) > 1
}

/// IPC_SET: owner, mode and msg_qbytes. EINVAL, EPERM.
fn set(ns: &'static Namespace, id: c_int, wanted: &msqid_ds) -> Result<()> {
    let _section = Section::enter()?;
    let object = MSG.by_id_as_owner(ns, id)?;
    locked(ns, &object, |locked| {
        let head = locked.shared.head();
        let cred = control::check_owner(&head.common)?;
        let qbytes = wanted.msg_qbytes;
        if qbytes > limits::get(ns, Limit::MsgMnb) && !cred.capable(cred::CAP_SYS_RESOURCE) {
            return Err(Errno::EPERM);
        }
        control::set(&MSG, ns, &object, id, &wanted.msg_perm)?;
        head.max_bytes.set(qbytes);
        // Receivers may have lost their permission, senders may have room now.
        locked.shared.end_all(waiter_kind::RECEIVER, waiting::RETRY, &mut locked.wakes)?;
        locked.shared.admit(&mut locked.wakes)?;
        Ok(())
    })
}

/// IPC_RMID: everybody who sleeps on the queue gets EIDRM. EINVAL, EPERM.
pub fn remove(ns: &'static Namespace, id: c_int) -> Result<()> {
    let _section = Section::enter()?;
    let object = MSG.by_id_as_owner(ns, id)?;
    locked(ns, &object, |locked| {
        let head = locked.shared.head();
        control::check_owner(&head.common)?;
        if head.common.removed.atomic().swap(1, Release) != 0 {
            return Err(Errno::EINVAL);
        }
        // From here on it is gone; the rest, finders help with.
        locked.shared.end_all(waiter_kind::RECEIVER, waiting::REMOVED, &mut locked.wakes)?;
        locked.shared.end_all(waiter_kind::SENDER, waiting::REMOVED, &mut locked.wakes)?;
        let _ = MSG.remove_names(ns, &object, id);
        Ok(())
    })?;
    MSG.forget(id, &object);
    Ok(())
}
