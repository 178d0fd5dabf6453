//! From a face in a frame to where it looks.
//!
//! | module | says |
//! |---|---|
//! | [`estimate`] | the result for the faces of a frame |
//! | [`estimator`] | a model with its preprocessing and decoding |
//! | `inputs` | the model's inputs and the crop that fills them |
//! | [`missing_attributes`] | what a face lacks for a model |
//! | [`eye_crop`] | crops of the eyes |
//! | [`normalization`] | the virtual camera that looks straight at a face |
//! | [`line_of_sight`] | the axes of the ray from the camera to a face |
//! | [`decode`] | a model's outputs to gaze |
//! | [`reuse`] | on which faces the model runs, and where the last result is reused |
//! | [`smooth`] | the One-Euro filter over time |

pub mod decode;
pub mod estimate;
pub mod estimator;
pub mod eye_crop;
mod inputs;
pub mod line_of_sight;
pub mod missing_attributes;
pub mod normalization;
pub mod reuse;
pub mod smooth;

pub use estimate::{FrameGaze, GazeEstimate};
