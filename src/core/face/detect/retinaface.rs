//! RetinaFace (Deng et al., CVPR 2020) as trained by Pytorch_Retinaface and shipped by OpenSeeFace:
//! offsets from square priors, two to a cell.

use super::detection::{Detection, STRIDES, five_points};
use crate::core::geometry::rect::{Point, Rect, Size};

/// Sides in pixels of the priors of a cell, for strides 8, 16 and 32 (`data/config.py`, `min_sizes`).
const SIDES: [[f32; 2]; 3] = [[16.0, 32.0], [64.0, 128.0], [256.0, 512.0]];
/// Factors of offsets and of logarithms of extents (`data/config.py`, `variance`).
const VARIANCE: [f32; 2] = [0.1, 0.2];

fn cells(size: Size, stride: u32) -> (usize, usize) {
    (size.width.div_ceil(stride) as usize, size.height.div_ceil(stride) as usize)
}

/// The number of boxes for an input of this size.
pub(super) fn rows(size: Size) -> usize {
    let cells = STRIDES.map(|stride| cells(size, stride));
    cells.iter().zip(SIDES).map(|((columns, rows), sides)| columns * rows * sides.len()).sum()
}

/// Reads `loc`, `conf` (background, face; the softmax is in the model) and `landms`.
///
/// Of a prior with centre `(x, y)` and side `a`: centre `(x + 0.1 l0 a, y + 0.1 l1 a)`, extent
/// `(a exp(0.2 l2), a exp(0.2 l3))`, points `(x + 0.1 k0 a, y + 0.1 k1 a)`.
pub(super) fn decode(
    outputs: &[&[f32]],
    size: Size,
    threshold: f32,
    mut found: impl FnMut(Detection),
) {
    let mut first = 0;
    for (stride, sides) in STRIDES.into_iter().zip(SIDES) {
        let (columns, rows) = cells(size, stride);
        let count = columns * rows * sides.len();
        let [loc, conf, points] = [(0, 4), (1, 2), (2, 10)].map(|(output, values)| {
            outputs[output].get(first * values..).unwrap_or_default().chunks_exact(values)
        });
        first += count;
        for (index, (c, (l, k))) in conf.zip(loc.zip(points)).take(count).enumerate() {
            let score = c[1];
            if score <= threshold || score.is_nan() {
                continue;
            }
            let (cell, side) = (index / sides.len(), sides[index % sides.len()]);
            let x = ((cell % columns) as f32 + 0.5) * stride as f32;
            let y = ((cell / columns) as f32 + 0.5) * stride as f32;
            let shift = VARIANCE[0] * side;
            let (width, height) =
                (side * (VARIANCE[1] * l[2]).exp(), side * (VARIANCE[1] * l[3]).exp());
            found(Detection {
                rect: Rect::new(
                    x + l[0] * shift - width / 2.0,
                    y + l[1] * shift - height / 2.0,
                    width,
                    height,
                ),
                score,
                landmarks: five_points(k, |dx, dy| Point { x: x + dx * shift, y: y + dy * shift }),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_models_have_these_rows() {
        assert_eq!(rows(Size::new(640, 640)), 16800);
    }

    #[test]
    fn one_prior_by_hand() {
        // 64x32: 32, 8 and 2 cells of two priors. Row 64 + 2 * 5 + 1 is the larger prior (128) of
        // the cell in column 1, row 1 of stride 16, whose centre is (24, 24).
        let size = Size::new(64, 32);
        let row = 64 + 11;
        assert_eq!(rows(size), 84);
        let mut loc = vec![0.0; 84 * 4];
        let mut conf = vec![0.0; 84 * 2];
        let mut points = vec![0.0; 84 * 10];
        conf[row * 2 + 1] = 0.9;
        loc[row * 4..row * 4 + 4].copy_from_slice(&[0.5, -0.25, 0.0, 5.0 * 0.5f32.ln()]);
        points[row * 10 + 2..row * 10 + 4].copy_from_slice(&[1.0, 0.5]);
        let mut found = Vec::new();
        decode(&[&loc, &conf, &points], size, 0.5, |d| found.push(d));
        assert_eq!(found.len(), 1);
        // Centre (24 + 6.4, 24 - 3.2), extent 128x64.
        let near = |a: f32, b: f32| (a - b).abs() < 1e-4;
        let rect = found[0].rect;
        assert!(near(rect.x, 30.4 - 64.0) && near(rect.width, 128.0), "{rect:?}");
        assert!(near(rect.y, 20.8 - 32.0) && near(rect.height, 64.0), "{rect:?}");
        let points = found[0].landmarks.unwrap();
        assert_eq!(points[0], Point { x: 24.0, y: 24.0 });
        assert!(near(points[1].x, 36.8) && near(points[1].y, 30.4), "{points:?}");
    }
}
