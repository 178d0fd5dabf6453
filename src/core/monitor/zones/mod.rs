//! Where things lie in the cabin, and where forward is.

pub mod calibration;
mod file;
pub mod forward;
pub mod shape;
pub mod zone;

pub use zone::{CameraPlace, Place, Zone, ZoneClass, ZoneMap};
