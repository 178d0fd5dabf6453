//! `gazeoverlay` draws the gaze of each face on the video.
//!
//! It reads `GazeMeta` (see [`meta::gaze`](super::meta::gaze)) and draws a box, an arrow and a label
//! for each face. It draws in place, on every format that the other elements read, and leaves a frame
//! without faces untouched. Boxes follow a frame that was scaled after the inference.
//!
//! If downstream blends overlays (`meta:GstVideoOverlayComposition`, as GL and Wayland sinks do), the
//! element attaches the drawing as an overlay and leaves all pixels untouched.
//!
//! ```text
//! ... ! gazeinfer engine=mobilegaze.onnx !
//!     gazeoverlay draw=boxes+arrows+text+landmarks arrow-color=0xff00ff80 ! autovideosink
//! ```

mod composition;
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
