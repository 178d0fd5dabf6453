//! Memory of a process over time, and the fitted line.

use std::fmt::Write as _;

use crate::report::budgets::memory::{MemoryRecord, WARM_UP_SECONDS};

use super::panel::{Panel, WIDTH, numbers};
use super::svg::{Svg, px, ticks, time_unit};

const HEIGHT: f64 = 170.0;

/// Draws the plot.
pub fn draw(memory: &MemoryRecord) -> String {
    let (end, _) = memory.last().unwrap_or_default();
    let (unit, unit_seconds) = time_unit(end);
    let end_in_unit = (end / unit_seconds).max(1e-3);
    let ranges = || memory.over_time.iter().filter_map(|(time, bin)| Some((time, bin.range()?)));
    let (least, most) = ranges().fold((f64::INFINITY, 0.0f64), |(least, most), (_, range)| {
        (least.min(range.0.into()), most.max(range.1.into()))
    });
    // At least ten megabytes: less is the noise of pages.
    let room = (most - least).max(10.0) * 0.1;
    let (least, most) = ((least - room).max(0.0), (most + room).max(least + 10.0));
    let y_ticks = ticks(least, most, 4.0);
    let mut svg = Svg::new(WIDTH, HEIGHT + 54.0, "Memory over time");
    let panel = Panel::new((6.0, 6.0 + HEIGHT), (0.0, end_in_unit), (least, most));
    panel.background(&mut svg);
    panel.y_axis(&mut svg, "memory (MB)", &y_ticks, numbers(&y_ticks));
    let x_ticks = ticks(0.0, end_in_unit, 8.0);
    panel.x_grid(&mut svg, &x_ticks);
    let mut path = String::new();
    for (time, (low, high)) in ranges() {
        let x = panel.x.at(time as f64 / 1e9 / unit_seconds).clamp(panel.left, panel.right);
        for value in if low == high { vec![low] } else { vec![low, high] } {
            let letter = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{} {}", px(x), px(panel.y.at(value.into())));
        }
    }
    svg.path("memory", &path);
    if let Some(line) = memory.line() {
        let at = |seconds: f64| {
            let value = line.intercept + line.slope * seconds / 3600.0;
            (panel.x.at(seconds / unit_seconds), panel.y.at(value.max(0.0)))
        };
        let ((x1, y1), (x2, y2)) = (at(WARM_UP_SECONDS), at(end));
        svg.line("trend", [x1, y1, x2, y2]);
    }
    panel.x_axis(&mut svg, &format!("time ({unit})"), &x_ticks, numbers(&x_ticks));
    svg.end()
}
