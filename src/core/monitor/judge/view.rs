//! What a monitor says of a driver at its last frame.

use std::sync::Arc;
use std::time::Duration;

use super::Monitor;
use crate::core::monitor::alarms::attention::{Attention, DriverState};
use crate::core::monitor::rules::eye_watch::EyeWatch;

impl Monitor {
    /// The driver's attention, as of the last frame.
    pub fn attention(&self) -> Attention {
        let alarms = self.active.set();
        let at = self.timeline.now().unwrap_or_default();
        let gaze = self.looking.at(at).and_then(|looking| looking.cabin).map(|(gaze, _)| gaze);
        let present = self.settler.present();
        let missing = self.presence.reason();
        let seen = present.is_some() || gaze.is_some() || self.closed.at(at).is_some();
        let otherwise = || {
            if missing.is_some() {
                DriverState::Unavailable
            } else if self.calibration.forward().is_none() || !seen {
                DriverState::Calibrating
            } else if self.road.since().is_some() {
                DriverState::LookingAway
            } else {
                DriverState::Attentive
            }
        };
        let rules = &self.config.rules;
        let eyes = self.eyes.as_ref().zip(rules.eyes.as_ref());
        Attention {
            state: DriverState::of_alarms(alarms).unwrap_or_else(otherwise),
            level: self.active.level(),
            alarms,
            reason: missing.or(self.eye_presence.reason()),
            zone: present.map_or_else(Arc::default, |p| self.config.zones.name_of(p.zone)),
            class: present.map(|place| place.class),
            gaze,
            away: self.road.duration(),
            shared: self.sharing.shared(),
            closed: self.eyes.as_ref().map_or(Duration::ZERO, EyeWatch::closed),
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

    /// What a zone is called.
    pub fn zone_name(&self, zone: Option<u16>) -> Arc<str> {
        self.config.zones.name_of(zone)
    }
}
