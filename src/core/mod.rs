//! The pure part of the crate: pixels to tensor, tensor to gaze, gaze to attention.
//!
//! The core uses no GStreamer, ONNX Runtime, clock, thread or file: it takes data as slices and time
//! as an argument, and returns values. So its tests need none of them, and the elements and the
//! command-line tool share the code.
//!
//! | module | says |
//! |---|---|
//! | [`geometry`] | points, rectangles, matrices, angles, cameras |
//! | [`image`] | a frame, its colours, and preprocessing for a model |
//! | [`inference`] | the ports to an inference engine, and to a GPU that preprocesses |
//! | [`face`] | a face in a frame: detection, attributes, head pose, tracking |
//! | [`gaze`] | from a face to where it looks |
//! | [`profile`] | what a model expects and returns |
//! | [`onnx`] | what a model file declares |
//! | [`monitor`] | whether the driver pays attention |
//! | [`draw`], [`json`] | overlays for people, JSON lines for programs |
//! | [`latency`], [`latency_report`] | latency percentiles, and the latency that an element reports |

pub mod draw;
pub mod face;
pub mod gaze;
pub mod geometry;
pub mod image;
pub mod inference;
pub mod json;
pub mod latency;
pub mod latency_report;
pub mod monitor;
pub mod onnx;
pub mod profile;
