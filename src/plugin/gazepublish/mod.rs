//! `gazepublish` writes the gaze of each face as JSON lines (schema in
//! [`core::json::frame_line`](crate::core::json::frame_line)) and passes every buffer on unchanged.
//!
//! `location` is `-` (standard output), the path of a file, `unix:PATH` or `udp://HOST:PORT`. Each
//! buffer with a `GazeMeta` gets a line; one with an empty face list only with `add-empty-results`.
//! A thread of its own writes the lines, so a slow or missing reader never delays the stream. Such a
//! reader loses lines: the element counts them (`dropped`), posts a warning when an outage begins and an
//! information with the totals when it is over. At the end of the stream, EOS waits for the reader, for
//! `flush-timeout` at most.
//!
//! A file has one writer: the element locks it. `max-size-bytes` and `max-size-time` begin a new file,
//! and `max-files` of them stay: `NAME`, `NAME.1` (the one before), `NAME.2` and so on.

use glib::prelude::*;

mod destination;
mod frame_counter;
mod imp;
mod line_file;
mod outage;
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
