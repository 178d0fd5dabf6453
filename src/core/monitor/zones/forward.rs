//! The forward direction: where the road is ahead of the driver, and gaze relative to it.
//!
//! Cameras look at the driver from the column, the mirror or the centre screen. Zones and rules use
//! angles of the cabin: 0, 0 is the road ahead, yaw is positive to the driver's right, pitch is
//! positive up. Subtracting angles is right for small ones only, so [`Forward`] rotates the gaze.

use crate::core::geometry::angles::Gaze;
use crate::core::geometry::matrix::{Mat3, apply, multiply, rotation, transpose};

/// The forward direction in camera coordinates, and the rotation that it implies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forward {
    direction: Gaze,
    to_cabin: Mat3,
}

impl Default for Forward {
    /// A camera straight ahead of the driver: forward is into the lens.
    fn default() -> Self {
        Self::new(Gaze::default())
    }
}

impl Forward {
    /// Makes it from the gaze, in camera coordinates, of a driver who looks at the road ahead.
    ///
    /// A direction has two angles and a rotation three. The third follows from the camera's rows,
    /// which are level: the camera is the car's frame turned by β about its vertical and then by α
    /// about the camera's x axis, R = Rx(α) Ry(β), and forward (0, 0, -1) becomes
    /// (-sin β, cos β sin α, -cos β cos α). A direction that is not finite counts as (0, 0).
    pub fn new(direction: Gaze) -> Self {
        let direction = if direction.is_finite() { direction } else { Gaze::default() };
        let [x, y, z] = direction.direction().map(f64::from);
        let turn = (-x).clamp(-1.0, 1.0).asin();
        let tilt = y.atan2(-z);
        let mounting = multiply(&rotation([tilt, 0.0, 0.0]), &rotation([0.0, turn, 0.0]));
        Self { direction, to_cabin: transpose(&mounting) }
    }

    /// The forward direction in camera coordinates.
    pub fn direction(&self) -> Gaze {
        self.direction
    }

    /// A gaze in camera coordinates, relative to forward; `None` where it is not finite.
    pub fn relative(&self, gaze: Gaze) -> Option<Gaze> {
        let direction = apply(&self.to_cabin, gaze.direction().map(f64::from));
        Gaze::from_direction(direction.map(|v| v as f32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A gaze relative to forward, in camera coordinates.
    fn in_camera(forward: &Forward, cabin: Gaze) -> Gaze {
        let direction = apply(&transpose(&forward.to_cabin), cabin.direction().map(f64::from));
        Gaze::from_direction(direction.map(|v| v as f32)).unwrap()
    }

    #[test]
    fn forward_is_zero_and_the_rotation_inverts() {
        for (pitch, yaw) in [(0.0, 0.0), (20.0, 0.0), (0.0, -35.0), (-15.0, 25.0), (30.0, 40.0)] {
            let forward = Forward::new(Gaze::from_degrees(pitch, yaw));
            let zero = forward.relative(forward.direction()).unwrap();
            assert!(zero.angle_to(Gaze::default()).to_degrees() < 1e-3, "{pitch} {yaw}: {zero:?}");
            let gaze = Gaze::from_degrees(-22.0, 41.0);
            let back = in_camera(&forward, forward.relative(gaze).unwrap());
            assert!(back.angle_to(gaze).to_degrees() < 1e-3);
        }
    }

    #[test]
    fn a_level_camera_at_the_side_keeps_the_horizon() {
        // A driver who turns from the road to the side window keeps the pitch of the horizon,
        // wherever the camera hangs; in camera coordinates pitch and yaw both change.
        let forward = Forward::new(Gaze::from_degrees(0.0, 30.0));
        let side = forward.relative(Gaze::from_degrees(0.0, -30.0)).unwrap();
        assert!(side.angle_to(Gaze::from_degrees(0.0, -60.0)).to_degrees() < 1e-3, "{side:?}");
        // A camera that looks up from the column sees forward above its axis.
        let column = Forward::new(Gaze::from_degrees(20.0, 0.0));
        let right = in_camera(&column, Gaze::from_degrees(0.0, 90.0));
        assert!(right.angle_to(Gaze::from_degrees(0.0, 90.0)).to_degrees() < 1e-3, "{right:?}");
    }

    #[test]
    fn numbers_that_are_not_finite_are_not_used() {
        assert_eq!(Forward::new(Gaze::new(f32::NAN, 0.0)), Forward::default());
        assert_eq!(Forward::default().relative(Gaze::new(0.0, f32::NAN)), None);
    }
}
