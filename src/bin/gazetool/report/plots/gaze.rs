//! Yaw and pitch over time, with the zones that the gaze settled in and the alarms.

use std::fmt::Write as _;

use crate::report::budgets::tally::{AlarmSpan, CLASSES, GazeBucket, GazeRecord};
use crate::report::budgets::time_buckets::MinMaxMean;
use gstgaze::core::monitor::Alarm;

use super::panel::{LEFT, Panel, RIGHT, WIDTH, numbers, text_width};
use super::svg::{Anchor, Scale, Svg, px, ticks, time_unit};

/// The line breaks at a pause longer than this, in nanoseconds, and than two buckets.
const PAUSE: u64 = 1_000_000_000;

const LANE: f64 = 20.0;
const PANEL: f64 = 180.0;
const GAP: f64 = 14.0;

/// Draws the plot; `of_road` where angles are relative to the road ahead; `length` in nanoseconds.
pub fn draw(record: &GazeRecord, spans: &[AlarmSpan], length: u64, of_road: bool) -> String {
    let lanes = if of_road { 2.0 * (LANE + 4.0) } else { 0.0 };
    let top = 4.0 + lanes;
    let mut svg = Svg::new(WIDTH, top + 2.0 * PANEL + GAP + 46.0, "Yaw and pitch over time");
    let (unit, seconds) = time_unit(length as f64 / 1e9);
    let end = (length as f64 / 1e9 / seconds).max(1e-3);
    let to_unit = 1.0 / 1e9 / seconds;
    let x = Scale::new((0.0, end), (LEFT, RIGHT));
    let runs = if of_road { class_runs(record, x, to_unit) } else { Vec::new() };
    let bars = if of_road { alarm_bars(spans, x, to_unit) } else { Vec::new() };
    if of_road {
        alarm_lane(&mut svg, &bars, (4.0, 4.0 + LANE));
        let y = 4.0 + LANE + 4.0;
        svg.text("tick", (LEFT - 6.0, y + LANE - 6.0), Anchor::End, "zone");
        strips(&mut svg, &runs, (y, y + LANE - 6.0), "");
    }
    let time_ticks = ticks(0.0, end, 8.0);
    let yaw_title =
        if of_road { "yaw, right +  (\u{b0})" } else { "yaw, image\u{2019}s left +  (\u{b0})" };
    let panels = [(yaw_title, "yaw"), ("pitch, up +  (\u{b0})", "pitch")];
    // Where buckets hold several frames, the line shows means and an area their spread.
    let frames: u32 = record.over_time.iter().map(|(_, bin)| bin.frames).max().unwrap_or_default();
    let dense = frames > 3;
    for (index, (title, which)) in panels.into_iter().enumerate() {
        let from = top + index as f64 * (PANEL + GAP);
        let bottom = from + PANEL;
        let of = |bin: &GazeBucket| if which == "yaw" { bin.yaw } else { bin.pitch };
        let (y_from, y_to) = range(record.over_time.iter().filter_map(|(_, bin)| of(bin).range()));
        let panel = Panel::new((from, bottom), (0.0, end), (y_from, y_to));
        panel.background(&mut svg);
        strips(&mut svg, &runs, (from, bottom), "faint");
        draw_bars(&mut svg, "alarm faint", &bars, (panel.top, panel.bottom));
        let y_ticks = ticks(y_from, y_to, 5.0);
        panel.y_axis(&mut svg, title, &y_ticks, numbers(&y_ticks));
        panel.x_grid(&mut svg, &time_ticks);
        if dense {
            svg.path(&format!("{which} spread"), &spread(record, &panel, to_unit, of));
        }
        svg.path(which, &trace(record, &panel, to_unit, |bin| of(bin).mean()));
        if index == panels.len() - 1 {
            let title = format!("time ({unit})");
            panel.x_axis(&mut svg, &title, &time_ticks, numbers(&time_ticks));
        }
    }
    svg.end()
}

/// The degrees that hold all values and straight ahead.
fn range(ranges: impl Iterator<Item = (f32, f32)>) -> (f64, f64) {
    let (low, high) =
        ranges.fold((-0.17f32, 0.17f32), |(low, high), (a, b)| (low.min(a), high.max(b)));
    let [low, high] = [low, high].map(|angle| f64::from(angle.to_degrees()).clamp(-180.0, 180.0));
    ((low / 5.0).floor() * 5.0, (high / 5.0).ceil() * 5.0)
}

/// A line through the means of the buckets.
fn trace(
    record: &GazeRecord,
    panel: &Panel,
    to_unit: f64,
    of: impl Fn(&GazeBucket) -> Option<f32>,
) -> String {
    let (mut path, mut last) = (String::new(), None);
    let pause = PAUSE.max(2 * record.over_time.width());
    for (time, bin) in record.over_time.iter() {
        let Some(mean) = of(bin) else { continue };
        let (x, y) = (panel.x.at(time as f64 * to_unit).min(panel.right), position(panel, mean));
        if last.is_some_and(|last| time - last <= pause) {
            let _ = write!(path, "L{} {}", px(x), px(y));
        } else {
            // h0 shows a lone point as a dot.
            let _ = write!(path, "M{} {}h0", px(x), px(y));
        }
        last = Some(time);
    }
    path
}

