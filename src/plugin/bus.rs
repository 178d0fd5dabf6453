//! What elements tell on the bus, in GStreamer's log as well: `gst-launch-1.0 -q` and many
//! applications show no warning of the bus.

use gst::prelude::*;

/// Logs a message that `element` posts: an error, a warning or an information at the level of its
/// kind, other messages not at all. Every element calls it where it posts
/// (`ElementImpl::post_message`), so that nothing is told on the bus alone.
pub fn log(category: gst::DebugCategory, element: &impl IsA<gst::Element>, message: &gst::Message) {
    let text = |error: glib::Error, detail: Option<glib::GString>| match detail {
        // GStreamer puts the place in the source there; what a second line adds is for people.
        Some(detail) => match detail.split_once('\n') {
            Some((_, more)) if !more.trim().is_empty() => format!("{error}: {}", more.trim()),
            _ => error.to_string(),
        },
        None => error.to_string(),
    };
    match message.view() {
        gst::MessageView::Error(error) => {
            gst::error!(category, obj = element, "{}", text(error.error(), error.debug()));
        }
        gst::MessageView::Warning(warning) => {
            gst::warning!(category, obj = element, "{}", text(warning.error(), warning.debug()));
        }
        gst::MessageView::Info(info) => {
            gst::info!(category, obj = element, "{}", text(info.error(), info.debug()));
        }
        _ => {}
    }
}
