//! The pose of a head from points of its face: perspective-n-point.
//!
//! Every face differs from the [mean face](super::face_model): five points give the head's direction
//! to several degrees.

use super::face_model::{FIVE_POINTS, OF_68, OF_98, SIX_POINTS};
use crate::core::geometry::angles::HeadPose;
use crate::core::geometry::camera::Camera;
use crate::core::geometry::matrix::{
    Mat3, Vec3, add, apply, cross, multiply, rotation, scale, solve_symmetric, sub, unit,
};
use crate::core::geometry::rect::Point;

/// The most points of one pose; the solver ignores the rest.
pub const MAX_POINTS: usize = 128;

/// The fewest points of one pose.
pub const MIN_POINTS: usize = 5;

/// Points that deviate from a line by less than this fraction of their extent determine no pose.
const LINE: f64 = 0.03;

/// The largest deviation from the model, as a fraction of the points' own spread. Real faces leave
/// 0.015..0.14 (42 faces, YuNet).
const MAX_DEVIATION: f64 = 0.25;

/// The most steps of one descent. It ends much sooner unless the points fit no face.
const MAX_STEPS: usize = 60;

/// A descent ends at a step that gains less than this fraction of the mean square distance: `COARSE`
/// tells the minima apart, `FINE` reaches one.
const COARSE: f64 = 1e-3;
const FINE: f64 = 1e-10;

/// Initial yaw and pitch in radians. Few points that lie nearly in a plane have two minima, one on
/// each side of the face that looks straight ahead.
const INITIAL_ANGLES: [[f64; 2]; 5] =
    [[0.0, 0.0], [0.7, 0.0], [-0.7, 0.0], [0.0, 0.6], [0.0, -0.6]];

/// Position and rotation of a head: `camera = rotation * model + translation`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Rotates the face model's axes to the camera's.
    pub rotation: Mat3,
    /// The model's origin in camera coordinates, in millimetres.
    pub translation: Vec3,
    /// Root mean square reprojection error in pixels.
    pub residual: f64,
}

impl Pose {
    /// A point of the face model in camera coordinates, in millimetres.
    pub fn transform(&self, model: Vec3) -> Vec3 {
        add(apply(&self.rotation, model), self.translation)
    }

    /// The head's angles.
    pub fn angles(&self) -> HeadPose {
        angles(&self.rotation)
    }
}

/// The angles of a head's rotation, with the signs of [`HeadPose`].
///
/// The model's z axis points into the head; its image v, the rotation's third column, gives pitch
/// = asin(v_y) and yaw = atan2(v_x, v_z) (ETH-XGaze, Zhang et al. 2020), those of a gaze along -v.
/// Roll is the rotation about v that comes first: R = Ry(yaw) Rx(-pitch) Rz(roll).
pub fn angles(rotation: &Mat3) -> HeadPose {
    let [[_, _, x], [right, down, y], [_, _, z]] = *rotation;
    HeadPose {
        pitch: y.clamp(-1.0, 1.0).asin() as f32,
        yaw: x.atan2(z) as f32,
        roll: right.atan2(down) as f32,
    }
}

/// The pose from a detector's points. Their number tells their order: 5
/// ([`Landmarks5`](super::region::Landmarks5)), 6 (ETH-XGaze: corners of the eyes from left to right,
/// wings of the nose), 68 (iBUG 300-W) or 98 (WFLW). Sets of 106 points come in several orders, so
/// they need [`solve`] with the model's points.
///
/// `None` for another number, and where [`solve`] finds none.
pub fn from_landmarks(camera: &Camera, points: &[Point]) -> Option<Pose> {
    let zip = |model: &[Vec3]| {
        let mut pairs = [Correspondence::default(); 9];
        for ((pair, model), point) in pairs.iter_mut().zip(model).zip(points) {
            *pair = (*model, *point);
        }
        solve(camera, &pairs[..model.len()])
    };
    match points.len() {
        5 => zip(&FIVE_POINTS),
        6 => zip(&SIX_POINTS),
        68 => solve(camera, &OF_68.map(|(index, model)| (model, points[index]))),
        98 => solve(camera, &OF_98.map(|(index, model)| (model, points[index]))),
        _ => None,
    }
}

