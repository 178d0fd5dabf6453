//! The mean face that head poses are found with, in millimetres.
//!
//! It is the mean face of 68 points (iBUG 300-W's order) that MPIIGaze's and ETH-XGaze's models run
//! with in `hysts/pytorch_mpiigaze_demo` (`ptgaze/common/face_model_68.py`, MIT), rounded to
//! hundredths. Its axes are the camera's (x to the image's right, y down, z away from the camera): a
//! face that looks straight into the camera has no rotation. z is normal to the plane through the
//! middles of the eyes and of the mouth, the origin is the tip of the nose, and the outer corners of
//! the eyes are 90 mm apart, so all distances are those of an average face. These points are used:
//! the corners of the eyes (36, 39, 42, 45), the wings (31, 35) and the tip (30) of the nose, and the
//! corners of the mouth (48, 54). A detector's eye centre is matched with the middle between the
//! corners of that eye.
//!
//! ETH-XGaze's own mean face (`face_model.txt`) has a mouth of 41 mm. On five points of YuNet, 42
//! faces of photographs and films, it leaves 14 % of the points' spread (root mean square) where
//! this one leaves 4 %, and its pitch is 7 degrees off the median of `head-pose-estimation-adas-0001`
//! where this one's is 1.

use crate::core::geometry::matrix::Vec3;

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

/// The points of [`Landmarks5`](super::region::Landmarks5), in that order.
pub const FIVE_POINTS: [Vec3; 5] = [
    middle(RIGHT_EYE_OUTER, RIGHT_EYE_INNER),
    middle(LEFT_EYE_INNER, LEFT_EYE_OUTER),
    NOSE_TIP,
    MOUTH_RIGHT,
    MOUTH_LEFT,
];

/// The points that ETH-XGaze uses: corners of the eyes and wings of the nose.
pub(super) const SIX_POINTS: [Vec3; 6] =
    [RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER, NOSE_RIGHT, NOSE_LEFT];

/// The points of the model by their index in the 68 points of iBUG 300-W.
pub(super) const OF_68: [(usize, Vec3); 9] = [
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

/// The points of the model by their index in the 98 points of WFLW (Wu et al., CVPR 2018).
pub(super) const OF_98: [(usize, Vec3); 9] = [
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
