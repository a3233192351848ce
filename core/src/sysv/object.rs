//! From keys and identifiers to mapped objects.

use crate::cred;
use crate::errno::{Errno, Result};
use crate::namespace::{ids, ids::Room, lifeline, Namespace};
use crate::perm::{self, Perm};
use crate::process::ProcessPage;
use crate::region::header::{Header, ObjectKind};
use crate::region::object::{open_file, Geometry, Mapping, Ref};
use crate::region::table::Table;
use crate::sys::file;
use core::sync::atomic::{AtomicU64, Ordering::*};

/// A kind of System V object, and what this process knows of its objects.
pub struct Kind {
    /// Its directory.
    pub room: Room,
    /// Its mark in the header.
    pub mark: ObjectKind,
    /// Bytes that every file of it has.
    pub least: u64,
    /// The measures, checked against the length of the file.
    pub measure: fn(&Mapping, u64) -> Result<Geometry>,
    /// This process's objects by index.
    pub table: &'static Table,
    /// Identifiers of keys looked up before, as `key << 32 | id + 1`.
    pub keys: &'static Keys,
    /// Bytes of a file that the table maps at most.
    pub most_mapped: u64,
    /// Gives back what only an object's users held, before its names go. Its lock is held.
    pub empty: fn(&'static Namespace, &Ref, u32),
}

/// Keys that a process remembers: as many as there can be, in memory that is only there where it is used.
pub type Keys = [AtomicU64; ids::INDEXES as usize];

impl Kind {
    fn key_slot(&'static self, key: i32) -> &'static AtomicU64 {
        &self.keys[((key as u32).wrapping_mul(0x9e37_79b1) >> (32 - ids::INDEXES.trailing_zeros())) as usize]
    }

    /// Keeps `key -> id` for the next look-up. It needs no end: `removed` in the header ends it.
    pub fn remember_key(&'static self, key: i32, id: i32) {
        self.key_slot(key).store((key as u32 as u64) << 32 | (id as u64 + 1), Relaxed);
    }

    /// The object that `key` led to last time, if it still does. No system call.
    pub fn by_key_cached(&'static self, key: i32) -> Option<(i32, Ref)> {
        let entry = self.key_slot(key).load(Relaxed);
        if entry as u32 == 0 || (entry >> 32) as u32 != key as u32 {
            return None;
        }
        let id = entry as u32 as i32 - 1;
        let object = self.mapped(id)?;
        let header = object.header();
        (header.key.get() == key as u32 && header.removed.get() == 0).then_some((id, object))
    }

    /// Whether this, of the table, is the object with this identifier, and the caller is known to have the right.
    #[inline(always)]
    pub fn is_open(&self, id: i32, right: u32, object: &Ref, page: &'static ProcessPage) -> bool {
        let verdict = object.verdict.load(Relaxed);
        self.serves(id, object)
            && cred::known_generation(page).is_some_and(|g| verdict & !15 == stamp(object, g))
            && Perm::allows(verdict as u32, right)
    }

    /// Whether this, of the table, is the object with this identifier, and not removed.
    #[inline(always)]
    fn serves(&self, id: i32, object: &Ref) -> bool {
        let header = object.header();
        object.number.load(Relaxed) == id && object.is(self.mark) && !header.is_gone() && header.is_there()
    }

    /// The object with this identifier, if this process has it mapped and it is not removed.
    fn mapped(&'static self, id: i32) -> Option<Ref> {
        let object = self.table.get(ids::index_of(id) as usize)?;
        if !self.serves(id, &object) {
            if object.number.load(Relaxed) == id && object.is(self.mark) {
                self.table.remove_object(ids::index_of(id) as usize, &object);
            }
            return None;
        }
        Some(object)
    }

    /// The object with this identifier.
    /// EINVAL: there is none. EACCES: the caller may neither read nor write it.
    pub fn by_id(&'static self, ns: &'static Namespace, id: i32) -> Result<Ref> {
        match self.mapped(id) {
            Some(object) => Ok(object),
            None => self.look_for(ns, id),
        }
    }

    #[cold]
    #[inline(never)]
    fn look_for(&'static self, ns: &'static Namespace, id: i32) -> Result<Ref> {
        if id < 0 {
            return Err(Errno::EINVAL);
        }
        match self.open(ns, ids::index_of(id), false) {
            Ok(object) if object.number.load(Relaxed) == id => Ok(object),
            Ok(_) => Err(Errno::EINVAL),
            // Kept out, but of a later object at this index.
            Err(Errno::EACCES) if ids::known_id(ns, self.room, ids::index_of(id)) != id => Err(Errno::EINVAL),
            Err(e) => Err(e),
        }
    }

    /// As [`by_id`], for IPC_SET and IPC_RMID: the owner of an object whose mode keeps himself out gets it too.
    pub fn by_id_as_owner(&'static self, ns: &'static Namespace, id: i32) -> Result<Ref> {
        match self.by_id(ns, id) {
            Err(Errno::EACCES) => {}
            other => return other,
        }
        let object = self.open(ns, ids::index_of(id), true).map_err(|e| {
            if e == Errno::EACCES {
                Errno::EPERM
            } else {
                e
            }
        })?;
        if object.number.load(Relaxed) == id {
            Ok(object)
        } else {
            Err(Errno::EINVAL)
        }
    }

    /// Whether nothing can be wrong with this, of the table: what was being made when it was looked at may be an orphan now.
    fn is_made(&self, object: &Ref) -> bool {
        let header = object.header();
        object.is(self.mark) && !header.is_gone() && header.creator.get() == 0
    }

    /// The object at this index, whatever its identifier.
    pub fn by_index(&'static self, ns: &'static Namespace, index: u32) -> Result<Ref> {
        if let Some(object) = self.table.get(index as usize).filter(|o| self.is_made(o)) {
            return Ok(object);
        }
        self.open(ns, index, false)
    }

    /// Opens and maps the file at `index`, and enters it in the table.
    pub fn open(&'static self, ns: &'static Namespace, index: u32, as_owner: bool) -> Result<Ref> {
        let dir = ns.dir()?;
        let path = self.room.path(index);
        let opened = match open_file(dir, path.as_cstr(), self.least) {
            Err(Errno::EACCES) if as_owner => open_own(dir, path.as_cstr(), self.least),
            other => other,
        };
        let (fd, st) = opened.map_err(|e| match e {
            Errno::ENOENT | Errno::ELOOP | Errno::ENXIO | Errno::EISDIR | Errno::ENODEV => Errno::EINVAL,
            e => e,
        })?;
        // Who asks by an identifier of an earlier object has the present one mapped already.
        let is_it = |o: &Ref| self.is_made(o) && o.file() == st.file && o.header().is_there();
        if let Some(object) = self.table.get(index as usize).filter(is_it) {
            return Ok(object);
        }
        let mapping = Mapping::new(fd.raw(), st.size.min(self.most_mapped) as usize, st.file)?;
        let header = mapping.header();
        header.verify(self.mark).map_err(|_| Errno::EINVAL)?;
        let id = header.id.get() as i32;
        if id < 0 || ids::index_of(id) != index {
            return Err(Errno::EINVAL);
        }
        let geometry = (self.measure)(&mapping, st.size)?;
        if header.is_gone() || is_orphan(ns, self.room, header, id) {
            let object = mapping.install(self.mark, -1, 0, geometry)?;
            // Only its owner may take the names away in a directory that users share.
            let _ = self.bury(ns, &object, id);
            return Err(Errno::EINVAL);
        }
        let object = mapping.install(self.mark, id, 0, geometry)?;
        self.table.put(index as usize, &object)?;
        Ok(object)
    }

    /// Removes the names of an object that says that it is removed, of an orphan, or of one that the
    /// caller has just made: whoever finds one helps.
    pub fn bury(&'static self, ns: &'static Namespace, object: &Ref, id: i32) -> Result<()> {
        let me = lifeline::my_token(ns)?;
        let header = object.header();
        header.help(ns, me);
        // What seemed an orphan may have lost its key by IPC_RMID just then, and be attached.
        let done = if header.is_gone() || header.creator.get() == me || is_orphan(ns, self.room, header, id) {
            header.removed.set(1);
            self.remove_names(ns, object, id)
        } else {
            Ok(())
        };
        header.lock.release();
        done
    }

    /// Removes the key if it still leads to this object. The object's lock is held.
    pub fn remove_key(&'static self, ns: &'static Namespace, object: &Ref, id: i32) -> Result<()> {
        let key = object.header().key.get() as i32;
        if key != libc::IPC_PRIVATE {
            ids::clear_key(ns, self.room, key, id)?;
            object.header().key.set(libc::IPC_PRIVATE as u32);
        }
        Ok(())
    }

    /// Removes key and index, each only if it still leads to this object. The object's lock is held.
    pub fn remove_names(&'static self, ns: &'static Namespace, object: &Ref, id: i32) -> Result<()> {
        let index = ids::index_of(id);
        (self.empty)(ns, object, index);
        self.remove_key(ns, object, id)?;
        // Under the lock no other helper can have freed the index for a new object.
        match file::stat_at(ns.dir()?, self.room.path(index).as_cstr()) {
            Ok(st) if st.file == object.file() => ids::withdraw(ns, self.room, index),
            _ => Ok(()),
        }
    }

    /// Takes a removed object out of this process's table.
    pub fn forget(&self, id: i32, object: &Ref) {
        self.table.remove_object(ids::index_of(id) as usize, object);
    }
}

/// Whether the creator was killed before he could set the key. If it was after that, nobody need ask again.
fn is_orphan(ns: &'static Namespace, room: Room, header: &Header, id: i32) -> bool {
    let creator = header.creator.get();
    if creator == 0 || lifeline::is_alive(ns, creator) {
        return false;
    }
    let has_key = ids::find_key(ns, room, header.key.get() as i32) == Ok(id);
    if has_key {
        header.creator.set(0);
    }
    !has_key
}

/// Opens a file whose mode keeps its owner out, by letting him in for the moment.
fn open_own(dir: i32, path: &core::ffi::CStr, least: u64) -> Result<(file::Fd, file::Stat)> {
    let st = file::stat_at(dir, path)?;
    if st.uid != cred::current()?.euid || !st.is(libc::S_IFREG) {
        return Err(Errno::EACCES);
    }
    file::set_mode_at(dir, path, st.mode & 0o777 | 0o600)?;
    let opened = open_file(dir, path, least);
    if let Ok((fd, _)) = &opened {
        file::set_mode(fd.raw(), st.mode & 0o777)?;
    }
    opened
}

/// EACCES unless the caller has the rights (4 read, 2 write). Remembered per object.
pub fn check(object: &Ref, wanted: u32) -> Result<()> {
    let stamp = stamp(object, cred::generation()?);
    let mut verdict = object.verdict.load(Relaxed);
    if verdict & !15 != stamp {
        verdict = stamp | object.header().perm().verdict(&cred::current()?) as u64;
        object.verdict.store(verdict, Relaxed);
    }
    if Perm::allows(verdict as u32, wanted) {
        Ok(())
    } else {
        Err(Errno::EACCES)
    }
}

/// What a verdict holds for: these permissions and credentials.
#[inline(always)]
fn stamp(object: &Ref, generation: u32) -> u64 {
    (object.header().perm_generation.get() as u64) << 32 | (generation as u64 & 0x0fff_ffff) << 4
}

/// Makes a new, nameless object: its descriptor, mapping and length.
pub type Make<'a> = &'a dyn Fn(&Perm) -> Result<(file::Fd, Mapping, u64)>;

/// What the rest of an `*get` call is about.
pub struct Get<'a> {
    /// Of which kind.
    pub kind: &'static Kind,
    /// The namespace.
    pub ns: &'static Namespace,
    /// The key.
    pub key: i32,
    /// IPC_CREAT, IPC_EXCL and the mode.
    pub flags: i32,
    /// Makes a new, nameless object; gives its descriptor, mapping and length.
    pub make: Make<'a>,
    /// Further conditions on an existing one (its size, for instance).
    pub suits: &'a dyn Fn(&Ref) -> Result<()>,
    /// Bytes that the file of an existing one has if it suits, for callers who may not open it.
    pub least: u64,
    /// How many objects there may be.
    pub limit: u32,
}

impl Get<'_> {
    /// The identifier of the object with this key, or of a new one.
    /// EACCES, EEXIST, ENOENT, ENOMEM, ENOSPC. Linux: ipcget
    pub fn run(&self) -> Result<i32> {
        if self.key == libc::IPC_PRIVATE {
            return self.create().map(|(id, _)| id);
        }
        if let Some((id, object)) = self.kind.by_key_cached(self.key) {
            return self.existing(id, &object);
        }
        // A key may lose its object between any two steps; each round then starts afresh.
        for _ in 0..1000 {
            match ids::find_key(self.ns, self.kind.room, self.key) {
                Ok(id) => match self.look_at(id)? {
                    Some(id) => return Ok(id),
                    None => continue,
                },
                Err(Errno::ENOENT) => {}
                Err(e) => return Err(e),
            }
            if self.flags & libc::IPC_CREAT == 0 {
                return Err(Errno::ENOENT);
            }
            let (id, object) = self.create()?;
            match ids::set_key(self.ns, self.kind.room, self.key, id) {
                Ok(()) => {
                    object.header().creator.set(0);
                    self.kind.remember_key(self.key, id);
                    return Ok(id);
                }
                Err(e) => {
                    // Another creator was quicker: ours was never to be found.
                    self.kind.bury(self.ns, &object, id)?;
                    self.kind.table.remove_object(ids::index_of(id) as usize, &object);
                    if e != Errno::EEXIST {
                        return Err(e);
                    }
                }
            }
        }
        Err(Errno::EAGAIN)
    }

