//! The port to an inference engine, whose memory is bound once and reused.
//!
//! The core fills inputs and reads outputs through [`Engine`]. The engine decides what runs the model
//! and where; it owns all memory and allocates it when it opens.

use super::device::DeviceMemory;
use super::tensor::{ModelInfo, TensorMut};
use crate::core::geometry::rect::Size;

/// Why an engine did not open or run. `reason` is the cause, `remedy` says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The file does not exist.
    #[error("model file '{path}' does not exist")]
    NotFound {
        /// Path as given.
        path: String,
    },
    /// The file exists but does not load as a model.
    #[error("cannot load '{path}': {reason}")]
    Load {
        /// Path as given.
        path: String,
        /// The message of the runtime or of the check.
        reason: String,
    },
    /// The inference runtime itself is missing, too old or broken.
    #[error("{reason}. {remedy}")]
    Runtime {
        /// The attempt and its result.
        reason: String,
        /// How to install a good one.
        remedy: String,
    },
    /// The execution provider that the user asked for is not available.
    #[error("execution provider '{provider}': {reason}. {remedy}")]
    Provider {
        /// Its nick.
        provider: String,
        /// What is missing.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// The model has a type or a shape that is not supported.
    #[error("unsupported model: {0}")]
    Unsupported(String),
    /// The inference failed.
    #[error("inference failed: {0}")]
    Run(String),
}

/// A model that is ready to run: its shapes are fixed and its memory is bound.
pub trait Engine: Send {
    /// What the model file declares.
    fn info(&self) -> &ModelInfo;

    /// Nick of the execution provider that runs the model (`cpu`, `cuda`, ...).
    fn provider(&self) -> &str;

    /// The most items of one [`run`](Self::run).
    fn max_batch(&self) -> usize;

    /// Shape of input `index` as bound; its batch dimension is [`max_batch`](Self::max_batch).
    fn input_shape(&self, index: usize) -> &[usize];

    /// Shape of output `index` as bound; its batch dimension, if it has one, is
    /// [`max_batch`](Self::max_batch).
    fn output_shape(&self, index: usize) -> &[usize];

    /// Memory of input `index` for the whole batch.
    fn input(&mut self, index: usize) -> TensorMut<'_>;

    /// Sets another height and width where the file leaves them open, for detectors whose input
    /// follows the frame. A side that the file fixes stays. It allocates again, and changes nothing
    /// when it fails.
    ///
    /// # Errors
    /// Fails where the engine has no such feature, or the model does not run at that size.
    fn resize(&mut self, size: Size) -> Result<(), EngineError> {
        Err(EngineError::Unsupported(format!(
            "'{}' cannot change its input to {size}; use a model or an engine with a free input size",
            self.info().name
        )))
    }

    /// Runs the first `batch` items, 1..=[`max_batch`](Self::max_batch). A model with a fixed batch
    /// runs all of its slots.
    fn run(&mut self, batch: usize) -> Result<(), EngineError>;

    /// Number of the device that holds the inputs; `None` where the host holds them.
    fn device(&self) -> Option<u32> {
        None
    }

    /// Why the host holds the inputs although a device with its own memory runs the model; `None` where
    /// that is not so.
    fn device_refusal(&self) -> Option<&'static str> {
        None
    }

    /// Memory of input `index` on that device, for [`run_on_device`](Self::run_on_device) with `batch`
    /// items. Its address holds until the engine is dropped or resized.
    ///
    /// # Errors
    /// Fails where the engine has no device, or the device has no memory left.
    fn device_input(&mut self, index: usize, batch: usize) -> Result<DeviceMemory, EngineError> {
        let _ = (index, batch);
        Err(EngineError::Unsupported(format!(
            "'{}' has its inputs in host memory",
            self.info().name
        )))
    }

    /// Like [`run`](Self::run), with the inputs in the device's memory. The caller has filled them.
    ///
    /// # Errors
    /// Fails like [`run`](Self::run), and where the engine has no device.
    fn run_on_device(&mut self, batch: usize) -> Result<(), EngineError> {
        let _ = batch;
        Err(EngineError::Unsupported(format!(
            "'{}' has its inputs in host memory",
            self.info().name
        )))
    }

    /// Output `index` of the last run as 32-bit floats, batch first, with at least `batch` items.
    fn output(&self, index: usize) -> &[f32];
}
