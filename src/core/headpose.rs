//! How a head stands before the camera, from points of its face: perspective-n-point.
//!
//! The face model is that of ETH-XGaze (Zhang et al., ECCV 2020): a mean face of 50 points in
//! millimetres, axes as the camera's (x to the image's right, y down, z away from the camera), so
//! that a face that looks straight into the camera has no rotation. Of its points, numbered in the
//! order of the 68 points of iBUG 300-W, these are used: the corners of the eyes (36, 39, 42, 45),
//! the wings (31, 35) and the tip (30) of the nose, and the corners of the mouth (48, 54). Where a
//! detector gives the eyes' centres, they are set against the middle between an eye's corners.
//!
//! The six corners and wings are as published. The tip of the nose and the mouth still have to be
//! checked against their sources: the mouth is wider here than in that model, which fitted
//! photographs better, and no element relies on it yet.
//!
//! Every other face differs from the mean: five points give the head's direction to several
//! degrees, and its distance as well as its size is average.

use super::camera::Camera;
use super::gaze::HeadPose;
use super::geometry::Point;
use super::matrix::{
    Mat3, Vec3, add, apply, cross, multiply, rotation, scale, solve_symmetric, sub, unit,
};

/// The most points that one pose is found from; points beyond are not looked at.
pub const MAX_POINTS: usize = 128;

/// The fewest.
pub const MIN_POINTS: usize = 5;

/// Outer corner of the eye on the image's left (the subject's right), point 36.
pub const RIGHT_EYE_OUTER: Vec3 = [-46.505, -38.327, 36.416];
/// Its inner corner, point 39.
pub const RIGHT_EYE_INNER: Vec3 = [-17.761, -32.585, 29.076];
/// Inner corner of the other eye, point 42.
pub const LEFT_EYE_INNER: Vec3 = [18.044, -30.957, 29.063];
/// Its outer corner, point 45.
pub const LEFT_EYE_OUTER: Vec3 = [44.738, -34.108, 36.732];
/// Wing of the nose on the image's left, point 31.
pub const NOSE_RIGHT: Vec3 = [-10.612, 12.958, 21.623];
/// The other wing, point 35.
pub const NOSE_LEFT: Vec3 = [11.290, 13.864, 21.838];
/// Tip of the nose, point 30.
pub const NOSE_TIP: Vec3 = [1.324, 5.223, 3.282];
/// Corner of the mouth on the image's left, point 48.
pub const MOUTH_RIGHT: Vec3 = [-25.567, 35.873, 28.900];
/// The other corner, point 54.
pub const MOUTH_LEFT: Vec3 = [27.033, 37.123, 28.600];

/// The points of [`Landmarks5`](super::region::Landmarks5), in that order.
pub const FIVE_POINTS: [Vec3; 5] = [
    middle(RIGHT_EYE_OUTER, RIGHT_EYE_INNER),
    middle(LEFT_EYE_INNER, LEFT_EYE_OUTER),
    NOSE_TIP,
    MOUTH_RIGHT,
    MOUTH_LEFT,
];

/// The points of ETH-XGaze: corners of the eyes and wings of the nose.
const SIX_POINTS: [Vec3; 6] =
    [RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER, NOSE_RIGHT, NOSE_LEFT];

/// Where the points of the model stand in the 68 points of iBUG 300-W.
const OF_68: [(usize, Vec3); 9] = [
    (36, RIGHT_EYE_OUTER),
    (39, RIGHT_EYE_INNER),
    (42, LEFT_EYE_INNER),
    (45, LEFT_EYE_OUTER),
    (31, NOSE_RIGHT),
    (35, NOSE_LEFT),
    (30, NOSE_TIP),
    (48, MOUTH_RIGHT),
    (54, MOUTH_LEFT),
];

/// Where they stand in the 98 points of WFLW (Wu et al., CVPR 2018).
const OF_98: [(usize, Vec3); 9] = [
    (60, RIGHT_EYE_OUTER),
    (64, RIGHT_EYE_INNER),
    (68, LEFT_EYE_INNER),
    (72, LEFT_EYE_OUTER),
    (55, NOSE_RIGHT),
    (59, NOSE_LEFT),
    (54, NOSE_TIP),
    (76, MOUTH_RIGHT),
    (82, MOUTH_LEFT),
];

const fn middle(a: Vec3, b: Vec3) -> Vec3 {
    [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0, (a[2] + b[2]) / 2.0]
}

