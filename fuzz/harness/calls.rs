//! The calls, as the C ABI makes them, with arguments that the input chooses and that are always the program's right
//! ones: whatever goes wrong is the object's fault.

use super::{Bench, Input, What};
use std::ffi::{c_int, c_long, c_void};
use std::os::unix::fs::MetadataExt;
use usipc_core::errno::{Errno, Result};
use usipc_core::namespace::ids;
use usipc_core::posix::{descriptor, mqueue, notify};
use usipc_core::region::object::{Geometry, Ref};
use usipc_core::sync::section::Section;
use usipc_core::sysv::{msg, sem, semctl, shm, shmctl};
use usipc_core::user::{In, Out};

pub const NAME: &str = "/fuzz\0";
const KEY: c_int = 0xf022;
const SEMS: u32 = 17;
const SEGMENT: usize = 3 * 4096;
const STAT: c_int = 11;
const STAT_ANY: c_int = 13;
const MSG_COPY: c_int = 0o40000;
/// What a receiver has room for, and behind it what must stay as it is.
const ROOM: usize = 512;
const BEYOND: usize = 4096;

#[repr(C)]
struct Message {
    kind: c_long,
    text: [u8; ROOM],
    beyond: [u8; BEYOND],
}

impl Message {
    fn new(kind: c_long) -> Box<Message> {
        Box::new(Message { kind, text: [0x5a; ROOM], beyond: [0xa5; BEYOND] })
    }
    fn check(&self, received: Result<usize>, room: usize) {
        assert!(may(received).is_none_or(|len| len <= room), "more than there is room for");
        assert!(self.text[room..].iter().all(|b| *b == 0x5a) && self.beyond.iter().all(|b| *b == 0xa5));
    }
}

fn input<T>(value: &T) -> In<T> {
    // SAFETY: a reference is a valid pointer.
    unsafe { In::new(value) }
}

fn output<T>(value: &mut T) -> Out<T> {
    // SAFETY: a reference is a valid pointer.
    unsafe { Out::new(value) }
}

/// A spoilt object may give these. EFAULT would be an address of the library's that is none; ENOSYS or EDEADLK
/// another fault of its.
fn may<T>(result: Result<T>) -> Option<T> {
    use Errno as E;
    const GOOD: &[Errno] = &[
        E::EINVAL,
        E::EIDRM,
        E::EBADMSG,
        E::EAGAIN,
        E::ENOMSG,
        E::E2BIG,
        E::EMSGSIZE,
        E::ENOENT,
        E::EACCES,
        E::EPERM,
        E::ENOSPC,
        E::ENOMEM,
        E::EBADF,
        E::EBUSY,
        E::ETIMEDOUT,
        E::EEXIST,
        E::ERANGE,
        E::EFBIG,
        // libFuzzer has a timer.
        E::EINTR,
    ];
    match result {
        Ok(value) => Some(value),
        Err(e) => {
            assert!(GOOD.contains(&e), "errno {e:?}");
            None
        }
    }
}

/// A new object that has been in use: its identifier or descriptor.
pub fn make_and_use(what: What) -> c_int {
    match what {
        What::Msg => make_msg(),
        What::Sem => make_sem(),
        What::Shm => make_shm(),
        What::Mq => make_mq(),
    }
}

fn make_msg() -> c_int {
    let id = msg::get(KEY, libc::IPC_CREAT | 0o600).unwrap();
    for i in 0..12 {
        let message = Message::new(if i % 4 == 3 { 1 << 40 } else { 1 + i % 5 });
        msg::send(id, input(&*message).offset(0), i as usize * 37, libc::IPC_NOWAIT).unwrap();
    }
    for _ in 0..5 {
        let mut message = Message::new(0);
        msg::receive(id, output(&mut *message).offset(0), ROOM, -3, libc::IPC_NOWAIT).unwrap();
    }
    id
}

fn make_sem() -> c_int {
    let id = sem::get(KEY, SEMS as c_int, libc::IPC_CREAT | 0o600).unwrap();
    let mut values: [u16; SEMS as usize] = std::array::from_fn(|i| i as u16 % 4);
    set_control(id, 0, libc::SETALL, values.as_mut_ptr().cast()).unwrap();
    let undo = libc::SEM_UNDO as i16;
    let ops = [(1, 1, undo), (16, 2, undo), (2, -1, 0)].map(|(sem_num, sem_op, sem_flg)| libc::sembuf {
        sem_num,
        sem_op,
        sem_flg,
    });
    sem::operate(id, input(&ops[0]), ops.len()).unwrap();
    id
}

fn make_shm() -> c_int {
    let id = shm::get(KEY, SEGMENT, libc::IPC_CREAT | 0o600).unwrap();
    let (first, second) = (shm::attach(id, 0, 0).unwrap(), shm::attach(id, 0, libc::SHM_RDONLY).unwrap());
    shm::detach(first).unwrap();
    shm::detach(second).unwrap();
    id
}

