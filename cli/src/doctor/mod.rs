//! `usipc doctor`: what holds here, and what is wrong.

mod kernel;
pub mod preload;
mod storage;

use serde_json::{json, Value};
use usipc_core::limits::{self, Source};

use crate::fail::Fail;
use crate::place::{Place, PlaceArgs};

#[derive(clap::Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq)]
pub enum State {
    Ok,
    /// It works, with something lost or soon lost.
    Warning,
    /// Programs will not get usipc's objects.
    Bad,
    /// Nothing to judge.
    Fact,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Bad => "BAD",
            State::Fact => "",
        }
    }
}

/// One thing that was looked at.
pub struct Finding {
    pub state: State,
    pub what: String,
    pub text: String,
}

impl Finding {
    pub fn new(state: State, what: impl Into<String>, text: impl Into<String>) -> Finding {
        Finding { state, what: what.into(), text: text.into() }
    }
}

struct Section {
    title: &'static str,
    findings: Vec<Finding>,
}

/// Exit status 1 when a finding is bad.
pub fn doctor(args: &DoctorArgs) -> Result<(), Fail> {
    let sections = match args.place.choose() {
        Ok(place) => vec![
            Section { title: "directory", findings: storage::findings(&place) },
            Section { title: "preload", findings: preload::findings(&place) },
            Section { title: "limits", findings: limit_rows(Some(&place)) },
            Section { title: "kernel", findings: kernel::findings(&place) },
        ],
        // Whoever asked for a directory is told as by any command; the environment's is what one asks about.
        Err(fail) if args.place.given() => return Err(fail),
        Err(fail) => vec![
            Section {
                title: "directory",
                findings: vec![Finding::new(State::Bad, "namespace", fail.line())],
            },
            Section { title: "limits", findings: limit_rows(None) },
        ],
    };
    print!("{}", if args.json { as_json(&sections) } else { as_text(&sections) });
    let bad = sections.iter().flat_map(|s| &s.findings).any(|f| f.state == State::Bad);
    if bad {
        Err(Fail::said())
    } else {
        Ok(())
    }
}

fn limit_rows(place: Option<&Place>) -> Vec<Finding> {
    let row = |row: &limits::Row| {
        let source = match row.source {
            Source::Default => format!("the default; {} changes it", row.env),
            Source::Namespace => format!("from the namespace's file limits; the default is {}", row.default),
            Source::Environment => format!("from {}; the default is {}", row.env, row.default),
        };
        Finding::new(State::Fact, row.name, format!("{} {} ({source})", row.value, row.unit))
    };
    let namespace = place.and_then(|place| place.existing().ok().flatten());
    limits::rows(namespace.as_ref()).iter().map(row).collect()
}

fn as_text(sections: &[Section]) -> String {
    let width = sections.iter().flat_map(|s| &s.findings).map(|f| f.what.len()).max().unwrap_or(0);
    let mut out = String::new();
    for section in sections {
        out += &format!("{}\n", section.title);
        for finding in &section.findings {
            let (state, what) = (finding.state.word(), &finding.what);
            out += &format!("  {state:<7}  {what:<width$}  {}\n", finding.text);
        }
    }
    out
}

fn as_json(sections: &[Section]) -> String {
    let finding = |f: &Finding| {
        let state = if f.state == State::Fact { "fact" } else { f.state.word() };
        json!({ "state": state.to_lowercase(), "what": f.what, "text": f.text })
    };
    let whole: serde_json::Map<String, Value> =
        sections.iter().map(|s| (s.title.to_string(), s.findings.iter().map(finding).collect())).collect();
    format!("{:#}\n", Value::Object(whole))
}
