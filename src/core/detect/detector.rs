//! From a frame to the faces in it.

use super::nms::suppress;
use super::recognise::{Recognised, recognise};
use super::{DetectError, Detection, DetectorKind};
use crate::core::frame::FrameView;
use crate::core::geometry::{PixelRect, Point, Rect, Size};
use crate::core::preprocess::{Placement, Preprocessor};
use crate::core::profile::Aspect;
use crate::core::region::{Border, FaceRegion};
use crate::core::tensor::{ElementType, Engine};

/// The most outputs that a kind has (YuNet).
const MAX_OUTPUTS: usize = 12;
/// Sides of an input of free size are multiples of this, the largest stride.
const MULTIPLE: u32 = 32;

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

/// A face detector, ready to run. Owns all memory that a frame takes; after the first frame of a
/// size nothing is allocated here.
pub struct FaceDetector {
    engine: Box<dyn Engine>,
    model: Recognised,
    preprocessor: Preprocessor,
    input_size: u32,
    candidates: Vec<Detection>,
}

impl FaceDetector {
    /// Recognises the model. `input_size` limits the longer side of the picture for models whose
    /// input size is free; others keep their own.
    ///
    /// # Errors
    /// For a model that is no known detector.
    pub fn new(engine: Box<dyn Engine>, input_size: u32) -> Result<Self, DetectError> {
        let model = recognise(engine.as_ref())?;
        let element = engine.info().inputs.first().and_then(|input| input.element);
        let element = element.unwrap_or(ElementType::F32);
        let preprocessor = Preprocessor::new(&model.kind.image(model.size), element)?;
        Ok(Self { engine, model, preprocessor, input_size, candidates: Vec::new() })
    }

    /// The detector's family.
    pub fn kind(&self) -> DetectorKind {
        self.model.kind
    }

    /// The model's name.
    pub fn model_name(&self) -> &str {
        &self.engine.info().name
    }

    /// Nick of the execution provider that runs it.
    pub fn provider(&self) -> &str {
        self.engine.provider()
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
        let placement = self.fill(frame, region.clipped(frame.size()))?;
        self.engine.run(1)?;
        let mut outputs: [&[f32]; MAX_OUTPUTS] = [&[]; MAX_OUTPUTS];
        let count = self.model.outputs.len();
        for (slot, index) in outputs.iter_mut().zip(&self.model.outputs) {
            *slot = self.engine.output(*index);
        }
        self.candidates.clear();
        self.model.kind.decode(
            &outputs[..count],
            self.preprocessor.size(),
            settings.score_threshold,
            &mut self.candidates,
        );
        suppress(&mut self.candidates, settings.nms_threshold);
        let to_frame = ToFrame::new(self.model.kind, &placement);
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

    /// Brings the pixels `source` into the input, whose size follows them where it is free.
    fn fill(&mut self, frame: &FrameView<'_>, source: PixelRect) -> Result<Placement, DetectError> {
        if !self.model.free_size || source.is_empty() {
            let input = self.engine.input(0);
            return Ok(self.preprocessor.fill(frame, source, Border::Clip, input)?);
        }
        let picture = free_picture(Size::new(source.width, source.height), self.input_size);
        let size = padded(picture);
        if size != self.preprocessor.size() {
            self.engine.resize(size)?;
            self.preprocessor.set_size(size.width, size.height)?;
        }
        let input = self.engine.input(0);
        Ok(self.preprocessor.fill_picture(frame, source, Border::Clip, picture, input)?)
    }
}

/// Size of the picture in an input of free size: shrunk to `longest`, never enlarged, sides cut to
/// whole pixels (libfacedetection's demo).
fn free_picture(source: Size, longest: u32) -> Size {
    let scale = (f64::from(longest) / f64::from(source.width.max(source.height))).min(1.0);
    let side = |side: u32| ((f64::from(side) * scale) as u32).max(1);
    Size::new(side(source.width), side(source.height))
}

fn padded(picture: Size) -> Size {
    let side = |side: u32| side.next_multiple_of(MULTIPLE);
    Size::new(side(picture.width), side(picture.height))
}

/// The size that a model with a free input is opened with, before a frame is known.
pub fn opening_size(input_size: u32) -> Size {
    padded(Size::new(input_size.max(1), input_size.max(1)))
}

/// From the input to the frame.
struct ToFrame {
    scale: (f32, f32),
    /// The tensor's pixel that is the frame's pixel `to`.
    from: Point,
    to: Point,
}

impl ToFrame {
    fn new(kind: DetectorKind, placement: &Placement) -> Self {
        let Placement { source, picture } = placement;
        let (x, y) = placement.scale();
        let scale = match kind.image(Size::default()).aspect {
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

    #[test]
    fn one_ratio_where_the_shape_is_kept() {
        let placement = Placement {
            source: PixelRect::new(10, 20, 1280, 853),
            picture: PixelRect::new(0, 0, 640, 426),
        };
        let detection = Detection {
            rect: Rect::new(100.0, 100.0, 50.0, 60.0),
            score: 0.5,
            landmarks: Some([Point { x: 1.0, y: 2.0 }; 5]),
        };
        let face = ToFrame::new(DetectorKind::YuNet, &placement).face(&detection);
        assert_eq!(face.rect, Rect::new(210.0, 220.0, 100.0, 120.0));
        assert_eq!(face.landmarks.unwrap()[4], Point { x: 12.0, y: 24.0 });
        assert_eq!(face.confidence, Some(0.5));
        let stretched = Placement { picture: PixelRect::new(0, 0, 320, 240), ..placement };
        let face = ToFrame::new(DetectorKind::UltraFace, &stretched).face(&detection);
        assert_eq!(face.rect.width, 200.0);
        assert!((face.rect.height - 60.0 * 853.0 / 240.0).abs() < 1e-3);
    }
}
