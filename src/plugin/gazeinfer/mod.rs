//! `gazeinfer`: pitch and yaw for every face of a video.
//!
//! The element works in place and never copies pixels: it maps frames for reading, preprocesses their
//! faces straight into the model's input, and attaches the result as `GazeMeta` (see
//! [`meta::gaze`](super::meta::gaze)).
//!
//! ```text
//! gst-launch-1.0 filesrc location=clip.mp4 ! decodebin ! videoconvert !
//!     gazeface engine=yunet.onnx ! gazeinfer engine=mobilegaze.onnx ! gazeoverlay !
//!     videoconvert ! autovideosink
//! ```
//!
//! Faces are GstAnalytics object detections or regions of interest of the class `object-class`, or
//! else DeepStream's objects; a batch of several frames has only the latter. Without a detector
//! upstream the whole frame counts as one face; a frame in which a detector found no face has no gaze.
//! The element decides between the two once a stream (`inference-region=auto`) and posts which: by the
//! elements upstream, or, where an application feeds the frames, by the first thirty of them. It looks
//! at the first 256 faces of a frame.
//!
//! From the landmarks of a face and the optics of `camera` or `field-of-view`, gazeinfer finds the head
//! pose ([`pnp`](crate::core::face::pnp)), and gives models that were trained on normalised faces the
//! view of a virtual camera ([`normalization`](crate::core::gaze::normalization)). Whatever axes a model
//! answers in, the attached gaze is in the camera's. `min-eye-openness` reuses the last gaze of a face
//! whose `eye-openness` says that its eyes are closed.
//!
//! With `engine-reload`, a new model replaces the running one while frames flow: gazeinfer opens it in
//! the background, swaps it in between two frames, and posts an element message `gaze-engine` with
//! `engine` (string, the file), `model` (string, the name of its profile) and `execution-provider`
//! (string). If the model does not open, gazeinfer warns, and `engine` names the running one again.

mod deepstream_batch;
mod deepstream_properties;
mod engine_exchange;
mod engine_loader;
mod gpu_path;
mod imp;
mod notices;
mod nvinfer_config;
mod properties;
mod region_notices;
mod region_source;
mod settings;
mod source_state;
mod stream;

use glib::prelude::*;
use gst::prelude::*;

glib::wrapper! {
    /// The element.
    pub struct GazeInfer(ObjectSubclass<imp::GazeInfer>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Registers the element.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    settings::EngineReload::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(Some(plugin), "gazeinfer", gst::Rank::NONE, GazeInfer::static_type())
}

/// For fuzzers: returns the properties after a configuration file (`config-file-path`) of this name and
/// with these contents, or why gazeinfer refuses it.
#[cfg(fuzzing)]
pub fn configured(bytes: &[u8], path: &str) -> Result<Vec<(glib::ParamSpec, glib::Value)>, String> {
    settings::Settings::configured(bytes, path)
}
