//! UltraFace (Linzaer, Ultra-Light-Fast-Generic-Face-Detector-1MB): boxes that need no decoding.

use super::detection::Detection;
use crate::core::geometry::rect::{Rect, Size};

/// Boxes to a cell of each feature map, whose strides are 8, 16, 32 and 64
/// (`vision/ssd/config/fd_config.py`, `min_boxes`).
const BOXES: [(u32, usize); 4] = [(8, 3), (16, 2), (32, 2), (64, 3)];

/// The number of boxes for an input of this size.
pub(super) fn rows(size: Size) -> usize {
    let cells =
        |stride| size.width.div_ceil(stride) as usize * size.height.div_ceil(stride) as usize;
    BOXES.iter().map(|(stride, boxes)| cells(*stride) * boxes).sum()
}

/// Reads `scores` (background, face) and `boxes` (x1, y1, x2, y2 as fractions of the input).
pub(super) fn decode(
    outputs: &[&[f32]],
    size: Size,
    threshold: f32,
    mut found: impl FnMut(Detection),
) {
    let (width, height) = (size.width as f32, size.height as f32);
    for (s, b) in outputs[0].chunks_exact(2).zip(outputs[1].chunks_exact(4)) {
        if s[1] > threshold {
            found(Detection {
                rect: Rect::from_corners(b[0] * width, b[1] * height, b[2] * width, b[3] * height),
                score: s[1],
                landmarks: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_models_have_these_rows() {
        assert_eq!(rows(Size::new(320, 240)), 4420);
        assert_eq!(rows(Size::new(640, 480)), 17640);
    }

    #[test]
    fn the_second_score_is_the_face() {
        let scores = [0.9, 0.1, 0.2, 0.8, 0.5, f32::NAN];
        let boxes = [0.0, 0.0, 1.0, 1.0, 0.25, 0.5, 0.5, 0.75, 0.0, 0.0, 1.0, 1.0];
        let mut found = Vec::new();
        decode(&[&scores, &boxes], Size::new(320, 240), 0.7, |d| found.push(d));
        let rect = Rect::from_corners(80.0, 120.0, 160.0, 180.0);
        assert_eq!(found, [Detection { rect, score: 0.8, landmarks: None }]);
    }
}
