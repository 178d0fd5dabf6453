//! What an ONNX file says about itself, without a runtime: tensors, operators, weights, metadata.
//!
//! Only what people ask about is read, by a reader of the wire format that believes no length
//! ([`wire`]). Field numbers are those of
//! [`onnx.proto`](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).

pub mod epcontext;
mod graph;
pub mod message;
pub mod wire;

use std::collections::BTreeMap;

use crate::core::inference::{ElementType, ModelInfo, TensorInfo};
use graph::Graph;
use wire::{Fields, WireError};

/// Graphs in graphs (the branches of `If`, the bodies of `Loop`) go no deeper.
const MAX_DEPTH: usize = 16;

/// Why some bytes are no ONNX model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OnnxError {
    /// They break off, or are of another format altogether.
    #[error(
        "it is not an ONNX model, or not all of it: {0}. Compare its size with the original's and \
         copy or download it again"
    )]
    Wire(#[from] WireError),
    /// They are a protocol buffer, or could be, without a graph.
    #[error("it is not an ONNX model: there is no graph in it")]
    NoGraph,
    /// Graphs in graphs in graphs.
    #[error("its graphs are nested more than {MAX_DEPTH} deep")]
    TooDeep,
}

/// What an ONNX file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OnnxModel {
    /// Version of the format (`ir_version`).
    pub ir_version: i64,
    /// Who wrote it: name and version.
    pub producer: String,
    /// The author's own version.
    pub model_version: i64,
    /// What the author says.
    pub description: String,
    /// Sets of operators and their versions; the standard one is ``.
    pub opsets: BTreeMap<String, i64>,
    /// Name of the graph.
    pub graph: String,
    /// Inputs that a caller gives.
    pub inputs: Vec<OnnxTensor>,
    /// Outputs.
    pub outputs: Vec<OnnxTensor>,
    /// How often each operator occurs, in the graph and the graphs in it. Operators beyond the
    /// standard ones carry their domain: `com.microsoft.QLinearAdd`.
    pub operators: BTreeMap<String, usize>,
    /// Weights by element type: how many numbers.
    pub weights: BTreeMap<&'static str, u64>,
    /// Files beside the model that hold weights.
    pub external_files: Vec<String>,
    /// Models compiled for a device (nodes `EPContext`), each with what made it.
    pub compiled: Vec<CompiledPart>,
    /// Free-form key/value pairs (`metadata_props`).
    pub metadata: BTreeMap<String, String>,
}

/// An input or an output as the file declares it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnnxTensor {
    /// Its name.
    pub name: String,
    /// Name of the element type; `sequence`, `map` or such for what is no tensor.
    pub element: &'static str,
    /// Dimensions.
    pub shape: Vec<Dimension>,
}

/// One dimension of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Always this.
    Fixed(u64),
    /// Left open, under this name; it may be empty.
    Open(String),
}

impl Dimension {
    /// How many, where the file says.
    pub fn size(&self) -> Option<usize> {
        match self {
            Self::Fixed(size) => usize::try_from(*size).ok(),
            Self::Open(_) => None,
        }
    }
}

/// A node `EPContext`: a part of a model, or all of it, compiled for one device.
/// <https://onnxruntime.ai/docs/execution-providers/EP-Context-Design.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompiledPart {
    /// The provider that made it, and alone can run it.
    pub source: String,
    /// Version of the vendor's software.
    pub sdk_version: String,
    /// What it was made for.
    pub hardware: String,
    /// File that holds it; `None` where it lies in the model.
    pub file: Option<String>,
}

/// How a model counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats throughout.
    Float32,
    /// Weights are 16-bit floats.
    Float16,
    /// Weights are bfloat16.
    BFloat16,
    /// Integers between nodes `QuantizeLinear` and `DequantizeLinear`, for accelerators and CPUs.
    QuantizedQdq,
    /// Nodes that compute with integers themselves (`QLinearConv`), for CPUs.
    QuantizedOperators,
    /// Only weights are integers; what flows is quantised while it runs, or not at all.
    QuantizedDynamic,
    /// Compiled for one device; what it counts with is not seen.
    Compiled,
}

