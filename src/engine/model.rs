//! A model whose inputs and outputs are known and whose shapes are not fixed yet.
//!
//! For the CPU the file is loaded at once. Any other provider compiles, some of them for shapes that
//! must be known, so that only what the file declares is read and the session is opened by
//! [`Model::bind`].

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use super::diagnostics::Diagnostics;
use super::file::{self, Format};
use super::placement::{self, Source};
use super::provider::{ExecutionProvider, Precision};
use super::session::OrtEngine;
use super::shared::{self, Key, SharedSession};
use super::{EngineOptions, runtime, shapes};
use crate::core::geometry::Size;
use crate::core::inference::{ElementType, EngineError, ModelInfo, TensorInfo};
use crate::core::onnx::epcontext::{self, EngineKind, MAX_ENGINE_BYTES};
use crate::core::onnx::message::Message;
use crate::core::onnx::{OnnxError, OnnxModel};

/// See [the module](self).
#[derive(Debug)]
pub struct Model {
    state: State,
    info: ModelInfo,
    batch_size: usize,
}

#[derive(Debug)]
enum State {
    Open(Arc<SharedSession>),
    Waiting(Box<Waiting>),
}

#[derive(Debug)]
struct Waiting {
    source: Source,
    declared: OnnxModel,
    options: EngineOptions,
}

impl Model {
    /// Loads an `.onnx` or `.ort` file. Weights in files beside it are found.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Load`], and what keeps the runtime or the provider
    /// from working.
    pub fn load(path: &Path, options: &EngineOptions) -> Result<Self, EngineError> {
        let format = file::check(path)?;
        let source = Source {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            shown: path.display().to_string(),
            format,
            path: Some(path.to_path_buf()),
            bytes: Vec::new(),
        };
        Self::open(source, options)
    }

