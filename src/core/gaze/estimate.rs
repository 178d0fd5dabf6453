//! What is known of the faces of a frame: what metadata, overlay, publisher and monitor share.

use crate::core::face::FaceRegion;
use crate::core::geometry::{Gaze, Size};

/// What is known of one face: the region it came from and what the model said.
///
/// This is what metadata, overlay, publisher and monitor share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GazeEstimate {
    /// The face as it was found, in pixels of the frame; its head pose is here too.
    pub region: FaceRegion,
    /// Where it looks; `None` where the model gave no number.
    pub gaze: Option<Gaze>,
    /// The model's own confidence, 0..=1, where it gives one.
    pub confidence: Option<f32>,
    /// Frames since this face was last inferred; 0 is now.
    pub age: u32,
    /// Where the gaze starts: the face's centre in millimetres and camera coordinates, where its
    /// landmarks tell. Its distance is that of a face of average size.
    pub origin: Option<[f32; 3]>,
}

/// All that is known of one frame: what `GazeMeta` carries and what `gazepublish` writes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrameGaze {
    /// The frame that the boxes are measured in.
    pub size: Size,
    /// One for each face that was looked at, in the detector's order; empty where none was found.
    pub faces: Vec<GazeEstimate>,
    /// Name of the model.
    pub model: String,
    /// Which source of a batch the frame came from; 0 outside batches.
    pub source_id: u32,
    /// Nanoseconds from the frame's pixels to the last angle; 0 where nothing was inferred.
    pub inference_time: u64,
}

impl FrameGaze {
    /// The same with every box and point moved into a frame of another size.
    pub fn rescaled(mut self, size: Size) -> Self {
        for face in &mut self.faces {
            face.region = face.region.rescaled(self.size, size);
        }
        self.size = size;
        self
    }
}
