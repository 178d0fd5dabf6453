//! All lines of a recording, one after the other, to what is to be said of it. Memory does not grow
//! with the recording.

use std::time::Duration;

use super::binned::{Bin, Binned, Spread};
use super::heat::HeatMap;
use super::recorded::{Recorded, RecordedAttention, Unreadable};
use super::timeline::{Step, Timeline};
use gstgaze::core::geometry::Gaze;
use gstgaze::core::latency::LatencyHistogram;
use gstgaze::core::monitor::alarms::alarm::ALARMS;
use gstgaze::core::monitor::zones::zone::ZoneClass;
use gstgaze::core::monitor::{Alarm, AlarmSet, DriverState};

/// More alarms than this are counted and not kept one by one.
pub(super) const MAX_SPANS: usize = 2000;

/// More names than this (models, rules, zones) are somebody's noise.
pub(super) const MAX_NAMES: usize = 257;

/// What zones are for: the classes, and none.
pub const CLASSES: usize = 7;

/// Gaze of a part of the time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GazeBin {
    /// Radians.
    pub pitch: Spread,
    /// Radians.
    pub yaw: Spread,
    /// Frames by the class of the zone where the gaze settled ([`class_index`]).
    pub classes: [u32; CLASSES],
    /// Frames.
    pub frames: u32,
}

impl Bin for GazeBin {
    fn merge(&mut self, next: &Self) {
        self.pitch.merge(&next.pitch);
        self.yaw.merge(&next.yaw);
        self.frames += next.frames;
        for (count, more) in self.classes.iter_mut().zip(next.classes) {
            *count += more;
        }
    }
}

impl GazeBin {
    fn add(&mut self, gaze: Option<Gaze>, class: usize) {
        if let Some(gaze) = gaze {
            self.pitch.add(gaze.pitch);
            self.yaw.add(gaze.yaw);
        }
        self.classes[class] += 1;
        self.frames += 1;
    }

    /// The class that had most frames, where there is one.
    pub fn class(&self) -> Option<usize> {
        (0..CLASSES).filter(|i| self.classes[*i] > 0).max_by_key(|i| self.classes[*i])
    }
}

/// The position of a class in [`GazeBin::classes`]; the last is that of no zone.
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

/// Gaze over time and by its direction.
#[derive(Clone, Debug, Default)]
pub struct GazeRecord {
    /// Over time.
    pub track: Binned<GazeBin>,
    /// By direction.
    pub heat: HeatMap,
}

/// For how long an alarm was on, nanoseconds of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmSpan {
    /// Which.
    pub alarm: Alarm,
    /// Since when.
    pub from: u64,
    /// Until when.
    pub to: u64,
}

/// How long it took to see that something changed.
#[derive(Clone, Debug)]
pub struct Delays {
    /// From the gaze's leaving the road to the zone's change.
    pub left_road: LatencyHistogram,
    /// From a rule's threshold to the alarm.
    pub alarm: LatencyHistogram,
    /// Both of one alarm.
    pub total: LatencyHistogram,
}

impl Default for Delays {
    fn default() -> Self {
        let [left_road, alarm, total] = [(); 3].map(|()| LatencyHistogram::fine());
        Self { left_road, alarm, total }
    }
}

/// How many lines there were, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// Taken.
    pub taken: u64,
    /// No JSON, or cut off.
    pub garbage: u64,
    /// JSON of another kind or schema.
    pub foreign: u64,
    /// Of other sources than the one that is judged.
    pub other_sources: u64,
}

/// A name and the frames that had it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// As the lines write it.
    pub name: String,
    /// What looking there means, for zones.
    pub class: Option<ZoneClass>,
    /// Frames.
    pub frames: u64,
}

/// Counts lines.
#[derive(Clone, Debug)]
pub struct Tally {
    source: Option<u32>,
    lines: LineCounts,
    /// Time, and what is missing in it.
    pub timeline: Timeline,
    /// From capture to the line.
    pub capture: LatencyHistogram,
    /// From the pixels to the last angle.
    pub inference: LatencyHistogram,
    /// Relative to the road ahead.
    pub road: GazeRecord,
    /// In camera coordinates.
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
    /// Of each alarm that is on, its position in `spans`, where it is kept.
    on: [Option<Option<usize>>; ALARMS],
    raised: [u64; ALARMS],
}

impl Tally {
    /// Before the first line. `source` is the one that is judged (otherwise that of the first
    /// line), `interval` the distance of frames in nanoseconds, where it is known.
    pub fn new(source: Option<u32>, interval: Option<u64>) -> Self {
        Self {
            source,
            lines: LineCounts::default(),
            timeline: Timeline::new(interval),
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
            on: Default::default(),
            raised: [0; ALARMS],
        }
    }

    /// Takes a line; blank ones are none.
    pub fn line(&mut self, line: &[u8]) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        match Recorded::parse(line) {
            Ok(recorded) => self.frame(&recorded),
            Err(Unreadable::Garbage) => self.lines.garbage += 1,
            Err(Unreadable::Foreign) => self.lines.foreign += 1,
        }
    }

    /// Counts a line that was too long to be one.
    pub fn oversized(&mut self) {
        self.lines.garbage += 1;
    }

    /// Takes a frame.
    pub fn frame(&mut self, recorded: &Recorded<'_>) {
        if *self.source.get_or_insert(recorded.source_id) != recorded.source_id {
            self.lines.other_sources += 1;
            return;
        }
        self.lines.taken += 1;
        let Step::Frame(now) = self.timeline.step(recorded.frame, recorded.time()) else { return };
        self.faces += recorded.faces.len() as u64;
        if let Some(latency) = recorded.latency_ns {
            self.capture.record(Duration::from_nanos(latency));
        }
        if recorded.inference_time_ns > 0 {
            self.inference.record(Duration::from_nanos(recorded.inference_time_ns));
        }
        count(&mut self.models, &recorded.model, None);
        let camera = recorded.driver();
        self.camera.track.at(now).add(camera, class_index(None));
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
        self.road.track.at(now).add(gaze, class_index(class));
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
        for (alarm, on) in Alarm::ALL.into_iter().zip(&mut self.on) {
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

    /// What became of the lines.
    pub fn lines(&self) -> LineCounts {
        self.lines
    }

    /// The source that was judged.
    pub fn source(&self) -> u32 {
        self.source.unwrap_or_default()
    }

    /// Names of the models, in the order in which they came.
    pub fn models(&self) -> &[Named] {
        &self.models
    }

    /// Names of the rules.
    pub fn rules(&self) -> &[Named] {
        &self.rules
    }

    /// Where the gaze settled.
    pub fn zones(&self) -> &[Named] {
        &self.zones
    }

    /// Frames whose driver was judged.
    pub fn judged(&self) -> u64 {
        self.judged
    }

    /// Faces of all frames.
    pub fn faces(&self) -> u64 {
        self.faces
    }

    /// Frames by the driver's state, those that occurred.
    pub fn states(&self) -> impl Iterator<Item = (DriverState, u64)> {
        DriverState::ALL.into_iter().zip(self.states).filter(|(_, frames)| *frames > 0)
    }

    /// How often each alarm was raised, those that were.
    pub fn raised(&self) -> impl Iterator<Item = (Alarm, u64)> {
        Alarm::ALL.into_iter().zip(self.raised).filter(|(_, times)| *times > 0)
    }

    /// When alarms were on: the first two thousand times.
    pub fn spans(&self) -> &[AlarmSpan] {
        &self.spans
    }

    /// Gaze as it is shown: relative to the road where somebody judged it, or else as the camera
    /// sees it.
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
