//! Driver attention: from gaze angles to zones, glances, rules and alarms.
//!
//! ```text
//! GazeMeta --> driver_selector --> Observation --> forward --> zone --> zone_hysteresis --> Zone
//!              whose face?                        relative     where?   glance --> watches --> Raised
//!                                                 to the road           sharing    (rules)     Cleared
//!                                  eye openness --------------------->  eye_closure -->
//!                                  gaze or eyes missing ------------->  availability --> Available
//! ```
//!
//! # A driver who is unavailable
//! Euro NCAP wants the driver told within 10 s; it does not say what happens to alarms that are on.
//! Here they end with their evidence ([`ClearReason::Unavailable`]), so that a state of minutes ago
//! does not hide that the camera sees no driver. Two kinds stay: an intervention, until the driver
//! is attentive again; and, where the profile sets `glance.unseen-escalates`, a warning that would
//! escalate, because a driver who slumps out of sight has not responded to it. Both leave the worst
//! state on, with the reason beside it.
//!
//! # Time and data
//! All parts are state machines that take stamps and read no clock, so a recording gives the same
//! result as the drive, at any speed and any frame rate. Rules ([`rules`]) and zones ([`zones`]) are
//! data.
//!
//! # Limits of gaze
//! At 6 to 7 degrees of error the angles cannot separate a phone at the top of the wheel from the
//! instruments behind it. The rules depend on time, which is measured well.

pub mod alarms;
mod config_file;
pub mod rules;
pub mod signals;
mod state_machine;
pub mod zones;

pub use alarms::alarm::{Alarm, AlarmRecord, AlarmSet, ClearReason, Level, Movement};
pub use alarms::attention::{Attention, DriverState, RaisedAlarm};
pub use alarms::event::{MonitorEvent, Sense, UnavailableReason};
pub use config_file::MonitorFileError;
pub use rules::conditions::Conditions;
pub use rules::rule_profile::RuleProfile;
pub use signals::driver_selector::DriverCriterion;
pub use state_machine::monitor::{Monitor, MonitorConfig, MonitorStats};
pub use zones::calibration::ForwardSource;
pub use zones::zone::ZoneMap;
