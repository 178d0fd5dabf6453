//! A face in a frame, and which pixels of the frame a model gets to see of it.

use serde::{Deserialize, Serialize};

use super::gaze::HeadPose;
use super::geometry::{PixelRect, Point, Rect, Size};

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

/// What to do with the part of a region that lies outside the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Border {
    /// Cut the region at the frame's edge (its shape changes).
    #[default]
    Clip,
    /// Keep the region's shape and repeat the frame's edge pixels.
    Replicate,
    /// Keep the region's shape and fill with black.
    Black,
}

/// From a face box to the rectangle of pixels that the model was trained on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RegionPolicy {
    /// How much wider than the box, as a fraction of its width and height, half on each side.
    /// 0.0 is the box itself, 0.2 adds a tenth on each side. -0.9..=4.0.
    pub margin: f64,
    /// Grow the shorter side to a square about the centre.
    pub square: bool,
    /// What to do at the frame's edge.
    pub border: Border,
}

impl RegionPolicy {
    /// The pixels of a frame of `size` that the model gets for the face box `rect`, or `None`
    /// where nothing of it lies in the frame. Without margin and squaring the corners are
    /// truncated to whole pixels one by one and clipped, as the published pipelines do
    /// (`int(x1), int(y1), int(x2), int(y2)` of a corner box).
    ///
    /// With [`Border::Clip`] the result lies inside the frame; otherwise it may leave it.
    pub fn pixels(&self, rect: &Rect, size: Size) -> Option<PixelRect> {
        if rect.is_empty() {
            return None;
        }
        let (mut x1, mut y1) = (f64::from(rect.x), f64::from(rect.y));
        let (mut x2, mut y2) = (x1 + f64::from(rect.width), y1 + f64::from(rect.height));
        if self.margin != 0.0 {
            let grow = self.margin / 2.0;
            let (dx, dy) = ((x2 - x1) * grow, (y2 - y1) * grow);
            (x1, x2, y1, y2) = (x1 - dx, x2 + dx, y1 - dy, y2 + dy);
        }
        if self.square {
            let grow = ((x2 - x1) - (y2 - y1)).abs() / 2.0;
            if x2 - x1 < y2 - y1 {
                (x1, x2) = (x1 - grow, x2 + grow);
            } else {
                (y1, y2) = (y1 - grow, y2 + grow);
            }
        }
        // Saturating: a box of a billion pixels becomes one that the limit below refuses.
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(|v| v.trunc() as i32);
        let whole = PixelRect::new(
            x1,
            y1,
            x2.saturating_sub(x1).max(0) as u32,
            y2.saturating_sub(y1).max(0) as u32,
        );
        let inside = whole.clipped(size);
        if inside.is_empty() {
            return None;
        }
        match self.border {
            Border::Clip => Some(inside),
            // More than three frames wide is not a face but a mistake; cut it to what is there.
            _ if whole.width > 3 * size.width.max(16) || whole.height > 3 * size.height.max(16) => {
                Some(inside)
            }
            _ => Some(whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: Size = Size::new(1280, 720);

    #[test]
    fn corners_are_truncated_one_by_one() {
        // [662.188, 336.508, 792.709, 514.41] is [662, 336, 792, 514] for the publisher.
        let rect = Rect::from_corners(662.188, 336.508, 792.709, 514.41);
        let pixels = RegionPolicy::default().pixels(&rect, HD).unwrap();
        assert_eq!(pixels, PixelRect::new(662, 336, 130, 178));
    }

    #[test]
    fn clip_or_keep_the_shape_at_the_edge() {
        let rect = Rect::new(-20.0, 10.0, 60.0, 60.0);
        let clip = RegionPolicy::default();
        assert_eq!(clip.pixels(&rect, HD), Some(PixelRect::new(0, 10, 40, 60)));
        let keep = RegionPolicy { border: Border::Replicate, ..clip };
        assert_eq!(keep.pixels(&rect, HD), Some(PixelRect::new(-20, 10, 60, 60)));
    }

    #[test]
    fn margin_then_square() {
        let rect = Rect::new(100.0, 100.0, 100.0, 200.0);
        let policy = RegionPolicy { margin: 0.2, square: true, border: Border::Clip };
        assert_eq!(policy.pixels(&rect, HD), Some(PixelRect::new(30, 80, 240, 240)));
    }

    #[test]
    fn nothing_left_is_none() {
        let policy = RegionPolicy::default();
        for rect in [
            Rect::default(),
            Rect::new(-100.0, 0.0, 50.0, 50.0),
            Rect::new(2000.0, 0.0, 50.0, 50.0),
            Rect::new(10.0, 10.0, 0.3, 0.3),
            Rect::new(f32::NAN, 0.0, 1.0, 1.0),
            Rect::new(1e30, 1e30, 1e30, 1e30),
        ] {
            assert_eq!(policy.pixels(&rect, HD), None, "{rect:?}");
        }
        let keep = RegionPolicy { border: Border::Black, ..policy };
        let vast = keep.pixels(&Rect::new(-1e9, -1e9, 2e9, 2e9), HD).unwrap();
        assert_eq!(vast, PixelRect::full(HD));
    }
}
