//! A gaze model made ready: engine, profile and decoder.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::diagnostics::{Diagnostics, Opened};
use super::file::{self, Format};
use super::model::Model;
use super::session::OrtEngine;
use super::{EngineOptions, embedded};
use crate::core::gaze::decode::GazeDecoder;
use crate::core::inference::{Engine, EngineError, ModelInfo};
use crate::core::profile::{
    FoundBy, ProfileError, ResolvedProfile, find_profile, find_profile_without_model,
};

/// What a sidecar's name ends in.
const SIDECAR: &str = "gaze.toml";

/// A gaze model that is ready to run.
pub struct OpenModel {
    /// Runs it.
    pub engine: Box<dyn Engine>,
    /// What goes in and comes out.
    pub profile: ResolvedProfile,
    /// Reads its outputs.
    pub decoder: GazeDecoder,
    /// Where the profile comes from; a guess is to be logged.
    pub source: FoundBy,
}

/// Why a gaze model cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The file, the runtime, the provider or the first run.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The profile, or that there is none.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// Where a profile beside a model is looked for: the model's path with `.gaze.toml` appended, then
/// with `.gaze.toml` in place of its extension (`face.onnx.gaze.toml`, `face.gaze.toml`).
pub fn sidecars(model: &Path) -> Vec<String> {
    let appended = format!("{}.{SIDECAR}", model.display());
    let replaced = model.with_extension(SIDECAR).display().to_string();
    vec![appended, replaced]
}

/// Opens a gaze model: `.onnx`, `.ort`, or what a provider compiled, which is a TensorRT engine
/// (`.engine`, `.plan`) or a QNN context binary (`.bin`). Such an engine says nothing of itself; its
/// profile must name its tensors, and the batch is `engine_batch` of the options. `profile` is the name of a
/// built-in profile or the path of a TOML file; without it the profile is looked for as [`find_profile`]
/// says, sidecars as [`sidecars`] says.
/// Sizes that the file leaves open are the profile's (`input_size` of the options has no say).
///
/// # Errors
/// [`OpenError`]: the message names what is wrong and what to do about it.
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
    let engine = bind(model, &profile, diagnostics).map_err(|why| match (file::check(path), why) {
        (Ok(Format::Engine(_)), EngineError::Run(why)) => EngineError::Run(format!(
            "{why} (its profile '{}' with a batch of {}: set batch-size to the batch that it was \
             compiled for, and check the profile's sizes)",
            profile.name, options.engine_batch
        )),
        (_, why) => why,
    })?;
    let decoder = GazeDecoder::new(&profile, &engine)?;
    let engine = engine.gathered(options.batch_timeout);
    Ok(OpenModel { engine, profile, decoder, source })
}

/// Opens the gaze model that is compiled in ([`embedded`]); it knows its profile.
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
    let model = Model::from_bytes(embedded::NAME, bytes, options)?;
    let (profile, source) = find_profile(model.info(), None, &[], read)?;
    let engine = bind(model, &profile, diagnostics)?;
    let decoder = GazeDecoder::new(&profile, &engine)?;
    let engine = engine.gathered(options.batch_timeout);
    Ok(OpenModel { engine, profile, decoder, source })
}

/// Loads a model, or an engine that a provider compiled, whose tensors only a profile tells.
pub(super) fn load(
    path: &Path,
    profile: Option<&str>,
    options: &EngineOptions,
) -> Result<Model, OpenError> {
    match file::check(path)? {
        Format::Engine(kind) => {
            let told = find_profile_without_model(profile, &sidecars(path), read)?;
            let declared = told.declared(options.engine_batch.max(1))?;
            Ok(Model::wrap(path, kind, declared, options)?)
        }
        Format::Onnx | Format::Ort => Ok(Model::load(path, options)?),
    }
}

/// The gaze profile of the model at `path`, of which a runtime or the file itself said `info`.
/// Found as [`open_model`] does.
///
/// # Errors
/// As [`find_profile`].
pub fn profile_of(
    path: &Path,
    info: &ModelInfo,
    profile: Option<&str>,
) -> Result<(ResolvedProfile, FoundBy), ProfileError> {
    find_profile(info, profile, &sidecars(path), read)
}

/// Gives a gaze model the sizes of its profile.
pub(super) fn bind(
    model: Model,
    profile: &ResolvedProfile,
    diagnostics: &Diagnostics,
) -> Result<OrtEngine, EngineError> {
    model.bind(&item_shapes(profile), diagnostics)
}

/// The dimensions of each input without the batch.
pub(super) fn item_shapes(profile: &ResolvedProfile) -> Vec<Vec<usize>> {
    profile.inputs.iter().map(|input| input.item_shape.clone()).collect()
}

/// A file's text, `None` where there is no file.
fn read(path: &str) -> Result<Option<String>, String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(None),
        Err(why) => Err(why.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sidecars_stand_beside_the_model() {
        let paths = sidecars(Path::new("/models/face.v2.onnx"));
        assert_eq!(paths, ["/models/face.v2.onnx.gaze.toml", "/models/face.v2.gaze.toml"]);
    }
}
