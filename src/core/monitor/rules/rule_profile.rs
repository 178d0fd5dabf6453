//! Rules as data: named, versioned profiles, in which each number names its source.
//!
//! A profile is a TOML file; the built-in ones are in `pipelines/rules`. Every parameter is a table
//! `{ value, clause, certainty }`, because protocols change and most public knowledge of them is
//! second hand.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::core::geometry::angles::Gaze;
use crate::core::monitor::alarms::alarm::{Alarm, Level};
use crate::core::monitor::signals::glance::GlanceDebounce;
use crate::core::monitor::zones::zone::{ZoneClass, ZoneHit};

/// How certain it is that a parameter agrees with its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Read in the primary text.
    Primary,
    /// Read in a text that quotes the primary one.
    Secondary,
    /// Recalled from memory.
    Recalled,
    /// This project's choice or reading.
    Own,
}

/// A number of a rule, and its source.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Seconds, km/h, degrees or a fraction: the parameter's name says which.
    pub value: f64,
    /// Document and clause.
    pub clause: String,
    /// How certain it is.
    pub certainty: Certainty,
}

impl Param {
    /// Seconds as a time. Reading the file checks the range.
    pub fn time(&self) -> Duration {
        Duration::try_from_secs_f64(self.value).unwrap_or_default()
    }
}

/// A choice of a profile, and its source.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// The choice.
    pub value: bool,
    /// Document and clause.
    pub clause: String,
    /// How certain it is.
    pub certainty: Certainty,
}

/// Which gaze starts and keeps the clock of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Any gaze but at the road ahead.
    OffRoad,
    /// A gaze in Area 3 of (EU) 2023/2590.
    Area3,
    /// Any gaze but at the road ahead and the mirrors.
    NotDrivingRelevant,
}

impl Scope {
    /// Whether the scope includes a gaze at `hit`.
    pub fn includes(self, hit: ZoneHit) -> bool {
        match self {
            Self::OffRoad => hit.class != ZoneClass::Forward,
            Self::Area3 => hit.area_3,
            Self::NotDrivingRelevant => {
                !matches!(hit.class, ZoneClass::Forward | ZoneClass::Mirror)
            }
        }
    }
}

/// A threshold for a range of speeds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SpeedBand {
    /// Lowest speed, km/h; the range ends where the next band begins.
    pub from_speed: Param,
    /// Threshold in seconds.
    pub threshold: Param,
}

/// A more urgent alarm that follows where a warning has no effect.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EscalationStep {
    /// Seconds away after the rule's threshold.
    pub after: Param,
    /// The level from then on.
    pub level: Level,
    /// The alarm from then on; absent: unchanged.
    pub alarm: Option<Alarm>,
}

/// The rule of a single glance that is too long.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GlanceRule {
    /// The alarm that it raises.
    pub alarm: Alarm,
    /// The level of that alarm.
    pub level: Level,
    /// Which gaze counts.
    pub scope: Scope,
    /// Whether a glance as long as the threshold is too long (>=), or only a longer one (>).
    pub inclusive: bool,
    /// Thresholds by speed, slowest first. Below the first band the rule rests; at an unknown speed
    /// the strictest applies.
    pub bands: Vec<SpeedBand>,
    /// Seconds added to the threshold while the situation is not nominal.
    pub non_nominal: Option<Param>,
    /// Seconds of other gaze, in one piece, that clear the alarm.
    pub clear: Param,
    /// Escalation after a warning without effect, first step first.
    #[serde(default)]
    pub steps: Vec<EscalationStep>,
}

impl GlanceRule {
    /// The threshold at this speed (km/h); `None` where the rule rests.
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

/// The rule of visual attention time sharing: glances that add up to too long.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SharingRule {
    /// The level of the alarm.
    pub level: Level,
    /// Lowest speed at which the rule works, km/h.
    pub from_speed: Param,
    /// Seconds away that raise the alarm.
    pub cumulative: Param,
    /// Length of the window, seconds.
    pub window: Param,
    /// Seconds of forward gaze, in one piece, that empty the window.
    pub reset: Param,
    /// Fraction of the time away, spent where phones are, from which the alarm is `phone-use`.
    pub phone_share: Param,
    /// Escalation after a warning without effect, first step first.
    #[serde(default)]
    pub steps: Vec<EscalationStep>,
}

