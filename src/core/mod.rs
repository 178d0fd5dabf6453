//! The pure half of the crate: pixels to tensor, tensor to gaze, and what gaze means.
//!
//! Nothing here knows GStreamer, ONNX Runtime, a clock or a file: data comes in as slices, time
//! comes in as an argument, answers go out as values. Everything is therefore tested without any
//! of them, and the same code serves the elements and the command-line tool.
//!
//! | module | says |
//! |---|---|
//! | [`geometry`] | points, rectangles, matrices, angles, cameras |
//! | [`image`] | a frame, its colours, and the picture that a model wants of it |
//! | [`inference`] | the ports to an inference engine, and to a GPU that makes its pictures |
//! | [`face`] | a face in a frame: detection, attributes, head pose, tracking |
//! | [`gaze`] | from a face to where it looks |
//! | [`profile`] | what a model expects and returns |
//! | [`onnx`] | what a model file says about itself |
//! | [`monitor`] | whether a driver pays attention |
//! | [`draw`], [`json`] | what people and programs get to see |
//! | [`latency`] | percentiles without samples |

pub mod draw;
pub mod face;
pub mod gaze;
pub mod geometry;
pub mod image;
pub mod inference;
pub mod json;
pub mod latency;
pub mod monitor;
pub mod onnx;
pub mod profile;
