//! The axes of the line of sight from the camera to the face, in which some models answer.
//!
//! A network that sees the pixels of a face alone cannot know where in the picture they were: the
//! same crop at the edge of a picture shows a head that is turned further. Models trained with the
//! labels of Gaze360 (Kellnhofer et al., ICCV 2019) therefore answer in the axes of the ray: those of
//! a virtual camera at the same position, panned and then tilted until its z axis goes through the
//! face:
//!
//! ```text
//! z = K^-1 (u, v, 1), made a unit vector     (u, v) the middle of the face's box, undistorted
//! x = (0, 1, 0) x z, made a unit vector      level in the camera: no roll of its own
//! y = z x x
//! gaze_camera = [x y z] gaze_ray             x, y and z are the columns
//! ```
//!
//! In these axes a gaze straight at the camera is (0, 0) wherever the face is; it becomes the direction
//! from the face to the camera.

use crate::core::geometry::camera::Camera;
use crate::core::geometry::matrix::{IDENTITY, Mat3, cross, unit};
use crate::core::geometry::rect::{Point, Rect};

/// The rotation from the camera's axes to those of the ray through `point`, in pixels of the frame,
/// with the centre of the first pixel at (0, 0). Its transpose brings a gaze back.
pub fn rotation(camera: &Camera, point: Point) -> Mat3 {
    let [u, v] = camera.undistort([f64::from(point.x), f64::from(point.y)]);
    let level = u.hypot(1.0);
    let x = [1.0 / level, 0.0, -u / level];
    // A point that is not finite has no ray; the camera's axes are the best guess.
    let Some(z) = unit([u, v, 1.0]) else { return IDENTITY };
    [x, cross(z, x), z]
}

/// The same for the middle of a face's box, whose edges are pixel edges.
pub fn rotation_to(camera: &Camera, face: &Rect) -> Mat3 {
    let middle = |start: f32, extent: f32| start + extent / 2.0 - 0.5;
    let point = Point { x: middle(face.x, face.width), y: middle(face.y, face.height) };
    rotation(camera, point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::matrix::{
        apply, dot, multiply, norm, rotation as turned, sub, transpose,
    };
    use crate::core::geometry::{Gaze, Size};

    const SIZE: Size = Size::new(640, 480);

    #[test]
    fn a_face_in_the_middle_needs_no_rotation() {
        let camera = Camera::from_field_of_view(60.0, SIZE);
        for rect in [Rect::full(SIZE), Rect::new(270.0, 215.0, 100.0, 50.0)] {
            assert_eq!(rotation_to(&camera, &rect), IDENTITY);
        }
    }

    #[test]
    fn straight_at_the_camera_stays_so_wherever_the_face_is() {
        let camera = Camera {
            distortion: [-0.2, 0.05, 0.001, 0.0, 0.0],
            ..Camera::from_field_of_view(75.0, SIZE)
        };
        for [x, y, z] in [[0.0, 0.0, 600.0], [250.0, -120.0, 500.0], [-300.0, 150.0, 900.0]] {
            let [u, v] = camera.project([x, y, z]).unwrap();
            let axes = rotation(&camera, Point { x: u as f32, y: v as f32 });
            let gaze = Gaze::default().turned(&transpose(&axes)).unwrap();
            let truth = Gaze::from_direction([-x, -y, -z].map(|v| v as f32)).unwrap();
            assert!(gaze.angle_to(truth).to_degrees() < 0.01, "{gaze:?} {truth:?}");
        }
    }

    #[test]
    fn the_camera_is_panned_and_then_tilted() {
        let camera = Camera::from_field_of_view(90.0, SIZE);
        for (u, v) in [(20.0, 40.0), (600.0, 30.0), (333.0, 470.0)] {
            let axes = rotation(&camera, Point { x: u, y: v });
            let [x, y] = camera.undistort([f64::from(u), f64::from(v)]);
            let (pan, tilt) = (x.atan(), (-y / x.hypot(1.0)).atan());
            // Panned towards the ray about the vertical, tilted about its own level axis.
            let camera_of_ray = multiply(&turned([0.0, pan, 0.0]), &turned([tilt, 0.0, 0.0]));
            for (row, axis) in axes.iter().zip(transpose(&camera_of_ray)) {
                assert!(norm(sub(*row, axis)) < 1e-12, "{axes:?} {camera_of_ray:?}");
            }
            assert!(axes[0][1] == 0.0 && dot(axes[1], [0.0, 1.0, 0.0]) > 0.0, "no roll");
            let ahead = apply(&axes, [x, y, 1.0]);
            assert!(ahead[0].abs() < 1e-12 && ahead[1].abs() < 1e-12 && ahead[2] > 0.0);
        }
    }

    #[test]
    fn a_point_that_is_not_finite_needs_no_rotation() {
        let camera = Camera::from_field_of_view(60.0, SIZE);
        for bad in [f32::NAN, f32::INFINITY] {
            let axes = rotation(&camera, Point { x: 10.0, y: bad });
            assert_eq!(axes, IDENTITY);
            assert_eq!(rotation(&camera, Point { x: bad, y: 10.0 }), IDENTITY);
        }
    }
}
