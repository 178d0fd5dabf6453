//! YOLOv5-face and YOLOv8-face: boxes in pixels of the input, all in one output.
//!
//! | kind | output | a box |
//! |---|---|---|
//! | YOLOv5-face (`deepcam-cn/yolov5-face`, `export.py`) | `[1, 3 n, 16]` | centre, extent, objectness, five points, score of the class |
//! | YOLOv8-face (`derronqi/yolov8-face`, `akanametov/yolo-face`; exported by Ultralytics) | `[1, 20, n]`, without points `[1, 5, n]` | centre, extent, score, five points with a visibility each |
//! | the same with the suppression inside (`nms=True`) | `[1, m, 21]`, without points `[1, m, 6]` | two corners, score, class, five points with a visibility each |
//!
//! `n` is the number of cells of strides 8, 16 and 32. Rows that the suppression leaves empty are zeros.

use super::detection::{Detection, STRIDES, five_points};
use crate::core::geometry::rect::{Point, Rect, Size};

/// Values of a row of YOLOv5-face.
pub(super) const V5_VALUES: usize = 16;
/// Values of a box of YOLOv8-face, with points and without.
pub(super) const V8_VALUES: [usize; 2] = [20, 5];
/// Values of a row with the suppression inside, with points and without.
pub(super) const SUPPRESSED_VALUES: [usize; 2] = [21, 6];

/// The number of cells of an input of this size.
pub(super) fn cells(size: Size) -> usize {
    STRIDES
        .iter()
        .map(|stride| (size.width.div_ceil(*stride) * size.height.div_ceil(*stride)) as usize)
        .sum()
}

fn around(x: f32, y: f32, width: f32, height: f32) -> Rect {
    Rect::new(x - width / 2.0, y - height / 2.0, width, height)
}

/// Reads rows of [`V5_VALUES`]. The score is objectness times the score of the class, as the publisher's
/// own suppression multiplies them.
pub(super) fn decode_v5(output: &[f32], threshold: f32, mut found: impl FnMut(Detection)) {
    for row in output.chunks_exact(V5_VALUES) {
        let score = row[4] * row[15];
        if score > threshold {
            found(Detection {
                rect: around(row[0], row[1], row[2], row[3]),
                score,
                landmarks: five_points(&row[5..15], |x, y| Point { x, y }),
            });
        }
    }
}

/// Reads columns: value `v` of box `i` is `output[v * boxes + i]`.
pub(super) fn decode_v8(
    output: &[f32],
    boxes: usize,
    threshold: f32,
    mut found: impl FnMut(Detection),
) {
    if boxes == 0 {
        return;
    }
    let has_points = output.len() / boxes >= V8_VALUES[0];
    let Some(scores) = output.get(4 * boxes..5 * boxes) else { return };
    for (index, score) in scores.iter().enumerate().filter(|(_, score)| **score > threshold) {
        let value = |v: usize| output[v * boxes + index];
        let point = |n: usize| Point { x: value(5 + 3 * n), y: value(6 + 3 * n) };
        found(Detection {
            rect: around(value(0), value(1), value(2), value(3)),
            score: *score,
            landmarks: has_points.then(|| [0, 1, 2, 3, 4].map(point)),
        });
    }
}

/// Reads rows of `values` numbers, one of [`SUPPRESSED_VALUES`].
pub(super) fn decode_suppressed(
    output: &[f32],
    values: usize,
    threshold: f32,
    mut found: impl FnMut(Detection),
) {
    for row in output.chunks_exact(values) {
        let score = row[4];
        if score > threshold {
            let point = |n: usize| Point { x: row[6 + 3 * n], y: row[7 + 3 * n] };
            found(Detection {
                rect: Rect::new(row[0], row[1], row[2] - row[0], row[3] - row[1]),
                score,
                landmarks: (values == SUPPRESSED_VALUES[0]).then(|| [0, 1, 2, 3, 4].map(point)),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(decode: impl FnOnce(&mut dyn FnMut(Detection))) -> Vec<Detection> {
        let mut found = Vec::new();
        decode(&mut |detection| found.push(detection));
        found
    }

    const POINTS: [Point; 5] = [
        Point { x: 1.0, y: 2.0 },
        Point { x: 3.0, y: 4.0 },
        Point { x: 5.0, y: 6.0 },
        Point { x: 7.0, y: 8.0 },
        Point { x: 9.0, y: 10.0 },
    ];

    #[test]
    fn an_input_of_640_has_8400_cells() {
        assert_eq!(cells(Size::new(640, 640)), 8400);
        assert_eq!(cells(Size::new(640, 384)), 5040);
    }

    #[test]
    fn a_row_of_yolov5_face_by_hand() {
        let mut rows = vec![0.0; 3 * V5_VALUES];
        rows[16..32].copy_from_slice(&[
            100.0, 50.0, 20.0, 30.0, 0.9, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 0.5,
        ]);
        let found = all(|found| decode_v5(&rows, 0.4, found));
        let expected = Detection {
            rect: Rect::new(90.0, 35.0, 20.0, 30.0),
            score: 0.45,
            landmarks: Some(POINTS),
        };
        assert_eq!(found, [expected]);
        assert!(all(|found| decode_v5(&rows, 0.46, found)).is_empty(), "both scores count");
    }

    #[test]
    fn a_column_of_yolov8_face_by_hand() {
        let boxes = 3;
        let mut column = vec![100.0, 50.0, 20.0, 30.0, 0.8];
        for point in POINTS {
            column.extend([point.x, point.y, 0.99]);
        }
        for values in V8_VALUES {
            let mut output = vec![0.0; values * boxes];
            for (v, value) in column.iter().take(values).enumerate() {
                output[v * boxes + 1] = *value;
            }
            let found = all(|found| decode_v8(&output, boxes, 0.5, found));
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].rect, Rect::new(90.0, 35.0, 20.0, 30.0));
            assert_eq!(found[0].score, 0.8);
            assert_eq!(found[0].landmarks, (values == 20).then_some(POINTS));
        }
    }

    #[test]
    fn a_row_after_suppression_by_hand() {
        let mut row = vec![90.0, 35.0, 110.0, 65.0, 0.8, 0.0];
        for point in POINTS {
            row.extend([point.x, point.y, 0.99]);
        }
        for values in SUPPRESSED_VALUES {
            let rows: Vec<f32> =
                row[..values].iter().copied().chain(std::iter::repeat_n(0.0, values)).collect();
            let found = all(|found| decode_suppressed(&rows, values, 0.5, found));
            assert_eq!(found.len(), 1, "the empty row is no face");
            assert_eq!(found[0].rect, Rect::new(90.0, 35.0, 20.0, 30.0));
            assert_eq!(found[0].landmarks, (values == 21).then_some(POINTS));
        }
    }
}
