//! The pure half of the crate: pixels to tensor, tensor to gaze, and what gaze means.
//!
//! Nothing here knows GStreamer, ONNX Runtime, a clock or a file: data comes in as slices, time
//! comes in as an argument, answers go out as values. Everything is therefore tested without any
//! of them, and the same code serves the elements and the command-line tool.
//!
//! | module | says |
//! |---|---|
//! | [`geometry`] | pixels rectangles and sizes |
//! | [`matrix`] | vectors and 3x3 matrices |
//! | [`gaze`] | pitch and yaw, and the one sign convention |
//! | [`frame`], [`color`] | a validated view of somebody's pixels, and what its colours mean |
//! | [`region`] | a face in a frame, and the pixels that a model wants of it |
//! | [`profile`] | what a model expects and returns |
//! | [`tensor`], [`device`] | the ports to an inference engine, and to a GPU that makes its pictures |
//! | [`preprocess`] | frame and region to tensor, in one pass |
//! | [`onnx`] | what a model file says about itself |
//! | [`decode`] | tensors to gaze |
//! | [`detect`] | tensors to faces |
//! | [`attributes`] | what else is to be known of a face: points, head pose, eye state |
//! | [`eye`] | the pictures of the eyes |
//! | [`estimator`] | the way from a frame to gaze, put together |
//! | [`schedule`] | when to infer and when to carry the last result |
//! | [`smooth`] | gaze over time |
//! | [`track`] | which face is which |
//! | [`camera`], [`headpose`], [`normalize`] | lens, pose of a head from points, the virtual camera |
//! | [`ray`] | axes of the line of sight to a face |
//! | [`latency`] | percentiles without samples |
//! | [`accuracy`] | by how much two models differ |
//! | [`monitor`] | whether a driver pays attention |
//! | [`compliance`] | whether a recording keeps the project's budgets |
//! | [`draw`], [`report`] | what people and programs get to see |

pub mod accuracy;
pub mod attributes;
pub mod camera;
pub mod color;
pub mod compliance;
pub mod decode;
pub mod detect;
pub mod device;
pub mod draw;
pub mod estimator;
pub mod eye;
mod feed;
pub mod frame;
pub mod gather;
pub mod gaze;
pub mod geometry;
pub mod headpose;
pub mod latency;
pub mod matrix;
pub mod monitor;
pub mod normalize;
pub mod onnx;
pub mod preprocess;
pub mod profile;
pub mod ray;
pub mod region;
pub mod report;
pub mod schedule;
pub mod smooth;
pub mod tensor;
pub mod track;
pub mod turns;
