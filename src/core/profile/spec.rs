//! The parts of a profile that cropping and normalisation read as well: the pixels of a face and of an
//! eye, the virtual camera, and the axes of the answer.

use serde::{Deserialize, Serialize};

use crate::core::geometry::raster::Raster;
use crate::core::geometry::rect::{PixelRect, Rect, Size};
use crate::core::image::preprocess::MAX_SIDE;
use crate::core::image::spec::Border;

/// Which pixels a model takes of a face box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RegionPolicy {
    /// Margin around the box, as a fraction of its width and height, half on each side. 0.0 is the
    /// box itself, 0.2 adds a tenth on each side. -0.9..=4.0.
    pub margin: f64,
    /// Whether to grow the shorter side to a square around the centre.
    pub square: bool,
    /// What to do at the frame's edge.
    pub border: Border,
}

impl RegionPolicy {
    /// The pixels of a frame that the model takes of the face box `rect`; `None` where the box lies
    /// outside the frame. Truncates each corner to whole pixels and clips, as the published pipelines do
    /// (`int(x1), int(y1), int(x2), int(y2)` of a corner box). A square is one on the screen, whatever
    /// the shape of the pixels.
    ///
    /// With [`Border::Clip`] the result lies inside the frame; otherwise it may leave the frame.
    pub fn pixels(&self, rect: &Rect, raster: impl Into<Raster>) -> Option<PixelRect> {
        let Raster { size, pixel_aspect } = raster.into();
        if pixel_aspect.is_square() {
            return self.square_pixels(rect, size);
        }
        let rect = pixel_aspect.squared_rect(rect);
        let pixels = self.square_pixels(&rect, pixel_aspect.squared_size(size))?;
        let pixels = pixel_aspect.unsquared_rect(pixels);
        let inside = pixels.clipped(size);
        if inside.is_empty() {
            return None;
        }
        Some(if self.border == Border::Clip { inside } else { pixels })
    }

    /// The same for square pixels.
    fn square_pixels(&self, rect: &Rect, size: Size) -> Option<PixelRect> {
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
        // Saturates: the limit below refuses a box of a billion pixels.
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
            // A box wider than three frames is no face: clip it to the frame. No crop is larger than
            // preprocessing takes.
            _ if whole.width > (size.width.max(16).saturating_mul(3)).min(MAX_SIDE)
                || whole.height > (size.height.max(16).saturating_mul(3)).min(MAX_SIDE) =>
            {
                Some(inside)
            }
            _ => Some(whole),
        }
    }
}

/// Which pixels a model takes of an eye.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct EyeSpec {
    /// Side of the square, as a multiple of the distance between the eye's corners. 0.1..=10.
    pub scale: f64,
    /// Whether to rotate the square level by the head's roll. The model then sees a head without
    /// roll: its head pose input has none, and its gaze is rotated back.
    pub rotate_by_roll: bool,
}

impl Default for EyeSpec {
    /// The values of the Open Model Zoo's `gaze_estimation_demo` (`EyeStateEstimator`).
    fn default() -> Self {
        Self { scale: 1.8, rotate_by_roll: true }
    }
}

/// Which point of the face the virtual camera looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaceCenter {
    /// Middle between the corners of the eyes and the wings of the nose: ETH-XGaze (`normalization_example.py`:
    /// the mean of the mean of the four corners and of the mean of the two wings).
    #[default]
    EyesAndNose,
    /// Mean of the corners of eyes and mouth: MPIIFaceGaze (its readme, `fc`).
    EyesAndMouth,
}

/// The virtual camera that a model was trained with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Normalization {
    /// Focal length in pixels of the model's picture.
    pub focal_length: f64,
    /// Distance from the face's centre in millimetres.
    pub distance: f64,
    /// The point of the face that the camera looks at.
    #[serde(default)]
    pub center: FaceCenter,
}

/// The axes of a model's angles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GazeAxes {
    /// The camera's axes.
    #[default]
    Camera,
    /// The axes of the ray from the camera to the face.
    Ray,
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
    fn a_square_is_one_on_the_screen() {
        use crate::core::geometry::raster::PixelAspect;
        let policy = RegionPolicy { square: true, ..RegionPolicy::default() };
        let pixel_aspect = PixelAspect::new(2.0, 1.0);
        let raster = Raster { size: Size::new(640, 720), pixel_aspect };
        // 100x200 pixels show 200x200.
        let pixels = policy.pixels(&Rect::new(100.0, 100.0, 100.0, 200.0), raster);
        assert_eq!(pixels, Some(PixelRect::new(100, 100, 100, 200)));
        let pixels = policy.pixels(&Rect::new(100.0, 100.0, 100.0, 100.0), raster);
        assert_eq!(pixels, Some(PixelRect::new(100, 50, 100, 200)));
    }

    #[test]
    fn a_box_outside_the_frame_has_no_pixels() {
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
