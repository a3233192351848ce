//! Looking at a namespace from outside: what the `usipc` command shows and removes.
//! Nothing here changes an object that is only looked at; broken ones are told, not repaired.

use crate::errno::{Errno, Result};
use crate::namespace::{ids, ids::Room, lifeline, Namespace};
use crate::posix::{mqueue, sem, shm};
use crate::queue::layout::*;
use crate::queue::Queue;
use crate::region::header::{Header, ObjectKind, Unfit, DOOMED};
use crate::region::object::{open_file, Geometry, Mapping};
use crate::sync::section::Section;
use crate::sys::file;
use crate::sysv::msg::MSG;
use crate::sysv::segment::{self, Segment, LOCKED};
use crate::sysv::shm::SHM;
use crate::sysv::{msgctl, shmctl};
use crate::text::Text;
use crate::user::In;
use core::ffi::CStr;

/// Kinds of objects, in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// System V message queues.
    Msg,
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
    pub const ALL: [Kind; 5] = [Kind::Msg, Kind::Shm, Kind::Mq, Kind::Psem, Kind::Pshm];

    /// The directory in the namespace.
    pub fn room(self) -> &'static str {
        match self {
            Kind::Msg => "msg",
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
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct ObjectInfo {
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
    /// System V shared memory: attachments, of which processes (0 ends them), whether it goes with
    /// the last of them, and whether SHM_LOCK holds.
    pub attached: u64,
    pub attachers: [i32; 64],
    pub doomed: bool,
    pub locked: bool,
    pub creator_pid: i32,
    pub last_pid: i32,
    pub attach_time: i64,
    pub detach_time: i64,
    /// Semaphores: value, and threads that wait for another one.
    pub value: u32,
    pub waiters: u32,
    pub waiting_receivers: u32,
    pub waiting_senders: u32,
    /// Process registered by mq_notify; 0: none.
    pub notify_pid: i32,
    /// Memory that the file takes.
    pub file_bytes: u64,
}

impl ObjectInfo {
    fn new(kind: Kind, st: &file::Stat) -> ObjectInfo {
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
            attached: 0,
            attachers: [0; 64],
            doomed: false,
            locked: false,
            creator_pid: 0,
            last_pid: 0,
            attach_time: 0,
            detach_time: 0,
            value: 0,
            waiters: 0,
            waiting_receivers: 0,
            waiting_senders: 0,
            notify_pid: 0,
            file_bytes: st.allocated,
        }
    }

    fn fill_common(&mut self, header: &Header) {
        let perm = header.perm();
        (self.mode, self.uid, self.gid, self.cuid, self.cgid) =
            (perm.mode, perm.uid, perm.gid, perm.cuid, perm.cgid);
        if header.is_gone() {
            self.health = Health::Removed;
        }
        self.change_time = header.ctime.get() as i64;
    }

    fn fill(&mut self, ns: &Namespace, header: &Header, queue: &Queue<'_>) {
        self.fill_common(header);
        let head = queue.head();
        self.messages = head.count.get();
        self.bytes = head.bytes.get();
        self.max_bytes = head.max_bytes.get();
        self.last_send_pid = head.send_pid.get() as i32;
        self.last_receive_pid = head.receive_pid.get() as i32;
        self.send_time = head.send_time.get() as i64;
        self.receive_time = head.receive_time.get() as i64;
        self.modify_time = self.send_time.max(self.receive_time).max(self.change_time);
        self.waiting_receivers = queue.waiting_count(waiter_kind::RECEIVER);
        self.waiting_senders = queue.waiting_count(waiter_kind::SENDER);
        let notify = &head.notify;
        if notify.token.get() != 0 && lifeline::is_alive(ns, notify.token.get()) {
            self.notify_pid = notify.pid.get() as i32;
        }
    }

    fn fill_segment(&mut self, ns: &Namespace, segment: Segment<'_>) {
        let head = segment.head();
        self.fill_common(&head.common);
        self.doomed = head.common.removed.get() == DOOMED;
        self.locked = head.flags.get() & LOCKED != 0;
        self.creator_pid = head.cpid.get() as i32;
        self.last_pid = head.lpid.get() as i32;
        self.attach_time = head.atime.get() as i64;
        self.detach_time = head.dtime.get() as i64;
        let mut places = self.attachers.iter_mut();
        let attached = &mut self.attached;
        segment.each_attacher(ns, &mut |pid, count| {
            *attached += count as u64;
            if let Some(place) = places.next() {
                *place = pid as i32;
            }
        });
    }
}

