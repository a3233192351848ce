//! Semaphore sets through the calls that the C ABI makes, in a namespace of this test's own: one
//! process, one test, since a process has one namespace.

use libc::{c_int, sembuf, timespec, IPC_CREAT, IPC_EXCL, IPC_NOWAIT, IPC_PRIVATE, IPC_RMID};
use usipc_core::errno::{Errno, Result};
use usipc_core::sysv::sem;
use usipc_core::sysv::semctl::Argument;
use usipc_core::user::{In, Out};

const KEY: i32 = 0x7573_6970;
const SEM_UNDO: i32 = 0x1000;

#[test]
fn sets_of_all_sizes() {
    let dir = std::env::temp_dir().join(format!("usipc-semaphores-{}", std::process::id()));
    std::env::set_var("USIPC_DIR", &dir);
    let result = std::panic::catch_unwind(|| {
        limits();
        [1, 2, 17, 500, 501, 32000].into_iter().for_each(one_size);
        many_operations();
        all_or_nothing();
        adjustments();
        sleepers();
    });
    let left: Vec<_> = ["sem", "keys"]
        .iter()
        .flat_map(|room| std::fs::read_dir(dir.join(room)).unwrap())
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != ".seq")
        .collect();
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(result.is_ok());
    assert!(left.is_empty(), "removed sets left {left:?}");
}

fn op(sem: usize, change: i16, flags: i32) -> sembuf {
    sembuf { sem_num: sem as u16, sem_op: change, sem_flg: flags as i16 }
}

/// Never sleeps longer than a hundredth of a second.
fn operate(id: c_int, ops: &mut [sembuf]) -> Result<()> {
    let soon = timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    // SAFETY: references are valid pointers.
    let (ops_in, timeout) = unsafe { (In::new(ops.as_ptr()), In::new(&soon)) };
    sem::operate_within(id, ops_in, ops.len(), timeout)
}

fn control(id: c_int, sem: c_int, cmd: c_int) -> Result<c_int> {
    sem::control(id, sem, cmd, Argument(Out::null()))
}

fn set_value(id: c_int, sem: usize, value: usize) -> Result<c_int> {
    // SAFETY: a number in a pointer's place, which nobody follows.
    let number = unsafe { Out::new(value as *mut _) };
    sem::control(id, sem as c_int, libc::SETVAL, Argument(number))
}

/// SETALL or GETALL.
fn all(id: c_int, cmd: c_int, values: &mut [u16]) -> Result<c_int> {
    // SAFETY: a valid pointer to as many values as the set has semaphores.
    let values = unsafe { Out::new(values.as_mut_ptr().cast()) };
    sem::control(id, 0, cmd, Argument(values))
}

fn value(id: c_int, sem: usize) -> c_int {
    control(id, sem as c_int, libc::GETVAL).unwrap()
}

fn set_of(nsems: usize) -> c_int {
    sem::get(IPC_PRIVATE, nsems as c_int, 0o600).unwrap()
}

