//! An object's memory, spoilt as the input says, and calls on it: each ends, with success or with an errno
//! that it may give, and nothing outside the object is written to.
//!
//! The object lies between fences in private memory. Its contents are those of a real object of its kind
//! that has been in use (a sleeper gone, adjustments, free and queued messages); the input changes
//! some of it, the verifier looks at it as it does when a file is mapped, and then calls and further changes
//! take turns. Shared by the fuzzer and by core/tests/corpus.rs.

mod calls;

use usipc_core::errno::Errno;
use usipc_core::namespace::{self, lifeline, Namespace};
use usipc_core::posix::{descriptor, queue_file};
use usipc_core::region::header::ObjectKind;
use usipc_core::region::object::{Geometry, Mapping, Ref};
use usipc_core::sync::section::Section;
use usipc_core::sysv::{msg::MSG, object::Kind, sem::SEM, shm::SHM};

const PAGE: usize = 4096;
/// On either side: first this much that must stay as it is, then memory that nobody may touch. A bad
/// address in a copy is EFAULT to the library, and no fault, so both are needed.
const FENCE: usize = 4 * PAGE;
const MOAT: usize = 1 << 20;
const FENCE_BYTE: u8 = 0xa5;
/// Of an input at most so many steps are made.
const STEPS: usize = 64;

/// The input, consumed from its beginning; zeros follow its end.
pub struct Input<'a>(pub &'a [u8]);

impl Input<'_> {
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }
    pub fn below(&mut self, n: u32) -> u32 {
        self.number(if n > 256 { 4 } else { 1 }) as u32 % n
    }
    pub fn number(&mut self, bytes: usize) -> u64 {
        (0..bytes).fold(0, |n, i| n | (self.byte() as u64) << (8 * i))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    Msg,
    Sem,
    Shm,
    Mq,
}

impl What {
    const ALL: [What; 4] = [What::Msg, What::Sem, What::Shm, What::Mq];

    fn system_v(self) -> Option<&'static Kind> {
        match self {
            What::Msg => Some(&MSG),
            What::Sem => Some(&SEM),
            What::Shm => Some(&SHM),
            What::Mq => None,
        }
    }
}

/// What an object of each kind looks like, and where it may be reached.
struct Template {
    /// Its contents; zeros behind.
    image: Vec<u8>,
    /// Length of its mapping.
    len: usize,
    /// Length of its file.
    size: u64,
    /// The identifier, or a descriptor.
    number: i32,
    file: (u64, u64),
}

pub struct Bench {
    pub ns: &'static Namespace,
    pub dir: std::path::PathBuf,
    templates: [Template; 4],
}

/// The one of this process, which has one namespace: in USIPC_DIR, or in a directory that the caller removes.
pub fn bench() -> &'static Bench {
    // Neither a handler nor a fork comes here.
    #[allow(clippy::disallowed_types)]
    static BENCH: std::sync::OnceLock<Bench> = std::sync::OnceLock::new();
    BENCH.get_or_init(|| {
        let dir = std::env::var_os("USIPC_DIR").map_or_else(own_directory, std::path::PathBuf::from);
        Bench {
            ns: namespace::current().unwrap(),
            templates: What::ALL.map(|what| template(what, &dir)),
            dir,
        }
    })
}

fn own_directory() -> std::path::PathBuf {
    let shm = std::path::PathBuf::from("/dev/shm");
    let place = if shm.is_dir() { shm } else { std::env::temp_dir() };
    let dir = place.join(format!("usipc-fuzz-{}", std::process::id()));
    std::fs::create_dir(&dir).expect("a namespace of its own");
    std::env::set_var("USIPC_DIR", &dir);
    dir
}

fn template(what: What, dir: &std::path::Path) -> Template {
    let number = calls::make_and_use(what);
    // Of the sparse rest nothing is in use.
    const IMAGE: usize = 64 << 10;
    let path = match what.system_v() {
        Some(kind) => dir.join(kind.room.path(namespace::ids::index_of(number)).as_cstr().to_str().unwrap()),
        None => dir.join("mq").join(calls::NAME.trim_matches(['/', '\0'])),
    };
    use std::os::unix::fs::MetadataExt;
    let st = std::fs::metadata(&path).unwrap();
    let len = what.system_v().map_or(st.len(), |kind| st.len().min(kind.most_mapped)) as usize;
    let mut image = vec![0; len.min(IMAGE)];
    use std::os::unix::fs::FileExt;
    std::fs::File::open(&path).unwrap().read_exact_at(&mut image, 0).unwrap();
    if matches!(what, What::Msg | What::Sem) {
        // The memory is the object: no file is to be found in its stead.
        std::fs::remove_file(&path).unwrap();
    }
    Template { image, len, size: st.len(), number, file: (st.dev(), st.ino()) }
}

/// An object between fences.
struct Memory {
    start: *mut u8,
    base: *mut u8,
    len: usize,
}

