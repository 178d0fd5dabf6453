//! From a frame and the faces in it to where they look.

use super::gaze::{Gaze, HeadPose};
use super::region::FaceRegion;

/// What is known of one face: the region it came from and what the model said.
///
/// This is what metadata, overlay, publisher and monitor share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GazeEstimate {
    /// The face as it was found, in pixels of the frame.
    pub region: FaceRegion,
    /// Where it looks; `None` where the model gave no number.
    pub gaze: Option<Gaze>,
    /// The model's own confidence, 0..=1, where it gives one.
    pub confidence: Option<f32>,
    /// Frames since this face was last inferred; 0 is now.
    pub age: u32,
    /// How the head is turned, where known.
    pub head_pose: Option<HeadPose>,
    /// Where the gaze starts, in millimetres and camera coordinates, where known.
    pub origin: Option<[f32; 3]>,
}