fn limits() {
    for nsems in [-1, 0, 32001, c_int::MAX, c_int::MIN] {
        assert_eq!(sem::get(IPC_PRIVATE, nsems, 0o600), Err(Errno::EINVAL), "{nsems}");
    }
    assert_eq!(sem::get(KEY, 1, 0), Err(Errno::ENOENT));
    let id = sem::get(KEY, 3, IPC_CREAT | IPC_EXCL | 0o600).unwrap();
    assert_eq!(sem::get(KEY, 3, IPC_CREAT | IPC_EXCL), Err(Errno::EEXIST));
    assert_eq!([0, 1, 3].map(|nsems| sem::get(KEY, nsems, 0)), [Ok(id); 3]);
    assert_eq!(sem::get(KEY, 4, 0), Err(Errno::EINVAL));

    assert_eq!(operate(id, &mut []), Err(Errno::EINVAL));
    assert_eq!(operate(id, &mut vec![op(0, 0, 0); 501]), Err(Errno::E2BIG));
    assert_eq!(operate(id, &mut [op(3, 0, 0)]), Err(Errno::EFBIG));
    assert_eq!(operate(id, &mut [op(0, 0, 0), op(65535, 0, 0)]), Err(Errno::EFBIG));
    assert_eq!(operate(-1, &mut [op(0, 0, 0)]), Err(Errno::EINVAL));
    assert_eq!(operate(id + 1, &mut [op(0, 0, 0)]), Err(Errno::EINVAL));
    for sem in [3, -1, c_int::MAX] {
        assert_eq!(control(id, sem, libc::GETVAL), Err(Errno::EINVAL));
    }

    assert_eq!(set_value(id, 0, 32767), Ok(0));
    assert_eq!(set_value(id, 0, 32768), Err(Errno::ERANGE));
    assert_eq!(operate(id, &mut [op(0, 1, 0)]), Err(Errno::ERANGE));
    assert_eq!(operate(id, &mut [op(0, -1, 0), op(0, 2, 0)]), Err(Errno::ERANGE));
    assert_eq!(operate(id, &mut [op(0, -32767, SEM_UNDO)]), Ok(()));
    assert_eq!(operate(id, &mut [op(1, 2, 0)]), Ok(()));
    assert_eq!(operate(id, &mut [op(1, -2, 0), op(0, 1, 0)]), Ok(()));
    // The adjustment is 32767 already.
    assert_eq!(operate(id, &mut [op(0, -1, SEM_UNDO)]), Err(Errno::ERANGE));
    assert_eq!(value(id, 0), 1);
    control(id, 0, IPC_RMID).unwrap();
    assert_eq!(operate(id, &mut [op(0, 0, 0)]), Err(Errno::EINVAL));
    assert_eq!(sem::get(KEY, 0, 0), Err(Errno::ENOENT));
}

fn one_size(nsems: usize) {
    let id = set_of(nsems);
    let (mut values, mut got) = (vec![0u16; nsems], vec![7u16; nsems]);
    all(id, libc::GETALL, &mut got).unwrap();
    assert_eq!(got, values);
    for (i, value) in values.iter_mut().enumerate() {
        *value = (i * 7919 % 32768) as u16;
    }
    all(id, libc::SETALL, &mut values).unwrap();
    all(id, libc::GETALL, &mut got).unwrap();
    assert_eq!(got, values);
    // A value too many: nothing is set.
    let last = nsems - 1;
    let mut wrong: Vec<u16> = values.iter().map(|value| value ^ 1).collect();
    wrong[last] = 32768;
    assert_eq!(all(id, libc::SETALL, &mut wrong), Err(Errno::ERANGE));
    all(id, libc::GETALL, &mut got).unwrap();
    assert_eq!(got, values);
    for sem in [0, nsems / 2, last] {
        set_value(id, sem, sem % 100 + 2).unwrap();
        operate(id, &mut [op(sem, 3, 0)]).unwrap();
        operate(id, &mut [op(sem, -1, SEM_UNDO), op(sem, -1, 0), op(sem, 1, SEM_UNDO)]).unwrap();
        assert_eq!(value(id, sem), sem as c_int % 100 + 4);
        assert_eq!(control(id, sem as c_int, libc::GETPID), Ok(std::process::id() as c_int));
        assert_eq!(operate(id, &mut [op(sem, 0, IPC_NOWAIT)]), Err(Errno::EAGAIN));
    }
    assert_eq!(control(id, nsems as c_int, libc::GETVAL), Err(Errno::EINVAL));
    control(id, 0, IPC_RMID).unwrap();
}

/// As many as one call may have: on as many semaphores, and all on one.
fn many_operations() {
    let id = set_of(501);
    let mut up: Vec<_> = (0..500).map(|sem| op(sem, 2, SEM_UNDO)).collect();
    operate(id, &mut up).unwrap();
    let mut down: Vec<_> = (0..500).rev().map(|sem| op(sem, -1, 0)).collect();
    operate(id, &mut down).unwrap();
    assert!((0..500).all(|sem| value(id, sem) == 1) && value(id, 500) == 0);
    // The last one cannot be done.
    down[499] = op(500, -1, IPC_NOWAIT);
    assert_eq!(operate(id, &mut down), Err(Errno::EAGAIN));
    down[499] = op(500, -1, 0);
    assert_eq!(operate(id, &mut down), Err(Errno::EAGAIN), "in time");
    assert!((0..500).all(|sem| value(id, sem) == 1) && value(id, 500) == 0);
    let mut same: Vec<_> = (0..500).map(|i| op(500, if i % 2 == 0 { 65 } else { -64 }, SEM_UNDO)).collect();
    operate(id, &mut same).unwrap();
    assert_eq!(value(id, 500), 250);
    control(id, 0, IPC_RMID).unwrap();
}

