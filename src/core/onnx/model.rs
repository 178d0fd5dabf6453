//! Reads an ONNX file.

use std::collections::BTreeMap;

use super::error::OnnxError;
use super::graph::{Graph, key_value};
use super::tensor::{CompiledPart, OnnxTensor};
use super::wire::Fields;
use crate::core::inference::tensor::ModelInfo;

/// What an ONNX file declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OnnxModel {
    /// Version of the format (`ir_version`).
    pub ir_version: i64,
    /// Name and version of the exporter.
    pub producer: String,
    /// Version of the model, set by its author.
    pub model_version: i64,
    /// Description by the author.
    pub description: String,
    /// Operator sets and their versions; the standard set has an empty name.
    pub opsets: BTreeMap<String, i64>,
    /// Name of the graph.
    pub graph: String,
    /// Inputs that a caller fills.
    pub inputs: Vec<OnnxTensor>,
    /// Outputs.
    pub outputs: Vec<OnnxTensor>,
    /// The count of each operator, in the graph and its inner graphs. An operator outside the standard
    /// set has its domain in front: `com.microsoft.QLinearAdd`.
    pub operators: BTreeMap<String, usize>,
    /// The count of weights for each element type.
    pub weights: BTreeMap<&'static str, u64>,
    /// External files that hold weights, relative to the model's folder, each with the number of bytes
    /// that the weights need at least.
    pub external_files: BTreeMap<String, u64>,
    /// Parts compiled for a device (`EPContext` nodes).
    pub compiled: Vec<CompiledPart>,
    /// Free-form key/value pairs (`metadata_props`).
    pub metadata: BTreeMap<String, String>,
}

impl OnnxModel {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`OnnxError`] for bytes that break off or are not a model.
    pub fn parse(bytes: &[u8]) -> Result<Self, OnnxError> {
        let mut model = Self::default();
        let (mut producer, mut version) = (String::new(), String::new());
        let mut graph = None;
        let mut functions = Vec::new();
        for field in Fields::new(bytes) {
            let (number, value) = field?;
            match number {
                1 => model.ir_version = value.integer(),
                2 => producer = value.text(),
                3 => version = value.text(),
                5 => model.model_version = value.integer(),
                6 => model.description = value.text(),
                7 => graph = Some(Graph::parse(value.bytes(), 0)?),
                8 => {
                    let opset = Fields::new(value.bytes());
                    let (mut domain, mut version) = (String::new(), 0);
                    for field in opset {
                        match field? {
                            (1, value) => domain = value.text(),
                            (2, value) => version = value.integer(),
                            _ => {}
                        }
                    }
                    model.opsets.insert(domain, version);
                }
                14 => {
                    let (key, value) = key_value(value.bytes())?;
                    model.metadata.insert(key, value);
                }
                25 => functions.push(value.bytes()),
                _ => {}
            }
        }
        let mut graph: Graph = graph.ok_or(OnnxError::NoGraph)?;
        for function in functions {
            graph.function(function)?;
        }
        // Before version 4 of the format, weights are inputs too.
        let is_weight = |tensor: &OnnxTensor| graph.initializers.contains(&tensor.name);
        model.inputs = graph.inputs.iter().filter(|input| !is_weight(input)).cloned().collect();
        model.producer = [producer, version].join(" ").trim().to_owned();
        model.graph = graph.name;
        model.outputs = graph.outputs;
        model.operators = graph.operators;
        model.weights = graph.weights;
        model.external_files = graph.external_files;
        model.compiled = graph.compiled;
        Ok(model)
    }

    /// The model as an engine would declare it; `name` is the file's stem.
    pub fn info(&self, name: &str) -> ModelInfo {
        let tensors = |tensors: &[OnnxTensor]| tensors.iter().map(OnnxTensor::info).collect();
        ModelInfo {
            name: name.to_owned(),
            inputs: tensors(&self.inputs),
            outputs: tensors(&self.outputs),
            metadata: self.metadata.clone(),
        }
    }

    /// The files that it names: those of its weights, then those of its compiled parts.
    pub fn named_files(&self) -> impl Iterator<Item = &str> {
        let parts = self.compiled.iter().filter_map(|part| part.file.as_deref());
        self.external_files.keys().map(String::as_str).chain(parts)
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.operators.values().sum()
    }

    /// Number of trained parameters.
    pub fn parameters(&self) -> u64 {
        self.weights.values().copied().fold(0, u64::saturating_add)
    }

    /// Whether it has `QuantizeLinear` or `DequantizeLinear` nodes, which an accelerator can run with
    /// integers.
    pub fn is_qdq(&self) -> bool {
        ["QuantizeLinear", "DequantizeLinear"].iter().any(|name| self.operators.contains_key(*name))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
