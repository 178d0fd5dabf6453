//! The driver's attention at one frame: what metadata, messages and JSON lines carry.

use std::sync::Arc;
use std::time::Duration;

use super::{Alarm, AlarmRecord, AlarmSet, Level, Reason};
use crate::core::geometry::Gaze;
use crate::core::monitor::zones::zone::ZoneClass;

/// What a driver does, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DriverState {
    /// Looks at the road.
    Attentive,
    /// Looks elsewhere, not for too long yet.
    LookingAway,
    /// Has looked elsewhere for too long, or too often.
    Distracted,
    /// Closes the eyes too much.
    Drowsy,
    /// Has the eyes closed.
    Asleep,
    /// Does not react to warnings.
    Unresponsive,
    /// Cannot be judged yet: where forward is is not known, or nothing was seen so far.
    #[default]
    Calibrating,
    /// Cannot be judged.
    Unavailable,
}

impl DriverState {
    /// All of them.
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

    /// As messages write it.
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

    /// What the alarms that are on say of a driver; `None` where none is.
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
    /// In one word.
    pub state: DriverState,
    /// Of the most urgent alarm.
    pub level: Level,
    /// Those that are on.
    pub alarms: AlarmSet,
    /// Why the driver cannot be judged, where that is so; [`Reason::NoEyes`] where only the rules
    /// of closed eyes rest.
    pub reason: Option<Reason>,
    /// Name of the zone that the gaze settled on, or `elsewhere`; empty where it is not known.
    pub zone: Arc<str>,
    /// What looking there means.
    pub class: Option<ZoneClass>,
    /// Gaze relative to forward, yaw positive to the driver's right; where it is known.
    pub gaze: Option<Gaze>,
    /// How long this glance away from the road has lasted.
    pub away: Duration,
    /// How much of the sharing rule's window was spent away.
    pub shared: Duration,
    /// How long the eyes have been closed.
    pub closed: Duration,
    /// Part of the last minute with closed eyes, 0..=1, where eyes were seen.
    pub perclos: Option<f32>,
    /// The forward direction in camera coordinates, where known.
    pub forward: Option<Gaze>,
    /// How sure it is, 0..=1.
    pub confidence: f32,
    /// km/h, where known.
    pub speed: Option<f32>,
    /// Position of the driver's face among the frame's.
    pub face: Option<u32>,
    /// Name of the rules.
    pub rules: Arc<str>,
    /// From the gaze's leaving the road to this frame, where the zone changed by that at it.
    pub left_road: Option<Duration>,
    /// The alarm that was raised at this frame; of several the one that took longest.
    pub raised: Option<Raised>,
}

/// An alarm that was raised, and what the monitor added to the rule's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised {
    /// Which.
    pub alarm: Alarm,
    /// How urgent.
    pub level: Level,
    /// From the rule's threshold to this frame.
    pub delay: Duration,
    /// From the gaze's leaving the road to the zone's change; zero for closed eyes.
    pub zone_delay: Duration,
}

impl Raised {
    /// Both delays together.
    pub fn total(&self) -> Duration {
        self.delay.saturating_add(self.zone_delay)
    }
}

impl From<&AlarmRecord> for Raised {
    fn from(record: &AlarmRecord) -> Self {
        let AlarmRecord { alarm, level, zone_delay, .. } = *record;
        Self { alarm, level, delay: record.delay(), zone_delay }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_there_and_back_and_the_worst_counts() {
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
