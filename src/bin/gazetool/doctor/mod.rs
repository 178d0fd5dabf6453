//! `gazetool doctor`: what this machine has and lacks.

mod devices;
mod gstreamer;
mod libraries;
mod onnxruntime;

use std::fmt;

use serde::Serialize;

use crate::output::{Answer, Failure};
use libraries::Loader;

/// Shows what this machine has and what to install.
///
/// Looks for GStreamer and the plugin, ONNX Runtime and its execution providers, NVIDIA's and
/// Qualcomm's libraries, and cameras. Exits with 1 where something that every pipeline needs is
/// missing.
#[derive(clap::Args)]
pub struct Args {}

/// The state of one component.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Present.
    Ok,
    /// Missing, and every pipeline needs it.
    Missing,
    /// Present, and does not work or works in part.
    Problem,
    /// Missing, and only some pipelines need it.
    Absent,
}

/// A component and its state.
#[derive(Serialize)]
pub struct Check {
    name: String,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Check {
    /// A component and what the machine has of it.
    pub fn new(name: impl Into<String>, state: State, found: impl Into<String>) -> Self {
        Self { name: name.into(), state, found: found.into(), remedy: None }
    }

    /// The same with the remedy.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// Components of one subject.
#[derive(Serialize)]
pub struct Section {
    title: &'static str,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Report {
    /// Whether the machine has all that every pipeline needs.
    ready: bool,
    sections: Vec<Section>,
}

/// Runs the command.
pub fn execute(_args: &Args) -> Result<Answer, Failure> {
    let loader = Loader::new();
    let (runtime, providers) = onnxruntime::checks();
    let sections = vec![
        Section { title: "Machine", checks: devices::machine() },
        Section { title: "GStreamer", checks: gstreamer::checks(&loader) },
        Section { title: "ONNX Runtime", checks: runtime },
        Section { title: "NVIDIA", checks: libraries::nvidia(&loader, &providers) },
        Section { title: "Qualcomm", checks: libraries::qualcomm(&loader, &providers) },
        Section { title: "Cameras", checks: devices::cameras() },
    ];
    let present = |check: &Check| check.state != State::Missing;
    let ready = sections.iter().flat_map(|section| &section.checks).all(present);
    Ok(Answer::new(&Report { ready, sections })?.verdict(ready))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks = || self.sections.iter().flat_map(|section| &section.checks);
        let width = checks().map(|check| check.name.chars().count()).max().unwrap_or(0);
        for section in &self.sections {
            writeln!(f, "{}", section.title)?;
            for Check { name, state, found, .. } in &section.checks {
                let mark = match state {
                    State::Ok => "ok",
                    State::Missing => "MISSING",
                    State::Problem => "PROBLEM",
                    State::Absent => "-",
                };
                writeln!(f, "  {mark:<7}  {name:<width$}  {found}")?;
            }
        }
        if checks().any(|check| check.remedy.is_some()) {
            writeln!(f, "\nTo do")?;
        }
        for Section { title, checks } in &self.sections {
            for check in checks {
                if let Some(remedy) = &check.remedy {
                    writeln!(f, "  {title}, {}: {remedy}", check.name)?;
                }
            }
        }
        let ready = if self.ready { "ready" } else { "not ready: install what is MISSING" };
        writeln!(f, "\n{ready}")
    }
}
