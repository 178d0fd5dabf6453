//! Why an attribute of a face is not available.

use crate::core::image::preprocess::PreprocessError;
use crate::core::inference::engine::EngineError;

/// Why an attribute model could not be used or did not run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AttributeError {
    /// The model estimates gaze.
    #[error(
        "this looks like a gaze model: use it as 'gazeinfer engine=...' and set '{property}' to {wanted}"
    )]
    GazeModel {
        /// The property that names the model.
        property: &'static str,
        /// The models that the property accepts.
        wanted: &'static str,
    },
    /// The model finds faces.
    #[error(
        "this is a face detector ({name}): use it as 'engine' and set '{property}' to {wanted}"
    )]
    Detector {
        /// The family of the detector.
        name: &'static str,
        /// The property that names the model.
        property: &'static str,
        /// The models that the property accepts.
        wanted: &'static str,
    },
    /// The model estimates another attribute.
    #[error("this is {name}: use it as '{belongs}' and set '{property}' to {wanted}")]
    OtherAttribute {
        /// The model's family.
        name: &'static str,
        /// The property that accepts it.
        belongs: &'static str,
        /// The property that names the model.
        property: &'static str,
        /// The models that the property accepts.
        wanted: &'static str,
    },
    /// The model's inputs and outputs match no known model.
    #[error(
        "'{property}' does not know this model: its inputs are {inputs} and its outputs {outputs}. \
         Known models: {}",
        .known.join("; ")
    )]
    Unrecognised {
        /// The property that names the model.
        property: &'static str,
        /// Inputs that the file declares.
        inputs: String,
        /// Outputs that the file declares.
        outputs: String,
        /// Inputs and outputs of each known model.
        known: Vec<&'static str>,
    },
    /// No model finds the corners of the eyes.
    #[error(
        "'eye-state-engine' needs the corners of the eyes: set 'landmark-engine' to a model of 98 \
         points, such as PFLD"
    )]
    NoEyes,
    /// The model's input could not be filled.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// The model did not run.
    #[error(transparent)]
    Engine(#[from] EngineError),
}
