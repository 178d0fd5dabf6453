//! The properties of `gazemonitor`: values, ranges, defaults and descriptions.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use glib::prelude::*;
use gst::prelude::*;

use super::enums::{DriverSelection, ForwardMode};
use crate::core::geometry::Gaze;
use crate::core::monitor::{
    Conditions, DriverCriterion, ForwardSource, MonitorConfig, MonitorFileError, RuleProfile,
    ZoneMap,
};
use crate::plugin::property::{get, text};

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
    /// How long the speed of an event is valid; `None` is for ever.
    pub speed_timeout: Option<Duration>,
    pub nominal: bool,
    pub post_messages: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rules: "euroncap-2026".into(),
            zones: "left-hand-drive".into(),
            forward: ForwardMode::Auto,
            forward_pitch: 0.0,
            forward_yaw: 0.0,
            frame: FrameSettings {
                driver: DriverSelection::Size,
                driver_region: [0.0, 0.0, 1.0, 1.0],
                driver_track: 0,
                speed: UNKNOWN_SPEED,
                speed_event: None,
                speed_timeout: Some(Duration::from_secs(2)),
                nominal: true,
                post_messages: true,
            },
            speed_events: 0,
        }
    }
}

/// The value for an unknown speed, km/h.
pub(super) const UNKNOWN_SPEED: f64 = -1.0;

/// The highest speed, km/h.
pub(super) const MAX_SPEED: f64 = 500.0;

/// The description of every writable property.
pub(super) static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
    let d = Settings::default();
    let angle = |name: &'static str, nick: &'static str, blurb: &'static str| {
        glib::ParamSpecDouble::builder(name)
            .nick(nick)
            .blurb(blurb)
            .minimum(-90.0)
            .maximum(90.0)
            .default_value(0.0)
            .mutable_ready()
            .build()
    };
    vec![
        glib::ParamSpecString::builder("rules")
            .nick("Rules")
            .blurb(
                "Rules that judge the driver: euroncap-2026, euroncap-2023, eu-addw, un-r171, or the \
                 path of a TOML file (start from a copy in pipelines/rules)",
            )
            .default_value(Some(&*d.rules))
            .mutable_ready()
            .build(),
        glib::ParamSpecString::builder("zones")
            .nick("Zones")
            .blurb(
                "Zones of the car: left-hand-drive, right-hand-drive (a typical car each), or the \
                 path of a TOML file (start from a copy in pipelines/zones)",
            )
            .default_value(Some(&*d.zones))
            .mutable_ready()
            .build(),
        glib::ParamSpecEnum::builder_with_default("forward", d.forward)
            .nick("Forward")
            .blurb(
                "Source of the direction of the road ahead; the monitor judges gaze only once it \
                 knows this direction",
            )
            .mutable_ready()
            .build(),
        angle(
            "forward-pitch",
            "Forward pitch",
            "For forward=given: pitch in degrees that the gaze model gives for a driver who looks at \
             the road ahead (positive is up)",
        ),
        angle(
            "forward-yaw",
            "Forward yaw",
            "For forward=given: yaw in degrees that the gaze model gives for a driver who looks at \
             the road ahead (positive is towards the image's left)",
        ),
        glib::ParamSpecEnum::builder_with_default("driver", d.frame.driver)
            .nick("Driver")
            .blurb("How to choose the driver's face among several")
            .mutable_playing()
            .build(),
        gst::ParamSpecArray::builder("driver-region")
            .nick("Driver region")
            .blurb(
                "For driver=region: the part of the frame that holds the centre of the driver's face, \
                 as x, y, width, height in fractions of the frame, e.g. '<0.5, 0.0, 0.5, 1.0>' for \
                 the right half (default: the whole frame)",
            )
            .element_spec(
                &glib::ParamSpecDouble::builder("fraction")
                    .nick("Fraction")
                    .blurb("Fraction of the frame's width or height")
                    .minimum(0.0)
                    .maximum(1.0)
                    .build(),
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt64::builder("driver-track")
            .nick("Driver track")
            .blurb("For driver=track: track-id of the driver's face")
            .default_value(d.frame.driver_track)
            .mutable_playing()
            .build(),
        glib::ParamSpecDouble::builder("speed")
            .nick("Speed")
            .blurb(
                "Speed of the car in km/h (-1 = unknown: the strictest rules apply). A custom event \
                 GazeVehicle sets it too, for the time of speed-timeout",
            )
            .minimum(UNKNOWN_SPEED)
            .maximum(MAX_SPEED)
            .default_value(d.frame.speed)
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt64::builder("speed-timeout")
            .nick("Speed timeout")
            .blurb(
                "How long the speed of a GazeVehicle event is valid, in ns of stream time; after that \
                 the speed is unknown (0 = valid for ever)",
            )
            .default_value(nanoseconds(d.frame.speed_timeout))
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("nominal")
            .nick("Nominal")
            .blurb(
                "Whether the situation is nominal; if not, (EU) 2023/2590 allows longer glances. A \
                 custom event GazeVehicle sets it too",
            )
            .default_value(d.frame.nominal)
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("post-messages")
            .nick("Post messages")
            .blurb("Post an element message 'attention' at every change")
            .default_value(d.frame.post_messages)
            .mutable_playing()
            .build(),
    ]
});

