//! `gazemonitor`: whether the driver pays attention, by the rules of Euro NCAP, (EU) 2023/2590 or UN
//! R171.
//!
//! Reads `GazeMeta` (see [`meta::gaze`](super::meta::gaze)), judges the driver's gaze
//! ([`core::monitor`](crate::core::monitor)), puts `AttentionMeta`
//! ([`meta::attention`](super::meta::attention)) on each buffer and an element message `attention`
//! on the bus at every change. Pixels are not looked at.
//!
//! ```text
//! gazeface engine=yunet.onnx ! gazeinfer engine=mobilegaze.onnx !
//!     gazemonitor rules=euroncap-2026 zones=left-hand-drive speed=80 !
//!     gazepublish location=gaze.jsonl ! gazeoverlay ! ...
//! ```
//!
//! Time is that of the buffers' stamps: a recording that is played as fast as it goes gives what
//! the drive gave. Put it behind everything that may drop or duplicate frames, and before
//! `gazepublish`.
//!
//! # Speed
//! The property `speed`, or a custom event, of either direction, whose structure is named
//! `GazeVehicle`: `speed` (double, km/h; negative: unknown) and `nominal` (boolean: whether the
//! situation is nominal in the sense of (EU) 2023/2590), each of which may be absent. `speed` may be
//! any number's type. What was said last counts; a speed that came by an event counts for
//! `speed-timeout` of the stream's time and is unknown after it, one that was set counts until it is
//! set again.
//!
//! # Batches
//! Of a batch the first frame's `GazeMeta` is judged, the one camera of a driver. Where several
//! drivers are batched, put one monitor behind each output of `nvstreamdemux`.
//!
//! # Gaps
//! A GAP event is time without data. Nothing comes while a source stands still, so that what comes
//! first afterwards tells of the whole gap.
//!
//! # Messages
//! An element message whose structure is `attention`: all fields of `AttentionMeta`, `pts` and
//! `running-time` of the frame, `event` and what belongs to it. Times are in nanoseconds of the
//! monitor's own time, which begins with the stream and is its running time at normal speed.
//!
//! | `event` | fields |
//! |---|---|
//! | `alarm` | `alarm` (string), `alarm-level` (string), `start`, `threshold`, `at` (uint64): when the glance began, when the rule's threshold was reached, and this frame; `delay` (uint64): from threshold to message; `zone-delay` (uint64): from the gaze's leaving the road to the zone's change; `alarm-zone` (string), `movement` (owl, lizard, unknown), `version` (string) of the rules |
//! | `cleared` | `alarm` (string), `at` (uint64), `why` (attentive, escalated, inactive, unavailable, other-driver, restart) |
//! | `zone` | `from` (string; absent where nothing was known before), `to` (string), `left-road` (boolean), `left-at`, `at`, `zone-delay` (uint64) |
//! | `availability` | `of` (gaze, eyes), `available` (boolean), `since`, `at` (uint64) |
//! | `calibration` | `ready` (boolean), `at` (uint64) |

use glib::prelude::*;
use gst::prelude::*;

mod enums;
mod imp;
mod message;
mod settings;
mod stream;
mod time;

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