/// The rules of closed eyes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EyeRules {
    /// Lowest speed at which the rule works, km/h.
    pub from_speed: Param,
    /// Openness, 0..=1, up to which an eye counts as closed.
    pub closed_at: Param,
    /// Seconds, in one piece, that make a closure a microsleep.
    pub microsleep: Param,
    /// Seconds that make it sleep.
    pub sleep: Param,
    /// Seconds that make the driver unresponsive.
    pub unresponsive: Param,
    /// Seconds of open eyes, in one piece, that clear the alarm.
    pub clear: Param,
    /// Drowsiness: the fraction of time with closed eyes.
    pub perclos: Option<PerclosRule>,
}

impl EyeRules {
    /// Whether a gaze relative to forward is so low that the driver looks down with lowered lids.
    pub fn is_looking_down(&self, gaze: Gaze) -> bool {
        let down = self.perclos.as_ref().map_or(90.0, |rule| rule.looking_down.value);
        f64::from(gaze.pitch.to_degrees()) < -down
    }
}

/// The rule of drowsiness by PERCLOS, see [`EyeWatch`](super::eye_watch::EyeWatch).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PerclosRule {
    /// Lowest speed at which the rule works, km/h.
    pub from_speed: Param,
    /// Length of the window, seconds.
    pub window: Param,
    /// Seconds of the window in which the eyes must have been visible.
    pub least: Param,
    /// Seconds from which a closure counts as slow, and not as a blink.
    pub slow: Param,
    /// PERCLOS, 0..=1, that raises the alarm.
    pub threshold: Param,
    /// Degrees below forward from which the driver looks down with lowered lids. PERCLOS leaves such
    /// closures out; they raise no alarm where the head or the gaze before confirms them.
    pub looking_down: Param,
}

/// How gaze becomes glances: debouncing and gaps.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GlanceParams {
    /// Seconds by which time away must exceed time back to open a glance.
    pub open: Param,
    /// Shortest return that ends a glance, and how long a lost gaze holds, seconds.
    pub tolerance: Param,
    /// Seconds without a frame after which counting restarts.
    pub restart: Param,
    /// Whether time without face or gaze counts as time away for the escalation of a warning; absent:
    /// no.
    pub unseen_escalates: Option<Flag>,
}

impl GlanceParams {
    /// The debouncing times.
    pub fn debounce(&self) -> GlanceDebounce {
        GlanceDebounce { open: self.open.time(), tolerance: self.tolerance.time() }
    }

    /// Whether a driver out of sight counts as one who does not respond to a warning.
    pub fn unseen_escalates(&self) -> bool {
        self.unseen_escalates.as_ref().is_some_and(|flag| flag.value)
    }
}

/// When the monitor reports that the driver is unavailable, and available again.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AvailabilityRule {
    /// Seconds without usable gaze after which the driver is reported unavailable.
    pub after: Param,
    /// Seconds that the protocol allows for the report.
    pub limit: Param,
    /// Seconds of usable gaze after which the driver is available again.
    pub back: Param,
}

/// Reads a text that every frame clones.
fn shared_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    String::deserialize(deserializer).map(Arc::from)
}

/// A profile of rules.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuleProfile {
    /// Short and unique: `euroncap-2026`.
    #[serde(deserialize_with = "shared_text")]
    pub name: Arc<str>,
    /// Version of the documents that it follows.
    pub version: String,
    /// Title for people.
    pub title: String,
    /// The documents, and which parts of them the authors read.
    pub sources: Vec<String>,
    /// How gaze becomes glances.
    pub glance: GlanceParams,
    /// Rules of single glances.
    #[serde(default, rename = "rule")]
    pub rules: Vec<GlanceRule>,
    /// Rule of visual attention time sharing.
    pub sharing: Option<SharingRule>,
    /// Rules of closed eyes.
    pub eyes: Option<EyeRules>,
    /// When the driver is unavailable.
    pub availability: AvailabilityRule,
}
