//! Models: the real code, with loom or shuttle choosing what happens in which order (`make models`).
//!
//! In place of the processor's atomics stand those of [`atomic`], in place of the kernel's futexes those of
//! [`futex`], in place of the lifeline the lives of the threads: each is a process of its own, with a token,
//! and may be killed between any two steps ([`spawn`], [`kill`]). Everything else is the code that users run.
//! Outside an execution all of this does what the real ones do.

pub mod atomic;
pub mod futex;

mod crowd;
mod lock;
mod queue;
mod sem;
mod slab;

use crate::namespace::Namespace;
use crate::sys::tls::Tls;
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use once_cell::race::OnceNonZeroUsize;
use std::boxed::Box;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

/// What chooses the order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Engine {
    None,
    Loom,
    Shuttle,
}

/// How an atomic operation is to be done.
pub(crate) enum Step {
    Plain,
    Loom,
    /// Not at all: its thread was killed, and is only being cleared away.
    Dead,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Id {
    Loom(loom::thread::ThreadId),
    Shuttle(shuttle::thread::ThreadId),
}

/// A thread, which plays a process.
pub(crate) struct Life {
    id: Cell<Option<Id>>,
    token: u64,
    /// Steps until it is killed.
    left: Cell<Option<u32>>,
    gone: Cell<bool>,
    /// The same, for others: loom makes sure that it comes after all that the thread has done.
    known_gone: Option<atomic::Flag>,
    tls: Box<UnsafeCell<[u64; 24]>>,
}

/// Threads of an execution under loom, with its first.
const THREADS: usize = 5;

/// For them to bear.
pub const TOKENS: [u64; 4] = [1 << 32 | 1, 1 << 32 | 2, 7 << 32 | 3, 1 << 32 | 4];

/// What a killed thread unwinds with.
struct Killed;

std::thread_local! {
    static ENGINE: Cell<Engine> = const { Cell::new(Engine::None) };
    static PLAINLY: Cell<bool> = const { Cell::new(false) };
    static LIVES: RefCell<Vec<Rc<Life>>> = RefCell::default();
    /// Made before there are threads, so that all may look at all.
    static FLAGS: RefCell<Vec<atomic::Flag>> = RefCell::default();
    static UNMAPPED: RefCell<Vec<(usize, usize)>> = RefCell::default();
}

impl Life {
    fn new(token: u64, id: Option<Id>, left: Option<u32>) -> Rc<Life> {
        let life = Rc::new(Life {
            id: Cell::new(id),
            token,
            left: Cell::new(left),
            gone: Cell::new(false),
            known_gone: FLAGS.with_borrow_mut(Vec::pop),
            tls: Box::new(UnsafeCell::new([0; 24])),
        });
        LIVES.with_borrow_mut(|lives| lives.push(life.clone()));
        life
    }

    fn end(&self) {
        self.gone.set(true);
        if let Some(flag) = &self.known_gone {
            flag.fetch_or(true, AcqRel);
        }
    }

    fn lives(&self) -> bool {
        match &self.known_gone {
            // The kernel never gives an old answer: read-modify-writes see each other in one order.
            Some(flag) => !flag.fetch_or(false, AcqRel),
            None => !self.gone.get(),
        }
    }
}

fn this_id() -> Id {
    match ENGINE.get() {
        Engine::Shuttle => Id::Shuttle(shuttle::thread::current().id()),
        _ => Id::Loom(loom::thread::current().id()),
    }
}

fn this() -> Rc<Life> {
    let id = this_id();
    let found = LIVES.with_borrow(|lives| lives.iter().find(|life| life.id.get() == Some(id)).cloned());
    found.expect("a thread that the model does not know")
}

/// Called before each atomic operation: here the others may come in, and the thread may be killed.
pub(crate) fn step() -> Step {
    if ENGINE.get() == Engine::None || PLAINLY.get() {
        return Step::Plain;
    }
    let life = this();
    if !life.gone.get() {
        match life.left.get() {
            Some(0) => life.end(),
            left => life.left.set(left.map(|n| n - 1)),
        }
    }
    if life.gone.get() {
        if std::thread::panicking() {
            return Step::Dead;
        }
        std::panic::resume_unwind(Box::new(Killed));
    }
    match ENGINE.get() {
        Engine::Shuttle => {
            shuttle::thread::yield_now();
            Step::Plain
        }
        _ => Step::Loom,
    }
}

/// Whether an execution is going on.
pub(crate) fn runs() -> bool {
    ENGINE.get() != Engine::None
}

/// The thread's block of state.
pub(crate) fn tls() -> *const Tls {
    this().tls.get().cast()
}

/// The token of the thread, in an execution.
pub(crate) fn token() -> Option<u64> {
    (ENGINE.get() != Engine::None).then(|| this().token)
}

/// Whether the bearer of a token lives, in an execution.
pub(crate) fn lives(token: u64) -> Option<bool> {
    if ENGINE.get() == Engine::None {
        return None;
    }
    let life = LIVES.with_borrow(|lives| lives.iter().find(|life| life.token == token).cloned());
    Some(life.is_some_and(|life| life.lives()))
}

/// In an execution memory stays, so that its use after it was unmapped can be told.
pub(crate) fn unmapped(p: *mut u8, len: usize) -> bool {
    if ENGINE.get() == Engine::None || PLAINLY.get() {
        return false;
    }
    atomic::end(p as usize..p as usize + len);
    UNMAPPED.with_borrow_mut(|all| all.push((p as usize, len)));
    true
}

fn checked(at: usize) -> usize {
    let unmapped = UNMAPPED.with_borrow(|all| all.iter().any(|(p, len)| (*p..*p + *len).contains(&at)));
    assert!(!unmapped, "memory is used that has been unmapped");
    at
}

/// Runs `body` without any thread coming in between; its stores are what the execution begins with.
pub fn plainly<T>(body: impl FnOnce() -> T) -> T {
    PLAINLY.set(true);
    let value = body();
    PLAINLY.set(false);
    value
}

/// A thread of a model.
pub enum Running {
    #[allow(missing_docs)]
    Loom(loom::thread::JoinHandle<bool>),
    #[allow(missing_docs)]
    Shuttle(shuttle::thread::JoinHandle<bool>),
}

impl Running {
    /// Waits for its end; false: it was killed.
    pub fn join(self) -> bool {
        match self {
            Running::Loom(thread) => thread.join().unwrap(),
            Running::Shuttle(thread) => thread.join().unwrap(),
        }
    }
}

/// Starts a thread that bears `token`, and is killed when it has done `steps` steps.
pub fn spawn(token: u64, steps: Option<u32>, body: impl FnOnce() + 'static) -> Running {
    let life = Life::new(token, None, steps);
    let run = move || {
        life.id.set(Some(this_id()));
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)) {
            Ok(()) => true,
            Err(cause) if cause.is::<Killed>() => false,
            Err(cause) => std::panic::resume_unwind(cause),
        }
    };
    match ENGINE.get() {
        Engine::Shuttle => Running::Shuttle(shuttle::thread::spawn(Apart(run).into_fn())),
        _ => Running::Loom(loom::thread::spawn(run)),
    }
}

