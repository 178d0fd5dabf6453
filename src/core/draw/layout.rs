//! Lays out faces as primitives in pixels. It touches no pixel.

use std::fmt::Write as _;

use super::scene::{Item, Primitive, Scene};
use super::style::{Argb, Style};
use super::text::Metrics;
use crate::core::gaze::GazeEstimate;
use crate::core::geometry::angles::{Gaze, HeadPose};
use crate::core::geometry::rect::{PixelRect, Point, Rect, Size};

/// Opacity of a reused result against a fresh one.
const REUSED: f32 = 0.75;
/// The eyes' distance below the top of a box without landmarks, as a fraction of its height: the mean
/// over 87 boxes with landmarks that YuNet and SCRFD found in the test pictures.
const EYE_LINE: f32 = 0.4;
/// Colours of the head's axes: to its side, up, forwards.
const AXES: [Argb; 3] = [Argb(0xfff0_5050), Argb(0xff40_d060), Argb(0xff50_a0ff)];

impl Scene {
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
                fade: if face.age > 0 { REUSED } else { 1.0 },
            }
            .face(face, metrics);
            self.faces.push(first..self.items.len());
        }
    }
}

/// Adds the primitives of one face to a scene.
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
                self.push(Primitive::Dot { center, radius: self.line }, self.style.box_color);
            }
        }
        if let Some(pose) = face.region.head_pose.filter(|_| parts.head_pose) {
            let reach = (rect.width + rect.height) / 4.0;
            for (axis, color) in head_axes(pose).into_iter().zip(AXES) {
                let to = Point { x: eyes.x + axis[0] * reach, y: eyes.y + axis[1] * reach };
                self.push(Primitive::Line { from: eyes, to }, color);
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

    fn push(&mut self, primitive: Primitive, color: Argb) {
        let color = color.faded(self.fade);
        self.scene.items.push(Item { primitive, color, width: self.line, opacity: self.fade });
    }

    /// Draws only the corners, which show the box and leave the face free.
    fn corners(&mut self, rect: &Rect) {
        let reach = rect.width.min(rect.height) * 0.2;
        let (left, right, top, bottom) = (rect.x, rect.right(), rect.y, rect.bottom());
        for (x, dx) in [(left, reach), (right, -reach)] {
            for (y, dy) in [(top, reach), (bottom, -reach)] {
                let tip = Point { x, y };
                self.push(Primitive::Corner { tip, dx, dy }, self.style.box_color);
            }
        }
    }

    fn arrow(&mut self, [from, to]: [Point; 2]) {
        let color = self.style.arrow_color;
        // A gaze into the camera has no extent in the picture, so a dot shows it.
        if (to.x - from.x).hypot(to.y - from.y) > 2.0 * self.line {
            self.push(Primitive::Arrow { from, to }, color);
        }
        self.push(Primitive::Dot { center: from, radius: 1.6 * self.line }, color);
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
        self.push(Primitive::Label { plate, pen, leading, text }, self.style.text_color);
    }

    /// The place of a plate in the frame: above the box, below it, or inside it, where no other plate
    /// is if possible. `None` if the frame is too small.
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
            !self.scene.items.iter().any(|item| match &item.primitive {
                Primitive::Label { plate, .. } => overlap(plate, place),
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

/// Start and end of the arrow of a face: the x and y of its gaze direction in the picture. `None` for
/// a face without gaze.
pub fn gaze_arrow(face: &GazeEstimate, style: &Style) -> Option<[Point; 2]> {
    let [x, y, _] = face.gaze.filter(|gaze| gaze.is_finite())?.direction();
    let (from, rect) = (eyes(face), face.region.rect);
    let length = style.arrow(rect.width, rect.height);
    Some([from, Point { x: from.x + x * length, y: from.y + y * length }])
}

/// The point between the eyes: from the landmarks if known, or else at the usual height in the box.
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

/// The x and y of the head's axes in the picture: towards the image's right for a head that faces the
/// camera, up, and forwards. Roll rotates the first two about the third.
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

/// How many lines a label has.
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

/// Writes degrees with a sign and one decimal, padded on the left to `digits` digits before the point.
/// U+2212 is as wide as the plus.
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
