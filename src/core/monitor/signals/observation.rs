//! What one frame shows of the driver.

use crate::core::gaze::estimate::GazeEstimate;
use crate::core::geometry::angles::{Gaze, HeadPose};
use crate::core::monitor::alarms::event::UnavailableReason;

/// What one frame shows of the driver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Observation {
    /// The driver's face.
    Face(DriverFace),
    /// No face, and why.
    Missing(UnavailableReason),
}

/// The driver's face in one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DriverFace {
    /// Gaze in camera coordinates, where the model gave one.
    pub gaze: Option<Gaze>,
    /// Whether the model ran on this frame; otherwise the gaze is reused from an earlier one.
    pub fresh: bool,
    /// Where the gaze starts, in camera coordinates and millimetres.
    pub origin: Option<[f32; 3]>,
    /// Pose of the head.
    pub head: Option<HeadPose>,
    /// Openness of the wider open eye, 0..=1: a hidden eye must not count as closed.
    pub openness: Option<f32>,
}

impl From<&GazeEstimate> for DriverFace {
    fn from(face: &GazeEstimate) -> Self {
        let openness = face.region.eye_openness.map(|[left, right]| left.max(right));
        Self {
            gaze: face.gaze.filter(|gaze| gaze.is_finite()),
            fresh: face.age == 0,
            origin: face.origin,
            head: face.region.head_pose.filter(|pose| pose.is_finite()),
            openness: openness.filter(|value| value.is_finite()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_wider_eye_and_finite_numbers() {
        let mut estimate =
            GazeEstimate { gaze: Some(Gaze::new(f32::NAN, 0.0)), age: 2, ..Default::default() };
        estimate.region.eye_openness = Some([0.1, 0.9]);
        let face = DriverFace::from(&estimate);
        assert_eq!((face.gaze, face.fresh, face.openness), (None, false, Some(0.9)));
        estimate.region.eye_openness = Some([f32::NAN, f32::NAN]);
        assert_eq!(DriverFace::from(&estimate).openness, None);
    }
}
