//! What goes where: from faces to shapes in pixels. No pixel is touched here.

use std::fmt::Write as _;
use std::ops::Range;

use super::style::{Argb, Style};
use super::text::Metrics;
use crate::core::gaze::GazeEstimate;
use crate::core::geometry::{Gaze, HeadPose, PixelRect, Point, Rect, Size};

/// A carried result is this much of a fresh one's opacity.
const CARRIED: f32 = 0.75;
/// How far below the top of the box the eyes are, where no landmarks say so: the mean over 87
/// boxes with landmarks that YuNet and SCRFD gave for the test pictures.
const EYE_LINE: f32 = 0.4;
/// Colours of the head's axes: to its side, up, forwards.
const AXES: [Argb; 3] = [Argb(0xfff0_5050), Argb(0xff40_d060), Argb(0xff50_a0ff)];

/// One thing to draw, in pixels of the frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A corner of a box: two lines from `tip`, `dx` along the row and `dy` along the column.
    Corner {
        /// Where the lines meet.
        tip: Point,
        /// Extent along x, signed.
        dx: f32,
        /// Extent along y, signed.
        dy: f32,
    },
    /// A straight line.
    Line {
        /// One end.
        from: Point,
        /// The other.
        to: Point,
    },
    /// A line with a head at `to`.
    Arrow {
        /// Where it starts.
        from: Point,
        /// Where it points.
        to: Point,
    },
    /// A filled circle.
    Dot {
        /// Its centre.
        center: Point,
        /// Its radius.
        radius: f32,
    },
    /// Text on a dark plate.
    Label {
        /// The plate, in whole pixels, inside the frame.
        plate: PixelRect,
        /// Where the pen starts on the first baseline, in whole pixels.
        pen: [i32; 2],
        /// Pixels from one baseline to the next.
        leading: u32,
        /// Bytes of [`Scene::text`]; one or two lines.
        text: Range<usize>,
    },
}

/// A shape and how it looks.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What.
    pub shape: Shape,
    /// Colour of the line or text, already faded.
    pub color: Argb,
    /// Width of lines.
    pub width: f32,
    /// What halo and plate are multiplied with, 0..=1.
    pub opacity: f32,
}

impl Item {
    /// Width of the dark halo around lines, which keeps them visible on bright ground.
    pub fn halo(&self) -> f32 {
        (self.width * 0.5).max(1.0)
    }

    /// Width and length of an arrow's head, for an arrow of `length`.
    pub fn arrow_head(&self, length: f32) -> (f32, f32) {
        let head = (self.width * 5.5).min(length * 0.6);
        (head * 0.8, head)
    }

    /// The pixels of a frame of `size` that the shape may touch; empty where it is outside.
    pub fn bounds(&self, size: Size) -> PixelRect {
        let reach = self.width / 2.0 + self.halo() + 1.0;
        let rect = match &self.shape {
            Shape::Label { plate, .. } => return plate.clipped(size),
            Shape::Corner { tip, dx, dy } => {
                around(*tip, Point { x: tip.x + dx, y: tip.y + dy }, reach)
            }
            Shape::Line { from, to } => around(*from, *to, reach),
            Shape::Arrow { from, to } => {
                let length = (to.x - from.x).hypot(to.y - from.y);
                around(*from, *to, reach + self.arrow_head(length).0 / 2.0)
            }
            Shape::Dot { center, radius } => around(*center, *center, reach + radius),
        };
        // `as` saturates, and `clipped` does not overflow: a vast box is a box.
        let (x, y) = (rect.x.floor() as i32, rect.y.floor() as i32);
        let extent = |end: f32, start: i32| (end.ceil() as i32).saturating_sub(start).max(0) as u32;
        PixelRect::new(x, y, extent(rect.right(), x), extent(rect.bottom(), y)).clipped(size)
    }
}

/// The rectangle around two points, `reach` larger on each side.
fn around(a: Point, b: Point, reach: f32) -> Rect {
    let (x1, x2) = (a.x.min(b.x) - reach, a.x.max(b.x) + reach);
    let (y1, y2) = (a.y.min(b.y) - reach, a.y.max(b.y) + reach);
    Rect::from_corners(x1, y1, x2, y2)
}

/// Everything to draw on one frame, in order. Its memory is reused.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    size: Size,
    items: Vec<Item>,
    /// For each face of which something is drawn, its part of `items`.
    faces: Vec<Range<usize>>,
    text: String,
}

impl Scene {
    /// The frame that it was laid out for.
    pub fn size(&self) -> Size {
        self.size
    }

    /// All shapes, in the order in which they are drawn.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The shapes of one face after the other.
    pub fn faces(&self) -> impl Iterator<Item = &[Item]> {
        self.faces.iter().map(|range| &self.items[range.clone()])
    }

