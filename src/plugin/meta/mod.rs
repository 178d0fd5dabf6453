//! Metadata in and out.

pub mod gaze;
pub mod region;
