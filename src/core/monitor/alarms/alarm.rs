//! The alarms, how urgent each is, and the record of one that was raised.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What is wrong with a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Alarm {
    /// A single glance away that is too long.
    LongDistraction,
    /// Several glances away that add up to too long.
    ShortDistraction,
    /// The same, most of the time where phones are.
    PhoneUse,
    /// A gaze too long in Area 3 of (EU) 2023/2590.
    Distraction,
    /// Eyes off the road of a driver who is assisted (UN R171).
    EyesOff,
    /// Eyes closed for a second or two.
    Microsleep,
    /// Eyes closed for longer.
    Sleep,
    /// No response to a warning.
    Unresponsive,
    /// Eyes closed for too large a part of the last minute (PERCLOS).
    Drowsy,
}

/// Number of alarms.
pub const ALARMS: usize = 9;

impl Alarm {
    /// All alarms.
    pub const ALL: [Self; ALARMS] = [
        Self::LongDistraction,
        Self::ShortDistraction,
        Self::PhoneUse,
        Self::Distraction,
        Self::EyesOff,
        Self::Microsleep,
        Self::Sleep,
        Self::Unresponsive,
        Self::Drowsy,
    ];

    /// The name in files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::LongDistraction => "long-distraction",
            Self::ShortDistraction => "short-distraction",
            Self::PhoneUse => "phone-use",
            Self::Distraction => "distraction",
            Self::EyesOff => "eyes-off",
            Self::Microsleep => "microsleep",
            Self::Sleep => "sleep",
            Self::Unresponsive => "unresponsive",
            Self::Drowsy => "drowsy",
        }
    }

    /// The inverse of [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alarm| alarm.name() == name)
    }
}

/// How urgent an alarm is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// No alarm is on.
    #[default]
    None,
    /// A warning that the driver sees, and hears or feels.
    Warning,
    /// A more urgent warning, which sounds different.
    Urgent,
    /// The car may have to act.
    Intervention,
}

impl Level {
    /// The name in files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Warning => "warning",
            Self::Urgent => "urgent",
            Self::Intervention => "intervention",
        }
    }

    /// The inverse of [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::None, Self::Warning, Self::Urgent, Self::Intervention]
            .into_iter()
            .find(|level| level.name() == name)
    }
}

/// The alarms that are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlarmSet(u16);

impl AlarmSet {
    /// Adds an alarm.
    pub fn insert(&mut self, alarm: Alarm) {
        self.0 |= 1 << alarm as u8;
    }

    /// Whether this alarm is on.
    pub fn contains(self, alarm: Alarm) -> bool {
        self.0 & (1 << alarm as u8) != 0
    }

    /// Whether no alarm is on.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The alarms that are on.
    pub fn iter(self) -> impl Iterator<Item = Alarm> {
        Alarm::ALL.into_iter().filter(move |alarm| self.contains(*alarm))
    }
}

impl FromIterator<Alarm> for AlarmSet {
    fn from_iter<T: IntoIterator<Item = Alarm>>(alarms: T) -> Self {
        let mut set = Self::default();
        alarms.into_iter().for_each(|alarm| set.insert(alarm));
        set
    }
}

/// How the driver looked away, in Euro NCAP's terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Movement {
    /// The head's pose is unknown.
    #[default]
    Unknown,
    /// The head turned.
    Owl,
    /// The eyes turned and the head did not.
    Lizard,
}

impl Movement {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Owl => "owl",
            Self::Lizard => "lizard",
        }
    }
}

/// An alarm that was raised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlarmRecord {
    /// What is wrong.
    pub alarm: Alarm,
    /// How urgent it is.
    pub level: Level,
    /// When the glance or closure behind it began.
    pub start: Duration,
    /// When the rule reached its threshold.
    pub threshold: Duration,
    /// Stamp of the frame that raised it.
    pub at: Duration,
    /// The zone that the driver looked at; `None` is elsewhere.
    pub zone: Option<u16>,
    /// How the driver looked away.
    pub movement: Movement,
    /// Speed in km/h, where known.
    pub speed: Option<f32>,
    /// Confidence of the forward direction, 0..=1.
    pub confidence: f32,
    /// From the gaze's leaving the road to the zone's change in this glance. Zero for closed
    /// eyes.
    pub zone_delay: Duration,
}

impl AlarmRecord {
    /// From the rule's threshold to the message. Together with `zone_delay` this is what the
    /// monitor adds to the rule's own time.
    pub fn delay(&self) -> Duration {
        self.at.saturating_sub(self.threshold)
    }
}

/// Why an alarm ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearReason {
    /// The driver is attentive again.
    Attentive,
    /// A more urgent alarm replaced it.
    Escalated,
    /// The rule rests below its speed.
    Inactive,
    /// The driver, or his eyes, became unavailable: the evidence is gone.
    Unavailable,
    /// Another person drives now.
    OtherDriver,
    /// The stream had a gap or went back, or the monitor was reset.
    Restart,
}

impl ClearReason {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attentive => "attentive",
            Self::Escalated => "escalated",
            Self::Inactive => "inactive",
            Self::Unavailable => "unavailable",
            Self::OtherDriver => "other-driver",
            Self::Restart => "restart",
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
