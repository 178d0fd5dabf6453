//! ONNX Runtime: where it is looked for, what is found, what it can.

use gstgaze::core::tensor::EngineError;
use gstgaze::engine::provider::ExecutionProvider;
use gstgaze::engine::runtime::{self, Place};

use super::{Check, State};

/// The library, the places in their order, and the providers that it was built with.
pub fn checks() -> (Vec<Check>, Vec<ExecutionProvider>) {
    let mut checks = Vec::new();
    let mut providers = Vec::new();
    match runtime::get() {
        Ok(runtime) => {
            let found = format!("{} {}", runtime.version(), runtime.path().display());
            checks.push(Check::new("library", State::Ok, found));
            providers = ExecutionProvider::built_in(runtime);
            let names: Vec<&str> = providers.iter().map(|provider| provider.nick()).collect();
            checks.push(Check::new("providers", State::Ok, names.join(", ")));
        }
        Err(EngineError::Runtime { reason, remedy }) => {
            checks.push(Check::new("library", State::Missing, reason).remedy(remedy));
        }
        Err(why) => checks.push(Check::new("library", State::Missing, why.to_string())),
    }
    for (index, place) in runtime::places().iter().enumerate() {
        checks.push(searched(index, place));
    }
    (checks, providers)
}

fn searched(index: usize, place: &Place) -> Check {
    let name = format!("search {}", index + 1);
    let Place { name: place, setting, libraries } = place;
    let libraries: Vec<String> = libraries.iter().map(|path| path.display().to_string()).collect();
    let what = match (setting, libraries.as_slice()) {
        (Some(setting), []) => format!("{place}={setting}: leads to no library"),
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
