//! Gaze as two angles or as a direction, in the one sign convention of the whole crate.
//!
//! Camera coordinates are OpenCV's: x to the right of the image, y down, z away from the camera.
//! The gaze direction is the unit vector from the eyes towards what is looked at, so looking
//! straight into the camera is (0, 0, -1). From it
//!
//! ```text
//! pitch = asin(-y)          positive is up
//! yaw   = atan2(-x, -z)     positive is towards the image's left (the subject's right)
//! ```
//!
//! in radians. This is the convention of ETH-XGaze (Zhang et al., ECCV 2020) and of the
//! normalisation paper (Zhang, Sugano, Bulling, ETRA 2018); profiles say how a model's own
//! outputs map to it.

use super::matrix::{Mat3, apply};

/// The direction of gaze as two angles in radians: pitch in -π/2..=π/2, yaw in -π..=π.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gaze {
    /// Radians, positive is up.
    pub pitch: f32,
    /// Radians, positive is towards the image's left.
    pub yaw: f32,
}

/// A direction in camera coordinates, not necessarily of unit length.
pub type Direction = [f32; 3];

impl Gaze {
    /// From angles in radians.
    pub const fn new(pitch: f32, yaw: f32) -> Self {
        Self { pitch, yaw }
    }

    /// From angles in degrees.
    pub fn from_degrees(pitch: f32, yaw: f32) -> Self {
        Self::new(pitch.to_radians(), yaw.to_radians())
    }

    /// From a vector of any positive length; `None` for one that is zero or not finite.
    pub fn from_direction([x, y, z]: Direction) -> Option<Self> {
        let length = (x * x + y * y + z * z).sqrt();
        if !length.is_finite() || length <= f32::MIN_POSITIVE {
            return None;
        }
        Some(Self::new((-y / length).clamp(-1.0, 1.0).asin(), (-x).atan2(-z)))
    }

    /// The unit vector towards what is looked at.
    pub fn direction(self) -> Direction {
        let (sin_pitch, cos_pitch) = self.pitch.sin_cos();
        let (sin_yaw, cos_yaw) = self.yaw.sin_cos();
        [-cos_pitch * sin_yaw, -sin_pitch, -cos_pitch * cos_yaw]
    }

    /// The gaze in the mirrored picture: yaw changes its sign, pitch does not.
    pub fn mirrored(self) -> Self {
        Self::new(self.pitch, -self.yaw)
    }

    /// The same gaze in a picture rotated clockwise by `angle` radians about the camera's axis, like
    /// a head with that roll.
    #[must_use]
    pub fn rolled(self, angle: f32) -> Self {
        let [x, y, z] = self.direction();
        let (sin, cos) = angle.sin_cos();
        // A direction that is turned stays one, unless it or the angle is no number.
        Self::from_direction([x * cos - y * sin, x * sin + y * cos, z])
            .unwrap_or(Self::new(f32::NAN, f32::NAN))
    }

    /// The same gaze in other axes: `rotation` times its direction. `None` where the result is not
    /// finite.
    pub fn turned(self, rotation: &Mat3) -> Option<Self> {
        let direction = apply(rotation, self.direction().map(f64::from));
        Self::from_direction(direction.map(|v| v as f32))
    }

    /// The angle between two gaze directions in radians, 0..=π. The cross and the dot product keep
    /// their precision for small angles, where `acos` does not.
    pub fn angle_to(self, other: Self) -> f32 {
        let [ax, ay, az] = self.direction().map(f64::from);
        let [bx, by, bz] = other.direction().map(f64::from);
        let cross = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
        let sine = (cross[0] * cross[0] + cross[1] * cross[1] + cross[2] * cross[2]).sqrt();
        sine.atan2(ax * bx + ay * by + az * bz) as f32
    }

    /// Whether both angles are finite.
    pub fn is_finite(self) -> bool {
        self.pitch.is_finite() && self.yaw.is_finite()
    }
}

