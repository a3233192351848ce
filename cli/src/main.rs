//! The command `usipc`: runs unmodified programs on a usipc namespace and shows what is in one.

mod args;
mod doctor;
mod fail;
mod ls;
mod names;
mod place;
mod preload;
mod private;
mod reach;
mod rm;
mod run;
mod sigpipe;
mod table;
mod tree;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;

fn main() -> ExitCode {
    sigpipe::restore();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return args::refuse(&error),
    };
    let result = match cli.command {
        Command::Run(run) => Err(run::run(&run)),
        Command::Ls(ls) => ls::ls(&ls),
        Command::Rm(rm) => rm::rm(&rm),
        Command::Doctor(doctor) => doctor::doctor(&doctor),
        Command::Probe => doctor::preload::probe(),
        Command::Watch(watch) => private::watch(&watch),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fail) => fail.report(),
    }
}
