//! What a rule decides at a frame.

use std::time::Duration;

use crate::core::monitor::alarms::alarm::{Alarm, ClearReason, Level};

/// A change of a rule's alarm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AlarmDecision {
    /// The alarm is on from now on, in place of the rule's earlier one.
    Raise {
        /// The alarm.
        alarm: Alarm,
        /// How urgent it is.
        level: Level,
        /// When the glance or closure began.
        start: Duration,
        /// How long ago the rule reached its threshold.
        late: Duration,
    },
    /// The alarm is over.
    Clear(ClearReason),
}