fn make_mq() -> c_int {
    // SAFETY: all-zero is a valid mq_attr.
    let mut attr: libc::mq_attr = unsafe { std::mem::zeroed() };
    (attr.mq_maxmsg, attr.mq_msgsize) = (10, 64);
    let flags = libc::O_CREAT | libc::O_RDWR | libc::O_NONBLOCK;
    let fd = mqueue::open(input(&NAME.as_bytes()[0]).offset(0), flags, 0o600, input(&attr)).unwrap();
    for i in 0..8 {
        mqueue::send(fd, input(&[7u8; 64]).offset(0), i * 9, i as u32 * 4000, In::null()).unwrap();
    }
    mqueue::receive(fd, output(&mut [0u8; 64]).offset(0), 64, Out::null(), In::null()).unwrap();
    fd
}

fn path_of(what: What, bench: &Bench, number: c_int) -> Option<std::path::PathBuf> {
    let kind = what.system_v()?;
    Some(bench.dir.join(kind.room.path(ids::index_of(number)).as_cstr().to_str().unwrap()))
}

/// A segment's contents are a file's: it is there again when an earlier input has removed it.
pub fn put_in_place(what: What, bench: &Bench, number: c_int, size: u64) {
    if what == What::Shm {
        let path = path_of(what, bench, number).unwrap();
        let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path).unwrap();
        file.set_len(size).unwrap();
    }
}

pub fn file_of(what: What, bench: &Bench, otherwise: (u64, u64)) -> (u64, u64) {
    match what {
        What::Shm => {
            let st = std::fs::metadata(path_of(what, bench, bench.templates[what as usize].number).unwrap())
                .unwrap();
            (st.dev(), st.ino())
        }
        _ => otherwise,
    }
}

pub fn put_away(what: What, bench: &'static Bench, number: c_int, object: &Ref) {
    let _section = Section::enter().unwrap();
    match what.system_v() {
        Some(kind) => kind.table.remove_object(ids::index_of(number) as usize, object),
        None => descriptor::forget(bench.ns, number),
    }
}

pub fn call(what: What, step: u8, number: c_int, geometry: &Geometry, from: &mut Input<'_>) {
    match what {
        What::Msg => call_msg(step, number, from),
        What::Sem => call_sem(step, number, geometry.nsems, from),
        What::Shm => call_shm(step, number, from),
        What::Mq => call_mq(step, number, from),
    }
}

fn call_msg(step: u8, id: c_int, from: &mut Input<'_>) {
    // SAFETY: all-zero is a valid msqid_ds.
    let mut ds: libc::msqid_ds = unsafe { std::mem::zeroed() };
    let kind = |n: u8| match n % 8 {
        7 => 1 << 40,
        n => 1 + n as c_long,
    };
    match step % 16 {
        0..=4 => {
            let message = Message::new(kind(from.byte()));
            may(msg::send(
                id,
                input(&*message).offset(0),
                from.below(ROOM as u32) as usize,
                libc::IPC_NOWAIT,
            ));
        }
        5..=9 => {
            let (wanted, how, room) = (from.byte(), from.byte(), from.below(ROOM as u32) as usize);
            let wanted = [0, kind(wanted), -kind(wanted)][wanted as usize / 8 % 3];
            let flags =
                [0, libc::MSG_NOERROR, libc::MSG_EXCEPT, MSG_COPY | libc::MSG_NOERROR][how as usize % 4];
            let mut message = Message::new(0);
            let wanted = if flags & MSG_COPY != 0 { wanted.abs() % 64 } else { wanted };
            let got =
                msg::receive(id, output(&mut *message).offset(0), room, wanted, flags | libc::IPC_NOWAIT);
            message.check(got, room);
        }
        10 => _ = may(msg::control(id, libc::IPC_STAT, output(&mut ds))),
        11 => _ = may(msg::control(id & 0x7fff, STAT, output(&mut ds))),
        12 => _ = may(msg::control(id & 0x7fff, STAT_ANY, output(&mut ds))),
        13 => {
            ds.msg_perm.mode = 0o600;
            ds.msg_qbytes = from.number(2);
            may(msg::control(id, libc::IPC_SET, output(&mut ds)));
        }
        14 => _ = may(msg::get(KEY, 0)),
        _ => {
            if from.byte() == 0 {
                may(msg::control(id, libc::IPC_RMID, Out::null()));
            }
        }
    }
}

fn set_control(id: c_int, sem: c_int, cmd: c_int, arg: *mut c_void) -> Result<c_int> {
    // SAFETY: the caller's array or structure, or a number.
    semctl::control(id, sem, cmd, semctl::Argument(unsafe { Out::new(arg) }))
}

