//! The models that run on each face: their properties, and opening them.

use std::sync::Arc;

use crate::core::face::attributes::{
    Attribute, AttributeError, EyeStateEstimator, FaceAttributes, HeadPoseEstimator,
    LandmarkEstimator,
};
use crate::core::inference::Engine;
use crate::engine::Diagnostic;
use crate::plugin::model::{self, Options};
use crate::plugin::property::Property;

type P = Property<StageSettings>;

/// The model files of the stages. A stage without a file does not run.
#[derive(Clone, Debug, Default)]
pub(super) struct StageSettings {
    landmarks: Option<Arc<str>>,
    head_pose: Option<Arc<str>>,
    eye_state: Option<Arc<str>>,
}

/// Their properties, as a part of the table of `gazeface`.
pub(super) fn properties() -> Vec<P> {
    vec![]
}

impl StageSettings {
    /// Whether no stage runs.
    pub fn is_empty(&self) -> bool {
        [&self.landmarks, &self.head_pose, &self.eye_state].iter().all(|file| file.is_none())
    }

    /// Opens the model of each stage with a file.
    pub fn open(
        &self,
        options: &Options,
        told: &mut Vec<Diagnostic>,
    ) -> Result<FaceAttributes, gst::ErrorMessage> {
        let (landmarks, head_pose, eye_state) = (&self.landmarks, &self.head_pose, &self.eye_state);
        let landmarks =
            open(landmarks, options, Attribute::Landmarks, LandmarkEstimator::new, told)?;
        let head_pose =
            open(head_pose, options, Attribute::HeadPose, HeadPoseEstimator::new, told)?;
        let eye_state =
            open(eye_state, options, Attribute::EyeState, EyeStateEstimator::new, told)?;
        FaceAttributes::new(landmarks, head_pose, eye_state)
            .map_err(|error| gst::error_msg!(gst::ResourceError::Settings, ("{error}")))
    }
}

fn open<T>(
    path: &Option<Arc<str>>,
    options: &Options,
    attribute: Attribute,
    recognise: impl FnOnce(Box<dyn Engine>) -> Result<T, AttributeError>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Option<T>, gst::ErrorMessage> {
    path.as_deref()
        .map(|path| model::open_attribute(path, options, attribute, recognise, diagnostics))
        .transpose()
}
