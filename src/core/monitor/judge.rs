//! The monitor: frames in, events out, and the driver's attention at any time.
//!
//! Time is that of the frames' stamps and of nothing else. What a frame shows counts until the next
//! one, but no longer than the glance rule's tolerance: what lies between frames that are farther
//! apart, like frames without a usable gaze, is not known, and stops every clock.

use std::sync::Arc;
use std::time::Duration;

use super::active::ActiveAlarms;
use super::alarm::{AlarmRecord, Cleared, Event, Reason};
use super::attention::{Attention, DriverState, Raised};
use super::calibration::{Calibration, ForwardSource};
use super::driver::{DriverBy, DriverChoice};
use super::glance::{Debounce, Glance};
use super::movement::Head;
use super::presence::{Patience, Presence};
use super::rules::{RuleProfile, Scope};
use super::settle::Settler;
use super::sight::{Face, Held, Sight};
use super::watch::{Conditions, EyeWatch, GlanceWatch, SharingWatch, Verdict};
use super::zone::{Place, ZoneClass, ZoneMap};
use crate::core::estimator::FrameGaze;
use crate::core::gaze::{Gaze, HeadPose};

/// Slower than this a car does not drive, and its driver's gaze says nothing of forward; km/h.
/// Euro NCAP lets a system learn from 10 km/h on.
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
    /// Gaps, and stamps that went far back, after which everything started anew.
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
    last: Option<Duration>,
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
            last: None,
            looking: Held::default(),
            closed: Held::default(),
            settler: Settler::new(config.zones.zones.len()),
            road: Glance::default(),
            zone_delay: Duration::ZERO,
            left_road: None,
            raised: None,
            head: Head::default(),
            presence: Presence::default(),
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

    /// Changes the rule that tells the driver's face.
    pub fn set_driver(&mut self, driver: DriverBy) {
        if self.config.driver != driver {
            self.config.driver = driver;
            self.choice.reset();
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
        let chosen = frame.and_then(|frame| {
            let chosen = self.choice.choose(&frame.faces, frame.size, self.config.driver)?;
            Some((chosen, frame.faces.get(chosen)?))
        });
        self.face = chosen.and_then(|(chosen, _)| u32::try_from(chosen).ok());
        let sight = match (frame, chosen) {
            (_, Some((_, face))) => Sight::Face(Face::from(face)),
            (Some(_), None) => Sight::Nothing(Reason::NoFace),
            (None, None) => Sight::Nothing(Reason::NoData),
        };
        self.see(at, sight, conditions, events);
    }

    /// The same, where the driver is known already.
    pub fn see(
        &mut self,
        at: Duration,
        sight: Sight,
        conditions: Conditions,
        events: &mut Vec<Event>,
    ) {
        self.left_road = None;
        self.raised = None;
        let from = match self.last {
            Some(last) if at <= last && last - at <= self.restart => {
                self.stats.ignored += 1;
                return;
            }
            Some(last) if at < last || at - last > self.restart => {
                self.stats.restarts += 1;
                self.restart(at, events);
                at
            }
            Some(last) => last,
            None => at,
        };
        self.last = Some(at);
        self.stats.frames += 1;
        self.conditions = conditions;
        self.advance(from, at, events);
        self.judge(from, at, events);
        self.take(at, sight, events);
    }

    /// Forgets everything that time has to do with; what was learned of forward stays. For seeks
    /// and new streams.
    pub fn reset(&mut self, events: &mut Vec<Event>) {
        let at = self.last.unwrap_or_default();
        self.restart(at, events);
        self.last = None;
        self.presence = Presence::default();
    }

    fn restart(&mut self, at: Duration, events: &mut Vec<Event>) {
        self.looking = Held::default();
        self.closed = Held::default();
        self.settler.reset();
        self.choice.reset();
        self.forget();
        self.active.clear_all(at, Cleared::Restart, events);
        // The watches' own memory of their alarms goes as well.
        self.glances.iter_mut().for_each(GlanceWatch::silence);
        self.sharing.silence();
        if let Some(eyes) = &mut self.eyes {
            eyes.silence();
        }
    }

    /// Forgets what was counted, and no alarm.
    fn forget(&mut self) {
        self.road = Glance::default();
        self.glances.iter_mut().for_each(GlanceWatch::forget);
        self.sharing.forget();
        if let Some(eyes) = &mut self.eyes {
            eyes.forget();
        }
    }

    /// Lets the time from `from` to `at` pass, with what was known then.
    fn advance(&mut self, from: Duration, at: Duration, events: &mut Vec<Event>) {
        let rules = &self.config.rules;
        let looking = self.looking.between(from, at);
        if let Some((looking, to)) = looking {
            let dt = to - from;
            if self.conditions.reaches(DRIVING) {
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
                let before = self.settler.present();
                let settled = self.settler.advance(to, dt, place, self.debounce.open);
                if let (Some(settled), Some(before)) = (settled, before) {
                    let is_road = |place: Place| place.class == ZoneClass::Forward;
                    let left_road = is_road(before) && !is_road(settled.place);
                    let left_at = settled.left_at;
                    if left_road {
                        self.zone_delay = at.saturating_sub(left_at);
                        self.left_road = Some(self.zone_delay);
                    }
                    let (from, to) = (before.zone, settled.place.zone);
                    events.push(Event::Zone { from, to, left_road, left_at, at });
                }
                if let Some(pose) = looking.head {
                    self.head.advance(dt, pose, self.road.since().is_none());
                }
            }
        }
        if let (Some(eyes), Some(rules)) = (&mut self.eyes, &rules.eyes)
            && let Some((closed, to)) = self.closed.between(from, at)
        {
            let down = rules.perclos.as_ref().map_or(90.0, |rule| rule.looking_down.value);
            let pitch = looking.and_then(|(looking, _)| looking.cabin).map(|(gaze, _)| gaze.pitch);
            let looking_down = pitch.is_some_and(|pitch| f64::from(pitch.to_degrees()) < -down);
            eyes.advance(rules, to, to - from, closed, looking_down);
        }
    }

    /// Asks every rule at `at`.
    fn judge(&mut self, from: Duration, at: Duration, events: &mut Vec<Event>) {
        let rules = &self.config.rules;
        let conditions = self.conditions;
        let gaze_end = self.looking.between(from, at).map_or(at, |(_, to)| to);
        let eyes_end = self.closed.between(from, at).map_or(at, |(_, to)| to);
        let count = rules.rules.len();
        for slot in 0..count {
            let verdict =
                self.glances[slot].judge(&self.config.rules.rules[slot], gaze_end, &conditions);
            self.tell(slot, verdict, gaze_end, at, events);
        }
        if let Some(rule) = &self.config.rules.sharing {
            let verdict = self.sharing.judge(rule, gaze_end, &conditions);
            self.tell(count, verdict, gaze_end, at, events);
        }
        if let (Some(eyes), Some(rules)) = (&mut self.eyes, &self.config.rules.eyes) {
            let closure = eyes.judge(rules, eyes_end, &conditions);
            let drowsiness = eyes.judge_drowsiness(rules, at, &conditions);
            self.tell(count + 1, closure, eyes_end, at, events);
            self.tell(count + 2, drowsiness, at, at, events);
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

    /// Takes what the frame shows; it counts from now on.
    fn take(&mut self, at: Duration, sight: Sight, events: &mut Vec<Event>) {
        let seen = match sight {
            Sight::Face(face) => self.take_face(at, face),
            Sight::Nothing(reason) => {
                let until = at + self.debounce.tolerance;
                self.looking.lose(at, until);
                self.closed.lose(at, until);
                Err(reason)
            }
        };
        self.stats.unusable += u64::from(seen.is_err());
        if let Some((reason, since)) = self.presence.see(at, seen, self.patience) {
            if reason.is_some() {
                // What was counted before cannot go on as if nothing had been between.
                self.forget();
                self.settler.reset();
            }
            events.push(Event::Available { reason, since, at });
        }
    }

    fn take_face(&mut self, at: Duration, face: Face) -> Result<(), Reason> {
        let until = at + self.debounce.tolerance;
        let closed_at = self.config.rules.eyes.as_ref().map(|rules| rules.closed_at.value);
        let closed = closed_at
            .zip(face.openness)
            .map(|(closed_at, openness)| f64::from(openness) <= closed_at);
        match closed {
            Some(closed) => self.closed.set(closed, until),
            None => self.closed.lose(at, until),
        }
        // Closed eyes look nowhere, whatever the model says.
        let Some(camera) = face.gaze.filter(|_| closed != Some(true)) else {
            self.looking.lose(at, until);
            return if closed == Some(true) { Ok(()) } else { Err(Reason::NoGaze) };
        };
        let last = self.looking.at(at).and_then(|looking| looking.cabin);
        let last = last.and_then(|(_, place)| place.zone);
        let cabin = self.calibration.forward().and_then(|forward| {
            let gaze = forward.relative(camera)?;
            let eye = self.config.zones.eye(face.origin);
            Some((gaze, self.config.zones.find(gaze, eye, last)))
        });
        let looking = Looking { camera, cabin, head: face.head };
        if face.fresh {
            self.looking.set(looking, until);
        } else {
            self.looking.carry(looking);
        }
        match self.looking.at(at) {
            Some(_) => Ok(()),
            None => Err(Reason::NoGaze),
        }
    }

    /// The driver's attention, as of the last frame.
    pub fn attention(&self) -> Attention {
        let alarms = self.active.set();
        let at = self.last.unwrap_or_default();
        let gaze = self.looking.at(at).and_then(|looking| looking.cabin).map(|(gaze, _)| gaze);
        let present = self.settler.present();
        let reason = self.presence.reason();
        let otherwise = || {
            if reason.is_some() {
                DriverState::Unavailable
            } else if self.calibration.forward().is_none() {
                DriverState::Calibrating
            } else if self.road.since().is_some() {
                DriverState::LookingAway
            } else {
                DriverState::Attentive
            }
        };
        let rules = &self.config.rules;
        Attention {
            state: DriverState::of_alarms(alarms).unwrap_or_else(otherwise),
            level: self.active.level(),
            alarms,
            reason,
            zone: present.map_or_else(Arc::default, |p| self.config.zones.name_of(p.zone)),
            class: present.map(|place| place.class),
            gaze,
            away: self.road.duration(),
            shared: self.sharing.shared(),
            closed: self.eyes.as_ref().map_or(Duration::ZERO, EyeWatch::closed),
            perclos: self.eyes.as_ref().zip(rules.eyes.as_ref()).and_then(|(e, r)| e.perclos(r)),
            forward: self.calibration.forward().map(|forward| forward.direction()),
            confidence: self.calibration.confidence(),
            speed: self.conditions.speed,
            face: self.face,
            rules: rules.name.clone(),
            left_road: self.left_road,
            raised: self.raised,
        }
    }

    /// What a zone is called.
    pub fn zone_name(&self, zone: Option<u16>) -> Arc<str> {
        self.config.zones.name_of(zone)
    }
}
