//! Counts the lines of a recording, in memory of a fixed size.

use std::time::Duration;

use gstgaze::core::geometry::Gaze;
use gstgaze::core::latency::LatencyHistogram;
use gstgaze::core::monitor::alarms::alarm::ALARMS;
use gstgaze::core::monitor::zones::zone::ZoneClass;
use gstgaze::core::monitor::{Alarm, AlarmSet, DriverState};

use super::heat_map::HeatMap;
use super::recorded_frame::{RecordedAttention, RecordedFrame, Unreadable};
use super::recording_time::RecordingTime;
use super::time_buckets::{Bucket, MinMaxMean, TimeBuckets};

/// The most alarm spans; further alarms are only counted.
pub(super) const MAX_SPANS: usize = 2000;

/// The most names of models, rules or zones; more are noise.
pub(super) const MAX_NAMES: usize = 257;

/// The zone classes, and one for no zone.
pub const CLASSES: usize = 7;

/// The gaze during a bucket of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GazeBucket {
    /// Radians.
    pub pitch: MinMaxMean,
    /// Radians.
    pub yaw: MinMaxMean,
    /// Frames by the class of the zone that the gaze settled in ([`class_index`]).
    pub classes: [u32; CLASSES],
    /// Frames.
    pub frames: u32,
}

impl Bucket for GazeBucket {
    fn merge(&mut self, next: &Self) {
        self.pitch.merge(&next.pitch);
        self.yaw.merge(&next.yaw);
        self.frames += next.frames;
        for (count, more) in self.classes.iter_mut().zip(next.classes) {
            *count += more;
        }
    }
}

impl GazeBucket {
    fn add(&mut self, gaze: Option<Gaze>, class: usize) {
        if let Some(gaze) = gaze {
            self.pitch.add(gaze.pitch);
            self.yaw.add(gaze.yaw);
        }
        self.classes[class] += 1;
        self.frames += 1;
    }

    /// The class with the most frames.
    pub fn class(&self) -> Option<usize> {
        (0..CLASSES).filter(|i| self.classes[*i] > 0).max_by_key(|i| self.classes[*i])
    }
}

/// The index of a class in [`GazeBucket::classes`]; the last is no zone.
pub fn class_index(class: Option<ZoneClass>) -> usize {
    match class {
        Some(ZoneClass::Forward) => 0,
        Some(ZoneClass::Mirror) => 1,
        Some(ZoneClass::Cluster) => 2,
        Some(ZoneClass::NonDriving) => 3,
        Some(ZoneClass::PhoneBasic) => 4,
        Some(ZoneClass::PhoneAdvanced) => 5,
        None => 6,
    }
}

/// The gaze over time and by direction.
#[derive(Clone, Debug, Default)]
pub struct GazeRecord {
    /// Over time.
    pub over_time: TimeBuckets<GazeBucket>,
    /// By direction.
    pub heat: HeatMap,
}

/// The time of an active alarm, in nanoseconds of the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmSpan {
    /// The alarm.
    pub alarm: Alarm,
    /// Its start.
    pub from: u64,
    /// Its end.
    pub to: u64,
}

/// The monitor's delays.
#[derive(Clone, Debug)]
pub struct Delays {
    /// From the gaze off the road to the zone change.
    pub left_road: LatencyHistogram,
    /// From a rule's threshold to the alarm.
    pub alarm: LatencyHistogram,
    /// The sum of both, per alarm.
    pub total: LatencyHistogram,
}

impl Default for Delays {
    fn default() -> Self {
        let [left_road, alarm, total] = [(); 3].map(|()| LatencyHistogram::fine());
        Self { left_road, alarm, total }
    }
}

/// Counts of lines by their kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// Lines that count.
    pub taken: u64,
    /// Not JSON, or cut off.
    pub garbage: u64,
    /// JSON of another kind or schema.
    pub foreign: u64,
    /// From other sources than the judged one.
    pub other_sources: u64,
}

/// A name and its frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name in the lines.
    pub name: String,
    /// The class of a zone.
    pub class: Option<ZoneClass>,
    /// Frames.
    pub frames: u64,
}

/// The counts of a recording.
#[derive(Clone, Debug)]
pub struct Tally {
    source: Option<u32>,
    lines: LineCounts,
    /// Time, lost frames and restarts.
    pub time: RecordingTime,
    /// From capture to the line.
    pub capture: LatencyHistogram,
    /// From the pixels to the last angle.
    pub inference: LatencyHistogram,
    /// Gaze relative to the road ahead.
    pub road: GazeRecord,
    /// Gaze in camera coordinates.
    pub camera: GazeRecord,
    /// The monitor's delays.
    pub delays: Delays,
    models: Vec<Named>,
    rules: Vec<Named>,
    zones: Vec<Named>,
    states: [u64; DriverState::ALL.len()],
    judged: u64,
    faces: u64,
    spans: Vec<AlarmSpan>,
    /// Of each active alarm its index in `spans`, unless these are full.
    active: [Option<Option<usize>>; ALARMS],
    raised: [u64; ALARMS],
}

impl Tally {
    /// A recording before its first line. `source` is the judged one, or else that of the first line;
    /// `interval` is the distance of frames in nanoseconds.
    pub fn new(source: Option<u32>, interval: Option<u64>) -> Self {
        Self {
            source,
            lines: LineCounts::default(),
            time: RecordingTime::new(interval),
            capture: LatencyHistogram::fine(),
            inference: LatencyHistogram::fine(),
            road: GazeRecord::default(),
            camera: GazeRecord::default(),
            delays: Delays::default(),
            models: Vec::new(),
            rules: Vec::new(),
            zones: Vec::new(),
            states: Default::default(),
            judged: 0,
            faces: 0,
            spans: Vec::new(),
            active: Default::default(),
            raised: [0; ALARMS],
        }
    }

