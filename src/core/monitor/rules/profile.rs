//! Rules as data: named, versioned profiles, in which each number says where it comes from.
//!
//! A profile is a TOML file; those that ship are in `pipelines/rules`. Every parameter is a table
//! `{ value, clause, certainty }`: protocols change, and most of what is publicly known of them is
//! second hand.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::core::monitor::alarms::{Alarm, Level};
use crate::core::monitor::signals::glance::Debounce;
use crate::core::monitor::zones::zone::{Place, ZoneClass};

/// How sure it is that a parameter is what its source says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Read in the primary text.
    Primary,
    /// Read in a text that quotes the primary one.
    Secondary,
    /// Recalled and not read again.
    Recalled,
    /// This project's own choice or reading.
    Own,
}

/// A number of a rule, and where it comes from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Seconds, km/h, or a part of 1: the parameter's name says which.
    pub value: f64,
    /// Document and place.
    pub clause: String,
    /// How sure it is.
    pub certainty: Certainty,
}

impl Param {
    /// A number of seconds as a time. Checked to be one when the file is read.
    pub fn time(&self) -> Duration {
        Duration::try_from_secs_f64(self.value).unwrap_or_default()
    }
}

/// A choice that a profile makes, and where it comes from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// Whether it is so.
    pub value: bool,
    /// Document and place.
    pub clause: String,
    /// How sure it is.
    pub certainty: Certainty,
}

/// Which gaze a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Everything but the road ahead.
    OffRoad,
    /// Area 3 of (EU) 2023/2590.
    Area3,
    /// Everything but the road ahead and the mirrors.
    NotDrivingRelevant,
}

impl Scope {
    /// Whether a gaze at `place` starts or keeps the rule's clock.
    pub fn holds(self, place: Place) -> bool {
        match self {
            Self::OffRoad => place.class != ZoneClass::Forward,
            Self::Area3 => place.area_3,
            Self::NotDrivingRelevant => {
                !matches!(place.class, ZoneClass::Forward | ZoneClass::Mirror)
            }
        }
    }
}

/// A threshold, and the speeds that it is for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Band {
    /// From this speed on, km/h, up to the next band's.
    pub from_speed: Param,
    /// Seconds.
    pub threshold: Param,
}

/// What follows where a warning does not help.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// Seconds that the gaze stays away after the rule's threshold.
    pub after: Param,
    /// How urgent it is then.
    pub level: Level,
    /// What it is called then; as before where absent.
    pub alarm: Option<Alarm>,
}

/// A single glance that is too long.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GlanceRule {
    /// What it raises.
    pub alarm: Alarm,
    /// How urgent that is.
    pub level: Level,
    /// Which gaze it is about.
    pub scope: Scope,
    /// Whether the threshold itself is too long already (>=), or only more is (>).
    pub inclusive: bool,
    /// By speed, slowest first. Below the first the rule rests; where the speed is not known, the
    /// strictest counts.
    pub bands: Vec<Band>,
    /// Seconds that are added while conditions are not nominal.
    pub non_nominal: Option<Param>,
    /// Seconds of other gaze, in one piece, that end the alarm.
    pub clear: Param,
    /// What follows, first step first.
    #[serde(default)]
    pub steps: Vec<Step>,
}

impl GlanceRule {
    /// How long a glance may be at this speed (km/h); `None` where the rule rests.
    pub fn threshold(&self, speed: Option<f32>, nominal: bool) -> Option<Duration> {
        let band = match speed {
            Some(speed) => {
                self.bands.iter().rev().find(|band| f64::from(speed) >= band.from_speed.value)
            }
            None => self.bands.iter().min_by_key(|band| band.threshold.time()),
        };
        let extension = self.non_nominal.as_ref().filter(|_| !nominal);
        Some(band?.threshold.time() + extension.map_or(Duration::ZERO, Param::time))
    }
}

/// Many glances that are too long together.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SharingRule {
    /// How urgent it is.
    pub level: Level,
    /// From this speed on, km/h.
    pub from_speed: Param,
    /// Seconds away that are too many.
    pub cumulative: Param,
    /// In so many seconds.
    pub window: Param,
    /// Seconds of forward gaze, in one piece, after which counting starts anew.
    pub reset: Param,
    /// Part of the time away, 0..=1, spent where phones are, from which it is called phone use.
    pub phone_share: Param,
    /// What follows, first step first.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// Eyes that are closed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EyeRules {
    /// From this speed on, km/h.
    pub from_speed: Param,
    /// Openness, 0..=1, up to which an eye is closed.
    pub closed_at: Param,
    /// Seconds in one piece from which it is a microsleep.
    pub microsleep: Param,
    /// Seconds from which it is sleep.
    pub sleep: Param,
    /// Seconds from which the driver does not respond.
    pub unresponsive: Param,
    /// Seconds of open eyes, in one piece, that end the alarm.
    pub clear: Param,
    /// The part of a window with closed eyes from which a driver is drowsy.
    pub perclos: Option<PerclosRule>,
}

/// PERCLOS, see [`EyeWatch`](super::eye_watch::EyeWatch).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PerclosRule {
    /// From this speed on, km/h.
    pub from_speed: Param,
    /// Seconds.
    pub window: Param,
    /// Seconds of it in which eyes must have been seen.
    pub least: Param,
    /// Seconds from which a closure is no blink.
    pub slow: Param,
    /// Part, 0..=1, that is drowsy.
    pub threshold: Param,
    /// Degrees below forward from which lids are lowered to look and not to sleep: not counted, and
    /// no closure where the head or the gaze before says the same.
    pub looking_down: Param,
}

/// How gaze becomes glances.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GlanceParams {
    /// Seconds by which time away must outweigh time back before a glance is one.
    pub open: Param,
    /// Seconds back that end no glance, and for which the last gaze counts where it is lost.
    pub tolerance: Param,
    /// Seconds without a frame after which everything starts anew.
    pub restart: Param,
    /// Whether, once a warning is on, time in which neither face nor gaze is found counts like time
    /// away for what follows the warning; no where absent.
    pub unseen_escalates: Option<Flag>,
}

impl GlanceParams {
    /// For the state machines.
    pub fn debounce(&self) -> Debounce {
        Debounce { open: self.open.time(), tolerance: self.tolerance.time() }
    }

    /// Whether a driver who is out of sight does not respond to a warning.
    pub fn unseen_escalates(&self) -> bool {
        self.unseen_escalates.as_ref().is_some_and(|flag| flag.value)
    }
}

/// When a driver that cannot be judged is told so.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Availability {
    /// Seconds without usable gaze after which it is said.
    pub after: Param,
    /// Seconds that the protocol allows for it.
    pub limit: Param,
    /// Seconds of usable gaze after which it is over.
    pub back: Param,
}

/// A text that is cloned with every frame.
fn shared_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    String::deserialize(deserializer).map(Arc::from)
}

/// A set of rules.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuleProfile {
    /// Short and unique: `euroncap-2026`.
    #[serde(deserialize_with = "shared_text")]
    pub name: Arc<str>,
    /// Of the documents that it follows.
    pub version: String,
    /// What it is.
    pub title: String,
    /// The documents, and what of them was read.
    pub sources: Vec<String>,
    /// How gaze becomes glances.
    pub glance: GlanceParams,
    /// Single glances.
    #[serde(default, rename = "rule")]
    pub rules: Vec<GlanceRule>,
    /// Many glances.
    pub sharing: Option<SharingRule>,
    /// Closed eyes.
    pub eyes: Option<EyeRules>,
    /// No usable gaze.
    pub availability: Availability,
}
