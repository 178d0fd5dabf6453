//! A detected face in pixels of the detector's input, and what several decoders need to read one.

use crate::core::face::region::Landmarks5;
use crate::core::geometry::rect::{Point, Rect};

/// A face in pixels of the detector's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Bounding box; it may leave the input.
    pub rect: Rect,
    /// 0..=1, on the scale of the detector's family; scores of two families are not comparable.
    pub score: f32,
    /// Eyes, nose and mouth corners, if the detector gives all five.
    pub landmarks: Option<Landmarks5>,
}

/// Strides in pixels of the feature maps of YuNet, SCRFD and RetinaFace.
pub(super) const STRIDES: [u32; 3] = [8, 16, 32];

/// Reads ten numbers as five points; `None` for another count.
pub(super) fn five_points(values: &[f32], point: impl Fn(f32, f32) -> Point) -> Option<Landmarks5> {
    let (pairs, []) = values.as_chunks::<2>() else { return None };
    let pairs: &[[f32; 2]; 5] = pairs.try_into().ok()?;
    Some(pairs.map(|[x, y]| point(x, y)))
}
