//! Why a face detector fails.

use super::frontal::ModelError;
use crate::core::image::preprocess::PreprocessError;
use crate::core::inference::engine::EngineError;

/// Why a face detector could not be made or did not run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DetectError {
    /// The model estimates gaze.
    #[error(
        "this looks like a gaze model, not a face detector: use it as 'gazeinfer engine=...' and \
         give gazeface a face detector"
    )]
    GazeModel,
    /// The model's inputs and outputs match no known detector.
    #[error(
        "this is not a known face detector: its inputs are {inputs} and its outputs {outputs}. Known \
         face detectors: {}",
        .known.join("; ")
    )]
    Unrecognised {
        /// Inputs that the file declares.
        inputs: String,
        /// Outputs that the file declares.
        outputs: String,
        /// Inputs and outputs of each known family.
        known: Vec<&'static str>,
    },
    /// The model's input could not be filled.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// The model did not run.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The embedded model is damaged.
    #[error(transparent)]
    Embedded(#[from] ModelError),
}
