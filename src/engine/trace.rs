//! Where each node of a model runs: ONNX Runtime's own trace of a run, which is the only account
//! that every version gives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io};

use serde::Deserialize;

use super::session::OrtEngine;
use crate::core::inference::EngineError;

/// The nodes of one execution provider, after the runtime has fused what it can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// Name of the provider in ONNX Runtime, e.g. `CPUExecutionProvider`.
    pub provider: String,
    /// How many nodes it runs. A provider that compiles counts each part as one.
    pub nodes: usize,
    /// The same by operator.
    pub operators: BTreeMap<String, usize>,
}

/// A folder of its own for a trace, gone when this is dropped.
#[derive(Debug)]
pub struct Trace {
    folder: PathBuf,
}

impl Trace {
    /// Makes the folder among the system's temporary files.
    ///
    /// # Errors
    /// Where none can be made.
    pub fn new() -> io::Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("gaze-trace-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // Not one that is there: somebody else might have made it.
        fs::create_dir(&folder)?;
        Ok(Self { folder })
    }

    /// The value for [`EngineOptions::trace`](super::EngineOptions::trace).
    pub fn prefix(&self) -> PathBuf {
        self.folder.join("run")
    }

    /// Ends the trace of an engine that was opened with this prefix, and reads it. Opening runs a
    /// model once, so that nothing else needs to be run.
    ///
    /// # Errors
    /// [`EngineError::Run`] where there is none.
    pub fn finish(self, engine: &mut OrtEngine) -> Result<Vec<Placement>, EngineError> {
        let failed = |why: String| EngineError::Run(format!("its trace cannot be read: {why}"));
        let file = engine.end_trace()?;
        let text = fs::read(file).map_err(|why| failed(why.to_string()))?;
        placements(&text).map_err(|why| failed(why.to_string()))
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        // Nobody is there to tell; the system clears its temporary files.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// One entry, in the format of Chrome's trace viewer.
#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    cat: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    args: Arguments,
}

#[derive(Default, Deserialize)]
struct Arguments {
    provider: Option<String>,
    op_name: Option<String>,
}

/// Counts each node once, however often it ran.
fn placements(json: &[u8]) -> serde_json::Result<Vec<Placement>> {
    let events: Vec<Event> = serde_json::from_slice(json)?;
    let mut seen = BTreeSet::new();
    let mut found: BTreeMap<String, Placement> = BTreeMap::new();
    for event in events {
        let Event { cat, name, args: Arguments { provider: Some(provider), op_name } } = event
        else {
            continue;
        };
        if cat != "Node" || !name.ends_with("_kernel_time") || !seen.insert(name) {
            continue;
        }
        let placement = found.entry(provider).or_default();
        placement.nodes += 1;
        *placement.operators.entry(op_name.unwrap_or_default()).or_default() += 1;
    }
    let named = found.into_iter().map(|(provider, rest)| Placement { provider, ..rest });
    Ok(named.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_counted_once_and_by_provider() {
        let json = br#"[
            {"cat":"Session","name":"model_loading_uri","args":{}},
            {"cat":"Node","name":"a_kernel_time","args":{"provider":"QNN","op_name":"QNN_1"}},
            {"cat":"Node","name":"b_fence_before","args":{"op_name":"Conv"}},
            {"cat":"Node","name":"b_kernel_time","args":{"provider":"CPU","op_name":"Conv"}},
            {"cat":"Node","name":"b_kernel_time","args":{"provider":"CPU","op_name":"Conv"}},
            {"cat":"Node","name":"c_kernel_time","args":{"provider":"CPU","op_name":"Gemm"}}]"#;
        let found = placements(json).unwrap();
        let counts: Vec<_> = found.iter().map(|p| (p.provider.as_str(), p.nodes)).collect();
        assert_eq!(counts, [("CPU", 2), ("QNN", 1)]);
        assert_eq!(found[0].operators.len(), 2);
        assert!(placements(b"[{\"cat\":").is_err());
    }

    #[test]
    fn a_trace_leaves_nothing_behind() {
        let trace = Trace::new().unwrap();
        let folder = trace.folder.clone();
        fs::write(trace.prefix(), "x").unwrap();
        drop(trace);
        assert!(!folder.exists());
    }
}