/// Calls `each` with every object of the namespace: kind by kind, System V objects by index.
pub fn list(ns: &Namespace, each: &mut dyn FnMut(&ObjectInfo)) -> Result<()> {
    for kind in Kind::ALL {
        match kind.system_v() {
            Some(room) => list_indexes(ns, kind, room, each)?,
            None => list_names(ns, kind, each)?,
        }
    }
    Ok(())
}

fn list_indexes(ns: &Namespace, kind: Kind, room: Room, each: &mut dyn FnMut(&ObjectInfo)) -> Result<()> {
    let mut found = [0u64; ids::INDEXES as usize / 64];
    ids::each_index(ns, room, &mut |index| found[index as usize / 64] |= 1 << (index % 64))?;
    for index in (0..ids::INDEXES).filter(|i| found[*i as usize / 64] >> (i % 64) & 1 != 0) {
        describe(ns, kind, room.path(index).as_cstr(), each, &|info| {
            info.id = ids::known_id(ns, room, index)
        });
    }
    Ok(())
}

fn list_names(ns: &Namespace, kind: Kind, each: &mut dyn FnMut(&ObjectInfo)) -> Result<()> {
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
    each: &mut dyn FnMut(&ObjectInfo),
    identify: &dyn Fn(&mut ObjectInfo),
) {
    let Ok(st) = ns.dir().and_then(|dir| file::stat_at(dir, path)) else { return };
    let mut info = ObjectInfo::new(kind, &st);
    identify(&mut info);
    let looked = match kind {
        Kind::Msg => msg(ns, path, &mut info),
        Kind::Shm => segment(ns, path, &mut info),
        Kind::Mq => mq(ns, path, &mut info),
        Kind::Psem => psem(ns, path, &mut info),
        Kind::Pshm => pshm(&st, &mut info),
    };
    if let Err(health) = looked {
        info.health = health;
    }
    each(&info);
}

fn health(e: Errno) -> Health {
    if e == Errno::EACCES {
        Health::Denied
    } else {
        Health::Unfit(Unfit::NoObject)
    }
}

type Looked = core::result::Result<(), Health>;

fn msg(ns: &Namespace, path: &CStr, info: &mut ObjectInfo) -> Looked {
    let (mapping, geometry) = map_any(ns, path, ObjectKind::Msg, |m, st| (MSG.measure)(m, st.size))?;
    info.id = mapping.header().id.get() as i32;
    info.key = mapping.header().key.get() as i32;
    // SAFETY: the mapping is as long as the measures say.
    let queue = unsafe { Queue::raw(mapping.base, &geometry, true) };
    info.fill(ns, mapping.header(), &queue);
    Ok(())
}

fn segment(ns: &Namespace, path: &CStr, info: &mut ObjectInfo) -> Looked {
    let (mapping, geometry) = map_any(ns, path, ObjectKind::Shm, |m, st| match st.size {
        size if size < SHM.least => Err(Errno::EINVAL),
        size => (SHM.measure)(m, size),
    })?;
    info.id = mapping.header().id.get() as i32;
    info.key = mapping.header().key.get() as i32;
    info.size = geometry.segment_bytes;
    // SAFETY: the mapping is as long as the measures say.
    info.fill_segment(ns, unsafe { Segment::at(mapping.base) });
    Ok(())
}

fn mq(ns: &Namespace, path: &CStr, info: &mut ObjectInfo) -> Looked {
    let (mapping, geometry) = map_any(ns, path, ObjectKind::Mq, |m, _| crate::posix::descriptor::measure(m))?;
    // SAFETY: the mapping is as long as the measures say.
    let queue = unsafe { Queue::raw(mapping.base, &geometry, false) };
    info.fill(ns, mapping.header(), &queue);
    info.max_messages = geometry.max_messages as u64;
    info.message_bytes = geometry.message_bytes as u64;
    info.max_bytes = info.max_messages * info.message_bytes;
    Ok(())
}

fn psem(ns: &Namespace, path: &CStr, info: &mut ObjectInfo) -> Looked {
    let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    let fd = ns.dir().and_then(|dir| file::open_at(dir, path, flags, 0)).map_err(health)?;
    (info.value, info.waiters) = sem::look(&fd).map_err(health)?;
    Ok(())
}

