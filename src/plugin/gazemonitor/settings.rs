//! The properties of `gazemonitor`: values, ranges, defaults and descriptions.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use glib::prelude::*;

use super::enums::{DriverSelection, ForwardMode};
use crate::core::geometry::Gaze;
use crate::core::monitor::{
    Conditions, DriverCriterion, ForwardSource, MonitorConfig, MonitorFileError, RuleProfile,
    ZoneMap,
};
use crate::engine::user_file;
use crate::plugin::property::{Property, Table};

/// The values of all writable properties. The element copies them out of their lock to use them.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub rules: Arc<str>,
    pub zones: Arc<str>,
    pub forward: ForwardMode,
    /// Degrees.
    pub forward_pitch: f64,
    /// Degrees.
    pub forward_yaw: f64,
    pub frame: FrameSettings,
    /// Number of events with a speed so far.
    speed_events: u64,
}

/// The part that may change from frame to frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameSettings {
    pub driver: DriverSelection,
    /// x, y, width and height as fractions of the frame.
    pub driver_region: [f64; 4],
    pub driver_track: u64,
    /// km/h; negative if unknown.
    pub speed: f64,
    /// Number of the event that set the speed; `None` if the property did.
    pub speed_event: Option<u64>,
    /// How long the speed of an event is valid, ns of stream time; 0 is for ever.
    pub speed_timeout_ns: u64,
    pub nominal: bool,
    pub post_messages: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rules: DEFAULT_RULES.into(),
            zones: DEFAULT_ZONES.into(),
            forward: ForwardMode::Auto,
            forward_pitch: 0.0,
            forward_yaw: 0.0,
            frame: FrameSettings {
                driver: DriverSelection::Size,
                driver_region: [0.0, 0.0, 1.0, 1.0],
                driver_track: 0,
                speed: UNKNOWN_SPEED,
                speed_event: None,
                speed_timeout_ns: 2_000_000_000,
                nominal: true,
                post_messages: true,
            },
            speed_events: 0,
        }
    }
}

/// The default rules.
const DEFAULT_RULES: &str = "euroncap-2026";

/// The default zones.
const DEFAULT_ZONES: &str = "left-hand-drive";

/// The value for an unknown speed, km/h.
pub(super) const UNKNOWN_SPEED: f64 = -1.0;

/// The highest speed, km/h.
pub(super) const MAX_SPEED: f64 = 500.0;

/// The table of all properties.
pub(super) static PROPERTIES: LazyLock<Table<Settings>> = LazyLock::new(|| {
    type P = Property<Settings>;
    Table::new(vec![
        P::string(
            "rules",
            |s| (*s.rules).to_value(),
            |s, text| {
                s.rules = text.filter(|t| !t.is_empty()).unwrap_or(DEFAULT_RULES).into();
                Ok(())
            },
        )
        .nick("Rules")
        .blurb(
            "Rules that judge the driver: euroncap-2026, euroncap-2023, eu-addw, un-r171, \
                 or the path of a TOML file (start from a copy in pipelines/rules)",
        )
        .mutable_ready(),
        P::string(
            "zones",
            |s| (*s.zones).to_value(),
            |s, text| {
                s.zones = text.filter(|t| !t.is_empty()).unwrap_or(DEFAULT_ZONES).into();
                Ok(())
            },
        )
        .nick("Zones")
        .blurb(
            "Zones of the car: left-hand-drive, right-hand-drive (a typical car each), or \
                 the path of a TOML file (start from a copy in pipelines/zones)",
        )
        .mutable_ready(),
        P::choice("forward", |s| &mut s.forward)
            .nick("Forward")
            .blurb(
                "Source of the direction of the road ahead; the monitor judges gaze only once \
                 it knows this direction",
            )
            .mutable_ready(),
        P::number("forward-pitch", -90.0..=90.0, |s| &mut s.forward_pitch)
            .nick("Forward pitch")
            .blurb(
                "For forward=given: pitch in degrees that the gaze model gives for a driver who \
                 looks at the road ahead (positive is up)",
            )
            .mutable_ready(),
        P::number("forward-yaw", -90.0..=90.0, |s| &mut s.forward_yaw)
            .nick("Forward yaw")
            .blurb(
                "For forward=given: yaw in degrees that the gaze model gives for a driver who \
                 looks at the road ahead (positive is towards the image's left)",
            )
            .mutable_ready(),
        P::choice("driver", |s| &mut s.frame.driver)
            .nick("Driver")
            .blurb("How to choose the driver's face among several")
            .mutable_playing(),
        P::region("driver-region", |s| &mut s.frame.driver_region)
            .nick("Driver region")
            .blurb(
                "For driver=region: the part of the frame that holds the centre of the driver's \
                 face, as x, y, width, height in fractions of the frame, e.g. '<0.5, 0.0, 0.5, \
                 1.0>' for the right half (default: the whole frame)",
            )
            .mutable_playing(),
        P::number("driver-track", 0..=u64::MAX, |s| &mut s.frame.driver_track)
            .nick("Driver track")
            .blurb("For driver=track: track-id of the driver's face")
            .mutable_playing(),
        P::number("speed", UNKNOWN_SPEED..=MAX_SPEED, |s| &mut s.frame.speed)
            .and_then(|s| s.frame.speed_event = None)
            .nick("Speed")
            .blurb(
                "Speed of the car in km/h (-1 = unknown: the strictest rules apply). A custom \
                 event GazeVehicle sets it too, for the time of speed-timeout",
            )
            .mutable_playing(),
        P::number("speed-timeout", 0..=u64::MAX, |s| &mut s.frame.speed_timeout_ns)
            .nick("Speed timeout")
            .blurb(
                "How long the speed of a GazeVehicle event is valid, in ns of stream time; \
                 after that the speed is unknown (0 = valid for ever)",
            )
            .mutable_playing(),
        P::flag("nominal", |s| &mut s.frame.nominal)
            .nick("Nominal")
            .blurb(
                "Whether the situation is nominal; if not, (EU) 2023/2590 allows longer \
                 glances. A custom event GazeVehicle sets it too",
            )
            .mutable_playing(),
        P::flag("post-messages", |s| &mut s.frame.post_messages)
            .nick("Post messages")
            .blurb("Post an element message 'attention' at every change")
            .mutable_playing(),
    ])
    .read_only(structure(
        "attention",
        "Attention",
        "Attention of the driver at the last frame: the fields of AttentionMeta",
    ))
    .read_only(structure(
        "stats",
        "Statistics",
        "Since the start: frames, unusable (frames without a usable gaze), ignored (frames \
                     whose time stamps went back), restarts (after gaps), alarms (uint64); \
                     zone-delay-p95 and -max (from the gaze leaving the road to the change of \
                     zone), alarm-delay-p95 and -max (from the threshold of a rule to its message) \
                     (uint64, ns)",
    ))
});

