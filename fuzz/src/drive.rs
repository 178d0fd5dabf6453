//! Drives that the fuzzer makes up, and what must hold of the monitor on all of them.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use gstgaze::core::gaze::{FrameGaze, GazeEstimate};
use gstgaze::core::geometry::{Gaze, HeadPose, Rect, Size};
use gstgaze::core::monitor::{
    Alarm, Conditions, DriverCriterion, DriverState, MonitorEvent, ForwardSource, Level, Monitor, MonitorConfig,
    RuleProfile, ZoneMap,
};
use gstgaze::core::face::FaceRegion;
use gstgaze::core::json::{FrameStamp, write_line};
use libfuzzer_sys::arbitrary::{self, Arbitrary, Result, Unstructured};

/// What a monitor judges by besides its rules.
#[derive(Arbitrary, Debug)]
pub struct Setup {
    right_hand: bool,
    forward: Option<(f32, f32)>,
    prior: bool,
    driver: Driver,
}

/// Whose face is the driver's.
#[derive(Arbitrary, Debug, Clone, Copy)]
pub enum Driver {
    Size,
    Region([f32; 4]),
    Track(u8),
}

impl Driver {
    fn by(self) -> DriverCriterion {
        match self {
            Self::Size => DriverCriterion::Size,
            Self::Region(region) => DriverCriterion::Region(region),
            Self::Track(id) => DriverCriterion::Track(id.into()),
        }
    }
}

impl Setup {
    /// With these rules.
    pub fn config(&self, rules: RuleProfile) -> MonitorConfig {
        static ZONES: OnceLock<[ZoneMap; 2]> = OnceLock::new();
        let zones = ZONES.get_or_init(|| {
            let [left, right] = ZoneMap::builtin_names();
            [left, right].map(|name| ZoneMap::builtin(name).expect("it ships").expect("it is right"))
        });
        let forward = self.forward.map(|(pitch, yaw)| Gaze::new(pitch, yaw));
        MonitorConfig {
            rules,
            zones: zones[usize::from(self.right_hand)].clone(),
            forward: match forward {
                Some(gaze) if self.prior => ForwardSource::Prior(gaze),
                Some(gaze) => ForwardSource::Given(gaze),
                None => ForwardSource::Auto,
            },
            driver: self.driver.by(),
        }
    }
}

/// How far a step leads from the stamp before it.
#[derive(Debug)]
pub enum Stamp {
    /// By nanoseconds.
    After(u64),
    /// To any place.
    At(u64),
}

impl Stamp {
    /// The stamp after this one.
    fn from(&self, last: u64) -> u64 {
        match self {
            Self::After(ns) => last.saturating_add(*ns),
            Self::At(ns) => *ns,
        }
    }
}

impl<'a> Arbitrary<'a> for Stamp {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        const MS: u64 = 1_000_000;
        Ok(match u.int_in_range(0..=9)? {
            0 => Self::At(u64::arbitrary(u)?),
            1 => Self::After(u64::from(u32::arbitrary(u)?) * 64),
            2 => Self::After(u64::from(u8::arbitrary(u)?)),
            _ => Self::After(u64::from(u8::arbitrary(u)?) * MS),
        })
    }
}

/// An angle: mostly one of a driver's.
#[derive(Debug, Clone, Copy)]
struct Angle(f32);

impl<'a> Arbitrary<'a> for Angle {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self(match u.int_in_range(0..=7)? {
            0 => f32::arbitrary(u)?,
            _ => f32::from(i8::arbitrary(u)?).to_radians(),
        }))
    }
}

/// A face, with as much or as little as anybody may say of one.
#[derive(Arbitrary, Debug)]
pub struct Face {
    rect: Option<[f32; 4]>,
    track: Option<u8>,
    gaze: Option<(Angle, Angle)>,
    age: u8,
    head: Option<[Angle; 3]>,
    origin: Option<[f32; 3]>,
    openness: Option<(u8, f32, bool)>,
}

impl Face {
    fn estimate(&self) -> GazeEstimate {
        let [x, y, width, height] = self.rect.unwrap_or([100.0, 100.0, 80.0, 80.0]);
        let openness = self.openness.map(|(tenths, any, known)| {
            if known { [f32::from(tenths % 11) / 10.0; 2] } else { [any; 2] }
        });
        GazeEstimate {
            region: FaceRegion {
                rect: Rect::new(x, y, width, height),
                track_id: self.track.map(u64::from),
                head_pose: self.head.map(|[Angle(pitch), Angle(yaw), Angle(roll)]| HeadPose {
                    pitch,
                    yaw,
                    roll,
                }),
                eye_openness: openness,
                ..FaceRegion::default()
            },
            gaze: self.gaze.map(|(Angle(pitch), Angle(yaw))| Gaze::new(pitch, yaw)),
            age: self.age.into(),
            origin: self.origin,
            ..GazeEstimate::default()
        }
    }
}

