//! The measurements that the report judges.

use super::budgets::evidence::{Accuracy, PowerAboveIdle};
use super::budgets::tally::Tally;
use super::document::Input;
use super::process::ProcessUsage;

/// The measurements of a recording or a run. An `Err` says why one is missing.
pub struct Measured {
    pub input: Input,
    pub tally: Tally,
    pub accuracy: Result<Accuracy, String>,
    pub power: Result<PowerAboveIdle, String>,
    pub usage: Result<ProcessUsage, String>,
    pub ended_badly: Option<String>,
}
