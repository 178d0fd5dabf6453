//! Attention as an object in a JSON line ([`frame_line`](super::frame_line)).
//!
//! | key | type | says |
//! |---|---|---|
//! | `state` | string | attentive, looking-away, distracted, drowsy, asleep, unresponsive, calibrating, unavailable |
//! | `level` | string | none, warning, urgent, intervention |
//! | `alarms` | array of string | the alarms that are on |
//! | `reason` | string | why the driver (`no-eyes`: only his eyes) is unavailable; may be absent |
//! | `zone`, `zone_class` | string | the zone that the gaze settled on; absent where unknown |
//! | `pitch`, `yaw` | number | gaze relative to the road ahead, radians, up and to the driver's right; may be absent |
//! | `away_ns`, `shared_ns`, `closed_ns` | integer | length of this glance away, time away in the window of the sharing rule, time with closed eyes |
//! | `perclos` | number | 0..1; may be absent |
//! | `forward` | `{"pitch","yaw"}` | the road ahead in camera coordinates, radians; absent while unknown |
//! | `forward_confidence` | number | 0..1 |
//! | `speed` | number | km/h; absent where unknown |
//! | `face` | integer | index of the driver's face in `faces`; absent without one |
//! | `rules` | string | name of the rules profile |
//! | `left_road_ns` | integer | from the gaze's leaving the road to this frame; only on the frame that changes the zone |
//! | `raised` | `{"alarm","level","delay_ns","zone_delay_ns"}` | the alarm that this frame raised (of several, the one with the longest delay), the time from the rule's threshold to this frame, and the time from the gaze's leaving the road to the zone's change; on that frame only |

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::number::{ANGLE, SCORE, rounded};
use crate::core::geometry::angles::Gaze;
use crate::core::monitor::alarms::alarm::AlarmSet;
use crate::core::monitor::alarms::attention::{Attention, RaisedAlarm};

/// The object in JSON.
#[derive(Serialize)]
pub struct AttentionObject<'a> {
    state: &'static str,
    level: &'static str,
    alarms: AlarmNames,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone_class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pitch: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    yaw: Option<f64>,
    away_ns: u64,
    shared_ns: u64,
    closed_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    perclos: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forward: Option<AnglesObject>,
    forward_confidence: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    face: Option<u32>,
    rules: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_road_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raised: Option<RaisedAlarmObject>,
}

#[derive(Serialize)]
struct RaisedAlarmObject {
    alarm: &'static str,
    level: &'static str,
    delay_ns: u64,
    zone_delay_ns: u64,
}

impl From<RaisedAlarm> for RaisedAlarmObject {
    fn from(raised: RaisedAlarm) -> Self {
        Self {
            alarm: raised.alarm.name(),
            level: raised.level.name(),
            delay_ns: nanoseconds(raised.delay),
            zone_delay_ns: nanoseconds(raised.zone_delay),
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[derive(Serialize)]
struct AnglesObject {
    pitch: f64,
    yaw: f64,
}

struct AlarmNames(AlarmSet);

impl Serialize for AlarmNames {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|alarm| alarm.name()))
    }
}

impl<'a> From<&'a Attention> for AttentionObject<'a> {
    fn from(attention: &'a Attention) -> Self {
        let angles = |gaze: Gaze| {
            gaze.is_finite().then(|| AnglesObject {
                pitch: rounded(gaze.pitch, ANGLE),
                yaw: rounded(gaze.yaw, ANGLE),
            })
        };
        let score = |value: f32| value.is_finite().then(|| rounded(value, SCORE));
        let gaze = attention.gaze.and_then(angles);
        Self {
            state: attention.state.name(),
            level: attention.level.name(),
            alarms: AlarmNames(attention.alarms),
            reason: attention.reason.map(|reason| reason.name()),
            zone: attention.class.map(|_| &*attention.zone),
            zone_class: attention.class.map(|class| class.name()),
            pitch: gaze.as_ref().map(|gaze| gaze.pitch),
            yaw: gaze.as_ref().map(|gaze| gaze.yaw),
            away_ns: nanoseconds(attention.away),
            shared_ns: nanoseconds(attention.shared),
            closed_ns: nanoseconds(attention.closed),
            perclos: attention.perclos.and_then(score),
            forward: attention.forward.and_then(angles),
            forward_confidence: score(attention.confidence).unwrap_or_default(),
            speed: attention.speed.and_then(score),
            face: attention.face,
            rules: &attention.rules,
            left_road_ns: attention.left_road.map(nanoseconds),
            raised: attention.raised.map(RaisedAlarmObject::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::monitor::zones::zone::ZoneClass;
    use crate::core::monitor::{Alarm, DriverState, Level, RaisedAlarm, UnavailableReason};

    fn text(attention: &Attention) -> String {
        serde_json::to_string(&AttentionObject::from(attention)).unwrap()
    }

    #[test]
    fn golden() {
        let attention = Attention {
            state: DriverState::Distracted,
            level: Level::Warning,
            alarms: [Alarm::PhoneUse, Alarm::LongDistraction].into_iter().collect(),
            reason: Some(UnavailableReason::NoFace),
            zone: "phone-lap".into(),
            class: Some(ZoneClass::PhoneBasic),
            gaze: Some(Gaze::new(-0.5, 0.1234567)),
            away: Duration::from_millis(3100),
            shared: Duration::from_secs(9),
            closed: Duration::ZERO,
            perclos: Some(0.12345),
            forward: Some(Gaze::new(0.25, -0.5)),
            confidence: 0.5,
            speed: Some(80.5),
            face: Some(1),
            rules: "euroncap-2026".into(),
            left_road: Some(Duration::from_millis(433)),
            raised: Some(RaisedAlarm {
                alarm: Alarm::LongDistraction,
                level: Level::Warning,
                delay: Duration::from_millis(16),
                zone_delay: Duration::from_millis(400),
            }),
        };
        assert_eq!(
            text(&attention),
            concat!(
                r#"{"state":"distracted","level":"warning","#,
                r#""alarms":["long-distraction","phone-use"],"reason":"no-face","#,
                r#""zone":"phone-lap","zone_class":"phone-basic","pitch":-0.5,"yaw":0.123457,"#,
                r#""away_ns":3100000000,"shared_ns":9000000000,"closed_ns":0,"perclos":0.1235,"#,
                r#""forward":{"pitch":0.25,"yaw":-0.5},"forward_confidence":0.5,"speed":80.5,"#,
                r#""face":1,"rules":"euroncap-2026","left_road_ns":433000000,"#,
                r#""raised":{"alarm":"long-distraction","level":"warning","#,
                r#""delay_ns":16000000,"zone_delay_ns":400000000}}"#
            )
        );
    }

    #[test]
    fn unknown_values_and_numbers_that_are_not_finite_are_absent() {
        let attention = Attention {
            gaze: Some(Gaze::new(f32::NAN, 0.0)),
            perclos: Some(f32::INFINITY),
            confidence: f32::NAN,
            ..Attention::default()
        };
        assert_eq!(
            text(&attention),
            concat!(
                r#"{"state":"calibrating","level":"none","alarms":[],"away_ns":0,"shared_ns":0,"#,
                r#""closed_ns":0,"forward_confidence":0.0,"rules":""}"#
            )
        );
    }
}
