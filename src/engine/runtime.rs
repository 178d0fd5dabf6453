//! Finding and loading ONNX Runtime, once per process.
//!
//! The library is looked for in this order, and the first place that names one decides:
//!
//! 1. the environment variable `GAZE_ORT_LIBRARY` (a file, or a directory that holds one),
//! 2. the environment variable `ORT_DYLIB_PATH` (the same),
//! 3. beside the plugin and beside the executable (`libonnxruntime.so` or `libonnxruntime.so.*`),
//! 4. the loader's path (`libonnxruntime.so`, `libonnxruntime.so.1`).
//!
//! A variable that is set is binding: where it leads nowhere, that is an error and not a reason to
//! load another library than the one that was asked for. A failed attempt leaves nothing behind;
//! the next call looks again, so that a library which is installed meanwhile is found. Once one is
//! loaded it stays until the process ends.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::{env, fmt};

use once_cell::sync::OnceCell;
use ort::environment::Environment;

use crate::core::inference::EngineError;

/// The oldest ONNX Runtime that is accepted, as in the features of the `ort` dependency.
pub const MINIMUM_VERSION: &str = "1.22";

/// Variables that name the library, in the order in which they are asked.
pub const VARIABLES: [&str; 2] = ["GAZE_ORT_LIBRARY", "ORT_DYLIB_PATH"];

const LIBRARY: &str = "libonnxruntime.so";

/// Names that the loader is asked for.
const LOADED: [&str; 2] = [LIBRARY, "libonnxruntime.so.1"];

/// ONNX Runtime, loaded.
#[derive(Debug)]
pub struct Runtime {
    path: PathBuf,
    version: String,
    environment: Environment,
}

impl Runtime {
    /// What was loaded; a bare name where the loader found it.
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

/// The process's ONNX Runtime, loaded by the first call.
///
/// # Errors
/// [`EngineError::Runtime`] with everything that was tried and how to get a good library.
pub fn get() -> Result<&'static Runtime, EngineError> {
    static RUNTIME: OnceCell<Runtime> = OnceCell::new();
    RUNTIME.get_or_try_init(|| load(|name| env::var_os(name)))
}

/// A place where ONNX Runtime is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A variable's name, a directory, or a name that the loader is given.
    pub name: String,
    /// What the variable says; a variable that is set decides.
    pub setting: Option<String>,
    /// The libraries that are there, the first of which is taken; the loader's are not known
    /// before it is asked.
    pub libraries: Vec<PathBuf>,
}

/// The places where [`get`] looks, in their order.
pub fn places() -> Vec<Place> {
    let variable = |name: &str| {
        let value = env::var_os(name).filter(|value| !value.is_empty());
        let libraries = value.as_ref().and_then(|value| named(name, Path::new(value)).ok());
        Place {
            name: name.to_owned(),
            setting: value.map(|value| value.to_string_lossy().into_owned()),
            libraries: libraries.into_iter().collect(),
        }
    };
    let beside = own_directories().into_iter().map(|dir| Place {
        libraries: libraries_in(&dir),
        name: dir.display().to_string(),
        setting: None,
    });
    let loader =
        LOADED.map(|name| Place { name: name.to_owned(), setting: None, libraries: Vec::new() });
    VARIABLES.map(variable).into_iter().chain(beside).chain(loader).collect()
}

fn load(variable: impl Fn(&str) -> Option<OsString>) -> Result<Runtime, EngineError> {
    for name in VARIABLES {
        let Some(value) = variable(name).filter(|value| !value.is_empty()) else { continue };
        let path = named(name, Path::new(&value))?;
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

/// The library that a variable leads to.
fn named(variable: &str, path: &Path) -> Result<PathBuf, EngineError> {
    if path.is_dir() {
        return libraries_in(path).into_iter().next().ok_or_else(|| {
            error(format!(
                "{variable} is the directory '{}', which has no {LIBRARY}",
                path.display()
            ))
        });
    }
    // A name without a directory is the loader's business.
    let bare = path.parent().is_none_or(|parent| parent.as_os_str().is_empty());
    if !bare && !path.exists() {
        return Err(error(format!("{variable} is '{}', which does not exist", path.display())));
    }
    Ok(path.to_path_buf())
}

/// `libonnxruntime.so` and its versioned names in a directory, the plain name first.
fn libraries_in(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let versioned = format!("{LIBRARY}.");
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name == LIBRARY || name.starts_with(&versioned))
        })
        .collect();
    found.sort();
    found
}