    /// The object that the key leads to; None: it is gone, look again.
    fn look_at(&self, id: i32) -> Result<Option<i32>> {
        match self.kind.by_id(self.ns, id) {
            // Its remover was killed before the key was gone: help.
            Ok(object) if object.header().removed.get() != 0 => {
                let header = object.header();
                header.help(self.ns, lifeline::my_token(self.ns)?);
                let done = self.kind.remove_key(self.ns, &object, id);
                header.lock.release();
                done.map(|()| None)
            }
            Ok(object) => {
                self.kind.remember_key(self.key, id);
                self.existing(id, &object).map(Some)
            }
            // No right at all: the key and its identifier are for everybody nevertheless.
            Err(Errno::EACCES) => {
                let st = file::stat_at(self.ns.dir()?, self.kind.room.path(ids::index_of(id)).as_cstr())?;
                let perm =
                    Perm { uid: st.uid, gid: st.gid, cuid: st.uid, cgid: st.gid, mode: st.mode & 0o777 };
                self.may_exist()?;
                if st.size < self.least {
                    return Err(Errno::EINVAL);
                }
                self.existing_closed(id, &perm).map(Some)
            }
            Err(Errno::EINVAL) => {
                let gone =
                    file::stat_at(self.ns.dir()?, self.kind.room.path(ids::index_of(id)).as_cstr()).is_err();
                if gone && ids::find_key(self.ns, self.kind.room, self.key) == Ok(id) {
                    // The file was removed by hand, without its key.
                    ids::clear_key(self.ns, self.kind.room, self.key, id)?;
                } else if !gone && ids::find_key(self.ns, self.kind.room, self.key) == Ok(id) {
                    // The link leads to something else, or to a spoilt object.
                    return Err(Errno::EINVAL);
                }
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    fn may_exist(&self) -> Result<()> {
        let both = libc::IPC_CREAT | libc::IPC_EXCL;
        if self.flags & both == both {
            Err(Errno::EEXIST)
        } else {
            Ok(())
        }
    }

    fn existing(&self, id: i32, object: &Ref) -> Result<i32> {
        self.may_exist()?;
        (self.suits)(object)?;
        check(object, perm::wanted(self.flags as u32))?;
        Ok(id)
    }

    /// As [`Get::existing`] for an object that the caller may neither read nor write, by what its
    /// file shows.
    fn existing_closed(&self, id: i32, perm: &Perm) -> Result<i32> {
        let verdict = perm.verdict(&cred::current()?);
        if Perm::allows(verdict, perm::wanted(self.flags as u32)) {
            Ok(id)
        } else {
            Err(Errno::EACCES)
        }
    }

    fn create(&self) -> Result<(i32, Ref)> {
        let cred = cred::current()?;
        let perm = Perm {
            uid: cred.euid,
            gid: cred.egid,
            cuid: cred.euid,
            cgid: cred.egid,
            mode: self.flags as u32 & 0o777,
        };
        let (fd, mapping, size) = (self.make)(&perm)?;
        let header = mapping.header();
        if self.key != libc::IPC_PRIVATE {
            header.creator.set(lifeline::my_token(self.ns)?);
        }
        let id = ids::publish(self.ns, self.kind.room, fd.raw(), self.limit, &|id| header.id.set(id as u32))?;
        let geometry = (self.kind.measure)(&mapping, size)?;
        let object = mapping.install(self.kind.mark, id, 0, geometry)?;
        self.kind.table.put(ids::index_of(id) as usize, &object)?;
        Ok((id, object))
    }
}
