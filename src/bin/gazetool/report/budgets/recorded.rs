//! A line of JSON ([`report`](gstgaze::core::json::frame_line)) read back: the part of it that is judged.
//!
//! Readers of the schema take what they know and ignore the rest; so does this one. What is wrong in
//! a line makes the whole line unreadable: half of a frame would count as a frame.

use std::borrow::Cow;

use serde::Deserialize;

use gstgaze::core::geometry::{Gaze, Rect};
use gstgaze::core::json::SCHEMA;
use gstgaze::core::monitor::zones::zone::ZoneClass;
use gstgaze::core::monitor::{Alarm, AlarmSet, DriverState};

/// Why a line is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no JSON, or no whole object: cut off, or not text.
    Garbage,
    /// It is JSON of another kind, or of another schema.
    Foreign,
}

/// One frame of a recording.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Recorded<'a> {
    schema: u32,
    /// Number of the frame.
    pub frame: u64,
    /// Presentation time stamp, nanoseconds.
    pub pts: Option<u64>,
    /// Running time, nanoseconds.
    pub running_time: Option<u64>,
    /// Source of a batch.
    #[serde(default)]
    pub source_id: u32,
    /// Name of the model.
    #[serde(default, borrow)]
    pub model: Cow<'a, str>,
    /// From the pixels to the last angle; 0: not inferred.
    #[serde(default)]
    pub inference_time_ns: u64,
    /// From capture to the line, of live streams.
    pub latency_ns: Option<u64>,
    /// One for each face.
    pub faces: Vec<RecordedFace>,
    /// The driver's attention, where somebody judged it.
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
    /// Frames since it was inferred.
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

/// What `gazemonitor` said.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct RecordedAttention<'a> {
    state: Cow<'a, str>,
    #[serde(default)]
    alarms: Vec<Cow<'a, str>>,
    /// Where the gaze settled.
    #[serde(borrow)]
    pub zone: Option<Cow<'a, str>>,
    zone_class: Option<Cow<'a, str>>,
    pitch: Option<f32>,
    yaw: Option<f32>,
    /// Name of the rules.
    #[serde(default, borrow)]
    pub rules: Cow<'a, str>,
    /// From the gaze's leaving the road to this frame, at which the zone changed.
    pub left_road_ns: Option<u64>,
    /// The alarm that was raised at this frame.
    pub raised: Option<RecordedAlarm>,
    /// Position of the driver's face.
    pub face: Option<usize>,
}

/// What a raised alarm took.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct RecordedAlarm {
    /// From the rule's threshold to the frame, nanoseconds.
    pub delay_ns: u64,
    /// From the gaze's leaving the road to the zone's change, nanoseconds.
    pub zone_delay_ns: u64,
}

impl<'a> Recorded<'a> {
    /// Reads a line, with or without the newline.
    ///
    /// # Errors
    /// [`Unreadable`] for what is no line of this schema.
    pub fn parse(line: &'a [u8]) -> Result<Self, Unreadable> {
        match serde_json::from_slice::<Self>(line) {
            Ok(recorded) if recorded.schema == SCHEMA => Ok(recorded),
            Ok(_) => Err(Unreadable::Foreign),
            Err(why) if why.is_data() => Err(Unreadable::Foreign),
            Err(_) => Err(Unreadable::Garbage),
        }
    }

    /// When the frame is shown, nanoseconds: the running time, which goes on over segments, or else
    /// the stamp.
    pub fn time(&self) -> Option<u64> {
        self.running_time.or(self.pts)
    }

    /// The gaze of the driver in camera coordinates: that of the face that was judged, or else the
    /// only one.
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
    /// Where it looks, in camera coordinates.
    pub fn gaze(&self) -> Option<Gaze> {
        self.pitch.zip(self.yaw).map(|(pitch, yaw)| Gaze::new(pitch, yaw))
    }

    /// Where it is, pixels.
    pub fn rect(&self) -> Option<Rect> {
        self.rect.map(|RecordedBox { x, y, w, h }| Rect::new(x, y, w, h))
    }
}

impl RecordedAttention<'_> {
    /// In one word; `None` for one that is not known here.
    pub fn state(&self) -> Option<DriverState> {
        DriverState::from_name(&self.state)
    }

    /// The alarms that are on, as far as they are known here.
    pub fn alarms(&self) -> AlarmSet {
        self.alarms.iter().filter_map(|name| Alarm::from_name(name)).collect()
    }

    /// What looking at the zone means.
    pub fn class(&self) -> Option<ZoneClass> {
        self.zone_class.as_deref().and_then(ZoneClass::from_name)
    }

    /// The gaze from the road ahead, yaw positive to the driver's right.
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
    use gstgaze::core::json::{FrameStamp, write_line_with};
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
            pts: Some(90),
            running_time: Some(40),
            latency: Some(25_000_000),
        };
        let mut line = Vec::new();
        write_line_with(&mut line, stamp, &frame, Some(&attention)).unwrap();
        line
    }

    #[test]
    fn what_was_written_is_read() {
        let line = line();
        let recorded = Recorded::parse(&line).unwrap();
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
    fn other_things_are_told_apart() {
        let line = line();
        for end in 0..line.len() - 2 {
            assert_eq!(Recorded::parse(&line[..end]), Err(Unreadable::Garbage), "{end}");
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
            assert_eq!(Recorded::parse(foreign.as_bytes()), Err(Unreadable::Foreign), "{foreign}");
        }
        let least = Recorded::parse(br#"{"schema":1,"frame":0,"pts":null,"faces":[],"new":[{}]}"#);
        assert_eq!(least.unwrap().time(), None);
    }

    proptest! {
        /// Whatever is changed in a line, it is read or refused.
        #[test]
        fn nothing_panics(at in 0usize..800, byte: u8, cut in 0usize..800) {
            let mut line = line();
            let length = line.len();
            line[at % length] = byte;
            let _ = Recorded::parse(&line);
            let _ = Recorded::parse(&line[..cut % length]);
        }
    }
}
