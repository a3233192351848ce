//! Looking at a namespace from outside: what the `usipc` command shows and removes.
//! Nothing here changes an object that is only looked at; broken ones are told, not repaired.

mod look;
mod remove;

pub use remove::{remove, Selector};

use crate::errno::Result;
use crate::namespace::{ids, ids::Room, lifeline, Namespace};
use crate::region::header::Unfit;
use crate::semset::layout::MAX_SEMS;
use crate::signal;
use crate::sync::section::Section;
use crate::sys::file;
use crate::sysv::segment;
use crate::text::Text;
use core::ffi::CStr;

/// Kinds of objects, in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// System V message queues.
    Msg,
    /// System V semaphore sets.
    Sem,
    /// System V shared memory segments.
    Shm,
    /// POSIX message queues.
    Mq,
    /// POSIX semaphores.
    Psem,
    /// POSIX shared memory objects.
    Pshm,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 6] = [Kind::Msg, Kind::Sem, Kind::Shm, Kind::Mq, Kind::Psem, Kind::Pshm];

    /// The directory in the namespace.
    pub fn room(self) -> &'static str {
        match self {
            Kind::Msg => "msg",
            Kind::Sem => "sem",
            Kind::Shm => "shm",
            Kind::Mq => "mq",
            Kind::Psem => "psem",
            Kind::Pshm => "pshm",
        }
    }

    /// System V: the room by which its indexes and keys are known. POSIX objects have names instead.
    pub fn system_v(self) -> Option<Room> {
        match self {
            Kind::Msg => Some(Room::Msg),
            Kind::Sem => Some(Room::Sem),
            Kind::Shm => Some(Room::Shm),
            Kind::Mq | Kind::Psem | Kind::Pshm => None,
        }
    }
}

/// Whether an object can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It can.
    Ok,
    /// The caller may not open it.
    Denied,
    /// Removed; a few of its names are left.
    Removed,
    /// Unknown layout, or scribbled over.
    Unfit(Unfit),
}

impl core::fmt::Display for Health {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Health::Ok => f.write_str("ok"),
            Health::Denied => f.write_str("permission denied"),
            Health::Removed => f.write_str("removed"),
            Health::Unfit(unfit) => unfit.fmt(f),
        }
    }
}

/// One object, as far as the caller may see it.
#[allow(missing_docs)]
pub struct ObjectInfo<'a> {
    pub kind: Kind,
    pub health: Health,
    /// System V: identifier and key.
    pub id: i32,
    pub key: i32,
    /// POSIX: the name with its slash, NUL-terminated.
    pub name: [u8; 264],
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub cuid: u32,
    pub cgid: u32,
    pub messages: u64,
    pub bytes: u64,
    /// POSIX; 0 for System V.
    pub max_messages: u64,
    /// System V: msg_qbytes. POSIX: max_messages * message_bytes.
    pub max_bytes: u64,
    /// POSIX: bytes a message may have.
    pub message_bytes: u64,
    pub last_send_pid: i32,
    pub last_receive_pid: i32,
    /// Seconds since the Epoch; 0: never.
    pub send_time: i64,
    pub receive_time: i64,
    pub change_time: i64,
    /// POSIX: of the last action that left a trace.
    pub modify_time: i64,
    /// Shared memory: bytes.
    pub size: u64,
    /// System V: the processes that have the segment attached, or adjustments (SEM_UNDO) in the set;
    /// 0 ends them.
    pub holders: [i32; 64],
    /// System V shared memory: attachments, whether it goes with the last of them, and whether SHM_LOCK
    /// holds.
    pub attached: u64,
    pub doomed: bool,
    pub locked: bool,
    pub creator_pid: i32,
    pub last_pid: i32,
    pub attach_time: i64,
    pub detach_time: i64,
    /// POSIX semaphores.
    pub value: u32,
    /// Semaphore sets: the values, those that dead processes have to give back given back.
    pub values: &'a [u16],
    /// Semaphores: threads that wait for another value; in sets, how many of them for zero.
    pub waiters: u32,
    pub zero_waiters: u32,
    pub operation_time: i64,
    pub waiting_receivers: u32,
    pub waiting_senders: u32,
    /// Process registered by mq_notify; 0: none.
    pub notify_pid: i32,
    /// Memory that the file takes.
    pub file_bytes: u64,
}

