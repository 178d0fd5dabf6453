//! A model on a provider that is to run it: its shapes, its session, its errors.

use std::ffi::OsString;

use ort::compiler::{CompiledModel, ModelCompiler};
use ort::session::Session;
use ort::session::builder::SessionBuilder;

use super::diagnostics::Diagnostics;
use super::file_format::FileFormat;
use super::log;
use super::model_source::ModelSource;
use super::options::EngineOptions;
use super::provider::configured::Configured;
use super::provider::kind::{ExecutionProvider, QnnBackend};
use super::provider::options::Task;
use super::runtime::Runtime;
use super::user_file;
use crate::core::inference::EngineError;
use crate::core::onnx::{Dimension, OnnxModel};

/// The most bytes of a calibration table, which has a line for each tensor.
const MAX_COMPANION: u64 = 64 << 20;

/// The settings of every session.
pub(super) fn session_builder(
    runtime: &Runtime,
    format: FileFormat,
    options: &EngineOptions,
) -> ort::Result<SessionBuilder> {
    let builder = Session::builder(runtime.environment())?
        .with_config_entry("session.load_model_format", format.config_value())?
        .with_intra_threads(options.effective_threads())?
        .with_inter_threads(1)?
        // Threads that spin burn what decoders and encoders need: with two threads and a face every
        // 33 ms, MobileGaze S0 took 13 ms per run either way, but 139 % of a core instead of 74 %.
        .with_intra_op_spinning(false)?
        // On x86 without VNNI, ONNX Runtime's fastest 8-bit products saturate at 16 bits: the embedded
        // INT8 model was off by 1.9 degrees on a Zen 3, and by 0.3 with products that do not. Other
        // machines ignore the entry (kOrtSessionOptionsAvx2PrecisionMode).
        .with_config_entry("session.x64quantprecision", "1")?
        .with_log_level(log::level().into())?;
    options.cancel.watch(&builder);
    match &options.trace {
        Some(prefix) => Ok(builder.with_profiling(prefix)?),
        None => Ok(builder),
    }
}

/// The shapes with which a model opens.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    /// Names and shapes of the inputs, with the largest batch.
    pub(super) inputs: Vec<(String, Vec<usize>)>,
    /// Sizes of open dimensions, by the names of these, if the provider needs them.
    pub(super) sizes: Vec<(String, usize)>,
}

/// A model on a provider that is to run it.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) source: &'a ModelSource,
    pub(super) options: &'a EngineOptions,
    pub(super) provider: ExecutionProvider,
    pub(super) diagnostics: &'a Diagnostics,
}