/// A point of a face model in millimetres, and the pixel that shows it, counted from the centre of
/// the first.
pub type Correspondence = (Vec3, Point);

/// A point of the model and its bearing: the direction (x, y, 1) in which the camera sees it.
#[derive(Clone, Copy, Debug, Default)]
struct Bearing {
    model: Vec3,
    seen: [f64; 2],
}

/// The pose with the least square reprojection error, by Levenberg and Marquardt's descent from
/// several initial poses; only faces turned towards the camera count. Allocates nothing.
///
/// `None` for fewer than [`MIN_POINTS`] points, for points that are not finite, coincide or lie on a
/// line, and where no face in front of the camera comes near them.
pub fn solve(camera: &Camera, pairs: &[Correspondence]) -> Option<Pose> {
    let pairs = &pairs[..pairs.len().min(MAX_POINTS)];
    if pairs.len() < MIN_POINTS {
        return None;
    }
    let mut bearings = [Bearing::default(); MAX_POINTS];
    for (bearing, (model, point)) in bearings.iter_mut().zip(pairs) {
        let seen = camera.undistort([f64::from(point.x), f64::from(point.y)]);
        *bearing = Bearing { model: *model, seen };
    }
    let bearings = &bearings[..pairs.len()];
    let finite =
        |bearing: &Bearing| bearing.seen.iter().chain(&bearing.model).all(|v| v.is_finite());
    if !bearings.iter().all(finite) {
        return None;
    }
    let problem = Problem::new(camera, bearings)?;
    let mut best: Option<Pose> = None;
    for start in INITIAL_ANGLES {
        let pose = problem.initial_pose(start).and_then(|pose| problem.descend(pose, COARSE));
        let Some(pose) = pose else { continue };
        let towards = pose.rotation[2][2] > 0.0;
        if towards && best.is_none_or(|best| pose.residual < best.residual) {
            best = Some(pose);
        }
    }
    let best = best.filter(|pose| pose.residual < MAX_DEVIATION * problem.spread)?;
    problem.descend(best, FINE)
}

/// The least-squares problem that all descents share.
struct Problem<'a> {
    bearings: &'a [Bearing],
    focal: [f64; 2],
    /// Root mean square distance of the points from their mean, in pixels.
    spread: f64,
    /// Mean bearing, and mean point of the model.
    seen_mean: [f64; 2],
    model_mean: Vec3,
    /// Distance at which the camera sees the model as large as the points.
    distance: f64,
    /// The roll that aligns the model with the points.
    roll: f64,
}

