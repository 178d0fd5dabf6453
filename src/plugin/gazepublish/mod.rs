//! `gazepublish` writes the gaze of each face as JSON lines (schema in
//! [`core::json::frame_line`](crate::core::json::frame_line)) and passes every buffer on unchanged.
//!
//! `location` is `-` (standard output), the path of a file, `unix:PATH` or `udp://HOST:PORT`. Each
//! buffer with a `GazeMeta` gets a line; one with an empty face list only with `add-empty-results`.
//! A thread of its own writes the lines, so a slow or missing reader never delays the stream. Such a
//! reader loses lines: the element counts them (`dropped`) and posts a warning. At the end of the
//! stream, EOS waits for the reader, for `flush-timeout` at most.

use glib::prelude::*;

mod frame_counter;
mod imp;
mod output;
mod settings;
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