fn call_sem(step: u8, id: c_int, nsems: u32, from: &mut Input<'_>) {
    // SAFETY: all-zero is a valid semid_ds.
    let mut ds: libc::semid_ds = unsafe { std::mem::zeroed() };
    let sem = from.below(SEMS) as c_int;
    let null = std::ptr::null_mut();
    match step % 16 {
        0..=6 => operate(id, from),
        7 => _ = may(set_control(id, sem, libc::GETVAL, null)),
        8 => _ = may(set_control(id, sem, libc::GETNCNT, null)),
        9 => _ = may(set_control(id, sem, libc::GETZCNT, null)),
        10 => {
            let mut values = [0x5a5au16; 32000];
            may(set_control(id, 0, libc::GETALL, values.as_mut_ptr().cast()));
            assert!(values[nsems as usize..].iter().all(|v| *v == 0x5a5a), "more values than there are");
        }
        11 => _ = may(set_control(id, sem, libc::SETVAL, from.byte() as usize as *mut c_void)),
        12 => _ = may(set_control(id, 0, libc::SETALL, [1u16; 32000].as_mut_ptr().cast())),
        13 => _ = may(set_control(id, 0, libc::IPC_STAT, std::ptr::from_mut(&mut ds).cast())),
        14 => {
            ds.sem_perm.mode = 0o600;
            may(set_control(id, 0, libc::IPC_SET, std::ptr::from_mut(&mut ds).cast()));
        }
        _ => {
            if from.byte() == 0 {
                may(set_control(id, 0, libc::IPC_RMID, null));
            }
        }
    }
}

fn operate(id: c_int, from: &mut Input<'_>) {
    let how = from.byte();
    let count = [1, 2, 3, 7][how as usize & 3];
    let mut ops: Vec<libc::sembuf> = Vec::new();
    for _ in 0..count {
        let (sem_num, change, flags) = (from.below(SEMS) as u16, from.byte() as i8 as i16, from.byte());
        let nowait = if how & 8 == 0 { libc::IPC_NOWAIT } else { 0 };
        let undo = if flags & 1 != 0 { libc::SEM_UNDO } else { 0 };
        ops.push(libc::sembuf { sem_num, sem_op: change / 16, sem_flg: (nowait | undo) as i16 });
    }
    let soon = libc::timespec { tv_sec: 0, tv_nsec: 50_000 };
    may(sem::operate_within(id, input(&ops[0]), count, input(&soon)));
}

fn call_shm(step: u8, id: c_int, from: &mut Input<'_>) {
    // SAFETY: all-zero is a valid shmid_ds.
    let mut ds: libc::shmid_ds = unsafe { std::mem::zeroed() };
    match step % 8 {
        0..=2 => {
            let flags = if step & 8 != 0 { libc::SHM_RDONLY } else { 0 };
            let Some(at) = may(shm::attach(id, 0, flags)) else { return };
            let other = may(shm::attach(id, 0, 0));
            if from.byte() == 0 {
                may(shmctl::control(id, libc::IPC_RMID, Out::null()));
            }
            for at in [Some(at), other].into_iter().flatten() {
                shm::detach(at).expect("what was attached can be detached");
            }
        }
        3 => _ = may(shmctl::control(id, libc::IPC_STAT, output(&mut ds))),
        4 => _ = may(shmctl::control(id & 0x7fff, STAT_ANY + 2, output(&mut ds))),
        5 => _ = may(shmctl::control(id, libc::SHM_LOCK, Out::null())),
        6 => _ = may(shmctl::control(id, libc::SHM_UNLOCK, Out::null())),
        _ => {
            ds.shm_perm.mode = 0o600;
            may(shmctl::control(id, libc::IPC_SET, output(&mut ds)));
        }
    }
}

fn call_mq(step: u8, fd: c_int, from: &mut Input<'_>) {
    // SAFETY: all-zero is a valid mq_attr, and a valid sigevent.
    let (mut attr, mut event) = unsafe { std::mem::zeroed::<(libc::mq_attr, libc::sigevent)>() };
    let past = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    match step % 8 {
        0..=2 => {
            let (len, priority) = (from.below(65) as usize, from.number(2) as u32 % 32768);
            let deadline = if step & 8 != 0 { input(&past) } else { In::null() };
            may(mqueue::send(fd, input(&[3u8; 64]).offset(0), len, priority, deadline));
        }
        3..=5 => {
            let mut message = Message::new(0);
            let mut priority = 0;
            let text = output(&mut *message).offset(size_of::<c_long>());
            let got = mqueue::receive(fd, text, ROOM, output(&mut priority), In::null());
            message.check(got, ROOM);
        }
        6 => _ = may(mqueue::attributes(fd, In::null(), output(&mut attr))),
        _ => {
            event.sigev_notify = libc::SIGEV_NONE;
            may(notify::notify(fd, if from.byte() & 1 == 0 { input(&event) } else { In::null() }));
        }
    }
}
