//! What each kind of object has to show. A look takes no lock and changes nothing.

use super::{Health, ObjectInfo};
use crate::errno::{Errno, Result};
use crate::namespace::{ids, lifeline, Namespace};
use crate::posix::sem;
use crate::queue::layout::{waiter_kind, QueueHeader, NODES_AT};
use crate::queue::Queue;
use crate::region::header::{Header, ObjectKind, Unfit, DOOMED};
use crate::region::object::{open_file, Geometry, Mapping};
use crate::region::{Checked, Corrupt};
use crate::semset::layout::*;
use crate::semset::Set;
use crate::sys::file;
use crate::sysv::msg::MSG;
use crate::sysv::segment::{Segment, LOCKED};
use crate::sysv::sem::SEM;
use crate::sysv::shm::SHM;
use core::ffi::CStr;

impl<'a> ObjectInfo<'a> {
    /// System V: identifier and key. What belongs to another index is no object of this one.
    fn identify(&mut self, header: &Header) -> Looked {
        let id = header.id.get() as i32;
        if id < 0 || ids::index_of(id) != ids::index_of(self.id) {
            return Err(Health::Unfit(Unfit::NoObject));
        }
        (self.id, self.key) = (id, header.key.get() as i32);
        Ok(())
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
        segment.each_attacher(ns, &mut |pid, count| {
            self.attached += count as u64;
            self.add_holder(pid);
        });
    }

    /// Notes a process, once; those beyond the places there are do not show.
    fn add_holder(&mut self, pid: u32) {
        if let Some(place) = self.holders.iter_mut().find(|h| **h == 0 || **h == pid as i32) {
            *place = pid as i32;
        }
    }

    fn fill_set(&mut self, ns: &Namespace, set: Set<'_>, values: &'a mut [u16]) -> Checked<()> {
        let head = set.head();
        self.fill_common(&head.common);
        self.operation_time = head.otime.get() as i64;
        let values = values.get_mut(..set.nsems() as usize).ok_or(Corrupt)?;
        for (sem, value) in values.iter_mut().enumerate() {
            *value = word::value(set.word(sem as u32)?.get()) as u16;
        }
        // The cells themselves, not the lists through them, which may be changing.
        for c in 0..head.fresh_cell.get() {
            let Ok(cell) = set.cell(c) else { break };
            match cell.kind.get() {
                kind::WAITER => self.add_sleeper(ns, set.waiter(c)),
                kind::UNDO => self.add_adjustments(ns, cell, values),
                _ => {}
            }
        }
        self.values = values;
        Ok(())
    }

    fn add_sleeper(&mut self, ns: &Namespace, waiter: Checked<&Waiter>) {
        let asleep = |w: &&Waiter| {
            matches!(w.state.get(), waiting::AWAKE | waiting::ASLEEP | waiting::CLAIMED)
                && lifeline::is_alive(ns, w.token.get())
        };
        if let Some(waiter) = waiter.ok().filter(asleep) {
            // As Set::count_waiting has it: an array waits where it cannot go on.
            let zero = match waiter.is_single() {
                true => waiter.first().change == 0,
                false => waiter.sem_after.get() != 0,
            };
            self.waiters += 1;
            self.zero_waiters += zero as u32;
        }
    }

    fn add_adjustments(&mut self, ns: &Namespace, cell: &Cell, values: &mut [u16]) {
        if cell.is_idle() {
            return;
        }
        if lifeline::is_process_alive(ns, cell.token.get()) {
            return self.add_holder(cell.pid.get());
        }
        // What who looks next will do: to every caller the process has given back what it held.
        let first = (cell.group().get() as usize).saturating_mul(GROUP as usize);
        for (value, sem) in values.iter_mut().skip(first).zip(0..GROUP) {
            *value = (*value as i32 + cell.adjustment(sem)).clamp(0, SEMVMX) as u16;
        }
    }
}

fn health(e: Errno) -> Health {
    if e == Errno::EACCES {
        Health::Denied
    } else {
        Health::Unfit(Unfit::NoObject)
    }
}

pub(super) type Looked = core::result::Result<(), Health>;

pub(super) fn msg(ns: &Namespace, path: &CStr, info: &mut ObjectInfo<'_>) -> Looked {
    let (mapping, geometry) = map_any(ns, path, ObjectKind::Msg, |m, st| (MSG.measure)(m, st.size))?;
    info.identify(mapping.header())?;
    // SAFETY: the mapping is as long as the measures say.
    let queue = unsafe { Queue::raw(mapping.base, &geometry, true) };
    info.fill(ns, mapping.header(), &queue);
    still_there(&mapping)
}

pub(super) fn set<'a>(
    ns: &Namespace,
    path: &CStr,
    info: &mut ObjectInfo<'a>,
    values: &'a mut [u16],
) -> Looked {
    let (mapping, geometry) = map_any(ns, path, ObjectKind::Sem, |m, st| match st.size {
        size if size < SEM.least => Err(Errno::EINVAL),
        size => (SEM.measure)(m, size),
    })?;
    info.identify(mapping.header())?;
    // SAFETY: the mapping is as long as the measures say.
    let set = unsafe { Set::raw(mapping.base, &geometry) };
    info.fill_set(ns, set, values).map_err(|_| Health::Unfit(Unfit::Geometry))?;
    still_there(&mapping)
}

pub(super) fn segment(ns: &Namespace, path: &CStr, info: &mut ObjectInfo<'_>) -> Looked {
    let (mapping, geometry) = map_any(ns, path, ObjectKind::Shm, |m, st| match st.size {
        size if size < SHM.least => Err(Errno::EINVAL),
        size => (SHM.measure)(m, size),
    })?;
    info.identify(mapping.header())?;
    info.size = geometry.segment_bytes;
    // SAFETY: the mapping is as long as the measures say.
    info.fill_segment(ns, unsafe { Segment::at(mapping.base) });
    still_there(&mapping)
}

pub(super) fn mq(ns: &Namespace, path: &CStr, info: &mut ObjectInfo<'_>) -> Looked {
    let (mapping, geometry) = map_any(ns, path, ObjectKind::Mq, |m, st| {
        // SAFETY: the mapping holds at least the header page.
        crate::posix::queue_file::measure(unsafe { &*m.base.cast::<QueueHeader>() }, st.size)
    })?;
    // SAFETY: the mapping is as long as the measures say.
    let queue = unsafe { Queue::raw(mapping.base, &geometry, false) };
    info.fill(ns, mapping.header(), &queue);
    info.max_messages = geometry.max_messages as u64;
    info.message_bytes = geometry.message_bytes as u64;
    info.max_bytes = info.max_messages * info.message_bytes;
    still_there(&mapping)
}

pub(super) fn psem(ns: &Namespace, path: &CStr, info: &mut ObjectInfo<'_>) -> Looked {
    let flags = libc::O_RDONLY | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    let fd = ns.dir().and_then(|dir| file::open_at(dir, path, flags, 0)).map_err(health)?;
    (info.value, info.waiters) = sem::look(&fd).map_err(health)?;
    Ok(())
}

pub(super) fn pshm(st: &file::Stat, info: &mut ObjectInfo<'_>) -> Looked {
    if !st.is(libc::S_IFREG) {
        return Err(Health::Unfit(Unfit::NoObject));
    }
    info.size = st.size;
    Ok(())
}

/// What was seen of a file that was cut short meanwhile is zeros.
fn still_there(mapping: &Mapping) -> Looked {
    match mapping.header().is_there() {
        true => Ok(()),
        false => Err(Health::Unfit(Unfit::NoObject)),
    }
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
