//! The command line, and how a bad one is refused: one line, exit status 2.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::doctor;
use crate::fail::Fail;
use crate::private::{self, WatchArgs};
use crate::{doctor::DoctorArgs, ls::LsArgs, rm::RmArgs, run::RunArgs};

/// System V and POSIX IPC in user space, without the kernel's.
#[derive(Parser)]
#[command(name = "usipc", version, disable_help_subcommand = true)]
#[command(after_help = "See usipc(1). `usipc run -- PROGRAM` is the place to start.")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run a program whose IPC is usipc's
    Run(RunArgs),
    /// List the objects of a namespace
    Ls(LsArgs),
    /// Remove objects, or a whole namespace
    Rm(RmArgs),
    /// Say which directory and limits hold here, and whether the preload works
    Doctor(DoctorArgs),
    /// What `usipc doctor` runs under the preload
    #[command(hide = true, name = doctor::preload::SUBCOMMAND)]
    Probe,
    /// What `usipc run --private` leaves behind to clean up
    #[command(hide = true, name = private::SUBCOMMAND)]
    Watch(WatchArgs),
}

/// Prints help and version as asked; anything else is one line and exit status 2.
pub fn refuse(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            println!("{}", error.to_string().trim_end());
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Fail::bad_input(nothing_given(subcommand().as_deref())).report()
        }
        _ => Fail::bad_input(format!("{} ({})", one_line(&error.to_string()), help_for())).report(),
    }
}

/// The first paragraph of clap's message, and its tip, on one line.
fn one_line(message: &str) -> String {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut paragraphs = message.split("\n\n");
    let mut line = words(paragraphs.next().unwrap_or_default());
    for tip in paragraphs.filter(|p| p.trim_start().starts_with("tip:")) {
        line.push_str("; ");
        line.push_str(&words(tip));
    }
    line
}

/// `usipc --help`, or that of the subcommand which was typed.
fn help_for() -> String {
    match subcommand() {
        Some(word) => format!("see usipc {word} --help"),
        None => "see usipc --help".to_string(),
    }
}

fn nothing_given(subcommand: Option<&str>) -> &'static str {
    match subcommand {
        Some("rm") => {
            "nothing to remove given: type usipc rm msg ID, usipc rm sem ID, usipc rm shm ID, usipc rm mq /NAME, usipc rm psem /NAME, usipc rm pshm /NAME, usipc rm all or usipc rm namespace"
        }
        _ => {
            "no command given: type usipc run -- PROGRAM, usipc ls, usipc rm or usipc doctor (usipc --help says more)"
        }
    }
}

fn subcommand() -> Option<String> {
    let word = std::env::args_os().nth(1)?.into_string().ok()?;
    ["run", "ls", "rm", "doctor"].contains(&word.as_str()).then_some(word)
}
