//! The monitor: frames in, events out, and the driver's attention at any time.
//!
//! Time is that of the frames' stamps and of nothing else. What a frame shows counts until the next
//! one, but no longer than the glance rule's tolerance: what lies between frames that are farther
//! apart, like frames without a usable gaze, is not known, and stops every clock.
//!
//! What a frame shows is in `intake`, what is forgotten and when in `lapse`, and what is said of it
//! all in `view`.

mod intake;
mod lapse;
mod view;

use std::time::Duration;

use super::alarms::active::ActiveAlarms;
use super::alarms::attention::{DriverState, Raised};
use super::alarms::{AlarmRecord, Event, Reason, Sense};
use super::rules::eye_watch::EyeWatch;
use super::rules::gaze_watch::{Conditions, GlanceWatch, SharingWatch, Verdict};
use super::rules::profile::{RuleProfile, Scope};
use super::signals::driver::{DriverBy, DriverChoice};
use super::signals::glance::{Debounce, Glance};
use super::signals::movement::Head;
use super::signals::presence::{Patience, Presence};
use super::signals::settle::{Settled, Settler};
use super::signals::sight::{Held, Sight};
use super::signals::timeline::{Step, Timeline};
use super::zones::calibration::{Calibration, ForwardSource};
use super::zones::zone::{Place, ZoneClass, ZoneMap};
use crate::core::gaze::FrameGaze;
use crate::core::geometry::{Gaze, HeadPose};

/// Slower than this a car does not drive, and its driver's gaze says nothing of forward; km/h.
/// Euro NCAP lets a system learn from 10 km/h on (Driver Engagement v1.1, second hand).
const DRIVING: f64 = 10.0;

/// What a monitor judges by.
#[derive(Clone, Debug)]
pub struct MonitorConfig {
    /// The rules.
    pub rules: RuleProfile,
    /// The vehicle's zones.
    pub zones: ZoneMap,
    /// How forward comes to be known. A zone file that says where the camera is gives `Auto` a
    /// first guess.
    pub forward: ForwardSource,
    /// Whose face is the driver's.
    pub driver: DriverBy,
}

/// What a monitor has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MonitorStats {
    /// Frames that were judged.
    pub frames: u64,
    /// Frames whose stamp was not later than the one before: not judged.
    pub ignored: u64,
    /// Gaps, stamps that went far back and stamps that stood still: everything started anew.
    pub restarts: u64,
    /// Frames without a usable gaze.
    pub unusable: u64,
    /// Alarms raised.
    pub alarms: u64,
}

/// What is held of the driver's gaze.
#[derive(Clone, Copy, Debug)]
struct Looking {
    camera: Gaze,
    /// Relative to forward, and where that is; `None` while forward is not known.
    cabin: Option<(Gaze, Place)>,
    head: Option<HeadPose>,
}

/// Judges a driver's attention.
#[derive(Debug)]
pub struct Monitor {
    config: MonitorConfig,
    debounce: Debounce,
    restart: Duration,
    patience: Patience,
    calibration: Calibration,
    choice: DriverChoice,
    timeline: Timeline,
    looking: Held<Looking>,
    closed: Held<bool>,
    settler: Settler,
    /// The glance away from the road, whatever the rules say of it.
    road: Glance,
    /// From the gaze's leaving the road to the zone's change, the last time.
    zone_delay: Duration,
    /// What the last frame changed.
    left_road: Option<Duration>,
    raised: Option<Raised>,
    head: Head,
    presence: Presence,
    /// Whether the eyes can be judged, where there is a face.
    eye_presence: Presence,
    /// Whether the last frame had neither face nor gaze, though somebody looked at it.
    unseen: bool,
    glances: Vec<GlanceWatch>,
    sharing: SharingWatch,
    eyes: Option<EyeWatch>,
    active: ActiveAlarms,
    conditions: Conditions,
    face: Option<u32>,
    stats: MonitorStats,
}

impl Monitor {
    /// Before the first frame.
    pub fn new(mut config: MonitorConfig) -> Self {
        if let (ForwardSource::Auto, Some(camera)) = (config.forward, config.zones.camera) {
            config.forward = ForwardSource::Prior(camera.forward().direction());
        }
        let rules = &config.rules;
        let debounce = rules.glance.debounce();
        Self {
            debounce,
            restart: rules.glance.restart.time(),
            patience: Patience {
                after: rules.availability.after.time(),
                back: rules.availability.back.time(),
                tolerance: debounce.tolerance,
            },
            calibration: Calibration::new(config.forward),
            choice: DriverChoice::default(),
            timeline: Timeline::default(),
            looking: Held::default(),
            closed: Held::default(),
            settler: Settler::new(config.zones.zones.len()),
            road: Glance::default(),
            zone_delay: Duration::ZERO,
            left_road: None,
            raised: None,
            head: Head::default(),
            presence: Presence::new(rules.availability.limit.time()),
            eye_presence: Presence::new(rules.availability.limit.time()),
            unseen: false,
            glances: rules.rules.iter().map(|_| GlanceWatch::default()).collect(),
            sharing: SharingWatch::default(),
            eyes: rules.eyes.as_ref().map(EyeWatch::new),
            active: ActiveAlarms::new(rules.rules.len() + 3),
            conditions: Conditions::default(),
            face: None,
            stats: MonitorStats::default(),
            config,
        }
    }

