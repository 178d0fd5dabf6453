//! A heat map of the gaze over yaw and pitch, with the outlines of the zones.

use std::fmt::Write as _;

use crate::report::budgets::heat_map::{CELL, HeatMap, PITCH, YAW};
use crate::report::budgets::tally::class_index;
use gstgaze::core::monitor::ZoneMap;
use gstgaze::core::monitor::zones::shape::ZoneShape;

use super::panel::{LEFT, Panel, RIGHT, WIDTH, numbers};
use super::svg::{Anchor, Svg, px, stepped};

/// Shades of the cells.
const SHADES: usize = 6;

/// The most pixels of a degree, and of the height.
const MAX_PER_DEGREE: f64 = 14.0;
const MAX_HEIGHT: f64 = 560.0;

/// Draws the plot; `of_road` where angles are relative to the road ahead.
pub fn draw(heat: &HeatMap, zones: Option<&ZoneMap>, of_road: bool) -> String {
    let (yaw, pitch) = bounds(heat, zones);
    let per_degree = ((RIGHT - LEFT) / (yaw.1 - yaw.0))
        .min(MAX_HEIGHT / (pitch.1 - pitch.0))
        .min(MAX_PER_DEGREE);
    let height = (pitch.1 - pitch.0) * per_degree;
    // Degrees are as wide as high: the map is wider than the gaze.
    let more = ((RIGHT - LEFT) / per_degree - (yaw.1 - yaw.0)) / 2.0;
    // The driver's right is at the right; so is the image's left in camera coordinates.
    let yaw = (yaw.0 - more, yaw.1 + more);
    let mut svg = Svg::new(WIDTH, height + 50.0, "Heat map of the gaze");
    let panel = Panel::new((4.0, 4.0 + height), yaw, pitch);
    panel.background(&mut svg);
    let (x_ticks, y_ticks) = (degree_ticks(yaw.0, yaw.1), degree_ticks(pitch.0, pitch.1));
    panel.y_axis(&mut svg, "pitch, up +  (\u{b0})", &y_ticks, numbers(&y_ticks));
    panel.x_grid(&mut svg, &x_ticks);
    svg.clip("heat", panel.rect());
    for (shade, path) in cells(heat, &panel).iter().enumerate() {
        svg.path(&format!("heat{shade}"), path);
    }
    if let Some(zones) = zones {
        outlines(&mut svg, zones, &panel);
    }
    svg.unclip();
    let title = if of_road {
        "yaw, driver\u{2019}s right +  (\u{b0})"
    } else {
        "yaw, image\u{2019}s left +  (\u{b0})"
    };
    panel.x_axis(&mut svg, title, &x_ticks, numbers(&x_ticks));
    svg.end()
}

/// The degrees that hold the gaze and the zones.
fn bounds(heat: &HeatMap, zones: Option<&ZoneMap>) -> ((f64, f64), (f64, f64)) {
    let (mut yaw, mut pitch) = ((-20.0f64, 20.0f64), (-20.0f64, 20.0f64));
    let mut include = |x: f64, y: f64| {
        yaw = (yaw.0.min(x), yaw.1.max(x));
        pitch = (pitch.0.min(y), pitch.1.max(y));
    };
    for (row, counts) in heat.rows().enumerate() {
        for (column, _) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let at = |i: usize, from: f32| f64::from(from + i as f32 * CELL);
            include(at(column, YAW.0), at(row, PITCH.0));
            include(at(column + 1, YAW.0), at(row + 1, PITCH.0));
        }
    }
    for zone in zones.iter().flat_map(|map| &map.zones) {
        for [x, y] in zone.shape.iter().flat_map(corners) {
            include(x.clamp(YAW.0.into(), YAW.1.into()), y.clamp(PITCH.0.into(), PITCH.1.into()));
        }
    }
    let wide = |(low, high): (f64, f64)| ((low / 10.0).floor() * 10.0, (high / 10.0).ceil() * 10.0);
    (wide(yaw), wide(pitch))
}

