//! `gazetool doctor`: what this machine has, and what to install.

mod devices;
mod gstreamer;
mod libraries;
mod onnxruntime;

use std::fmt;

use serde::Serialize;

use crate::output::{Answer, Failure};
use libraries::Loader;

/// Says what this machine has, and what to install.
///
/// Looks for GStreamer and the plugin, ONNX Runtime and its execution providers, NVIDIA's and
/// Qualcomm's libraries, and cameras. Exits with 1 where something is missing that every pipeline
/// needs.
#[derive(clap::Args)]
pub struct Args {}

/// How it stands with one thing.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is there.
    Ok,
    /// It is not, and nothing works without it.
    Missing,
    /// It is there and does not work, or works only in part.
    Problem,
    /// It is not there; only some need it.
    Absent,
}

/// One thing that was looked for.
#[derive(Serialize)]
pub struct Check {
    name: String,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Check {
    /// Something and what was found.
    pub fn new(name: impl Into<String>, state: State, found: impl Into<String>) -> Self {
        Self { name: name.into(), state, found: found.into(), remedy: None }
    }

    /// What to do about it.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// Things that belong together.
#[derive(Serialize)]
pub struct Section {
    title: &'static str,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Report {
    /// Whether nothing is missing that every pipeline needs.
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
    let needed = |check: &Check| check.state != State::Missing;
    let ready = sections.iter().flat_map(|section| &section.checks).all(needed);
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
        let ready = if self.ready { "ready" } else { "not ready: something needed is missing" };
        writeln!(f, "\n{ready}")
    }
}
