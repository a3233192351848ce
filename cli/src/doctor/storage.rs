//! The namespace directory and the file system under it.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use usipc_core::inspect;

use super::{Finding, State};
use crate::names;
use crate::place::Place;

/// A container's usual /dev/shm (64 MiB) and anything below: some hundred default POSIX queues fill it, or one
/// segment of a database.
const SMALL_BYTES: u64 = 64 << 20;
/// Not much is left when less than this is free.
const LITTLE_BYTES: u64 = 4 << 20;

pub fn findings(place: &Place) -> Vec<Finding> {
    let mut findings = vec![directory(place)];
    let base = existing_ancestor(place.path());
    match file_system(&base) {
        Ok(system) => findings.push(system.finding()),
        Err(error) => {
            findings.push(Finding::new(State::Bad, "file system", format!("{}: {error}", base.display())));
        }
    }
    findings
}

fn directory(place: &Place) -> Finding {
    let shown = format!("{} ({})", place.path().display(), place.why);
    match place.existing() {
        Err(fail) => Finding::new(State::Bad, "namespace", fail.line()),
        Ok(None) => Finding::new(State::Ok, "namespace", format!("{shown}; the first use makes it")),
        Ok(Some(namespace)) => {
            let (mut objects, mut processes) = (0u64, BTreeSet::new());
            let looked = inspect::list(&namespace, &mut |_| objects += 1).and_then(|()| {
                inspect::processes(&namespace, &mut |pid, alive| processes.extend(alive.then_some(pid)))
            });
            // A directory that nobody has used yet has none of a namespace's rooms.
            if looked.is_err_and(|errno| errno.raw() != libc::ENOENT) {
                return Finding::new(State::Bad, "namespace", format!("{shown}; it cannot be listed"));
            }
            let shown = format!("{shown}; objects: {objects}, live processes: {}", processes.len());
            Finding::new(State::Ok, "namespace", shown)
        }
    }
}

/// The directory itself, or the nearest one above that exists.
pub fn existing_ancestor(path: &Path) -> PathBuf {
    path.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/")).to_path_buf()
}

struct FileSystem {
    path: PathBuf,
    in_memory: bool,
    total_bytes: u64,
    free_bytes: u64,
}

// The fields' types differ from one architecture to the next.
#[allow(clippy::unnecessary_cast)]
fn file_system(path: &Path) -> io::Result<FileSystem> {
    const TMPFS_MAGIC: i64 = 0x0102_1994;
    const RAMFS_MAGIC: i64 = 0x8584_58f6;
    const HUGETLBFS_MAGIC: i64 = 0x9584_58f6;
    let c_path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: statfs is plain data that the call fills.
    let (result, info) = unsafe {
        let mut info: libc::statfs = std::mem::zeroed();
        (libc::statfs(c_path.as_ptr(), &mut info), info)
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let kind = info.f_type as u32 as i64;
    let block_bytes = info.f_bsize as u64;
    Ok(FileSystem {
        path: path.to_path_buf(),
        in_memory: [TMPFS_MAGIC, RAMFS_MAGIC, HUGETLBFS_MAGIC].contains(&kind),
        total_bytes: info.f_blocks as u64 * block_bytes,
        free_bytes: info.f_bavail as u64 * block_bytes,
    })
}

impl FileSystem {
    fn finding(&self) -> Finding {
        let name = mount_point(&self.path).unwrap_or(self.path.clone());
        let (total, free) = (names::size(self.total_bytes), names::size(self.free_bytes));
        let shown = format!("{}: {free} of {total} free", name.display());
        let way_out = "set USIPC_DIR to a directory on a larger memory file system";
        let container = "a container's /dev/shm is that small unless Docker is told --shm-size=1g";
        let (state, text) = if self.total_bytes == 0 {
            // ramfs, and a tmpfs without a limit, report no size.
            (State::Ok, format!("{}: no limit of its own", name.display()))
        } else if self.free_bytes < LITTLE_BYTES {
            (State::Warning, format!("{shown}: new objects will soon fail with ENOSPC or ENOMEM; {way_out}"))
        } else if self.total_bytes <= SMALL_BYTES {
            (State::Warning, format!("{shown}, which is little; {way_out} ({container})"))
        } else if !self.in_memory {
            let why = "not in memory, so that the kernel also writes the objects to the disk";
            (State::Warning, format!("{shown}; {why}; {way_out}"))
        } else {
            (State::Ok, shown)
        };
        Finding::new(state, "file system", text)
    }
}

/// The topmost directory on the same device.
fn mount_point(path: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.dev());
    let path = path.canonicalize().ok()?;
    let mine = device(&path)?;
    path.ancestors().take_while(|above| device(above) == Some(mine)).last().map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(total_bytes: u64, free_bytes: u64, in_memory: bool) -> State {
        FileSystem { path: "/".into(), in_memory, total_bytes, free_bytes }.finding().state
    }

    #[test]
    fn small_full_and_disk_file_systems_are_warned_of() {
        assert!(state(1 << 30, 1 << 29, true) == State::Ok);
        assert!(state(0, 0, true) == State::Ok);
        assert!(state(64 << 20, 60 << 20, true) == State::Warning);
        assert!(state(1 << 30, 1 << 20, true) == State::Warning);
        assert!(state(1 << 40, 1 << 39, false) == State::Warning);
    }

    #[test]
    fn a_path_that_is_not_there_stands_on_the_one_above() {
        assert_eq!(existing_ancestor(Path::new("/nowhere/at/all")), Path::new("/"));
        assert_eq!(mount_point(Path::new("/")), Some("/".into()));
    }
}