/// Corners of a shape, or of its bounding box, in degrees.
fn corners(shape: &ZoneShape) -> Vec<[f64; 2]> {
    let degrees = |point: [f32; 2]| point.map(|angle| f64::from(angle.to_degrees()));
    match shape {
        ZoneShape::Polygon(corners) => corners.iter().copied().map(degrees).collect(),
        ZoneShape::Ellipse { centre, radii } => {
            let ([x, y], [rx, ry]) = (degrees(*centre), degrees(*radii));
            vec![[x - rx, y - ry], [x + rx, y + ry]]
        }
    }
}

/// One path per shade. Counts differ by powers of ten, so shades are steps of their logarithm.
fn cells(heat: &HeatMap, panel: &Panel) -> [String; SHADES] {
    let most = f64::from(heat.max().max(1)).ln_1p();
    let mut paths = [const { String::new() }; SHADES];
    let side = f64::from(CELL);
    for (row, counts) in heat.rows().enumerate() {
        let top = panel.y.at(f64::from(PITCH.0) + (row + 1) as f64 * side);
        let height = panel.y.length(side);
        let shade = |count: u32| {
            let part = f64::from(count).ln_1p() / most;
            (count > 0).then(|| ((part * SHADES as f64).ceil() as usize).clamp(1, SHADES) - 1)
        };
        let mut column = 0;
        while column < counts.len() {
            let begin = column;
            let found = shade(counts[begin]);
            while column < counts.len() && shade(counts[column]) == found {
                column += 1;
            }
            let Some(found) = found else { continue };
            let x = panel.x.at(f64::from(YAW.0) + begin as f64 * side);
            let width = panel.x.length((column - begin) as f64 * side);
            let (x, top, width, height) = (px(x), px(top), px(width), px(height));
            let _ = write!(paths[found], "M{x} {top}h{width}v{height}H{x}z");
        }
    }
    paths
}

/// Draws the zones with the numbers of the list below the plot.
fn outlines(svg: &mut Svg, zones: &ZoneMap, panel: &Panel) {
    let at = |[x, y]: [f64; 2]| (panel.x.at(x), panel.y.at(y));
    let mut numbers = Vec::new();
    for (index, zone) in zones.zones.iter().enumerate() {
        let class = format!("zone stroke{}", class_index(Some(zone.class)));
        let Some(shape) = &zone.shape else { continue };
        let corners = corners(shape);
        match shape {
            ZoneShape::Polygon(_) => {
                let mut path = String::new();
                for (i, corner) in corners.iter().enumerate() {
                    let ((x, y), letter) = (at(*corner), if i == 0 { 'M' } else { 'L' });
                    let _ = write!(path, "{letter}{} {}", px(x), px(y));
                }
                path.push('z');
                svg.path(&class, &path);
            }
            ZoneShape::Ellipse { centre, radii } => {
                let degrees = |angle: f32| f64::from(angle.to_degrees());
                let (cx, cy) = at(centre.map(degrees));
                let [rx, ry] = radii.map(degrees);
                svg.ellipse(&class, [cx, cy, panel.x.length(rx), panel.y.length(ry)]);
            }
        }
        // The number stands in the upper left corner, within the map.
        let [x, y] = corners.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[x, y], corner| {
            [x.min(corner[0]), y.max(corner[1])]
        });
        let (x, y) = match shape {
            ZoneShape::Polygon(_) => at([x, y]),
            ZoneShape::Ellipse { centre, .. } => at([f64::from(centre[0].to_degrees()), y]),
        };
        numbers.push((x.max(panel.left) + 4.0, y.max(panel.top) + 12.0, index + 1));
    }
    for (x, y, number) in numbers {
        svg.text("zone-number", (x, y), Anchor::Start, &number.to_string());
    }
}

/// Ticks of angles, every 10 or 20 degrees.
fn degree_ticks(from: f64, to: f64) -> Vec<f64> {
    stepped(from, to, if to - from > 120.0 { 20.0 } else { 10.0 })
}
