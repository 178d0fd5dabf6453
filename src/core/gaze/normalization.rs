//! Data normalisation: a virtual camera looks straight at the face from a fixed distance (Zhang,
//! Sugano and Bulling, "Revisiting Data Normalization for Appearance-Based Gaze Estimation", ETRA
//! 2018).
//!
//! Models trained on such pictures answer in that camera's coordinates; the inverse of its rotation
//! brings the gaze back. The scaling to a common distance applies to the picture and not to the gaze
//! (the paper's correction of the earlier method).

use crate::core::face::pnp::Pose;
use crate::core::geometry::camera::Camera;
use crate::core::geometry::matrix::{
    Mat3, Vec3, add, cross, inverse, multiply, norm, scale, transpose, unit,
};
use crate::core::geometry::rect::Size;
use crate::core::profile::spec::{FaceCenter, Normalization};

impl FaceCenter {
    /// The point in the face model, in millimetres.
    pub fn point(self) -> Vec3 {
        use crate::core::face::face_model as h;
        let sum = |points: &[Vec3]| points.iter().fold([0.0; 3], |sum, point| add(sum, *point));
        let eyes =
            sum(&[h::RIGHT_EYE_OUTER, h::RIGHT_EYE_INNER, h::LEFT_EYE_INNER, h::LEFT_EYE_OUTER]);
        match self {
            Self::EyesAndNose => {
                let nose = sum(&[h::NOSE_RIGHT, h::NOSE_LEFT]);
                add(scale(eyes, 1.0 / 8.0), scale(nose, 1.0 / 4.0))
            }
            Self::EyesAndMouth => {
                scale(add(eyes, sum(&[h::MOUTH_RIGHT, h::MOUTH_LEFT])), 1.0 / 6.0)
            }
        }
    }
}

/// The view of one face by the virtual camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormalizedView {
    /// From the camera's axes to the virtual camera's.
    pub rotation: Mat3,
    /// From pixels of the model's picture to pixels of the frame.
    pub to_source: Mat3,
}

impl Normalization {
    /// The view of a face by `camera`, in a picture of `size`.
    ///
    /// The picture is a homography of the frame. For a lens with distortion the homography is shifted
    /// to be exact at the face's centre; within a face the remaining distortion is small.
    ///
    /// `None` where the face's centre is not in front of the camera, and for a pose so far off that the
    /// homography is not finite.
    pub fn view(&self, camera: &Camera, pose: &Pose, size: Size) -> Option<NormalizedView> {
        let center = pose.transform(self.center.point());
        let distance = norm(center);
        let z = unit(center)?;
        // The head's x axis: the virtual camera rolls with the head.
        let right = transpose(&pose.rotation)[0];
        let y = unit(cross(z, right))?;
        let rotation = [cross(y, z), y, z];
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        // C_n S
        let s = self.distance / distance;
        let lens = [
            [self.focal_length, 0.0, s * width / 2.0],
            [0.0, self.focal_length, s * height / 2.0],
            [0.0, 0.0, s],
        ];
        let seen = camera.project(center)?;
        let [x, y, depth] = center;
        let pinhole = [camera.fx * x / depth + camera.cx, camera.fy * y / depth + camera.cy];
        let shift =
            [[1.0, 0.0, seen[0] - pinhole[0]], [0.0, 1.0, seen[1] - pinhole[1]], [0.0, 0.0, 1.0]];
        let back = multiply(&camera.matrix(), &multiply(&transpose(&rotation), &inverse(&lens)?));
        let to_source = multiply(&shift, &back);
        let finite = to_source.iter().chain(&rotation).flatten().all(|value| value.is_finite());
        finite.then_some(NormalizedView { rotation, to_source })
    }
}
