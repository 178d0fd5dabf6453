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
    vec![
        P::text(Attribute::Landmarks.property(), |s| &mut s.landmarks)
            .nick("Landmark engine")
            .blurb(
                "Model file of the landmark network: PFLD (98 points, with the eye corners that gaze \
                 models of the eyes need) or landmarks-regression-retail-0009 (5 points); unset: \
                 only the landmarks of the detector",
            )
            .mutable_ready(),
        P::text(Attribute::HeadPose.property(), |s| &mut s.head_pose)
            .nick("Head pose engine")
            .blurb(
                "Model file of the head pose network: head-pose-estimation-adas-0001; unset: no \
                 head poses",
            )
            .mutable_ready(),
        P::text(Attribute::EyeState.property(), |s| &mut s.eye_state)
            .nick("Eye state engine")
            .blurb(
                "Model file of the eye state network: open-closed-eye-0001; needs a \
                 landmark-engine with 98 points; unset: no eye openness",
            )
            .mutable_ready(),
    ]
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
