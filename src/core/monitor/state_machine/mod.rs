//! The machine that joins signals, zones, rules and alarms.
//!
//! | module | says |
//! |---|---|
//! | `monitor` | the monitor's settings and state |
//! | `advance` | lets the time between two frames pass |
//! | `observe` | takes what a frame shows of the driver |
//! | `apply_rules` | evaluates the rules, raises and clears alarms |
//! | `reset` | forgets: jumps in time, another driver, a driver out of sight |
//! | `snapshot` | the driver's attention at the last frame |

mod advance;
mod apply_rules;
pub mod monitor;
mod observe;
mod reset;
mod snapshot;
