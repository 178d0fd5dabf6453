//! Faces as GstStructures: the fields that `GazeMeta` and `GazeFaces` share.

use glib::prelude::*;

use super::MAX_FACES;
use crate::core::face::{EyeCorners, FaceRegion};
use crate::core::geometry::{HeadPose, Point, Rect, Size};

/// The name of the structure of one face.
pub(super) const FACE: &str = "face";

/// Writes a region as a structure: everything about a face except its gaze.
pub(super) fn from_region(region: &FaceRegion) -> gst::Structure {
    let FaceRegion { rect, confidence, track_id, landmarks, head_pose, eyes, eye_openness } =
        region;
    let mut s = gst::Structure::builder(FACE)
        .field("x", f64::from(rect.x))
        .field("y", f64::from(rect.y))
        .field("w", f64::from(rect.width))
        .field("h", f64::from(rect.height))
        .build();
    if let Some(confidence) = confidence {
        s.set("confidence", f64::from(*confidence));
    }
    if let Some(id) = track_id {
        s.set("track-id", id);
    }
    if let Some(points) = landmarks {
        s.set("landmarks", array(points));
    }
    if let Some([left, right]) = eyes {
        // From the image's left to its right.
        s.set("eyes", array(&[left.outer, left.inner, right.inner, right.outer]));
    }
    if let Some(openness) = eye_openness {
        s.set("eye-openness", gst::Array::new(openness.map(f64::from)));
    }
    if let Some(HeadPose { pitch, yaw, roll }) = head_pose {
        s.set("head-pitch", f64::from(*pitch));
        s.set("head-yaw", f64::from(*yaw));
        s.set("head-roll", f64::from(*roll));
    }
    s
}

/// The inverse of [`from_region`]; `None` without a box.
pub(super) fn to_region(s: &gst::StructureRef) -> Option<FaceRegion> {
    let rect = Rect::new(number(s, "x")?, number(s, "y")?, number(s, "w")?, number(s, "h")?);
    let head_pose = match (number(s, "head-pitch"), number(s, "head-yaw")) {
        (Some(pitch), Some(yaw)) => {
            Some(HeadPose { pitch, yaw, roll: number(s, "head-roll").unwrap_or(0.0) })
        }
        _ => None,
    };
    Some(FaceRegion {
        rect,
        confidence: number(s, "confidence"),
        track_id: s.get::<u64>("track-id").ok(),
        landmarks: points(s, "landmarks"),
        head_pose,
        eyes: points(s, "eyes").map(|[a, b, c, d]| {
            [EyeCorners { outer: a, inner: b }, EyeCorners { outer: d, inner: c }]
        }),
        eye_openness: numbers(s, "eye-openness"),
    })
}

/// Writes points as an array of alternating x and y.
fn array(points: &[Point]) -> gst::Array {
    gst::Array::new(points.iter().flat_map(|p| [f64::from(p.x), f64::from(p.y)]))
}

/// The inverse of [`array`]; `None` unless there are `N` points.
fn points<const N: usize>(s: &gst::StructureRef, name: &str) -> Option<[Point; N]> {
    let array = s.get::<gst::ArrayRef>(name).ok()?;
    let values = array.as_slice();
    if values.len() != 2 * N {
        return None;
    }
    let mut points = [Point::default(); N];
    for (point, pair) in points.iter_mut().zip(values.chunks_exact(2)) {
        point.x = finite(&pair[0])?;
        point.y = finite(&pair[1])?;
    }
    Some(points)
}

/// Reads `N` finite numbers; `None` for any other count.
fn numbers<const N: usize>(s: &gst::StructureRef, name: &str) -> Option<[f32; N]> {
    let array = s.get::<gst::ArrayRef>(name).ok()?;
    let values: &[glib::SendValue; N] = array.as_slice().try_into().ok()?;
    let mut numbers = [0.0; N];
    for (number, value) in numbers.iter_mut().zip(values) {
        *number = finite(value)?;
    }
    Some(numbers)
}

/// `None` if the value is no double, or no finite number of single precision.
fn finite(value: &glib::SendValue) -> Option<f32> {
    value.get::<f64>().ok().map(|v| v as f32).filter(|v| v.is_finite())
}

/// Reads a double field; `None` if it is absent, has another type, or is no finite number of single
/// precision.
pub(super) fn number(s: &gst::StructureRef, name: &str) -> Option<f32> {
    finite(s.value(name).ok()?)
}

/// Reads the fields `width` and `height`.
pub(super) fn size(s: &gst::StructureRef) -> Option<Size> {
    let side = |name| s.get::<i32>(name).ok().and_then(|v| u32::try_from(v).ok());
    Some(Size::new(side("width")?, side("height")?))
}

/// Writes the fields `width` and `height`.
pub(super) fn set_size(s: &mut gst::StructureRef, size: Size) {
    s.set("width", i32::try_from(size.width).unwrap_or(i32::MAX));
    s.set("height", i32::try_from(size.height).unwrap_or(i32::MAX));
}

/// Writes the field `faces`.
pub(super) fn set_faces(
    s: &mut gst::StructureRef,
    faces: impl IntoIterator<Item = gst::Structure>,
) {
    s.set("faces", gst::Array::new(faces.into_iter().map(|face| face.to_send_value())));
}

/// Calls `f` with the structure of each face, of the first [`MAX_FACES`].
pub(super) fn for_each_face(s: &gst::StructureRef, mut f: impl FnMut(&gst::StructureRef)) {
    let Ok(faces) = s.get::<gst::ArrayRef>("faces") else { return };
    for value in faces.as_slice().iter().take(MAX_FACES) {
        // Borrowed: a copy would cost memory for each face.
        if let Ok(face) = value.get::<&gst::StructureRef>() {
            f(face);
        }
    }
}