/// Where this code lives: the directory of the plugin's library, if it is loaded as one, and that
/// of the executable.
pub(super) fn own_directories() -> Vec<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let executable = env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf));
    let mut dirs: Vec<PathBuf> = plugin_directory(&maps).into_iter().chain(executable).collect();
    dirs.dedup();
    dirs
}

/// The directory of the plugin's library in the kernel's map of a process, which names it without
/// asking the loader.
fn plugin_directory(maps: &str) -> Option<PathBuf> {
    maps.lines()
        .filter_map(|line| line.find('/').map(|start| Path::new(&line[start..])))
        .find(|path| path.file_name().is_some_and(|name| name == "libgstgaze.so"))
        .and_then(Path::parent)
        .map(Path::to_path_buf)
}

/// Loads one library. `ort` keeps the first that it accepts and forgets one that it refuses, so
/// that another path may be tried after a failure.
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
            log(level.into(), location, message);
        }))
        .build()
        .map_err(|why| format!("'{}' does not start: {why}", path.display()))?;
    let level = LOG.read().map_or(LogLevel::Warning, |log| log.level);
    environment.set_log_level(level.into());
    let version = ort::util::probe(path).map_or_else(String::new, |minor| format!("1.{minor}"));
    Ok(Runtime { path: path.to_path_buf(), version, environment })
}

/// How much a message of ONNX Runtime matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Everything that it does.
    Verbose,
    /// What it decided.
    Info,
    /// What may be wrong.
    Warning,
    /// What went wrong; also returned as an error.
    Error,
}

impl From<ort::logging::LogLevel> for LogLevel {
    fn from(level: ort::logging::LogLevel) -> Self {
        use ort::logging::LogLevel as Ort;
        match level {
            Ort::Verbose => Self::Verbose,
            Ort::Info => Self::Info,
            Ort::Warning => Self::Warning,
            Ort::Error | Ort::Fatal => Self::Error,
        }
    }
}

impl From<LogLevel> for ort::logging::LogLevel {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Verbose => Self::Verbose,
            LogLevel::Info => Self::Info,
            LogLevel::Warning => Self::Warning,
            LogLevel::Error => Self::Error,
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verbose => "verbose",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Takes a message of ONNX Runtime: its level, the place in its sources, the text. Called from any
/// thread, also while a model runs; it must not block, and a panic in it ends the process.
pub type LogSink = fn(level: LogLevel, location: &str, message: &str);

struct Log {
    sink: Option<LogSink>,
    level: LogLevel,
}

static LOG: RwLock<Log> = RwLock::new(Log { sink: None, level: LogLevel::Warning });

/// Sends the messages of ONNX Runtime from `level` on to `sink`, from now on. Without a sink they
/// are dropped: a library has no business on anybody's standard error, and what matters comes back
/// as an error.
///
/// The level holds for models that are opened after the call.
pub fn set_log_sink(sink: LogSink, level: LogLevel) {
    if let Ok(mut log) = LOG.write() {
        *log = Log { sink: Some(sink), level };
    }
}

/// The level that sessions are opened with.
pub(super) fn log_level() -> LogLevel {
    LOG.read().map_or(LogLevel::Warning, |log| log.level)
}

pub(super) fn log(level: LogLevel, location: &str, message: &str) {
    let Ok(sink) = LOG.read().map(|log| log.sink.filter(|_| level >= log.level)) else { return };
    if let Some(sink) = sink {
        sink(level, location, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_is_found_in_the_map_of_the_process() {
        let maps = "55d0c0000000-55d0c0001000 r--p 00000000 08:01 42    /usr/bin/gst-launch-1.0\n\
                    7f1200000000-7f1200001000 r-xp 00001000 08:01 43    \
                    /opt/my plugins/libgstgaze.so\n\
                    7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0     [stack]\n";
        assert_eq!(plugin_directory(maps), Some(PathBuf::from("/opt/my plugins")));
        assert_eq!(plugin_directory("7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0"), None);
    }
}
