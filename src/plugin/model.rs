//! Opening a model for an element: settings in, an estimator or an error message out.

use std::path::Path;

use super::enums::ExecutionProvider;
use super::errors::engine_error;
use crate::core::estimator::GazeEstimator;
use crate::engine;

/// How to run a model.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Who runs it.
    pub provider: ExecutionProvider,
    /// Threads on the CPU; 0 is automatic.
    pub threads: u32,
    /// Most items in one run, where the model leaves it open.
    pub batch_size: u32,
}
