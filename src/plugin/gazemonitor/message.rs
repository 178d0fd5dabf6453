//! Structures of the element message `attention` and of the property `stats`.

use super::stream::DetectionDelays;
use crate::core::monitor::{Attention, Monitor, MonitorEvent, MonitorStats};
use crate::plugin::meta::attention::{self, nanoseconds};

/// The name of the message's structure.
const NAME: &str = "attention";

/// The structure of one event, with the attention at its frame.
pub(super) fn of_event(
    event: &MonitorEvent,
    attention: &Attention,
    monitor: &Monitor,
) -> gst::Structure {
    let mut s = attention::to_structure(NAME, attention);
    s.set("at", nanoseconds(event.at()));
    match event {
        MonitorEvent::Raised(record) => {
            s.set("event", "alarm");
            s.set("alarm", record.alarm.name());
            s.set("alarm-level", record.level.name());
            s.set("start", nanoseconds(record.start));
            s.set("threshold", nanoseconds(record.threshold));
            s.set("delay", nanoseconds(record.delay()));
            s.set("zone-delay", nanoseconds(record.zone_delay));
            s.set("alarm-zone", &*monitor.zone_name(record.zone));
            s.set("movement", record.movement.name());
            s.set("version", monitor.config().rules.version.as_str());
        }
        MonitorEvent::Cleared { alarm, why, .. } => {
            s.set("event", "cleared");
            s.set("alarm", alarm.name());
            s.set("why", why.name());
        }
        MonitorEvent::Zone { from, to, left_road, left_at, at } => {
            s.set("event", "zone");
            if let Some(from) = from {
                s.set("from", &*monitor.zone_name(from.zone));
            }
            s.set("to", &*monitor.zone_name(to.zone));
            s.set("left-road", *left_road);
            s.set("left-at", nanoseconds(*left_at));
            s.set("zone-delay", nanoseconds(at.saturating_sub(*left_at)));
        }
        MonitorEvent::Available { sense, reason, since, .. } => {
            s.set("event", "availability");
            s.set("of", sense.name());
            s.set("available", reason.is_none());
            s.set("since", nanoseconds(*since));
        }
        MonitorEvent::Calibrated { ready, .. } => {
            s.set("event", "calibration");
            s.set("ready", *ready);
        }
    }
    s
}

/// The value of the property `stats`.
pub(super) fn stats(counts: &MonitorStats, delays: &DetectionDelays) -> gst::Structure {
    gst::Structure::builder("stats")
        .field("frames", counts.frames)
        .field("unusable", counts.unusable)
        .field("ignored", counts.ignored)
        .field("restarts", counts.restarts)
        .field("alarms", counts.alarms)
        .field("zone-delay-p95", delays.zone.percentile_ns(0.95))
        .field("zone-delay-max", delays.zone.max_ns())
        .field("alarm-delay-p95", delays.alarm.percentile_ns(0.95))
        .field("alarm-delay-max", delays.alarm.max_ns())
        .build()
}
