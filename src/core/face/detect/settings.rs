//! Which faces a detector returns.

/// Which faces a detector returns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectSettings {
    /// A face must score more than this, 0..=1.
    pub score_threshold: f32,
    /// Of two boxes that overlap more than this (intersection over union), only the better one stays.
    pub nms_threshold: f32,
    /// The most faces; the best ones stay. 0 keeps all.
    pub max_faces: usize,
    /// A face must be this wide and high, in pixels of the frame.
    pub min_face_size: u32,
}

impl Default for DetectSettings {
    /// The values of YuNet's trainer.
    fn default() -> Self {
        Self { score_threshold: 0.6, nms_threshold: 0.45, max_faces: 0, min_face_size: 0 }
    }
}
