//! `gazeface`: the faces of a video, for `gazeinfer` and for anybody.
//!
//! In place, and never copies pixels: frames are mapped for reading, go straight into the
//! detector's input, and each face is attached as a `GstVideoRegionOfInterestMeta` of type `face`
//! with the parameters `detection` (`confidence`) and `landmarks` (five points, where the model
//! gives them). `GazeFaces` (see [`meta::faces`](super::meta::faces)) is attached to every frame
//! that was looked at, so that a frame without a face is known to have none.
//!
//! ```text
//! gst-launch-1.0 filesrc location=clip.mp4 ! decodebin ! videoconvert !
//!     gazeface engine=yunet.onnx ! gazeinfer engine=mobilegaze.onnx ! gazeoverlay !
//!     videoconvert ! autovideosink
//! ```
//!
//! Faces are tracked: each has a `track-id` (also the parameter `object_id` of its region) that it
//! keeps while it is seen, and on frames between two inferences its box moves on.
//!
//! Further models look at each face that was found: `landmark-engine` (points, and the corners of the
//! eyes where there are 98), `head-pose-engine` and `eye-state-engine`. What they tell is attached as
//! the parameters `landmarks`, `eyes`, `head-pose` and `eye-openness`; gaze models of the eyes need
//! the corners and the pose:
//!
//! ```text
//! gazeface engine=yunet.onnx landmark-engine=pfld_98.onnx
//!     head-pose-engine=head-pose-estimation-adas-0001.onnx !
//!     gazeinfer engine=gaze-estimation-adas-0002.onnx
//! ```
//!
//! Without an `engine` the embedded detector looks for faces
//! ([`core::detect::frontal`](crate::core::face::detect::frontal)): no file, no ONNX Runtime, no landmarks,
//! frontal faces of at least 40 pixels of a picture with the longer side at `input-size`.
//!
//! Any published detector of the families in [`core::detect`](crate::core::face::detect) will do; which
//! one a file is is seen from its inputs and outputs.

mod imp;
mod settings;
mod stages;
mod stream;

use glib::prelude::*;

glib::wrapper! {
    /// The element.
    pub struct GazeFace(ObjectSubclass<imp::GazeFace>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Registers the element.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "gazeface", gst::Rank::NONE, GazeFace::static_type())
}