/// The pose of a head in radians, with the signs of [`Gaze`]: pitch is positive up, yaw towards the
/// image's left, and roll clockwise in the image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeadPose {
    /// Radians, positive is up.
    pub pitch: f32,
    /// Radians, positive is towards the image's left.
    pub yaw: f32,
    /// Radians, positive is clockwise as seen in the image.
    pub roll: f32,
}

impl HeadPose {
    /// From yaw, pitch and roll in degrees with the signs of the Open Model Zoo
    /// (`head-pose-estimation-adas-0001`): there, yaw is positive towards the image's right, pitch
    /// down, and roll clockwise as here. Pictures of heads turned each way showed it: the side that
    /// the nose points to, and the slope of the line through the eyes.
    pub fn from_zoo(degrees: [f32; 3]) -> Self {
        let [yaw, pitch, roll] = degrees.map(f32::to_radians);
        Self { pitch: -pitch, yaw: -yaw, roll }
    }

    /// The inverse of [`from_zoo`](Self::from_zoo).
    pub fn to_zoo(self) -> [f32; 3] {
        [-self.yaw, -self.pitch, self.roll].map(f32::to_degrees)
    }

    /// Whether all angles are finite.
    pub fn is_finite(self) -> bool {
        self.pitch.is_finite() && self.yaw.is_finite() && self.roll.is_finite()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_convention() {
        let camera = Gaze::from_direction([0.0, 0.0, -1.0]).unwrap();
        assert_eq!((camera.pitch.abs(), camera.yaw.abs()), (0.0, 0.0));
        let up = Gaze::from_direction([0.0, -1.0, -1.0]).unwrap();
        assert!((up.pitch.to_degrees() - 45.0).abs() < 1e-4);
        let image_left = Gaze::from_direction([-1.0, 0.0, -1.0]).unwrap();
        assert!((image_left.yaw.to_degrees() - 45.0).abs() < 1e-4);
        let away = Gaze::from_direction([0.0, 0.0, 1.0]).unwrap();
        assert!((away.yaw.to_degrees().abs() - 180.0).abs() < 1e-4);
    }

    #[test]
    fn there_and_back() {
        for pitch in (-85..=85).step_by(5) {
            for yaw in (-175..=175).step_by(5) {
                let gaze = Gaze::from_degrees(pitch as f32, yaw as f32);
                let back = Gaze::from_direction(gaze.direction()).unwrap();
                assert!(gaze.angle_to(back).to_degrees() < 1e-3, "{pitch} {yaw}");
            }
        }
    }

    #[test]
    fn a_roll_rotates_the_gaze_clockwise() {
        let quarter = std::f32::consts::FRAC_PI_2;
        // Up becomes the image's right, which is the negative yaw.
        let turned = Gaze::from_degrees(30.0, 0.0).rolled(quarter);
        assert!(turned.angle_to(Gaze::from_degrees(0.0, -30.0)) < 1e-4, "{turned:?}");
        let back = turned.rolled(-quarter);
        assert!(back.angle_to(Gaze::from_degrees(30.0, 0.0)) < 1e-4, "{back:?}");
        assert!(!Gaze::new(0.1, 0.2).rolled(f32::NAN).is_finite());
    }

    #[test]
    fn a_vector_without_direction_gives_no_gaze() {
        assert_eq!(Gaze::from_direction([0.0; 3]), None);
        assert_eq!(Gaze::from_direction([f32::NAN, 0.0, -1.0]), None);
        assert_eq!(Gaze::from_direction([f32::INFINITY, 0.0, -1.0]), None);
    }

    #[test]
    fn the_angle_between_is_exact_for_small_and_large_angles() {
        let a = Gaze::from_degrees(10.0, 20.0);
        assert_eq!(a.angle_to(a), 0.0);
        let near = Gaze::from_degrees(10.01, 20.0);
        assert!((a.angle_to(near).to_degrees() - 0.01).abs() < 1e-4);
        let opposite = Gaze::from_direction(a.direction().map(|v| -v)).unwrap();
        assert!((a.angle_to(opposite).to_degrees() - 180.0).abs() < 1e-3);
    }
}
