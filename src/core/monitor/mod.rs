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
//! # Where the driver cannot be judged
//! Euro NCAP wants to be told within 10 s; what happens to alarms that are on is not said. Here those
//! whose evidence is gone end with it ([`Cleared::Unavailable`]), so that a state of minutes ago does
//! not hide that nobody is seen. Two kinds stay: an intervention, until the driver is seen to be
//! attentive; and, where the profile says so (`glance.unseen-escalates`), a warning that something
//! more urgent follows, because a driver who slumps out of sight has not answered it. Both end in
//! a state that names the worst, with a reason beside it.
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
pub mod eye_watch;
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
pub mod share;
pub mod sharing;
pub mod sight;
pub mod timeline;
pub mod watch;
pub mod zone;
mod zone_file;

pub use alarm::{Alarm, AlarmRecord, AlarmSet, Cleared, Event, Level, Movement, Reason, Sense};
pub use attention::{Attention, DriverState, Raised};
pub use calibration::ForwardSource;
pub use driver::DriverBy;
pub use error::MonitorFileError;
pub use judge::{Monitor, MonitorConfig, MonitorStats};
pub use rules::RuleProfile;
pub use sight::{Face, Sight};
pub use watch::Conditions;
pub use zone::ZoneMap;
