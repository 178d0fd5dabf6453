//! Models made ready to run: the only code that names ONNX Runtime.
//!
//! [`open`] gives any model behind the core's [`Engine`](crate::core::tensor::Engine) port,
//! [`open_model`] a gaze model together with its profile and decoder. The runtime itself is a
//! library that is found and loaded by the first call ([`runtime`]).

mod file;
mod open;
pub mod provider;
pub mod runtime;
pub mod session;
mod tensors;

pub use open::{OpenError, OpenModel, open_model, sidecars};

use std::path::Path;
use std::thread;

use provider::ExecutionProvider;
use session::{Model, OrtEngine};

use crate::core::geometry::Size;
use crate::core::tensor::EngineError;

/// How a model is to run.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineOptions {
    /// Who computes.
    pub provider: ExecutionProvider,
    /// Threads that compute one run, the calling one among them; 0 chooses
    /// ([`automatic_threads`]).
    pub threads: usize,
    /// The most items of one run, where the model leaves its batch open; a model with a fixed
    /// batch keeps its own.
    pub batch_size: usize,
    /// Whether idle threads spin while they wait. It makes a run a little faster and burns a core
    /// between runs, which decoders and encoders then lack. Without a second thread it is
    /// without effect.
    pub spin: bool,
    /// Height and width where the model leaves them open.
    pub input_size: Option<Size>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            provider: ExecutionProvider::Auto,
            threads: 0,
            batch_size: 1,
            spin: false,
            input_size: None,
        }
    }
}

impl EngineOptions {
    fn effective_threads(&self) -> usize {
        match self.threads {
            0 => automatic_threads(thread::available_parallelism().map_or(1, usize::from)),
            threads => threads,
        }
    }
}

/// Threads for one model on a machine with `cores`: half of them, 1 to 4.
///
/// A pipeline decodes and converts beside the model. A thread that has to wait for a core holds up
/// the others of its run: on a two-core machine with one core busy, MobileGaze S0 takes 11 to 15 ms
/// with one thread and 23 ms with two, and 6 ms with two only where nothing else runs. Beyond four
/// threads nets of this size gain little.
pub fn automatic_threads(cores: usize) -> usize {
    (cores / 2).clamp(1, 4)
}

/// Opens a model file, `.onnx` or `.ort`.
///
/// # Errors
/// [`EngineError`], saying what is wrong with the file, the runtime, the provider or the model.
pub fn open(path: impl AsRef<Path>, options: &EngineOptions) -> Result<OrtEngine, EngineError> {
    bind(Model::load(path.as_ref(), options)?, options)
}

/// Opens a model from memory; `name` stands for its path in messages.
///
/// # Errors
/// As [`open`].
pub fn open_bytes(
    name: &str,
    bytes: &[u8],
    options: &EngineOptions,
) -> Result<OrtEngine, EngineError> {
    bind(Model::from_bytes(name, bytes, options)?, options)
}

fn bind(model: Model, options: &EngineOptions) -> Result<OrtEngine, EngineError> {
    let items = model.item_shapes(options.input_size)?;
    model.bind(&items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_machine_keeps_a_core_for_the_rest_of_the_pipeline() {
        let threads = [1, 2, 4, 6, 8, 64].map(automatic_threads);
        assert_eq!(threads, [1, 1, 2, 3, 4, 4]);
    }
}
