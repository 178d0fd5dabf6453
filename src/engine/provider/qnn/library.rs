//! The search for the provider's plug-in. The first location that has one decides:
//!
//! 1. the environment variable `GAZE_QNN_LIBRARY` (a file, or a directory that holds it), which is
//!    binding if it is set,
//! 2. beside the plugin and beside the executable,
//! 3. in the Python package `onnxruntime_qnn` next to the package of the loaded ONNX Runtime.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::core::inference::EngineError;
use crate::engine::cache::identity::file_version;
use crate::engine::library_location::own_directories;
use crate::engine::provider::kind::ExecutionProvider;
use crate::engine::provider::options::{ProviderOptions, refuse};
use crate::engine::runtime::Runtime;

const PROVIDER: ExecutionProvider = ExecutionProvider::Qnn;

/// The variable that names the plug-in.
const VARIABLE: &str = "GAZE_QNN_LIBRARY";

pub(super) const LIBRARY: &str = "libonnxruntime_providers_qnn.so";

/// The library that contains the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) enum QnnLibrary {
    /// ONNX Runtime itself.
    Runtime,
    /// A plug-in.
    Plugin(PathBuf),
}

/// Finds the provider.
///
/// # Errors
/// [`EngineError::Provider`] with every directory that was tried.
pub(in crate::engine) fn find(runtime: &Runtime) -> Result<QnnLibrary, EngineError> {
    let package = runtime.path().canonicalize().ok().and_then(|path| package_beside(&path));
    let beside = own_directories().into_iter().chain(package).collect::<Vec<_>>();
    let variable = env::var_os(VARIABLE).filter(|value| !value.is_empty());
    if variable.is_none() && PROVIDER.is_built_in() {
        return Ok(QnnLibrary::Runtime);
    }
    locate(variable, &beside).map(QnnLibrary::Plugin).map_err(|reason| {
        refuse(
            PROVIDER,
            reason,
            "Install the plug-in (`pip install onnxruntime-qnn` where ONNX Runtime's package is) \
             or set GAZE_QNN_LIBRARY to its libonnxruntime_providers_qnn.so, or use \
             execution-provider=cpu",
        )
    })
}

/// The plug-in that is found; `None` without one, or if the provider is built in.
pub fn plug_in(runtime: &Runtime) -> Option<PathBuf> {
    match find(runtime).ok()? {
        QnnLibrary::Runtime => None,
        QnnLibrary::Plugin(path) => Some(path),
    }
}

fn locate(variable: Option<OsString>, beside: &[PathBuf]) -> Result<PathBuf, String> {
    if let Some(value) = variable {
        let named = PathBuf::from(value);
        let path = if named.is_dir() { named.join(LIBRARY) } else { named };
        return match path.is_file() {
            true => Ok(path),
            false => Err(format!("{VARIABLE} leads to '{}', which is no file", path.display())),
        };
    }
    let found = beside.iter().map(|dir| dir.join(LIBRARY)).find(|path| path.is_file());
    found.ok_or_else(|| {
        let tried: Vec<String> = beside.iter().map(|dir| format!("'{}'", dir.display())).collect();
        format!(
            "the ONNX Runtime is built without it, {VARIABLE} is not set, and there is no {LIBRARY} \
             in {}",
            tried.join(", ")
        )
    })
}

/// `site-packages/onnxruntime_qnn` for `site-packages/onnxruntime/capi/libonnxruntime.so.1.32.0`.
fn package_beside(runtime: &Path) -> Option<PathBuf> {
    let packages = runtime.parent()?.parent()?.parent()?;
    Some(packages.join("onnxruntime_qnn"))
}

/// The versions on which a compiled model depends.
pub(in crate::engine::provider) fn versions(
    library: &QnnLibrary,
    options: &ProviderOptions,
) -> Vec<(String, String)> {
    let mut versions = Vec::new();
    if let QnnLibrary::Plugin(path) = library {
        versions.push(("plug-in".to_owned(), file_version(path)));
    }
    if let Some(backend) = options.get("backend_path") {
        versions.push(("backend".to_owned(), file_version(Path::new(backend))));
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_location_with_a_plug_in_decides() {
        let dir = tempfile::tempdir().unwrap();
        let (empty, full) = (dir.path().join("empty"), dir.path().join("full"));
        for dir in [&empty, &full] {
            std::fs::create_dir(dir).unwrap();
        }
        let library = full.join(LIBRARY);
        std::fs::write(&library, "").unwrap();
        let beside = [empty.clone(), full.clone()];
        assert_eq!(locate(None, &beside), Ok(library.clone()));
        assert_eq!(locate(Some(full.into_os_string()), &[]), Ok(library.clone()));
        assert_eq!(locate(Some(library.clone().into()), &[]), Ok(library));
        let error = locate(Some(empty.into_os_string()), &beside).unwrap_err();
        assert!(error.contains(VARIABLE), "a variable that is set is binding: {error}");
        assert!(locate(None, &beside[..1]).unwrap_err().contains("empty"));
        let runtime = Path::new("/v/site-packages/onnxruntime/capi/libonnxruntime.so.1.32.0");
        assert_eq!(package_beside(runtime), Some("/v/site-packages/onnxruntime_qnn".into()));
    }
}
