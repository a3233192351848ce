//! A crowd that waits for one lock, in a process of its own: what it costs is the process's time.

use std::time::Duration;
use usipc_core::namespace::{self, lifeline};
use usipc_core::sync::lock::{Got, TokenLock};

const CROWD: usize = 1000;
const WATCHED: Duration = Duration::from_secs(2);

fn time_of_process() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid pointer.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut now) }, 0);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// The holder has to get a processor to release the lock: those who wait for him must leave him one.
#[test]
fn a_crowd_leaves_the_processors_to_the_holder() {
    let dir = std::env::temp_dir().join(format!("usipc-lock-{}", std::process::id()));
    std::env::set_var("USIPC_DIR", &dir);
    let ns = namespace::current().unwrap();
    let me = lifeline::my_token(ns).unwrap();
    // SAFETY: all atomics, for which zeros are valid: a free lock.
    let lock: TokenLock = unsafe { std::mem::zeroed() };
    assert_eq!(lock.acquire(ns, me), Got::Clean);
    let (spent, all_clean) = std::thread::scope(|scope| {
        let wait = || {
            let got = lock.acquire(ns, me);
            lock.release();
            got
        };
        let crowd: Vec<_> = (0..CROWD).map(|_| scope.spawn(wait)).collect();
        std::thread::sleep(WATCHED / 2);
        let before = time_of_process();
        std::thread::sleep(WATCHED);
        let spent = time_of_process() - before;
        lock.release();
        (spent, crowd.into_iter().all(|waiter| waiter.join().is_ok_and(|got| got == Got::Clean)))
    });
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(all_clean, "taken from a holder who lives");
    assert!(spent < WATCHED / 2, "{spent:?} of {WATCHED:?}");
}