/// The description of a read-only property with a structure.
fn structure(name: &str, nick: &str, blurb: &str) -> glib::ParamSpec {
    glib::ParamSpecBoxed::builder::<gst::Structure>(name)
        .nick(nick)
        .blurb(blurb)
        .read_only()
        .build()
}

impl Settings {
    /// Takes the speed of an event in km/h; negative is unknown. Returns `false`, and changes nothing,
    /// for NaN and infinity.
    pub fn set_speed_by_event(&mut self, speed: f64) -> bool {
        if !speed.is_finite() {
            return false;
        }
        self.speed_events += 1;
        self.frame.speed = if speed < 0.0 { UNKNOWN_SPEED } else { speed.min(MAX_SPEED) };
        self.frame.speed_event = Some(self.speed_events);
        true
    }

    /// Makes the speed unknown if `event` was the last to set it. Returns whether it was.
    pub fn expire_speed(&mut self, event: u64) -> bool {
        let last = self.frame.speed_event == Some(event);
        if last {
            (self.frame.speed, self.frame.speed_event) = (UNKNOWN_SPEED, None);
        }
        last
    }

    /// Reads the files that the properties name.
    ///
    /// # Errors
    /// A text that names the property, the file, the fault and the built-in names.
    pub fn open(&self) -> Result<MonitorConfig, String> {
        Ok(MonitorConfig {
            rules: load(
                "rules",
                &self.rules,
                RuleProfile::builtin,
                RuleProfile::from_toml,
                &RuleProfile::builtin_names(),
            )?,
            zones: load(
                "zones",
                &self.zones,
                ZoneMap::builtin,
                ZoneMap::from_toml,
                &ZoneMap::builtin_names(),
            )?,
            forward: match self.forward {
                ForwardMode::Auto => ForwardSource::Auto,
                ForwardMode::Given => ForwardSource::Given(Gaze::from_degrees(
                    self.forward_pitch as f32,
                    self.forward_yaw as f32,
                )),
            },
            driver: self.frame.driver_by(),
        })
    }
}

impl FrameSettings {
    /// How long the speed of an event is valid; `None` is for ever.
    pub fn speed_timeout(&self) -> Option<Duration> {
        (self.speed_timeout_ns > 0).then(|| Duration::from_nanos(self.speed_timeout_ns))
    }

    /// How the monitor picks the driver's face.
    pub fn driver_by(&self) -> DriverCriterion {
        match self.driver {
            DriverSelection::Size => DriverCriterion::Size,
            DriverSelection::Region => {
                DriverCriterion::Region(self.driver_region.map(|v| v as f32))
            }
            DriverSelection::Track => DriverCriterion::Track(self.driver_track),
        }
    }

    /// The known conditions of the car.
    pub fn conditions(&self) -> Conditions {
        let speed = (self.speed >= 0.0).then_some(self.speed as f32);
        Conditions { speed, nominal: self.nominal }
    }
}

/// Loads built-in rules or zones by name, or those of a file.
fn load<T>(
    property: &str,
    name: &str,
    builtin: impl Fn(&str) -> Option<Result<T, MonitorFileError>>,
    from_toml: impl Fn(&str) -> Result<T, MonitorFileError>,
    names: &[&str],
) -> Result<T, String> {
    let found = match builtin(name) {
        Some(found) => found,
        None => {
            let text = user_file::read_text(Path::new(name)).map_err(|error| {
                format!(
                    "{property}='{name}' is neither built in ({}) nor a readable file: {error}",
                    names.join(", ")
                )
            })?;
            from_toml(&text)
        }
    };
    found.map_err(|error| format!("{property}='{name}': {error}"))
}