    /// What it judges by.
    pub fn config(&self) -> &MonitorConfig {
        &self.config
    }

    /// What it has seen.
    pub fn stats(&self) -> MonitorStats {
        self.stats
    }

    /// Changes the rule that tells the driver's face. If it tells another person, everything that
    /// was counted and told of the one before is over with the next frame.
    pub fn set_driver(&mut self, driver: DriverBy) {
        if self.config.driver != driver {
            self.config.driver = driver;
            self.choice.ask_again();
        }
    }

    /// Takes the frame stamped `at`; `None` where nobody looked at it. What changed is added to
    /// `events`.
    pub fn observe(
        &mut self,
        at: Duration,
        frame: Option<&FrameGaze>,
        conditions: Conditions,
        events: &mut Vec<Event>,
    ) {
        self.face = None;
        if !self.pass(at, conditions, events) {
            return;
        }
        let sight = match frame {
            Some(frame) => self.find(at, frame, events),
            None => Sight::Nothing(Reason::NoData),
        };
        self.take(at, sight, events);
    }

    /// The same, where the driver is known already.
    pub fn see(
        &mut self,
        at: Duration,
        sight: Sight,
        conditions: Conditions,
        events: &mut Vec<Event>,
    ) {
        if self.pass(at, conditions, events) {
            self.take(at, sight, events);
        }
    }

    /// Lets time pass up to a frame; whether the frame counts.
    fn pass(&mut self, at: Duration, conditions: Conditions, events: &mut Vec<Event>) -> bool {
        self.left_road = None;
        self.raised = None;
        let from = match self.timeline.step(at, self.restart) {
            Step::Ignored => {
                self.stats.ignored += 1;
                return false;
            }
            Step::First => at,
            Step::On(from) => from,
            Step::Gap(last) => {
                self.start_anew(at, events);
                self.presence.skip(last);
                at
            }
            Step::Back => {
                self.start_anew(at, events);
                self.go_back();
                at
            }
            Step::Stalled => {
                self.start_anew(at, events);
                self.go_back();
                if self.presence.stall(at) {
                    let (sense, reason) = (Sense::Gaze, Some(Reason::NoData));
                    events.push(Event::Available { sense, reason, since: at, at });
                }
                at
            }
        };
        self.stats.frames += 1;
        self.conditions = conditions;
        let known = self.advance(from, at, events);
        self.presence.pass(at, at - from, known.saturating_sub(from));
        self.judge(from, at, events);
        if at > known && self.unseen_escalates() {
            self.pass_unseen(at - known.max(from), at, events);
        }
        true
    }

    /// Lets the time from `from` to `at` pass, with what was known then; until when anything was.
    fn advance(&mut self, from: Duration, at: Duration, events: &mut Vec<Event>) -> Duration {
        let rules = &self.config.rules;
        let looking = self.looking.between(from, at);
        if let Some((looking, to)) = looking {
            let dt = to - from;
            // Who stands in for the driver does not sit where he does.
            if self.conditions.reaches(DRIVING) && !self.choice.is_stand_in() {
                let known = self.calibration.forward().is_some();
                self.calibration.add(looking.camera, dt);
                if !known && self.calibration.forward().is_some() {
                    events.push(Event::Calibrated { ready: true, at });
                }
            }
            if let Some((_, place)) = looking.cabin {
                self.road.advance(to, dt, Some(Scope::OffRoad.holds(place)), self.debounce);
                for (watch, rule) in self.glances.iter_mut().zip(&rules.rules) {
                    watch.advance(rule, to, dt, place, self.debounce);
                }
                if rules.sharing.is_some() {
                    self.sharing.advance(to, dt, place, self.debounce);
                }
                let settled = self.settler.advance(to, dt, place, self.debounce.open);
                if let Some(Settled { from, place: to, left_at }) = settled {
                    let is_road = |place: Place| place.class == ZoneClass::Forward;
                    let left_road = from.is_some_and(is_road) && !is_road(to);
                    if left_road {
                        self.zone_delay = at.saturating_sub(left_at);
                        self.left_road = Some(self.zone_delay);
                    }
                    events.push(Event::Zone { from, to, left_road, left_at, at });
                }
                if let Some(pose) = looking.head {
                    self.head.advance(dt, pose, self.road.since().is_none());
                }
            }
        }
        let lids = self.closed.between(from, at);
        if let (Some(eyes), Some(rules)) = (&mut self.eyes, &rules.eyes) {
            let cabin = looking.and_then(|(looking, to)| Some((looking.cabin?, to)));
            if let Some((closed, to)) = lids {
                let looking_down =
                    cabin.is_some_and(|((gaze, _), _)| intake::is_below(gaze, rules));
                eyes.advance(rules, to, to - from, closed, looking_down);
            } else if let Some(((_, place), to)) = cabin {
                eyes.advance_unseen(to - from, place.class == ZoneClass::Forward);
            }
        }
        // Open eyes without a gaze are not enough to go by.
        let ends = [looking.map(|(_, to)| to), lids.filter(|lids| lids.0).map(|(_, to)| to)];
        ends.into_iter().flatten().max().unwrap_or(from)
    }