/// An area from the smallest to the largest value of every bucket.
fn spread(
    record: &GazeRecord,
    panel: &Panel,
    to_unit: f64,
    of: impl Fn(&GazeBucket) -> MinMaxMean,
) -> String {
    let mut path = String::new();
    let width = panel.x.length(record.over_time.width() as f64 * to_unit);
    for (time, bin) in record.over_time.iter() {
        let Some((low, high)) = of(bin).range() else { continue };
        let x = panel.x.at(time as f64 * to_unit) - width / 2.0;
        let (top, bottom) = (position(panel, high), position(panel, low));
        let (x, wide) = (px(x), px(width.min(panel.right - x)));
        let _ = write!(path, "M{x} {}h{wide}V{}H{x}z", px(top), px(bottom));
    }
    path
}

/// The position of an angle in radians.
fn position(panel: &Panel, angle: f32) -> f64 {
    panel.y.at(f64::from(angle.to_degrees()).clamp(-180.0, 180.0))
}

/// Spans in pixels in which the gaze settled in zones of one class.
fn class_runs(record: &GazeRecord, x: Scale, to_unit: f64) -> Vec<(usize, f64, f64)> {
    let width = record.over_time.width();
    let mut runs: Vec<(usize, f64, f64)> = Vec::new();
    let mut last: Option<u64> = None;
    for (time, bin) in record.over_time.iter() {
        let Some(class) = bin.class() else { continue };
        let from = x.at(time.saturating_sub(width / 2) as f64 * to_unit);
        let to = x.at((time + width / 2) as f64 * to_unit).min(RIGHT);
        let joined = last.is_some_and(|last| time - last <= PAUSE.max(2 * width));
        match runs.last_mut() {
            Some((_, _, end)) if joined => {
                // The time between two frames belongs to the first.
                *end = from.max(*end);
            }
            _ => {}
        }
        match runs.last_mut() {
            Some((known, _, end)) if joined && *known == class => *end = to,
            _ => runs.push((class, from, to)),
        }
        last = Some(time);
    }
    runs
}

/// Draws spans in the colours of their classes, one path per class.
fn strips(svg: &mut Svg, runs: &[(usize, f64, f64)], (top, bottom): (f64, f64), more: &str) {
    for class in 0..CLASSES {
        let mut path = String::new();
        for (_, from, to) in runs.iter().filter(|(of, ..)| *of == class) {
            let (width, height) = (px(to - from), px(bottom - top));
            let _ = write!(path, "M{} {}h{width}v{height}H{}z", px(*from), px(top), px(*from));
        }
        svg.path(&format!("class{class} {more}"), &path);
    }
}

/// A span of pixels with its alarms.
struct AlarmBar {
    from: f64,
    to: f64,
    alarms: Vec<Alarm>,
}

/// Merges spans that touch on the screen.
fn alarm_bars(spans: &[AlarmSpan], x: Scale, to_unit: f64) -> Vec<AlarmBar> {
    let mut bars: Vec<AlarmBar> = Vec::new();
    for span in spans {
        let [from, to] = [span.from, span.to].map(|time| x.at(time as f64 * to_unit));
        let from = from.min(RIGHT - 2.0);
        let to = to.clamp(from + 2.0, RIGHT);
        match bars.last_mut() {
            Some(last) if from < last.to + 1.0 => {
                last.to = last.to.max(to);
                if !last.alarms.contains(&span.alarm) {
                    last.alarms.push(span.alarm);
                }
            }
            _ => bars.push(AlarmBar { from, to, alarms: vec![span.alarm] }),
        }
    }
    bars
}

/// Draws the bars from `top` to `bottom`.
fn draw_bars(svg: &mut Svg, class: &str, bars: &[AlarmBar], (top, bottom): (f64, f64)) {
    let mut path = String::new();
    for AlarmBar { from, to, .. } in bars {
        let (x, width, height) = (px(*from), px(to - from), px(bottom - top));
        let _ = write!(path, "M{x} {}h{width}v{height}H{x}z", px(top));
    }
    svg.path(class, &path);
}

/// Draws the lane of alarms, with names where there is room.
fn alarm_lane(svg: &mut Svg, bars: &[AlarmBar], (top, bottom): (f64, f64)) {
    svg.text("tick", (LEFT - 6.0, bottom - 6.0), Anchor::End, "alarms");
    svg.rect("ground", [LEFT, top, RIGHT - LEFT, bottom - top]);
    draw_bars(svg, "alarm", bars, (top, bottom));
    let mut free = LEFT;
    for (index, AlarmBar { from, to, alarms }) in bars.iter().enumerate() {
        let names: Vec<&str> = alarms.iter().map(|alarm| alarm.name()).collect();
        let name = names.join(", ");
        let room = text_width(&name) + 8.0;
        let next = bars.get(index + 1).map_or(RIGHT, |next| next.from);
        let y = bottom - 6.0;
        if to - from >= room {
            svg.text("on-alarm", (from + 4.0, y), Anchor::Start, &name);
            free = *to;
        } else if next - to >= room {
            svg.text("tick", (to + 4.0, y), Anchor::Start, &name);
            free = to + room;
        } else if from - free >= room {
            svg.text("tick", (from - 4.0, y), Anchor::End, &name);
            free = *to;
        } else {
            free = *to;
        }
    }
}
