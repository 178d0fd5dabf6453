//! A model whose inputs and outputs are known, and whose shapes are still open.
//!
//! For the CPU the session opens at once. Other providers compile, some of them for known shapes: for
//! them only the file is read, and [`LoadedModel::bind`] opens the session.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use super::cancel::Cancel;
use super::diagnostics::Diagnostics;
use super::file_format::FileFormat;
use super::model_source::ModelSource;
use super::options::EngineOptions;
use super::ort_engine::OrtEngine;
use super::provider::cuda;
use super::provider::kind::{ExecutionProvider, Precision};
use super::session_pool::{self, SessionKey, SharedSession};
use super::{model_metadata, provider_session, runtime, shapes, user_file};
use crate::core::geometry::Size;
use crate::core::inference::{ElementType, EngineError, ModelInfo, TensorInfo};
use crate::core::onnx::epcontext::{self, EngineKind, MAX_ENGINE_BYTES};
use crate::core::onnx::message::Message;
use crate::core::onnx::{OnnxError, OnnxModel};

/// See [the module](self).
#[derive(Debug)]
pub(super) struct LoadedModel {
    state: State,
    info: ModelInfo,
    batch_size: usize,
    cancel: Cancel,
}

#[derive(Debug)]
enum State {
    /// The session, and why the CPU runs it.
    Open(Arc<SharedSession>, String),
    Unopened(Box<Unopened>),
}

#[derive(Debug)]
struct Unopened {
    source: ModelSource,
    options: EngineOptions,
}

impl LoadedModel {
    /// Loads an `.onnx` or `.ort` file, with its weights in files beside it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Load`], and those of the runtime and the provider.
    pub(super) fn load(path: &Path, options: &EngineOptions) -> Result<Self, EngineError> {
        Self::open(ModelSource::read(path)?, options)
    }

    /// Loads a model from memory; `name` stands for the path in messages.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(super) fn from_bytes(
        name: &str,
        bytes: &[u8],
        options: &EngineOptions,
    ) -> Result<Self, EngineError> {
        Self::open(ModelSource::from_bytes(name, bytes.to_vec())?, options)
    }

    /// Wraps a compiled engine, whose file does not tell its inputs and outputs: `declared` names them,
    /// with every dimension.
    ///
    /// # Errors
    /// As [`load`](Self::load); [`EngineError::Provider`] if the options name another provider.
    pub(super) fn wrap(
        path: &Path,
        kind: EngineKind,
        declared: ModelInfo,
        options: &EngineOptions,
    ) -> Result<Self, EngineError> {
        let shown = path.display().to_string();
        let load = |reason: String| EngineError::Load { path: shown.clone(), reason };
        let provider = ExecutionProvider::of(kind);
        if !matches!(options.provider, ExecutionProvider::Auto) && options.provider != provider {
            return Err(belongs_to(provider, options.provider, kind.describe()));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = {
            // Freed before the session opens: an engine may have hundreds of megabytes.
            let (engine, _) =
                user_file::read(path, MAX_ENGINE_BYTES).map_err(|why| load(why.to_string()))?;
            epcontext::wrap(kind, &name, &declared.inputs, &declared.outputs, &engine)
        };
        let source = ModelSource { shown, ..ModelSource::from_bytes(&name, bytes)? };
        let options = EngineOptions { provider, ..options.clone() };
        Self::open(source, &options)
    }

    fn open(source: ModelSource, options: &EngineOptions) -> Result<Self, EngineError> {
        if let FileFormat::Engine(kind) = source.format {
            return Err(EngineError::Load {
                path: source.shown,
                reason: format!(
                    "it is {}, which does not tell its inputs and outputs; only gaze models can be \
                     opened this way, with a profile that names them",
                    kind.describe()
                ),
            });
        }
        let runtime = runtime::get()?;
        let batch_size = options.batch_size.max(1);
        let on_cpu = options.provider.candidates(runtime) == [ExecutionProvider::Cpu];
        let plain = options.precision == Precision::Auto && options.provider_options.is_empty();
        let ort_format = source.format == FileFormat::Ort;
        if (on_cpu && plain) || (ort_format && options.provider == ExecutionProvider::Auto) {
            let key = SessionKey::new(&source, options, &[]);
            let session = session_pool::session(key, options.replaces, || {
                let session = provider_session::open_on_cpu(runtime, &source, options)?;
                let info = describe(&source.name, &session);
                Ok(SharedSession::new(session, info, ExecutionProvider::Cpu.nick(), None))
            })?;
            let info = session.info.clone();
            let cancel = options.cancel.clone();
            let cpu = ExecutionProvider::Cpu;
            let why = provider_session::taken(&source.shown, options.provider, cpu, runtime);
            return Ok(Self { state: State::Open(session, why), info, batch_size, cancel });
        }
        if ort_format {
            return Err(EngineError::Load {
                path: source.shown,
                reason: format!(
                    "the .ort format is for the CPU; give the .onnx file to execution-provider={}",
                    options.provider
                ),
            });
        }
        let info = source.declared.info(&source.name);
        let unopened = Unopened { source, options: options.clone() };
        let cancel = options.cancel.clone();
        Ok(Self { state: State::Unopened(Box::new(unopened)), info, batch_size, cancel })
    }

    /// Its inputs, outputs and metadata.
    pub(super) fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The dimensions of each input without the batch, free height and width taken from `size`.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] if a dimension stays free.
    pub(super) fn item_shapes(&self, size: Option<Size>) -> Result<Vec<Vec<usize>>, EngineError> {
        shapes::item_shapes(&self.info, size)
    }

    /// Compiles it for the provider of its options, as [`compile`](super::compile) says.
    pub(super) fn compile(
        self,
        items: &[Vec<usize>],
        diagnostics: &Diagnostics,
    ) -> Result<Vec<u8>, EngineError> {
        let State::Unopened(unopened) = self.state else {
            return Err(EngineError::Load {
                path: self.info.name,
                reason: "only ONNX files are compiled".to_owned(),
            });
        };
        let Unopened { source, options } = *unopened;
        let compiled =
            provider_session::compile(runtime::get()?, &source, &options, items, diagnostics)?;
        with_metadata(compiled, &source.declared.metadata).map_err(|why| EngineError::Load {
            path: source.shown,
            reason: format!("the model that {} compiled cannot be read: {why}", options.provider),
        })
    }

    /// Fixes the shapes, allocates all memory and runs the largest batch once: a model that cannot run
    /// fails here instead of in the middle of a stream, and the first frame is no slower than others.
    ///
    /// `items` are the dimensions of each input without the batch.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for types and shapes that are not supported, [`EngineError::Run`] if
    /// the first run fails, and those of the provider.
    pub(super) fn bind(
        self,
        items: &[Vec<usize>],
        diagnostics: &Diagnostics,
    ) -> Result<OrtEngine, EngineError> {
        match self.state {
            State::Open(session, why) => {
                diagnostics.info(why);
                OrtEngine::bind(session, self.info, self.batch_size, items, &self.cancel)
            }
            State::Unopened(unopened) => {
                let Unopened { source, options } = *unopened;
                let key = SessionKey::new(&source, &options, items);
                let session = session_pool::session(key, options.replaces, || {
                    let runtime = runtime::get()?;
                    let (session, provider) =
                        provider_session::open(runtime, &source, &options, items, diagnostics)?;
                    let info = describe(&source.name, &session);
                    let device = cuda::input_device(provider, &options);
                    Ok(SharedSession::new(session, info, provider.nick(), device))
                })?;
                // Compiling loses the metadata and fixes the shapes.
                let info = ModelInfo { metadata: self.info.metadata, ..session.info.clone() };
                OrtEngine::bind(session, info, self.batch_size, items, &self.cancel)
            }
        }
    }
}

