//! Points, rectangles, matrices, angles and cameras.
//!
//! | module | holds |
//! |---|---|
//! | [`rect`] | points, rectangles and sizes in pixels |
//! | [`raster`] | a frame's extent and the shape of its pixels |
//! | [`matrix`] | vectors and 3x3 matrices |
//! | [`angles`] | gaze and head pose as angles, and the one sign convention |
//! | [`camera`] | the pinhole camera and its calibration files |

pub mod angles;
pub mod camera;
pub mod matrix;
pub mod raster;
pub mod rect;

pub use angles::{Direction, Gaze, HeadPose};
pub use raster::{PixelAspect, Raster};
pub use rect::{PixelRect, Point, Rect, Size};
