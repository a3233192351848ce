//! msgctl(2).

use super::msg::Msg;
use super::object;
use crate::cred;
use crate::errno::{Errno, Result};
use crate::limits::{self, Limit};
use crate::namespace::{self, ids, ids::Room, lifeline, Namespace};
use crate::perm;
use crate::queue::guard::Locked;
use crate::queue::layout::*;
use crate::region::object::Ref;
use crate::sync::section::Section;
use crate::sys::{clock, file};
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
pub fn control(id: c_int, cmd: c_int, buf: Out<msqid_ds>) -> Result<c_int> {
    let ns = namespace::current()?;
    if id < 0 || cmd < 0 {
        return Err(Errno::EINVAL);
    }
    match cmd {
        libc::IPC_INFO | MSG_INFO => info(ns, cmd, buf.offset(0)),
        libc::IPC_STAT | MSG_STAT | MSG_STAT_ANY => status(ns, id, cmd, buf),
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
fn status(ns: &'static Namespace, id: c_int, cmd: c_int, buf: Out<msqid_ds>) -> Result<c_int> {
    let (ds, id) = {
        let _section = Section::enter()?;
        let found = match cmd {
            libc::IPC_STAT => object::by_id::<Msg>(ns, id),
            _ => object::by_index::<Msg>(ns, ids::index_of(id)),
        };
        let found = match found {
            Err(Errno::EACCES) if cmd == MSG_STAT_ANY => object::open::<Msg>(ns, ids::index_of(id), true),
            found => found,
        };
        let object = match found {
            Err(Errno::EACCES) if cmd == MSG_STAT_ANY => {
                let (ds, id) = outside_view(ns, ids::index_of(id))?;
                buf.write(ds)?;
                return Ok(id);
            }
            found => found?,
        };
        if cmd != MSG_STAT_ANY {
            object::check(&object, perm::READ)?;
        }
        (locked(ns, &object, describe)?, object.number.load(Relaxed))
    };
    buf.write(ds)?;
    Ok(if cmd == libc::IPC_STAT { 0 } else { id })
}

fn empty() -> msqid_ds {
    // SAFETY: all-zero is a valid structure.
    unsafe { core::mem::zeroed() }
}

fn describe(locked: &mut Locked<'_>) -> Result<msqid_ds> {
    if locked.queue.head().assigned.get() != 0 {
        locked.sweep()?;
    }
    let head = locked.queue.head();
    let perm = head.common.perm();
    let mut ds = empty();
    ds.msg_perm.__key = head.common.key.get() as i32;
    ds.msg_perm.uid = perm.uid;
    ds.msg_perm.gid = perm.gid;
    ds.msg_perm.cuid = perm.cuid;
    ds.msg_perm.cgid = perm.cgid;
    ds.msg_perm.mode = perm.mode as _;
    ds.msg_perm.__seq = (head.common.id.get() >> 15) as _;
    ds.msg_stime = head.send_time.get() as _;
    ds.msg_rtime = head.receive_time.get() as _;
    ds.msg_ctime = head.common.ctime.get() as _;
    ds.__msg_cbytes = head.bytes.get() as _;
    ds.msg_qnum = head.count.get() as _;
    ds.msg_qbytes = head.max_bytes.get() as _;
    ds.msg_lspid = head.send_pid.get() as _;
    ds.msg_lrpid = head.receive_pid.get() as _;
    Ok(ds)
}

/// What anybody may see of a queue whose file he may not open (MSG_STAT_ANY): the kernel of a
/// real system shows all of it, see docs/DIFFERENCES.md.
fn outside_view(ns: &'static Namespace, index: u32) -> Result<(msqid_ds, c_int)> {
    let st = file::stat_at(ns.dir()?, Room::Msg.path(index).as_cstr()).map_err(|_| Errno::EINVAL)?;
    let id = ids::known_id(ns, Room::Msg, index);
    let mut ds = empty();
    ds.msg_perm.__seq = (id >> 15) as _;
    ds.msg_perm.uid = st.uid;
    ds.msg_perm.cuid = st.uid;
    ds.msg_perm.gid = st.gid;
    ds.msg_perm.cgid = st.gid;
    ds.msg_perm.mode = (st.mode & 0o777) as _;
    ds.msg_ctime = st.ctime as _;
    Ok((ds, id))
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
            // Killed creators and removers leave the hints behind the truth.
            ids::recount(ns, Room::Msg)?;
            info.msgmap = messages as c_int;
            info.msgtql = bytes as c_int;
        }
        let (count, highest) = ids::used(ns, Room::Msg)?;
        if cmd == MSG_INFO {
            info.msgpool = count as c_int;
        }
        highest.unwrap_or(0) as c_int
    };
    buf.write(info)?;
    Ok(highest)
}