    /// Counts a line, unless it is blank.
    pub fn line(&mut self, line: &[u8]) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        match RecordedFrame::parse(line) {
            Ok(recorded) => self.frame(&recorded),
            Err(Unreadable::Garbage) => self.lines.garbage += 1,
            Err(Unreadable::Foreign) => self.lines.foreign += 1,
        }
    }

    /// Counts a line that is too long to parse.
    pub fn oversized(&mut self) {
        self.lines.garbage += 1;
    }

    /// Counts a frame.
    fn frame(&mut self, recorded: &RecordedFrame<'_>) {
        if *self.source.get_or_insert(recorded.source_id) != recorded.source_id {
            self.lines.other_sources += 1;
            return;
        }
        self.lines.taken += 1;
        let Some(now) = self.time.step(recorded.frame, recorded.lost, recorded.time()) else {
            return;
        };
        self.faces += recorded.faces.len() as u64;
        if let Some(latency) = recorded.latency_ns {
            self.capture.record(Duration::from_nanos(latency));
        }
        if recorded.inference_time_ns > 0 {
            self.inference.record(Duration::from_nanos(recorded.inference_time_ns));
        }
        count(&mut self.models, &recorded.model, None);
        let camera = recorded.driver();
        self.camera.over_time.at(now).add(camera, class_index(None));
        if let Some(gaze) = camera {
            self.camera.heat.add(gaze);
        }
        if let Some(attention) = &recorded.attention {
            self.attention(now, attention);
        }
    }

    fn attention(&mut self, now: u64, attention: &RecordedAttention<'_>) {
        self.judged += 1;
        if let Some(state) = attention.state() {
            let index = DriverState::ALL.iter().position(|known| *known == state);
            self.states[index.unwrap_or_default()] += 1;
        }
        count(&mut self.rules, &attention.rules, None);
        let class = attention.class();
        if let Some(zone) = &attention.zone {
            count(&mut self.zones, zone, class);
        }
        let gaze = attention.gaze();
        self.road.over_time.at(now).add(gaze, class_index(class));
        if let Some(gaze) = gaze {
            self.road.heat.add(gaze);
        }
        if let Some(delay) = attention.left_road_ns {
            self.delays.left_road.record(Duration::from_nanos(delay));
        }
        if let Some(raised) = attention.raised {
            let (delay, zone) = (raised.delay_ns, raised.zone_delay_ns);
            self.delays.alarm.record(Duration::from_nanos(delay));
            self.delays.total.record(Duration::from_nanos(delay.saturating_add(zone)));
        }
        self.alarms(now, attention.alarms());
    }

    fn alarms(&mut self, now: u64, alarms: AlarmSet) {
        for (alarm, on) in Alarm::ALL.into_iter().zip(&mut self.active) {
            match (alarms.contains(alarm), *on) {
                (true, None) => {
                    self.raised[alarm as usize] += 1;
                    let kept = (self.spans.len() < MAX_SPANS).then_some(self.spans.len());
                    *on = Some(kept);
                    if kept.is_some() {
                        self.spans.push(AlarmSpan { alarm, from: now, to: now });
                    }
                }
                (on_now, Some(kept)) => {
                    if let Some(span) = kept.and_then(|kept| self.spans.get_mut(kept)) {
                        span.to = now;
                    }
                    if !on_now {
                        *on = None;
                    }
                }
                (false, None) => {}
            }
        }
    }

    /// The counts of lines.
    pub fn lines(&self) -> LineCounts {
        self.lines
    }

    /// The judged source.
    pub fn source(&self) -> u32 {
        self.source.unwrap_or_default()
    }

    /// Names of the models, in order of appearance.
    pub fn models(&self) -> &[Named] {
        &self.models
    }

    /// Names of the rules.
    pub fn rules(&self) -> &[Named] {
        &self.rules
    }

    /// Zones that the gaze settled in.
    pub fn zones(&self) -> &[Named] {
        &self.zones
    }

    /// Frames with a judgement of the driver.
    pub fn judged(&self) -> u64 {
        self.judged
    }

    /// Faces of all frames.
    pub fn faces(&self) -> u64 {
        self.faces
    }

    /// Frames by the driver's state, without those that never occurred.
    pub fn states(&self) -> impl Iterator<Item = (DriverState, u64)> {
        DriverState::ALL.into_iter().zip(self.states).filter(|(_, frames)| *frames > 0)
    }

    /// How often each alarm started, without those that never did.
    pub fn raised(&self) -> impl Iterator<Item = (Alarm, u64)> {
        Alarm::ALL.into_iter().zip(self.raised).filter(|(_, times)| *times > 0)
    }

    /// The spans of active alarms, at most [`MAX_SPANS`].
    pub fn spans(&self) -> &[AlarmSpan] {
        &self.spans
    }

    /// The gaze to plot, and whether it is relative to the road ahead: that needs `gazemonitor`.
    /// Otherwise it is in camera coordinates.
    pub fn gaze(&self) -> (&GazeRecord, bool) {
        let of_road = self.road.heat.total() > 0;
        (if of_road { &self.road } else { &self.camera }, of_road)
    }
}

fn count(names: &mut Vec<Named>, name: &str, class: Option<ZoneClass>) {
    if let Some(known) = names.iter_mut().find(|known| known.name == name) {
        known.frames += 1;
    } else if names.len() < MAX_NAMES {
        names.push(Named { name: name.to_owned(), class, frames: 1 });
    }
}
