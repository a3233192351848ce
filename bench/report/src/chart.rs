//! A chart of a curve as SVG and PNG: a panel per series, a line per side.

use crate::curves::{Curve, Series};
use crate::run::Side;
use crate::stats::Measured;
use crate::Points;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{register_font, FontStyle};
use std::error::Error;
use std::path::Path;

type Outcome = Result<(), Box<dyn Error>>;

const PANEL: (u32, u32) = (480, 360);
const TITLE: u32 = 36;

fn colour(side: Side) -> RGBColor {
    match side {
        Side::Kernel => RGBColor(120, 120, 120),
        Side::Usipc => RGBColor(0, 90, 200),
        Side::Peer => RGBColor(220, 120, 0),
    }
}

fn legend(series: &Series, side: Side) -> &'static str {
    match side {
        Side::Peer if series.scene.starts_with("sem") => "glibc sem_t",
        Side::Peer => "Boost",
        _ => side.name(),
    }
}

/// `OUT/<file>.svg` and `.png`.
pub fn write(out: &Path, curve: &Curve, points: &[Points]) -> Outcome {
    register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular())
        .map_err(|_| "the font does not load")?;
    let columns = if points.len() > 4 { 3 } else { points.len().min(2) };
    let rows = points.len().div_ceil(columns);
    let size = (PANEL.0 * columns as u32, PANEL.1 * rows as u32 + TITLE);
    let svg = out.join(format!("{}.svg", curve.file));
    let png = out.join(format!("{}.png", curve.file));
    draw(&SVGBackend::new(&svg, size).into_drawing_area(), curve, points, (rows, columns))?;
    draw(&BitMapBackend::new(&png, size).into_drawing_area(), curve, points, (rows, columns))?;
    Ok(())
}

fn draw<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    curve: &Curve,
    points: &[Points],
    grid: (usize, usize),
) -> Outcome
where
    B::ErrorType: 'static,
{
    area.fill(&WHITE)?;
    let below = area.titled(curve.title, ("sans-serif", 18))?;
    for ((series, points), panel) in curve.series.iter().zip(points).zip(below.split_evenly(grid)) {
        draw_panel(&panel, curve, series, points)?;
    }
    area.present()?;
    Ok(())
}

/// Where a point stands: 0 has no place on a logarithmic axis and stands at 1.
fn place(curve: &Curve, n: u64, ns: f64) -> (f64, f64) {
    let x = (n as f64).max(1.0);
    (x, if curve.throughput { n as f64 * 1e3 / ns } else { ns })
}

fn line(curve: &Curve, points: &[(u64, Measured)], side: Side) -> Vec<(f64, f64)> {
    let found = points.iter().filter_map(|(n, m)| m.median(side).map(|ns| place(curve, *n, ns)));
    found.filter(|(_, y)| *y > 0.0).collect()
}

/// From the power of ten below the least to the one above the most.
fn decades(values: impl Iterator<Item = f64> + Clone) -> std::ops::Range<f64> {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.fold(0.0, f64::max);
    if most == 0.0 {
        return 1.0..10.0;
    }
    let (low, high) = (least.log10().floor(), most.log10().ceil());
    10f64.powf(low)..10f64.powf(if high > low { high } else { low + 1.0 })
}

fn draw_panel<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    curve: &Curve,
    series: &Series,
    points: &[(u64, Measured)],
) -> Outcome
where
    B::ErrorType: 'static,
{
    let lines: Vec<_> = series.sides().into_iter().map(|side| (side, line(curve, points, side))).collect();
    let all = || lines.iter().flat_map(|(_, line)| line.iter());
    let across = points.iter().map(|(n, _)| (*n as f64).max(1.0));
    let (least, most) = (across.clone().fold(f64::INFINITY, f64::min), across.fold(2.0, f64::max));
    let mut chart = ChartBuilder::on(area)
        .caption(series.label, ("sans-serif", 15))
        .margin(8)
        .x_label_area_size(42)
        .y_label_area_size(70)
        .build_cartesian_2d((least..most).log_scale(), decades(all().map(|p| p.1)).log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(RGBColor(240, 240, 240))
        .x_desc(curve.across)
        .y_desc(if curve.throughput { "MB/s" } else { "ns" })
        .x_label_formatter(&|x| short(*x))
        .y_label_formatter(&|y| short(*y))
        .label_style(("sans-serif", 12))
        .draw()?;
    for (side, line) in &lines {
        let style = ShapeStyle { color: colour(*side).into(), filled: true, stroke_width: 2 };
        chart
            .draw_series(LineSeries::new(line.iter().copied(), style).point_size(3))?
            .label(legend(series, *side))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(("sans-serif", 12))
        .draw()?;
    Ok(())
}

/// 1500 as 1.5k.
fn short(value: f64) -> String {
    let (value, unit) = match value {
        v if v >= 1e9 => (v / 1e9, "G"),
        v if v >= 1e6 => (v / 1e6, "M"),
        v if v >= 1e3 => (v / 1e3, "k"),
        v => (v, ""),
    };
    let text = if value < 1.0 { format!("{value:.2}") } else { format!("{value:.1}") };
    format!("{}{unit}", text.trim_end_matches(".0"))
}
