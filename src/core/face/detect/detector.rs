//! From a frame to the faces in it.

use super::embedded::Embedded;
use super::nms::suppress;
use super::published::Published;
use super::{DetectError, Detection};
use crate::core::face::FaceRegion;
use crate::core::geometry::{PixelRect, Point, Rect};
use crate::core::image::FrameView;
use crate::core::image::preprocess::CropMapping;
use crate::core::image::spec::Aspect;
use crate::core::inference::Engine;

/// Which faces are wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectSettings {
    /// Faces must score more than this, 0..=1.
    pub score_threshold: f32,
    /// Of two boxes that overlap more than this (intersection over union), the better one stays.
    pub nms_threshold: f32,
    /// The most faces, the best ones; 0 is all.
    pub max_faces: usize,
    /// Faces must be this wide and high, in pixels of the frame.
    pub min_face_size: u32,
}

impl Default for DetectSettings {
    /// The values of YuNet's trainer.
    fn default() -> Self {
        Self { score_threshold: 0.6, nms_threshold: 0.45, max_faces: 0, min_face_size: 0 }
    }
}

/// Who looks for the faces.
pub(super) trait Backend: Send {
    /// The detector's family, for people.
    fn name(&self) -> &str;

    /// The model's own name.
    fn model_name(&self) -> &str;

    /// Nick of who runs it.
    fn provider(&self) -> &str;

    /// Looks at the pixels `source`, which lie in the frame, and appends what scores more than the
    /// threshold, in pixels of its own picture; returns the way from there to the frame.
    fn look(
        &mut self,
        frame: &FrameView<'_>,
        source: PixelRect,
        settings: &DetectSettings,
        found: &mut Vec<Detection>,
    ) -> Result<ToFrame, DetectError>;
}

/// A face detector, ready to run. Owns all memory that a frame takes; after the first frame of a
/// size nothing is allocated here.
pub struct FaceDetector {
    backend: Box<dyn Backend>,
    candidates: Vec<Detection>,
}

impl FaceDetector {
    /// Recognises a published model. `input_size` limits the longer side of the picture for models
    /// whose input size is free; others keep their own.
    ///
    /// # Errors
    /// For a model that is no known detector.
    pub fn new(engine: Box<dyn Engine>, input_size: u32) -> Result<Self, DetectError> {
        Ok(Self::of(Box::new(Published::new(engine, input_size)?)))
    }

    /// The embedded detector of frontal faces ([`frontal`](super::frontal)), which needs neither a
    /// file nor an engine. `input_size` limits the longer side of the grey picture that it looks at;
    /// faces smaller than 40 pixels of that picture are not found.
    ///
    /// # Errors
    /// If the embedded model or `input_size` is no good (0, or more than a picture may have).
    pub fn embedded(input_size: u32) -> Result<Self, DetectError> {
        Ok(Self::of(Box::new(Embedded::new(input_size)?)))
    }

    fn of(backend: Box<dyn Backend>) -> Self {
        Self { backend, candidates: Vec::new() }
    }

    /// The detector's family, for people.
    pub fn name(&self) -> &str {
        self.backend.name()
    }

    /// The model's own name.
    pub fn model_name(&self) -> &str {
        self.backend.model_name()
    }

    /// Nick of the execution provider that runs it, `embedded` for the embedded one.
    pub fn provider(&self) -> &str {
        self.backend.provider()
    }

    /// Finds the faces in the pixels `region` of `frame` and writes them to `faces`, the best
    /// first, in pixels of the frame; boxes may leave it, but not by more than all but a pixel.
    ///
    /// # Errors
    /// If the region does not meet the frame, or the model does not run.
    pub fn detect(
        &mut self,
        frame: &FrameView<'_>,
        region: PixelRect,
        settings: &DetectSettings,
        faces: &mut Vec<FaceRegion>,
    ) -> Result<(), DetectError> {
        faces.clear();
        self.candidates.clear();
        let source = region.clipped(frame.size());
        let to_frame = self.backend.look(frame, source, settings, &mut self.candidates)?;
        suppress(&mut self.candidates, settings.nms_threshold);
        let whole = Rect::full(frame.size());
        let least = settings.min_face_size as f32;
        let wanted = |face: &FaceRegion| {
            let inside = face.rect.intersect(&whole);
            let visible = inside.width >= 1.0 && inside.height >= 1.0;
            visible && face.rect.width >= least && face.rect.height >= least
        };
        let all = self.candidates.iter().map(|detection| to_frame.face(detection));
        let most = if settings.max_faces == 0 { usize::MAX } else { settings.max_faces };
        faces.extend(all.filter(wanted).take(most));
        Ok(())
    }
}

/// From the picture that a detector looks at to the frame.
pub(super) struct ToFrame {
    scale: (f32, f32),
    /// The tensor's pixel that is the frame's pixel `to`.
    from: Point,
    to: Point,
}

impl ToFrame {
    pub fn new(aspect: Aspect, placement: &CropMapping) -> Self {
        let CropMapping { source, picture } = placement;
        let (x, y) = placement.scale();
        let scale = match aspect {
            Aspect::Stretch => (x, y),
            // Publishers divide by the one ratio that the frame was shrunk by. Cutting the
            // picture to whole pixels makes the quotient of a side larger than it, never smaller.
            // What that ignores is less than a pixel of the input.
            Aspect::Letterbox | Aspect::LetterboxTopLeft => (x.min(y), x.min(y)),
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

    fn face(&self, detection: &Detection) -> FaceRegion {
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
        let face = ToFrame::new(Aspect::LetterboxTopLeft, &placement).face(&detection);
        assert_eq!(face.rect, Rect::new(210.0, 220.0, 100.0, 120.0));
        assert_eq!(face.landmarks.unwrap()[4], Point { x: 12.0, y: 24.0 });
        assert_eq!(face.confidence, Some(0.5));
        let stretched = CropMapping { picture: PixelRect::new(0, 0, 320, 240), ..placement };
        let face = ToFrame::new(Aspect::Stretch, &stretched).face(&detection);
        assert_eq!(face.rect.width, 200.0);
        assert!((face.rect.height - 60.0 * 853.0 / 240.0).abs() < 1e-3);
    }
}
