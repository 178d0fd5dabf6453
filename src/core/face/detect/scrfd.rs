//! SCRFD (Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021):
//! distances from a cell's corner to the box's edges, in strides.

use super::detection::{Detection, STRIDES, five_points};
use crate::core::geometry::rect::{Point, Rect, Size};

/// Reads `score`, `bbox` and, if the model has them, `kps`, each for strides 8, 16 and 32. The rows of
/// a cell, one or more, follow each other.
///
/// Of a cell at `(x, y)` with stride `s`: left, top, right and bottom edge are `x - b0 s`, `y - b1 s`,
/// `x + b2 s` and `y + b3 s`, points are `(x + k0 s, y + k1 s)` (InsightFace, `scrfd.py`).
pub(super) fn decode(
    outputs: &[&[f32]],
    size: Size,
    threshold: f32,
    mut found: impl FnMut(Detection),
) {
    let has_points = outputs.len() >= 9;
    for (level, stride) in STRIDES.into_iter().enumerate() {
        let (scores, boxes) = (outputs[level], outputs[3 + level]);
        let points = if has_points { outputs[6 + level] } else { &[] };
        let columns = (size.width / stride).max(1) as usize;
        let cells = columns * (size.height / stride).max(1) as usize;
        let per_cell = (scores.len() / cells).max(1);
        let s = stride as f32;
        for (index, (&score, b)) in scores.iter().zip(boxes.chunks_exact(4)).enumerate() {
            if score <= threshold || score.is_nan() {
                continue;
            }
            let cell = index / per_cell;
            let (x, y) = ((cell % columns) as f32 * s, (cell / columns) as f32 * s);
            let landmarks = points
                .get(index * 10..index * 10 + 10)
                .and_then(|k| five_points(k, |dx, dy| Point { x: x + dx * s, y: y + dy * s }));
            found(Detection {
                rect: Rect::from_corners(x - b[0] * s, y - b[1] * s, x + b[2] * s, y + b[3] * s),
                score,
                landmarks,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows a cell on 64x64; the one row above the threshold is the second of the cell in
    /// column 1, row 1 of stride 32.
    fn one_row(with_points: bool) -> Vec<Detection> {
        let rows = [128, 32, 8];
        let mut score: Vec<Vec<f32>> = rows.iter().map(|n| vec![0.1; *n]).collect();
        let mut boxes: Vec<Vec<f32>> = rows.iter().map(|n| vec![0.0; n * 4]).collect();
        let mut points: Vec<Vec<f32>> = rows.iter().map(|n| vec![0.0; n * 10]).collect();
        score[2][7] = 0.75;
        boxes[2][28..].copy_from_slice(&[0.5, 1.0, 0.25, 0.5]);
        points[2][70..72].copy_from_slice(&[-0.5, 0.25]);
        let outputs: Vec<&[f32]> = if with_points {
            [&score, &boxes, &points].iter().flat_map(|o| o.iter().map(|v| &v[..])).collect()
        } else {
            [&score, &boxes].iter().flat_map(|o| o.iter().map(|v| &v[..])).collect()
        };
        let mut found = Vec::new();
        decode(&outputs, Size::new(64, 64), 0.5, |d| found.push(d));
        found
    }

    #[test]
    fn edges_and_points_by_hand() {
        let found = one_row(true);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].rect, Rect::from_corners(16.0, 0.0, 40.0, 48.0));
        assert_eq!(found[0].score, 0.75);
        let points = found[0].landmarks.unwrap();
        assert_eq!(points[0], Point { x: 16.0, y: 40.0 });
        assert_eq!(points[1], Point { x: 32.0, y: 32.0 });
    }

    #[test]
    fn models_without_points() {
        let found = one_row(false);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].landmarks, None);
    }
}
