//! From a face in a frame to where it looks.
//!
//! | module | says |
//! |---|---|
//! | [`estimate`] | what is known of the faces of a frame |
//! | [`estimator`] | the way from a frame to gaze, put together |
//! | `inputs` | what goes into each input of a model |
//! | [`eye_crop`] | the pictures of the eyes |
//! | [`normalization`] | the virtual camera that looks straight at a face |
//! | [`line_of_sight`] | the axes of the ray from the camera to a face |
//! | [`decode`] | tensors to gaze |
//! | [`reuse`] | when to infer and when to reuse the last result |
//! | [`smooth`] | gaze over time |

pub mod decode;
pub mod estimate;
pub mod estimator;
pub mod eye_crop;
mod inputs;
pub mod line_of_sight;
pub mod normalization;
pub mod reuse;
pub mod smooth;

pub use estimate::{FrameGaze, GazeEstimate};
