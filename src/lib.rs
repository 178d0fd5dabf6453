//! **gst-plugin-gaze**: GStreamer elements that tell where a person looks.
//!
//! `gazeface` finds faces, `gazeinfer` estimates pitch and yaw for each, `gazemonitor` judges a
//! driver's attention, `gazeoverlay` draws and `gazepublish` writes JSON lines. Each works alone with
//! anybody's metadata.
//!
//! # The way of the data
//! ```text
//! GstBuffer -- plugin::frame::MappedFrame --> core::FrameView        READ map, strides validated
//!      |                                           |
//!      +-- plugin::meta::region ----> [FaceRegion] +--> core::GazeEstimator
//!                                           Preprocessor  view + region -> tensor slot   one pass
//!                                           Engine        tensors       -> outputs       engine::
//!                                           GazeDecoder   outputs       -> Gaze
//! GstBuffer <-- plugin::meta::gaze (GazeMeta) <-- [GazeEstimate]     after the map is dropped
//! ```
//! No step allocates per frame once running, and nothing is converted that is not looked at.
//!
//! # Rooms
//! [`core`] knows neither GStreamer nor a runtime, [`engine`] is the only code that names ONNX
//! Runtime, [`plugin`] the only code that names GStreamer (feature `plugin`, on by default).
//! Dependencies point one way: `plugin -> engine -> core`.

// Data must not be able to end the host process; tests may.
#![warn(clippy::unwrap_used)]

pub mod core;
pub mod engine;
#[cfg(feature = "plugin")]
pub mod nvidia;
#[cfg(feature = "plugin")]
pub mod plugin;
