//! Which execution provider runs which node, from ONNX Runtime's trace of a run: the only source that
//! every version offers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::{fs, io};

use serde::Deserialize;
use tempfile::TempDir;

use super::ort_engine::OrtEngine;
use crate::core::inference::EngineError;

/// The nodes of one execution provider, after the runtime has fused what it can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodePlacement {
    /// Name of the provider in ONNX Runtime, e.g. `CPUExecutionProvider`.
    pub provider: String,
    /// How many nodes it runs; each compiled part counts as one.
    pub nodes: usize,
    /// The same by operator.
    pub operators: BTreeMap<String, usize>,
}

/// A temporary folder for a trace, deleted when this is dropped.
#[derive(Debug)]
pub struct PlacementTrace {
    folder: TempDir,
}

impl PlacementTrace {
    /// Makes the folder.
    ///
    /// # Errors
    /// The system's temporary directory takes no folder.
    pub fn new() -> io::Result<Self> {
        Ok(Self { folder: tempfile::Builder::new().prefix("gaze-trace-").tempdir()? })
    }

    /// The value for [`EngineOptions::trace`](super::EngineOptions::trace).
    pub fn prefix(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// Ends and reads the trace of an engine that was opened with this prefix. Opening has run the
    /// model once, which suffices.
    ///
    /// # Errors
    /// [`EngineError::Run`] without a readable trace.
    pub fn finish(self, engine: &mut OrtEngine) -> Result<Vec<NodePlacement>, EngineError> {
        let failed = |why: String| EngineError::Run(format!("its trace cannot be read: {why}"));
        let file = engine.end_trace()?;
        let text = fs::read(file).map_err(|why| failed(why.to_string()))?;
        placements(&text).map_err(|why| failed(why.to_string()))
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
fn placements(json: &[u8]) -> serde_json::Result<Vec<NodePlacement>> {
    let events: Vec<Event> = serde_json::from_slice(json)?;
    let mut seen = BTreeSet::new();
    let mut found: BTreeMap<String, NodePlacement> = BTreeMap::new();
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
    let named = found.into_iter().map(|(provider, rest)| NodePlacement { provider, ..rest });
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
        let trace = PlacementTrace::new().unwrap();
        let folder = trace.folder.path().to_path_buf();
        fs::write(trace.prefix(), "x").unwrap();
        drop(trace);
        assert!(!folder.exists());
    }
}
