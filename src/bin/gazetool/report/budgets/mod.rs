//! The project's budgets, and whether a recording keeps them.
//!
//! ```text
//! JSON lines --> recorded_frame --> recording_time --> frames lost, restarts, uptime --> evidence --> Finding
//!                    |------> latency, the monitor's delays                          -->
//!                    `------> time_buckets, heat_map: the plots
//! two recordings --> face_pairs --> accuracy loss    memory --> linear_fit    power  -->
//! ```
//!
//! **The budgets are this project's.** None of them is a clause of Euro NCAP, of (EU) 2023/2590 or
//! of UN R171, and a report that passes them is no assessment under these.
//!
//! | budget | limit |
//! |---|---|
//! | latency from capture to metadata | p99 below 30 ms |
//! | gaze off the road to zone change, plus threshold to message | below 2 s |
//! | accuracy loss against the reference engine | mean below 1 degree |
//! | power above idle | mean below 5 W |
//! | stability | 24 h without a break, no restart, below 0.1 % of the frames lost, memory grows by less than 1 MB an hour |
//!
//! A budget without a measurement neither passes nor fails. Memory does not grow with the recording,
//! except for eight bytes per face of a comparison.

pub mod evidence;
#[cfg(test)]
mod evidence_tests;
pub mod face_pairs;
pub mod finding;
pub mod format;
pub mod heat_map;
pub mod limits;
mod linear_fit;
pub mod mean_power;
pub mod memory;
pub mod recorded_frame;
mod recording_time;
pub mod tally;
#[cfg(test)]
mod tally_tests;
pub mod time_buckets;
