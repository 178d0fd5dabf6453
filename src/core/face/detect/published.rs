//! Published models, run by an engine.

use super::backend::{Backend, ToFrame};
use super::detection::Detection;
use super::error::DetectError;
use super::recognise::{DetectorMatch, recognise};
use super::settings::DetectSettings;
use crate::core::geometry::rect::{PixelRect, Size};
use crate::core::image::frame::FrameView;
use crate::core::image::preprocess::{CropMapping, Preprocessor};
use crate::core::image::spec::Border;
use crate::core::inference::engine::Engine;
use crate::core::inference::tensor::ElementType;

/// The most outputs of a family (YuNet).
const MAX_OUTPUTS: usize = 12;
/// The sides of a free input are multiples of the largest stride.
const MULTIPLE: u32 = 32;

/// A model with its preprocessor.
pub(super) struct Published {
    engine: Box<dyn Engine>,
    model: DetectorMatch,
    preprocessor: Preprocessor,
    input_size: u32,
}

impl Published {
    /// See [`FaceDetector::new`](super::FaceDetector::new).
    pub fn new(engine: Box<dyn Engine>, input_size: u32) -> Result<Self, DetectError> {
        let model = recognise(engine.as_ref())?;
        let element = engine.info().inputs.first().and_then(|input| input.element);
        let element = element.unwrap_or(ElementType::F32);
        let preprocessor = Preprocessor::new(&model.kind.image(model.size), element)?;
        Ok(Self { engine, model, preprocessor, input_size })
    }

    /// Fills the input with the crop `source`. A free input takes the crop's shape.
    fn fill(
        &mut self,
        frame: &FrameView<'_>,
        source: PixelRect,
    ) -> Result<CropMapping, DetectError> {
        if !self.model.free_size || source.is_empty() {
            let input = self.engine.input(0);
            return Ok(self.preprocessor.fill(frame, source, Border::Clip, input)?);
        }
        let picture = free_picture(shown_size(frame, source), self.input_size);
        let size = padded(picture);
        if size != self.preprocessor.size() {
            self.engine.resize(size)?;
            self.preprocessor.set_size(size.width, size.height)?;
        }
        let input = self.engine.input(0);
        Ok(self.preprocessor.fill_picture(frame, source, Border::Clip, picture, input)?)
    }
}

impl Backend for Published {
    fn name(&self) -> &str {
        self.model.kind.name()
    }

    fn model_name(&self) -> &str {
        &self.engine.info().name
    }

    fn provider(&self) -> &str {
        self.engine.provider()
    }

    fn detect(
        &mut self,
        frame: &FrameView<'_>,
        source: PixelRect,
        settings: &DetectSettings,
        found: &mut Vec<Detection>,
    ) -> Result<ToFrame, DetectError> {
        let placement = self.fill(frame, source)?;
        self.engine.run(1)?;
        let mut outputs: [&[f32]; MAX_OUTPUTS] = [&[]; MAX_OUTPUTS];
        let count = self.model.outputs.len();
        for (slot, index) in outputs.iter_mut().zip(&self.model.outputs) {
            *slot = self.engine.output(*index);
        }
        let size = self.preprocessor.size();
        self.model.kind.decode(&outputs[..count], size, settings.score_threshold, found);
        Ok(ToFrame::new(self.model.kind.image(size).aspect, &placement, frame.pixel_aspect()))
    }
}

/// Size of the crop `source` in square pixels.
pub(super) fn shown_size(frame: &FrameView<'_>, source: PixelRect) -> Size {
    frame.pixel_aspect().squared_size(Size::new(source.width, source.height))
}

/// Size of the picture in a free input: shrunk to `longest`, never enlarged, and truncated to whole
/// pixels, as in libfacedetection's demo.
pub(super) fn free_picture(source: Size, longest: u32) -> Size {
    let scale = (f64::from(longest) / f64::from(source.width.max(source.height))).min(1.0);
    let side = |side: u32| ((f64::from(side) * scale) as u32).max(1);
    Size::new(side(source.width), side(source.height))
}

fn padded(picture: Size) -> Size {
    let side = |side: u32| side.next_multiple_of(MULTIPLE);
    Size::new(side(picture.width), side(picture.height))
}

/// The size to open a model of a free input with, before the first frame.
pub fn opening_size(input_size: u32) -> Size {
    padded(Size::new(input_size.max(1), input_size.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_inputs_follow_the_frame() {
        let size = |w, h| {
            let picture = free_picture(Size::new(w, h), 640);
            (picture, padded(picture))
        };
        assert_eq!(size(1280, 853), (Size::new(640, 426), Size::new(640, 448)));
        assert_eq!(size(451, 300), (Size::new(451, 300), Size::new(480, 320)));
        assert_eq!(size(640, 640), (Size::new(640, 640), Size::new(640, 640)));
        assert_eq!(size(10_000, 1), (Size::new(640, 1), Size::new(640, 32)));
    }
}
