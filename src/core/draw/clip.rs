//! Brings shapes that reach far out of the canvas near to it: the rasteriser computes in whole numbers of
//! 32 bits, and metadata may hold a box of any size.

use super::scene::Primitive;
use crate::core::geometry::rect::{PixelRect, Point};

/// How far around the canvas, in pixels, shapes stay as they are: more than the widest line with its
/// halo, or the longest head of an arrow, reaches (6 times a line of 256 pixels). What is cut lies
/// outside, so the canvas shows the same.
const REACH: f64 = 4096.0;

/// The place around a canvas in which shapes are drawn: left, top, right and bottom.
#[derive(Clone, Copy, Debug)]
struct Place([f64; 4]);

impl Place {
    fn around(canvas: PixelRect) -> Self {
        let PixelRect { x, y, width, height } = canvas;
        let (x, y) = (f64::from(x), f64::from(y));
        let (right, bottom) = (x + f64::from(width), y + f64::from(height));
        Self([x - REACH, y - REACH, right + REACH, bottom + REACH])
    }

    fn contains(&self, p: Point) -> bool {
        let [left, top, right, bottom] = self.0;
        (left..=right).contains(&f64::from(p.x)) && (top..=bottom).contains(&f64::from(p.y))
    }

    fn clamp(&self, p: Point) -> Point {
        let [left, top, right, bottom] = self.0;
        Point {
            x: f64::from(p.x).clamp(left, right) as f32,
            y: f64::from(p.y).clamp(top, bottom) as f32,
        }
    }

    /// The part of a line inside (Liang and Barsky, "A New Concept and Method for Line Clipping", ACM
    /// TOG 1984).
    fn line(&self, from: Point, to: Point) -> Option<[Point; 2]> {
        let [left, top, right, bottom] = self.0;
        let (x, y) = (f64::from(from.x), f64::from(from.y));
        let (dx, dy) = (f64::from(to.x) - x, f64::from(to.y) - y);
        let (mut start, mut end) = (0.0f64, 1.0f64);
        for (p, q) in [(-dx, x - left), (dx, right - x), (-dy, y - top), (dy, bottom - y)] {
            if p == 0.0 {
                if q < 0.0 {
                    return None;
                }
            } else if p < 0.0 {
                start = start.max(q / p);
            } else {
                end = end.min(q / p);
            }
        }
        let at = |t: f64| self.clamp(Point { x: (x + t * dx) as f32, y: (y + t * dy) as f32 });
        (start <= end).then(|| {
            [if start > 0.0 { at(start) } else { from }, if end < 1.0 { at(end) } else { to }]
        })
    }
}

/// The shape as it shows on `canvas`; `None` if it lies outside, or has a coordinate that is not finite.
/// A shape near the canvas stays as it is.
pub(super) fn near(shape: &Primitive, canvas: PixelRect) -> Option<Primitive> {
    let place = Place::around(canvas);
    let finite = |p: Point| p.x.is_finite() && p.y.is_finite();
    match shape {
        Primitive::Corner { tip, dx, dy } => {
            // Along rows and columns, clamping is clipping.
            let end = Point { x: tip.x + dx, y: tip.y + dy };
            if !finite(*tip) || !finite(end) {
                return None;
            }
            if place.contains(*tip) && place.contains(end) {
                return Some(shape.clone());
            }
            let (tip, end) = (place.clamp(*tip), place.clamp(end));
            Some(Primitive::Corner { tip, dx: end.x - tip.x, dy: end.y - tip.y })
        }
        Primitive::Line { from, to } if finite(*from) && finite(*to) => {
            place.line(*from, *to).map(|[from, to]| Primitive::Line { from, to })
        }
        Primitive::Arrow { from, to } if finite(*from) && finite(*to) => {
            place.line(*from, *to).map(|[from, to]| Primitive::Arrow { from, to })
        }
        Primitive::Dot { center, radius } => {
            (place.contains(*center) && radius.is_finite()).then(|| shape.clone())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANVAS: PixelRect = PixelRect::new(0, 0, 640, 480);

    fn point(x: f32, y: f32) -> Point {
        Point { x, y }
    }

    #[test]
    fn shapes_near_the_canvas_stay_as_they_are() {
        let shapes = [
            Primitive::Corner { tip: point(-100.0, 3.0), dx: 50.5, dy: -7.0 },
            Primitive::Line { from: point(-300.0, 1000.0), to: point(2000.0, 0.1) },
            Primitive::Arrow { from: point(0.0, 0.0), to: point(4000.0, -4000.0) },
            Primitive::Dot { center: point(639.0, 479.0), radius: 3.0 },
        ];
        for shape in shapes {
            assert_eq!(near(&shape, CANVAS), Some(shape));
        }
    }

    #[test]
    fn far_ends_come_near_along_the_same_line() {
        let far =
            Primitive::Line { from: point(320.0, 240.0), to: point(320.0 + 3e9, 240.0 + 6e9) };
        let Some(Primitive::Line { from, to }) = near(&far, CANVAS) else {
            panic!("it is visible")
        };
        assert_eq!(from, point(320.0, 240.0));
        assert!((to.y - 4576.0).abs() < 1.0 && (to.x - 2488.0).abs() < 1.0, "{to:?}");
        let vast = Primitive::Corner { tip: point(-5e9, 100.0), dx: 1e10, dy: 1e20 };
        let Some(Primitive::Corner { tip, dx, dy }) = near(&vast, CANVAS) else {
            panic!("visible")
        };
        assert_eq!((tip, dx, dy), (point(-4096.0, 100.0), 8832.0, 4476.0));
    }

    #[test]
    fn what_lies_outside_is_nothing() {
        let outside = [
            Primitive::Line { from: point(1e6, 0.0), to: point(1e6, 1e9) },
            Primitive::Arrow { from: point(f32::MAX, 0.0), to: point(0.0, f32::MAX) },
            Primitive::Dot { center: point(0.0, -1e9), radius: 3.0 },
            Primitive::Dot { center: point(0.0, f32::NAN), radius: 3.0 },
            Primitive::Line { from: point(f32::INFINITY, 0.0), to: point(0.0, 0.0) },
            Primitive::Corner { tip: point(f32::MAX, 0.0), dx: f32::MAX, dy: 0.0 },
        ];
        for shape in outside {
            assert_eq!(near(&shape, CANVAS), None, "{shape:?}");
        }
    }
}
