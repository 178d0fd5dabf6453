//! Which way is forward: the driver's road-ahead direction, and gaze as seen from there.
//!
//! Cameras sit on the column, on the mirror, in the centre screen, and look at the driver from
//! there. Zones and rules want angles of the cabin: 0, 0 is the road ahead, yaw is positive to the
//! driver's right, pitch is positive up. Subtracting angles would do for small ones only; here the
//! camera's mounting is undone as the rotation that it is.

use crate::core::geometry::Gaze;
use crate::core::geometry::matrix::{Mat3, apply, multiply, rotation, transpose};

/// The road-ahead direction in camera coordinates, ready for use.
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
    /// From the gaze, in camera coordinates, of a driver who looks at the road ahead.
    ///
    /// A direction has two angles and a rotation three: the third is that the camera's rows are
    /// level, so it is the car's frame turned by β about its vertical and then by α about the
    /// camera's x axis, R = Rx(α) Ry(β), and forward (0, 0, -1) becomes
    /// (-sin β, cos β sin α, -cos β cos α). An angle that is no number counts as 0.
    pub fn new(direction: Gaze) -> Self {
        let direction = if direction.is_finite() { direction } else { Gaze::default() };
        let [x, y, z] = direction.direction().map(f64::from);
        let turn = (-x).clamp(-1.0, 1.0).asin();
        let tilt = y.atan2(-z);
        let mounting = multiply(&rotation([tilt, 0.0, 0.0]), &rotation([0.0, turn, 0.0]));
        Self { direction, to_cabin: transpose(&mounting) }
    }

    /// The direction that it was made from.
    pub fn direction(&self) -> Gaze {
        self.direction
    }

    /// Gaze in camera coordinates as gaze in the cabin; `None` where it is no number.
    pub fn relative(&self, gaze: Gaze) -> Option<Gaze> {
        let direction = apply(&self.to_cabin, gaze.direction().map(f64::from));
        Gaze::from_direction(direction.map(|v| v as f32))
    }

    /// The inverse of [`relative`](Self::relative).
    pub fn absolute(&self, cabin: Gaze) -> Option<Gaze> {
        let direction = apply(&transpose(&self.to_cabin), cabin.direction().map(f64::from));
        Gaze::from_direction(direction.map(|v| v as f32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forward_is_zero_and_back_again() {
        for (pitch, yaw) in [(0.0, 0.0), (20.0, 0.0), (0.0, -35.0), (-15.0, 25.0), (30.0, 40.0)] {
            let forward = Forward::new(Gaze::from_degrees(pitch, yaw));
            let zero = forward.relative(forward.direction()).unwrap();
            assert!(zero.angle_to(Gaze::default()).to_degrees() < 1e-3, "{pitch} {yaw}: {zero:?}");
            let gaze = Gaze::from_degrees(-22.0, 41.0);
            let back = forward.absolute(forward.relative(gaze).unwrap()).unwrap();
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
        let right = column.absolute(Gaze::from_degrees(0.0, 90.0)).unwrap();
        assert!(right.angle_to(Gaze::from_degrees(0.0, 90.0)).to_degrees() < 1e-3, "{right:?}");
    }

    #[test]
    fn what_is_no_number_is_not_used() {
        assert_eq!(Forward::new(Gaze::new(f32::NAN, 0.0)), Forward::default());
        assert_eq!(Forward::default().relative(Gaze::new(0.0, f32::NAN)), None);
    }
}
