//! The zones of the cabin, and the forward direction.

pub mod calibration;
pub mod forward;
pub mod shape;
pub mod zone;
mod zone_file;