/// One thing that happens.
#[derive(Arbitrary, Debug)]
pub enum Step {
    /// Frames that show the same, so many.
    Frames {
        stamp: Stamp,
        count: u8,
        faces: Option<Vec<Face>>,
        speed: Option<f32>,
        nominal: bool,
    },
    /// Frames that repeat the picture before, so many.
    Repeated { stamp: Stamp, count: u8, speed: Option<f32> },
    /// A seek.
    Reset,
    /// The property.
    Driver(Driver),
}

/// Lets a monitor see all of it. What is on is what was told; numbers are numbers; lines are JSON.
pub fn judge(config: MonitorConfig, steps: &[Step]) {
    let mut monitor = Monitor::new(config);
    let mut drive = Watched::default();
    let mut at = 0_u64;
    let mut line = Vec::new();
    for step in steps {
        match step {
            Step::Reset => {
                monitor.reset(&mut drive.events);
                drive.tell(&monitor);
                assert!(drive.on.is_empty(), "{:?} are on after a seek", drive.on);
            }
            Step::Driver(driver) => monitor.set_driver(driver.by()),
            Step::Repeated { stamp, count, speed } => {
                let conditions = Conditions { speed: *speed, nominal: true };
                for _ in 0..=*count {
                    at = stamp.from(at);
                    monitor.repeat(Duration::from_nanos(at), conditions, &mut drive.events);
                    drive.tell(&monitor);
                }
            }
            Step::Frames { stamp, count, faces, speed, nominal } => {
                let frame = faces.as_ref().map(|faces| FrameGaze {
                    size: Size::new(640, 480),
                    faces: faces.iter().map(Face::estimate).collect(),
                    ..FrameGaze::default()
                });
                let conditions = Conditions { speed: *speed, nominal: *nominal };
                for _ in 0..=*count {
                    at = stamp.from(at);
                    let at = Duration::from_nanos(at);
                    monitor.observe(at, frame.as_ref(), conditions, &mut drive.events);
                    drive.tell(&monitor);
                }
                let empty = FrameGaze::default();
                let frame = frame.as_ref().unwrap_or(&empty);
                let stamp = FrameStamp { pts: Some(at), ..FrameStamp::default() };
                let attention = monitor.attention();
                write_line(&mut line, stamp, frame, Some(&attention)).expect("a line");
                let read: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
                assert_eq!(read["attention"]["state"], attention.state.name());
            }
        }
    }
}

/// What was told so far.
#[derive(Default)]
struct Watched {
    events: Vec<MonitorEvent>,
    on: BTreeSet<Alarm>,
}

impl Watched {
    fn tell(&mut self, monitor: &Monitor) {
        for event in self.events.drain(..) {
            match event {
                MonitorEvent::Raised(record) => {
                    assert!(record.level > Level::None, "{record:?}");
                    assert!(record.start <= record.threshold, "{record:?}");
                    assert!(record.threshold <= record.at, "{record:?}");
                    assert!((0.0..=1.0).contains(&record.confidence), "{record:?}");
                    self.on.insert(record.alarm);
                }
                MonitorEvent::Cleared { alarm, .. } => {
                    assert!(self.on.remove(&alarm), "{alarm:?} ends and was not on");
                }
                _ => {}
            }
        }
        let attention = monitor.attention();
        let told: Vec<_> = attention.alarms.iter().collect();
        assert_eq!(told, self.on.iter().copied().collect::<Vec<_>>());
        assert_eq!(attention.level == Level::None, self.on.is_empty());
        if let Some(state) = DriverState::of_alarms(attention.alarms) {
            assert_eq!(attention.state, state);
        }
        assert!((0.0..=1.0).contains(&attention.confidence), "{attention:?}");
        assert!(attention.perclos.is_none_or(|part| (0.0..=1.0).contains(&part)), "{attention:?}");
        assert!(attention.gaze.is_none_or(Gaze::is_finite), "{attention:?}");
        assert!(attention.forward.is_none_or(Gaze::is_finite), "{attention:?}");
    }
}
