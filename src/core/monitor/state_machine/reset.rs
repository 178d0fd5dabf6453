//! What the monitor forgets, and when: jumps in time, another driver, a driver out of sight.

use std::time::Duration;

use super::monitor::Monitor;
use crate::core::monitor::alarms::alarm::ClearReason;
use crate::core::monitor::alarms::event::{MonitorEvent, Sense, UnavailableReason};
use crate::core::monitor::rules::conditions::Conditions;
use crate::core::monitor::rules::glance_watch::GlanceWatch;
use crate::core::monitor::signals::glance::Glance;
use crate::core::monitor::signals::head_movement::HeadMovement;
use crate::core::monitor::signals::sample_hold::SampleHold;

impl Monitor {
    /// Forgets everything that depends on time, after a seek. The learned forward direction stays;
    /// a driver who was unavailable stays so until the next sight.
    pub fn reset(&mut self, events: &mut Vec<MonitorEvent>) {
        let at = self.timestamps.last().unwrap_or_default();
        self.forget_driver();
        self.clear_alarms(at, ClearReason::Restart, events);
        self.rewind();
        self.timestamps.reset();
    }

    /// Begins another stream, which may show another car: forgets the forward direction as well
    /// and ends every reported state. Counts go on.
    pub fn new_stream(&mut self, events: &mut Vec<MonitorEvent>) {
        let at = self.timestamps.last().unwrap_or_default();
        self.reset(events);
        for (sense, availability) in
            [(Sense::Gaze, &mut self.gaze_availability), (Sense::Eyes, &mut self.eye_availability)]
        {
            if availability.end() {
                events.push(MonitorEvent::Available { sense, reason: None, since: at, at });
            }
        }
        if self.calibration.unlearn() {
            events.push(MonitorEvent::Calibrated { ready: false, at });
        }
        self.conditions = Conditions::default();
        self.face = None;
    }

    /// Starts counting again after a jump in time.
    pub(super) fn restart(&mut self, at: Duration, events: &mut Vec<MonitorEvent>) {
        self.stats.restarts += 1;
        self.forget_driver();
        self.clear_alarms(at, ClearReason::Restart, events);
    }

    /// Drops stored stamps, which belong to another time line.
    pub(super) fn rewind(&mut self) {
        self.selector.reset();
        self.gaze_availability.rewind();
        self.eye_availability.rewind();
    }

    /// Clears all alarms, here and in the watches.
    pub(super) fn clear_alarms(
        &mut self,
        at: Duration,
        why: ClearReason,
        events: &mut Vec<MonitorEvent>,
    ) {
        self.active.clear_all(at, why, events);
        self.glance_watches.iter_mut().for_each(GlanceWatch::clear_alarm);
        self.sharing_watch.clear_alarm();
        if let Some(eyes) = &mut self.eye_watch {
            eyes.clear_alarms();
        }
    }

    /// Forgets what was seen and counted of a driver. Alarms stay.
    pub(super) fn forget_driver(&mut self) {
        self.gaze = SampleHold::default();
        self.eyes_closed = SampleHold::default();
        self.out_of_sight = false;
        self.seen = Err(UnavailableReason::NoData);
        self.zone.reset();
        self.head = HeadMovement::default();
        self.zone_delay = Duration::ZERO;
        self.off_road = Glance::default();
        self.glance_watches.iter_mut().for_each(GlanceWatch::forget);
        self.sharing_watch.forget();
        if let Some(eyes) = &mut self.eye_watch {
            eyes.forget();
        }
    }

    /// The driver's gaze is unavailable: counting must not continue over the gap, and alarms end
    /// with their evidence (see [`monitor`](super::super)).
    pub(super) fn lose_gaze(&mut self, at: Duration, events: &mut Vec<MonitorEvent>) {
        self.off_road = Glance::default();
        self.zone.reset();
        let escalates = self.escalates_out_of_sight();
        let sharing_slot = self.sharing_slot();
        for slot in 0..sharing_slot {
            let rule = &self.config.rules.rules[slot];
            let decision = self.glance_watches[slot].lose_gaze(rule, escalates);
            self.apply(slot, decision, at, at, events);
        }
        if let Some(rule) = &self.config.rules.sharing {
            let decision = self.sharing_watch.lose_gaze(rule, escalates);
            self.apply(sharing_slot, decision, at, at, events);
        }
    }

    /// Whether the driver is out of sight and the rules count that as no answer to a warning.
    pub(super) fn escalates_out_of_sight(&self) -> bool {
        self.out_of_sight && self.config.rules.glance.unseen_escalates()
    }

    /// The driver's eyes are unavailable; as [`lose_gaze`](Self::lose_gaze).
    pub(super) fn lose_eyes(
        &mut self,
        escalates: bool,
        at: Duration,
        events: &mut Vec<MonitorEvent>,
    ) {
        let slots = self.sharing_slot() + 1..;
        let Some(eyes) = &mut self.eye_watch else { return };
        for (decision, slot) in eyes.lose_eyes(escalates).into_iter().zip(slots) {
            self.apply(slot, decision, at, at, events);
        }
    }
}
