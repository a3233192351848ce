//! `make bench`: plays the rows of the benchmark on the kernel, on usipc and on their peers, in turn, and writes
//! a table, JSON and charts.

mod chart;
mod curves;
mod json;
mod machine;
mod markdown;
mod plan;
mod run;
mod stats;

use run::{Runner, Side};
use stats::Measured;
use std::path::PathBuf;

/// What the command line says.
struct Options {
    /// Of the tree: bench/run.sh is there.
    top: PathBuf,
    out: PathBuf,
    runs: usize,
    quick: bool,
    /// Rows and curves whose name contains one of these; empty: all.
    only: Vec<String>,
    /// Why Boost is not measured, if it is not.
    no_boost: Option<String>,
}

const USAGE: &str = "usage: usipc-bench TOP OUT [--quick] [--runs N] [--no-boost REASON] [--only TEXT]...";

fn options() -> Option<Options> {
    let mut words = std::env::args().skip(1);
    let (top, out) = (words.next()?.into(), words.next()?.into());
    let mut options = Options { top, out, runs: 0, quick: false, only: Vec::new(), no_boost: None };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => options.quick = true,
            "--runs" => options.runs = words.next()?.parse().ok().filter(|n| *n > 0)?,
            "--no-boost" => options.no_boost = words.next().filter(|reason| !reason.is_empty()),
            "--only" => options.only.extend(words.next()),
            _ => return None,
        }
    }
    if options.runs == 0 {
        options.runs = if options.quick { 3 } else { 5 };
    }
    Some(options)
}

/// The points of a series: the number, and what was measured there.
pub type Points = Vec<(u64, Measured)>;

/// Everything that was measured.
pub struct Results {
    /// What ran where.
    pub machine: Vec<(String, String)>,
    /// How often each row was played on each side.
    pub runs: usize,
    /// Short samples, few points.
    pub quick: bool,
    /// The rows of the table, in its order.
    pub rows: Vec<(plan::Row, Measured)>,
    /// The curves, and the points of their series.
    pub curves: Vec<(curves::Curve, Vec<Points>)>,
}

fn measure(options: &Options) -> Results {
    let machine = machine::facts(&options.top);
    let wanted =
        |name: &str| options.only.is_empty() || options.only.iter().any(|o| name.contains(o.as_str()));
    let rows: Vec<_> = plan::rows().into_iter().filter(|r| wanted(r.name)).collect();
    let curves: Vec<_> = curves::CURVES.iter().copied().filter(|c| wanted(c.file)).collect();
    let points: usize = curves.iter().map(|c| c.series.len() * c.numbers(options.quick).len()).sum();
    let mut runner = Runner::new(options, rows.len() + points);

    let rows = rows
        .into_iter()
        .map(|row| {
            let measured = runner.row(row.name, &row.sides(), options.runs);
            (row, measured)
        })
        .collect();
    let runs = if options.quick { 1 } else { options.runs };
    let curves = curves
        .into_iter()
        .map(|curve| {
            let series = curve
                .series
                .iter()
                .map(|series| {
                    let numbers = curve.numbers(options.quick);
                    let points = numbers.iter().map(|&n| {
                        let name = format!("{}:{n}", series.scene);
                        (n, runner.row(&name, &series.sides(), runs))
                    });
                    points.collect()
                })
                .collect();
            (curve, series)
        })
        .collect();
    Results { machine, runs: options.runs, quick: options.quick, rows, curves }
}

fn write(options: &Options, results: &Results) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(&options.out)?;
    for (curve, points) in &results.curves {
        chart::write(&options.out, curve, points)?;
    }
    std::fs::write(options.out.join("results.json"), json::document(results)?)?;
    std::fs::write(options.out.join("RESULTS.md"), markdown::document(results))?;
    Ok(())
}

fn main() -> std::process::ExitCode {
    let Some(options) = options() else {
        eprintln!("{USAGE}");
        return 2.into();
    };
    let results = measure(&options);
    match write(&options, &results) {
        Ok(()) => {
            eprintln!("{}", markdown::summary(&results));
            0.into()
        }
        Err(error) => {
            eprintln!("usipc-bench: {}: {error}", options.out.display());
            1.into()
        }
    }
}

/// The sides of a row that has a peer, or has none.
pub fn sides(peer: bool) -> Vec<Side> {
    let mut sides = vec![Side::Kernel, Side::Usipc];
    if peer {
        sides.push(Side::Peer);
    }
    sides
}
