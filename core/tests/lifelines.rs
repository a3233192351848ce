//! Lifelines through exec and fork. Has a main of its own: processes are forked and replaced here, which a
//! test harness with threads does not bear.

use std::ffi::{c_int, CString};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::Ordering::*;
use usipc_core::namespace::lifeline::{self, Token};
use usipc_core::namespace::{self, birth, handover, Namespace};
use usipc_core::process;
use usipc_core::sysv::shm;

/// Set in the second program image of a test: the token that it must find to be its process's.
const SECOND_IMAGE: &str = "USIPC_TEST_TOKEN";

fn main() {
    if let Ok(token) = std::env::var(SECOND_IMAGE) {
        second_image(token.parse().unwrap());
    }
    let dir = std::env::temp_dir().join(format!("usipc-lifelines-{}", std::process::id()));
    std::env::set_var("USIPC_DIR", &dir);
    let result = std::panic::catch_unwind(|| {
        an_image_ends_at_exec_without_adjustments();
        a_process_with_adjustments_lives_through_exec();
        a_failed_exec_leaves_nothing();
        a_vfork_child_hands_nothing_on();
        the_place_is_found_again();
        birth::watch_forks();
        children_without_attaches_are_not_born();
        shm::ATTACHES.store(1, Relaxed);
        children_are_born_alive();
        a_failed_fork_leaves_nothing();
        only_the_child_holds_its_lifeline();
    });
    std::fs::remove_dir_all(&dir).unwrap();
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

fn ns() -> &'static Namespace {
    namespace::current().unwrap()
}

fn pipe() -> (std::fs::File, std::fs::File) {
    let mut ends = [0; 2];
    // SAFETY: the array has room for both ends.
    assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    // SAFETY: fresh descriptors.
    let [read, write] = ends.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    (read.into(), write.into())
}

/// A child that is killed when this process ends.
struct Child(c_int);

impl Child {
    /// Runs `body` in a child made by `fork`.
    fn by(fork: impl FnOnce() -> c_int, body: impl FnOnce()) -> Child {
        let pid = fork();
        assert!(pid >= 0);
        if pid == 0 {
            // SAFETY: no pointers.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
            // SAFETY: ends the process.
            unsafe { libc::_exit(done.is_err().into()) };
        }
        Child(pid)
    }
    fn run(body: impl FnOnce()) -> Child {
        // SAFETY: the child runs only what needs no other thread.
        Child::by(|| unsafe { libc::fork() }, body)
    }
    /// As `run`, by a bare clone(2), which no handler of fork sees.
    fn run_unseen(body: impl FnOnce()) -> Child {
        // SAFETY: as fork.
        Child::by(|| unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) as c_int }, body)
    }
    fn wait(&self) -> c_int {
        let mut status = 0;
        // SAFETY: the pointer is valid.
        assert_eq!(unsafe { libc::waitpid(self.0, &mut status, 0) }, self.0);
        status
    }
    fn well(self) {
        assert_eq!(self.wait(), 0);
    }
    fn kill(self) {
        // SAFETY: no pointers.
        unsafe { libc::kill(self.0, libc::SIGKILL) };
        assert_eq!(self.wait(), libc::SIGKILL);
    }
}

fn forever() {
    loop {
        // SAFETY: no arguments.
        unsafe { libc::pause() };
    }
}

fn exec(program: &str, args: &[&str]) {
    let words: Vec<_> = [&[program], args].concat().iter().map(|arg| CString::new(*arg).unwrap()).collect();
    let mut argv: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
    argv.push(std::ptr::null());
    // SAFETY: C strings, and a list that ends with a null pointer.
    unsafe { libc::execv(argv[0], argv.as_ptr()) };
}

/// A process that says its token and then runs `then`, which runs sleep(1) in the end.
fn adjuster(adjusts: u32, then: impl FnOnce(Token)) -> (Child, Token) {
    let (mut read, mut write) = pipe();
    let child = Child::run(|| {
        let token = lifeline::my_undo_token(ns()).unwrap();
        assert_eq!(token, lifeline::my_token(ns()).unwrap());
        process::page().unwrap().adjusts.store(adjusts, Relaxed);
        write.write_all(&token.to_ne_bytes()).unwrap();
        then(token);
        panic!("exec failed");
    });
    drop(write);
    let mut bytes = [0; 8];
    read.read_exact(&mut bytes).unwrap();
    wait_for_sleep(&child);
    (child, Token::from_ne_bytes(bytes))
}

/// Until the child's last image, sleep(1), sleeps: only when an exec is over is the old image dead.
fn wait_for_sleep(child: &Child) {
    let started = std::time::Instant::now();
    loop {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.0)).unwrap();
        if stat.contains("(sleep) S") {
            return;
        }
        assert!(!stat.contains(") Z") && started.elapsed().as_secs() < 30, "{stat}");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

