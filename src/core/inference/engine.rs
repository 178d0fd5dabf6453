//! The port to an inference engine: memory that is bound once and reused.
//!
//! The core fills inputs and reads outputs through [`Engine`]; who runs the model, and where, is
//! the engine's affair. All memory belongs to the engine and is allocated when it opens.

use super::device::DeviceMemory;
use super::tensor::{ModelInfo, TensorMut};
use crate::core::geometry::Size;

/// Why an engine could not be opened or run. Texts name the cause; `remedy` says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The file is not there.
    #[error("model file '{path}' does not exist")]
    NotFound {
        /// As given.
        path: String,
    },
    /// The file is there and is no model that can be loaded.
    #[error("cannot load '{path}': {reason}")]
    Load {
        /// As given.
        path: String,
        /// What the runtime or the check said.
        reason: String,
    },
    /// The inference runtime itself is missing, too old or broken.
    #[error("{reason}. {remedy}")]
    Runtime {
        /// What was tried and what happened.
        reason: String,
        /// How to get a good one.
        remedy: String,
    },
    /// The execution provider that was asked for is not to be had.
    #[error("execution provider '{provider}': {reason}. {remedy}")]
    Provider {
        /// Its nick.
        provider: String,
        /// What is missing.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// The model has a type or a shape that no code path serves.
    #[error("unsupported model: {0}")]
    Unsupported(String),
    /// The run failed.
    #[error("inference failed: {0}")]
    Run(String),
}

/// A model ready to run: shapes fixed, memory bound.
pub trait Engine: Send {
    /// What the file declares.
    fn info(&self) -> &ModelInfo;

    /// Nick of the execution provider that runs it (`cpu`, `cuda`, ...).
    fn provider(&self) -> &str;

    /// The most items that one [`run`](Self::run) takes.
    fn max_batch(&self) -> usize;

    /// Shape of input `index` as bound, the batch dimension being [`max_batch`](Self::max_batch).
    fn input_shape(&self, index: usize) -> &[usize];

    /// Shape of output `index` as bound (the batch dimension, where there is one, being
    /// [`max_batch`](Self::max_batch)).
    fn output_shape(&self, index: usize) -> &[usize];

    /// Memory of input `index` for the whole batch.
    fn input(&mut self, index: usize) -> TensorMut<'_>;

    /// Fixes another height and width where the file leaves them open, for detectors whose input
    /// follows the frame; a side that the file fixes stays. Allocates anew; after an error
    /// everything is as it was.
    ///
    /// # Errors
    /// Where the engine cannot, or the model does not run with that size.
    fn resize(&mut self, size: Size) -> Result<(), EngineError> {
        Err(EngineError::Unsupported(format!("'{}' cannot be resized to {size}", self.info().name)))
    }

    /// Runs the first `batch` items. `batch` is 1..=[`max_batch`](Self::max_batch); a model with a
    /// fixed batch runs all of its slots and the rest is ignored.
    fn run(&mut self, batch: usize) -> Result<(), EngineError>;

    /// Number of the device in whose memory inputs may be filled; `None` where they are the host's.
    fn device(&self) -> Option<u32> {
        None
    }

    /// Memory of input `index` on that device, for a run of `batch` items of
    /// [`run_on_device`](Self::run_on_device). It stays where it is until the engine is dropped or
    /// resized.
    ///
    /// # Errors
    /// Where there is no device, or it has no memory left.
    fn device_input(&mut self, index: usize, batch: usize) -> Result<DeviceMemory, EngineError> {
        let _ = (index, batch);
        Err(EngineError::Unsupported(format!("'{}' has its inputs in the host", self.info().name)))
    }

    /// As [`run`](Self::run), with the inputs in the device's memory. What is in it must be there
    /// when this is called.
    ///
    /// # Errors
    /// As [`run`](Self::run), and where there is no device.
    fn run_on_device(&mut self, batch: usize) -> Result<(), EngineError> {
        let _ = batch;
        Err(EngineError::Unsupported(format!("'{}' has its inputs in the host", self.info().name)))
    }

    /// Output `index` of the last run as 32-bit floats, batch first; at least `batch` items.
    fn output(&self, index: usize) -> &[f32];
}
