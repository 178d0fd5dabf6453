//! `gazeoverlay`: draws on the video where people look.
//!
//! Reads `GazeMeta` (see [`meta::gaze`](super::meta::gaze)) and draws a box, an arrow and a label
//! for each face. Draws on any format that the other elements read, in place; a frame without
//! faces is not touched. Boxes follow the frame when it was scaled after the inference.
//!
//! Where downstream takes overlays (`meta:GstVideoOverlayComposition`, as GL and Wayland sinks do),
//! the drawing is attached for it to blend, and pixels are not touched at all.
//!
//! ```text
//! ... ! gazeinfer engine=mobilegaze.onnx !
//!     gazeoverlay draw=boxes+arrows+text+landmarks arrow-color=0xff00ff80 ! autovideosink
//! ```

mod attach;
mod imp;
mod settings;

pub use settings::DrawFlags;

use glib::prelude::*;
use gst::prelude::*;

glib::wrapper! {
    /// The element.
    pub struct GazeOverlay(ObjectSubclass<imp::GazeOverlay>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Registers the element and its types.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    DrawFlags::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(Some(plugin), "gazeoverlay", gst::Rank::NONE, GazeOverlay::static_type())
}