fn hand_on_and_run(program: &str, args: &[&str]) {
    let _kept = handover::before_exec();
    exec(program, args);
}

fn an_image_ends_at_exec_without_adjustments() {
    let (child, token) = adjuster(0, |_| hand_on_and_run("/bin/sleep", &["100"]));
    assert!(!lifeline::is_alive(ns(), token));
    assert!(!lifeline::is_process_alive(ns(), token));
    child.kill();
}

fn a_process_with_adjustments_lives_through_exec() {
    // A program that knows nothing of us keeps the descriptor.
    let (child, token) = adjuster(1, |_| hand_on_and_run("/bin/sleep", &["100"]));
    assert!(!lifeline::is_alive(ns(), token));
    assert!(lifeline::is_process_alive(ns(), token));
    child.kill();
    assert!(!lifeline::is_process_alive(ns(), token));

    let (child, token) = adjuster(1, |_| hand_on_and_run("/bin/sleep", &["0.5"]));
    assert!(lifeline::is_process_alive(ns(), token));
    child.well();
    assert!(!lifeline::is_process_alive(ns(), token));

    // One that does keeps the lifeline; this one runs a third.
    let (child, token) = adjuster(1, |token| {
        std::env::set_var(SECOND_IMAGE, token.to_string());
        hand_on_and_run(std::env::current_exe().unwrap().to_str().unwrap(), &[]);
    });
    assert!(!lifeline::is_alive(ns(), token));
    assert!(lifeline::is_process_alive(ns(), token));
    child.kill();
    assert!(!lifeline::is_process_alive(ns(), token));
}

fn is_open(fd: c_int) -> bool {
    // SAFETY: no pointers.
    unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
}

fn second_image(token: Token) -> ! {
    assert!(is_open(700));
    handover::adopt();
    assert!(!is_open(700));
    assert_eq!(lifeline::my_undo_token(ns()), Ok(token));
    let mine = lifeline::my_token(ns()).unwrap();
    assert_ne!(mine, token);
    assert!(!lifeline::is_alive(ns(), token) && lifeline::is_process_alive(ns(), token));

    // A child has an identity of its own, whether its parent lives or not, and does not keep it alive.
    Child::run(|| {
        let own = lifeline::my_undo_token(ns()).unwrap();
        assert_eq!(own, lifeline::my_token(ns()).unwrap());
        assert!(own != token && own != mine);
        assert!(lifeline::is_process_alive(ns(), token));
        drop(handover::before_exec());
    })
    .well();
    // This one outlives us, for a second.
    Child::run(|| {
        // SAFETY: no pointers.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, 0) };
        std::thread::sleep(std::time::Duration::from_secs(1));
    });
    std::env::remove_var(SECOND_IMAGE);
    hand_on_and_run("/bin/sleep", &["100"]);
    panic!("exec failed");
}

fn a_failed_exec_leaves_nothing() {
    let (child, token) = adjuster(1, |_| {
        for _ in 0..3 {
            let open = std::fs::read_dir("/proc/self/fd").unwrap().count();
            {
                let _kept = handover::before_exec();
                assert!(is_open(700) && !is_open(701));
                exec("/nonexistent", &[]);
            }
            assert_eq!(open, std::fs::read_dir("/proc/self/fd").unwrap().count());
        }
        exec("/bin/sleep", &["100"]);
    });
    assert!(!lifeline::is_process_alive(ns(), token));
    child.kill();
}

fn a_vfork_child_hands_nothing_on() {
    let (child, token) = adjuster(1, |token| {
        // What such a child finds: its parent's page, but another pid.
        Child::run_unseen(|| {
            let page = process::page().unwrap();
            page.token.store(token, Relaxed);
            page.undo_token.store(token, Relaxed);
            page.adjusts.store(1, Relaxed);
            let _kept = handover::before_exec();
            assert!(!is_open(700));
        })
        .well();
        exec("/bin/sleep", &["100"]);
    });
    assert!(!lifeline::is_process_alive(ns(), token));
    child.kill();
}

/// Numbers that are taken: passed over where they stay open, avoided where exec closes them.
fn the_place_is_found_again() {
    let duplicate = |command: c_int, fd: c_int| {
        // SAFETY: no pointers.
        assert_eq!(unsafe { libc::fcntl(std::io::stderr().as_raw_fd(), command, fd) }, fd);
    };
    let (child, _) = adjuster(1, |_| {
        duplicate(libc::F_DUPFD, 700);
        let kept = handover::before_exec();
        assert!(is_open(701));
        drop(kept);
        duplicate(libc::F_DUPFD_CLOEXEC, 701);
        let kept = handover::before_exec();
        assert!(!is_open(702) && is_open(250));
        drop(kept);
        exec("/bin/sleep", &["100"]);
    });
    child.kill();
}