fn all_or_nothing() {
    let id = set_of(3);
    let mut values = [5, 0, 0];
    all(id, libc::SETALL, &mut values).unwrap();
    assert_eq!(operate(id, &mut [op(0, -5, 0), op(1, 1, 0), op(0, -1, IPC_NOWAIT)]), Err(Errno::EAGAIN));
    assert_eq!(operate(id, &mut [op(0, -5, SEM_UNDO), op(1, 0, 0), op(2, 32767, 0), op(2, 1, 0)]), {
        Err(Errno::ERANGE)
    });
    all(id, libc::GETALL, &mut values).unwrap();
    assert_eq!(values, [5, 0, 0]);
    // To be zero in between is enough.
    operate(id, &mut [op(0, -5, 0), op(0, 0, 0), op(0, 4, 0), op(1, 0, 0), op(1, 1, 0)]).unwrap();
    all(id, libc::GETALL, &mut values).unwrap();
    assert_eq!(values, [4, 1, 0]);
    control(id, 0, IPC_RMID).unwrap();
}

/// Runs `body` in a child, which makes its calls and ends.
fn in_child(body: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child only makes calls of this library, which allocate nothing.
    unsafe {
        let pid = libc::fork();
        assert!(pid >= 0);
        if pid == 0 {
            libc::_exit(if body() { 0 } else { 1 });
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(pid, &mut status, 0), pid);
        status == 0
    }
}

/// What a process has done with SEM_UNDO is undone when it is gone; SETVAL forgets it.
fn adjustments() {
    let id = set_of(40);
    let mut values = [10u16; 40];
    all(id, libc::SETALL, &mut values).unwrap();
    assert!(in_child(|| {
        let mut ops = [op(0, -3, SEM_UNDO), op(17, 4, SEM_UNDO), op(39, -10, SEM_UNDO), op(39, 1, 0)];
        operate(id, &mut ops).is_ok() && value(id, 0) == 7 && value(id, 17) == 14 && value(id, 39) == 1
    }));
    assert_eq!([0, 17, 39].map(|sem| value(id, sem)), [10, 10, 11]);
    assert!(in_child(|| {
        operate(id, &mut [op(5, -3, SEM_UNDO), op(6, -3, SEM_UNDO)]).is_ok() && set_value(id, 5, 1).is_ok()
    }));
    all(id, libc::GETALL, &mut values).unwrap();
    assert_eq!(values[4..8], [10, 1, 10, 10]);
    control(id, 0, IPC_RMID).unwrap();
}

/// One who sleeps is counted, and served.
fn sleepers() {
    let id = set_of(2);
    let sleeper = |sem: usize, change: i16| {
        std::thread::spawn(move || {
            let mut ops = [op(sem, change, 0)];
            // SAFETY: a valid pointer.
            sem::operate(id, unsafe { In::new(ops.as_mut_ptr()) }, 1)
        })
    };
    let wait_for = |sem: c_int, cmd: c_int| {
        while control(id, sem, cmd) != Ok(1) {
            std::thread::yield_now();
        }
    };
    let taker = sleeper(0, -2);
    wait_for(0, libc::GETNCNT);
    operate(id, &mut [op(0, 1, 0)]).unwrap();
    assert_eq!((value(id, 0), control(id, 0, libc::GETNCNT)), (1, Ok(1)));
    operate(id, &mut [op(0, 1, 0)]).unwrap();
    assert_eq!(taker.join().unwrap(), Ok(()));
    assert_eq!((value(id, 0), control(id, 0, libc::GETNCNT)), (0, Ok(0)));

    set_value(id, 1, 1).unwrap();
    let waiter = sleeper(1, 0);
    wait_for(1, libc::GETZCNT);
    operate(id, &mut [op(1, -1, 0)]).unwrap();
    assert_eq!(waiter.join().unwrap(), Ok(()));

    let last = sleeper(0, -1);
    wait_for(0, libc::GETNCNT);
    control(id, 0, IPC_RMID).unwrap();
    assert_eq!(last.join().unwrap(), Err(Errno::EIDRM));
}
