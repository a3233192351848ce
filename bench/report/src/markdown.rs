//! docs/benchmarks/RESULTS.md.

use crate::plan::{Bar, Row};
use crate::run::Side;
use crate::stats::Measured;
use crate::Results;
use std::fmt::Write;

/// 1234567 as 1,234,567; small values with what matters of their fraction.
pub fn number(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What the bar asks for, in words; and whether it is met. None: not known.
fn judge(row: &Row, measured: &Measured, results: &Results) -> (String, Option<bool>) {
    let usipc = measured.median(Side::Usipc);
    let ahead = || Some(usipc? < measured.median(Side::Peer)?);
    match row.bar {
        Bar::None => (String::new(), None),
        Bar::Ratio(least) => (format!("{least}"), measured.ratio().map(|r| r >= least)),
        Bar::RatioAndPeer(least) => {
            // Where the peer could not be measured, nobody can say.
            let met = measured.ratio().zip(ahead()).map(|(r, ahead)| r >= least && ahead);
            (format!("{least}, ahead of peer"), met)
        }
        Bar::Under(most) => (format!("under {most} {}", row.unit), usipc.map(|u| u < most)),
        Bar::Added(most) => {
            let added = usipc.zip(measured.median(Side::Kernel)).map(|(u, k)| u - k);
            let said = added.map(|a| format!(", adds {} ns", number(a.max(0.0)))).unwrap_or_default();
            (format!("adds at most {} ns{said}", number(most)), added.map(|a| a <= most))
        }
        Bar::Growth(most, base) => {
            let base =
                results.rows.iter().find(|(r, _)| r.name == base).and_then(|(_, m)| m.median(Side::Usipc));
            let growth = usipc.zip(base).map(|(u, b)| u / b);
            let said = growth.map(|g| format!(", is {g:.2}")).unwrap_or_default();
            (format!("growth under {most}{said}"), growth.map(|g| g < most))
        }
    }
}

fn cell(measured: &Measured, side: Side) -> String {
    let Some(values) = measured.side(side) else { return "-".into() };
    match (values.median(), values.range()) {
        (Some(median), Some((min, max))) => format!("{} ({}-{})", number(median), number(min), number(max)),
        _ => format!("did not run: {}", values.skip.as_deref().unwrap_or("unknown")),
    }
}

fn table(text: &mut String, group: &str, results: &Results) -> std::fmt::Result {
    let of_group = || results.rows.iter().filter(|(row, _)| row.group == group);
    let peers = of_group().any(|(row, _)| row.peer);
    let peer = |words: String| if peers { format!(" {words} |") } else { String::new() };
    writeln!(text, "\n## {group}\n")?;
    writeln!(text, "| row | kernel | usipc |{} kernel / usipc | bar | met |", peer("peer".into()))?;
    writeln!(text, "|---|---|---|{}---|---|---|", if peers { "---|" } else { "" })?;
    for (row, measured) in of_group() {
        let (bar, met) = judge(row, measured, results);
        let met = match met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let unit = if row.unit == "ns" { String::new() } else { format!(", {}", row.unit) };
        let ratio = match row.bar {
            Bar::Growth(..) | Bar::Under(_) | Bar::Added(_) => String::new(),
            _ => measured.ratio().map(number).unwrap_or_default(),
        };
        let (kernel, usipc) = (cell(measured, Side::Kernel), cell(measured, Side::Usipc));
        let peer = peer(cell(measured, Side::Peer));
        writeln!(
            text,
            "| {}{unit} (`{}`) | {kernel} | {usipc} |{peer} {ratio} | {bar} | {met} |",
            row.label, row.name
        )?;
    }
    Ok(())
}

fn points(text: &mut String, results: &Results) -> std::fmt::Result {
    for (curve, series) in &results.curves {
        writeln!(text, "\n### {}\n\n![{}]({}.svg)\n", curve.title, curve.title, curve.file)?;
        for (of, points) in curve.series.iter().zip(series) {
            let numbers: Vec<_> = points.iter().map(|(n, _)| n.to_string()).collect();
            writeln!(text, "| {}; {} | {} |", of.label, curve.across, numbers.join(" | "))?;
            writeln!(text, "|---|{}", "---|".repeat(points.len()))?;
            let mut reasons: Vec<String> = Vec::new();
            for side in of.sides() {
                let values = points.iter().map(|(n, measured)| {
                    let skip = measured.skip(side).map(|reason| format!("{} at {n}: {reason}.", side.name()));
                    reasons.extend(skip);
                    measured.median(side).map_or("-".into(), number)
                });
                let values: Vec<_> = values.collect();
                writeln!(text, "| {}, ns | {} |", side.name(), values.join(" | "))?;
            }
            writeln!(text)?;
            for reason in reasons {
                writeln!(text, "- {reason}")?;
            }
            writeln!(text)?;
        }
    }
    Ok(())
}

/// All of it.
pub fn document(results: &Results) -> String {
    let mut text = String::new();
    compose(&mut text, results).expect("writing to a string does not fail");
    text
}

fn compose(text: &mut String, results: &Results) -> std::fmt::Result {
    writeln!(text, "# The benchmark\n")?;
    writeln!(
        text,
        "Written by `make bench`{}; the rows are explained by `bench/run.sh kernel list`. Each row is played {} times on each \
         side in turn; a figure is the median in nanoseconds for one operation unless the row says otherwise, with least and \
         most. pair = send and receive, or down and up; cross = two processes on two CPUs, same = both on one. Peers: \
         Boost.Interprocess's message_queue, glibc's process-shared sem_t.\n",
        if results.quick { " with QUICK=1: short samples, fewer points" } else { "" },
        results.runs
    )?;
    writeln!(text, "| | |\n|---|---|")?;
    for (name, value) in &results.machine {
        writeln!(text, "| {name} | {value} |")?;
    }
    writeln!(text, "\n{}", summary(results))?;
    let mut seen: Vec<&str> = Vec::new();
    for (row, _) in &results.rows {
        if !seen.contains(&row.group) {
            seen.push(row.group);
            table(text, row.group, results)?;
        }
    }
    if !results.curves.is_empty() {
        writeln!(text, "\n## Cost curves\n\nBoth axes are logarithmic. Also as PNG.")?;
    }
    points(text, results)
}

/// How many bars are met.
pub fn summary(results: &Results) -> String {
    let verdicts: Vec<_> = results.rows.iter().map(|(row, m)| (row, judge(row, m, results))).collect();
    let count = |met| verdicts.iter().filter(|(_, (_, v))| *v == Some(met)).count();
    let unknown =
        verdicts.iter().filter(|(row, (_, v))| v.is_none() && !matches!(row.bar, Bar::None)).count();
    let missed: Vec<_> = verdicts
        .iter()
        .filter(|(_, (_, v))| *v == Some(false))
        .map(|(row, _)| format!("`{}`", row.name))
        .collect();
    let missed = if missed.is_empty() { String::new() } else { format!(": {}", missed.join(", ")) };
    format!("{} bars met, {} missed{missed}; {unknown} could not be judged.", count(true), count(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(1234567.4), "1,234,567");
        assert_eq!(number(123.0), "123");
        assert_eq!(number(12.34), "12.3");
        assert_eq!(number(0.5), "0.50");
    }
}