fn pshm(st: &file::Stat, info: &mut ObjectInfo) -> Looked {
    if !st.is(libc::S_IFREG) {
        return Err(Health::Unfit(Unfit::NoObject));
    }
    info.size = st.size;
    Ok(())
}

fn map_any(
    ns: &Namespace,
    path: &CStr,
    kind: ObjectKind,
    measure: impl Fn(&Mapping, &file::Stat) -> Result<Geometry>,
) -> core::result::Result<(Mapping, Geometry), Health> {
    let (fd, st) = ns.dir().and_then(|dir| open_file(dir, path, NODES_AT as u64)).map_err(health)?;
    // Of shared memory the bookkeeping alone: a segment may have terabytes.
    let bytes = if kind == ObjectKind::Shm { st.size.min(SHM.most_mapped) } else { st.size };
    let mapping = Mapping::new(fd.raw(), bytes as usize, st.file).map_err(health)?;
    mapping.header().verify(kind).map_err(Health::Unfit)?;
    let geometry = measure(&mapping, &st).map_err(|_| Health::Unfit(Unfit::Geometry))?;
    Ok((mapping, geometry))
}

/// Which object.
#[derive(Clone, Copy, Debug)]
pub enum Selector<'a> {
    /// By identifier.
    Id(i32),
    /// By key.
    Key(i32),
    /// By name, with its slash.
    Name(&'a CStr),
}

/// Removes an object, spoilt ones too: those who sleep on it get EIDRM, as from IPC_RMID.
/// EINVAL, ENOENT: there is none. EPERM, EACCES: not the caller's.
pub fn remove(ns: &'static Namespace, kind: Kind, which: &Selector<'_>) -> Result<()> {
    match (kind, which) {
        (Kind::Msg | Kind::Shm, Selector::Id(id)) => remove_system_v(ns, kind, *id),
        (Kind::Msg, Selector::Key(key)) => remove_system_v(ns, kind, ids::find_key(ns, Room::Msg, *key)?),
        (Kind::Shm, Selector::Key(key)) => remove_system_v(ns, kind, ids::find_key(ns, Room::Shm, *key)?),
        (Kind::Mq, Selector::Name(name)) => {
            // SAFETY: a C string.
            mqueue::unlink_in(ns, unsafe { In::new(name.as_ptr()) })
        }
        // SAFETY: as above.
        (Kind::Psem, Selector::Name(name)) => sem::unlink_in(ns, unsafe { In::new(name.as_ptr()) }),
        // SAFETY: as above.
        (Kind::Pshm, Selector::Name(name)) => shm::unlink_in(ns, unsafe { In::new(name.as_ptr()) }),
        _ => Err(Errno::EINVAL),
    }
}

fn remove_system_v(ns: &'static Namespace, kind: Kind, id: i32) -> Result<()> {
    let room = kind.system_v().ok_or(Errno::EINVAL)?;
    let removed = if kind == Kind::Shm { shmctl::remove(ns, id) } else { msgctl::remove(ns, id) };
    if removed != Err(Errno::EINVAL) {
        return removed;
    }
    // Spoilt: its names can be removed all the same, if the file is the caller's.
    let _section = Section::enter()?;
    let index = ids::index_of(id);
    file::stat_at(ns.dir()?, room.path(index).as_cstr()).map_err(|_| Errno::EINVAL)?;
    ids::withdraw(ns, room, index)?;
    let mut stale = Text::<64>::new();
    let keys = file::open_at(ns.dir()?, c"keys", libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    file::each_entry(keys.raw(), &mut |name| {
        let mut path = Text::<64>::new();
        path.push(b"keys/").push(name.to_bytes());
        let mut text = [0u8; 16];
        let link = ns.dir().and_then(|dir| file::read_link_at(dir, path.as_cstr(), &mut text));
        let ours = link.is_ok_and(|n| crate::text::parse_u64(&text[..n]) == Some(id as u64));
        if ours && name.to_bytes().starts_with(room.name().as_bytes()) {
            stale = path;
        }
        !ours
    })?;
    if !stale.as_bytes().is_empty() {
        file::unlink_at(ns.dir()?, stale.as_cstr(), 0)?;
    }
    Ok(())
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