fn alive() -> usize {
    let mut count = 0;
    lifeline::each_process(ns(), &mut |_, alive| count += usize::from(alive)).unwrap();
    count
}

fn children_without_attaches_are_not_born() {
    lifeline::my_token(ns()).unwrap();
    Child::run(|| assert_eq!(process::page().unwrap().token.load(Relaxed), 0)).well();
    assert_eq!(alive(), 1);
}

/// A child that lives on, even longer than its parent, and its token, which it has not asked for.
fn newborn() -> (Child, Token) {
    let (mut read, mut write) = pipe();
    let child = Child::run(|| {
        // SAFETY: no pointers. A test that fails leaves nobody behind for long.
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, 0);
            libc::alarm(60);
        }
        let page = process::page().unwrap();
        assert_eq!(page.attaches.load(Relaxed), 1);
        write.write_all(&page.token.load(Relaxed).to_ne_bytes()).unwrap();
        forever();
    });
    let mut bytes = [0; 8];
    read.read_exact(&mut bytes).unwrap();
    (child, Token::from_ne_bytes(bytes))
}

fn children_are_born_alive() {
    let (child, token) = newborn();
    assert_ne!(token, 0);
    assert!(lifeline::is_alive(ns(), token));
    let mut pids = Vec::new();
    lifeline::each_process(ns(), &mut |pid, alive| pids.extend(alive.then_some(pid))).unwrap();
    pids.sort();
    assert_eq!(pids, [std::process::id() as c_int, child.0]);
    child.kill();
    assert!(!lifeline::is_alive(ns(), token));

    // SAFETY: no pointers; the orphans come to us to be waited for.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    survives_its_parent(|body| Child::run(body));
    // This parent has not made a call before it forks.
    survives_its_parent(|body| Child::run_unseen(body));
    assert_eq!(alive(), 1);
}

fn survives_its_parent(run: impl FnOnce(&mut dyn FnMut()) -> Child) {
    let (mut read, mut write) = pipe();
    let parent = run(&mut || {
        let (child, token) = newborn();
        let me = lifeline::my_token(ns()).unwrap();
        assert_ne!(me, token);
        for word in [me, token, child.0 as u64] {
            write.write_all(&word.to_ne_bytes()).unwrap();
        }
        forever();
    });
    let mut words = [[0; 8]; 3];
    words.iter_mut().for_each(|word| read.read_exact(word).unwrap());
    let [parent_token, token, pid] = words.map(Token::from_ne_bytes);
    assert!(lifeline::is_alive(ns(), parent_token) && lifeline::is_alive(ns(), token));
    parent.kill();
    assert!(!lifeline::is_alive(ns(), parent_token) && lifeline::is_alive(ns(), token));
    Child(pid as c_int).kill();
    assert!(!lifeline::is_alive(ns(), token));
}

/// fork fails, by a filter of system calls that gives EAGAIN.
fn a_failed_fork_leaves_nothing() {
    let before = alive();
    Child::run(|| {
        const LOAD_NR: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
        const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
        const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
        let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
        let mut filter = [
            step(LOAD_NR, 0, 0, 0),
            step(EQUAL, 1, 0, libc::SYS_clone as u32),
            step(EQUAL, 0, 1, libc::SYS_clone3 as u32),
            step(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EAGAIN as u32),
            step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
        ];
        let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
        // SAFETY: the program is valid.
        unsafe {
            assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
            assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program), 0);
            for _ in 0..3 {
                assert_eq!(libc::fork(), -1);
            }
        }
        assert_eq!(alive(), before + 1);
        let mut mask = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: the pointers are valid.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), mask.as_mut_ptr());
            assert_eq!(libc::sigismember(mask.as_ptr(), libc::SIGTERM), 0);
        }
    })
    .well();
    assert_eq!(alive(), before);
}

/// Threads that fork at the same time do not pass on one another's children's lifelines.
fn only_the_child_holds_its_lifeline() {
    let mut living = Vec::new();
    std::thread::scope(|scope| {
        let brief = [(); 3].map(|()| scope.spawn(|| (0..60).for_each(|_| Child::run(|| ()).well())));
        living.extend((0..30).map(|_| Child::run(forever)));
        brief.into_iter().for_each(|thread| thread.join().unwrap());
    });
    assert_eq!(alive(), 1 + living.len());
    living.into_iter().for_each(Child::kill);
    assert_eq!(alive(), 1);
}
