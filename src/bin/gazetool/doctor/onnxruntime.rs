//! ONNX Runtime: where the plugin looks for it, which one it finds, what that one runs.

use std::fs::{self, File};
use std::path::Path;

use gstgaze::core::inference::EngineError;
use gstgaze::engine::provider::{ExecutionProvider, qnn};
use gstgaze::engine::runtime::{self, Runtime};
use gstgaze::engine::{self, EngineCache, LibraryLocation};

use super::{Check, State};

/// Checks the library, the search path and the engine cache, and returns the providers of the library.
pub fn checks() -> (Vec<Check>, Vec<ExecutionProvider>) {
    let mut checks = Vec::new();
    let mut providers = Vec::new();
    match runtime::get() {
        Ok(runtime) => {
            let found = format!("{} {}", runtime.version(), runtime.path().display());
            checks.push(Check::new("library", State::Ok, found));
            providers = ExecutionProvider::available(runtime);
            let names: Vec<&str> = providers.iter().map(|provider| provider.nick()).collect();
            checks.push(Check::new("providers", State::Ok, names.join(", ")));
            checks.extend(plug_in(runtime));
        }
        Err(EngineError::Runtime { reason, remedy }) => {
            checks.push(Check::new("library", State::Missing, reason).remedy(remedy));
        }
        Err(why) => checks.push(Check::new("library", State::Missing, why.to_string())),
    }
    checks.push(cache());
    for (index, place) in engine::library_locations().iter().enumerate() {
        checks.push(searched(index, place));
    }
    (checks, providers)
}

/// The QNN provider, which is a plug-in beside ONNX Runtime's library.
fn plug_in(runtime: &Runtime) -> Option<Check> {
    let path = qnn::plug_in(runtime)?;
    Some(Check::new("plug-in", State::Ok, format!("qnn {}", path.display())))
}

/// The folder that keeps compiled models, and whether the plugin can write there.
fn cache() -> Check {
    let name = "engine cache";
    let remedy = "every start compiles the models again: set engine-cache (--engine-cache) to a \
                  folder that you can write to";
    match EngineCache::User.directory() {
        Ok(Some(path)) if path.is_dir() => match writes(&path) {
            Ok(()) => Check::new(name, State::Ok, path.display().to_string()),
            Err(why) => Check::new(name, State::Problem, format!("{}: {why}", path.display()))
                .remedy(remedy),
        },
        Ok(Some(path)) => {
            let found = format!("{}, which the first compiled model creates", path.display());
            Check::new(name, State::Absent, found)
        }
        Ok(None) => Check::new(name, State::Absent, "none"),
        Err(why) => Check::new(name, State::Problem, why).remedy(remedy),
    }
}

fn writes(directory: &Path) -> std::io::Result<()> {
    let probe = directory.join(format!(".doctor-{}", std::process::id()));
    File::create_new(&probe)?;
    fs::remove_file(&probe)
}

fn searched(index: usize, place: &LibraryLocation) -> Check {
    let name = format!("search {}", index + 1);
    let LibraryLocation { name: place, setting, libraries } = place;
    let libraries: Vec<String> = libraries.iter().map(|path| path.display().to_string()).collect();
    let what = match (setting, libraries.as_slice()) {
        (Some(setting), []) => format!("{place}={setting}: no library there"),
        (Some(setting), _) => format!("{place}={setting}"),
        (None, []) => place.clone(),
        (None, libraries) => format!("{place}: {}", libraries.join(", ")),
    };
    let state = match (setting, libraries.as_slice()) {
        (Some(_), []) => State::Problem,
        (_, []) => State::Absent,
        _ => State::Ok,
    };
    Check::new(name, state, what)
}
