//! JSON lines: one frame as one line, for programs that read where people look.
//!
//! | module | says |
//! |---|---|
//! | [`gaze_line`] | the line of a frame and its schema |
//! | [`attention_line`] | the driver's attention as an object of that line |

pub mod attention_line;
pub mod gaze_line;
mod number;

pub use gaze_line::{FrameStamp, SCHEMA, write_judged_line, write_line};
