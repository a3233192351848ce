//! Whether the preload takes in a program: this command runs itself under it and makes a queue.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::{env, fs, io};

use super::{Finding, State};
use crate::fail::Fail;
use crate::place::Place;
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

/// In the child: makes a queue by libc's msgget(2), looks for its file, and removes it.
pub fn probe() -> Result<(), Fail> {
    let dir = env::var_os("USIPC_DIR").unwrap_or_default();
    let before = queues(&dir);
    // SAFETY: no pointers.
    let id = unsafe { libc::msgget(libc::IPC_PRIVATE, 0o600) };
    if id == -1 {
        let error = io::Error::last_os_error();
        return Err(Fail::failed(format!("msgget: {error} (in {})", dir.to_string_lossy())));
    }
    let appeared: Vec<String> = queues(&dir).difference(&before).cloned().collect();
    // SAFETY: IPC_RMID takes no buffer.
    let removed = unsafe { libc::msgctl(id, libc::IPC_RMID, std::ptr::null_mut()) } == 0;
    // Another process may make queues at the same moment: ours is the one of the identifier's index.
    let ours = (id & 0x7fff).to_string();
    if !appeared.contains(&ours) {
        return Err(Fail::failed("the kernel's msgget answered: the preload did not take in the child"));
    }
    if !removed {
        return Err(Fail::failed(format!("msgctl(IPC_RMID) left msg/{ours} behind")));
    }
    println!("its msgget made msg/{ours} in the namespace");
    Ok(())
}

fn queues(dir: &OsString) -> BTreeSet<String> {
    let entries = fs::read_dir(std::path::Path::new(dir).join("msg")).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