impl Memory {
    fn new(template: &Template) -> Memory {
        let len = template.len.next_multiple_of(PAGE);
        let all = len + 2 * (FENCE + MOAT);
        // SAFETY: a new mapping, and parts of it.
        let start = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            let start = libc::mmap(std::ptr::null_mut(), all, libc::PROT_NONE, flags, -1, 0).cast::<u8>();
            assert!(start as isize != -1);
            let fence = start.add(MOAT);
            libc::mprotect(fence.cast(), len + 2 * FENCE, libc::PROT_READ | libc::PROT_WRITE);
            fence.write_bytes(FENCE_BYTE, FENCE);
            fence.add(FENCE + len).write_bytes(FENCE_BYTE, FENCE);
            start
        };
        // SAFETY: inside.
        let memory = Memory { start, base: unsafe { start.add(MOAT + FENCE) }, len };
        // SAFETY: the image is not longer than the object.
        unsafe { memory.base.copy_from_nonoverlapping(template.image.as_ptr(), template.image.len()) };
        memory
    }

    fn words(&self) -> &[std::sync::atomic::AtomicU64] {
        // SAFETY: mapped, page-aligned, and changed through atomics alone.
        unsafe { std::slice::from_raw_parts(self.base.cast(), self.len / 8) }
    }

    fn assert_whole_fences(&self) {
        // SAFETY: both fences are mapped until the memory is dropped.
        let is_whole =
            |fence| unsafe { std::slice::from_raw_parts(fence, FENCE) }.iter().all(|b| *b == FENCE_BYTE);
        // SAFETY: inside the mapping.
        let (before, behind) = unsafe { (self.base.sub(FENCE), self.base.add(self.len)) };
        assert!(is_whole(before) && is_whole(behind), "something was written outside the object");
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: nobody refers to it any more. The object's own part may be gone already.
        unsafe { libc::munmap(self.start.cast(), self.len + 2 * (FENCE + MOAT)) };
    }
}

/// Half of an object's words that mean something lie here: its headers, and what comes first behind them.
const NEAR: u32 = 1024;

impl Memory {
    /// Changes a word of the object, or a half of one.
    fn spoil(&self, input: &mut Input<'_>, image: usize) {
        use std::sync::atomic::Ordering::Relaxed;
        let how = input.byte();
        let byte = match how & 3 {
            0 | 1 => input.number(2) as u32 % NEAR,
            2 => input.number(4) as u32 % image as u32,
            _ => input.number(4) as u32 % self.len as u32,
        } as usize;
        let (word, shift) =
            (&self.words()[byte / 8], if how & 4 != 0 { byte as u32 / 4 % 2 * 32 } else { 0 });
        let mask = if how & 4 != 0 { u32::MAX as u64 } else { u64::MAX };
        let old = word.load(Relaxed) >> shift;
        let new = match how >> 3 & 7 {
            0 => 0,
            1 => u64::MAX,
            2 => old.wrapping_add(1),
            3 => old.wrapping_sub(1),
            4 => old ^ 1 << input.below(64),
            5 => input.byte() as u64,
            6 => input.number(4),
            _ => input.number(8),
        };
        word.store(word.load(Relaxed) & !(mask << shift) | (new & mask) << shift, Relaxed);
    }

    /// Who writes this process's own name into the lock makes it wait for itself: that is holding the lock,
    /// which who may write into the object may do.
    fn free_own_lock(&self, me: u64) {
        use std::sync::atomic::Ordering::Relaxed;
        const LOCK: usize = 128 / 8;
        if self.words()[LOCK].load(Relaxed) & !(1 << 31) == me {
            self.words()[LOCK].store(0, Relaxed);
        }
    }
}

/// As System V's open() and the POSIX one look at a file.
fn verified(what: What, mapping: &Mapping, template: &Template) -> Result<Geometry, Errno> {
    let header = mapping.header();
    match what.system_v() {
        Some(kind) => {
            header.verify(kind.mark).map_err(|_| Errno::EINVAL)?;
            if header.id.get() as i32 != template.number {
                return Err(Errno::EINVAL);
            }
            (kind.measure)(mapping, template.size)
        }
        None => {
            header.verify(ObjectKind::Mq).map_err(|_| Errno::EINVAL)?;
            // SAFETY: the mapping has a page at least; all atomics.
            queue_file::measure(unsafe { &*mapping.base.cast() }, template.size)
        }
    }
}

fn enter(what: What, mapping: Mapping, template: &Template, geometry: Geometry) -> Ref {
    match what.system_v() {
        Some(kind) => {
            let object = mapping.install(kind.mark, template.number, 0, geometry).unwrap();
            kind.table.put(namespace::ids::index_of(template.number) as usize, &object).unwrap();
            object
        }
        None => descriptor::enter(template.number, libc::O_RDWR, mapping, geometry).unwrap(),
    }
}

/// One input. Panics, faults or hangs when the library is wrong.
pub fn run(data: &[u8]) {
    let bench = bench();
    let mut input = Input(data);
    let first = input.byte();
    let what = What::ALL[first as usize % 4];
    let template = &bench.templates[what as usize];
    let memory = Memory::new(template);
    for _ in 0..first >> 2 & 15 {
        memory.spoil(&mut input, template.image.len());
    }
    calls::put_in_place(what, bench, template.number, template.size);
    let me = lifeline::my_token(bench.ns).unwrap();
    memory.free_own_lock(me);
    // SAFETY: the part between the fences is the object's from here on; the rest outlives it.
    let mapping =
        unsafe { Mapping::of(memory.base, memory.len, calls::file_of(what, bench, template.file)) }.unwrap();
    let section = Section::enter().unwrap();
    let Ok(geometry) = verified(what, &mapping, template) else { return };
    let object = enter(what, mapping, template, geometry);
    drop(section);
    for _ in 0..STEPS {
        if input.is_over() {
            break;
        }
        match input.byte() {
            step if step & 0x80 != 0 => {
                memory.spoil(&mut input, template.image.len());
                memory.free_own_lock(me);
            }
            step => calls::call(what, step, template.number, object.geometry(), &mut input),
        }
    }
    memory.assert_whole_fences();
    calls::put_away(what, bench, template.number, &object);
}
