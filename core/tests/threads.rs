//! Many threads over one mapping of each kind, in a namespace of this test's own. `make models` runs it under
//! ThreadSanitizer, which sees what the models do not: the text of messages, which no atomic carries.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_long};
use usipc_core::sysv::semctl::Argument;
use usipc_core::sysv::{msg, sem, shm};
use usipc_core::user::{In, Out};

const THREADS: usize = 4;
const ROUNDS: usize = 300;
const TEXT_BYTES: usize = 200;

#[repr(C)]
struct Message {
    kind: c_long,
    text: [u8; TEXT_BYTES],
}

/// Plain memory, which a semaphore guards.
struct Guarded(UnsafeCell<usize>);

// SAFETY: only used with the semaphore taken; that is what is tested.
unsafe impl Sync for Guarded {}

fn input<T>(value: &T) -> In<T> {
    // SAFETY: a reference is a valid pointer.
    unsafe { In::new(value) }
}

fn output<T>(value: &mut T) -> Out<T> {
    // SAFETY: a reference is a valid pointer.
    unsafe { Out::new(value) }
}

#[test]
fn threads_share_every_kind() {
    let dir = std::env::temp_dir().join(format!("usipc-threads-{}", std::process::id()));
    std::env::set_var("USIPC_DIR", &dir);
    let result = std::panic::catch_unwind(|| {
        messages();
        semaphores();
        segments();
    });
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(result.is_ok());
}

/// Half of them send, half receive, and the queue is always full or empty; texts are whole.
fn messages() {
    let id = msg::get(libc::IPC_PRIVATE, libc::IPC_CREAT | 0o600).unwrap();
    std::thread::scope(|scope| {
        for who in 0..THREADS / 2 {
            scope.spawn(move || {
                for i in 0..ROUNDS {
                    let message = Message { kind: 1 + who as c_long, text: [i as u8; TEXT_BYTES] };
                    msg::send(id, input(&message).offset(0), TEXT_BYTES, 0).unwrap();
                }
            });
            scope.spawn(move || {
                for i in 0..ROUNDS {
                    let mut message = Message { kind: 0, text: [0; TEXT_BYTES] };
                    let to = output(&mut message).offset(0);
                    assert_eq!(msg::receive(id, to, TEXT_BYTES, 1 + who as c_long, 0), Ok(TEXT_BYTES));
                    assert_eq!(message.text, [i as u8; TEXT_BYTES]);
                }
            });
        }
    });
    msg::control(id, libc::IPC_RMID, Out::null()).unwrap();
}

fn semop(id: c_int, ops: &[(u16, i16, c_int)]) {
    let ops: Vec<_> = ops
        .iter()
        .map(|&(sem_num, sem_op, flags)| libc::sembuf { sem_num, sem_op, sem_flg: flags as i16 })
        .collect();
    sem::operate(id, input(&ops[0]), ops.len()).unwrap();
}

/// One semaphore, taken alone, as one of two, and with SEM_UNDO, guards a plain number.
fn semaphores() {
    let id = sem::get(libc::IPC_PRIVATE, 2, libc::IPC_CREAT | 0o600).unwrap();
    let guarded = Guarded(UnsafeCell::new(0));
    let undo = usipc_core::semset::ops::SEM_UNDO;
    semop(id, &[(0, 1, 0)]);
    std::thread::scope(|scope| {
        for who in 0..THREADS {
            let guarded = &guarded;
            scope.spawn(move || {
                for i in 0..ROUNDS {
                    let how = (who + i) % 3;
                    match how {
                        0 => semop(id, &[(0, -1, 0)]),
                        1 => semop(id, &[(0, -1, 0), (1, 1, 0)]),
                        _ => semop(id, &[(0, -1, undo)]),
                    }
                    // SAFETY: the semaphore is taken.
                    unsafe { *guarded.0.get() += 1 };
                    match how {
                        0 => semop(id, &[(0, 1, 0)]),
                        1 => semop(id, &[(1, -1, 0), (0, 1, 0)]),
                        _ => semop(id, &[(0, 1, undo)]),
                    }
                }
            });
        }
    });
    assert_eq!(guarded.0.into_inner(), THREADS * ROUNDS);
    sem::control(id, 0, libc::IPC_RMID, Argument(Out::null())).unwrap();
}

/// All attach and detach the same segment at once.
fn segments() {
    let id = shm::get(libc::IPC_PRIVATE, 4096, libc::IPC_CREAT | 0o600).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(move || {
                for _ in 0..ROUNDS / 3 {
                    let at = shm::attach(id, 0, 0).unwrap();
                    shm::detach(at).unwrap();
                }
            });
        }
    });
    shm::control(id, libc::IPC_RMID, Out::null()).unwrap();
}