impl Precision {
    /// For people and programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::BFloat16 => "bfloat16",
            Self::QuantizedQdq => "quantised (QDQ)",
            Self::QuantizedOperators => "quantised (integer operators)",
            Self::QuantizedDynamic => "quantised (dynamic)",
            Self::Compiled => "compiled",
        }
    }

    /// Whether it counts with integers.
    pub const fn is_quantized(self) -> bool {
        matches!(self, Self::QuantizedQdq | Self::QuantizedOperators | Self::QuantizedDynamic)
    }
}

impl OnnxModel {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`OnnxError`] for what breaks off or is no model.
    pub fn parse(bytes: &[u8]) -> Result<Self, OnnxError> {
        let mut model = Self::default();
        let (mut producer, mut version) = (String::new(), String::new());
        let mut graph = None;
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
                _ => {}
            }
        }
        let graph = graph.ok_or(OnnxError::NoGraph)?;
        // Before version 4 of the format, weights are inputs too.
        let is_weight = |tensor: &OnnxTensor| graph.initializers.contains(&tensor.name);
        model.inputs = graph.inputs.iter().filter(|input| !is_weight(input)).cloned().collect();
        model.producer = [producer, version].join(" ").trim().to_owned();
        model.graph = graph.name;
        model.outputs = graph.outputs;
        model.operators = graph.operators;
        model.weights = graph.weights;
        model.external_files = graph.external_files.into_iter().collect();
        model.compiled = graph.compiled;
        Ok(model)
    }

    /// What an engine would say of it; `name` is the file's stem.
    pub fn info(&self, name: &str) -> ModelInfo {
        let tensors = |tensors: &[OnnxTensor]| tensors.iter().map(OnnxTensor::info).collect();
        ModelInfo {
            name: name.to_owned(),
            inputs: tensors(&self.inputs),
            outputs: tensors(&self.outputs),
            metadata: self.metadata.clone(),
        }
    }

    /// Nodes in all.
    pub fn nodes(&self) -> usize {
        self.operators.values().sum()
    }

    /// Numbers that were trained, in all.
    pub fn parameters(&self) -> u64 {
        self.weights.values().copied().fold(0, u64::saturating_add)
    }

    /// Whether its numbers are rounded by nodes that an accelerator can take for integers.
    pub fn is_qdq(&self) -> bool {
        ["QuantizeLinear", "DequantizeLinear"].iter().any(|name| self.operators.contains_key(*name))
    }

    /// How it counts, as far as its nodes and weights show.
    pub fn precision(&self) -> Precision {
        let has = |wanted: fn(&str) -> bool| {
            self.operators.keys().any(|name| wanted(name.rsplit('.').next().unwrap_or(name)))
        };
        if !self.compiled.is_empty() {
            return Precision::Compiled;
        }
        if has(|name| name.starts_with("QLinear") || name.starts_with("QGemm")) {
            return Precision::QuantizedOperators;
        }
        if has(|name| {
            name.starts_with("DynamicQuantize")
                || name.ends_with("Integer")
                || name == "MatMulNBits"
        }) {
            return Precision::QuantizedDynamic;
        }
        match (has(|name| name == "QuantizeLinear"), has(|name| name == "DequantizeLinear")) {
            (true, _) => return Precision::QuantizedQdq,
            (false, true) => return Precision::QuantizedDynamic,
            (false, false) => {}
        }
        let weights = |name| self.weights.get(name).copied().unwrap_or(0);
        let (single, half, brain) = (weights("float32"), weights("float16"), weights("bfloat16"));
        match half.max(brain) {
            most if most <= single => Precision::Float32,
            most if most == half => Precision::Float16,
            _ => Precision::BFloat16,
        }
    }
}

impl OnnxTensor {
    /// What an engine would say of it.
    fn info(&self) -> TensorInfo {
        let element = match self.element {
            "float32" => Some(ElementType::F32),
            "float16" => Some(ElementType::F16),
            "uint8" => Some(ElementType::U8),
            "int8" => Some(ElementType::I8),
            _ => None,
        };
        TensorInfo {
            name: self.name.clone(),
            element,
            shape: self.shape.iter().map(Dimension::size).collect(),
        }
    }
}

/// A `StringStringEntryProto`.
fn key_value(bytes: &[u8]) -> Result<(String, String), WireError> {
    let (mut key, mut text) = (String::new(), String::new());
    for field in Fields::new(bytes) {
        match field? {
            (1, value) => key = value.text(),
            (2, value) => text = value.text(),
            _ => {}
        }
    }
    Ok((key, text))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
