//! Looking at a namespace from outside: what the `usipc` command shows and removes.
//! Nothing here changes an object that is only looked at; broken ones are told, not repaired.

use crate::errno::{Errno, Result};
use crate::namespace::{ids, ids::Room, lifeline, Namespace};
use crate::posix::mqueue;
use crate::queue::layout::*;
use crate::queue::Queue;
use crate::region::header::{Header, ObjectKind, Unfit};
use crate::region::object::{open_file, Geometry, Mapping};
use crate::sync::section::Section;
use crate::sys::file;
use crate::sysv::msg::MSG;
use crate::text::Text;
use core::ffi::CStr;

/// Kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// System V message queues.
    Msg,
    /// POSIX message queues.
    Mq,
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
            waiting_receivers: 0,
            waiting_senders: 0,
            notify_pid: 0,
            file_bytes: st.allocated,
        }
    }

    fn fill(&mut self, ns: &Namespace, header: &Header, queue: &Queue<'_>) {
        let (perm, head) = (header.perm(), queue.head());
        (self.mode, self.uid, self.gid, self.cuid, self.cgid) =
            (perm.mode, perm.uid, perm.gid, perm.cuid, perm.cgid);
        if header.removed.get() != 0 {
            self.health = Health::Removed;
        }
        self.messages = head.count.get();
        self.bytes = head.bytes.get();
        self.max_bytes = head.max_bytes.get();
        self.last_send_pid = head.send_pid.get() as i32;
        self.last_receive_pid = head.receive_pid.get() as i32;
        self.send_time = head.send_time.get() as i64;
        self.receive_time = head.receive_time.get() as i64;
        self.change_time = header.ctime.get() as i64;
        self.waiting_receivers = queue.waiting_count(waiter_kind::RECEIVER);
        self.waiting_senders = queue.waiting_count(waiter_kind::SENDER);
        let notify = &head.notify;
        if notify.token.get() != 0 && lifeline::is_alive(ns, notify.token.get()) {
            self.notify_pid = notify.pid.get() as i32;
        }
    }
}

/// Calls `each` with every object of the namespace: first System V queues by index, then POSIX queues.
pub fn list(ns: &Namespace, each: &mut dyn FnMut(&ObjectInfo)) -> Result<()> {
    let mut found = [0u64; ids::INDEXES as usize / 64];
    ids::each_index(ns, Room::Msg, &mut |index| found[index as usize / 64] |= 1 << (index % 64))?;
    for index in (0..ids::INDEXES).filter(|i| found[*i as usize / 64] >> (i % 64) & 1 != 0) {
        if let Some(info) = system_v(ns, index) {
            each(&info);
        }
    }
    let dir = file::open_at(ns.dir()?, c"mq", libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    file::each_entry(dir.raw(), &mut |name| {
        if let Some(info) = posix(ns, name) {
            each(&info);
        }
        true
    })
}

fn health(e: Errno) -> Health {
    if e == Errno::EACCES {
        Health::Denied
    } else {
        Health::Unfit(Unfit::NoObject)
    }
}

fn system_v(ns: &Namespace, index: u32) -> Option<ObjectInfo> {
    let dir = ns.dir().ok()?;
    let path = Room::Msg.path(index);
    let st = file::stat_at(dir, path.as_cstr()).ok()?;
    let mut info = ObjectInfo::new(Kind::Msg, &st);
    info.id = ids::known_id(ns, Room::Msg, index);
    match map_any(ns, path.as_cstr(), ObjectKind::Msg, |m, st| (MSG.measure)(m, st.size)) {
        Ok((mapping, geometry)) => {
            info.id = mapping.header().id.get() as i32;
            info.key = mapping.header().key.get() as i32;
            // SAFETY: the mapping is as long as the measures say.
            let queue = unsafe { Queue::raw(mapping.base, &geometry, true) };
            info.fill(ns, mapping.header(), &queue);
        }
        Err(health) => info.health = health,
    }
    Some(info)
}

fn posix(ns: &Namespace, name: &CStr) -> Option<ObjectInfo> {
    let dir = ns.dir().ok()?;
    let mut path = Text::<288>::new();
    path.push(b"mq/").push(name.to_bytes());
    let st = file::stat_at(dir, path.as_cstr()).ok()?;
    let mut info = ObjectInfo::new(Kind::Mq, &st);
    info.name[0] = b'/';
    let len = name.to_bytes().len().min(info.name.len() - 2);
    info.name[1..=len].copy_from_slice(&name.to_bytes()[..len]);
    match map_any(ns, path.as_cstr(), ObjectKind::Mq, |m, _| crate::posix::descriptor::measure(m)) {
        Ok((mapping, geometry)) => {
            // SAFETY: the mapping is as long as the measures say.
            let queue = unsafe { Queue::raw(mapping.base, &geometry, false) };
            info.fill(ns, mapping.header(), &queue);
            info.max_messages = geometry.max_messages as u64;
            info.message_bytes = geometry.message_bytes as u64;
            info.max_bytes = info.max_messages * info.message_bytes;
        }
        Err(health) => info.health = health,
    }
    Some(info)
}

fn map_any(
    ns: &Namespace,
    path: &CStr,
    kind: ObjectKind,
    measure: impl Fn(&Mapping, &file::Stat) -> Result<Geometry>,
) -> core::result::Result<(Mapping, Geometry), Health> {
    let (fd, st) = ns.dir().and_then(|dir| open_file(dir, path, NODES_AT as u64)).map_err(health)?;
    let mapping = Mapping::new(fd.raw(), st.size as usize, st.file).map_err(health)?;
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
        (Kind::Msg, Selector::Id(id)) => remove_msg(ns, *id),
        (Kind::Msg, Selector::Key(key)) => remove_msg(ns, ids::find_key(ns, Room::Msg, *key)?),
        (Kind::Mq, Selector::Name(name)) => {
            // SAFETY: a C string.
            mqueue::unlink_in(ns, unsafe { crate::user::In::new(name.as_ptr()) })
        }
        _ => Err(Errno::EINVAL),
    }
}

fn remove_msg(ns: &'static Namespace, id: i32) -> Result<()> {
    match crate::sysv::msgctl::remove(ns, id) {
        Err(Errno::EINVAL) => {}
        other => return other,
    }
    // Spoilt: its names can be removed all the same, if the file is the caller's.
    let _section = Section::enter()?;
    let index = ids::index_of(id);
    file::stat_at(ns.dir()?, Room::Msg.path(index).as_cstr()).map_err(|_| Errno::EINVAL)?;
    ids::withdraw(ns, Room::Msg, index)?;
    let mut stale = Text::<64>::new();
    let keys = file::open_at(ns.dir()?, c"keys", libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    file::each_entry(keys.raw(), &mut |name| {
        let mut path = Text::<64>::new();
        path.push(b"keys/").push(name.to_bytes());
        let mut text = [0u8; 16];
        let link = ns.dir().and_then(|dir| file::read_link_at(dir, path.as_cstr(), &mut text));
        let ours = link.is_ok_and(|n| crate::text::parse_u64(&text[..n]) == Some(id as u64));
        if ours && name.to_bytes().starts_with(b"msg-") {
            stale = path;
        }
        !ours
    })?;
    if !stale.as_bytes().is_empty() {
        file::unlink_at(ns.dir()?, stale.as_cstr(), 0)?;
    }
    Ok(())
}

/// Calls `each(pid, alive)` for every process that is or was registered; the pid of a dead one is 0.
pub fn processes(ns: &Namespace, each: &mut dyn FnMut(i32, bool)) -> Result<()> {
    lifeline::each_process(ns, each)
}
