//! How a head stands before the camera, from points of its face: perspective-n-point.
//!
//! The face model is the mean face of 68 points (iBUG 300-W's order) that MPIIGaze's and ETH-XGaze's
//! models run with in `hysts/pytorch_mpiigaze_demo` (`ptgaze/common/face_model_68.py`, MIT), in
//! millimetres and rounded to hundredths. Its axes are the camera's (x to the image's right, y down,
//! z away from the camera): a face that looks straight into the camera has no rotation. z is normal
//! to the plane through the middles of the eyes and of the mouth, the origin is the tip of the nose,
//! and the outer corners of the eyes are 90 mm apart, which makes all distances those of an average
//! face. Of its points these are used: the corners of the eyes (36, 39, 42, 45), the wings (31, 35)
//! and the tip (30) of the nose, and the corners of the mouth (48, 54). Where a detector gives the
//! eyes' centres, they are set against the middle between an eye's corners.
//!
//! ETH-XGaze's own mean face (`face_model.txt`) has a mouth of 41 mm. On five points of YuNet, 42
//! faces of photographs and films, it leaves 14 % of the points' spread (root mean square) where
//! this one leaves 4 %, and its pitch is 7 degrees off the median of `head-pose-estimation-adas-0001`
//! where this one's is 1.
//!
//! Every other face differs from the mean: five points give the head's direction to several
//! degrees.

use crate::core::geometry::camera::Camera;
use crate::core::geometry::matrix::{
    Mat3, Vec3, add, apply, cross, multiply, rotation, scale, solve_symmetric, sub, unit,
};
use crate::core::geometry::{HeadPose, Point};

/// The most points that one pose is found from; points beyond are not looked at.
pub const MAX_POINTS: usize = 128;

/// The fewest.
pub const MIN_POINTS: usize = 5;

/// Outer corner of the eye on the image's left (the subject's right), point 36.
pub const RIGHT_EYE_OUTER: Vec3 = [-45.00, -32.42, 39.77];
/// Its inner corner, point 39.
pub const RIGHT_EYE_INNER: Vec3 = [-19.20, -31.02, 33.59];
/// Inner corner of the other eye, point 42.
pub const LEFT_EYE_INNER: Vec3 = mirrored(RIGHT_EYE_INNER);
/// Its outer corner, point 45.
pub const LEFT_EYE_OUTER: Vec3 = mirrored(RIGHT_EYE_OUTER);
/// Wing of the nose on the image's left, point 31.
pub const NOSE_RIGHT: Vec3 = [-14.79, 9.49, 17.09];
/// The other wing, point 35.
pub const NOSE_LEFT: Vec3 = mirrored(NOSE_RIGHT);
/// Tip of the nose, point 30.
pub const NOSE_TIP: Vec3 = [0.0; 3];
/// Corner of the mouth on the image's left, point 48.
pub const MOUTH_RIGHT: Vec3 = [-28.47, 33.32, 36.68];
/// The other corner, point 54.
pub const MOUTH_LEFT: Vec3 = mirrored(MOUTH_RIGHT);

/// The points of [`Landmarks5`](super::Landmarks5), in that order.
pub const FIVE_POINTS: [Vec3; 5] = [
    middle(RIGHT_EYE_OUTER, RIGHT_EYE_INNER),
    middle(LEFT_EYE_INNER, LEFT_EYE_OUTER),
    NOSE_TIP,
    MOUTH_RIGHT,
    MOUTH_LEFT,
];

/// The points that ETH-XGaze takes: corners of the eyes and wings of the nose.
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

/// The same point of the other half of the face.
const fn mirrored([x, y, z]: Vec3) -> Vec3 {
    [-x, y, z]
}

const fn middle(a: Vec3, b: Vec3) -> Vec3 {
    [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0, (a[2] + b[2]) / 2.0]
}

/// Points that deviate from a line by less than this part of their extent say nothing of a pose.
const LINE: f64 = 0.03;

/// The part of the points' own spread that the mean deviation from the model may have. Faces that
/// differ from the mean, as detectors see them, leave 0.015..0.14 (42 real faces, YuNet).
const MAX_DEVIATION: f64 = 0.25;

/// Steps of one descent; it ends much sooner unless the points fit no face.
const MAX_STEPS: usize = 60;

/// Gain of a step, as a part of the mean square distance, below which a descent tells its valley from
/// the others, and below which it has arrived.
const COARSE: f64 = 1e-3;
const FINE: f64 = 1e-10;

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
/// ([`Landmarks5`](super::Landmarks5)), 6 (ETH-XGaze: corners of the eyes from left to
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
        let pose = frame.start(start).and_then(|pose| frame.descend(pose, COARSE));
        let Some(pose) = pose else { continue };
        let towards = pose.rotation[2][2] > 0.0;
        if towards && best.is_none_or(|best| pose.residual < best.residual) {
            best = Some(pose);
        }
    }
    let best = best.filter(|pose| pose.residual < MAX_DEVIATION * frame.spread)?;
    frame.descend(best, FINE)
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

    /// Down to the nearest valley, until a step gains less than the part `enough` of the mean square
    /// distance; `None` where the points do not determine a pose.
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
            let turned = multiply(&rotation([a, b, c]), &pose.rotation);
            let translation = add(pose.translation, [d, e, f]);
            match self.error(&turned, translation) {
                Some(next) if next <= error => {
                    let gained = error - next;
                    pose = Pose { rotation: turned, translation, residual: next.sqrt() };
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

/// A rotation that has lost some digits over many products, made one again.
fn orthonormal(m: &Mat3) -> Option<Mat3> {
    let x = unit(m[0])?;
    let z = unit(cross(x, m[1]))?;
    Some([x, cross(z, x), z])
}
