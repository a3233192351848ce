//! The directory tree of a namespace, seen from outside: is it one, and removing it whole.

use std::fs;
use std::io;
use std::path::Path;

use crate::fail::Fail;

/// The directories of a namespace, `procs` last: while it is there, the rest is not taken for a namespace
/// that somebody is just making.
const ROOMS: [&str; 9] = ["msg", "sem", "shm", "keys", "mq", "psem", "pshm", "poll", "procs"];
/// The limits of a namespace that has some of its own.
const LIMITS: &str = "limits";

/// Refuses a directory that is no namespace: a mistyped --dir must not cost a home directory.
pub fn check(dir: &Path) -> Result<(), Fail> {
    let shown = dir.display();
    if !dir.join("procs").is_dir() {
        return Err(Fail::failed(format!(
            "{shown} is left alone: it is no usipc namespace, for it has no procs/"
        )));
    }
    let entries = fs::read_dir(dir).map_err(|error| Fail::failed(format!("{shown}: {error}")))?;
    for entry in entries {
        let entry = entry.map_err(|error| Fail::failed(format!("{shown}: {error}")))?;
        if !is_part(&entry) {
            let name = entry.file_name();
            return Err(Fail::failed(format!(
                "{shown} is left alone: '{}' in it is no part of a usipc namespace; move it away first",
                name.to_string_lossy()
            )));
        }
    }
    Ok(())
}

fn is_part(entry: &fs::DirEntry) -> bool {
    let (name, kind) = (entry.file_name(), entry.file_type());
    let is_room = ROOMS.iter().any(|&room| name == room);
    kind.is_ok_and(|kind| if is_room { kind.is_dir() } else { name == LIMITS && kind.is_file() })
}

/// Removes the parts of a namespace and then its directory, if nothing else is in it.
pub fn remove(dir: &Path) -> Result<(), String> {
    let missing = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    let parts = ROOMS.iter().map(|room| (room, missing(fs::remove_dir_all(dir.join(room)))));
    for (name, result) in parts.chain([(&LIMITS, missing(fs::remove_file(dir.join(LIMITS))))]) {
        result.map_err(|error| format!("cannot remove {}: {error}", dir.join(name).display()))?;
    }
    fs::remove_dir(dir)
        .map_err(|error| format!("{} is empty now, but the directory itself stays: {error}", dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn fresh(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("usipc-tree-{}-{name}", std::process::id()));
        fs::create_dir_all(dir.join("msg")).unwrap();
        fs::create_dir_all(dir.join("procs")).unwrap();
        fs::write(dir.join(LIMITS), "msgmax=1M\n").unwrap();
        fs::write(dir.join("msg/0"), "x").unwrap();
        dir
    }

    #[test]
    fn a_namespace_is_removed_whole() {
        let dir = fresh("whole");
        std::os::unix::fs::symlink("/", dir.join("msg/link")).unwrap();
        assert!(check(&dir).is_ok());
        assert_eq!(remove(&dir), Ok(()));
        assert!(!dir.exists() && Path::new("/").exists());
    }

    #[test]
    fn a_strangers_file_is_not() {
        let dir = fresh("stranger");
        for name in ["letter.txt", "keys"] {
            fs::write(dir.join(name), "x").unwrap();
            assert!(check(&dir).is_err(), "{name}");
            fs::remove_file(dir.join(name)).unwrap();
        }
        fs::remove_dir(dir.join("procs")).unwrap();
        assert!(check(&dir).is_err());
        fs::write(dir.join("letter.txt"), "x").unwrap();
        assert!(remove(&dir).is_err());
        assert!(dir.join("letter.txt").exists());
        fs::remove_dir_all(&dir).unwrap();
    }
}