    /// What a label says.
    pub fn text(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// Lays out `faces`, whose boxes are in pixels of a frame of `size`.
    pub(super) fn lay_out(
        &mut self,
        faces: &[GazeEstimate],
        size: Size,
        style: &Style,
        metrics: Metrics,
    ) {
        self.size = size;
        self.items.clear();
        self.faces.clear();
        self.text.clear();
        for face in faces {
            let rect = face.region.rect;
            if rect.is_empty() || rect.intersect(&Rect::full(size)).is_empty() {
                continue;
            }
            let first = self.items.len();
            Pen {
                scene: self,
                style,
                line: style.line(size),
                fade: if face.age > 0 { CARRIED } else { 1.0 },
            }
            .face(face, metrics);
            self.faces.push(first..self.items.len());
        }
    }
}

/// Adds the shapes of one face to a scene.
struct Pen<'a> {
    scene: &'a mut Scene,
    style: &'a Style,
    line: f32,
    fade: f32,
}

impl Pen<'_> {
    fn face(&mut self, face: &GazeEstimate, metrics: Metrics) {
        let parts = self.style.parts;
        let rect = face.region.rect;
        let eyes = eyes(face);
        if parts.boxes {
            self.corners(&rect);
        }
        if parts.landmarks {
            for &center in face.region.landmarks.iter().flatten() {
                self.push(Shape::Dot { center, radius: self.line }, self.style.box_color);
            }
        }
        if let Some(pose) = face.region.head_pose.filter(|_| parts.head_pose) {
            let reach = (rect.width + rect.height) / 4.0;
            for (axis, color) in head_axes(pose).into_iter().zip(AXES) {
                let to = Point { x: eyes.x + axis[0] * reach, y: eyes.y + axis[1] * reach };
                self.push(Shape::Line { from: eyes, to }, color);
            }
        }
        let gaze = face.gaze.filter(|gaze| gaze.is_finite());
        if let Some(arrow) = gaze_arrow(face, self.style).filter(|_| parts.arrows) {
            self.arrow(arrow);
        }
        if parts.text {
            self.label(&rect, face.region.track_id, gaze, metrics);
        }
    }

    fn push(&mut self, shape: Shape, color: Argb) {
        let color = color.faded(self.fade);
        self.scene.items.push(Item { shape, color, width: self.line, opacity: self.fade });
    }

    /// Only the corners: they show the box and leave the face free.
    fn corners(&mut self, rect: &Rect) {
        let reach = rect.width.min(rect.height) * 0.2;
        let (left, right, top, bottom) = (rect.x, rect.right(), rect.y, rect.bottom());
        for (x, dx) in [(left, reach), (right, -reach)] {
            for (y, dy) in [(top, reach), (bottom, -reach)] {
                let tip = Point { x, y };
                self.push(Shape::Corner { tip, dx, dy }, self.style.box_color);
            }
        }
    }

    fn arrow(&mut self, [from, to]: [Point; 2]) {
        let color = self.style.arrow_color;
        // A gaze into the camera has no extent in the picture; its dot says that it is there.
        if (to.x - from.x).hypot(to.y - from.y) > 2.0 * self.line {
            self.push(Shape::Arrow { from, to }, color);
        }
        self.push(Shape::Dot { center: from, radius: 1.6 * self.line }, color);
    }

    fn label(&mut self, rect: &Rect, track: Option<u64>, gaze: Option<Gaze>, metrics: Metrics) {
        let start = self.scene.text.len();
        let pad = (metrics.em * 2).div_ceil(5);
        // Beside its neighbours' faces there is more room above a small face than to its side.
        for lines in [Lines::One, Lines::Two] {
            self.scene.text.truncate(start);
            write_label(&mut self.scene.text, track, gaze, lines);
            let width = columns(&self.scene.text[start..]) * metrics.advance + 2 * pad;
            if width as f32 <= 1.5 * rect.width {
                break;
            }
        }
        let text = start..self.scene.text.len();
        let label = self.scene.text(&text);
        let below_first = label.matches('\n').count() as u32 * metrics.line();
        let width = columns(label) * metrics.advance + 2 * pad;
        let height = metrics.cap_height + below_first + 2 * pad;
        let Some(plate) = self.place(rect, Size::new(width, height)) else {
            self.scene.text.truncate(start);
            return;
        };
        let pen = [plate.x + pad as i32, plate.y + (pad + metrics.cap_height) as i32];
        let leading = metrics.line();
        self.push(Shape::Label { plate, pen, leading, text }, self.style.text_color);
    }

    /// Where a plate goes: above the box, below it, or into it; inside the frame, and where no
    /// other one is if there is such a place. `None` where the frame is too small for it.
    fn place(&self, rect: &Rect, plate: Size) -> Option<PixelRect> {
        let frame = self.scene.size;
        let x_max = i32::try_from(frame.width.checked_sub(plate.width)?).ok()?;
        let y_max = i32::try_from(frame.height.checked_sub(plate.height)?).ok()?;
        let gap = (2.0 * self.line).ceil();
        let height = plate.height as f32;
        let x = (rect.x.round() as i32).clamp(0, x_max);
        let at = |y: f32| PixelRect::new(x, y.round() as i32, plate.width, plate.height);
        let above = at(rect.y - gap - height);
        let below = at(rect.bottom() + gap);
        let inside_top = at(rect.y.max(0.0) + gap);
        let inside_bottom = at(rect.bottom().min(frame.height as f32) - gap - height);
        let places = [above, below, inside_top, inside_bottom];
        let in_frame = |place: &PixelRect| (0..=y_max).contains(&place.y);
        let free = |place: &PixelRect| {
            !self.scene.items.iter().any(|item| match &item.shape {
                Shape::Label { plate, .. } => overlap(plate, place),
                _ => false,
            })
        };
        let mut fitting = places.into_iter().filter(in_frame);
        let any = fitting.clone().next();
        let place = fitting.find(free).or(any).unwrap_or(inside_top);
        Some(PixelRect { y: place.y.clamp(0, y_max), ..place })
    }
}

