//! Faces: detection, attributes, head pose and tracking.
//!
//! | module | holds |
//! |---|---|
//! | [`region`] | a face in a frame |
//! | [`detect`] | face detectors |
//! | [`attributes`] | landmarks, head pose and eye openness by further models |
//! | [`face_model`] | the mean face in millimetres |
//! | [`pnp`] | the pose of a head from points of its face |
//! | [`shared_ids`] | track ids that occur twice in a frame |
//! | [`track`] | the identity of faces from frame to frame |

pub mod attributes;
pub mod detect;
pub mod face_model;
pub mod pnp;
pub mod region;
pub mod shared_ids;
pub mod track;

pub use region::{EyeCorners, FaceRegion, Landmarks5};
