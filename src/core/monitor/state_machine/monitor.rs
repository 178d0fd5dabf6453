//! The monitor: frames go in, events come out, and the driver's attention is known at any time.
//!
//! The frames' stamps are the only clock. What a frame shows holds until the next frame, but no
//! longer than the glance rules' tolerance. Time between frames that are farther apart, and time of
//! frames without a usable gaze, is unknown and stops every rule's clock.

use std::sync::Arc;
use std::time::Duration;

use crate::core::geometry::angles::{Gaze, HeadPose};
use crate::core::monitor::alarms::active_alarms::ActiveAlarms;
use crate::core::monitor::alarms::attention::RaisedAlarm;
use crate::core::monitor::alarms::event::UnavailableReason;
use crate::core::monitor::rules::conditions::Conditions;
use crate::core::monitor::rules::eye_watch::EyeWatch;
use crate::core::monitor::rules::glance_watch::GlanceWatch;
use crate::core::monitor::rules::rule_profile::RuleProfile;
use crate::core::monitor::rules::sharing_watch::SharingWatch;
use crate::core::monitor::signals::availability::{Availability, AvailabilityTiming};
use crate::core::monitor::signals::driver_selector::{DriverCriterion, DriverSelector};
use crate::core::monitor::signals::glance::{Glance, GlanceDebounce};
use crate::core::monitor::signals::head_movement::HeadMovement;
use crate::core::monitor::signals::sample_hold::SampleHold;
use crate::core::monitor::signals::timestamps::Timestamps;
use crate::core::monitor::signals::zone_hysteresis::ZoneHysteresis;
use crate::core::monitor::zones::calibration::{Calibration, ForwardSource};
use crate::core::monitor::zones::zone::{ZoneHit, ZoneMap};

/// What a monitor works with.
#[derive(Clone, Debug)]
pub struct MonitorConfig {
    /// The rules.
    pub rules: RuleProfile,
    /// The vehicle's zones.
    pub zones: ZoneMap,
    /// Where the forward direction comes from. A zone file with a camera gives `Auto` a first guess.
    pub forward: ForwardSource,
    /// Which face is the driver's.
    pub driver: DriverCriterion,
}

/// Counts of a monitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MonitorStats {
    /// Frames that the rules saw.
    pub frames: u64,
    /// Frames left out, because their stamp was not later than the one before.
    pub ignored: u64,
    /// Restarts after a gap, a stamp far back, or stamps that stood still.
    pub restarts: u64,
    /// Frames without a usable gaze.
    pub unusable: u64,
    /// Alarms raised.
    pub alarms: u64,
}

/// The driver's gaze as the last frame showed it.
#[derive(Clone, Copy, Debug)]
pub(super) struct GazeSample {
    pub camera: Gaze,
    /// The gaze relative to forward and the zone that it hits; `None` while forward is unknown.
    pub cabin: Option<(Gaze, ZoneHit)>,
    pub head: Option<HeadPose>,
}

/// Monitors a driver's attention.
#[derive(Debug)]
pub struct Monitor {
    pub(super) config: MonitorConfig,
    pub(super) debounce: GlanceDebounce,
    pub(super) timing: AvailabilityTiming,
    pub(super) calibration: Calibration,
    pub(super) selector: DriverSelector,
    pub(super) timestamps: Timestamps,
    pub(super) gaze: SampleHold<GazeSample>,
    pub(super) eyes_closed: SampleHold<bool>,
    pub(super) zone: ZoneHysteresis,
    /// The glance away from the road, independent of the rules.
    pub(super) off_road: Glance,
    /// From the gaze's leaving the road to the zone's change, the last time.
    pub(super) zone_delay: Duration,
    /// The same, where the last frame changed the zone.
    pub(super) left_road: Option<Duration>,
    /// The alarm that the last frame raised.
    pub(super) raised: Option<RaisedAlarm>,
    pub(super) head: HeadMovement,
    pub(super) gaze_availability: Availability,
    /// Availability of the eyes, where there is a face.
    pub(super) eye_availability: Availability,
    /// Whether the last frame was analysed and shows neither face nor gaze.
    pub(super) out_of_sight: bool,
    /// Whether the last frame showed gaze or closed eyes, and why not.
    pub(super) seen: Result<(), UnavailableReason>,
    pub(super) glance_watches: Vec<GlanceWatch>,
    pub(super) sharing_watch: SharingWatch,
    pub(super) eye_watch: Option<EyeWatch>,
    pub(super) active: ActiveAlarms,
    pub(super) conditions: Conditions,
    pub(super) face: Option<u32>,
    pub(super) stats: MonitorStats,
}

impl Monitor {
    /// A monitor before its first frame.
    pub fn new(mut config: MonitorConfig) -> Self {
        if let (ForwardSource::Auto, Some(camera)) = (config.forward, config.zones.camera) {
            config.forward = ForwardSource::Prior(camera.forward().direction());
        }
        let rules = &config.rules;
        let debounce = rules.glance.debounce();
        Self {
            debounce,
            timing: AvailabilityTiming {
                after: rules.availability.after.time(),
                back: rules.availability.back.time(),
                tolerance: debounce.tolerance,
            },
            calibration: Calibration::new(config.forward),
            selector: DriverSelector::default(),
            timestamps: Timestamps::default(),
            gaze: SampleHold::default(),
            eyes_closed: SampleHold::default(),
            zone: ZoneHysteresis::new(config.zones.zones.len()),
            off_road: Glance::default(),
            zone_delay: Duration::ZERO,
            left_road: None,
            raised: None,
            head: HeadMovement::default(),
            gaze_availability: Availability::new(rules.availability.limit.time()),
            eye_availability: Availability::new(rules.availability.limit.time()),
            out_of_sight: false,
            seen: Err(UnavailableReason::NoData),
            glance_watches: rules.rules.iter().map(|_| GlanceWatch::default()).collect(),
            sharing_watch: SharingWatch::default(),
            eye_watch: rules.eyes.as_ref().map(EyeWatch::new),
            active: ActiveAlarms::new(rules.rules.len() + 3),
            conditions: Conditions::default(),
            face: None,
            stats: MonitorStats::default(),
            config,
        }
    }

    /// What the monitor works with.
    pub fn config(&self) -> &MonitorConfig {
        &self.config
    }

    /// Counts since the monitor was made.
    pub fn stats(&self) -> MonitorStats {
        self.stats
    }

    /// Name of a zone; `None` is elsewhere.
    pub fn zone_name(&self, zone: Option<u16>) -> Arc<str> {
        self.config.zones.zone_name(zone)
    }

    /// Changes which face is the driver's. If another person fits, the next frame ends everything
    /// that was counted and raised for the driver before.
    pub fn set_driver(&mut self, driver: DriverCriterion) {
        if self.config.driver != driver {
            self.config.driver = driver;
            self.selector.reselect();
        }
    }

    /// Slot of the sharing rule among the active alarms; the glance rules come before it, the
    /// rules of closure and drowsiness follow.
    pub(super) fn sharing_slot(&self) -> usize {
        self.glance_watches.len()
    }
}
