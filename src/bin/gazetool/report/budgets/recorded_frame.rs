//! Parses a JSON line of `gazepublish` ([`frame_line`](gstgaze::core::json::frame_line)): the keys that the
//! report judges.
//!
//! The parser ignores unknown keys. An error in a line makes the whole line unreadable: half of a frame
//! would count as a frame.

use std::borrow::Cow;

use serde::Deserialize;

use gstgaze::core::geometry::{Gaze, Rect};
use gstgaze::core::json::SCHEMA;
use gstgaze::core::monitor::zones::zone::ZoneClass;
use gstgaze::core::monitor::{Alarm, AlarmSet, DriverState};

/// Why a line does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Not JSON, or cut off.
    Garbage,
    /// JSON of another kind or schema.
    Foreign,
}

/// One frame of a recording.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct RecordedFrame<'a> {
    schema: u32,
    /// Number of the frame, those counted that were lost.
    pub frame: u64,
    /// Frames that were lost so far.
    #[serde(default)]
    pub lost: u64,
    /// Presentation timestamp in nanoseconds.
    pub pts: Option<u64>,
    /// Running time in nanoseconds.
    pub running_time: Option<u64>,
    /// Number of the source in a batch.
    #[serde(default)]
    pub source_id: u32,
    /// Name of the model.
    #[serde(default, borrow)]
    pub model: Cow<'a, str>,
    /// Time from the pixels to the last angle; 0 without an inference.
    #[serde(default)]
    pub inference_time_ns: u64,
    /// Latency from capture to the line, of live streams.
    pub latency_ns: Option<u64>,
    /// The faces.
    pub faces: Vec<RecordedFace>,
    /// The driver's attention, from `gazemonitor`.
    #[serde(default, borrow)]
    pub attention: Option<RecordedAttention<'a>>,
}

/// One face.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
pub struct RecordedFace {
    #[serde(rename = "box")]
    rect: Option<RecordedBox>,
    pitch: Option<f32>,
    yaw: Option<f32>,
    /// Frames since the inference.
    #[serde(default)]
    pub age: u32,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
struct RecordedBox {
    x: f32,
    y: f32,
    w: f32,
    h: f32,
}

/// The judgement of `gazemonitor`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct RecordedAttention<'a> {
    state: Cow<'a, str>,
    #[serde(default)]
    alarms: Vec<Cow<'a, str>>,
    /// The zone that the gaze settled in.
    #[serde(borrow)]
    pub zone: Option<Cow<'a, str>>,
    zone_class: Option<Cow<'a, str>>,
    pitch: Option<f32>,
    yaw: Option<f32>,
    /// Name of the rules.
    #[serde(default, borrow)]
    pub rules: Cow<'a, str>,
    /// Time from the gaze off the road to this frame, at which the zone changed.
    pub left_road_ns: Option<u64>,
    /// The alarm that starts at this frame.
    pub raised: Option<RecordedAlarm>,
    /// Index of the driver's face.
    pub face: Option<usize>,
}

/// The delays of an alarm.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct RecordedAlarm {
    /// Nanoseconds from the rule's threshold to the frame.
    pub delay_ns: u64,
    /// Nanoseconds from the gaze off the road to the zone change.
    pub zone_delay_ns: u64,
}

impl<'a> RecordedFrame<'a> {
    /// Parses a line, with or without the newline.
    ///
    /// # Errors
    /// [`Unreadable`] for a line of another kind.
    pub fn parse(line: &'a [u8]) -> Result<Self, Unreadable> {
        match serde_json::from_slice::<Self>(line) {
            Ok(recorded) if recorded.schema == SCHEMA => Ok(recorded),
            Ok(_) => Err(Unreadable::Foreign),
            Err(why) if why.is_data() => Err(Unreadable::Foreign),
            Err(_) => Err(Unreadable::Garbage),
        }
    }

    /// The time of the frame in nanoseconds: the running time, which continues over segments, or else
    /// the timestamp.
    pub fn time(&self) -> Option<u64> {
        self.running_time.or(self.pts)
    }

    /// The driver's gaze in camera coordinates: that of the judged face, or else of the only face.
    pub fn driver(&self) -> Option<Gaze> {
        let chosen = self.attention.as_ref().and_then(|attention| attention.face);
        match (chosen, &self.faces[..]) {
            (Some(face), faces) => faces.get(face)?.gaze(),
            (None, [face]) => face.gaze(),
            (None, _) => None,
        }
    }
}

impl RecordedFace {
    /// The gaze in camera coordinates.
    pub fn gaze(&self) -> Option<Gaze> {
        self.pitch.zip(self.yaw).map(|(pitch, yaw)| Gaze::new(pitch, yaw))
    }

    /// The box in pixels.
    pub fn rect(&self) -> Option<Rect> {
        self.rect.map(|RecordedBox { x, y, w, h }| Rect::new(x, y, w, h))
    }
}

