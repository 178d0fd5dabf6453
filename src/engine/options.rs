//! Settings of an engine.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::cache::location::EngineCache;
use super::cancel::Cancel;
use super::provider::kind::{ExecutionProvider, Precision, QnnBackend};
use crate::core::geometry::Size;

/// How a model runs.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// What computes the model.
    pub provider: ExecutionProvider,
    /// The number of the provider's device.
    pub device_id: u32,
    /// The number format that it computes with.
    pub precision: Precision,
    /// Where compiled models are kept.
    pub cache: EngineCache,
    /// The part of a Qualcomm chip that computes, for [`ExecutionProvider::Qnn`].
    pub qnn_backend: QnnBackend,
    /// Further options, as the provider names them.
    pub provider_options: Vec<(String, String)>,
    /// Whether the CPU may run what the provider cannot.
    pub allow_fallback: bool,
    /// Engines with the same model, options and instance share one session. All engines of one instance
    /// must have the same model and options.
    pub instance: Option<Arc<str>>,
    /// Whether this engine replaces another of its instance, which may have another model.
    pub replaces: bool,
    /// Threads that compute one run, the calling one among them; 0 is automatic
    /// ([`automatic_threads`]).
    pub threads: usize,
    /// The most items of one run, where the model leaves its batch open; a model with a fixed
    /// batch keeps its own.
    pub batch_size: usize,
    /// The batch of a compiled engine (TensorRT, QNN), whose file does not tell it.
    pub engine_batch: usize,
    /// How long a run waits for runs of other engines with the same session, to join them in one batch;
    /// zero disables this.
    pub batch_timeout: Duration,
    /// Height and width where the model leaves them open.
    pub input_size: Option<Size>,
    /// The beginning of the path of a file in which ONNX Runtime records what each node does and how
    /// long it takes (`PlacementTrace`). For tools: it slows runs down, and the
    /// file grows.
    pub trace: Option<PathBuf>,
    /// Ends the opening from another thread.
    pub cancel: Cancel,
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
            cancel: Cancel::default(),
        }
    }
}

impl EngineOptions {
    /// The number of threads; the automatic one for 0.
    pub fn effective_threads(&self) -> usize {
        match self.threads {
            0 => automatic_threads(thread::available_parallelism().map_or(1, usize::from)),
            threads => threads,
        }
    }
}

/// Threads for one model on a machine with `cores`: all of one or two, else all but one, at most 4.
///
/// A pipeline decodes and converts beside the model, and a run waits for the last of its threads.
/// Three or more cores therefore leave one free. With two cores a second thread pays as long as it
/// does not spin: MobileGaze S0 (448x448) on two cores, one face every 33 ms, took
/// 22 ms with one thread and 13 ms with two on a quiet machine, about 36 and 28 to 39 ms on a busy
/// one, and 63 ms there with two that spin. Beyond four, nets of this size gain little.
pub fn automatic_threads(cores: usize) -> usize {
    match cores {
        0..=2 => cores.max(1),
        _ => (cores - 1).min(4),
    }
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