impl Candidate<'_> {
    pub(super) fn task<'t>(&'t self, inputs: &'t [(String, Vec<usize>)]) -> Task<'t> {
        Task {
            options: self.options,
            inputs,
            free_batch: is_batch_free(&self.source.declared),
            quantised: self.source.declared.is_qdq(),
            compiled: !self.source.declared.compiled.is_empty(),
            folder: None,
        }
    }

    /// The shapes with which the model opens. A provider that compiles for one batch gets a batch of one
    /// if the model leaves it open: most frames have one face, and each run would cost the whole batch.
    pub(super) fn shapes(&self, items: &[Vec<usize>]) -> Shapes {
        let fixed = self.provider.needs_fixed_shapes();
        let batch = if fixed { 1 } else { self.options.batch_size.max(1) };
        let mut shapes = Shapes::default();
        for (input, item) in self.source.declared.inputs.iter().zip(items) {
            let batch = input.shape.first().and_then(Dimension::size).unwrap_or(batch);
            let shape: Vec<usize> = [batch].iter().chain(item).copied().collect();
            for (dimension, size) in input.shape.iter().zip(&shape) {
                match dimension {
                    Dimension::Open(name) if fixed && !name.is_empty() => {
                        shapes.sizes.push((name.clone(), *size));
                    }
                    _ => {}
                }
            }
            shapes.inputs.push((input.name.clone(), shape));
        }
        shapes
    }

    /// The settings of its session.
    pub(super) fn session_builder(
        &self,
        configured: &Configured,
        sizes: &[(String, usize)],
    ) -> Result<SessionBuilder, EngineError> {
        let mut builder = session_builder(self.runtime, self.source.format, self.options)
            .map_err(|why| self.source.error(why.to_string()))?;
        for (name, size) in sizes {
            builder = builder
                .with_dimension_override(name, *size as i64)
                .map_err(|why| self.source.error(why.message()))?;
        }
        configured.register(self.runtime, builder)
    }

    /// Name and content of the file on which the model's compiled form depends.
    ///
    /// # Errors
    /// [`EngineError::Load`] if the file cannot be read.
    pub(super) fn companion(&self) -> Result<Option<(OsString, Vec<u8>)>, EngineError> {
        let Some(path) = self.provider.companion(&self.options.provider_options) else {
            return Ok(None);
        };
        let (bytes, _) = user_file::read(&path, MAX_COMPANION)
            .map_err(|why| self.source.error(format!("'{}': {why}", path.display())))?;
        Ok(Some((path.file_name().unwrap_or_default().to_owned(), bytes)))
    }

    /// Opens a session.
    pub(super) fn commit(
        &self,
        configured: &Configured,
        sizes: &[(String, usize)],
    ) -> Result<Session, EngineError> {
        let builder = self.session_builder(configured, sizes)?;
        self.source.commit(builder).map_err(|why| self.explain(why.message()))
    }

    /// The error for a message of ONNX Runtime on opening a session.
    pub(super) fn explain(&self, message: &str) -> EngineError {
        // The text of `session.disable_cpu_ep_fallback`; its status code is a general one.
        if message.contains("fallback to CPU EP has been explicitly disabled") {
            let shown = &self.source.shown;
            if self.options.provider == ExecutionProvider::Auto {
                // The owner of such a device would not look for the reason in a log.
                self.diagnostics.warning(format!(
                    "{} is present but cannot run all of '{shown}', so another provider runs it. With \
                     execution-provider={} allow-fallback=true it runs what it can",
                    self.provider, self.provider
                ));
            }
            let unless = match (self.provider, self.options.qnn_backend) {
                (ExecutionProvider::Qnn, backend) if backend != QnnBackend::Htp => format!(
                    ", unless its backend '{}' does not start at all (GST_DEBUG=onnxruntime:3 says)",
                    backend.nick()
                ),
                _ => String::new(),
            };
            return EngineError::Provider {
                provider: self.provider.nick().to_owned(),
                reason: format!(
                    "it cannot run all of '{shown}', and the rest would go to the CPU{unless}"
                ),
                remedy: "Set allow-fallback=true to let the CPU run the rest, or use \
                         execution-provider=cpu"
                    .to_owned(),
            };
        }
        match self.source.declared.compiled.first().map(|part| &part.source) {
            Some(owner) if message.contains("EPContext") => {
                let reason = format!("it was compiled for '{owner}', not for {}", self.provider);
                self.source.error(reason)
            }
            _ => {
                let message = format!("execution provider '{}': {message}", self.provider);
                self.source.refused(self.runtime, &message)
            }
        }
    }

    /// Compiles the model.
    pub(super) fn compile(
        &self,
        configured: &Configured,
        sizes: &[(String, usize)],
    ) -> Result<CompiledModel, EngineError> {
        self.compiler(self.session_builder(configured, sizes)?)
            .and_then(|compiler| compiler.compile_to_buffer())
            .map_err(|why| self.explain(why.message()))
    }

    fn compiler(&self, builder: SessionBuilder) -> ort::Result<ModelCompiler<'_>> {
        let builder = self.source.with_weights(builder)?;
        let compiler = ModelCompiler::new(builder)?.with_embed_ep_context()?;
        compiler.with_model_from_memory(&self.source.bytes)
    }
}

/// Whether the inputs leave the batch open.
fn is_batch_free(model: &OnnxModel) -> bool {
    let mut batches = model.inputs.iter().filter_map(|input| input.shape.first());
    batches.any(|batch| batch.size().is_none())
}