impl RecordedAttention<'_> {
    /// The state; `None` for an unknown name.
    pub fn state(&self) -> Option<DriverState> {
        DriverState::from_name(&self.state)
    }

    /// The active alarms with known names.
    pub fn alarms(&self) -> AlarmSet {
        self.alarms.iter().filter_map(|name| Alarm::from_name(name)).collect()
    }

    /// The class of the zone.
    pub fn class(&self) -> Option<ZoneClass> {
        self.zone_class.as_deref().and_then(ZoneClass::from_name)
    }

    /// The gaze relative to the road ahead, yaw positive to the driver's right.
    pub fn gaze(&self) -> Option<Gaze> {
        self.pitch.zip(self.yaw).map(|(pitch, yaw)| Gaze::new(pitch, yaw))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use gstgaze::core::face::FaceRegion;
    use gstgaze::core::gaze::{FrameGaze, GazeEstimate};
    use gstgaze::core::geometry::Size;
    use gstgaze::core::json::{FrameStamp, write_line};
    use gstgaze::core::monitor::{Attention, Level, RaisedAlarm};

    fn line() -> Vec<u8> {
        let face = GazeEstimate {
            region: FaceRegion { rect: Rect::new(1.0, 2.0, 30.0, 40.0), ..Default::default() },
            gaze: Some(Gaze::new(0.25, -0.5)),
            ..Default::default()
        };
        let frame = FrameGaze {
            size: Size::new(640, 480),
            faces: vec![GazeEstimate::default(), face],
            model: "a \"model\"".into(),
            source_id: 3,
            inference_time: 1_500_000,
        };
        let attention = Attention {
            state: DriverState::Distracted,
            alarms: [Alarm::PhoneUse].into_iter().collect(),
            zone: "phone-lap".into(),
            class: Some(ZoneClass::PhoneBasic),
            gaze: Some(Gaze::new(-0.5, 0.125)),
            face: Some(1),
            rules: "euroncap-2026".into(),
            left_road: Some(Duration::from_millis(400)),
            raised: Some(RaisedAlarm {
                alarm: Alarm::PhoneUse,
                level: Level::Warning,
                delay: Duration::from_millis(16),
                zone_delay: Duration::from_millis(433),
            }),
            ..Attention::default()
        };
        let stamp = FrameStamp {
            frame: 7,
            lost: 0,
            pts: Some(90),
            running_time: Some(40),
            latency: Some(25_000_000),
        };
        let mut line = Vec::new();
        write_line(&mut line, stamp, &frame, Some(&attention)).unwrap();
        line
    }

    #[test]
    fn a_written_line_is_read_back() {
        let line = line();
        let recorded = RecordedFrame::parse(&line).unwrap();
        assert_eq!((recorded.frame, recorded.time(), recorded.source_id), (7, Some(40), 3));
        assert_eq!((&*recorded.model, recorded.inference_time_ns), ("a \"model\"", 1_500_000));
        assert_eq!(recorded.latency_ns, Some(25_000_000));
        assert_eq!(recorded.driver(), Some(Gaze::new(0.25, -0.5)));
        assert_eq!(recorded.faces[0].gaze(), None);
        assert_eq!(recorded.faces[1].rect(), Some(Rect::new(1.0, 2.0, 30.0, 40.0)));
        let attention = recorded.attention.unwrap();
        assert_eq!(attention.state(), Some(DriverState::Distracted));
        assert!(attention.alarms().iter().eq([Alarm::PhoneUse]));
        assert_eq!(attention.zone.as_deref(), Some("phone-lap"));
        assert_eq!(attention.class(), Some(ZoneClass::PhoneBasic));
        assert_eq!(attention.gaze(), Some(Gaze::new(-0.5, 0.125)));
        assert_eq!(attention.left_road_ns, Some(400_000_000));
        let raised = RecordedAlarm { delay_ns: 16_000_000, zone_delay_ns: 433_000_000 };
        assert_eq!(attention.raised, Some(raised));
    }

    #[test]
    fn garbage_differs_from_foreign_json() {
        let line = line();
        for end in 0..line.len() - 2 {
            assert_eq!(RecordedFrame::parse(&line[..end]), Err(Unreadable::Garbage), "{end}");
        }
        for foreign in [
            "3",
            "null",
            "{}",
            "[]",
            r#"{"schema":1,"frame":-1,"pts":0,"faces":[]}"#,
            r#"{"schema":1,"frame":0,"pts":0}"#,
            r#"{"schema":1,"frame":0,"pts":0,"faces":[{"pitch":"up"}]}"#,
            r#"{"schema":2,"frame":0,"pts":0,"faces":[]}"#,
        ] {
            assert_eq!(
                RecordedFrame::parse(foreign.as_bytes()),
                Err(Unreadable::Foreign),
                "{foreign}"
            );
        }
        let least =
            RecordedFrame::parse(br#"{"schema":1,"frame":0,"pts":null,"faces":[],"new":[{}]}"#);
        assert_eq!(least.unwrap().time(), None);
    }

    proptest! {
        /// Any change in a line leaves it readable or an error.
        #[test]
        fn nothing_panics(at in 0usize..800, byte: u8, cut in 0usize..800) {
            let mut line = line();
            let length = line.len();
            line[at % length] = byte;
            let _ = RecordedFrame::parse(&line);
            let _ = RecordedFrame::parse(&line[..cut % length]);
        }
    }
}
