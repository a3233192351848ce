//! docs/benchmarks/results.json: every value of every run.

use crate::stats::Measured;
use crate::Results;
use serde_json::{json, Map, Value};

fn measured(measured: &Measured) -> Value {
    let mut object = Map::new();
    for side in crate::sides(true) {
        let Some(values) = measured.side(side) else { continue };
        let value = match &values.skip {
            Some(reason) => json!({ "runs": values.runs, "skip": reason }),
            None => json!({ "runs": values.runs, "median": values.median() }),
        };
        object.insert(side.name().into(), value);
    }
    object.insert("ratio".into(), json!(measured.ratio()));
    Value::Object(object)
}

/// All of it, as text.
pub fn document(results: &Results) -> serde_json::Result<String> {
    let machine: Map<_, _> =
        results.machine.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let rows = results.rows.iter().map(|(row, m)| {
        json!({ "row": row.name, "label": row.label, "group": row.group, "unit": row.unit, "bar": format!("{:?}", row.bar),
                "measured": measured(m) })
    });
    let curves = results.curves.iter().map(|(curve, series)| {
        let series = curve.series.iter().zip(series).map(|(of, points)| {
            let points = points.iter().map(|(n, m)| json!({ "number": n, "measured": measured(m) }));
            json!({ "scene": of.scene, "label": of.label, "points": points.collect::<Vec<_>>() })
        });
        json!({ "curve": curve.file, "title": curve.title, "number": curve.across, "series": series.collect::<Vec<_>>() })
    });
    let document = json!({
        "machine": machine, "runs": results.runs, "quick": results.quick,
        "rows": rows.collect::<Vec<_>>(), "curves": curves.collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Side;

    #[test]
    fn a_skipped_side_keeps_its_reason() {
        let mut m = Measured::default();
        m.add(Side::Kernel, Err("too many".into()));
        m.add(Side::Usipc, Ok(2.0));
        let value = measured(&m);
        assert_eq!(value["kernel"]["skip"], "too many");
        assert_eq!(value["usipc"]["median"], 2.0);
        assert_eq!(value["ratio"], Value::Null);
    }
}
