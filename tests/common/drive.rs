//! Scripted drives for the monitor: where the driver looks and for how long, as frames.

use std::time::Duration;

use gstgaze::core::face::FaceRegion;
use gstgaze::core::gaze::{FrameGaze, GazeEstimate};
use gstgaze::core::geometry::{Gaze, HeadPose, Rect, Size};
use gstgaze::core::monitor::{
    Alarm, AlarmRecord, Conditions, DriverCriterion, ForwardSource, Monitor, MonitorConfig,
    MonitorEvent, RuleProfile, ZoneMap,
};

/// What the driver does for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Do {
    /// Looks there: yaw to the right and pitch up, degrees from the road ahead.
    Look(f32, f32),
    /// Looks there with lids so low that they pass for closed.
    Lower(f32, f32),
    /// Has the eyes closed; the model says that the gaze falls.
    Close,
    /// Is out of sight.
    Hide,
}

pub const ROAD: Do = Do::Look(0.0, 0.0);

/// A drive through a monitor at a fixed frame rate.
pub struct Drive {
    pub monitor: Monitor,
    pub conditions: Conditions,
    pub events: Vec<MonitorEvent>,
    /// How far the head turns with the gaze, 0..=1; `None`: the pose is unknown.
    pub head: Option<f32>,
    /// Whether the model gives the openness of the eyes.
    pub eyes: bool,
    /// Degrees to add to yaw and pitch.
    pub noise: [f32; 2],
    /// What to add to the openness of the eyes, 0..=1.
    pub lid_noise: f32,
    fps: u64,
    frame: u64,
}

/// A built-in profile, the built-in left-hand drive, and a given forward direction.
pub fn config(rules: &str) -> MonitorConfig {
    MonitorConfig {
        rules: RuleProfile::builtin(rules).unwrap().unwrap(),
        zones: ZoneMap::builtin("left-hand-drive").unwrap().unwrap(),
        forward: ForwardSource::Given(Gaze::default()),
        driver: DriverCriterion::Size,
    }
}

impl Drive {
    pub fn new(rules: &str, fps: u64) -> Self {
        Self::with(config(rules), fps)
    }

    pub fn with(config: MonitorConfig, fps: u64) -> Self {
        Self {
            monitor: Monitor::new(config),
            conditions: Conditions { speed: Some(80.0), nominal: true },
            events: Vec::new(),
            head: None,
            eyes: false,
            noise: [0.0; 2],
            lid_noise: 0.0,
            fps,
            frame: 0,
        }
    }

    /// Stamp of the next frame, as a muxer rounds it.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.frame * 1_000_000_000 / self.fps)
    }

    /// Goes on for `count` frames.
    pub fn frames(&mut self, act: Do, count: u64) -> &mut Self {
        for _ in 0..count {
            let at = self.now();
            self.frame += 1;
            let frame = self.show(act);
            self.monitor.observe(at, Some(&frame), self.conditions, &mut self.events);
        }
        self
    }

    /// Goes on for `seconds` with this frame; `None`: no element analysed the frames.
    pub fn push(&mut self, frame: Option<&FrameGaze>, seconds: f64) -> &mut Self {
        for _ in 0..(seconds * self.fps as f64).round() as u64 {
            let at = self.now();
            self.frame += 1;
            self.monitor.observe(at, frame, self.conditions, &mut self.events);
        }
        self
    }

    /// Goes on for `seconds` without a frame.
    pub fn skip(&mut self, seconds: f64) -> &mut Self {
        self.frame += (seconds * self.fps as f64).round() as u64;
        self
    }

    /// Starts stamps at zero again.
    pub fn rewind(&mut self) -> &mut Self {
        self.frame = 0;
        self
    }

    /// Goes on for `seconds`, to the nearest frame.
    pub fn seconds(&mut self, act: Do, seconds: f64) -> &mut Self {
        let end = self.frame as f64 + seconds * self.fps as f64;
        self.frames(act, end.round() as u64 - self.frame)
    }

    /// The result of gazeinfer for such a frame.
    pub fn show(&self, act: Do) -> FrameGaze {
        let gaze = match act {
            Do::Look(yaw, pitch) | Do::Lower(yaw, pitch) => {
                Gaze::from_degrees(pitch + self.noise[1], yaw + self.noise[0])
            }
            Do::Close => Gaze::from_degrees(-25.0, 0.0),
            Do::Hide => return FrameGaze { size: SIZE, ..FrameGaze::default() },
        };
        let head_pose = self.head.map(|part| HeadPose {
            pitch: part * gaze.pitch,
            yaw: part * gaze.yaw,
            roll: 0.0,
        });
        let region = FaceRegion {
            rect: Rect::new(200.0, 100.0, 200.0, 200.0),
            head_pose,
            eye_openness: self.eyes.then(|| {
                let openness: f32 = match act {
                    Do::Close => 0.05,
                    Do::Lower(..) => 0.15,
                    _ => 0.9,
                };
                [(openness + self.lid_noise).clamp(0.0, 1.0); 2]
            }),
            ..FaceRegion::default()
        };
        let face = GazeEstimate { region, gaze: Some(gaze), ..GazeEstimate::default() };
        FrameGaze { size: SIZE, faces: vec![face], ..FrameGaze::default() }
    }

    /// The records of the alarms so far.
    pub fn raised(&self) -> Vec<AlarmRecord> {
        let record = |event: &MonitorEvent| match event {
            MonitorEvent::Raised(record) => Some(*record),
            _ => None,
        };
        self.events.iter().filter_map(record).collect()
    }

    /// The alarms so far.
    pub fn alarms(&self) -> Vec<Alarm> {
        self.raised().iter().map(|record| record.alarm).collect()
    }
}

const SIZE: Size = Size::new(640, 480);

/// Numbers that look random and are the same every time (SplitMix64).
pub struct Noise(pub u64);

impl Noise {
    /// 0..1
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Mean 0, standard deviation 1 (Box-Muller).
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}
