//! Opening a gaze model: engine, profile and decoder.

use std::path::Path;

use super::diagnostics::{Diagnostics, Opened};
use super::embedded;
use super::file_format::{self, FileFormat};
use super::gaze_profile::{item_shapes, profile_of, read, sidecars};
use super::loaded_model::LoadedModel;
use super::options::EngineOptions;
use super::ort_engine::OrtEngine;
use crate::core::gaze::decode::GazeDecoder;
use crate::core::inference::{Engine, EngineError};
use crate::core::profile::{
    FoundBy, ProfileError, ResolvedProfile, find_profile, find_profile_without_model,
};

/// A gaze model that is ready to run.
pub struct OpenModel {
    /// Runs it.
    pub engine: Box<dyn Engine>,
    /// What its inputs take and its outputs mean.
    pub profile: ResolvedProfile,
    /// Reads its outputs.
    pub decoder: GazeDecoder,
    /// How the profile was found; callers log a guess.
    pub source: FoundBy,
}

/// Why a gaze model cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The file, the runtime, the provider or the first run.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The profile is wrong or missing.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// Opens a gaze model: `.onnx`, `.ort`, or a compiled engine, which is a TensorRT engine (`.engine`,
/// `.plan`) or a QNN context binary (`.bin`). A compiled engine does not tell its tensors, so its
/// profile must name them, and its batch is `engine_batch` of the options.
///
/// `profile` is the name of a built-in profile or the path of a TOML file. Without it [`find_profile`]
/// looks for one, in a sidecar first. The profile gives the sizes that the file leaves open
/// (`input_size` of the options is ignored).
///
/// # Errors
/// [`OpenError`]: the message names the cause and the remedy.
pub fn open_model(
    path: impl AsRef<Path>,
    profile: Option<&str>,
    options: &EngineOptions,
) -> Opened<OpenModel, OpenError> {
    Opened::collect(|diagnostics| open(path.as_ref(), profile, options, diagnostics))
}

fn open(
    path: &Path,
    profile: Option<&str>,
    options: &EngineOptions,
    diagnostics: &Diagnostics,
) -> Result<OpenModel, OpenError> {
    let model = load(path, profile, options)?;
    let (profile, source) = profile_of(path, model.info(), profile)?;
    let engine = bind(model, &profile, diagnostics).map_err(|why| match (file_format::check(path), why) {
        (Ok(FileFormat::Engine(_)), EngineError::Run(why)) => EngineError::Run(format!(
            "{why} (its profile '{}' with a batch of {}: set batch-size to the batch that it was \
             compiled for, and check the profile's sizes)",
            profile.name, options.engine_batch
        )),
        (_, why) => why,
    })?;
    let decoder = GazeDecoder::new(&profile, &engine)?;
    let engine = engine.batched(options.batch_timeout);
    Ok(OpenModel { engine, profile, decoder, source })
}

/// Opens the embedded gaze model ([`embedded`]), which contains its profile.
///
/// # Errors
/// As [`open_model`].
pub fn open_embedded(options: &EngineOptions) -> Opened<OpenModel, OpenError> {
    Opened::collect(|diagnostics| embedded_model(options, diagnostics))
}

fn embedded_model(
    options: &EngineOptions,
    diagnostics: &Diagnostics,
) -> Result<OpenModel, OpenError> {
    let bytes = embedded::model(options.provider, options.precision);
    let model = LoadedModel::from_bytes(embedded::NAME, bytes, options)?;
    let (profile, source) = find_profile(model.info(), None, &[], read)?;
    let engine = bind(model, &profile, diagnostics)?;
    let decoder = GazeDecoder::new(&profile, &engine)?;
    let engine = engine.batched(options.batch_timeout);
    Ok(OpenModel { engine, profile, decoder, source })
}

/// Loads a model, or a compiled engine, whose tensors only a profile tells.
pub(super) fn load(
    path: &Path,
    profile: Option<&str>,
    options: &EngineOptions,
) -> Result<LoadedModel, OpenError> {
    match file_format::check(path)? {
        FileFormat::Engine(kind) => {
            let told = find_profile_without_model(profile, &sidecars(path), read)?;
            let declared = told.declared(options.engine_batch.max(1))?;
            Ok(LoadedModel::wrap(path, kind, declared, options)?)
        }
        FileFormat::Onnx | FileFormat::Ort => Ok(LoadedModel::load(path, options)?),
    }
}

/// Gives a gaze model the sizes of its profile.
pub(super) fn bind(
    model: LoadedModel,
    profile: &ResolvedProfile,
    diagnostics: &Diagnostics,
) -> Result<OrtEngine, EngineError> {
    model.bind(&item_shapes(profile), diagnostics)
}
