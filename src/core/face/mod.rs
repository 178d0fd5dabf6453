//! Faces: where they are, which is which, and what is known of each.
//!
//! | module | says |
//! |---|---|
//! | [`region`] | a face in a frame |
//! | [`detect`] | tensors to faces |
//! | [`attributes`] | landmarks, head pose and eye openness by further models |
//! | [`pnp`] | the pose of a head from points of its face |
//! | [`track`] | which face is which from frame to frame |

pub mod attributes;
pub mod detect;
pub mod pnp;
pub mod region;
pub mod track;

pub use region::{EyeCorners, FaceRegion, Landmarks5};
