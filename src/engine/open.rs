//! Opening a model of any kind as an engine.

use std::path::Path;

use super::diagnostics::{Diagnostics, Opened};
use super::loaded_model::LoadedModel;
use super::options::EngineOptions;
use super::ort_engine::OrtEngine;
use crate::core::inference::EngineError;

/// Opens a model file, `.onnx` or `.ort`.
///
/// # Errors
/// [`EngineError`]: the file, the runtime, the provider or the model.
pub fn open(path: impl AsRef<Path>, options: &EngineOptions) -> Opened<OrtEngine, EngineError> {
    Opened::collect(|diagnostics| {
        bind(LoadedModel::load(path.as_ref(), options)?, options, diagnostics)
    })
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
        bind(LoadedModel::from_bytes(name, bytes, options)?, options, diagnostics)
    })
}

fn bind(
    model: LoadedModel,
    options: &EngineOptions,
    diagnostics: &Diagnostics,
) -> Result<OrtEngine, EngineError> {
    let items = model.item_shapes(options.input_size)?;
    model.bind(&items, diagnostics)
}
