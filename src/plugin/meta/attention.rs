//! `AttentionMeta`: the driver's attention at a frame.
//!
//! | field | type | meaning |
//! |---|---|---|
//! | `state` | string | attentive, looking-away, distracted, drowsy, asleep, unresponsive, calibrating, unavailable |
//! | `level` | string | none, warning, urgent, intervention: level of the most urgent alarm |
//! | `alarms` | GstValueArray of string | active alarms: long-distraction, short-distraction, phone-use, distraction, eyes-off, microsleep, sleep, unresponsive, drowsy |
//! | `reason` | string | why the monitor judges nothing: no-data, no-face, no-gaze; no-eyes: it judges gaze but not closed eyes; may be absent |
//! | `zone` | string | zone on which the gaze settled, or `elsewhere`; absent if unknown |
//! | `zone-class` | string | forward, mirror, cluster, non-driving, phone-basic, phone-advanced; with `zone` |
//! | `pitch yaw` | double | gaze relative to the road ahead, radians, positive up and to the driver's right; may be absent |
//! | `away-time` | uint64 | ns since the start of this glance away from the road |
//! | `shared-time` | uint64 | ns away from the road in the window of the sharing rule |
//! | `closed-time` | uint64 | ns since the eyes closed |
//! | `perclos` | double | share of the last minute with closed eyes, 0..1; absent with too few frames |
//! | `forward-pitch forward-yaw` | double | direction of the road ahead in camera coordinates, radians; absent while unknown |
//! | `forward-confidence` | double | 0..1 |
//! | `speed` | double | km/h; absent if unknown |
//! | `face` | uint | position of the driver's face in `GazeMeta`; absent without a face |
//! | `rules` | string | name of the rules |
//! | `source-id` | uint | `source-id` of the judged `GazeMeta`; absent without one |
//! | `left-road-time` | uint64 | ns from the gaze leaving the road to this frame, the frame of the resulting change of zone; absent on other frames |
//! | `raised` | string | alarm raised at this frame, the one with the longest delay if there are several; absent on other frames, as are the next three |
//! | `raised-level` | string | its level |
//! | `raised-delay` | uint64 | ns from the threshold of the rule to this frame |
//! | `raised-zone-delay` | uint64 | ns from the gaze leaving the road to the change of zone; 0 for closed eyes |

use std::time::Duration;

use glib::prelude::*;
use gst::meta::CustomMeta;

use super::structure::number;
use super::{c_strings, custom};
use crate::core::geometry::Gaze;
use crate::core::monitor::zones::zone::ZoneClass;
use crate::core::monitor::{Alarm, Attention, DriverState, Level, RaisedAlarm, UnavailableReason};

/// The registered name of the metadata.
pub const NAME: &str = "AttentionMeta";

/// The name of the field with the source of a batch.
const SOURCE: &str = "source-id";

/// The most alarms that are read.
const MAX_ALARMS: usize = 64;

/// Puts `attention` on the buffer, in place of an AttentionMeta that is there already.
pub fn add(buffer: &mut gst::BufferRef, attention: &Attention) -> Result<(), glib::BoolError> {
    write(custom::add_or_clear(buffer, NAME, |_| ())?.mut_structure(), attention);
    Ok(())
}

/// Sets the source of a batch to which the attention on the buffer belongs.
pub fn set_source(buffer: &mut gst::BufferRef, source: u32) {
    if let Ok(mut meta) = CustomMeta::from_mut_buffer(buffer, NAME) {
        meta.mut_structure().set(SOURCE, source);
    }
}

/// Returns the source of a batch to which the attention on a buffer belongs; `None` if the field is
/// absent.
pub fn source(buffer: &gst::BufferRef) -> Option<u32> {
    CustomMeta::from_buffer(buffer, NAME).ok()?.structure().get(SOURCE).ok()
}

/// Reads the AttentionMeta of a buffer.
pub fn read(buffer: &gst::BufferRef) -> Option<Attention> {
    parse(CustomMeta::from_buffer(buffer, NAME).ok()?.structure())
}

/// Returns the same fields as a structure of their own, for properties and bus messages.
pub fn to_structure(name: &str, attention: &Attention) -> gst::Structure {
    let mut s = gst::Structure::new_empty(name);
    write(&mut s, attention);
    s
}

