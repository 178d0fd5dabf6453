//! BlazeFace (Bazarevsky et al., 2019), MediaPipe's detector: offsets from anchors of one size.

use super::detection::Detection;
use crate::core::geometry::rect::{Rect, Size};

/// Cells along a side and anchors to a cell. MediaPipe's anchors have 4 layers with 2 anchors to a
/// cell, of strides 8, 16, 16, 16 (front, 128 pixels) or 16, 32, 32, 32 (back, 256 pixels); layers
/// of one stride are merged, which is 16x16 cells of 2 and 8x8 cells of 6 in both
/// (`ssd_anchors_calculator.cc` with `fixed_anchor_size`).
pub(super) const GRIDS: [(usize, usize); 2] = [(16, 2), (8, 6)];

/// Numbers of a row: centre, extent, and six points (eyes, nose tip, mouth, ears).
pub(super) const VALUES: usize = 16;

/// Reads the logits and the boxes, each in one output or in one for each grid.
///
/// Of an anchor at `(x, y)`: centre `(x + r0, y + r1)`, extent `(r2, r3)`, all in pixels of the
/// input; the score is the logistic function of the logit. The model gives the mouth's centre and not
/// its corners, so its points cannot be the five landmarks.
pub(super) fn decode(
    outputs: &[&[f32]],
    size: Size,
    threshold: f32,
    mut found: impl FnMut(Detection),
) {
    let (logits, boxes) = outputs.split_at(outputs.len() / 2);
    let logits = logits.iter().flat_map(|part| part.iter());
    let boxes = boxes.iter().flat_map(|part| part.chunks_exact(VALUES));
    let anchors = GRIDS.into_iter().flat_map(|(side, count)| {
        (0..side * side * count).map(move |index| {
            let cell = index / count;
            let centre = |n: usize| (n as f32 + 0.5) / side as f32;
            (centre(cell % side), centre(cell / side))
        })
    });
    for ((logit, r), (x, y)) in logits.zip(boxes).zip(anchors) {
        let score = 1.0 / (1.0 + (-logit).exp());
        if score > threshold {
            let (x, y) = (x * size.width as f32 + r[0], y * size.height as f32 + r[1]);
            found(Detection {
                rect: Rect::new(x - r[2] / 2.0, y - r[3] / 2.0, r[2], r[3]),
                score,
                landmarks: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_anchor_of_each_grid_by_hand() {
        let mut logits = [vec![-9.0; 512], vec![-9.0; 384]];
        let mut boxes = [vec![0.0; 512 * VALUES], vec![0.0; 384 * VALUES]];
        // Anchor 35 of the first grid: cell 17, column 1, row 1, centre 24 of 256.
        logits[0][35] = 0.0;
        boxes[0][35 * VALUES..35 * VALUES + 4].copy_from_slice(&[1.0, 2.0, 10.0, 20.0]);
        // Anchor 59 of the second grid: cell 9, column 1, row 1, centre 48 of 256.
        logits[1][59] = 3f32.ln();
        boxes[1][59 * VALUES..59 * VALUES + 4].copy_from_slice(&[0.0, 0.0, 4.0, 4.0]);
        let expected = [
            Detection { rect: Rect::new(20.0, 16.0, 10.0, 20.0), score: 0.5, landmarks: None },
            Detection { rect: Rect::new(46.0, 46.0, 4.0, 4.0), score: 0.75, landmarks: None },
        ];
        let back = Size::new(256, 256);
        let check = |outputs: &[&[f32]]| {
            let mut found = Vec::new();
            decode(outputs, back, 0.4, |d| found.push(d));
            assert_eq!(found.len(), 2);
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found.rect, expected.rect);
                assert!((found.score - expected.score).abs() < 1e-6);
            }
        };
        check(&[&logits[0], &logits[1], &boxes[0], &boxes[1]]);
        check(&[&logits.concat(), &boxes.concat()]);
    }
}
