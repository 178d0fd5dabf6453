//! The driver's attention at one frame, as metadata, messages and JSON lines carry it.

use std::sync::Arc;
use std::time::Duration;

use super::alarm::{Alarm, AlarmRecord, AlarmSet, Level};
use super::event::UnavailableReason;
use crate::core::geometry::angles::Gaze;
use crate::core::monitor::zones::zone::ZoneClass;

/// The state of a driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DriverState {
    /// The driver looks at the road.
    Attentive,
    /// The driver looks elsewhere, not yet for too long.
    LookingAway,
    /// The driver has looked elsewhere for too long, or too often.
    Distracted,
    /// The driver's eyes are closed too much of the time.
    Drowsy,
    /// The driver's eyes are closed.
    Asleep,
    /// The driver does not respond to warnings.
    Unresponsive,
    /// The forward direction is unknown, or the camera has not yet shown the driver.
    #[default]
    Calibrating,
    /// The driver is unavailable.
    Unavailable,
}

impl DriverState {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Attentive,
        Self::LookingAway,
        Self::Distracted,
        Self::Drowsy,
        Self::Asleep,
        Self::Unresponsive,
        Self::Calibrating,
        Self::Unavailable,
    ];

    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attentive => "attentive",
            Self::LookingAway => "looking-away",
            Self::Distracted => "distracted",
            Self::Drowsy => "drowsy",
            Self::Asleep => "asleep",
            Self::Unresponsive => "unresponsive",
            Self::Calibrating => "calibrating",
            Self::Unavailable => "unavailable",
        }
    }

    /// The inverse of [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The worst state of the alarms that are on; `None` where none is on.
    pub fn of_alarms(alarms: AlarmSet) -> Option<Self> {
        let of = |alarm| match alarm {
            Alarm::Unresponsive => (4, Self::Unresponsive),
            Alarm::Microsleep | Alarm::Sleep => (3, Self::Asleep),
            Alarm::LongDistraction
            | Alarm::ShortDistraction
            | Alarm::PhoneUse
            | Alarm::Distraction
            | Alarm::EyesOff => (2, Self::Distracted),
            Alarm::Drowsy => (1, Self::Drowsy),
        };
        alarms.iter().map(of).max_by_key(|(weight, _)| *weight).map(|(_, state)| state)
    }
}

/// The driver's attention.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attention {
    /// The state.
    pub state: DriverState,
    /// Level of the most urgent alarm.
    pub level: Level,
    /// The alarms that are on.
    pub alarms: AlarmSet,
    /// Why the driver is unavailable; [`UnavailableReason::NoEyes`] where only the rules of closed
    /// eyes rest.
    pub reason: Option<UnavailableReason>,
    /// Name of the zone that the gaze settled on, or `elsewhere`; empty where unknown.
    pub zone: Arc<str>,
    /// The class of that zone.
    pub class: Option<ZoneClass>,
    /// Gaze relative to forward, yaw positive to the driver's right; where known.
    pub gaze: Option<Gaze>,
    /// How long this glance away from the road has lasted.
    pub away: Duration,
    /// Time away in the window of the sharing rule.
    pub shared: Duration,
    /// How long the eyes have been closed.
    pub closed: Duration,
    /// Part of the last minute with closed eyes (PERCLOS), 0..=1, where the eyes were seen.
    pub perclos: Option<f32>,
    /// The forward direction in camera coordinates, where known.
    pub forward: Option<Gaze>,
    /// Confidence of the forward direction, 0..=1.
    pub confidence: f32,
    /// Speed in km/h, where known.
    pub speed: Option<f32>,
    /// Index of the driver's face among the frame's faces.
    pub face: Option<u32>,
    /// Name of the rules profile.
    pub rules: Arc<str>,
    /// From the gaze's leaving the road to this frame, where this frame changed the zone.
    pub left_road: Option<Duration>,
    /// The alarm that this frame raised; of several, the one with the longest delay.
    pub raised: Option<RaisedAlarm>,
}

/// An alarm that was raised, and the delay that the monitor added to the rule's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaisedAlarm {
    /// The alarm.
    pub alarm: Alarm,
    /// How urgent it is.
    pub level: Level,
    /// From the rule's threshold to this frame.
    pub delay: Duration,
    /// From the gaze's leaving the road to the zone's change; zero for closed eyes.
    pub zone_delay: Duration,
}

impl RaisedAlarm {
    /// Both delays together.
    pub fn total(&self) -> Duration {
        self.delay.saturating_add(self.zone_delay)
    }
}

impl From<&AlarmRecord> for RaisedAlarm {
    fn from(record: &AlarmRecord) -> Self {
        let AlarmRecord { alarm, level, zone_delay, .. } = *record;
        Self { alarm, level, delay: record.delay(), zone_delay }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_the_worst_state_wins() {
        for state in DriverState::ALL {
            assert_eq!(DriverState::from_name(state.name()), Some(state));
        }
        for alarm in Alarm::ALL {
            assert_eq!(Alarm::from_name(alarm.name()), Some(alarm));
        }
        let of = |alarms: &[Alarm]| DriverState::of_alarms(alarms.iter().copied().collect());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[Alarm::Drowsy, Alarm::PhoneUse]), Some(DriverState::Distracted));
        assert_eq!(of(&[Alarm::Microsleep, Alarm::EyesOff]), Some(DriverState::Asleep));
        assert_eq!(of(&[Alarm::Unresponsive, Alarm::Sleep]), Some(DriverState::Unresponsive));
    }
}
