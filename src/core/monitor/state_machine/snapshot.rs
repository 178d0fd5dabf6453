//! The driver's attention at the last frame.

use std::sync::Arc;
use std::time::Duration;

use super::monitor::Monitor;
use crate::core::monitor::alarms::attention::{Attention, DriverState};
use crate::core::monitor::rules::eye_watch::EyeWatch;

impl Monitor {
    /// The driver's attention at the last frame.
    pub fn attention(&self) -> Attention {
        let alarms = self.active.set();
        let at = self.timestamps.last().unwrap_or_default();
        let gaze = self.gaze.at(at).and_then(|sample| sample.cabin).map(|(gaze, _)| gaze);
        let zone = self.zone.current();
        let unavailable = self.gaze_availability.reason();
        let seen = zone.is_some() || gaze.is_some() || self.eyes_closed.at(at).is_some();
        let without_alarm = || {
            if unavailable.is_some() {
                DriverState::Unavailable
            } else if self.calibration.forward().is_none() || !seen {
                DriverState::Calibrating
            } else if self.off_road.since().is_some() {
                DriverState::LookingAway
            } else {
                DriverState::Attentive
            }
        };
        let rules = &self.config.rules;
        let eyes = self.eye_watch.as_ref().zip(rules.eyes.as_ref());
        Attention {
            state: DriverState::of_alarms(alarms).unwrap_or_else(without_alarm),
            level: self.active.level(),
            alarms,
            reason: unavailable.or(self.eye_availability.reason()),
            zone: zone.map_or_else(Arc::default, |hit| self.zone_name(hit.zone)),
            class: zone.map(|hit| hit.class),
            gaze,
            away: self.off_road.duration(),
            shared: self.sharing_watch.time_away(),
            closed: self.eye_watch.as_ref().map_or(Duration::ZERO, EyeWatch::closed),
            perclos: eyes.and_then(|(eyes, rules)| eyes.perclos(at, rules)),
            forward: self.calibration.forward().map(|forward| forward.direction()),
            confidence: self.calibration.confidence(),
            speed: self.conditions.speed,
            face: self.face,
            rules: rules.name.clone(),
            left_road: self.left_road,
            raised: self.raised,
        }
    }
}
