//! `gazeinfer`: pitch and yaw for every face of a video.
//!
//! In place, and never copies pixels: frames are mapped for reading, the faces in them go straight
//! into the model's input, and the result is attached as `GazeMeta` (see
//! [`meta::gaze`](super::meta::gaze)).
//!
//! ```text
//! gst-launch-1.0 filesrc location=clip.mp4 ! decodebin ! videoconvert !
//!     gazeface engine=yunet.onnx ! gazeinfer engine=mobilegaze.onnx ! gazeoverlay !
//!     videoconvert ! autovideosink
//! ```
//!
//! Faces are taken from GstAnalytics object detections or regions of interest of the class
//! `object-class`, or else from DeepStream's objects; in a batch of several frames from these alone.
//! Where no detector is upstream the whole frame is taken for one face; a frame that a detector looked
//! at and found empty has no gaze.
//!
//! Where faces have landmarks, the head's pose is found from them with the optics that `camera` or
//! `field-of-view` tells ([`headpose`](crate::core::face::pnp)), and models that were trained on
//! normalised faces get the picture of a virtual camera
//! ([`normalize`](crate::core::gaze::normalization)). Whatever axes a model answers in, the gaze that is
//! attached is in the camera's. Where faces have `eye-openness`, `min-eye-openness` keeps closed
//! eyes from being taken for a gaze.
//!
//! With `engine-reload`, another model takes the running one's place while frames flow: it is opened
//! beside it, swapped in between two frames, and told by an element message `gaze-engine` with
//! `engine` (string, the file), `model` (string, its profile's name) and `execution-provider`
//! (string). One that cannot be opened is refused with a warning, and `engine` again names the one
//! that runs.

mod deepstream_batch;
mod deepstream_properties;
mod engine_exchange;
mod engine_loader;
mod gpu_path;
mod imp;
mod notices;
mod nvinfer_config;
mod properties;
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

/// The properties after a configuration file (`config-file-path`) of this name and with these contents, or why it is
/// refused: the fuzzers' door.
#[cfg(fuzzing)]
pub fn configured(bytes: &[u8], path: &str) -> Result<Vec<(glib::ParamSpec, glib::Value)>, String> {
    settings::Settings::configured(bytes, path)
}
