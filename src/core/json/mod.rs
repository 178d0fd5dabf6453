//! JSON lines: one line for each frame, for programs that read gaze.
//!
//! | module | says |
//! |---|---|
//! | [`frame_line`] | the line of a frame, and its schema |
//! | [`attention_object`] | the driver's attention as an object in that line |

pub mod attention_object;
pub mod frame_line;
mod number;

pub use frame_line::{FrameStamp, SCHEMA, write_line};
