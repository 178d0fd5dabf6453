//! The profile of a gaze model file, and the sidecar beside the file.

use std::path::Path;

use super::user_file::{self, FileError};
use crate::core::inference::ModelInfo;
use crate::core::profile::{FoundBy, ProfileError, ResolvedProfile, find_profile};

/// The end of a sidecar's name.
const SIDECAR: &str = "gaze.toml";

/// The paths of a model's sidecar: the model's path with `.gaze.toml` appended, then with
/// `.gaze.toml` instead of its extension (`face.onnx.gaze.toml`, `face.gaze.toml`).
pub fn sidecars(model: &Path) -> Vec<String> {
    let appended = format!("{}.{SIDECAR}", model.display());
    let replaced = model.with_extension(SIDECAR).display().to_string();
    vec![appended, replaced]
}

/// The gaze profile of the model at `path` with the inputs and outputs of `info`: the named `profile`,
/// or the first that [`find_profile`] finds.
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

/// The dimensions of each input of a profile, without the batch.
pub(super) fn item_shapes(profile: &ResolvedProfile) -> Vec<Vec<usize>> {
    profile.inputs.iter().map(|input| input.item_shape.clone()).collect()
}

/// A file's text, `None` if there is no file.
pub(super) fn read(path: &str) -> Result<Option<String>, String> {
    match user_file::read_text(Path::new(path)) {
        Ok(text) => Ok(Some(text)),
        Err(FileError::NotFound) => Ok(None),
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
