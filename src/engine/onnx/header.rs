//! What an ONNX file declares, read without a runtime: a provider has to be told shapes before it
//! compiles, and a compiled model can be opened by one provider only.

use super::wire::{Fields, Malformed, Value};
use crate::core::tensor::{ElementType, ModelInfo, TensorInfo};

/// The parts of an ONNX file that decide how it is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct Header {
    /// Inputs (initializers left out), outputs, metadata; the name is the caller's.
    pub(in crate::engine) info: ModelInfo,
    /// Names of the inputs' open dimensions, in the order of inputs and dimensions.
    pub(in crate::engine) symbols: Vec<Vec<Option<String>>>,
    /// Whether it is quantised: has `QuantizeLinear` or `DequantizeLinear` nodes.
    pub(in crate::engine) quantised: bool,
    /// Whether it holds what a provider compiled: has an `EPContext` node. The name is its
    /// `source`, which may be empty.
    pub(in crate::engine) compiled_by: Option<String>,
    /// Files beside it that hold its weights, relative to it.
    pub(in crate::engine) external: Vec<String>,
}

impl Header {
    /// Reads a `ModelProto`.
    ///
    /// # Errors
    /// Why it is none.
    pub(in crate::engine) fn read(bytes: &[u8]) -> Result<Self, String> {
        Self::parse(bytes).map_err(|Malformed| {
            "it is no ONNX model, or its end is missing (a copy that broke off?)".to_owned()
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut header = Self::default();
        let mut found = false;
        for field in Fields::of(bytes) {
            match field? {
                (7, Value::Bytes(graph)) => {
                    found = true;
                    header.graph(graph)?;
                }
                (14, Value::Bytes(entry)) => {
                    let (key, value) = pair(entry)?;
                    header.info.metadata.insert(key, value);
                }
                _ => {}
            }
        }
        if found { Ok(header) } else { Err(Malformed) }
    }

    fn graph(&mut self, graph: &[u8]) -> Result<(), Malformed> {
        let mut initializers = Vec::new();
        let mut inputs = Vec::new();
        for field in Fields::of(graph) {
            match field? {
                (1, Value::Bytes(node)) => self.node(node)?,
                (5, Value::Bytes(tensor)) => initializers.push(self.initializer(tensor)?),
                (11, Value::Bytes(input)) => inputs.push(value_info(input)?),
                (12, Value::Bytes(output)) => self.info.outputs.push(value_info(output)?.0),
                _ => {}
            }
        }
        // Before IR version 4 every initializer was an input as well.
        inputs.retain(|(tensor, _)| !initializers.contains(&tensor.name.as_str()));
        (self.info.inputs, self.symbols) = inputs.into_iter().unzip();
        Ok(())
    }

    fn node(&mut self, node: &[u8]) -> Result<(), Malformed> {
        let mut op_type = "";
        let mut source = String::new();
        for field in Fields::of(node) {
            match field? {
                (4, value) => op_type = value.text().unwrap_or_default(),
                (5, Value::Bytes(attribute)) => {
                    if let Some(value) = text_attribute(attribute, "source")? {
                        source = value;
                    }
                }
                _ => {}
            }
        }
        match op_type {
            "QuantizeLinear" | "DequantizeLinear" => self.quantised = true,
            "EPContext" => self.compiled_by = Some(source),
            _ => {}
        }
        Ok(())
    }

    /// The name of an initializer; notes the file that it lies in.
    fn initializer<'a>(&mut self, tensor: &'a [u8]) -> Result<&'a str, Malformed> {
        let mut name = "";
        for field in Fields::of(tensor) {
            match field? {
                (8, value) => name = value.text().unwrap_or_default(),
                (13, Value::Bytes(entry)) => {
                    let (key, value) = pair(entry)?;
                    if key == "location" && !self.external.contains(&value) {
                        self.external.push(value);
                    }
                }
                _ => {}
            }
        }
        Ok(name)
    }
}

/// A `StringStringEntryProto`.
fn pair(entry: &[u8]) -> Result<(String, String), Malformed> {
    let (mut key, mut value) = (String::new(), String::new());
    for field in Fields::of(entry) {
        match field? {
            (1, text) => key = text.text().unwrap_or_default().to_owned(),
            (2, text) => value = text.text().unwrap_or_default().to_owned(),
            _ => {}
        }
    }
    Ok((key, value))
}

