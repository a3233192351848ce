//! The first bytes of every object file, whatever its kind.

use super::{Plain, W32, W64};
use crate::likely::unlikely;
use crate::namespace::Namespace;
use crate::perm::Perm;
use crate::sync::lock::{Got, TokenLock};

/// `usipc\0\r\n`: text-mode copies and other files do not pass.
pub const MAGIC: u64 = u64::from_le_bytes(*b"usipc\0\r\n");
/// Moves with every incompatible change of any layout.
pub const VERSION: u32 = 5;

/// In [`Header::removed`]: removed by name, but a shared memory segment that is still attached.
pub const DOOMED: u32 = 2;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ObjectKind {
    /// A System V message queue.
    Msg = 1,
    /// A POSIX message queue.
    Mq = 2,
    /// A System V semaphore set.
    Sem = 3,
    /// A System V shared memory segment.
    Shm = 4,
}

/// Common to all kinds. A process that does not know the version refuses the object.
#[repr(C, align(64))]
pub struct Header {
    magic: W64,
    version: W32,
    word_bytes: W32,
    kind: W32,
    /// Not 0 once the object is removed: the commit point of IPC_RMID. [`DOOMED`]: its key leads
    /// nowhere any more, and it goes with its last attachment.
    pub removed: W32,
    /// System V: the identifier.
    pub id: W32,
    /// System V: the key, as it was at creation.
    pub key: W32,
    uid: W32,
    gid: W32,
    cuid: W32,
    cgid: W32,
    mode: W32,
    /// Moves with every change of the permissions, so that cached verdicts fall.
    pub perm_generation: W32,
    /// Time of creation or of the last IPC_SET, seconds since the Epoch.
    pub ctime: W64,
    /// System V: the creating process, until the key leads here; 0 from then on.
    pub creator: W64,
    /// Not 0 from when a lock is taken over from a dead holder until the object is repaired: a repair
    /// that was cut short, or was not the helper's to make, is made by the next holder.
    pub broken: W32,
    /// Guards all that is not said to be otherwise.
    pub lock: TokenLock,
}

// SAFETY: all atomics.
unsafe impl Plain for Header {}

const _: () = assert!(core::mem::offset_of!(Header, lock) == 128 && size_of::<Header>() == 192);

/// Why a file is not an object that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// No usipc object, or its first bytes are spoilt.
    NoObject,
    /// A layout of another version.
    Version(u32),
    /// Made by a program of another word size.
    WordSize(u32),
    /// Of another kind.
    Kind(u32),
    /// Its sizes contradict each other or the file's length.
    Geometry,
}

impl core::fmt::Display for Unfit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Unfit::NoObject => f.write_str("not a usipc object, or its header is scribbled over"),
            Unfit::Version(v) => write!(f, "unknown layout version {v} (this library knows {VERSION})"),
            Unfit::WordSize(n) => write!(f, "made by a program with {n}-byte words"),
            Unfit::Kind(k) => write!(f, "an object of another kind ({k}) in this place"),
            Unfit::Geometry => f.write_str("its sizes are scribbled over"),
        }
    }
}

impl Header {
    /// Fills the header of a new object. The rest of the file is still zero.
    pub fn initialise(&self, kind: ObjectKind, key: i32, perm: &Perm, now_s: i64) {
        self.magic.set(MAGIC);
        self.version.set(VERSION);
        self.word_bytes.set(size_of::<usize>() as u32);
        self.kind.set(kind as u32);
        self.key.set(key as u32);
        self.set_perm(perm);
        self.ctime.set(now_s as u64);
    }

    /// Whether this is an object of `kind` in a layout known here.
    pub fn verify(&self, kind: ObjectKind) -> Result<(), Unfit> {
        if self.magic.get() != MAGIC {
            return Err(Unfit::NoObject);
        }
        if self.version.get() != VERSION {
            return Err(Unfit::Version(self.version.get()));
        }
        if self.word_bytes.get() != size_of::<usize>() as u32 {
            return Err(Unfit::WordSize(self.word_bytes.get()));
        }
        if self.kind.get() != kind as u32 {
            return Err(Unfit::Kind(self.kind.get()));
        }
        Ok(())
    }

    /// Whether the object is there at all: its memory may have gone (see [`super::object::lose`]).
    #[inline(always)]
    pub fn is_there(&self) -> bool {
        self.magic.get() == MAGIC
    }

    /// Whether nothing has to be repaired first.
    #[inline(always)]
    pub fn is_sound(&self) -> bool {
        self.broken.get() == 0 && self.is_there()
    }

    /// Whether it is removed for good.
    #[inline(always)]
    pub fn is_gone(&self) -> bool {
        !matches!(self.removed.get(), 0 | DOOMED)
    }

    /// Takes the lock, to do what is the same for every kind. The repair of what a dead holder left is
    /// for the next who knows the kind.
    #[inline(always)]
    pub fn help(&self, ns: &Namespace, me: u64) {
        if unlikely(self.lock.acquire(ns, me) == Got::Stolen) {
            self.broken.set(1);
        }
    }

    /// What `read` makes of the object without the lock, as [`TokenLock::glance`]. None: somebody was at work on it, there is
    /// something to repair, or `read` says so.
    #[inline(always)]
    pub fn glance<M: PartialEq, T>(
        &self,
        marks: impl Fn() -> M,
        read: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        let seen = self.lock.glance(marks, || if self.broken.get() == 0 { read() } else { None })?;
        // Last: the memory may have gone meanwhile.
        seen.filter(|_| self.is_there())
    }

    /// The permissions.
    pub fn perm(&self) -> Perm {
        Perm {
            uid: self.uid.get(),
            gid: self.gid.get(),
            cuid: self.cuid.get(),
            cgid: self.cgid.get(),
            mode: self.mode.get() & 0o777,
        }
    }

    /// Changes the permissions; under the lock, or before anybody sees the object.
    pub fn set_perm(&self, perm: &Perm) {
        self.uid.set(perm.uid);
        self.gid.set(perm.gid);
        self.cuid.set(perm.cuid);
        self.cgid.set(perm.cgid);
        self.mode.set(perm.mode & 0o777);
        self.perm_generation.set(self.perm_generation.get().wrapping_add(1));
    }
}
