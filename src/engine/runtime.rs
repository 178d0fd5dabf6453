//! ONNX Runtime: found, loaded and started, once per process.
//!
//! `library_location` says where the library is looked for. A variable that
//! is set is binding: if it names no library, that is an error and no reason to load another one. A
//! failed attempt leaves nothing behind; the next call searches again, so that it finds a library that
//! was installed meanwhile. A loaded library stays until the process ends.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use once_cell::sync::OnceCell;
use ort::environment::Environment;

use super::library_location::{LIBRARY, LOADED, libraries_in, named, own_directories};
use super::log;
use crate::core::inference::EngineError;

pub use super::library_location::VARIABLES;

/// The oldest supported ONNX Runtime, as in the features of the `ort` dependency.
const MINIMUM_VERSION: &str = "1.22";

/// ONNX Runtime, loaded.
#[derive(Debug)]
pub struct Runtime {
    path: PathBuf,
    version: String,
    environment: Environment,
}

impl Runtime {
    /// The path of the library; a bare name if the loader found it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version without the patch level, e.g. `1.22`.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// The process's ONNX Runtime. The first call loads it.
///
/// # Errors
/// [`EngineError::Runtime`] with every path that was tried and how to get the library.
pub fn get() -> Result<&'static Runtime, EngineError> {
    static RUNTIME: OnceCell<Runtime> = OnceCell::new();
    RUNTIME.get_or_try_init(|| load(|name| env::var_os(name)))
}

fn load(variable: impl Fn(&str) -> Option<OsString>) -> Result<Runtime, EngineError> {
    for name in VARIABLES {
        let Some(value) = variable(name).filter(|value| !value.is_empty()) else { continue };
        let path = named(name, Path::new(&value)).map_err(error)?;
        return try_load(&path).map_err(|why| error(format!("{name}: {why}")));
    }
    let mut tried = Vec::new();
    let beside = own_directories().into_iter().flat_map(|dir| libraries_in(&dir));
    let by_name = LOADED.map(PathBuf::from);
    for path in beside.chain(by_name) {
        match try_load(&path) {
            Ok(runtime) => return Ok(runtime),
            Err(why) => tried.push(why),
        }
    }
    Err(error(format!(
        "no ONNX Runtime found: {} are not set; tried {}",
        VARIABLES.join(" and "),
        tried.join("; ")
    )))
}

fn error(reason: String) -> EngineError {
    EngineError::Runtime {
        reason,
        remedy: format!(
            "Install ONNX Runtime {MINIMUM_VERSION} or newer and set GAZE_ORT_LIBRARY to its \
             library: `pip install onnxruntime` puts it at \
             site-packages/onnxruntime/capi/{LIBRARY}.<version>; a distribution's package \
             (libonnxruntime) is found without the variable"
        ),
    }
}

/// Loads one library. `ort` keeps the first that it accepts and forgets one that it refuses, so that
/// another path may follow a failure.
fn try_load(path: &Path) -> Result<Runtime, String> {
    let builder = ort::init_from(path).map_err(|why| match why {
        ort::LoadDynamicError::MissingApi { .. } => {
            format!("'{}' is a library, but not ONNX Runtime", path.display())
        }
        ort::LoadDynamicError::BadVersion { version_str, .. } => format!(
            "'{}' is ONNX Runtime {version_str}, older than {MINIMUM_VERSION}",
            path.display()
        ),
        ort::LoadDynamicError::Dlopen { error, .. } => {
            let loader: &dyn std::error::Error = &error;
            let why = loader.source().map_or_else(|| loader.to_string(), ToString::to_string);
            format!("'{}' cannot be loaded ({why})", path.display())
        }
        other => format!("'{}': {other}", path.display()),
    })?;
    let environment = builder
        .with_name("gaze")
        .with_telemetry(false)
        .with_logger(Arc::new(|level, _category, _id, location, message| {
            log::send(level.into(), location, message);
        }))
        .build()
        .map_err(|why| format!("'{}' does not start: {why}", path.display()))?;
    environment.set_log_level(log::level().into());
    let version = ort::util::probe(path).map_or_else(String::new, |minor| format!("1.{minor}"));
    Ok(Runtime { path: path.to_path_buf(), version, environment })
}
