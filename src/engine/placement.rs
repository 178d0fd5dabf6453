//! A model on a provider: the provider is chosen, the session opened, and what was compiled is
//! taken from the cache or put into it.

use std::path::{Path, PathBuf};

use ort::compiler::{CompiledModel, ModelCompiler};
use ort::session::Session;
use ort::session::builder::SessionBuilder;

use super::EngineOptions;
use super::cache::{self, Folder, Found, Identity, Slot};
use super::diagnostics::Diagnostics;
use super::file::Format;
use super::provider::options::Task;
use super::provider::qnn::QnnBackend;
use super::provider::{self, Configured, ExecutionProvider};
use super::runtime::{self, Runtime};
use crate::core::inference::EngineError;
use crate::core::onnx::{Dimension, OnnxModel};

/// Why the CPU does not run a model that holds what another provider compiled.
const COMPILED: &str = "it was compiled for another execution provider: name that one, or give the \
                        model that it was made of";

/// A model file, or a model in memory.
#[derive(Debug)]
pub(super) struct Source {
    /// Its name for people.
    pub(super) name: String,
    /// What stands for its path in messages.
    pub(super) shown: String,
    pub(super) format: Format,
    /// Where it is, so that files beside it are found; `None` in memory.
    pub(super) path: Option<PathBuf>,
    /// Its content; empty for a file that was not read.
    pub(super) bytes: Vec<u8>,
}

impl Source {
    fn error(&self, reason: impl Into<String>) -> EngineError {
        EngineError::Load { path: self.shown.clone(), reason: reason.into() }
    }

    fn commit(&self, mut builder: SessionBuilder) -> ort::Result<Session> {
        match &self.path {
            Some(path) => builder.commit_from_file(path),
            None => builder.commit_from_memory(&self.bytes),
        }
    }

    /// Files that hold weights, relative to the model.
    fn beside(&self, model: &OnnxModel) -> Vec<PathBuf> {
        let dir = self.path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        model.external_files.iter().map(|file| dir.join(file)).collect()
    }
}

/// Opens a session on the CPU, without more options than the session's own.
///
/// # Errors
/// [`EngineError::Load`] with what ONNX Runtime says.
pub(super) fn open_on_cpu(
    runtime: &Runtime,
    source: &Source,
    options: &EngineOptions,
) -> Result<Session, EngineError> {
    let builder = builder(runtime, source.format, options)
        .and_then(|builder| provider::cpu(runtime, builder))
        .map_err(|why| source.error(why.to_string()))?;
    source.commit(builder).map_err(|why| {
        let message = why.message();
        // A compiled model's only node, for which the CPU has no kernel.
        if message.contains("EPContext") {
            return source.error(COMPILED);
        }
        source.error(message)
    })
}

fn builder(
    runtime: &Runtime,
    format: Format,
    options: &EngineOptions,
) -> ort::Result<SessionBuilder> {
    let builder = Session::builder(runtime.environment())?
        .with_config_entry("session.load_model_format", format.config_value())?
        .with_intra_threads(options.effective_threads())?
        .with_inter_threads(1)?
        // Threads that spin burn what decoders and encoders need: with two threads and a face every
        // 33 ms, MobileGaze S0 took 13 ms per run either way, but 139 % of a core instead of 74 %.
        .with_intra_op_spinning(false)?
        .with_log_level(runtime::log_level().into())?;
    match &options.trace {
        Some(prefix) => Ok(builder.with_profiling(prefix)?),
        None => Ok(builder),
    }
}

