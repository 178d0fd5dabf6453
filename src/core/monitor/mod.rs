//! Whether a driver pays attention: from gaze angles to zones, glances, rules and alarms.
//!
//! ```text
//! GazeMeta --> driver ----> Sight --> forward (calibration) --> zone --> settle  --> Event::Zone
//!              whose face?             relative to the road     where?   glance  --> watch --> Event::Raised
//!                                                                        sharing --> rules     Event::Cleared
//!                                      eye openness ------------------>  eyes    -->
//!                                      nothing usable ---------------->  presence -> Event::Available
//! ```
//!
//! Everything here is a state machine that is fed with stamps and never asks a clock, so a
//! recording gives what the drive gave, at any speed and any frame rate. What the rules are is data
//! ([`rules`]); where things lie in a car is data, too ([`zone`]).
//!
//! What a gaze angle can tell has an end: at 6 to 7 degrees of error a phone at the top of the wheel
//! cannot be told from the instruments behind it. The rules are about time, and time is measured
//! well.

pub mod active;
pub mod alarm;
pub mod attention;
pub mod calibration;
pub mod driver;
pub mod error;
pub mod eyes;
pub mod forward;
pub mod glance;
pub mod judge;
pub mod line;
pub mod movement;
pub mod presence;
pub mod rules;
mod rules_file;
pub mod settle;
pub mod shape;
pub mod sharing;
pub mod sight;
pub mod watch;
pub mod zone;
mod zone_file;

pub use alarm::{Alarm, AlarmRecord, AlarmSet, Cleared, Event, Level, Movement, Reason};
pub use attention::{Attention, DriverState, Raised};
pub use calibration::ForwardSource;
pub use driver::DriverBy;
pub use error::MonitorFileError;
pub use judge::{Monitor, MonitorConfig, MonitorStats};
pub use rules::RuleProfile;
pub use sight::{Face, Sight};
pub use watch::Conditions;
pub use zone::ZoneMap;
