//! `usipc run`: becomes the program, with the library preloaded on a namespace.

use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;

use usipc_core::namespace::Namespace;

use crate::fail::{say, Fail};
use crate::place::{c_string, PlaceArgs};
use crate::{preload, private, reach};

/// As the shell, env(1) and nohup(1) have them.
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

#[derive(clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// A fresh namespace, removed when the program and everybody else who used it have ended
    #[arg(long, conflicts_with_all = ["namespace", "dir"])]
    private: bool,
    /// The program and its arguments
    #[arg(value_name = "PROGRAM", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// Execs the program, and so returns only when it could not.
pub fn run(args: &RunArgs) -> Fail {
    match prepare(args) {
        Ok(command) => exec(&command),
        Err(fail) => fail,
    }
}

fn prepare(args: &RunArgs) -> Result<Vec<CString>, Fail> {
    let command: Vec<CString> = args.command.iter().map(|word| c_string(word)).collect::<Result<_, _>>()?;
    let library = preload::library()?;
    if let Some(why) = reach::unreachable(&args.command[0]) {
        let program = args.command[0].to_string_lossy();
        say(format!("warning: {program} {why}, so it will use the kernel's objects"));
    }
    let dir = if args.private { private::create()? } else { args.place.choose()?.dir };
    Namespace::open(&dir).map_err(Fail::bad_input)?;
    if args.private {
        private::start_watcher(&dir)?;
    }
    // Later readers of the environment must not find another namespace than the one resolved here.
    env::set_var("USIPC_DIR", OsStr::from_bytes(dir.as_bytes()));
    env::set_var("LD_PRELOAD", preload::appended(env::var_os("LD_PRELOAD"), &library));
    Ok(command)
}

/// execvp(3) itself: std's Command would reset the signal mask that the program is to inherit.
fn exec(command: &[CString]) -> Fail {
    let mut words: Vec<*const libc::c_char> = command.iter().map(|word| word.as_ptr()).collect();
    words.push(std::ptr::null());
    // SAFETY: a null-terminated array of C strings that live until exec or the end of this function.
    unsafe { libc::execvp(words[0], words.as_ptr()) };
    let error = io::Error::last_os_error();
    let program = command[0].to_string_lossy();
    match error.raw_os_error() {
        Some(libc::ENOENT) => Fail::with_status(NOT_FOUND, format!("{program}: no such program")),
        _ => Fail::with_status(NOT_EXECUTABLE, format!("cannot run {program}: {error}")),
    }
}
