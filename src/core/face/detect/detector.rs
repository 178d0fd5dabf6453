//! Finds the faces of a frame.

use super::backend::Backend;
use super::detection::Detection;
use super::embedded::Embedded;
use super::error::DetectError;
use super::nms::suppress;
use super::published::Published;
use super::settings::DetectSettings;
use crate::core::face::region::FaceRegion;
use crate::core::geometry::rect::{PixelRect, Rect};
use crate::core::image::frame::FrameView;
use crate::core::inference::engine::Engine;

/// A face detector that is ready to run. Owns all memory that a frame takes, and allocates nothing
/// after the first frame of a size.
pub struct FaceDetector {
    backend: Box<dyn Backend>,
    candidates: Vec<Detection>,
}

impl FaceDetector {
    /// Recognises a published model. Where the model's input size is free, `input_size` limits the
    /// longer side of the picture.
    ///
    /// # Errors
    /// Fails for a model that is not a known detector.
    pub fn new(engine: Box<dyn Engine>, input_size: u32) -> Result<Self, DetectError> {
        Ok(Self::of(Box::new(Published::new(engine, input_size)?)))
    }

    /// The embedded detector of frontal faces ([`frontal`](super::frontal)), which needs neither a
    /// file nor an engine. `input_size` limits the longer side of its grey picture, in which faces
    /// below 40 pixels are not found.
    ///
    /// # Errors
    /// Fails if the embedded model is damaged, or `input_size` is 0 or too large for a picture.
    pub fn embedded(input_size: u32) -> Result<Self, DetectError> {
        Ok(Self::of(Box::new(Embedded::new(input_size)?)))
    }

    fn of(backend: Box<dyn Backend>) -> Self {
        Self { backend, candidates: Vec::new() }
    }

    /// The detector's family, for messages.
    pub fn name(&self) -> &str {
        self.backend.name()
    }

    /// The model's own name.
    pub fn model_name(&self) -> &str {
        self.backend.model_name()
    }

    /// Nick of the execution provider, or `embedded`.
    pub fn provider(&self) -> &str {
        self.backend.provider()
    }

    /// Finds the faces in the pixels `region` of `frame` and writes them to `faces`, the best first, in
    /// pixels of the frame. A box may leave the frame, but covers at least a pixel of it.
    ///
    /// # Errors
    /// Fails if the region lies outside the frame, or the model does not run.
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
        let to_frame = self.backend.detect(frame, source, settings, &mut self.candidates)?;
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
