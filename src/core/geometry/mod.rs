//! Points, rectangles, matrices, angles and cameras.
//!
//! | module | says |
//! |---|---|
//! | [`rect`] | points, rectangles and sizes in pixels |
//! | [`matrix`] | vectors and 3x3 matrices |
//! | [`angles`] | pitch and yaw, the pose of a head, and the one sign convention |
//! | [`camera`] | where a direction in space meets the picture, and back |

pub mod angles;
pub mod camera;
pub mod matrix;
pub mod rect;

pub use angles::{Direction, Gaze, HeadPose};
pub use rect::{PixelRect, Point, Rect, Size};
