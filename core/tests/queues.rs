//! Queues through the calls that the C ABI makes, in a namespace of this test's own: one process,
//! one test, since a process has one namespace.

use std::ffi::{c_int, c_long, CString};
use usipc_core::errno::Errno;
use usipc_core::posix::mqueue;
use usipc_core::sysv::msg;
use usipc_core::user::{In, Out};

/// `struct msgbuf` with room for a kibibyte.
#[repr(C)]
#[derive(Clone, Copy)]
struct Message {
    kind: c_long,
    text: [u8; 1024],
}

fn input<T>(value: &T) -> In<T> {
    // SAFETY: a reference is a valid pointer.
    unsafe { In::new(value) }
}

fn output<T>(value: &mut T) -> Out<T> {
    // SAFETY: a reference is a valid pointer.
    unsafe { Out::new(value) }
}

#[test]
fn queues_of_both_kinds() {
    let dir = std::env::temp_dir().join(format!("usipc-queues-{}", std::process::id()));
    std::env::set_var("USIPC_DIR", &dir);
    std::env::set_var("USIPC_MSGMNB", "64M");
    let result = std::panic::catch_unwind(|| {
        long_queue();
        posix_queue();
    });
    let left: Vec<_> = ["msg", "mq", "keys"]
        .iter()
        .flat_map(|room| std::fs::read_dir(dir.join(room)).unwrap())
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != ".seq")
        .collect();
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(result.is_ok());
    assert!(left.is_empty(), "removed queues left {left:?}");
}

fn receive(id: c_int, kind: c_long) -> Result<(usize, c_long, u8), Errno> {
    let mut message = Message { kind: 0, text: [0; 1024] };
    let len = msg::receive(id, output(&mut message).offset(0), 1024, kind, libc::IPC_NOWAIT)?;
    Ok((len, message.kind, message.text[0]))
}

/// More than a new queue's file holds: it is made longer and mapped again on the way.
fn long_queue() {
    let id = msg::get(0x7573_6970, libc::IPC_CREAT | libc::IPC_EXCL | 0o600).unwrap();
    assert_eq!(msg::get(0x7573_6970, 0), Ok(id));
    assert_eq!(msg::get(0x7573_6970, libc::IPC_CREAT | libc::IPC_EXCL), Err(Errno::EEXIST));
    let count = 12_000;
    for i in 0..count {
        let message = Message { kind: 1 + i % 7 * 40_000, text: [i as u8; 1024] };
        msg::send(id, input(&message).offset(0), 1000, libc::IPC_NOWAIT).unwrap();
    }
    assert_eq!(receive(id, 2), Err(Errno::ENOMSG));
    // By the smallest type, and in order of sending within it.
    for kind in 0..7 {
        for i in (0..count).filter(|i| i % 7 == kind) {
            assert_eq!(receive(id, -c_long::MAX), Ok((1000, 1 + kind * 40_000, i as u8)));
        }
    }
    assert_eq!(receive(id, 0), Err(Errno::ENOMSG));
    msg::control(id, libc::IPC_RMID, Out::null()).unwrap();
    assert_eq!(receive(id, 0), Err(Errno::EINVAL));
    assert_eq!(msg::get(0x7573_6970, 0), Err(Errno::ENOENT));
}

fn posix_queue() {
    let name = CString::new("/queue").unwrap();
    // SAFETY: C strings.
    let name = || unsafe { In::new(name.as_ptr()) };
    let flags = libc::O_CREAT | libc::O_RDWR | libc::O_NONBLOCK;
    let fd = mqueue::open(name(), flags, 0o600, In::null()).unwrap();
    for priority in [3, 32767, 0, 3, 9, 3, 1, 1, 2, 0] {
        let text = [priority as u8; 5];
        mqueue::send(fd, input(&text).offset(0), 5, priority, In::null()).unwrap();
    }
    let text = [0u8; 1];
    assert_eq!(mqueue::send(fd, input(&text).offset(0), 1, 0, In::null()), Err(Errno::EAGAIN));
    assert_eq!(mqueue::send(fd, input(&text).offset(0), 1, 32768, In::null()), Err(Errno::EINVAL));
    for wanted in [32767, 9, 3, 3, 3, 2, 1, 1, 0, 0] {
        let (mut text, mut priority) = ([0u8; 8192], 0);
        let len = mqueue::receive(fd, output(&mut text).offset(0), 8192, output(&mut priority), In::null());
        assert_eq!((len, priority, text[4]), (Ok(5), wanted, wanted as u8));
    }
    let mut text = [0u8; 8192];
    let nothing = mqueue::receive(fd, output(&mut text).offset(0), 8192, Out::null(), In::null());
    assert_eq!(nothing, Err(Errno::EAGAIN));
    let short = mqueue::receive(fd, output(&mut text).offset(0), 8191, Out::null(), In::null());
    assert_eq!(short, Err(Errno::EMSGSIZE));
    mqueue::unlink(name()).unwrap();
    assert_eq!(mqueue::open(name(), libc::O_RDWR, 0, In::null()), Err(Errno::ENOENT));
    mqueue::close(fd).unwrap();
    assert_eq!(mqueue::close(fd), Err(Errno::EBADF));
}
