//! Metadata in and out: the only code that knows how faces and gaze are written on a buffer.
//!
//! | name | kind | written by | read by |
//! |---|---|---|---|
//! | `GazeMeta` ([`gaze`]) | GstCustomMeta | `gazeinfer` | everybody |
//! | `AttentionMeta` ([`attention`]) | GstCustomMeta | `gazemonitor` | everybody |
//! | `GazeFaces` ([`faces`]) | GstCustomMeta | `gazeface` | `gazeinfer` |
//! | GstAnalytics objects (`analytics`, feature `v1_24`) | typed | `gazeface`, any detector | `gazeinfer` |
//! | `GstVideoRegionOfInterestMeta` ([`region`]) | typed | `gazeface`, any detector | `gazeinfer` |
//!
//! The custom metas are tagged `orientation`; those with pixels carry the frame size that they refer
//! to.
//! Measured on GStreamer 1.22: a custom meta with size or video tags is dropped by `videoconvert`
//! and `videoscale`; with this one tag it survives both, and is dropped by `videoflip`, which
//! would make the angles wrong. Readers scale boxes from that size to the frame they hold.

#[cfg(feature = "v1_24")]
pub mod analytics;
pub mod attention;
pub mod faces;
pub mod gaze;
pub mod region;
mod structure;

use gst::meta::CustomMeta;

/// Makes the custom metas known to GStreamer; safe to call more than once.
pub fn register() {
    for name in [gaze::NAME, faces::NAME, attention::NAME] {
        // Registering a name twice is an error that GStreamer reports as a critical warning.
        if !CustomMeta::is_registered(name) {
            CustomMeta::register(name, &["orientation"]);
        }
    }
}

/// The structure of the buffer's meta `name`, made anew or emptied of what it held.
fn fresh<'a>(
    buffer: &'a mut gst::BufferRef,
    name: &str,
) -> Result<gst::MetaRefMut<'a, CustomMeta, gst::meta::Standalone>, glib::BoolError> {
    // Asked first and borrowed afterwards: the borrow checker does not follow the other order.
    if CustomMeta::from_buffer(buffer, name).is_ok() {
        let mut meta = CustomMeta::from_mut_buffer(buffer, name)?;
        meta.mut_structure().remove_all_fields();
        return Ok(meta);
    }
    CustomMeta::add(buffer, name)
}
