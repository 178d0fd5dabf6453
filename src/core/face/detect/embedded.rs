//! The embedded detector on frames: its grey picture, and the scores of its votes.

use super::backend::{Backend, ToFrame};
use super::detection::Detection;
use super::error::DetectError;
use super::frontal::Cascade;
use super::published::{free_picture, shown_size};
use super::settings::DetectSettings;
use crate::core::geometry::rect::{PixelRect, Rect};
use crate::core::image::frame::FrameView;
use crate::core::image::preprocess::{PreprocessError, Preprocessor};
use crate::core::image::spec::{Aspect, Border, Channels, ImageSpec};
use crate::core::inference::tensor::{ElementType, TensorMut};

/// The score of a face with these votes, 0..1. One window has at most one vote, a score of 0.5, which
/// chance reaches. The default threshold of 0.6 is 1.5 votes, which takes two windows. SeetaFace's own
/// thresholds of 2 to 4.5 votes are 0.67 to 0.82.
fn score(votes: f32) -> f32 {
    votes / (votes + 1.0)
}

/// The box of a face in a square of the cascade. The squares reach beyond the cheeks and end above the
/// chin. Other detectors' boxes, which gaze models are trained with, are narrower and higher. The
/// factors are the medians over YuNet's boxes for the 41 faces of the reference frames that both
/// detectors find; their centres agree within 2 % of the side.
fn face(square: PixelRect) -> Rect {
    let Rect { x, y, width, height } = square.to_rect();
    let (w, h) = (0.87 * width, 1.17 * height);
    Rect::new(x + (width - w) / 2.0, y + (height - h) / 2.0, w, h)
}

/// The cascade with its grey picture.
pub(super) struct Embedded {
    cascade: Cascade,
    preprocessor: Preprocessor,
    pixels: Vec<u8>,
    input_size: u32,
}

impl Embedded {
    /// See [`FaceDetector::embedded`](super::FaceDetector::embedded).
    pub fn new(input_size: u32) -> Result<Self, DetectError> {
        let spec = ImageSpec {
            width: input_size,
            height: input_size,
            channels: Channels::Gray,
            ..ImageSpec::default()
        };
        Ok(Self {
            cascade: Cascade::new()?,
            preprocessor: Preprocessor::new(&spec, ElementType::U8)?,
            pixels: Vec::new(),
            input_size,
        })
    }
}

impl Backend for Embedded {
    fn name(&self) -> &str {
        "SeetaFace frontal"
    }

    fn model_name(&self) -> &str {
        "seeta_fd_frontal_v1.0"
    }

    fn provider(&self) -> &str {
        "embedded"
    }

    fn detect(
        &mut self,
        frame: &FrameView<'_>,
        source: PixelRect,
        settings: &DetectSettings,
        found: &mut Vec<Detection>,
    ) -> Result<ToFrame, DetectError> {
        if source.is_empty() {
            let error = PreprocessError::SourceSize { source_rect: source, frame: frame.size() };
            return Err(error.into());
        }
        let size = free_picture(shown_size(frame, source), self.input_size);
        self.preprocessor.set_size(size.width, size.height)?;
        self.pixels.resize(self.preprocessor.item_len(), 0);
        let out = TensorMut::U8(&mut self.pixels);
        let placement = self.preprocessor.fill(frame, source, Border::Clip, out)?;
        self.cascade.find(&self.pixels, size, |square, votes| {
            let score = score(votes);
            if score > settings.score_threshold {
                found.push(Detection { rect: face(square), score, landmarks: None });
            }
        });
        Ok(ToFrame::new(Aspect::Stretch, &placement, frame.pixel_aspect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_are_scores() {
        assert_eq!([0.0, 1.0, 1.5, 4.0].map(score), [0.0, 0.5, 0.6, 0.8]);
        assert!(score(1e9) <= 1.0);
    }

    #[test]
    fn a_face_keeps_the_centre_of_its_square() {
        let rect = face(PixelRect::new(-100, 50, 100, 100));
        let values = [rect.x, rect.y, rect.width, rect.height];
        for (value, expected) in values.into_iter().zip([-93.5, 41.5, 87.0, 117.0]) {
            assert!((value - expected).abs() < 1e-3, "{rect:?}");
        }
    }
}