/// Points that deviate from a line by less than this part of their extent say nothing of a pose.
const LINE: f64 = 0.03;

/// The part of the points' own spread that the mean deviation from the model may have. Faces that
/// differ from the mean, as detectors see them, leave 0.03..0.15.
const MAX_DEVIATION: f64 = 0.25;

/// Steps of one descent; it ends much sooner unless the points fit no face.
const MAX_STEPS: usize = 60;

/// Yaw and pitch in radians from which the descent starts: with few points that lie nearly in a
/// plane there are two valleys, one on each side of the face that looks straight ahead.
const STARTS: [[f64; 2]; 5] = [[0.0, 0.0], [0.7, 0.0], [-0.7, 0.0], [0.0, 0.6], [0.0, -0.6]];

/// Where a head is and how it is turned: `camera = rotation * model + translation`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// From the face model's axes to the camera's.
    pub rotation: Mat3,
    /// The model's origin in camera coordinates, in millimetres.
    pub translation: Vec3,
    /// Root mean square distance in pixels between the points and where the model's are seen.
    pub residual: f64,
}

impl Pose {
    /// A point of the face model in camera coordinates, in millimetres.
    pub fn place(&self, model: Vec3) -> Vec3 {
        add(apply(&self.rotation, model), self.translation)
    }

    /// The head's angles.
    pub fn angles(&self) -> HeadPose {
        angles(&self.rotation)
    }
}

/// Angles of a head's rotation, signs as in [`HeadPose`].
///
/// The model's z axis points into the head; its image v, the rotation's third column, gives pitch
/// = asin(v_y) and yaw = atan2(v_x, v_z) (ETH-XGaze, Zhang et al. 2020), which are those of a gaze
/// along -v. Roll is the rotation about v that comes first:
/// R = Ry(yaw) Rx(-pitch) Rz(roll).
pub fn angles(rotation: &Mat3) -> HeadPose {
    let [[_, _, x], [right, down, y], [_, _, z]] = *rotation;
    HeadPose {
        pitch: y.clamp(-1.0, 1.0).asin() as f32,
        yaw: x.atan2(z) as f32,
        roll: right.atan2(down) as f32,
    }
}

