//! Lets the time between two frames pass, with what the earlier one showed.

use std::time::Duration;

use super::monitor::Monitor;
use crate::core::monitor::alarms::event::{MonitorEvent, Sense, UnavailableReason};
use crate::core::monitor::rules::conditions::Conditions;
use crate::core::monitor::rules::rule_profile::Scope;
use crate::core::monitor::signals::timestamps::TimeStep;
use crate::core::monitor::signals::zone_hysteresis::ZoneChange;
use crate::core::monitor::zones::zone::{ZoneClass, ZoneHit};

/// Below this speed (km/h) the gaze tells nothing of forward. Euro NCAP lets a system learn from
/// 10 km/h on (Driver Engagement v1.1, second hand).
const DRIVING: f64 = 10.0;

impl Monitor {
    /// Lets time pass up to the frame stamped `at`. Returns whether the frame counts.
    pub(super) fn advance_to(
        &mut self,
        at: Duration,
        conditions: Conditions,
        events: &mut Vec<MonitorEvent>,
    ) -> bool {
        self.left_road = None;
        self.raised = None;
        let from = match self.timestamps.step(at, self.config.rules.glance.restart.time()) {
            TimeStep::OutOfOrder => {
                self.stats.ignored += 1;
                return false;
            }
            TimeStep::First => at,
            TimeStep::Advance(from) => from,
            TimeStep::Gap(last) => {
                self.restart(at, events);
                self.gaze_availability.gap(last);
                at
            }
            TimeStep::Back => {
                self.restart(at, events);
                self.rewind();
                at
            }
            TimeStep::Stalled => {
                self.restart(at, events);
                self.rewind();
                if self.gaze_availability.stall(at) {
                    let (sense, reason) = (Sense::Gaze, Some(UnavailableReason::NoData));
                    events.push(MonitorEvent::Available { sense, reason, since: at, at });
                }
                at
            }
        };
        self.stats.frames += 1;
        self.conditions = conditions;
        let known = self.advance(from, at, events);
        self.gaze_availability.advance(at, at - from, known.saturating_sub(from));
        self.apply_rules(from, at, events);
        if at > known && self.escalates_out_of_sight() {
            self.advance_out_of_sight(at - known.max(from), at, events);
        }
        true
    }

    /// Feeds the time from `from` to `at` to all signals and watches. Returns until when gaze or
    /// closed eyes were known.
    fn advance(
        &mut self,
        from: Duration,
        at: Duration,
        events: &mut Vec<MonitorEvent>,
    ) -> Duration {
        let rules = &self.config.rules;
        let gaze = self.gaze.between(from, at);
        if let Some((sample, to)) = gaze {
            let dt = to - from;
            // A stand-in sits elsewhere, so forward is not learned from one.
            if self.conditions.reaches(DRIVING) && !self.selector.is_stand_in() {
                let known = self.calibration.forward().is_some();
                self.calibration.add(sample.camera, dt);
                if !known && self.calibration.forward().is_some() {
                    events.push(MonitorEvent::Calibrated { ready: true, at });
                }
            }
            if let Some((_, hit)) = sample.cabin {
                self.off_road.advance(to, dt, Some(Scope::OffRoad.includes(hit)), self.debounce);
                for (watch, rule) in self.glance_watches.iter_mut().zip(&rules.rules) {
                    watch.advance(rule, to, dt, hit, self.debounce);
                }
                if rules.sharing.is_some() {
                    self.sharing_watch.advance(to, dt, hit, self.debounce);
                }
                let change = self.zone.advance(to, dt, hit, self.debounce.open);
                if let Some(ZoneChange { from, to, left_at }) = change {
                    let is_road = |hit: ZoneHit| hit.class == ZoneClass::Forward;
                    let left_road = from.is_some_and(is_road) && !is_road(to);
                    if left_road {
                        self.zone_delay = at.saturating_sub(left_at);
                        self.left_road = Some(self.zone_delay);
                    }
                    events.push(MonitorEvent::Zone { from, to, left_road, left_at, at });
                }
                if let Some(pose) = sample.head {
                    self.head.advance(dt, pose, self.off_road.since().is_none());
                }
            }
        }
        let lids = self.eyes_closed.between(from, at);
        if let (Some(eyes), Some(rules)) = (&mut self.eye_watch, &rules.eyes) {
            let cabin = gaze.and_then(|(sample, to)| Some((sample.cabin?, to)));
            if let Some((closed, to)) = lids {
                let looks_down = cabin.is_some_and(|((gaze, _), _)| rules.is_looking_down(gaze));
                eyes.advance(rules, to, to - from, closed, looks_down);
            } else if let Some(((_, hit), to)) = cabin {
                eyes.advance_without_eyes(to - from, hit.class == ZoneClass::Forward);
            }
        }
        // Open eyes without a gaze tell too little.
        let ends = [gaze.map(|(_, to)| to), lids.filter(|lids| lids.0).map(|(_, to)| to)];
        ends.into_iter().flatten().max().unwrap_or(from)
    }

    /// Lets `dt` pass, up to `at`, in which the driver was out of sight.
    fn advance_out_of_sight(&mut self, dt: Duration, at: Duration, events: &mut Vec<MonitorEvent>) {
        self.glance_watches.iter_mut().for_each(|watch| watch.advance_out_of_sight(dt));
        self.sharing_watch.advance_out_of_sight(dt);
        if let Some(eyes) = &mut self.eye_watch {
            eyes.advance_out_of_sight(dt);
        }
        self.evaluate_watches(at, at, at, events);
    }
}