/// shuttle asks for Send, though all its threads run in one.
struct Apart<F>(F);

// SAFETY: the threads of an execution are run by one thread of the system.
unsafe impl<F> Send for Apart<F> {}

impl<F: FnOnce() -> bool> Apart<F> {
    fn into_fn(self) -> impl FnOnce() -> bool + Send + 'static
    where
        F: 'static,
    {
        move || {
            let whole = self;
            (whole.0)()
        }
    }
}

fn begin(engine: Engine) {
    ENGINE.set(engine);
    LIVES.with_borrow_mut(Vec::clear);
    UNMAPPED.with_borrow_mut(Vec::clear);
    let flag = |_| Box::new(loom::sync::atomic::AtomicBool::new(false));
    let threads = if engine == Engine::Loom { THREADS } else { 0 };
    FLAGS.with_borrow_mut(|flags| *flags = (0..threads).map(flag).collect());
    atomic::forget();
    futex::forget();
    Life::new(u64::MAX, Some(this_id()), None);
}

/// One model at a time: they share the tables of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// 1 for a long run (`make models`).
fn deeper() -> usize {
    std::env::var_os("USIPC_MODELS_DEEPER").is_some() as usize
}

/// Every order that loom finds to make a difference, with up to `preemptions` threads interrupted.
pub fn every_order(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    std::println!("{} orders", orders(preemptions, body));
}

fn orders(preemptions: usize, body: impl Fn() + Sync + Send + 'static) -> usize {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions + deeper());
    builder.max_branches = 20_000;
    let _alone = alone();
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = orders.clone();
    plainly(nowhere);
    builder.check(move || {
        counted.fetch_add(1, Relaxed);
        begin(Engine::Loom);
        body();
    });
    ENGINE.set(Engine::None);
    orders.load(Relaxed)
}

/// The same, with a thread killed after every number of steps: `body` gets that number, and says whether
/// the thread came to it. Until it never does.
pub fn every_death(preemptions: usize, body: impl Fn(u32) -> bool + Sync + Send + 'static) {
    let body = Arc::new(body);
    let mut all = 0;
    for steps in 0.. {
        let died = Arc::new(AtomicBool::new(false));
        let (body, noted) = (body.clone(), died.clone());
        all += orders(preemptions, move || {
            noted.fetch_or(body(steps), Relaxed);
        });
        if !died.load(Relaxed) {
            std::println!("{steps} deaths, {all} orders");
            return assert!(steps > 1, "nobody has done anything");
        }
    }
}

/// A namespace of which nothing is left but the value: the models ask nobody.
pub fn nowhere() -> &'static Namespace {
    static NOWHERE: OnceNonZeroUsize = OnceNonZeroUsize::new();
    let p = NOWHERE.get_or_init(|| {
        let path = std::env::temp_dir().join(std::format!("usipc-model-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let text = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        let ns = Namespace::open(&text).ok().unwrap();
        std::fs::remove_dir_all(&path).unwrap();
        NonZeroUsize::new(Box::into_raw(Box::new(ns)) as usize).unwrap()
    });
    // SAFETY: from Box::into_raw, and never freed.
    unsafe { &*(p.get() as *const Namespace) }
}

/// `times` random orders.
pub fn random_orders(times: usize, body: impl Fn() + Sync + Send + 'static) {
    let _alone = alone();
    let body = Arc::new(body);
    let times = times * (1 + 20 * deeper());
    plainly(nowhere);
    shuttle::check_random(
        move || {
            begin(Engine::Shuttle);
            body();
        },
        times,
    );
    ENGINE.set(Engine::None);
    std::println!("{times} random orders");
}

/// A number below `n` that differs from one random order to the next.
pub fn any_below(n: u32) -> u32 {
    use shuttle::rand::Rng;
    shuttle::rand::thread_rng().gen_range(0..n)
}
