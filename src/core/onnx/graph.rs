//! Reads the graphs of an ONNX file: nodes, weights, inputs and outputs.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{MAX_DEPTH, OnnxError};
use super::tensor::{CompiledPart, Dimension, OnnxTensor};
use super::wire::{Fields, Value, WireError};

/// A `GraphProto`, with the counts of its inner graphs.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    pub name: String,
    pub inputs: Vec<OnnxTensor>,
    pub outputs: Vec<OnnxTensor>,
    pub initializers: BTreeSet<String>,
    pub operators: BTreeMap<String, usize>,
    pub weights: BTreeMap<&'static str, u64>,
    /// External files, with the bytes that their weights take up to.
    pub external_files: BTreeMap<String, u64>,
    pub compiled: Vec<CompiledPart>,
}

/// An attribute of a node.
struct Attribute<'a> {
    name: String,
    text: Value<'a>,
    number: i64,
}

impl Graph {
    pub fn parse(bytes: &[u8], depth: usize) -> Result<Self, OnnxError> {
        if depth > MAX_DEPTH {
            return Err(OnnxError::TooDeep);
        }
        let mut graph = Self::default();
        for field in Fields::new(bytes) {
            let (number, value) = field?;
            match number {
                1 => graph.node(value.bytes(), depth)?,
                2 => graph.name = value.text(),
                5 => {
                    let name = graph.weight(value.bytes())?;
                    graph.initializers.insert(name);
                }
                11 => graph.inputs.push(tensor(value.bytes())?),
                12 => graph.outputs.push(tensor(value.bytes())?),
                // A sparse tensor's values are a tensor.
                15 => {
                    for field in Fields::new(value.bytes()) {
                        if let (1, values) = field? {
                            graph.weight(values.bytes())?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(graph)
    }

    /// Adds the nodes of a `FunctionProto`, whose constants are weights too.
    pub fn function(&mut self, bytes: &[u8]) -> Result<(), OnnxError> {
        for field in Fields::new(bytes) {
            if let (7, node) = field? {
                self.node(node.bytes(), 0)?;
            }
        }
        Ok(())
    }

    /// Counts a `NodeProto`.
    fn node(&mut self, bytes: &[u8], depth: usize) -> Result<(), OnnxError> {
        let (mut operator, mut domain) = (String::new(), String::new());
        let mut attributes = Vec::new();
        for field in Fields::new(bytes) {
            match field? {
                (4, value) => operator = value.text(),
                (5, value) => attributes.push(value.bytes()),
                (7, value) => domain = value.text(),
                _ => {}
            }
        }
        let mut values = BTreeMap::new();
        for attribute in attributes {
            let Attribute { name, text, number } = self.attribute(attribute, depth)?;
            values.insert(name, (text, number));
        }
        if operator == "EPContext" {
            let text = |name| values.get(name).map(|(text, _)| text.text()).unwrap_or_default();
            // The context names a file, unless it is embedded, which is the default.
            let beside = values.get("embed_mode").is_some_and(|(_, number)| *number == 0);
            self.compiled.push(CompiledPart {
                source: text("source"),
                sdk_version: text("ep_sdk_version"),
                hardware: text("hardware_architecture"),
                file: beside.then(|| text("ep_cache_context")).filter(|file| !file.is_empty()),
            });
        }
        if !matches!(domain.as_str(), "" | "ai.onnx") {
            operator = format!("{domain}.{operator}");
        }
        *self.operators.entry(operator).or_default() += 1;
        Ok(())
    }

    /// Counts the weights and graphs of an `AttributeProto`.
    fn attribute<'a>(&mut self, bytes: &'a [u8], depth: usize) -> Result<Attribute<'a>, OnnxError> {
        let mut attribute = Attribute { name: String::new(), text: Value::Bytes(&[]), number: 0 };
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => attribute.name = value.text(),
                (3, value) => attribute.number = value.integer(),
                (4, value) => attribute.text = value,
                // The value of a `Constant` node is a weight too.
                (5, value) => drop(self.weight(value.bytes())?),
                (6 | 11, value) => self.take(Self::parse(value.bytes(), depth + 1)?),
                _ => {}
            }
        }
        Ok(attribute)
    }

    /// Adds the counts of an inner graph.
    fn take(&mut self, inner: Self) {
        for (operator, count) in inner.operators {
            *self.operators.entry(operator).or_default() += count;
        }
        for (element, count) in inner.weights {
            let total = self.weights.entry(element).or_default();
            *total = total.saturating_add(count);
        }
        for (file, end) in inner.external_files {
            self.external_file(file, end);
        }
        self.compiled.extend(inner.compiled);
    }

    fn external_file(&mut self, file: String, end: u64) {
        let longest = self.external_files.entry(file).or_default();
        *longest = end.max(*longest);
    }

    /// Counts a `TensorProto` and returns its name.
    fn weight(&mut self, bytes: &[u8]) -> Result<String, WireError> {
        let (mut name, mut element, mut count) = (String::new(), "unknown", 1u64);
        let (mut location, mut offset, mut length) = (None, 0, 0);
        for field in Fields::new(bytes) {
            match field? {
                (1, dimensions) => {
                    for dimension in dimensions.integers() {
                        let size = u64::try_from(dimension?).unwrap_or(0);
                        count = count.saturating_mul(size);
                    }
                }
                (2, value) => element = element_name(value.integer()),
                (8, value) => name = value.text(),
                (13, value) => {
                    let (key, text) = key_value(value.bytes())?;
                    match key.as_str() {
                        "location" => location = Some(text),
                        "offset" => offset = text.parse().unwrap_or(0),
                        "length" => length = text.parse().unwrap_or(0),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        if let Some(file) = location {
            self.external_file(file, u64::saturating_add(offset, length));
        }
        let total = self.weights.entry(element).or_default();
        *total = total.saturating_add(count);
        Ok(name)
    }
}

/// A `ValueInfoProto`.
fn tensor(bytes: &[u8]) -> Result<OnnxTensor, WireError> {
    let mut tensor = OnnxTensor { element: "unknown", ..OnnxTensor::default() };
    for field in Fields::new(bytes) {
        match field? {
            (1, value) => tensor.name = value.text(),
            (2, value) => type_of(value.bytes(), &mut tensor)?,
            _ => {}
        }
    }
    Ok(tensor)
}

/// A `TypeProto`.
fn type_of(bytes: &[u8], tensor: &mut OnnxTensor) -> Result<(), WireError> {
    for field in Fields::new(bytes) {
        let (number, value) = field?;
        match number {
            1 => {
                for field in Fields::new(value.bytes()) {
                    match field? {
                        (1, value) => tensor.element = element_name(value.integer()),
                        (2, value) => tensor.shape = shape(value.bytes())?,
                        _ => {}
                    }
                }
            }
            4 => tensor.element = "sequence",
            5 => tensor.element = "map",
            8 => tensor.element = "sparse tensor",
            9 => tensor.element = "optional",
            _ => {}
        }
    }
    Ok(())
}

/// A `TensorShapeProto`.
fn shape(bytes: &[u8]) -> Result<Vec<Dimension>, WireError> {
    let mut shape = Vec::new();
    for field in Fields::new(bytes) {
        let (1, value) = field? else { continue };
        let mut dimension = Dimension::Open(String::new());
        for field in Fields::new(value.bytes()) {
            dimension = match field? {
                (1, size) => match u64::try_from(size.integer()) {
                    Ok(size) => Dimension::Fixed(size),
                    // Exporters write -1 for a free size.
                    Err(_) => Dimension::Open(String::new()),
                },
                (2, name) => Dimension::Open(name.text()),
                _ => continue,
            };
        }
        shape.push(dimension);
    }
    Ok(shape)
}

/// Names of `TensorProto.DataType`.
fn element_name(number: i64) -> &'static str {
    const NAMES: [&str; 24] = [
        "unknown",
        "float32",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "float64",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16",
        "float8e4m3fn",
        "float8e4m3fnuz",
        "float8e5m2",
        "float8e5m2fnuz",
        "uint4",
        "int4",
        "float4e2m1",
    ];
    usize::try_from(number).ok().and_then(|index| NAMES.get(index)).unwrap_or(&NAMES[0])
}

/// A `StringStringEntryProto`.
pub(super) fn key_value(bytes: &[u8]) -> Result<(String, String), WireError> {
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
