//! The alarms, which of them are on, and the driver's state that follows from them.

pub mod active_alarms;
pub mod alarm;
pub mod attention;
pub mod event;