/// Returns the value of a field for a time.
pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn write(s: &mut gst::StructureRef, attention: &Attention) {
    s.set("state", attention.state.name());
    s.set("level", attention.level.name());
    let names = attention.alarms.iter().map(|alarm| alarm.name().to_send_value());
    s.set("alarms", gst::Array::new(names));
    if let Some(reason) = attention.reason {
        s.set("reason", reason.name());
    }
    if let Some(class) = attention.class {
        s.set("zone", &*attention.zone);
        s.set("zone-class", class.name());
    }
    if let Some(gaze) = attention.gaze {
        s.set("pitch", f64::from(gaze.pitch));
        s.set("yaw", f64::from(gaze.yaw));
    }
    s.set("away-time", nanoseconds(attention.away));
    s.set("shared-time", nanoseconds(attention.shared));
    s.set("closed-time", nanoseconds(attention.closed));
    if let Some(perclos) = attention.perclos {
        s.set("perclos", f64::from(perclos));
    }
    if let Some(forward) = attention.forward {
        s.set("forward-pitch", f64::from(forward.pitch));
        s.set("forward-yaw", f64::from(forward.yaw));
    }
    s.set("forward-confidence", f64::from(attention.confidence));
    if let Some(speed) = attention.speed {
        s.set("speed", f64::from(speed));
    }
    if let Some(face) = attention.face {
        s.set("face", face);
    }
    s.set("rules", &*attention.rules);
    if let Some(time) = attention.left_road {
        s.set("left-road-time", nanoseconds(time));
    }
    if let Some(raised) = attention.raised {
        s.set("raised", raised.alarm.name());
        s.set("raised-level", raised.level.name());
        s.set("raised-delay", nanoseconds(raised.delay));
        s.set("raised-zone-delay", nanoseconds(raised.zone_delay));
    }
}

/// The inverse of [`to_structure`]; `None` for an unknown or missing state.
pub fn parse(s: &gst::StructureRef) -> Option<Attention> {
    let text = |name| c_strings::of_field(s, name);
    let name = |field| text(field).unwrap_or_default();
    let time = |name| Duration::from_nanos(s.get(name).unwrap_or_default());
    let gaze =
        |pitch, yaw| number(s, pitch).zip(number(s, yaw)).map(|(pitch, yaw)| Gaze::new(pitch, yaw));
    let alarms = s.get::<gst::ArrayRef<'_>>("alarms").ok();
    let alarms = alarms.as_ref().map(|alarms| alarms.as_slice()).unwrap_or_default();
    let alarm = |value: &glib::SendValue| Alarm::from_name(&c_strings::of_value(value)?);
    let raised = Alarm::from_name(&name("raised")).map(|alarm| RaisedAlarm {
        alarm,
        level: Level::from_name(&name("raised-level")).unwrap_or_default(),
        delay: time("raised-delay"),
        zone_delay: time("raised-zone-delay"),
    });
    Some(Attention {
        state: DriverState::from_name(&name("state"))?,
        level: Level::from_name(&name("level")).unwrap_or_default(),
        // Another writer's list may be long; more alarms than there are kinds say nothing new.
        alarms: alarms.iter().take(MAX_ALARMS).filter_map(alarm).collect(),
        reason: UnavailableReason::from_name(&name("reason")),
        zone: (&*name("zone")).into(),
        class: ZoneClass::from_name(&name("zone-class")),
        gaze: gaze("pitch", "yaw"),
        away: time("away-time"),
        shared: time("shared-time"),
        closed: time("closed-time"),
        perclos: number(s, "perclos"),
        forward: gaze("forward-pitch", "forward-yaw"),
        confidence: number(s, "forward-confidence").unwrap_or_default(),
        speed: number(s, "speed"),
        face: s.get("face").ok(),
        rules: (&*name("rules")).into(),
        left_road: s.get("left-road-time").ok().map(Duration::from_nanos),
        raised,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Attention {
        Attention {
            state: DriverState::Distracted,
            level: Level::Urgent,
            alarms: [Alarm::PhoneUse, Alarm::LongDistraction].into_iter().collect(),
            reason: Some(UnavailableReason::NoFace),
            zone: "centre-screen".into(),
            class: Some(ZoneClass::NonDriving),
            gaze: Some(Gaze::new(-0.25, 0.5)),
            away: Duration::from_millis(3100),
            shared: Duration::from_secs(9),
            closed: Duration::from_millis(40),
            perclos: Some(0.125),
            forward: Some(Gaze::new(0.125, -0.25)),
            confidence: 0.75,
            speed: Some(80.5),
            face: Some(2),
            rules: "euroncap-2026".into(),
            left_road: Some(Duration::from_millis(433)),
            raised: Some(RaisedAlarm {
                alarm: Alarm::PhoneUse,
                level: Level::Urgent,
                delay: Duration::from_millis(16),
                zone_delay: Duration::from_millis(433),
            }),
        }
    }

    #[test]
    fn every_field_survives_a_round_trip() {
        gst::init().unwrap();
        super::super::register();
        let mut buffer = gst::Buffer::new();
        assert_eq!(read(&buffer), None);
        for attention in [full(), Attention::default()] {
            add(buffer.get_mut().unwrap(), &attention).unwrap();
            assert_eq!(read(&buffer), Some(attention));
        }
        assert_eq!(source(&buffer), None);
        set_source(buffer.get_mut().unwrap(), 3);
        assert_eq!((source(&buffer), read(&buffer)), (Some(3), Some(Attention::default())));
    }

    #[test]
    fn unknown_names_are_ignored() {
        gst::init().unwrap();
        let mut s = to_structure("attention", &full());
        s.set("level", "apocalypse");
        s.set("zone-class", 7);
        let back = parse(&s).unwrap();
        assert_eq!((back.level, back.class), (Level::None, None));
        s.set("state", "dancing");
        assert_eq!(parse(&s), None);
    }
}