/// A compiled model with the metadata of its original.
fn with_metadata(
    mut compiled: Vec<u8>,
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>, OnnxError> {
    let kept = OnnxModel::parse(&compiled)?.metadata;
    for (key, value) in metadata.iter().filter(|(key, _)| !kept.contains_key(*key)) {
        // A field that is repeated may come last: `metadata_props` of `ModelProto`.
        let entry = Message::default().text(1, key).text(2, value);
        compiled.extend(Message::default().message(14, entry).into_bytes());
    }
    Ok(compiled)
}

/// The error of a compiled engine that another provider is to run.
fn belongs_to(owner: ExecutionProvider, asked: ExecutionProvider, what: &str) -> EngineError {
    EngineError::Provider {
        provider: asked.nick().to_owned(),
        reason: format!("the model is {what}, which only {owner} runs"),
        remedy: format!("Use execution-provider={owner}, or give the .onnx file"),
    }
}

fn describe(name: &str, session: &Session) -> ModelInfo {
    let tensors = |outlets: &[Outlet]| {
        outlets.iter().map(|outlet| tensor_info(outlet.name(), outlet.dtype())).collect()
    };
    ModelInfo {
        name: name.to_owned(),
        inputs: tensors(session.inputs()),
        outputs: tensors(session.outputs()),
        metadata: model_metadata::read(session),
    }
}

fn tensor_info(name: &str, dtype: &ValueType) -> TensorInfo {
    let element = match dtype.tensor_type() {
        Some(TensorElementType::Float32) => Some(ElementType::F32),
        Some(TensorElementType::Float16) => Some(ElementType::F16),
        Some(TensorElementType::Uint8) => Some(ElementType::U8),
        Some(TensorElementType::Int8) => Some(ElementType::I8),
        _ => None,
    };
    let shape = dtype.tensor_shape().map_or_else(Vec::new, |shape| {
        shape.iter().map(|dim| usize::try_from(*dim).ok()).collect()
    });
    TensorInfo { name: name.to_owned(), element, shape }
}
