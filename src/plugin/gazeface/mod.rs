//! `gazeface` finds the faces of a video, for `gazeinfer` and any other element.
//!
//! It works in place and never copies pixels: it maps a frame for reading, preprocesses it straight
//! into the detector's input, and attaches each face as a `GstVideoRegionOfInterestMeta` of type
//! `face` with the parameters `detection` (`confidence`) and `landmarks` (five points, if the model
//! gives them). Every frame that it processes also gets a `GazeFaces` (see
//! [`meta::faces`](super::meta::faces)), which tells a frame without faces from one that no detector
//! saw.
//!
//! ```text
//! gst-launch-1.0 filesrc location=clip.mp4 ! decodebin ! videoconvert !
//!     gazeface engine=yunet.onnx ! gazeinfer engine=mobilegaze.onnx ! gazeoverlay !
//!     videoconvert ! autovideosink
//! ```
//!
//! It tracks faces: a face keeps its `track-id` (also the parameter `object_id` of its region) while
//! it is visible, and its box moves on between two inferences.
//!
//! Further models run on each face: `landmark-engine` (points, with eye corners from a model of 98
//! points), `head-pose-engine` and `eye-state-engine`. Their results are the parameters `landmarks`,
//! `eyes`, `head-pose` and `eye-openness`. Gaze models of the eyes need eye corners and head pose:
//!
//! ```text
//! gazeface engine=yunet.onnx landmark-engine=pfld_98.onnx
//!     head-pose-engine=head-pose-estimation-adas-0001.onnx !
//!     gazeinfer engine=gaze-estimation-adas-0002.onnx
//! ```
//!
//! Without an `engine` the embedded detector finds faces
//! ([`core::face::detect::frontal`](crate::core::face::detect::frontal)). It needs no file and no ONNX
//! Runtime, gives no landmarks, and finds frontal faces from 40 pixels in a picture whose longer side
//! is `input-size`.
//!
//! `engine` takes any published detector of the families in
//! [`core::face::detect`](crate::core::face::detect); the element recognises the family by the inputs
//! and outputs of the model.

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
