//! **gst-plugin-gaze**: GStreamer elements that tell where a person looks.
//!
//! `gazeface` finds faces, `gazeinfer` estimates pitch and yaw for each, `gazemonitor` judges a
//! driver's attention, `gazeoverlay` draws and `gazepublish` writes JSON lines. Each works alone, with the
//! metadata of any other element.
//!
//! # The way of a frame
//! ```text
//! GstBuffer -- plugin::frame::MappedFrame --> core::image::FrameView     READ map, strides validated
//!      |                                           |
//!      +-- plugin::meta --------> [FaceRegion] --> core::gaze::GazeEstimator
//!                                           model inputs  frame + region -> tensors    one pass
//!                                           Engine        tensors        -> outputs    engine::
//!                                           GazeDecoder   outputs        -> Gaze
//! GstBuffer <-- plugin::meta::gaze (GazeMeta) <-- [GazeEstimate]         after the map is dropped
//! ```
//! Nothing is converted that no step reads. Once `gazeinfer` and the face detectors run, the crate's own
//! code allocates nothing for a frame; the bindings of ONNX Runtime and GStreamer allocate a little for
//! each run and each metadata, and GStreamer allocates the metadata itself. `tests/allocations.rs` measures
//! both. Readers of `GazeMeta` copy its faces, which allocates.
//!
//! # Rooms
//! | room | contents | names |
//! |---|---|---|
//! | [`core`] | pixels, profiles, gaze, monitor, drawing, JSON: no clock, thread, lock or file | neither GStreamer nor ONNX Runtime |
//! | [`engine`] | sessions, providers, the engine cache, batches | ONNX Runtime, and no other room does |
//! | `nvidia` | NVIDIA's frames and metadata, CUDA kernels; `unsafe` code | neither |
//! | `plugin` | the elements, metadata, buffers | GStreamer, and no other room does |
//! | `src/bin/gazetool` | the command-line tool | neither |
//!
//! Dependencies point one way: `plugin -> engine, nvidia -> core` and `gazetool -> engine -> core`. The
//! feature `plugin` (default) has `plugin` and `nvidia`, the feature `tool` has gazetool. Outside of `nvidia`
//! only `plugin::nvidia_buffer`, which vouches for GStreamer's buffers, has `unsafe` code.

// Input must not end the host process; in tests it may.
#![warn(clippy::unwrap_used)]

pub mod core;
pub mod engine;
#[cfg(feature = "plugin")]
pub mod nvidia;
#[cfg(feature = "plugin")]
pub mod plugin;
