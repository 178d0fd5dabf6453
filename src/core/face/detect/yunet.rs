//! YuNet (Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023): one box a cell.

use super::detection::{Detection, STRIDES, five_points};
use crate::core::geometry::rect::{Point, Rect, Size};

/// Reads `cls`, `obj`, `bbox`, `kps`, each for strides 8, 16 and 32.
///
/// Of the cell in column `c` and row `r` with stride `s`: centre `((c + b0) s, (r + b1) s)`, extent
/// `(exp(b2) s, exp(b3) s)`, points `((c + k0) s, (r + k1) s)`. The score is `cls * obj`, as in the
/// trainer's code; OpenCV's `FaceDetectorYN` takes the square root of it, so its threshold of 0.9
/// is 0.81 here.
pub(super) fn decode(
    outputs: &[&[f32]],
    size: Size,
    threshold: f32,
    mut found: impl FnMut(Detection),
) {
    for (level, stride) in STRIDES.into_iter().enumerate() {
        let columns = (size.width / stride).max(1) as usize;
        let [cls, obj, boxes, points] = [0, 1, 2, 3].map(|role| outputs[role * 3 + level]);
        let rows = boxes.chunks_exact(4).zip(points.chunks_exact(10));
        let s = stride as f32;
        for (index, ((cls, obj), (b, k))) in cls.iter().zip(obj).zip(rows).enumerate() {
            let score = cls * obj;
            if score <= threshold || score.is_nan() {
                continue;
            }
            let (column, row) = ((index % columns) as f32, (index / columns) as f32);
            let (width, height) = (b[2].exp() * s, b[3].exp() * s);
            let x = (column + b[0]) * s - width / 2.0;
            let y = (row + b[1]) * s - height / 2.0;
            found(Detection {
                rect: Rect::new(x, y, width, height),
                score,
                landmarks: five_points(k, |x, y| Point { x: (column + x) * s, y: (row + y) * s }),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cell_by_hand() {
        // 64x32: 8x4, 4x2 and 2x1 cells. Cell 5 of stride 16 is column 1, row 1.
        let cells = [32, 8, 2];
        let mut score: Vec<Vec<f32>> = cells.iter().map(|n| vec![0.0; *n]).collect();
        let mut boxes: Vec<Vec<f32>> = cells.iter().map(|n| vec![0.0; n * 4]).collect();
        let mut points: Vec<Vec<f32>> = cells.iter().map(|n| vec![0.0; n * 10]).collect();
        score[1][5] = 0.9;
        boxes[1][20..24].copy_from_slice(&[0.5, 0.25, 2f32.ln(), 0.0]);
        points[1][50..52].copy_from_slice(&[0.5, -1.0]);
        let outputs: Vec<&[f32]> = [&score, &score, &boxes, &points]
            .iter()
            .flat_map(|o| o.iter().map(|v| &v[..]))
            .collect();
        let mut found = Vec::new();
        decode(&outputs, Size::new(64, 32), 0.8, |d| found.push(d));
        assert_eq!(found.len(), 1);
        assert!((found[0].score - 0.81).abs() < 1e-6);
        // Centre (24, 20), extent 32x16.
        let rect = found[0].rect;
        assert!((rect.x - 8.0).abs() < 1e-4 && (rect.width - 32.0).abs() < 1e-4, "{rect:?}");
        assert_eq!((rect.y, rect.height), (12.0, 16.0));
        let points = found[0].landmarks.unwrap();
        assert_eq!(points[0], Point { x: 24.0, y: 0.0 });
        assert_eq!(points[4], Point { x: 16.0, y: 16.0 });
    }
}
