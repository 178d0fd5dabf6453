//! The models that run on each face: their properties, and opening them.

use std::sync::Arc;

use glib::prelude::*;
use gst::prelude::*;

use crate::core::face::attributes::{
    Attribute, AttributeError, EyeStateEstimator, FaceAttributes, HeadPoseEstimator,
    LandmarkEstimator,
};
use crate::core::inference::Engine;
use crate::engine::Diagnostic;
use crate::plugin::model::{self, Options};
use crate::plugin::property::text;

/// The model files of the stages. A stage without a file does not run.
#[derive(Clone, Debug, Default)]
pub(super) struct StageSettings {
    landmarks: Option<Arc<str>>,
    head_pose: Option<Arc<str>>,
    eye_state: Option<Arc<str>>,
}

/// The descriptions of their properties.
pub(super) fn properties() -> [glib::ParamSpec; 3] {
    let file = |attribute: Attribute, nick: &str, blurb: &str| {
        glib::ParamSpecString::builder(attribute.property())
            .nick(nick)
            .blurb(blurb)
            .mutable_ready()
            .build()
    };
    [
        file(
            Attribute::Landmarks,
            "Landmark engine",
            "Model file of the landmark network: PFLD (98 points, with the eye corners that gaze \
             models of the eyes need) or landmarks-regression-retail-0009 (5 points); unset: only \
             the landmarks of the detector",
        ),
        file(
            Attribute::HeadPose,
            "Head pose engine",
            "Model file of the head pose network: head-pose-estimation-adas-0001; unset: no head \
             poses",
        ),
        file(
            Attribute::EyeState,
            "Eye state engine",
            "Model file of the eye state network: open-closed-eye-0001; needs a landmark-engine with \
             98 points; unset: no eye openness",
        ),
    ]
}

impl StageSettings {
    fn field(&mut self, name: &str) -> Option<&mut Option<Arc<str>>> {
        [
            (Attribute::Landmarks, &mut self.landmarks),
            (Attribute::HeadPose, &mut self.head_pose),
            (Attribute::EyeState, &mut self.eye_state),
        ]
        .into_iter()
        .find_map(|(attribute, field)| (attribute.property() == name).then_some(field))
    }

    /// Sets one property; returns `false` if it belongs to no stage.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> bool {
        match self.field(name) {
            Some(field) => {
                *field = text(value);
                true
            }
            None => false,
        }
    }

    /// Returns the value of one property; `None` if it belongs to no stage.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        self.clone().field(name).map(|field| field.as_deref().to_value())
    }

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