/// Messages and bytes in all queues that the caller may open.
fn totals(ns: &'static Namespace) -> Result<(u64, u64)> {
    let (mut messages, mut bytes) = (0, 0);
    ids::each_index(ns, Room::Msg, &mut |index| {
        if let Ok(object) = object::by_index::<Msg>(ns, index) {
            let _ = locked(ns, &object, |locked| {
                let head = locked.queue.head();
                messages += head.count.get();
                bytes += head.bytes.get();
                Ok(())
            });
        }
    })?;
    Ok((messages, bytes))
}

/// IPC_SET: owner, mode and msg_qbytes. EINVAL, EPERM.
fn set(ns: &'static Namespace, id: c_int, wanted: &msqid_ds) -> Result<()> {
    let _section = Section::enter()?;
    let object = object::by_id_as_owner::<Msg>(ns, id)?;
    let cred = cred::current()?;
    locked(ns, &object, |locked| {
        let head = locked.queue.head();
        let mut perm = head.common.perm();
        perm.check_owner(&cred)?;
        let qbytes = wanted.msg_qbytes;
        if qbytes > limits::get(ns, Limit::MsgMnb) && !cred.capable(cred::CAP_SYS_RESOURCE) {
            return Err(Errno::EPERM);
        }
        (perm.uid, perm.gid) = (wanted.msg_perm.uid, wanted.msg_perm.gid);
        if perm.uid == u32::MAX || perm.gid == u32::MAX {
            return Err(Errno::EINVAL);
        }
        perm.mode = wanted.msg_perm.mode as u32 & 0o777;
        let before = head.common.perm();
        let files = |p: &perm::Perm| (p.uid, p.gid, perm::file_mode(p.mode));
        if files(&perm) != files(&before) {
            admit_to_file(ns, &object, id, &perm)?;
        }
        if perm != before {
            head.common.set_perm(&perm);
        }
        head.max_bytes.set(qbytes);
        head.common.ctime.set(clock::now_s() as u64);
        // Receivers may have lost their permission, senders may have room now.
        locked.queue.end_all(waiter_kind::RECEIVER, waiting::RETRY, &mut locked.wakes)?;
        locked.queue.admit(&mut locked.wakes)?;
        Ok(())
    })
}

fn admit_to_file(ns: &'static Namespace, object: &Ref, id: c_int, perm: &perm::Perm) -> Result<()> {
    let path = Room::Msg.path(ids::index_of(id));
    let fd =
        file::open_at(ns.dir()?, path.as_cstr(), libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK, 0)
            .or_else(|_| {
                file::open_at(
                    ns.dir()?,
                    path.as_cstr(),
                    libc::O_WRONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK,
                    0,
                )
            });
    match fd {
        Ok(fd) if file::stat(fd.raw())?.file == object.file() => perm::apply(fd.raw(), perm),
        Ok(_) => Err(Errno::EINVAL),
        // The owner of a queue that nobody may open.
        Err(_) => file::set_mode_at(ns.dir()?, path.as_cstr(), perm::file_mode(perm.mode)),
    }
}

/// IPC_RMID: everybody who sleeps on the queue gets EIDRM. EINVAL, EPERM.
pub fn remove(ns: &'static Namespace, id: c_int) -> Result<()> {
    let _section = Section::enter()?;
    let object = object::by_id_as_owner::<Msg>(ns, id)?;
    let cred = cred::current()?;
    locked(ns, &object, |locked| {
        let head = locked.queue.head();
        head.common.perm().check_owner(&cred)?;
        if head.common.removed.atomic().swap(1, Release) != 0 {
            return Err(Errno::EINVAL);
        }
        // From here on it is gone; the rest, finders help with.
        locked.queue.end_all(waiter_kind::RECEIVER, waiting::REMOVED, &mut locked.wakes)?;
        locked.queue.end_all(waiter_kind::SENDER, waiting::REMOVED, &mut locked.wakes)?;
        let _ = object::remove_names::<Msg>(ns, &object, id);
        Ok(())
    })?;
    Msg::forget(id, &object);
    Ok(())
}

impl Msg {
    fn forget(id: c_int, object: &Ref) {
        <Msg as object::Kind>::table().remove_object(ids::index_of(id) as usize, object);
    }
}
