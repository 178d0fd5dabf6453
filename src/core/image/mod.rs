//! Pixels: a frame, its colours, and how a model's input is made from it.
//!
//! | module | holds |
//! |---|---|
//! | [`frame`] | a validated view of the pixels of a frame |
//! | [`color`] | matrix and range of luma and chroma |
//! | [`spec`] | the specification of a model's picture |
//! | [`preprocess`] | crop to tensor, in one pass |

pub mod color;
pub mod frame;
pub mod preprocess;
pub mod spec;

pub use frame::{FrameError, FrameView, PixelFormat, Plane, PlaneLayout};