    /// Loads a model from memory; `name` stands for the path in messages.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_bytes(
        name: &str,
        bytes: &[u8],
        options: &EngineOptions,
    ) -> Result<Self, EngineError> {
        let format = file::recognise(bytes)
            .map_err(|reason| EngineError::Load { path: name.to_owned(), reason })?;
        let source = Source {
            name: name.to_owned(),
            shown: name.to_owned(),
            format,
            path: None,
            bytes: bytes.to_vec(),
        };
        Self::open(source, options)
    }

    /// Takes an engine that a provider compiled, whose file says nothing of its inputs and outputs:
    /// `declared` says it, with every dimension.
    ///
    /// # Errors
    /// As [`load`](Self::load); [`EngineError::Provider`] where another provider was asked for.
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
        let length = fs::metadata(path).map_err(|why| load(why.to_string()))?.len();
        if length > MAX_ENGINE_BYTES {
            let reason = format!("it has {length} bytes, and {MAX_ENGINE_BYTES} can be wrapped");
            return Err(load(reason));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = {
            // Given back before the session opens: an engine may have hundreds of megabytes.
            let engine = fs::read(path).map_err(|why| load(why.to_string()))?;
            epcontext::wrap(kind, &name, &declared.inputs, &declared.outputs, &engine)
        };
        let source = Source { name, shown, format: Format::Onnx, path: None, bytes };
        let options = EngineOptions { provider, ..options.clone() };
        Self::open(source, &options)
    }

    fn open(mut source: Source, options: &EngineOptions) -> Result<Self, EngineError> {
        if let Format::Engine(kind) = source.format {
            return Err(EngineError::Load {
                path: source.shown,
                reason: format!(
                    "it is {}, which does not say what its inputs and outputs are; only gaze \
                     models can be opened so, with a profile that names them",
                    kind.describe()
                ),
            });
        }
        let runtime = runtime::get()?;
        let batch_size = options.batch_size.max(1);
        let on_cpu = options.provider.candidates(runtime) == [ExecutionProvider::Cpu];
        let plain = options.precision == Precision::Auto && options.provider_options.is_empty();
        let ort_format = source.format == Format::Ort;
        if (on_cpu && plain) || (ort_format && options.provider == ExecutionProvider::Auto) {
            let key = Key::new(&source, options, &[]);
            let session = shared::session(key, options.replaces, || {
                let session = placement::open_on_cpu(runtime, &source, options)?;
                let info = describe(&source.name, &session);
                Ok(SharedSession::new(session, info, ExecutionProvider::Cpu.nick(), None))
            })?;
            let info = session.info.clone();
            return Ok(Self { state: State::Open(session), info, batch_size });
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
        if let Some(path) = source.path.as_ref() {
            source.bytes = fs::read(path).map_err(|why| EngineError::Load {
                path: source.shown.clone(),
                reason: why.to_string(),
            })?;
        }
        let declared = OnnxModel::parse(&source.bytes).map_err(|why| EngineError::Load {
            path: source.shown.clone(),
            reason: why.to_string(),
        })?;
        let info = declared.info(&source.name);
        let waiting = Waiting { source, declared, options: options.clone() };
        Ok(Self { state: State::Waiting(Box::new(waiting)), info, batch_size })
    }

    /// What the file declares.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The dimensions of each input without the batch, free height and width taken from `size`.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] where a dimension stays free.
    pub fn item_shapes(&self, size: Option<Size>) -> Result<Vec<Vec<usize>>, EngineError> {
        shapes::item_shapes(&self.info, size)
    }

    /// Compiles it for the provider of its options, as [`compile`](super::compile) says.
    pub(super) fn compile(
        self,
        items: &[Vec<usize>],
        diagnostics: &Diagnostics,
    ) -> Result<Vec<u8>, EngineError> {
        let State::Waiting(waiting) = self.state else {
            return Err(EngineError::Load {
                path: self.info.name,
                reason: "only ONNX files are compiled".to_owned(),
            });
        };
        let Waiting { source, declared, options } = *waiting;
        let compiled =
            placement::compile(runtime::get()?, &source, &declared, &options, items, diagnostics)?;
        with_metadata(compiled, &declared.metadata).map_err(|why| EngineError::Load {
            path: source.shown,
            reason: format!("what {} made of it cannot be read: {why}", options.provider),
        })
    }

    /// Fixes the shapes, allocates all memory and runs the largest batch once: what cannot run
    /// fails here and not in the middle of a stream, and the first frame is no slower than others.
    ///
    /// `items` are the dimensions of each input without the batch.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for types and shapes that no code path serves,
    /// [`EngineError::Run`] where that first run fails, and what keeps the provider from working.
    pub(super) fn bind(
        self,
        items: &[Vec<usize>],
        diagnostics: &Diagnostics,
    ) -> Result<OrtEngine, EngineError> {
        match self.state {
            State::Open(session) => OrtEngine::bind(session, self.info, self.batch_size, items),
            State::Waiting(waiting) => {
                let Waiting { source, declared, options } = *waiting;
                let key = Key::new(&source, &options, items);
                let session = shared::session(key, options.replaces, || {
                    let runtime = runtime::get()?;
                    let (session, provider) =
                        placement::open(runtime, &source, &declared, &options, items, diagnostics)?;
                    let info = describe(&source.name, &session);
                    let place = provider.place(&options);
                    Ok(SharedSession::new(session, info, provider.nick(), place))
                })?;
                // A compiled model has lost its metadata, and its shapes are fixed.
                let info = ModelInfo { metadata: self.info.metadata, ..session.info.clone() };
                OrtEngine::bind(session, info, self.batch_size, items)
            }
        }
    }
}

/// A model that is compiled, with the metadata of the model that it was made of.
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

/// The error of an engine that was given to a provider which did not compile it.
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
    let metadata = session.metadata().ok();
    let keys = metadata.as_ref().and_then(|m| m.custom_keys().ok()).unwrap_or_default();
    let pairs = keys.into_iter().filter_map(|key| {
        let value = metadata.as_ref()?.custom(&key)?;
        Some((key, value))
    });
    ModelInfo {
        name: name.to_owned(),
        inputs: tensors(session.inputs()),
        outputs: tensors(session.outputs()),
        metadata: pairs.collect(),
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
