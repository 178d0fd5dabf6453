//! What the monitor reports when something changes.

use std::time::Duration;

use super::alarm::{Alarm, AlarmRecord, ClearReason};
use crate::core::monitor::zones::zone::ZoneHit;

/// Why the driver, or his eyes, are unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnavailableReason {
    /// No element analysed the frames, or they carry no picture.
    NoData,
    /// No face: the seat is empty, the driver turned away, or the camera is covered.
    NoFace,
    /// A face without a gaze.
    NoGaze,
    /// A face without eye openness: the rules of gaze work, those of closed eyes rest.
    NoEyes,
}

impl UnavailableReason {
    /// The name in messages.
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

/// What the rules judge a driver by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// Where the driver looks. Without it the driver is unavailable.
    Gaze,
    /// How far the eyes are open. Without it the rules of closed eyes rest.
    Eyes,
}

impl Sense {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaze => "gaze",
            Self::Eyes => "eyes",
        }
    }
}

/// What changed at a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MonitorEvent {
    /// An alarm was raised.
    Raised(AlarmRecord),
    /// An alarm ended.
    Cleared {
        /// The alarm.
        alarm: Alarm,
        /// Stamp of the frame.
        at: Duration,
        /// The reason.
        why: ClearReason,
    },
    /// The gaze settled on another zone, or on the first one.
    Zone {
        /// The zone before, where known.
        from: Option<ZoneHit>,
        /// The new zone.
        to: ZoneHit,
        /// Whether the gaze left the road with this change.
        left_road: bool,
        /// When the gaze left the zone before.
        left_at: Duration,
        /// Stamp of the frame.
        at: Duration,
    },
    /// The driver, or his eyes, became unavailable or available.
    Available {
        /// Gaze or eyes.
        sense: Sense,
        /// Why they are unavailable; `None` where they are available again.
        reason: Option<UnavailableReason>,
        /// When that began.
        since: Duration,
        /// Stamp of the frame.
        at: Duration,
    },
    /// The forward direction became known, or was forgotten.
    Calibrated {
        /// Whether it is known.
        ready: bool,
        /// Stamp of the frame.
        at: Duration,
    },
}

impl MonitorEvent {
    /// Stamp of the frame that the event belongs to.
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
