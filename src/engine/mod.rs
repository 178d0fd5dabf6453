//! Models made ready to run: the only code that names ONNX Runtime.
//!
//! [`open`] gives any model behind the core's [`Engine`](crate::core::tensor::Engine) port,
//! [`open_model`] a gaze model together with its profile and decoder, [`open_any`] a model of which
//! nobody said what it is for; [`Contents`] looks into a file without a runtime. The runtime itself is a
//! library that is found and loaded by the first call ([`runtime`]).

mod any_model;
mod contents;
mod file;
mod gaze_model;
pub mod provider;
pub mod runtime;
pub mod session;
mod tensors;
pub mod trace;

pub use any_model::{AnyModel, Role, open_any};
pub use contents::Contents;
pub use gaze_model::{OpenError, OpenModel, open_model, profile_of, sidecars};

use std::path::{Path, PathBuf};
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
    /// Whether idle threads spin while they wait. It burns what decoders and encoders need: with
    /// two threads and a face every 33 ms, MobileGaze S0 took the same 13 ms per run either way,
    /// but 139 % of a core in place of 74 %. Without effect with one thread.
    pub spin: bool,
    /// Height and width where the model leaves them open.
    pub input_size: Option<Size>,
    /// Where ONNX Runtime notes what each node does and takes ([`trace`]): the beginning of the
    /// file's path. For tools; it slows runs down and the file grows.
    pub trace: Option<PathBuf>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            provider: ExecutionProvider::Auto,
            threads: 0,
            batch_size: 1,
            spin: false,
            input_size: None,
            trace: None,
        }
    }
}

impl EngineOptions {
    /// Threads as they are chosen where nobody did.
    pub fn effective_threads(&self) -> usize {
        match self.threads {
            0 => automatic_threads(thread::available_parallelism().map_or(1, usize::from)),
            threads => threads,
        }
    }
}

/// Threads for one model on a machine with `cores`: all of one or two, else all but one, 4 at most.
///
/// A pipeline decodes and converts beside the model, and a run waits for the last of its threads,
/// so that one core is left where there are three or more. With two cores a second thread pays as
/// long as it does not spin: MobileGaze S0 (448x448) on two cores, one face every 33 ms, took
/// 22 ms with one thread and 13 ms with two on a quiet machine, about 36 and 28 to 39 ms on a busy
/// one, and 63 ms there with two that spin. Beyond four, nets of this size gain little.
pub fn automatic_threads(cores: usize) -> usize {
    match cores {
        0..=2 => cores.max(1),
        _ => (cores - 1).min(4),
    }
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
    fn from_three_cores_on_one_is_left_to_the_rest_of_the_pipeline() {
        let threads = [0, 1, 2, 3, 4, 5, 64].map(automatic_threads);
        assert_eq!(threads, [1, 1, 2, 2, 3, 4, 4]);
    }
}
