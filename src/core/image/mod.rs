//! Pixels: a frame, its colours, and how a model's input is made from it.
//!
//! | module | holds |
//! |---|---|
//! | [`frame`] | a validated view of the pixels of a frame |
//! | [`pixel_format`] | the formats, and where each keeps its samples |
//! | [`color`] | matrix and range of luma and chroma |
//! | [`brightness`] | how bright a frame is |
//! | [`spec`] | the specification of a model's picture |
//! | [`preprocess`] | crop to tensor, in one pass |

pub mod brightness;
pub mod color;
pub mod frame;
pub mod pixel_format;
pub mod preprocess;
pub mod spec;

pub use frame::{FrameError, FrameView, Plane, PlaneLayout};
pub use pixel_format::PixelFormat;
