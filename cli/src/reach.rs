//! Programs that LD_PRELOAD does not reach, told before they run rather than by silence.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Enough of an ELF file to hold its header and its program headers.
const HEAD_BYTES: u64 = 4096;
const PT_INTERP: u32 = 3;

/// Why the library would not be loaded into `program`, a phrase; nothing when it would or one cannot tell.
pub fn unreachable(program: &OsStr) -> Option<&'static str> {
    let path = find(program)?;
    let metadata = fs::metadata(&path).ok()?;
    let mut head = Vec::new();
    File::open(&path).ok()?.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    // SAFETY: these cannot fail.
    let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    let other_user = metadata.mode() & libc::S_ISUID != 0 && metadata.uid() != uid;
    let other_group = metadata.mode() & libc::S_ISGID != 0 && metadata.gid() != gid;
    if other_user || other_group {
        return Some("is set-uid or set-gid, for which the dynamic linker ignores LD_PRELOAD");
    }
    elf_obstacle(&head)
}

/// As execvp(3) finds it.
fn find(program: &OsStr) -> Option<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return Some(program.into());
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(program)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o111 != 0)
}

fn elf_obstacle(head: &[u8]) -> Option<&'static str> {
    const CLASS: u8 = if cfg!(target_pointer_width = "64") { 2 } else { 1 };
    if !head.starts_with(b"\x7fELF") {
        return None;
    }
    if *head.get(4)? != CLASS {
        return Some("has another word size than the library");
    }
    match has_interpreter(head)? {
        true => None,
        false => Some("is statically linked"),
    }
}

/// Whether the file asks for a dynamic linker; nothing for a byte order or a layout that is not ours.
fn has_interpreter(head: &[u8]) -> Option<bool> {
    let half = |at: usize| Some(u16::from_ne_bytes(head.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_ne_bytes(head.get(at..at + 4)?.try_into().ok()?));
    // e_phoff, e_phentsize and e_phnum of Elf64_Ehdr and Elf32_Ehdr (elf(5)).
    let (offset, size, count) = if cfg!(target_pointer_width = "64") {
        let offset = u64::from_ne_bytes(head.get(32..40)?.try_into().ok()?);
        (usize::try_from(offset).ok()?, half(54)?, half(56)?)
    } else {
        (word(28)? as usize, half(42)?, half(44)?)
    };
    for index in 0..usize::from(count) {
        if word(offset.checked_add(index * usize::from(size))?)? == PT_INTERP {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_is_reached_and_a_script_is_no_elf_file() {
        assert_eq!(unreachable(env::current_exe().unwrap().as_os_str()), None);
        assert_eq!(elf_obstacle(b"#!/bin/sh\n"), None);
        assert_eq!(unreachable(OsStr::new("/no/such/program")), None);
    }

    #[test]
    fn a_static_program_is_told() {
        let mut head = fs::read(env::current_exe().unwrap()).unwrap();
        head.truncate(HEAD_BYTES as usize);
        let size = usize::from(u16::from_ne_bytes(head[54..56].try_into().unwrap()));
        let count = usize::from(u16::from_ne_bytes(head[56..58].try_into().unwrap()));
        for index in 0..count {
            head[64 + index * size] = 0;
        }
        if cfg!(target_pointer_width = "64") {
            assert_eq!(elf_obstacle(&head), Some("is statically linked"));
        }
        head[4] = 3 - head[4];
        assert_eq!(elf_obstacle(&head), Some("has another word size than the library"));
        // Cut off in the middle: no verdict, no panic.
        for length in 0..64 {
            let _ = elf_obstacle(&head[..length]);
        }
    }
}
