//! Cameras: the pinhole model, and the calibration files that describe one.

mod calibration;
mod pinhole;

pub use calibration::CameraError;
pub use pinhole::{Camera, DEFAULT_FIELD_OF_VIEW, FIELD_OF_VIEW_RANGE, Optics};
