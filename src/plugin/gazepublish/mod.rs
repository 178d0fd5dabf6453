//! `gazepublish` writes where each face looks as JSON lines (schema in
//! [`core::report`](crate::core::json::frame_line)) and passes every buffer on as it is.
//!
//! `location` is `-` (standard output), a file's path, `unix:PATH` or `udp://HOST:PORT`. A line is
//! written for each buffer that carries a `GazeMeta`, with `add-empty-results` also where its face
//! list is empty. Lines are written by a thread of their own: a reader that is slow or gone never
//! holds the stream. It loses lines, which are counted (`dropped`) and said in a warning. The end
//! of the stream waits for the reader, for `flush-timeout` at most, before it goes on.

use glib::prelude::*;

mod imp;
mod settings;
mod sink;
mod writer;

glib::wrapper! {
    /// The element `gazepublish`.
    pub struct GazePublish(ObjectSubclass<imp::GazePublish>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Registers the element with the plugin.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "gazepublish", gst::Rank::NONE, GazePublish::static_type())
}