/// The pose from a detector's points, told by their number: 5
/// ([`Landmarks5`](super::region::Landmarks5)), 6 (ETH-XGaze: corners of the eyes from left to
/// right, wings of the nose), 68 (iBUG 300-W) or 98 (WFLW). Sets of 106 points come in several
/// orders under the same number; [`solve`] takes them with the model's points.
///
/// `None` for another number, and as [`solve`].
pub fn from_landmarks(camera: &Camera, points: &[Point]) -> Option<Pose> {
    let zip = |model: &[Vec3]| {
        let mut pairs = [Pair::default(); 9];
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

/// A point of a model in millimetres, and where it is seen in pixels (from the centre of the first
/// pixel).
pub type Pair = (Vec3, Point);

/// A point of the model and the direction (x, y, 1) in which it is seen.
#[derive(Clone, Copy, Debug, Default)]
struct Sight {
    model: Vec3,
    seen: [f64; 2],
}

/// The pose that brings the model's points nearest to where they are seen, by least squares in
/// pixels: Levenberg and Marquardt's descent from several starts, the best face that is turned
/// towards the camera. Allocates nothing.
///
/// `None` for fewer than [`MIN_POINTS`] points, for points that are no numbers, coincide or lie on
/// a line, and where no face in front of the camera comes near them.
pub fn solve(camera: &Camera, pairs: &[Pair]) -> Option<Pose> {
    let pairs = &pairs[..pairs.len().min(MAX_POINTS)];
    if pairs.len() < MIN_POINTS {
        return None;
    }
    let mut sights = [Sight::default(); MAX_POINTS];
    for (sight, (model, point)) in sights.iter_mut().zip(pairs) {
        let seen = camera.undistort([f64::from(point.x), f64::from(point.y)]);
        *sight = Sight { model: *model, seen };
    }
    let sights = &sights[..pairs.len()];
    let finite = |sight: &Sight| sight.seen.iter().chain(&sight.model).all(|v| v.is_finite());
    if !sights.iter().all(finite) {
        return None;
    }
    let frame = Frame::new(camera, sights)?;
    let mut best: Option<Pose> = None;
    for start in STARTS {
        let Some(pose) = frame.start(start).and_then(|pose| frame.descend(pose)) else { continue };
        let towards = pose.rotation[2][2] > 0.0;
        if towards && best.is_none_or(|best| pose.residual < best.residual) {
            best = Some(pose);
        }
    }
    best.filter(|pose| pose.residual < MAX_DEVIATION * frame.spread)
}

/// What all descents share.
struct Frame<'a> {
    sights: &'a [Sight],
    focal: [f64; 2],
    /// Root mean square distance of the points from their mean, in pixels.
    spread: f64,
    /// Mean of the points that are seen, and of the model's.
    seen_mean: [f64; 2],
    model_mean: Vec3,
    /// Distance at which the model is seen as large as the points are apart.
    distance: f64,
    /// The roll that lays the model's picture over the points.
    roll: f64,
}

impl<'a> Frame<'a> {
    fn new(camera: &Camera, sights: &'a [Sight]) -> Option<Self> {
        let count = sights.len() as f64;
        let focal = [camera.fx, camera.fy];
        let mut seen_mean = [0.0; 2];
        let mut model_mean = [0.0; 3];
        for sight in sights {
            model_mean = add(model_mean, scale(sight.model, 1.0 / count));
            seen_mean = [0, 1].map(|i| seen_mean[i] + sight.seen[i] / count);
        }
        // Second moments of the points in pixels, and of the model against the points.
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        let (mut along, mut across, mut model_square) = (0.0, 0.0, 0.0);
        for sight in sights {
            let [x, y] = [0, 1].map(|i| sight.seen[i] - seen_mean[i]);
            let [mx, my, _] = sub(sight.model, model_mean);
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
            sights,
            focal,
            spread,
            seen_mean,
            model_mean,
            distance: 1.0 / size,
            roll: across.atan2(along),
        })
    }

    /// A pose with this yaw and pitch that shows the model about where the points are.
    fn start(&self, [yaw, pitch]: [f64; 2]) -> Option<Pose> {
        let turned = multiply(&rotation([0.0, yaw, 0.0]), &rotation([-pitch, 0.0, 0.0]));
        let turned = multiply(&turned, &rotation([0.0, 0.0, self.roll]));
        let [x, y] = self.seen_mean;
        let middle = scale([x, y, 1.0], self.distance);
        let translation = sub(middle, apply(&turned, self.model_mean));
        let residual = self.error(&turned, translation)?.sqrt();
        Some(Pose { rotation: turned, translation, residual })
    }

    /// Mean square distance in pixels; `None` where a point is not in front of the camera.
    fn error(&self, turned: &Mat3, translation: Vec3) -> Option<f64> {
        let mut sum = 0.0;
        for Sight { model, seen } in self.sights {
            let [x, y, z] = add(apply(turned, *model), translation);
            if z <= 1.0 {
                return None;
            }
            let dx = self.focal[0] * (x / z - seen[0]);
            let dy = self.focal[1] * (y / z - seen[1]);
            sum += dx * dx + dy * dy;
        }
        let mean = sum / self.sights.len() as f64;
        mean.is_finite().then_some(mean)
    }

    /// Normal equations of a small rotation (applied last) and a shift.
    fn normal_equations(&self, pose: &Pose) -> ([[f64; 6]; 6], [f64; 6]) {
        let (mut square, mut right) = ([[0.0; 6]; 6], [0.0; 6]);
        for Sight { model, seen } in self.sights {
            let arm = apply(&pose.rotation, *model);
            let [x, y, z] = add(arm, pose.translation);
            for (axis, at) in [(0, x), (1, y)] {
                // d(f x/z): the gradient to the point, and through arm x w to the rotation w.
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

    /// Down to the nearest valley; `None` where the points do not determine a pose.
    fn descend(&self, mut pose: Pose) -> Option<Pose> {
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
            let turned = multiply(&rotation([a, b, c]), &pose.rotation);
            let translation = add(pose.translation, [d, e, f]);
            match self.error(&turned, translation) {
                Some(next) if next <= error => {
                    let gained = error - next;
                    pose = Pose { rotation: turned, translation, residual: next.sqrt() };
                    error = next;
                    damping = (damping * 0.1).max(1e-12);
                    if gained <= 1e-12 * error + 1e-18 {
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

/// A rotation that has lost some digits over many products, made one again.
fn orthonormal(m: &Mat3) -> Option<Mat3> {
    let x = unit(m[0])?;
    let z = unit(cross(x, m[1]))?;
    Some([x, cross(z, x), z])
}
