//! What may be wrong with a driver, which alarms are on, and the state that they add up to.

pub mod active;
pub mod alarm;
pub mod attention;

pub use alarm::{
    ALARMS, Alarm, AlarmRecord, AlarmSet, Cleared, Event, Level, Movement, Reason, Sense,
};
