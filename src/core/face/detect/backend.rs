//! The interface of a detector's implementations, and the way from their pixels to the frame's.

use super::detection::Detection;
use super::error::DetectError;
use super::settings::DetectSettings;
use crate::core::face::region::FaceRegion;
use crate::core::geometry::raster::PixelAspect;
use crate::core::geometry::rect::{PixelRect, Point, Rect};
use crate::core::image::frame::FrameView;
use crate::core::image::preprocess::CropMapping;
use crate::core::image::spec::Aspect;

/// An implementation of a face detector.
pub(super) trait Backend: Send {
    /// The detector's family, for messages.
    fn name(&self) -> &str;

    /// The model's own name.
    fn model_name(&self) -> &str;

    /// Nick of the execution provider.
    fn provider(&self) -> &str;

    /// Detects faces in the crop `source`, which lies in the frame. Appends detections above the
    /// threshold, in pixels of its input, and returns the way from there to the frame.
    fn detect(
        &mut self,
        frame: &FrameView<'_>,
        source: PixelRect,
        settings: &DetectSettings,
        found: &mut Vec<Detection>,
    ) -> Result<ToFrame, DetectError>;
}

/// Maps pixels of a detector's input to pixels of the frame.
pub(super) struct ToFrame {
    scale: (f32, f32),
    /// The pixel of the input that shows the frame's pixel `to`.
    from: Point,
    to: Point,
}

impl ToFrame {
    /// The way back from a picture of a frame with pixels of this shape.
    pub fn new(aspect: Aspect, placement: &CropMapping, pixel_aspect: PixelAspect) -> Self {
        let CropMapping { source, picture } = placement;
        let (x, y) = placement.scale();
        let scale = match aspect {
            Aspect::Stretch => (x, y),
            // Publishers divide by the one ratio that the frame was shrunk by. Truncating the
            // picture to whole pixels only makes the quotient of a side larger, so the smaller one is
            // nearer. The rest is less than a pixel of the input. The ratio is one of square pixels.
            Aspect::Letterbox | Aspect::LetterboxTopLeft => {
                let [x, y] = pixel_aspect.squared([x, y]);
                let [x, y] = pixel_aspect.unsquared([x.min(y); 2]);
                (x, y)
            }
        };
        Self {
            scale,
            from: Point { x: picture.x as f32, y: picture.y as f32 },
            to: Point { x: source.x as f32, y: source.y as f32 },
        }
    }

    fn point(&self, point: Point) -> Point {
        Point {
            x: (point.x - self.from.x) * self.scale.0 + self.to.x,
            y: (point.y - self.from.y) * self.scale.1 + self.to.y,
        }
    }

    pub fn face(&self, detection: &Detection) -> FaceRegion {
        let Detection { rect, score, landmarks } = detection;
        let corner = self.point(Point { x: rect.x, y: rect.y });
        let (width, height) = (rect.width * self.scale.0, rect.height * self.scale.1);
        FaceRegion {
            rect: Rect::new(corner.x, corner.y, width, height),
            confidence: Some(*score),
            landmarks: landmarks.map(|points| points.map(|point| self.point(point))),
            ..FaceRegion::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ratio_where_the_shape_is_kept() {
        let placement = CropMapping {
            source: PixelRect::new(10, 20, 1280, 853),
            picture: PixelRect::new(0, 0, 640, 426),
        };
        let detection = Detection {
            rect: Rect::new(100.0, 100.0, 50.0, 60.0),
            score: 0.5,
            landmarks: Some([Point { x: 1.0, y: 2.0 }; 5]),
        };
        let face = ToFrame::new(Aspect::LetterboxTopLeft, &placement, PixelAspect::SQUARE)
            .face(&detection);
        assert_eq!(face.rect, Rect::new(210.0, 220.0, 100.0, 120.0));
        assert_eq!(face.landmarks.unwrap()[4], Point { x: 12.0, y: 24.0 });
        assert_eq!(face.confidence, Some(0.5));
        let stretched = CropMapping { picture: PixelRect::new(0, 0, 320, 240), ..placement };
        let face = ToFrame::new(Aspect::Stretch, &stretched, PixelAspect::SQUARE).face(&detection);
        assert_eq!(face.rect.width, 200.0);
        assert!((face.rect.height - 60.0 * 853.0 / 240.0).abs() < 1e-3);
    }
}
