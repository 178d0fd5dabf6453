//! What may be wrong with a driver, how urgent it is, and what is told when that changes.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::monitor::zones::zone::Place;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Alarm {
    /// One glance away that is too long.
    LongDistraction,
    /// Many glances away that are too long together.
    ShortDistraction,
    /// The same, most of it where a phone may be.
    PhoneUse,
    /// Too long in Area 3 of (EU) 2023/2590.
    Distraction,
    /// Eyes off the road of a driver who is assisted (UN R171).
    EyesOff,
    /// Eyes closed for a second or two.
    Microsleep,
    /// Eyes closed for longer.
    Sleep,
    /// No reaction to a warning.
    Unresponsive,
    /// Eyes closed for too much of the last minute.
    Drowsy,
}

/// How many there are.
pub const ALARMS: usize = 9;

impl Alarm {
    /// All of them.
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

    /// As files and messages write it.
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

/// How urgent it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing is.
    #[default]
    None,
    /// A warning that is seen, and heard or felt.
    Warning,
    /// A more urgent one, which sounds different.
    Urgent,
    /// The car may have to act.
    Intervention,
}

impl Level {
    /// As files and messages write it.
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

/// Which alarms are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlarmSet(u16);

impl AlarmSet {
    /// With one more.
    pub fn insert(&mut self, alarm: Alarm) {
        self.0 |= 1 << alarm as u8;
    }

    /// Whether it is on.
    pub fn contains(self, alarm: Alarm) -> bool {
        self.0 & (1 << alarm as u8) != 0
    }

    /// Whether none is.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are on.
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

/// How somebody looked away, in Euro NCAP's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Movement {
    /// The head's pose is not known.
    #[default]
    Unknown,
    /// The head turned.
    Owl,
    /// The eyes did, and the head did not.
    Lizard,
}

impl Movement {
    /// As messages write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Owl => "owl",
            Self::Lizard => "lizard",
        }
    }
}

/// Why a driver cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nobody looked at the frames, or they carry no picture.
    NoData,
    /// No face: nobody there, turned away, or the camera is covered.
    NoFace,
    /// A face, and no gaze of it.
    NoGaze,
    /// A face, and nothing says how far its eyes are open: gaze is judged, closed eyes are not.
    NoEyes,
}

/// What a driver is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// Where he looks. Without it he cannot be judged.
    Gaze,
    /// How far the eyes are open. Without it the rules of closed eyes rest.
    Eyes,
}

impl Sense {
    /// As messages write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaze => "gaze",
            Self::Eyes => "eyes",
        }
    }
}

impl Reason {
    /// As messages write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoData => "no-data",
            Self::NoFace => "no-face",
            Self::NoGaze => "no-gaze",
            Self::NoEyes => "no-eyes",
        }
    }

    /// The inverse of [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::NoData, Self::NoFace, Self::NoGaze, Self::NoEyes]
            .into_iter()
            .find(|reason| reason.name() == name)
    }
}

/// An alarm that was raised, or is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlarmRecord {
    /// What is wrong.
    pub alarm: Alarm,
    /// How urgent it is.
    pub level: Level,
    /// When the glance, or the closure, began that brought it.
    pub start: Duration,
    /// When the rule's threshold was reached.
    pub threshold: Duration,
    /// Stamp of the frame at which that was seen: when it is told.
    pub at: Duration,
    /// The zone that was looked at; `None` is elsewhere.
    pub zone: Option<u16>,
    /// How the driver looked away.
    pub movement: Movement,
    /// km/h, where known.
    pub speed: Option<f32>,
    /// How sure the forward direction is, 0..=1.
    pub confidence: f32,
    /// How long it took, this time, from the gaze leaving the road to the zone's change. Zero for
    /// closed eyes.
    pub zone_delay: Duration,
}

impl AlarmRecord {
    /// From the rule's threshold to the message. Together with `zone_delay` it is what the monitor
    /// adds to the rule's own time.
    pub fn delay(&self) -> Duration {
        self.at.saturating_sub(self.threshold)
    }
}

/// Why an alarm is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleared {
    /// The driver is attentive again.
    Attentive,
    /// Something more urgent took its place.
    Escalated,
    /// The rule rests: too slow for it.
    Inactive,
    /// The driver, or his eyes, cannot be judged any more: its evidence is gone.
    Unavailable,
    /// It was another person's.
    OtherDriver,
    /// The stream had a gap or went back, or everything was reset.
    Restart,
}

impl Cleared {
    /// As messages write it.
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

/// What changed at a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// An alarm is on.
    Raised(AlarmRecord),
    /// An alarm is over, since the frame stamped `at`.
    Cleared {
        /// Which.
        alarm: Alarm,
        /// When it is told.
        at: Duration,
        /// Why.
        why: Cleared,
    },
    /// The gaze settled on another zone, or on the first one.
    Zone {
        /// Where it was before; `None` where that is not known.
        from: Option<Place>,
        /// Where it is now.
        to: Place,
        /// Whether the gaze left the road by that.
        left_road: bool,
        /// When the gaze left the zone before.
        left_at: Duration,
        /// When it is told.
        at: Duration,
    },
    /// The driver, or closed eyes, can be judged no more, or again.
    Available {
        /// By what.
        sense: Sense,
        /// Why not; `None` is again.
        reason: Option<Reason>,
        /// Since when there is nothing usable, or again.
        since: Duration,
        /// When it is told.
        at: Duration,
    },
    /// The forward direction is known now, or no more.
    Calibrated {
        /// Whether it is.
        ready: bool,
        /// When it is told.
        at: Duration,
    },
}

impl Event {
    /// Stamp of the frame at which it is told.
    pub fn at(&self) -> Duration {
        match self {
            Self::Raised(record) => record.at,
            Self::Cleared { at, .. }
            | Self::Zone { at, .. }
            | Self::Available { at, .. }
            | Self::Calibrated { at, .. } => *at,
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
