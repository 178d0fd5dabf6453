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
//! ([`rules`]); where things lie in a car is data, too ([`zones`]).
//!
//! What a gaze angle can tell has an end: at 6 to 7 degrees of error a phone at the top of the wheel
//! cannot be told from the instruments behind it. The rules are about time, and time is measured
//! well.

pub mod alarms;
mod error;
mod judge;
pub mod rules;
pub mod signals;
pub mod zones;

pub use alarms::alarm::{
    Alarm, AlarmRecord, AlarmSet, Cleared, Event, Level, Movement, Reason, Sense,
};
pub use alarms::attention::{Attention, DriverState, Raised};
pub use error::MonitorFileError;
pub use judge::{Monitor, MonitorConfig, MonitorStats};
pub use rules::RuleProfile;
pub use rules::gaze_watch::Conditions;
pub use signals::driver::DriverBy;
pub use signals::sight::{Face, Sight};
pub use zones::ZoneMap;
pub use zones::calibration::ForwardSource;
