//! Pixels: a frame, what its colours mean, and the picture that a model wants of it.
//!
//! | module | says |
//! |---|---|
//! | [`frame`] | a validated view of the pixels of a frame |
//! | [`color`] | matrix and range of luma and chroma |
//! | [`spec`] | how a model's picture is made |
//! | [`preprocess`] | frame and crop to tensor, in one pass |

pub mod color;
pub mod frame;
pub mod preprocess;
pub mod spec;

pub use frame::{FrameError, FrameView, PixelFormat, Plane, PlaneLayout};
