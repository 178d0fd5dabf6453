//! Models compiled ahead of time, so that not even the first start compiles.

use std::path::Path;

use super::diagnostics::{Diagnostics, Opened};
use super::gaze_profile::{item_shapes, profile_of};
use super::open_any::free_size;
use super::open_gaze::{OpenError, load};
use super::options::EngineOptions;
use crate::core::inference::EngineError;

/// Compiles a model for the provider of the options. The result is an ONNX model with the compiled
/// engine (a node `EPContext`) and the original's metadata. It opens like any other, on that provider
/// alone.
///
/// A gaze model gets the sizes of its profile; another model gets `input_size` of the options for
/// dimensions that it leaves open, or a size that suits detectors.
///
/// # Errors
/// [`OpenError`]: [`EngineError::Provider`] if the provider is missing or does not compile.
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
            reason: "it does not compile models, it runs them as they are".to_owned(),
            remedy: "Name a provider that compiles: qnn, tensorrt or openvino".to_owned(),
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
