//! What is to be known of a face besides its box: points, the head's pose, the eyes' state.
//!
//! ```text
//! FaceRegion -- landmarks --> eyes, five points --+-- eye state --> openness
//!            \- head pose --> pitch, yaw, roll ---+
//! ```
//! | stage | published models | picture | gives |
//! |---|---|---|---|
//! | [`LandmarkEstimator`] | PFLD with 98 points (ProxylessGaze) | square about the box, BGR 0..1 | corners of the eyes, five points |
//! | | landmarks-regression-retail-0009 (Open Model Zoo) | the box, BGR | five points |
//! | [`HeadPoseEstimator`] | head-pose-estimation-adas-0001 (Open Model Zoo) | larger square, BGR | head pose |
//! | [`EyeStateEstimator`] | open-closed-eye-0001 (Open Model Zoo) | each eye, level, BGR | openness |
//!
//! Which model a file is is seen from its inputs and outputs. All memory belongs to the stages;
//! nothing is allocated once the largest face has been seen.

mod eye_state;
mod head_pose;
mod landmarks;
mod recognise;

pub use eye_state::EyeStateEstimator;
pub use head_pose::HeadPoseEstimator;
pub use landmarks::LandmarkEstimator;
pub use recognise::{Attribute, AttributeModel, recognise_any};

use super::FaceRegion;
use crate::core::geometry::{PixelRect, Rect, Size};
use crate::core::image::FrameView;
use crate::core::image::preprocess::{PreprocessError, Preprocessor};
use crate::core::image::spec::{Border, ImageSpec};
use crate::core::inference::{ElementType, Engine, EngineError};

/// Why something of a face could not be told.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AttributeError {
    /// The model estimates gaze.
    #[error(
        "this looks like a gaze model: use it as 'gazeinfer engine=...' and give '{property}' {wanted}"
    )]
    GazeModel {
        /// Where it was given.
        property: &'static str,
        /// What belongs there.
        wanted: &'static str,
    },
    /// The model finds faces.
    #[error("this is a face detector ({name}): use it as 'engine' and give '{property}' {wanted}")]
    Detector {
        /// Its family.
        name: &'static str,
        /// Where it was given.
        property: &'static str,
        /// What belongs there.
        wanted: &'static str,
    },
    /// The model belongs to another stage.
    #[error("this is {name}: use it as '{belongs}' and give '{property}' {wanted}")]
    OtherAttribute {
        /// What it is.
        name: &'static str,
        /// Where it belongs.
        belongs: &'static str,
        /// Where it was given.
        property: &'static str,
        /// What belongs there.
        wanted: &'static str,
    },
    /// The model's inputs and outputs are those of none that is known.
    #[error(
        "this is no model that '{property}' knows: its inputs are {inputs} and its outputs \
         {outputs}. Known are {}",
        .known.join("; ")
    )]
    Unrecognised {
        /// Where it was given.
        property: &'static str,
        /// What the file declares.
        inputs: String,
        /// What the file declares.
        outputs: String,
        /// What each known model looks like.
        known: Vec<&'static str>,
    },
    /// Nobody tells where the eyes are.
    #[error(
        "'eye-state-engine' needs the corners of the eyes: give 'landmark-engine' a model of 98 \
         points, such as PFLD"
    )]
    NoEyes,
    /// The picture of a face could not be made.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// The model does not run.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// The stages that are wanted, in their order.
#[derive(Default)]
pub struct FaceAttributes {
    landmarks: Option<LandmarkEstimator>,
    head_pose: Option<HeadPoseEstimator>,
    eye_state: Option<EyeStateEstimator>,
}

impl FaceAttributes {
    /// Puts stages together.
    ///
    /// # Errors
    /// [`AttributeError::NoEyes`] where an eye state is wanted and nobody finds the eyes.
    pub fn new(
        landmarks: Option<LandmarkEstimator>,
        head_pose: Option<HeadPoseEstimator>,
        eye_state: Option<EyeStateEstimator>,
    ) -> Result<Self, AttributeError> {
        if eye_state.is_some() && !landmarks.as_ref().is_some_and(LandmarkEstimator::finds_eyes) {
            return Err(AttributeError::NoEyes);
        }
        Ok(Self { landmarks, head_pose, eye_state })
    }

    /// Whether there is no stage at all.
    pub fn is_empty(&self) -> bool {
        self.landmarks.is_none() && self.head_pose.is_none() && self.eye_state.is_none()
    }

    /// Adds to `face` what the stages see. What they do not see (a face outside of the frame, a
    /// model that gives no number) stays as it was.
    ///
    /// # Errors
    /// If a model does not run.
    pub fn annotate(
        &mut self,
        frame: &FrameView<'_>,
        face: &mut FaceRegion,
    ) -> Result<(), AttributeError> {
        if let Some(stage) = &mut self.landmarks {
            stage.annotate(frame, face)?;
        }
        if let Some(stage) = &mut self.head_pose {
            stage.annotate(frame, face)?;
        }
        if let Some(stage) = &mut self.eye_state {
            stage.annotate(frame, face)?;
        }
        Ok(())
    }
}

/// A model that takes one picture.
struct PictureModel {
    engine: Box<dyn Engine>,
    preprocessor: Preprocessor,
}

impl PictureModel {
    /// `image` without its size, which is the model's.
    fn new(engine: Box<dyn Engine>, image: &ImageSpec) -> Result<Self, AttributeError> {
        let element = engine.info().inputs.first().and_then(|input| input.element);
        let side = |dim: usize| {
            engine.input_shape(0).get(dim).and_then(|side| u32::try_from(*side).ok()).unwrap_or(0)
        };
        let image = ImageSpec { width: side(3), height: side(2), ..image.clone() };
        let preprocessor = Preprocessor::new(&image, element.unwrap_or(ElementType::F32))?;
        Ok(Self { engine, preprocessor })
    }

    /// Runs the model on the pixels `source`, which may leave the frame.
    fn run(
        &mut self,
        frame: &FrameView<'_>,
        source: PixelRect,
        border: Border,
    ) -> Result<(), AttributeError> {
        let item = self.preprocessor.item_len();
        let mut input = self.engine.input(0);
        self.preprocessor.fill(frame, source, border, input.slot(0, item))?;
        Ok(self.engine.run(1)?)
    }
}

/// Corners of a box cut to whole pixels, as the publishers do; `None` for one that does not meet
/// the frame or is many times its size.
fn whole_corners(rect: &Rect, size: Size) -> Option<[i32; 4]> {
    let most = 3.0 * size.width.max(size.height) as f32;
    let seen = !rect.is_empty() && !rect.intersect(&Rect::full(size)).is_empty();
    if !seen || rect.width > most || rect.height > most {
        return None;
    }
    Some([rect.x, rect.y, rect.right(), rect.bottom()].map(|v| v as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_that_no_model_can_use() {
        let size = Size::new(640, 480);
        let corners = |x, y, w, h| whole_corners(&Rect::new(x, y, w, h), size);
        assert_eq!(corners(-3.7, 10.9, 10.0, 20.0), Some([-3, 10, 6, 30]));
        for (x, y, w, h) in [
            (0.0, 0.0, 0.0, 10.0),
            (-20.0, 0.0, 10.0, 10.0),
            (f32::NAN, 0.0, 10.0, 10.0),
            (-1e9, -1e9, 2e9, 2e9),
        ] {
            assert_eq!(corners(x, y, w, h), None);
        }
    }
}