/// The string of the attribute `wanted`; `None` for another attribute.
fn text_attribute(attribute: &[u8], wanted: &str) -> Result<Option<String>, Malformed> {
    let (mut name, mut value) = ("", None);
    for field in Fields::of(attribute) {
        match field? {
            (1, text) => name = text.text().unwrap_or_default(),
            (4, text) => value = text.text(),
            _ => {}
        }
    }
    Ok(value.filter(|_| name == wanted).map(str::to_owned))
}

/// A `ValueInfoProto`: the tensor, and the names of its open dimensions.
fn value_info(info: &[u8]) -> Result<(TensorInfo, Vec<Option<String>>), Malformed> {
    let mut tensor = TensorInfo { name: String::new(), element: None, shape: Vec::new() };
    let mut symbols = Vec::new();
    for field in Fields::of(info) {
        match field? {
            (1, name) => tensor.name = name.text().unwrap_or_default().to_owned(),
            (2, Value::Bytes(kind)) => {
                for field in Fields::of(kind) {
                    if let (1, Value::Bytes(kind)) = field? {
                        tensor_type(kind, &mut tensor, &mut symbols)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok((tensor, symbols))
}

/// A `TypeProto.Tensor`.
fn tensor_type(
    kind: &[u8],
    tensor: &mut TensorInfo,
    symbols: &mut Vec<Option<String>>,
) -> Result<(), Malformed> {
    for field in Fields::of(kind) {
        match field? {
            (1, Value::Varint(element)) => tensor.element = element_type(element),
            (2, Value::Bytes(shape)) => {
                for dim in Fields::of(shape) {
                    let (_, dim) = dim?;
                    let (mut size, mut symbol) = (None, None);
                    for field in Fields::of(dim.bytes().ok_or(Malformed)?) {
                        match field? {
                            (1, value) => {
                                // 0 and negative numbers stand for an open dimension, too.
                                let value = value.varint().and_then(|v| i64::try_from(v).ok());
                                size = value.filter(|v| *v > 0).map(|v| v as usize);
                            }
                            (2, name) => symbol = name.text().map(str::to_owned),
                            _ => {}
                        }
                    }
                    tensor.shape.push(size);
                    symbols.push(symbol.filter(|name| !name.is_empty()));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// `TensorProto.DataType`.
fn element_type(number: u64) -> Option<ElementType> {
    Some(match number {
        1 => ElementType::F32,
        2 => ElementType::U8,
        3 => ElementType::I8,
        10 => ElementType::F16,
        _ => return None,
    })
}

/// The number of an element type in `TensorProto.DataType`.
pub(super) fn element_number(element: ElementType) -> u64 {
    match element {
        ElementType::F32 => 1,
        ElementType::U8 => 2,
        ElementType::I8 => 3,
        ElementType::F16 => 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn files_of_onnxs_own_library_are_read() {
        let header = Header::read(&data("regression_profile_name.onnx")).unwrap();
        assert_eq!(header.info.inputs[0].to_string(), "face [?,3,8,8] float32");
        assert_eq!(header.info.outputs[0].to_string(), "gaze [?,2] float32");
        assert_eq!(header.info.metadata["gaze.profile"], "gazecapsnet");
        assert_eq!(header.symbols[0][0].as_deref(), Some("N"));
        assert_eq!((header.quantised, header.compiled_by), (false, None));
        let names = |name: &str| {
            let inputs = Header::read(&data(name)).unwrap().info.inputs;
            inputs.into_iter().map(|input| input.name).collect::<Vec<_>>()
        };
        assert_eq!(names("eyes_and_head.onnx"), ["left_eye", "right_eye", "head"]);
        for (name, shown) in [
            ("regression_u8.onnx", "face [?,3,8,8] uint8"),
            ("regression_i8.onnx", "face [?,3,8,8] int8"),
            ("regression_f16.onnx", "face [?,3,8,8] float16"),
            ("int64_input.onnx", "face [?,3,8,8] unsupported type"),
        ] {
            assert_eq!(Header::read(&data(name)).unwrap().info.inputs[0].to_string(), shown);
        }
        assert!(Header::read(&data("conv_int8.onnx")).unwrap().quantised);
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let whole = data("regression.onnx");
        for length in [0, 1, whole.len() / 2, whole.len() - 1] {
            assert!(Header::read(&whole[..length]).is_err(), "{length} of {}", whole.len());
        }
        assert!(Header::read(&whole.iter().map(|byte| !byte).collect::<Vec<_>>()).is_err());
    }
}