impl<'a> ObjectInfo<'a> {
    fn new(kind: Kind, st: &file::Stat) -> ObjectInfo<'a> {
        ObjectInfo {
            kind,
            health: Health::Ok,
            id: -1,
            key: 0,
            name: [0; 264],
            mode: st.mode & 0o777,
            uid: st.uid,
            gid: st.gid,
            cuid: st.uid,
            cgid: st.gid,
            messages: 0,
            bytes: 0,
            max_messages: 0,
            max_bytes: 0,
            message_bytes: 0,
            last_send_pid: 0,
            last_receive_pid: 0,
            send_time: 0,
            receive_time: 0,
            change_time: st.ctime,
            modify_time: st.mtime,
            size: 0,
            holders: [0; 64],
            attached: 0,
            doomed: false,
            locked: false,
            creator_pid: 0,
            last_pid: 0,
            attach_time: 0,
            detach_time: 0,
            value: 0,
            values: &[],
            waiters: 0,
            zero_waiters: 0,
            operation_time: 0,
            waiting_receivers: 0,
            waiting_senders: 0,
            notify_pid: 0,
            file_bytes: st.allocated,
        }
    }
}

/// Calls `each` with every object of the namespace: kind by kind, System V objects by index.
pub fn list(ns: &Namespace, each: &mut dyn FnMut(&ObjectInfo<'_>)) -> Result<()> {
    signal::catch_faults()?;
    for kind in Kind::ALL {
        match kind.system_v() {
            Some(room) => list_indexes(ns, kind, room, each)?,
            None => list_names(ns, kind, each)?,
        }
    }
    Ok(())
}

fn list_indexes(ns: &Namespace, kind: Kind, room: Room, each: &mut dyn FnMut(&ObjectInfo<'_>)) -> Result<()> {
    let mut found = [0u64; ids::INDEXES as usize / 64];
    ids::read_indexes(ns, room, &mut |index| found[index as usize / 64] |= 1 << (index % 64))?;
    for index in (0..ids::INDEXES).filter(|i| found[*i as usize / 64] >> (i % 64) & 1 != 0) {
        describe(ns, kind, room.path(index).as_cstr(), each, &|info| {
            info.id = ids::known_id(ns, room, index)
        });
    }
    Ok(())
}

fn list_names(ns: &Namespace, kind: Kind, each: &mut dyn FnMut(&ObjectInfo<'_>)) -> Result<()> {
    let mut room = Text::<8>::new();
    room.push(kind.room().as_bytes());
    let dir = file::open_at(ns.dir()?, room.as_cstr(), libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    file::each_entry(dir.raw(), &mut |name| {
        let mut path = Text::<288>::new();
        path.push(kind.room().as_bytes()).push(b"/").push(name.to_bytes());
        describe(ns, kind, path.as_cstr(), each, &|info| {
            info.name[0] = b'/';
            let len = name.to_bytes().len().min(info.name.len() - 2);
            info.name[1..=len].copy_from_slice(&name.to_bytes()[..len]);
        });
        true
    })
}

/// Calls `each` with the object at `path`, if there is one; `identify` enters what it is called.
fn describe(
    ns: &Namespace,
    kind: Kind,
    path: &CStr,
    each: &mut dyn FnMut(&ObjectInfo<'_>),
    identify: &dyn Fn(&mut ObjectInfo<'_>),
) {
    let Ok(st) = ns.dir().and_then(|dir| file::stat_at(dir, path)) else { return };
    let mut values = [0; MAX_SEMS as usize];
    let mut info = ObjectInfo::new(kind, &st);
    identify(&mut info);
    // In a section a file that is cut short meanwhile reads as zeros.
    let section = Section::enter();
    let looked = match kind {
        Kind::Msg => look::msg(ns, path, &mut info),
        Kind::Sem => look::set(ns, path, &mut info, &mut values),
        Kind::Shm => look::segment(ns, path, &mut info),
        Kind::Mq => look::mq(ns, path, &mut info),
        Kind::Psem => look::psem(ns, path, &mut info),
        Kind::Pshm => look::pshm(&st, &mut info),
    };
    drop(section);
    if let Err(health) = looked {
        info.health = health;
    }
    each(&info);
}

/// Ends shared memory segments that were removed and whose attachers were killed: what they take is
/// free then. Those of others that cannot be ended are left.
pub fn sweep(ns: &'static Namespace) {
    let _section = Section::enter();
    segment::sweep(ns, u32::MAX);
}

/// Calls `each(pid, alive)` for every process that is or was registered; the pid of a dead one is 0.
pub fn processes(ns: &Namespace, each: &mut dyn FnMut(i32, bool)) -> Result<()> {
    lifeline::each_process(ns, each)
}
