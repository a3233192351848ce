//! Shared memory through the calls that the C ABI makes, in a namespace of this test's own: one
//! process, one test, since a process has one namespace.

use std::ffi::c_int;
use usipc_core::errno::Errno;
use usipc_core::namespace;
use usipc_core::sysv::shm;
use usipc_core::user::Out;

const PAGE: usize = 4096;
const KEY: i32 = 0x7573_6970;

#[test]
fn segments() {
    let dir = std::env::temp_dir().join(format!("usipc-segments-{}", std::process::id()));
    std::env::set_var("USIPC_DIR", &dir);
    let result = std::panic::catch_unwind(|| {
        attached_and_detached();
        cut_in_two();
        removed_while_attached();
        a_child_that_never_was();
        sizes();
    });
    let left: Vec<_> = ["shm", "keys"]
        .iter()
        .flat_map(|room| std::fs::read_dir(dir.join(room)).unwrap())
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != ".seq")
        .collect();
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(result.is_ok());
    assert!(left.is_empty(), "removed segments left {left:?}");
}

fn status(id: c_int) -> Result<libc::shmid_ds, Errno> {
    // SAFETY: all-zero is a valid structure.
    let mut ds: libc::shmid_ds = unsafe { std::mem::zeroed() };
    // SAFETY: a reference is a valid pointer.
    shm::control(id, libc::IPC_STAT, unsafe { Out::new(&mut ds) }).map(|_| ds)
}

fn attached(id: c_int) -> u64 {
    status(id).unwrap().shm_nattch
}

fn remove(id: c_int) -> Result<c_int, Errno> {
    shm::control(id, libc::IPC_RMID, Out::null())
}

fn word(at: usize) -> &'static std::sync::atomic::AtomicU32 {
    // SAFETY: the tests pass addresses in segments that they have attached.
    unsafe { &*(at as *const std::sync::atomic::AtomicU32) }
}

use std::sync::atomic::Ordering::Relaxed;

fn attached_and_detached() {
    let id = shm::get(KEY, 3 * PAGE, libc::IPC_CREAT | libc::IPC_EXCL | 0o600).unwrap();
    assert_eq!(shm::get(KEY, 3 * PAGE, 0), Ok(id));
    assert_eq!(shm::get(KEY, 3 * PAGE + 1, 0), Err(Errno::EINVAL));
    let (a, b) = (shm::attach(id, 0, 0).unwrap(), shm::attach(id, 0, libc::SHM_RDONLY).unwrap());
    word(a + 2 * PAGE).store(7, Relaxed);
    assert_eq!((word(b + 2 * PAGE).load(Relaxed), attached(id)), (7, 2));
    assert_eq!(shm::attach(id, a, 0), Err(Errno::EINVAL));
    assert_eq!(shm::detach(a + PAGE), Err(Errno::EINVAL));
    assert_eq!((shm::detach(a), shm::detach(a), shm::detach(b)), (Ok(()), Err(Errno::EINVAL), Ok(())));
    assert_eq!(attached(id), 0);
    remove(id).unwrap();
    assert_eq!(shm::get(KEY, 0, 0), Err(Errno::ENOENT));
    assert_eq!(status(id).err(), Some(Errno::EINVAL));
}

/// SHM_REMAP over the middle of an attachment leaves two pieces, which one detach ends.
fn cut_in_two() {
    let long = shm::get(libc::IPC_PRIVATE, 3 * PAGE, 0o600).unwrap();
    let short = shm::get(libc::IPC_PRIVATE, PAGE, 0o600).unwrap();
    // SHM_REMAP replaces whatever is there: a place of the test's own.
    let anonymous = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping disturbs nothing.
    let base =
        unsafe { libc::mmap(std::ptr::null_mut(), 8 * PAGE, libc::PROT_NONE, anonymous, -1, 0) } as usize;
    assert_eq!(shm::attach(long, base, libc::SHM_REMAP), Ok(base));
    assert_eq!(shm::attach(short, base + PAGE, libc::SHM_REMAP), Ok(base + PAGE));
    assert_eq!((attached(long), attached(short)), (2, 1));
    assert_eq!(shm::detach(base), Ok(()));
    assert_eq!((attached(long), attached(short)), (0, 1));
    word(base + PAGE).store(1, Relaxed);
    assert_eq!(shm::attach(long, base + PAGE, libc::SHM_REMAP), Ok(base + PAGE));
    assert_eq!((attached(long), attached(short)), (1, 0));
    // Over the beginning: the address is the new one's first.
    assert_eq!(shm::attach(short, base + PAGE, libc::SHM_REMAP), Ok(base + PAGE));
    assert_eq!((attached(long), attached(short)), (1, 1));
    assert_eq!(shm::detach(base + PAGE), Ok(()));
    assert_eq!((attached(long), attached(short)), (1, 0));
    assert_eq!(shm::detach(base + PAGE), Ok(()));
    assert_eq!((attached(long), attached(short)), (0, 0));
    remove(long).unwrap();
    remove(short).unwrap();
}

fn removed_while_attached() {
    let id = shm::get(KEY, PAGE, libc::IPC_CREAT | 0o600).unwrap();
    let base = shm::attach(id, 0, 0).unwrap();
    remove(id).unwrap();
    let ds = status(id).unwrap();
    assert_eq!((ds.shm_perm.__key, ds.shm_perm.mode as u32 & 0o1000), (0, 0o1000));
    let other = shm::get(KEY, PAGE, libc::IPC_CREAT | libc::IPC_EXCL | 0o600).unwrap();
    assert_ne!(other, id);
    let again = shm::attach(id, 0, 0).unwrap();
    shm::detach(base).unwrap();
    assert_eq!(attached(id), 1);
    shm::detach(again).unwrap();
    assert_eq!(status(id).err(), Some(Errno::EINVAL));
    remove(other).unwrap();
}

/// A fork that fails: what was counted for the child is void.
fn a_child_that_never_was() {
    let id = shm::get(libc::IPC_PRIVATE, PAGE, 0o600).unwrap();
    let base = shm::attach(id, 0, 0).unwrap();
    let ns = namespace::current().unwrap();
    let me = namespace::lifeline::my_token(ns).unwrap();
    shm::before_fork(ns, me, 0xffff_ffff);
    assert_eq!(attached(id), 1);
    // Counting once more changes nothing.
    shm::after_fork_in_child(ns, me, std::process::id());
    assert_eq!((attached(id), shm::ATTACHES.load(Relaxed)), (1, 1));
    shm::detach(base).unwrap();
    remove(id).unwrap();
}

fn sizes() {
    let private = libc::IPC_PRIVATE;
    for size in [0, usize::MAX, usize::MAX - (1 << 24) + 1, 1 << 63] {
        assert_eq!(shm::get(private, size, 0o600), Err(Errno::EINVAL), "{size}");
    }
    assert_eq!(shm::get(private, usize::MAX >> 1, libc::SHM_NORESERVE | 0o600), Err(Errno::ENOMEM));
    let id = shm::get(private, 1 << 40, libc::SHM_NORESERVE | 0o600).unwrap();
    let base = shm::attach(id, 0, 0).unwrap();
    word(base + (1 << 40) - 4).store(1, Relaxed);
    shm::detach(base).unwrap();
    remove(id).unwrap();
}