impl<'a> Problem<'a> {
    fn new(camera: &Camera, bearings: &'a [Bearing]) -> Option<Self> {
        let count = bearings.len() as f64;
        let focal = [camera.fx, camera.fy];
        let mut seen_mean = [0.0; 2];
        let mut model_mean = [0.0; 3];
        for bearing in bearings {
            model_mean = add(model_mean, scale(bearing.model, 1.0 / count));
            seen_mean = [0, 1].map(|i| seen_mean[i] + bearing.seen[i] / count);
        }
        // Second moments of the points in pixels, and of the model against the points.
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        let (mut along, mut across, mut model_square) = (0.0, 0.0, 0.0);
        for bearing in bearings {
            let [x, y] = [0, 1].map(|i| bearing.seen[i] - seen_mean[i]);
            let [mx, my, _] = sub(bearing.model, model_mean);
            along += mx * x + my * y;
            across += mx * y - my * x;
            model_square += mx * mx + my * my;
            let [x, y] = [x * focal[0], y * focal[1]];
            (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
        }
        let spread = ((xx + yy) / count).sqrt();
        // Extents along and across the main direction.
        let half = ((xx - yy) / 2.0).hypot(xy);
        let (most, least) = ((xx + yy) / 2.0 + half, (xx + yy) / 2.0 - half);
        let line = least <= LINE * LINE * most;
        let size = along.hypot(across) / model_square;
        let usable = !line && spread > 1e-3 && size.is_finite() && size > 1e-12;
        usable.then(|| Self {
            bearings,
            focal,
            spread,
            seen_mean,
            model_mean,
            distance: 1.0 / size,
            roll: across.atan2(along),
        })
    }

    /// A pose with this yaw and pitch that roughly covers the points.
    fn initial_pose(&self, [yaw, pitch]: [f64; 2]) -> Option<Pose> {
        let rotated = multiply(&rotation([0.0, yaw, 0.0]), &rotation([-pitch, 0.0, 0.0]));
        let rotated = multiply(&rotated, &rotation([0.0, 0.0, self.roll]));
        let [x, y] = self.seen_mean;
        let middle = scale([x, y, 1.0], self.distance);
        let translation = sub(middle, apply(&rotated, self.model_mean));
        let residual = self.error(&rotated, translation)?.sqrt();
        Some(Pose { rotation: rotated, translation, residual })
    }

    /// Mean square reprojection error; `None` where a point is not in front of the camera.
    fn error(&self, rotated: &Mat3, translation: Vec3) -> Option<f64> {
        let mut sum = 0.0;
        for Bearing { model, seen } in self.bearings {
            let [x, y, z] = add(apply(rotated, *model), translation);
            if z <= 1.0 {
                return None;
            }
            let dx = self.focal[0] * (x / z - seen[0]);
            let dy = self.focal[1] * (y / z - seen[1]);
            sum += dx * dx + dy * dy;
        }
        let mean = sum / self.bearings.len() as f64;
        mean.is_finite().then_some(mean)
    }

    /// The normal equations of a small rotation, applied last, and a shift.
    fn normal_equations(&self, pose: &Pose) -> ([[f64; 6]; 6], [f64; 6]) {
        let (mut square, mut right) = ([[0.0; 6]; 6], [0.0; 6]);
        for Bearing { model, seen } in self.bearings {
            let arm = apply(&pose.rotation, *model);
            let [x, y, z] = add(arm, pose.translation);
            for (axis, at) in [(0, x), (1, y)] {
                // d(f x/z): the gradient by the point, and through arm x w by the rotation w.
                let mut gradient = [0.0; 3];
                gradient[axis] = self.focal[axis] / z;
                gradient[2] = -self.focal[axis] * at / (z * z);
                let [a, b, c] = cross(arm, gradient);
                let [d, e, f] = gradient;
                let row = [a, b, c, d, e, f];
                let miss = self.focal[axis] * (seen[axis] - at / z);
                for i in 0..6 {
                    right[i] += row[i] * miss;
                    for j in 0..6 {
                        square[i][j] += row[i] * row[j];
                    }
                }
            }
        }
        (square, right)
    }

    /// Descends to the nearest minimum, until a step gains less than the fraction `enough` of the mean
    /// square error; `None` where the points do not determine a pose.
    fn descend(&self, mut pose: Pose, enough: f64) -> Option<Pose> {
        let mut damping = 1e-3;
        let mut error = pose.residual * pose.residual;
        for _ in 0..MAX_STEPS {
            let (square, right) = self.normal_equations(&pose);
            let mut damped = square;
            for (i, row) in damped.iter_mut().enumerate() {
                row[i] *= 1.0 + damping;
            }
            let step = solve_symmetric(&damped, &right)?;
            let [a, b, c, d, e, f] = step;
            let rotated = multiply(&rotation([a, b, c]), &pose.rotation);
            let translation = add(pose.translation, [d, e, f]);
            match self.error(&rotated, translation) {
                Some(next) if next <= error => {
                    let gained = error - next;
                    pose = Pose { rotation: rotated, translation, residual: next.sqrt() };
                    error = next;
                    damping = (damping * 0.1).max(1e-12);
                    if gained <= enough * error + 1e-18 {
                        break;
                    }
                }
                _ if damping > 1e6 => break,
                _ => damping *= 10.0,
            }
        }
        pose.rotation = orthonormal(&pose.rotation)?;
        Some(pose)
    }
}

/// Makes a rotation orthonormal again, after many products cost it some digits.
fn orthonormal(m: &Mat3) -> Option<Mat3> {
    let x = unit(m[0])?;
    let z = unit(cross(x, m[1]))?;
    Some([x, cross(z, x), z])
}
