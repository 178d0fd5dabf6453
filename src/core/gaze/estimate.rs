//! The result of gaze estimation: what metadata, overlay, publisher and monitor share.

use crate::core::face::region::FaceRegion;
use crate::core::geometry::angles::Gaze;
use crate::core::geometry::rect::Size;

/// The result for one face: its region and its gaze.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GazeEstimate {
    /// The detected face, in pixels of the frame, with its head pose.
    pub region: FaceRegion,
    /// Where the face looks; `None` where the model gave no finite number.
    pub gaze: Option<Gaze>,
    /// The model's own confidence, 0..=1, where it gives one.
    pub confidence: Option<f32>,
    /// Frames since the model last ran on this face; 0 is this frame.
    pub age: u32,
    /// Where the gaze starts: the face's centre in millimetres and camera coordinates, for a face with
    /// landmarks. The distance assumes a face of average size.
    pub origin: Option<[f32; 3]>,
}

/// The result for one frame: `GazeMeta` carries it and `gazepublish` writes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrameGaze {
    /// Size of the frame that the boxes are measured in.
    pub size: Size,
    /// One result for each analysed face, in the detector's order; empty without a face.
    pub faces: Vec<GazeEstimate>,
    /// Name of the model.
    pub model: String,
    /// Number of the stream in a batch; 0 outside batches.
    pub source_id: u32,
    /// Nanoseconds from the frame's pixels to the last angle; 0 without inference.
    pub inference_time: u64,
}

impl FrameGaze {
    /// The same result, with every box and point scaled to a frame of another size.
    pub fn rescaled(mut self, size: Size) -> Self {
        for face in &mut self.faces {
            face.region = face.region.rescaled(self.size, size);
        }
        self.size = size;
        self
    }
}
