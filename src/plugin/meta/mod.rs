//! Metadata: the only code that reads and writes faces and gaze on a buffer.
//!
//! | name | kind | written by | read by |
//! |---|---|---|---|
//! | `GazeMeta` ([`gaze`]) | GstCustomMeta | `gazeinfer` | any element or application |
//! | `AttentionMeta` ([`attention`]) | GstCustomMeta | `gazemonitor` | any element or application |
//! | `GazeFaces` ([`faces`]) | GstCustomMeta | `gazeface` | `gazeinfer` |
//! | GstAnalytics objects (`analytics`, feature `v1_24`) | typed | `gazeface`, any detector | `gazeinfer` |
//! | `GstVideoRegionOfInterestMeta` ([`region`]) | typed | `gazeface`, any detector | `gazeinfer` |
//!
//! The only tag of the custom metas is `orientation`. Measured on GStreamer 1.22: `videoconvert` and
//! `videoscale` drop a custom meta with size or video tags; with this one tag it survives both, and
//! `videoflip`, which would make the angles wrong, drops it. A transform function could mirror boxes and
//! angles, but GStreamer does not tell it the direction: the bindings name a transform with a matrix
//! (`GstVideoMetaTransformMatrix`) from 1.28 on, and the only one before is that of `videoscale`. So the
//! readers warn of results that are lost there (`lost_results`). A meta with boxes has the size of the
//! frame that they refer to, and readers scale them to the frame that they hold.

#[cfg(feature = "v1_24")]
pub mod analytics;
pub mod attention;
pub(crate) mod c_strings;
pub mod class_watch;
mod custom;
pub mod faces;
pub mod gaze;
pub mod input_region;
pub mod region;
mod structure;
#[cfg(not(feature = "v1_24"))]
pub mod unread_analytics;

use gst::meta::CustomMeta;

/// The most faces of one frame that an element looks at. Anyone can write metadata, and a model that
/// runs on thousands of regions blocks the stream for minutes; 256 faces fill a frame of 1080 rows with
/// boxes of 90 pixels. Further faces of a frame are passed over, and the element warns once.
pub const MAX_FACES: usize = 256;

/// Registers the custom metas with GStreamer. Further calls do nothing.
pub fn register() {
    for name in [gaze::NAME, faces::NAME, attention::NAME] {
        // GStreamer reports a second registration of a name as a critical warning.
        if !CustomMeta::is_registered(name) {
            CustomMeta::register(name, &["orientation"]);
        }
    }
}