fn overlap(a: &PixelRect, b: &PixelRect) -> bool {
    !a.to_rect().intersect(&b.to_rect()).is_empty()
}

/// Where the arrow of a face starts and ends: its gaze as it would be seen in the picture, the
/// direction's x and y. `None` for a face without gaze.
pub fn gaze_arrow(face: &GazeEstimate, style: &Style) -> Option<[Point; 2]> {
    let [x, y, _] = face.gaze.filter(|gaze| gaze.is_finite())?.direction();
    let (from, rect) = (eyes(face), face.region.rect);
    let length = style.arrow(rect.width, rect.height);
    Some([from, Point { x: from.x + x * length, y: from.y + y * length }])
}

/// Between the eyes, where the landmarks are known; otherwise where eyes mostly are in a box.
fn eyes(face: &GazeEstimate) -> Point {
    let rect = face.region.rect;
    if let Some([right, left, ..]) = face.region.landmarks {
        let middle = Point { x: (right.x + left.x) / 2.0, y: (right.y + left.y) / 2.0 };
        if middle.x.is_finite() && middle.y.is_finite() {
            return middle;
        }
    }
    Point { x: rect.x + rect.width / 2.0, y: rect.y + rect.height * EYE_LINE }
}

/// Where the head's axes point in the picture, x and y each: towards the image's right for a head
/// that faces the camera, up, and forwards. Roll turns the first two about the third.
fn head_axes(pose: HeadPose) -> [[f32; 2]; 3] {
    let (sin_pitch, cos_pitch) = pose.pitch.sin_cos();
    let (sin_yaw, cos_yaw) = pose.yaw.sin_cos();
    let (sin_roll, cos_roll) = pose.roll.sin_cos();
    let [forward_x, forward_y, _] = Gaze::new(pose.pitch, pose.yaw).direction();
    // Perpendicular to forwards: within the horizontal plane, and its derivative by pitch.
    let side = [cos_yaw, 0.0];
    let up = [sin_pitch * sin_yaw, -cos_pitch];
    let turned = |a: [f32; 2], b: [f32; 2], sine: f32| {
        [a[0] * cos_roll + b[0] * sine, a[1] * cos_roll + b[1] * sine]
    };
    [turned(side, up, -sin_roll), turned(up, side, sin_roll), [forward_x, forward_y]]
}

/// How a label is broken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Two,
}

/// Characters of the longest line.
fn columns(text: &str) -> u32 {
    text.lines().map(|line| line.chars().count() as u32).max().unwrap_or(0)
}

/// Track, pitch and yaw; in two lines the angles stand below each other.
fn write_label(out: &mut String, track: Option<u64>, gaze: Option<Gaze>, lines: Lines) {
    let start = out.len();
    if let Some(id) = track {
        // Writing to a string does not fail.
        let _ = write!(out, "#{id} ");
    }
    let indent = out.len() - start;
    let Some(Gaze { pitch, yaw }) = gaze else { return out.push_str("no gaze") };
    out.push_str("pitch ");
    match lines {
        Lines::One => {
            write_degrees(out, pitch, 1);
            out.push_str("  yaw ");
            write_degrees(out, yaw, 1);
        }
        Lines::Two => {
            write_degrees(out, pitch, 2);
            let _ = write!(out, "\n{:indent$}yaw   ", "");
            write_degrees(out, yaw, 2);
        }
    }
}

/// Degrees with a sign and one decimal, right-aligned where less than `digits` digits are before the
/// point. The minus is a real one, as wide as the plus.
fn write_degrees(out: &mut String, angle: f32, digits: usize) {
    let tenths = (angle.to_degrees() * 10.0).round() as i32;
    let sign = if tenths < 0 { '\u{2212}' } else { '+' };
    let tenths = tenths.unsigned_abs();
    let (whole, tenth) = (tenths / 10, tenths % 10);
    let blank = digits.saturating_sub(whole.checked_ilog10().map_or(1, |log| log as usize + 1));
    let _ = write!(out, "{:blank$}{sign}{whole}.{tenth}\u{b0}", "");
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