/// Opens a session on the provider that the options name, or on the best one.
///
/// # Errors
/// [`EngineError::Provider`] where a provider that was asked for is not to be had or would leave a
/// part of the model to the CPU, [`EngineError::Load`] where the model is refused.
pub(super) fn open(
    runtime: &Runtime,
    source: &Source,
    declared: &OnnxModel,
    options: &EngineOptions,
    items: &[Vec<usize>],
    diagnostics: &Diagnostics,
) -> Result<(Session, ExecutionProvider), EngineError> {
    let asked = options.provider;
    if asked == ExecutionProvider::Auto && !options.provider_options.is_empty() {
        return Err(EngineError::Provider {
            provider: asked.nick().to_owned(),
            reason: "provider-options belong to one provider".to_owned(),
            remedy: "Name it with execution-provider".to_owned(),
        });
    }
    let mut last = None;
    for provider in asked.candidates(runtime) {
        let place = Place { runtime, source, declared, options, provider, diagnostics };
        match place.open(items) {
            Ok(session) => {
                diagnostics.info(format!("'{}' runs on {provider}", source.shown));
                return Ok((session, provider));
            }
            Err(why) if asked == ExecutionProvider::Auto => {
                diagnostics.info(format!("passed over: {why}"));
                last = Some(why);
            }
            Err(why) => return Err(why),
        }
    }
    Err(last.unwrap_or_else(|| source.error("there is no execution provider")))
}

/// Compiles a model for the provider that the options name; the result is a model of its own.
///
/// # Errors
/// As [`open`]; [`EngineError::Provider`] for a provider that gives nothing out.
pub(super) fn compile(
    runtime: &Runtime,
    source: &Source,
    declared: &OnnxModel,
    options: &EngineOptions,
    items: &[Vec<usize>],
    diagnostics: &Diagnostics,
) -> Result<Vec<u8>, EngineError> {
    if let Some(part) = declared.compiled.first() {
        return Err(source.error(format!("it is compiled already, for '{}'", part.source)));
    }
    let place =
        Place { runtime, source, declared, options, provider: options.provider, diagnostics };
    let Shapes { inputs, sizes } = place.shapes(items);
    let configured = place.provider.configure(runtime, &place.task(&inputs))?;
    let alone = configured.alone();
    let compiled = place.compile(&configured, &sizes)?;
    configured.opened();
    drop(alone);
    Ok(compiled.to_vec())
}

/// What is known of a model's shapes when it is opened.
#[derive(Debug, Default)]
struct Shapes {
    /// Names and shapes of the inputs, with the largest batch.
    inputs: Vec<(String, Vec<usize>)>,
    /// Sizes that take the place of open dimensions, by the names of these, where the provider
    /// needs them.
    sizes: Vec<(String, usize)>,
}

/// One model on one provider.
#[derive(Clone, Copy)]
struct Place<'a> {
    runtime: &'a Runtime,
    source: &'a Source,
    /// What the file says.
    declared: &'a OnnxModel,
    options: &'a EngineOptions,
    provider: ExecutionProvider,
    diagnostics: &'a Diagnostics,
}

