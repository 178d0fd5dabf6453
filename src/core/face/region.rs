//! A face in a frame: its box, and what is known about it.

use crate::core::geometry::angles::HeadPose;
use crate::core::geometry::raster::PixelAspect;
use crate::core::geometry::rect::{Point, Rect, Size};

/// Eyes, tip of the nose and corners of the mouth in YuNet's order: right eye, left eye, nose, right
/// corner, left corner. Right and left are the subject's, so the first is on the image's left.
pub type Landmarks5 = [Point; 5];

/// The corners of one eye.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EyeCorners {
    /// The corner towards the temple.
    pub outer: Point,
    /// The corner towards the nose.
    pub inner: Point,
}

/// A detected face. Points are in pixels of the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FaceRegion {
    /// Bounding box in pixels of the frame; it may leave the frame.
    pub rect: Rect,
    /// The detector's score, 0..=1.
    pub confidence: Option<f32>,
    /// Identity over time, if a tracker gave one.
    pub track_id: Option<u64>,
    /// Five points, if a detector or a landmark model gave them.
    pub landmarks: Option<Landmarks5>,
    /// Pose of the head, if known.
    pub head_pose: Option<HeadPose>,
    /// The eye on the image's left and the one on its right, if known.
    pub eyes: Option<[EyeCorners; 2]>,
    /// Openness of the eyes in the same order, 0 (closed) to 1 (open), if known.
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

    /// Roll of the head in radians, clockwise in the image: from its pose, or else from the slope of
    /// the line through the eyes in pixels of this shape; 0 where neither is known.
    pub fn roll(&self, pixel_aspect: PixelAspect) -> f32 {
        let slope = |[left, right]: [EyeCorners; 2]| {
            let shift = [right.outer.x - left.outer.x, right.outer.y - left.outer.y];
            let [across, down] = pixel_aspect.squared(shift);
            down.atan2(across)
        };
        let pose = self.head_pose.filter(|pose| pose.is_finite());
        pose.map(|pose| pose.roll).or_else(|| self.eyes.map(slope)).unwrap_or(0.0)
    }

    /// The same face with another box and every point mapped by `moved`.
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
