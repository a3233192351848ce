//! What was measured of a row.

use crate::run::Side;

/// The middle of the values, or the mean of the middle two.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    match n {
        0 => None,
        _ if n % 2 == 1 => Some(sorted[n / 2]),
        _ => Some((sorted[n / 2 - 1] + sorted[n / 2]) / 2.0),
    }
}

/// A side's values, run by run; or why it has none.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// In the order of the runs.
    pub runs: Vec<f64>,
    /// Why the row does not run here.
    pub skip: Option<String>,
}

impl Values {
    /// Unless there are none.
    pub fn median(&self) -> Option<f64> {
        median(&self.runs)
    }
    /// Unless there are none.
    pub fn range(&self) -> Option<(f64, f64)> {
        let min = self.runs.iter().copied().min_by(f64::total_cmp)?;
        let max = self.runs.iter().copied().max_by(f64::total_cmp)?;
        Some((min, max))
    }
}

/// A row's values on each side.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    sides: [Option<Values>; 3],
}

impl Measured {
    /// Notes a run.
    pub fn add(&mut self, side: Side, outcome: Result<f64, String>) {
        let values = self.sides[side as usize].get_or_insert_default();
        match outcome {
            Ok(value) => values.runs.push(value),
            Err(reason) => values.skip = Some(reason),
        }
    }
    /// What was measured on this side, if it was asked.
    pub fn side(&self, side: Side) -> Option<&Values> {
        self.sides[side as usize].as_ref()
    }
    /// Why it does not run on this side.
    pub fn skip(&self, side: Side) -> Option<&str> {
        self.side(side)?.skip.as_deref()
    }
    /// A side's median.
    pub fn median(&self, side: Side) -> Option<f64> {
        self.side(side)?.median()
    }
    /// The kernel's cost by usipc's: above 1, usipc is faster.
    pub fn ratio(&self) -> Option<f64> {
        Some(self.median(Side::Kernel)? / self.median(Side::Usipc)?).filter(|r| r.is_finite())
    }
    /// For the progress report.
    pub fn in_words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        for side in crate::sides(true) {
            if let Some(median) = self.median(side) {
                words.push(format!("{} {median:.0}", side.name()));
            } else if let Some(reason) = self.skip(side) {
                words.push(format!("{} skipped ({reason})", side.name()));
            }
        }
        if let Some(ratio) = self.ratio() {
            words.push(format!("ratio {ratio:.2}"));
        }
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn ratios_need_both_sides() {
        let mut measured = Measured::default();
        measured.add(Side::Kernel, Ok(100.0));
        assert_eq!(measured.ratio(), None);
        measured.add(Side::Usipc, Err("no".into()));
        assert_eq!(measured.ratio(), None);
        measured.add(Side::Usipc, Ok(50.0));
        assert_eq!(measured.ratio(), Some(2.0));
    }
}
