//! GstAnalytics metadata in a build without the feature `v1_24`, which cannot read it but sees that it is
//! there.

/// The name under which GStreamer's analytics library registers the API of its metadata. Comparing the
/// name needs no link to that library, which GStreamer has from 1.24 on.
const API: &str = "GstAnalyticsRelationMetaAPI";

/// Returns whether the buffer carries GstAnalytics metadata.
pub fn carried_by(buffer: &gst::BufferRef) -> bool {
    buffer.iter_meta::<gst::Meta>().any(|meta| meta.api().name() == API)
}
