//! The distribution of latencies, with percentiles and budget.

use std::time::Duration;

use gstgaze::core::latency::LatencyHistogram;

use super::panel::{Panel, WIDTH, numbers};
use super::svg::{Anchor, Svg, ticks};

const BARS: usize = 60;
const HEIGHT: f64 = 220.0;
/// Height of the line of a mark, above the panel.
const ROW: f64 = 15.0;

/// Draws the plot; 99 % must stay below `budget`.
pub fn draw(histogram: &LatencyHistogram, budget: Duration) -> String {
    let ms = |ns: u64| ns as f64 / 1e6;
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| ms(histogram.percentile_ns(share)));
    let budget = budget.as_secs_f64() * 1e3;
    // Few latencies may be far longer than the rest: one bar at the right holds them all.
    let shown = (p99 * 1.25).max(budget * 1.2);
    let step = ticks(0.0, shown, 8.0);
    let step = if let [a, b, ..] = step[..] { b - a } else { shown };
    let end = (shown / step).ceil() * step;
    let width = end / BARS as f64;
    let mut bars = [0u64; BARS + 1];
    for (ns, count) in histogram.buckets() {
        bars[((ms(ns) / width) as usize).min(BARS)] += count;
    }
    let count = histogram.count().max(1) as f64;
    let share = |bar: u64| bar as f64 / count * 100.0;
    let most = bars.iter().map(|bar| share(*bar)).fold(1.0, f64::max);

    let top = 4.0 + 4.0 * ROW;
    let mut svg = Svg::new(WIDTH, top + HEIGHT + 46.0, "Distribution of latencies");
    let room = end + width;
    let panel = Panel::new((top, top + HEIGHT), (0.0, room), (0.0, most * 1.04));
    panel.background(&mut svg);
    let y_ticks = ticks(0.0, most, 6.0);
    panel.y_axis(&mut svg, "frames (%)", &y_ticks, numbers(&y_ticks));
    for (index, bar) in bars.iter().enumerate().filter(|(_, bar)| **bar > 0) {
        let (left, right) =
            (panel.x.at(index as f64 * width), panel.x.at((index + 1) as f64 * width));
        let y = panel.y.at(share(*bar)).min(panel.bottom - 1.0);
        let class = if index == BARS { "bar beyond" } else { "bar" };
        svg.rect(class, [left + 0.5, y, right - left - 1.0, panel.bottom - y]);
    }
    let marks = [
        ("mark", p50, format!("p50 {p50:.1}")),
        ("mark", p95, format!("p95 {p95:.1}")),
        ("mark", p99, format!("p99 {p99:.1}")),
        ("limit", budget, format!("budget {budget:.0} ms")),
    ];
    for (row, (class, at, text)) in marks.into_iter().enumerate() {
        let (x, y) = (panel.x.at(at), 4.0 + (row as f64 + 0.8) * ROW);
        svg.line(class, [x, y - 9.0, x, panel.bottom]);
        let (x, anchor) =
            if x > panel.right - 90.0 { (x - 4.0, Anchor::End) } else { (x + 4.0, Anchor::Start) };
        svg.text(&format!("{class}-text"), (x, y), anchor, &text);
    }
    if bars[BARS] > 0 {
        let text =
            format!("beyond: {} up to {:.0} ms \u{2192}", bars[BARS], ms(histogram.max_ns()));
        svg.text("tick", (panel.right - 16.0, panel.top + 14.0), Anchor::End, &text);
    }
    let x_ticks: Vec<f64> = ticks(0.0, end, 8.0);
    panel.x_axis(&mut svg, "latency (ms)", &x_ticks, numbers(&x_ticks));
    svg.end()
}
