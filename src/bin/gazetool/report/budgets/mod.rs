//! Whether a recording keeps the project's budgets.
//!
//! ```text
//! JSON lines --> recorded --> timeline --> frames lost, restarts, uptime  --> budget --> Finding
//!                    |------> latency, the monitor's delays               -->
//!                    `------> binned, heat: what plots show
//! two recordings --> pairs -> accuracy loss   memory -> slope   power     -->
//! ```
//!
//! **The budgets are this project's.** None of them is a clause of Euro NCAP, of (EU) 2023/2590 or
//! of UN R171, and a report that passes them is no assessment by anybody.
//!
//! | budget | limit |
//! |---|---|
//! | latency from capture to metadata | p99 below 30 ms |
//! | gaze off the road to zone change, plus threshold to message | below 2 s |
//! | accuracy loss against the reference engine | mean below 1 degree |
//! | power above idle | mean below 5 W |
//! | stability | 24 h in one piece, no restart, below 0.1 % of the frames lost, memory grows by less than 1 MB an hour |
//!
//! What was not measured is said to be so: it neither passes nor fails. Memory does not grow with
//! the recording, but for eight bytes for each face of a comparison.

pub mod binned;
pub mod budget;
#[cfg(test)]
mod budget_tests;
pub mod heat;
pub mod memory;
pub mod pairs;
pub mod power;
pub mod recorded;
pub mod slope;
pub mod tally;
#[cfg(test)]
mod tally_tests;
pub mod timeline;
pub mod words;

pub use budget::{Evidence, Finding, Verdict};
pub use memory::MemoryRecord;
pub use recorded::Recorded;
pub use tally::Tally;
