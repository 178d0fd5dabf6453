//! Evaluates the rules at a frame, and raises and clears their alarms.

use std::time::Duration;

use super::monitor::Monitor;
use crate::core::monitor::alarms::alarm::AlarmRecord;
use crate::core::monitor::alarms::attention::{DriverState, RaisedAlarm};
use crate::core::monitor::alarms::event::MonitorEvent;
use crate::core::monitor::rules::decision::AlarmDecision;

impl Monitor {
    /// Evaluates every rule at `at`, after the time since `from`.
    pub(super) fn apply_rules(
        &mut self,
        from: Duration,
        at: Duration,
        events: &mut Vec<MonitorEvent>,
    ) {
        let gaze_end = self.gaze.between(from, at).map_or(at, |(_, to)| to);
        let eyes_end = self.eyes_closed.between(from, at).map_or(at, |(_, to)| to);
        self.evaluate_watches(gaze_end, eyes_end, at, events);
        let conditions = self.conditions;
        if let (Some(eyes), Some(rules)) = (&mut self.eye_watch, &self.config.rules.eyes) {
            let drowsiness = eyes.evaluate_drowsiness(rules, at, &conditions);
            self.apply(self.sharing_slot() + 2, drowsiness, at, at, events);
        }
    }

    /// Evaluates the rules of glances and closures. Their clocks stand at `gaze_end` and `eyes_end`.
    pub(super) fn evaluate_watches(
        &mut self,
        gaze_end: Duration,
        eyes_end: Duration,
        at: Duration,
        events: &mut Vec<MonitorEvent>,
    ) {
        let conditions = self.conditions;
        let sharing_slot = self.sharing_slot();
        for slot in 0..sharing_slot {
            let rule = &self.config.rules.rules[slot];
            let decision = self.glance_watches[slot].evaluate(rule, gaze_end, &conditions);
            self.apply(slot, decision, gaze_end, at, events);
        }
        if let Some(rule) = &self.config.rules.sharing {
            let decision = self.sharing_watch.evaluate(rule, gaze_end, &conditions);
            self.apply(sharing_slot, decision, gaze_end, at, events);
        }
        if let (Some(eyes), Some(rules)) = (&mut self.eye_watch, &self.config.rules.eyes) {
            let closure = eyes.evaluate(rules, eyes_end, &conditions);
            self.apply(sharing_slot + 1, closure, eyes_end, at, events);
        }
    }

    /// Raises or clears the alarm of the rule in `slot`, whose clock stands at `end`.
    pub(super) fn apply(
        &mut self,
        slot: usize,
        decision: Option<AlarmDecision>,
        end: Duration,
        at: Duration,
        events: &mut Vec<MonitorEvent>,
    ) {
        match decision {
            Some(AlarmDecision::Raise { alarm, level, start, late }) => {
                let of_gaze = DriverState::of_alarms([alarm].into_iter().collect())
                    == Some(DriverState::Distracted);
                let record = AlarmRecord {
                    alarm,
                    level,
                    start,
                    // Never before the glance: a rule may become active in the midst of one.
                    threshold: end.saturating_sub(late).max(start),
                    at,
                    zone: self.zone.current().and_then(|hit| hit.zone),
                    movement: self.head.movement(),
                    speed: self.conditions.speed,
                    confidence: self.calibration.confidence(),
                    zone_delay: if of_gaze { self.zone_delay } else { Duration::ZERO },
                };
                let before = events.len();
                self.active.raise(slot, record, events);
                for event in &events[before..] {
                    if let MonitorEvent::Raised(record) = event {
                        self.stats.alarms += 1;
                        let raised = [self.raised, Some(record.into())];
                        self.raised = raised.into_iter().flatten().max_by_key(RaisedAlarm::total);
                    }
                }
            }
            Some(AlarmDecision::Clear(why)) => self.active.clear(slot, at, why, None, events),
            None => {}
        }
    }
}
