//! Shapes of zones: polygons and ellipses in angles, and planes in the cabin.

use crate::core::geometry::angles::Gaze;
use crate::core::geometry::matrix::{Vec3, add, cross, dot, norm, scale, sub, unit};

/// A shape in angles of the cabin, radians, yaw first: positive to the driver's right and up.
#[derive(Clone, Debug, PartialEq)]
pub enum ZoneShape {
    /// Corners in order, in either direction; three at least.
    Polygon(Vec<[f32; 2]>),
    /// Centre and half axes.
    Ellipse {
        /// Yaw and pitch of the centre.
        centre: [f32; 2],
        /// Half width and half height, above 0.
        radii: [f32; 2],
    },
}

impl ZoneShape {
    /// Whether `gaze` hits the shape, grown by `margin` radians on every side.
    pub fn contains(&self, gaze: Gaze, margin: f32) -> bool {
        let at = [gaze.yaw, gaze.pitch];
        match self {
            Self::Polygon(corners) => {
                inside(corners, at) || (margin > 0.0 && distance(corners, at) <= margin)
            }
            Self::Ellipse { centre, radii } => {
                let x = (at[0] - centre[0]) / (radii[0] + margin);
                let y = (at[1] - centre[1]) / (radii[1] + margin);
                x * x + y * y <= 1.0
            }
        }
    }
}

/// Even-odd rule: counts how often a line to the right crosses the outline.
fn inside(corners: &[[f32; 2]], [x, y]: [f32; 2]) -> bool {
    edges(corners).fold(false, |inside, ([x1, y1], [x2, y2])| {
        let crosses = (y1 > y) != (y2 > y) && x < (x2 - x1) * (y - y1) / (y2 - y1) + x1;
        inside != crosses
    })
}

/// Distance from the outline.
fn distance(corners: &[[f32; 2]], [x, y]: [f32; 2]) -> f32 {
    edges(corners)
        .map(|([x1, y1], [x2, y2])| {
            let (dx, dy) = (x2 - x1, y2 - y1);
            let length2 = dx * dx + dy * dy;
            let along = ((x - x1) * dx + (y - y1) * dy) / length2.max(f32::MIN_POSITIVE);
            let along = along.clamp(0.0, 1.0);
            (x - x1 - along * dx).hypot(y - y1 - along * dy)
        })
        .fold(f32::INFINITY, f32::min)
}

fn edges(corners: &[[f32; 2]]) -> impl Iterator<Item = ([f32; 2], [f32; 2])> + '_ {
    corners.iter().copied().zip(corners.iter().copied().cycle().skip(1))
}

/// A flat convex polygon in the cabin, in the coordinates of ISO 8855: x forward, y left, z up,
/// millimetres.
#[derive(Clone, Debug, PartialEq)]
pub struct CabinPlane {
    corners: Vec<Vec3>,
    centre: Vec3,
    normal: Vec3,
}

/// How far a corner may lie off the plane, as a fraction of the plane's size.
const FLATNESS: f64 = 0.02;

impl CabinPlane {
    /// Makes a plane of its corners in order. The error says why they make no flat convex polygon.
    pub fn new(corners: Vec<Vec3>) -> Result<Self, &'static str> {
        if corners.len() < 3 {
            return Err("has fewer than three corners");
        }
        if corners.iter().flatten().any(|v| !v.is_finite()) {
            return Err("has a corner that is not finite");
        }
        let sum = corners.iter().fold([0.0; 3], |sum, corner| add(sum, *corner));
        let centre = scale(sum, 1.0 / corners.len() as f64);
        // Newell's method: the sum over all edges depends on no single corner.
        let spread = |i: usize| sub(corners[i % corners.len()], centre);
        let area =
            (0..corners.len()).fold([0.0; 3], |area, i| add(area, cross(spread(i), spread(i + 1))));
        let size = corners.iter().map(|corner| norm(sub(*corner, centre))).fold(0.0, f64::max);
        let normal = unit(area).filter(|_| norm(area) > 1e-6 * size * size);
        let Some(normal) = normal else { return Err("has its corners on one line") };
        let off = |corner: &Vec3| dot(sub(*corner, centre), normal).abs();
        if corners.iter().any(|corner| off(corner) > FLATNESS * size) {
            return Err("is not flat: its corners do not lie in one plane");
        }
        let plane = Self { corners, centre, normal };
        if !plane.contains(centre, 0.0) {
            return Err("is not convex, or its corners are not in order");
        }
        Ok(plane)
    }

    /// Whether the ray from `eye` along `direction` hits the plane, or misses it by no more than
    /// `margin` radians (small angles).
    pub fn is_hit(&self, eye: Vec3, direction: Vec3, margin: f64) -> bool {
        let slope = dot(direction, self.normal);
        if slope.abs() < 1e-9 {
            return false;
        }
        let far = dot(sub(self.centre, eye), self.normal) / slope;
        if !far.is_finite() || far <= 0.0 {
            return false;
        }
        let length = norm(direction);
        // A slanted view enlarges the margin on the plane.
        let reach = margin * far * length / (slope.abs() / length).max(0.1);
        self.contains(add(eye, scale(direction, far)), reach)
    }

    /// Whether a point of the plane lies inside the polygon, or at most `reach` outside.
    fn contains(&self, point: Vec3, reach: f64) -> bool {
        (0..self.corners.len()).all(|i| {
            let (a, b) = (self.corners[i], self.corners[(i + 1) % self.corners.len()]);
            let inward = cross(self.normal, sub(b, a));
            dot(sub(point, a), inward) >= -reach * norm(inward)
        })
    }
}

