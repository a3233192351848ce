//! Plays a row by bench/run.sh: on one side after the other, and again.

use crate::stats::Measured;
use crate::Options;
use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

/// Who serves the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Linux's own IPC.
    Kernel,
    /// The library, preloaded.
    Usipc,
    /// Boost.Interprocess for queues, glibc's sem_t for semaphores.
    Peer,
}

impl Side {
    /// As bench/run.sh and the results call it.
    pub fn name(self) -> &'static str {
        match self {
            Side::Kernel => "kernel",
            Side::Usipc => "usipc",
            Side::Peer => "peer",
        }
    }
}

/// Plays rows, and says on stderr how far it is.
pub struct Runner<'a> {
    options: &'a Options,
    done: usize,
    total: usize,
    /// Rows that the table has twice are played once.
    known: HashMap<String, Measured>,
    started: std::time::Instant,
}

impl<'a> Runner<'a> {
    /// For so many rows.
    pub fn new(options: &'a Options, total: usize) -> Self {
        Runner { options, done: 0, total, known: HashMap::new(), started: std::time::Instant::now() }
    }

    /// Plays a row `runs` times on each of these sides, in turn. A side that has failed is not asked again.
    pub fn row(&mut self, row: &str, sides: &[Side], runs: usize) -> Measured {
        self.done += 1;
        if let Some(measured) = self.known.get(row) {
            return measured.clone();
        }
        let mut measured = Measured::default();
        for run in 0..runs {
            for &side in sides {
                self.progress(row, side, run, runs);
                if measured.skip(side).is_none() {
                    measured.add(side, self.play(row, side));
                }
            }
        }
        let seconds = self.started.elapsed().as_secs();
        eprintln!(
            "{}[{:3}/{} {seconds:4} s] {row:24} {}",
            clear_line(),
            self.done,
            self.total,
            measured.in_words()
        );
        self.known.insert(row.to_string(), measured.clone());
        measured
    }

    fn progress(&self, row: &str, side: Side, run: usize, runs: usize) {
        if std::io::stderr().is_terminal() {
            eprint!("{}{row}: {} of {runs}, {}", clear_line(), run + 1, side.name());
            let _ = std::io::stderr().flush();
        }
    }

    /// One run: the median of its samples, or why there is none.
    fn play(&self, row: &str, side: Side) -> Result<f64, String> {
        if let (Side::Peer, true, Some(reason)) = (side, row.starts_with("mq-"), &self.options.no_boost) {
            return Err(reason.clone());
        }
        let (length, count) = if self.options.quick { ("20", "1") } else { ("60", "3") };
        let output = Command::new(self.options.top.join("bench/run.sh"))
            .args([side.name(), "-t", length, "-c", count, row])
            .stdin(Stdio::null())
            .output()
            .map_err(|e| format!("bench/run.sh: {e}"))?;
        let mut values = Vec::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let line: serde_json::Value = serde_json::from_str(line).map_err(|e| format!("{e} in {line}"))?;
            if let Some(reason) = line["skip"].as_str() {
                return Err(reason.to_string());
            }
            values.extend(line["value"].as_f64());
        }
        crate::stats::median(&values).ok_or_else(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("{}: {}", output.status, said.lines().next_back().unwrap_or("nothing said"))
        })
    }
}

fn clear_line() -> &'static str {
    if std::io::stderr().is_terminal() {
        "\r\x1b[K"
    } else {
        ""
    }
}
