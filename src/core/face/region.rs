//! A face in a frame, and which pixels of the frame a model gets to see of it.

use crate::core::geometry::{HeadPose, Point, Rect, Size};

/// Eyes, nose tip and mouth corners: right eye, left eye, nose, right corner, left corner, where
/// right and left are the subject's (so the first is on the image's left). YuNet's order.
pub type Landmarks5 = [Point; 5];

/// The corners of one eye.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EyeCorners {
    /// The corner towards the temple.
    pub outer: Point,
    /// The corner towards the nose.
    pub inner: Point,
}

/// A face that somebody found. Points are in pixels of the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FaceRegion {
    /// Bounding box in pixels of the frame; may leave it.
    pub rect: Rect,
    /// The detector's score, 0..=1.
    pub confidence: Option<f32>,
    /// Identity over time, where somebody tracks.
    pub track_id: Option<u64>,
    /// Five points, where the detector gives them.
    pub landmarks: Option<Landmarks5>,
    /// How the head is turned, where somebody knows.
    pub head_pose: Option<HeadPose>,
    /// The eye on the image's left and the one on its right, where somebody knows.
    pub eyes: Option<[EyeCorners; 2]>,
    /// How far they are open, 0..=1 (closed to open), in the same order, where somebody knows.
    pub eye_openness: Option<[f32; 2]>,
}

impl FaceRegion {
    /// The same face in a frame of another size, as `videoscale` would move it.
    #[must_use]
    pub fn rescaled(self, from: Size, to: Size) -> Self {
        if from == to || from.is_empty() {
            return self;
        }
        let sx = to.width as f32 / from.width as f32;
        let sy = to.height as f32 / from.height as f32;
        self.with_points(self.rect.rescaled(from, to), |p| Point { x: p.x * sx, y: p.y * sy })
    }

    /// How far the head is rolled, in radians and clockwise in the image: as its pose says, or the
    /// slope of the line through the eyes; 0 where neither is known.
    pub fn roll(&self) -> f32 {
        let slope = |[left, right]: [EyeCorners; 2]| {
            (right.outer.y - left.outer.y).atan2(right.outer.x - left.outer.x)
        };
        let pose = self.head_pose.filter(|pose| pose.is_finite());
        pose.map(|pose| pose.roll).or_else(|| self.eyes.map(slope)).unwrap_or(0.0)
    }

    /// The same face with another box, every point of it moved by `moved`.
    #[must_use]
    pub fn with_points(self, rect: Rect, moved: impl Fn(Point) -> Point) -> Self {
        let eye = |eye: EyeCorners| EyeCorners { outer: moved(eye.outer), inner: moved(eye.inner) };
        Self {
            rect,
            landmarks: self.landmarks.map(|points| points.map(&moved)),
            eyes: self.eyes.map(|eyes| eyes.map(eye)),
            ..self
        }
    }
}