/// The direction, in cabin coordinates, of a gaze relative to forward.
pub fn cabin_direction(gaze: Gaze) -> Vec3 {
    let (sin_pitch, cos_pitch) = f64::from(gaze.pitch).sin_cos();
    let (sin_yaw, cos_yaw) = f64::from(gaze.yaw).sin_cos();
    [cos_pitch * cos_yaw, -cos_pitch * sin_yaw, sin_pitch]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn degrees(corners: &[[f32; 2]]) -> ZoneShape {
        ZoneShape::Polygon(corners.iter().map(|c| c.map(f32::to_radians)).collect())
    }

    #[test]
    fn polygon_with_a_notch_and_its_margin() {
        // An L: the upper right quarter is missing.
        let l = degrees(&[
            [0.0, 0.0],
            [20.0, 0.0],
            [20.0, 10.0],
            [10.0, 10.0],
            [10.0, 20.0],
            [0.0, 20.0],
        ]);
        let at = |yaw, pitch, margin: f32| {
            l.contains(Gaze::from_degrees(pitch, yaw), margin.to_radians())
        };
        assert!(at(5.0, 5.0, 0.0) && at(5.0, 15.0, 0.0) && at(15.0, 5.0, 0.0));
        assert!(!at(15.0, 15.0, 0.0) && !at(-1.0, 5.0, 0.0) && !at(25.0, 5.0, 0.0));
        assert!(at(12.0, 15.0, 2.5) && !at(13.0, 15.0, 2.5));
        assert!(at(-2.0, -1.0, 2.5) && !at(-2.0, -2.0, 2.5), "the corner is round");
    }

    #[test]
    fn ellipse_and_its_margin() {
        let road =
            ZoneShape::Ellipse { centre: [0.0, 0.0], radii: [22f32, 14.0].map(f32::to_radians) };
        let at = |yaw, pitch, margin: f32| {
            road.contains(Gaze::from_degrees(pitch, yaw), margin.to_radians())
        };
        assert!(at(21.9, 0.0, 0.0) && !at(22.1, 0.0, 0.0) && at(22.1, 0.0, 1.0));
        assert!(at(0.0, -13.9, 0.0) && !at(0.0, 14.1, 0.0) && !at(16.0, 11.0, 0.0));
    }

    #[test]
    fn rays_hit_planes() {
        // A screen of 200 x 100 mm, 700 mm ahead and 300 mm to the right of the eye.
        let eye = [0.0, 0.0, 1200.0];
        let corners = [[-200.0, 1050.0], [-400.0, 1050.0], [-400.0, 950.0], [-200.0, 950.0]];
        let screen = CabinPlane::new(corners.map(|[y, z]| [700.0, y, z]).to_vec()).unwrap();
        let look = |target: Vec3, margin: f64| screen.is_hit(eye, sub(target, eye), margin);
        assert!(look([700.0, -300.0, 1000.0], 0.0));
        assert!(!look([700.0, -100.0, 1000.0], 0.0));
        assert!(look([700.0, -190.0, 1000.0], 0.03) && !look([700.0, -150.0, 1000.0], 0.03));
        assert!(!screen.is_hit(eye, [-1.0, 0.4, 0.3], 0.0), "behind the eye");
        assert!(!screen.is_hit(eye, [0.0, -1.0, 0.0], 0.1), "along the plane");
    }

    #[test]
    fn yaw_is_positive_to_the_right() {
        let [x, y, z] = cabin_direction(Gaze::from_degrees(-30.0, 90.0));
        assert!(x.abs() < 1e-6 && (y + 0.866).abs() < 1e-3 && (z + 0.5).abs() < 1e-6);
    }

    #[test]
    fn invalid_planes_are_refused() {
        let flat = [[0.0, 0.0, 0.0], [0.0, 100.0, 0.0], [0.0, 100.0, 100.0], [0.0, 0.0, 100.0]];
        assert!(CabinPlane::new(flat.to_vec()).is_ok());
        assert!(CabinPlane::new(flat[..2].to_vec()).is_err());
        let line = [[0.0; 3], [0.0, 1.0, 0.0], [0.0, 2.0, 0.0]];
        assert!(CabinPlane::new(line.to_vec()).is_err());
        let mut bent = flat;
        bent[2][0] = 40.0;
        assert!(CabinPlane::new(bent.to_vec()).unwrap_err().contains("flat"));
        let crossed = [flat[0], flat[2], flat[1], flat[3]];
        assert!(CabinPlane::new(crossed.to_vec()).is_err());
    }
}