impl Place<'_> {
    fn open(&self, items: &[Vec<usize>]) -> Result<Session, EngineError> {
        let compiled = !self.declared.compiled.is_empty();
        if compiled && self.provider == ExecutionProvider::Cpu {
            return Err(self.source.error(COMPILED));
        }
        let Shapes { inputs, sizes } = self.shapes(items);
        let task = self.task(&inputs);
        let configured = self.provider.configure(self.runtime, &task)?;
        let cache = if compiled { None } else { self.cache_directory() };
        let alone = configured.alone();
        let session = match cache {
            Some(dir) if self.provider.gives_compiled_models() => {
                self.open_cached(&dir, &configured, &sizes)
            }
            Some(dir) if self.provider.keeps_a_folder() => {
                self.open_with_folder(&dir, &task, &configured, &sizes)
            }
            _ => self.commit(&configured, &sizes),
        }?;
        configured.opened();
        drop(alone);
        Ok(session)
    }

    fn task<'t>(&'t self, inputs: &'t [(String, Vec<usize>)]) -> Task<'t> {
        Task {
            options: self.options,
            inputs,
            free_batch: is_batch_free(self.declared),
            quantised: self.declared.is_qdq(),
            compiled: !self.declared.compiled.is_empty(),
            folder: None,
        }
    }

    /// The shapes that the model is opened with. A provider that compiles for one batch gets a batch
    /// of one where the model leaves it open: most frames have one face, and each run would cost
    /// the whole batch.
    fn shapes(&self, items: &[Vec<usize>]) -> Shapes {
        let fixed = self.provider.needs_fixed_shapes();
        let batch = if fixed { 1 } else { self.options.batch_size.max(1) };
        let mut shapes = Shapes::default();
        for (input, item) in self.declared.inputs.iter().zip(items) {
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

    /// The cache's directory; where it has none, that is told and the model runs without.
    fn cache_directory(&self) -> Option<PathBuf> {
        self.options.cache.directory().unwrap_or_else(|why| {
            self.uncached(&why);
            None
        })
    }

    fn uncached(&self, why: &str) {
        self.diagnostics.warning(format!(
            "'{}' is compiled anew at every start, because the engine cache cannot be used: {why}. \
             Set engine-cache to a directory that can be written",
            self.source.shown
        ));
    }

    /// Says why nothing seems to happen.
    fn waits(&self) {
        self.diagnostics.info(format!(
            "waiting for another process that compiles '{}' for {}",
            self.source.shown, self.provider
        ));
    }

    fn session_builder(
        &self,
        configured: &Configured,
        sizes: &[(String, usize)],
    ) -> Result<SessionBuilder, EngineError> {
        let mut builder = builder(self.runtime, self.source.format, self.options)
            .map_err(|why| self.source.error(why.to_string()))?;
        for (name, size) in sizes {
            builder = builder
                .with_dimension_override(name, *size as i64)
                .map_err(|why| self.source.error(why.message()))?;
        }
        configured.register(self.runtime, builder)
    }

    fn companion(&self) -> Option<PathBuf> {
        self.provider.companion(&self.options.provider_options)
    }

    fn commit(
        &self,
        configured: &Configured,
        sizes: &[(String, usize)],
    ) -> Result<Session, EngineError> {
        let builder = self.session_builder(configured, sizes)?;
        self.source.commit(builder).map_err(|why| self.explain(why.message()))
    }

    /// What ONNX Runtime says on opening a session, as an error.
    fn explain(&self, message: &str) -> EngineError {
        // The text of `session.disable_cpu_ep_fallback`; its status code is a general one.
        if message.contains("fallback to CPU EP has been explicitly disabled") {
            let shown = &self.source.shown;
            if self.options.provider == ExecutionProvider::Auto {
                // Somebody who has such a device would not look for the reason in a log.
                self.diagnostics.warning(format!(
                    "{} is here and cannot run all of '{shown}', so that it is passed over. With \
                     execution-provider={} allow-fallback=true it runs what it can",
                    self.provider, self.provider
                ));
            }
            let unless = match (self.provider, self.options.qnn_backend) {
                (ExecutionProvider::Qnn, backend) if backend != QnnBackend::Htp => format!(
                    ", unless its backend '{}' does not start at all (GST_DEBUG=gazeruntime:3 says)",
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
        match self.declared.compiled.first().map(|part| &part.source) {
            Some(owner) if message.contains("EPContext") => {
                let reason = format!("it was compiled for '{owner}', not for {}", self.provider);
                self.source.error(reason)
            }
            _ => self.source.error(format!("execution provider '{}': {message}", self.provider)),
        }
    }

    fn identity(
        &self,
        configured: &Configured,
        sizes: &[(String, usize)],
    ) -> std::io::Result<Identity> {
        let mut beside = self.source.beside(self.declared);
        beside.extend(self.companion());
        let content = cache::content_hash(&self.source.bytes, &beside)?;
        let mut options: Vec<(String, String)> = configured
            .options
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .chain(sizes.iter().map(|(name, size)| (format!("size of {name}"), size.to_string())))
            .collect();
        options.sort();
        let mut versions = configured.versions.clone();
        let pair = |name: &str, value: String| (name.to_owned(), value);
        versions.push(pair(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION").to_owned()));
        versions.push(pair("onnxruntime", self.runtime.version().to_owned()));
        versions.push(pair("onnxruntime library", cache::file_version(self.runtime.path())));
        versions.sort();
        Ok(Identity {
            model: self.source.name.clone(),
            content,
            provider: self.provider.nick().to_owned(),
            options,
            versions,
        })
    }

    /// With the compiled model from the cache, or compiled and put there.
    fn open_cached(
        &self,
        dir: &Path,
        configured: &Configured,
        sizes: &[(String, usize)],
    ) -> Result<Session, EngineError> {
        let diagnostics = self.diagnostics;
        let slot = self
            .identity(configured, sizes)
            .and_then(|identity| Slot::lock(dir, identity, || self.waits()));
        let slot = match slot {
            Ok(slot) => slot,
            Err(why) => {
                self.uncached(&format!("'{}': {why}", dir.display()));
                return self.commit(configured, sizes);
            }
        };
        let entry = slot.path().display();
        match slot.read() {
            Found::Nothing => {}
            Found::Compiled(compiled) => {
                let mut builder = self.session_builder(configured, &[])?;
                match builder.commit_from_memory(&compiled) {
                    Ok(session) => {
                        diagnostics.info(format!("compiled model taken from the cache: '{entry}'"));
                        return Ok(session);
                    }
                    Err(why) => diagnostics.warning(format!(
                        "the cached '{entry}' is stale and made anew: {}",
                        why.message()
                    )),
                }
            }
            Found::Broken(why) => {
                diagnostics.warning(format!("the cached '{entry}' is broken and made anew: {why}"));
            }
        }
        diagnostics.info(format!("compiling '{}' for {}", self.source.shown, self.provider));
        let compiled = self.compile(configured, sizes)?;
        let session = self
            .session_builder(configured, &[])?
            .commit_from_memory(&compiled)
            .map_err(|why| self.explain(why.message()))?;
        match slot.write(&compiled) {
            Ok(()) => diagnostics.info(format!("compiled model kept in '{entry}'")),
            Err(why) => self.uncached(&format!("'{entry}': {why}")),
        }
        Ok(session)
    }

    fn compile(
        &self,
        configured: &Configured,
        sizes: &[(String, usize)],
    ) -> Result<CompiledModel, EngineError> {
        self.compiler(self.session_builder(configured, sizes)?)
            .and_then(|compiler| compiler.compile_to_buffer())
            .map_err(|why| self.explain(why.message()))
    }

    fn compiler(&self, builder: SessionBuilder) -> ort::Result<ModelCompiler<'_>> {
        let compiler = ModelCompiler::new(builder)?.with_embed_ep_context()?;
        match &self.source.path {
            Some(path) => compiler.with_model_from_file(path),
            None => compiler.with_model_from_memory(&self.source.bytes),
        }
    }

    /// With a folder in which the provider keeps what it compiles. An engine in it that the
    /// provider chokes on is thrown away, once.
    fn open_with_folder(
        &self,
        dir: &Path,
        task: &Task<'_>,
        configured: &Configured,
        sizes: &[(String, usize)],
    ) -> Result<Session, EngineError> {
        let folder = self
            .identity(configured, sizes)
            .and_then(|identity| Folder::lock(dir, &identity, || self.waits()));
        let folder = match folder {
            Ok(folder) => folder,
            Err(why) => {
                self.uncached(&format!("'{}': {why}", dir.display()));
                return self.commit(configured, sizes);
            }
        };
        let task = Task { folder: Some(folder.path()), ..*task };
        let configured = self.provider.configure(self.runtime, &task)?;
        let filled = folder.is_filled();
        let companion = self.companion();
        let lay = || companion.as_deref().map_or(Ok(()), |file| folder.lay(file));
        if let Err(why) = lay() {
            let folder = folder.path().display();
            return Err(self.source.error(format!("'{folder}' cannot be filled: {why}")));
        }
        match self.commit(&configured, sizes) {
            Err(EngineError::Load { reason, .. })
                if filled && folder.clear().is_ok() && lay().is_ok() =>
            {
                self.diagnostics.warning(format!(
                    "what is cached in '{}' is thrown away and made anew: {reason}",
                    folder.path().display()
                ));
                self.commit(&configured, sizes)
            }
            result => result,
        }
    }
}

/// Whether the inputs leave the batch open.
fn is_batch_free(model: &OnnxModel) -> bool {
    let mut batches = model.inputs.iter().filter_map(|input| input.shape.first());
    batches.any(|batch| batch.size().is_none())
}
