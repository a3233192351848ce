//! Whether the preload takes in a program: this command runs itself under it and makes an object of each kind.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::{env, fs, io};

use super::{Finding, State};
use crate::fail::Fail;
use crate::place::{c_string, Place};
use crate::preload::{appended, library};

/// The hidden subcommand that is run under the preload.
pub const SUBCOMMAND: &str = "probe-preload";

const WHAT: &str = "test child";

pub fn findings(place: &Place) -> Vec<Finding> {
    let library = match library() {
        Ok(library) => library,
        Err(fail) => return vec![Finding::new(State::Bad, "library", fail.line())],
    };
    let child = env::current_exe().and_then(|command| {
        Command::new(command)
            .arg(SUBCOMMAND)
            .env("USIPC_DIR", OsStr::from_bytes(place.dir.as_bytes()))
            .env("LD_PRELOAD", appended(env::var_os("LD_PRELOAD"), &library))
            .output()
    });
    let verdict = match child {
        Ok(output) if output.status.success() => {
            Finding::new(State::Ok, WHAT, String::from_utf8_lossy(&output.stdout).trim())
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.trim().lines().collect::<Vec<_>>().join("; ");
            let said = if said.is_empty() { output.status.to_string() } else { said };
            Finding::new(State::Bad, WHAT, said.trim_start_matches("usipc: "))
        }
        Err(error) => Finding::new(State::Bad, WHAT, format!("cannot be run: {error}")),
    };
    vec![Finding::new(State::Ok, "library", library.display().to_string()), verdict]
}

/// In the child: makes an object of each kind by libc's calls, looks for its file, and removes it.
pub fn probe() -> Result<(), Fail> {
    let dir = env::var_os("USIPC_DIR").unwrap_or_default();
    let made = [
        probe_numbered(&dir, "msgget", "msg")?,
        probe_numbered(&dir, "semget", "sem")?,
        probe_numbered(&dir, "shmget", "shm")?,
        probe_named(&dir, "sem_open", "psem")?,
        probe_named(&dir, "shm_open", "pshm")?,
    ];
    println!("made in the namespace: {}", made.join(", "));
    Ok(())
}

/// A System V object.
fn probe_numbered(dir: &OsStr, call: &str, room: &str) -> Result<String, Fail> {
    let before = entries(dir, room);
    // SAFETY: no pointers.
    let id = unsafe {
        match room {
            "msg" => libc::msgget(libc::IPC_PRIVATE, 0o600),
            "sem" => libc::semget(libc::IPC_PRIVATE, 1, 0o600),
            _ => libc::shmget(libc::IPC_PRIVATE, 1, 0o600),
        }
    };
    if id == -1 {
        return Err(refused(call, dir));
    }
    let appeared: Vec<String> = entries(dir, room).difference(&before).cloned().collect();
    // SAFETY: IPC_RMID takes no buffer.
    let removed = unsafe {
        match room {
            "msg" => libc::msgctl(id, libc::IPC_RMID, std::ptr::null_mut()),
            "sem" => libc::semctl(id, 0, libc::IPC_RMID),
            _ => libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()),
        }
    } == 0;
    // Another process may make objects at the same moment: ours is the one of the identifier's index.
    let ours = (id & 0x7fff).to_string();
    if !appeared.contains(&ours) {
        return Err(Fail::failed(format!(
            "the kernel's {call} answered: the preload did not take in the child"
        )));
    }
    if !removed {
        return Err(Fail::failed(format!("IPC_RMID left {room}/{ours} behind")));
    }
    Ok(format!("{call} {room}/{ours}"))
}

/// A semaphore or a shared memory object.
fn probe_named(dir: &OsStr, call: &str, room: &str) -> Result<String, Fail> {
    let name = format!("usipc-doctor-{}", std::process::id());
    let path = std::path::Path::new(dir).join(room).join(&name);
    let c_name = c_string(OsStr::new(&format!("/{name}")))?;
    let flags = libc::O_CREAT | libc::O_EXCL | libc::O_RDWR;
    // SAFETY: a C string, and the arguments that O_CREAT asks for; the process ends soon.
    let (made, found, removed) = unsafe {
        match room {
            "psem" => {
                let made = libc::sem_open(c_name.as_ptr(), flags, 0o600, 0) != libc::SEM_FAILED;
                (made, path.exists(), libc::sem_unlink(c_name.as_ptr()) == 0)
            }
            _ => {
                let made = libc::shm_open(c_name.as_ptr(), flags, 0o600) != -1;
                (made, path.exists(), libc::shm_unlink(c_name.as_ptr()) == 0)
            }
        }
    };
    match (made, found, removed) {
        (false, ..) => Err(refused(call, dir)),
        (_, false, _) => {
            Err(Fail::failed(format!("libc's {call} answered: the preload did not take in the child")))
        }
        (.., false) => Err(Fail::failed(format!("{call}'s object {room}/{name} could not be removed"))),
        _ => Ok(format!("{call} {room}/{name}")),
    }
}

fn refused(call: &str, dir: &OsStr) -> Fail {
    let error = io::Error::last_os_error();
    Fail::failed(format!("{call}: {error} (in {})", dir.to_string_lossy()))
}

fn entries(dir: &OsStr, room: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(std::path::Path::new(dir).join(room)).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
