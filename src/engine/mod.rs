//! Models made ready to run: the only code that names ONNX Runtime.
//!
//! [`open`] gives any model behind the core's [`Engine`](crate::core::inference::Engine) port,
//! [`open_model`] a gaze model together with its profile and decoder, [`open_embedded`] the one that
//! is compiled in, [`open_any`] a model of which
//! nobody said what it is for; [`Contents`] looks into a file without a runtime. The runtime itself is a
//! library that is found and loaded by the first call ([`runtime`]).

mod any_model;
mod batcher;
mod cache;
mod compile;
mod contents;
mod device;
mod diagnostics;
pub mod embedded;
mod fair_lock;
mod file;
mod gaze_model;
pub mod model;
mod placement;
pub mod provider;
pub mod runtime;
pub mod session;
mod shapes;
mod shared;
mod tensors;
pub mod trace;

pub use any_model::{AnyModel, Role, open_any};
pub use cache::EngineCache;
pub use compile::compile;
pub use contents::Contents;
pub use diagnostics::{Diagnostic, Opened};
pub use gaze_model::{OpenError, OpenModel, open_embedded, open_model, profile_of, sidecars};
pub use shared::open_sessions;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use diagnostics::Diagnostics;
use model::Model;
use provider::qnn::QnnBackend;
use provider::{ExecutionProvider, Precision};
use session::OrtEngine;

use crate::core::geometry::Size;
use crate::core::inference::EngineError;

/// How a model is to run.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Who computes.
    pub provider: ExecutionProvider,
    /// Which of several devices of the provider.
    pub device_id: u32,
    /// With which numbers.
    pub precision: Precision,
    /// Where compiled models are kept.
    pub cache: EngineCache,
    /// Which part of a Qualcomm chip, for [`ExecutionProvider::Qnn`].
    pub qnn_backend: QnnBackend,
    /// Further options, as the provider names them.
    pub provider_options: Vec<(String, String)>,
    /// Whether the CPU may run what the provider cannot.
    pub allow_fallback: bool,
    /// Engines with the same model and the same options share one session; those with another
    /// instance do not. Of one instance, all must have the same model and options.
    pub instance: Option<Arc<str>>,
    /// Whether this engine takes the place of another of its instance, which may have another model.
    pub replaces: bool,
    /// Threads that compute one run, the calling one among them; 0 chooses
    /// ([`automatic_threads`]).
    pub threads: usize,
    /// The most items of one run, where the model leaves its batch open; a model with a fixed
    /// batch keeps its own.
    pub batch_size: usize,
    /// The batch that an engine was compiled for elsewhere (TensorRT, QNN), whose file does not tell.
    pub engine_batch: usize,
    /// How long a run waits for those of other engines with the same session, to run with them in one
    /// batch; zero gathers nothing.
    pub batch_timeout: Duration,
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
            device_id: 0,
            precision: Precision::Auto,
            cache: EngineCache::User,
            qnn_backend: QnnBackend::Htp,
            provider_options: Vec::new(),
            allow_fallback: false,
            instance: None,
            replaces: false,
            threads: 0,
            batch_size: 1,
            engine_batch: 1,
            batch_timeout: Duration::ZERO,
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
pub fn open(path: impl AsRef<Path>, options: &EngineOptions) -> Opened<OrtEngine, EngineError> {
    Opened::collect(|diagnostics| bind(Model::load(path.as_ref(), options)?, options, diagnostics))
}

/// Opens a model from memory; `name` stands for its path in messages.
///
/// # Errors
/// As [`open`].
pub fn open_bytes(
    name: &str,
    bytes: &[u8],
    options: &EngineOptions,
) -> Opened<OrtEngine, EngineError> {
    Opened::collect(|diagnostics| {
        bind(Model::from_bytes(name, bytes, options)?, options, diagnostics)
    })
}

fn bind(
    model: Model,
    options: &EngineOptions,
    diagnostics: &Diagnostics,
) -> Result<OrtEngine, EngineError> {
    let items = model.item_shapes(options.input_size)?;
    model.bind(&items, diagnostics)
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
