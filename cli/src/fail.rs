//! How the command ends when it cannot do what it was asked: one line and an exit status.

use std::fmt::Display;
use std::process::ExitCode;

/// The exit statuses: 1, 2 and, as the shell and env(1) have them, 126 and 127.
const FAILED: u8 = 1;
const BAD_INPUT: u8 = 2;

/// One line for standard error and the exit status.
pub struct Fail {
    status: u8,
    line: Option<String>,
}

impl Fail {
    /// What was asked for makes no sense; the line says what is wrong and what to do.
    pub fn bad_input(line: impl Display) -> Fail {
        Fail::with_status(BAD_INPUT, line)
    }

    /// What was asked for could not be done.
    pub fn failed(line: impl Display) -> Fail {
        Fail::with_status(FAILED, line)
    }

    /// Everything was said already; only the exit status (1) is left.
    pub fn said() -> Fail {
        Fail { status: FAILED, line: None }
    }

    /// `line` with an exit status of its own.
    pub fn with_status(status: u8, line: impl Display) -> Fail {
        Fail { status, line: Some(line.to_string()) }
    }

    /// The line alone, for a report that goes on.
    pub fn line(self) -> String {
        self.line.unwrap_or_default()
    }

    /// Prints the line and gives the exit status.
    pub fn report(self) -> ExitCode {
        if let Some(line) = self.line {
            say(line);
        }
        ExitCode::from(self.status)
    }
}

/// A line of ours on standard error.
pub fn say(line: impl Display) {
    eprintln!("usipc: {line}");
}
