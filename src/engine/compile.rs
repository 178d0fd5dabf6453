//! Models compiled ahead, so that not even the first start compiles.

use std::path::Path;

use super::EngineOptions;
use super::any_model::free_size;
use super::diagnostics::{Diagnostics, Opened};
use super::gaze_model::{OpenError, item_shapes, load, profile_of};
use crate::core::inference::EngineError;

/// Compiles a model for the provider of the options. The result is an ONNX model that holds what was
/// compiled (a node `EPContext`) and the original's metadata; it is opened like any other, by that
/// provider alone.
///
/// A gaze model gets the sizes of its profile; what another model leaves open is `input_size` of the
/// options, or a size that suits detectors.
///
/// # Errors
/// [`OpenError`]: [`EngineError::Provider`] for a provider that is not to be had or does not compile.
pub fn compile(
    path: impl AsRef<Path>,
    profile: Option<&str>,
    options: &EngineOptions,
) -> Opened<Vec<u8>, OpenError> {
    Opened::collect(|diagnostics| compiled(path.as_ref(), profile, options, diagnostics))
}

fn compiled(
    path: &Path,
    profile: Option<&str>,
    options: &EngineOptions,
    diagnostics: &Diagnostics,
) -> Result<Vec<u8>, OpenError> {
    let provider = options.provider;
    if !provider.compiles() {
        return Err(OpenError::Engine(EngineError::Provider {
            provider: provider.nick().to_owned(),
            reason: "it compiles nothing that could be kept: it runs the model as it is".to_owned(),
            remedy: "Name one that compiles: qnn, tensorrt or openvino".to_owned(),
        }));
    }
    let model = load(path, profile, options)?;
    let items = match profile_of(path, model.info(), profile) {
        Ok((profile, _)) => item_shapes(&profile),
        Err(why) if profile.is_some() => return Err(why.into()),
        Err(_) => model.item_shapes(Some(free_size(options)))?,
    };
    Ok(model.compile(&items, diagnostics)?)
}
