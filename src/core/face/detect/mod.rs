//! Tensors to faces: the published face detectors, told apart by their inputs and outputs.
//!
//! ```text
//! frame -- Preprocessor --> input -- Engine --> outputs -- DetectorKind::decode --> [Detection]
//!                                                                (tensor pixels)       |
//! [FaceRegion] <-- CropMapping (frame pixels) <-- nms::suppress <------------------------+
//! ```
//! | kind | published by | picture | box | points |
//! |---|---|---|---|---|
//! | [`DetectorKind::YuNet`] | libfacedetection, OpenCV zoo (2023mar and later) | BGR 0..255 | per cell | 5 |
//! | [`DetectorKind::Scrfd`] | InsightFace | RGB (x - 127.5) / 128 | edges from the cell | 0 or 5 |
//! | [`DetectorKind::UltraFace`] | Ultra-Light-Fast-Generic-Face-Detector-1MB | RGB (x - 127) / 128 | ready | 0 |
//! | [`DetectorKind::RetinaFace`] | Pytorch_Retinaface, OpenSeeFace | BGR less its mean | priors | 5 |
//! | [`DetectorKind::BlazeFace`] | MediaPipe | RGB -1..1, channels last | anchors | none of five |
//!
//! [`FaceDetector::embedded`] needs neither engine nor file: [`frontal`] finds frontal faces in a
//! reduced grey picture.
//!
//! A decoder is a pure function of the outputs and the input's size; anchors are computed from the
//! row where one is needed, so there is no table to keep.

mod blazeface;
mod detector;
mod embedded;
pub mod frontal;
mod kind;
mod nms;
mod published;
mod recognise;
mod retinaface;
mod scrfd;
mod ultraface;
mod yunet;

pub use detector::{DetectSettings, FaceDetector};
pub use kind::DetectorKind;
pub use nms::suppress;
pub use published::opening_size;
pub use recognise::{DetectorMatch, recognise};

use super::Landmarks5;
use crate::core::geometry::{Point, Rect};
use crate::core::image::preprocess::PreprocessError;
use crate::core::inference::EngineError;

/// A face in pixels of the detector's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Bounding box; may leave the input.
    pub rect: Rect,
    /// 0..=1, on the detector's own scale: scores of two kinds are not comparable.
    pub score: f32,
    /// Eyes, nose and mouth corners, where the detector gives all five.
    pub landmarks: Option<Landmarks5>,
}

/// Why faces could not be looked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DetectError {
    /// The model estimates gaze.
    #[error(
        "this looks like a gaze model, not a face detector: use it as 'gazeinfer engine=...' and \
         give gazeface a face detector"
    )]
    GazeModel,
    /// The model's inputs and outputs are those of no detector that is known.
    #[error(
        "this is no face detector that is known: its inputs are {inputs} and its outputs {outputs}. \
         Known are {}",
        .known.join("; ")
    )]
    Unrecognised {
        /// What the file declares.
        inputs: String,
        /// What the file declares.
        outputs: String,
        /// What each kind looks like.
        known: Vec<&'static str>,
    },
    /// The frame could not be brought into the input.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// The model does not run.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The embedded model is broken.
    #[error(transparent)]
    Embedded(#[from] frontal::ModelError),
}

/// Strides in pixels of the feature maps of YuNet, SCRFD and RetinaFace.
const STRIDES: [u32; 3] = [8, 16, 32];

/// Ten numbers as five points.
fn five_points(values: &[f32], point: impl Fn(f32, f32) -> Point) -> Option<Landmarks5> {
    let (pairs, []) = values.as_chunks::<2>() else { return None };
    let pairs: &[[f32; 2]; 5] = pairs.try_into().ok()?;
    Some(pairs.map(|[x, y]| point(x, y)))
}