impl Settings {
    /// Sets one property. An error describes the rejected value and leaves the old one.
    pub fn set(&mut self, name: &str, value: &glib::Value) -> Result<(), String> {
        match name {
            "rules" => self.rules = text(value).unwrap_or_else(|| Self::default().rules),
            "zones" => self.zones = text(value).unwrap_or_else(|| Self::default().zones),
            "forward" => self.forward = get(value)?,
            "forward-pitch" => self.forward_pitch = get(value)?,
            "forward-yaw" => self.forward_yaw = get(value)?,
            "driver" => self.frame.driver = get(value)?,
            "driver-region" => self.frame.driver_region = frame_fraction(value)?,
            "driver-track" => self.frame.driver_track = get(value)?,
            "speed" => (self.frame.speed, self.frame.speed_event) = (get(value)?, None),
            "speed-timeout" => {
                let timeout = get::<u64>(value)?;
                self.frame.speed_timeout = (timeout > 0).then(|| Duration::from_nanos(timeout));
            }
            "nominal" => self.frame.nominal = get(value)?,
            "post-messages" => self.frame.post_messages = get(value)?,
            _ => return Err(format!("property '{name}' does not exist")),
        }
        Ok(())
    }

    /// Returns the value of one property; `None` for a read-only one.
    pub fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "rules" => (*self.rules).to_value(),
            "zones" => (*self.zones).to_value(),
            "forward" => self.forward.to_value(),
            "forward-pitch" => self.forward_pitch.to_value(),
            "forward-yaw" => self.forward_yaw.to_value(),
            "driver" => self.frame.driver.to_value(),
            "driver-region" => gst::Array::new(self.frame.driver_region).to_value(),
            "driver-track" => self.frame.driver_track.to_value(),
            "speed" => self.frame.speed.to_value(),
            "speed-timeout" => nanoseconds(self.frame.speed_timeout).to_value(),
            "nominal" => self.frame.nominal.to_value(),
            "post-messages" => self.frame.post_messages.to_value(),
            _ => return None,
        })
    }

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

/// The value of a property for a time; 0 for none.
fn nanoseconds(time: Option<Duration>) -> u64 {
    time.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

impl FrameSettings {
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
            let text = std::fs::read_to_string(name).map_err(|error| {
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

/// Parses the four fractions of a part of the frame.
fn frame_fraction(value: &glib::Value) -> Result<[f64; 4], String> {
    let array = get::<gst::ArrayRef<'_>>(value)?;
    let mut part = [0.0; 4];
    if array.len() != part.len() {
        return Err("driver-region needs four numbers: x, y, width, height".to_owned());
    }
    for (fraction, value) in part.iter_mut().zip(array.as_slice()) {
        *fraction = value.get::<f64>().map_err(|error| error.to_string())?;
    }
    match part {
        [x, y, w, h] if w > 0.0 && h > 0.0 && x + w <= 1.0 + 1e-9 && y + h <= 1.0 + 1e-9 => {
            Ok(part)
        }
        [x, y, w, h] => Err(format!(
            "driver-region <{x}, {y}, {w}, {h}> does not lie in the frame: give fractions from 0 to 1"
        )),
    }
}
