//! `gazemonitor` judges whether the driver pays attention, by the rules of Euro NCAP, (EU) 2023/2590
//! or UN R171.
//!
//! It reads `GazeMeta` (see [`meta::gaze`](super::meta::gaze)), judges the driver's gaze
//! ([`core::monitor`](crate::core::monitor)), puts `AttentionMeta`
//! ([`meta::attention`](super::meta::attention)) on each buffer and posts an element message
//! `attention` at every change. It reads no pixels.
//!
//! ```text
//! gazeface engine=yunet.onnx ! gazeinfer engine=mobilegaze.onnx !
//!     gazemonitor rules=euroncap-2026 zones=left-hand-drive speed=80 !
//!     gazepublish location=gaze.jsonl ! gazeoverlay ! ...
//! ```
//!
//! Time is that of the buffers' time stamps: a recording gives the same result at any speed of
//! playback. Put the element after everything that drops or duplicates frames, and before
//! `gazepublish`.
//!
//! # Speed
//! The property `speed` sets the speed, and so does a custom event of either direction with a
//! structure `GazeVehicle`: `speed` (any type of number, km/h; negative is unknown) and `nominal`
//! (boolean: whether the situation is nominal in the sense of (EU) 2023/2590). Each field may be
//! absent. The last value counts. The speed of an event is valid for `speed-timeout` of stream time
//! and unknown after that; the value of the property stays valid.
//!
//! # Batches
//! The monitor judges the first frame of a batch. For several drivers, put one monitor behind each
//! output of `nvstreamdemux`.
//!
//! # Gaps
//! A GAP event is time without data. A source that stalls sends nothing; the first buffer or event
//! after the stall then reports the changes of the whole gap. A buffer with the flag GAP and a picture
//! (`videorate` repeats one so) tells nothing new: what the last picture showed holds on for the rules'
//! tolerance, and then there is no data.
//!
//! # Messages
//! The structure `attention` of an element message has all fields of `AttentionMeta`, `pts` and
//! `running-time` of the frame, `event` and the fields of that event. Times are in nanoseconds of the
//! monitor's own time, which starts with the stream and equals its running time at normal speed.
//!
//! | `event` | fields |
//! |---|---|
//! | `alarm` | `alarm` (string), `alarm-level` (string), `start`, `threshold`, `at` (uint64): start of the glance, time of the rule's threshold, and this frame; `delay` (uint64): from threshold to message; `zone-delay` (uint64): from the gaze leaving the road to the change of zone; `alarm-zone` (string), `movement` (owl, lizard, unknown), `version` (string) of the rules |
//! | `cleared` | `alarm` (string), `at` (uint64), `why` (attentive, escalated, inactive, unavailable, other-driver, restart) |
//! | `zone` | `from` (string; absent if unknown), `to` (string), `left-road` (boolean), `left-at`, `at`, `zone-delay` (uint64) |
//! | `availability` | `of` (gaze, eyes), `available` (boolean), `since`, `at` (uint64) |
//! | `calibration` | `ready` (boolean), `at` (uint64) |

use glib::prelude::*;
use gst::prelude::*;

mod enums;
mod imp;
mod media_clock;
mod message;
mod settings;
mod stream;

pub use enums::{DriverSelection, ForwardMode};

glib::wrapper! {
    /// The element.
    pub struct GazeMonitor(ObjectSubclass<imp::GazeMonitor>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Registers the element and its types.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    for t in [DriverSelection::static_type(), ForwardMode::static_type()] {
        t.mark_as_plugin_api(gst::PluginAPIFlags::empty());
    }
    gst::Element::register(Some(plugin), "gazemonitor", gst::Rank::NONE, GazeMonitor::static_type())
}