    /// Asks every rule at `at`.
    fn judge(&mut self, from: Duration, at: Duration, events: &mut Vec<Event>) {
        let gaze_end = self.looking.between(from, at).map_or(at, |(_, to)| to);
        let eyes_end = self.closed.between(from, at).map_or(at, |(_, to)| to);
        self.ask(gaze_end, eyes_end, at, events);
        let conditions = self.conditions;
        if let (Some(eyes), Some(rules)) = (&mut self.eyes, &self.config.rules.eyes) {
            let drowsiness = eyes.judge_drowsiness(rules, at, &conditions);
            self.tell(self.glances.len() + 2, drowsiness, at, at, events);
        }
    }

    /// Lets time pass in which the driver was out of sight, up to `at`.
    fn pass_unseen(&mut self, dt: Duration, at: Duration, events: &mut Vec<Event>) {
        self.glances.iter_mut().for_each(|watch| watch.pass_unseen(dt));
        self.sharing.pass_unseen(dt);
        if let Some(eyes) = &mut self.eyes {
            eyes.pass_unseen(dt);
        }
        self.ask(at, at, at, events);
    }

    /// Asks the rules of glances and closures, whose clocks stand at these times.
    fn ask(
        &mut self,
        gaze_end: Duration,
        eyes_end: Duration,
        at: Duration,
        events: &mut Vec<Event>,
    ) {
        let conditions = self.conditions;
        let count = self.glances.len();
        for slot in 0..count {
            let rule = &self.config.rules.rules[slot];
            let verdict = self.glances[slot].judge(rule, gaze_end, &conditions);
            self.tell(slot, verdict, gaze_end, at, events);
        }
        if let Some(rule) = &self.config.rules.sharing {
            let verdict = self.sharing.judge(rule, gaze_end, &conditions);
            self.tell(count, verdict, gaze_end, at, events);
        }
        if let (Some(eyes), Some(rules)) = (&mut self.eyes, &self.config.rules.eyes) {
            let closure = eyes.judge(rules, eyes_end, &conditions);
            self.tell(count + 1, closure, eyes_end, at, events);
        }
    }

    fn tell(
        &mut self,
        slot: usize,
        verdict: Option<Verdict>,
        end: Duration,
        at: Duration,
        events: &mut Vec<Event>,
    ) {
        match verdict {
            Some(Verdict::Raise { alarm, level, start, late }) => {
                let of_gaze = DriverState::of_alarms([alarm].into_iter().collect())
                    == Some(DriverState::Distracted);
                let record = AlarmRecord {
                    alarm,
                    level,
                    start,
                    // Not before the glance: a rule may have begun to work in the midst of it.
                    threshold: end.saturating_sub(late).max(start),
                    at,
                    zone: self.settler.present().and_then(|place| place.zone),
                    movement: self.head.movement(),
                    speed: self.conditions.speed,
                    confidence: self.calibration.confidence(),
                    zone_delay: if of_gaze { self.zone_delay } else { Duration::ZERO },
                };
                let before = events.len();
                self.active.raise(slot, record, events);
                for event in &events[before..] {
                    if let Event::Raised(record) = event {
                        self.stats.alarms += 1;
                        let raised = [self.raised, Some(record.into())];
                        self.raised = raised.into_iter().flatten().max_by_key(Raised::total);
                    }
                }
            }
            Some(Verdict::Clear(why)) => self.active.clear(slot, at, why, None, events),
            None => {}
        }
    }
}
