//! JSON lines: one frame as one line, for programs that read where people look.
//!
//! | module | says |
//! |---|---|
//! | [`frame_line`] | the line of a frame and its schema |
//! | [`attention_object`] | the driver's attention as an object of that line |

pub mod attention_object;
pub mod frame_line;
mod number;

pub use frame_line::{FrameStamp, SCHEMA, write_line, write_line_with};
