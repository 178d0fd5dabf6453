//! Wraps a compiled engine in an ONNX model of one node.
//!
//! ONNX Runtime takes a TensorRT plan or a QNN context binary only inside an ONNX model, as the
//! attribute `ep_cache_context` of a node `EPContext` of the domain `com.microsoft`:
//! <https://onnxruntime.ai/docs/execution-providers/EP-Context-Design.html>. The model's inputs and
//! outputs have the engine's names; ONNX Runtime checks their shapes only at the first run.

use super::message::Message;
use crate::core::inference::tensor::{ElementType, TensorInfo};

/// ONNX IR version 8 and opset 17: known to ONNX Runtime since 1.12.
const IR_VERSION: u64 = 8;
const OPSET: u64 = 17;

/// The largest engine. A Protocol Buffers message has at most 2 GiB, and the wrapper needs some.
pub const MAX_ENGINE_BYTES: u64 = (1 << 31) - (1 << 20);

const DOMAIN: &str = "com.microsoft";

/// The kind of a compiled engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// A serialised engine of TensorRT (`.engine`, `.plan`).
    TensorRtPlan,
    /// A context binary of Qualcomm's AI Engine Direct (`.bin`).
    QnnContext,
}

impl EngineKind {
    /// Value of the attribute `source`, by which a provider recognises its own engines.
    fn source(self) -> &'static str {
        match self {
            Self::TensorRtPlan => "TensorrtExecutionProvider",
            Self::QnnContext => "QNN",
        }
    }

    /// Its name, for messages.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::TensorRtPlan => "a TensorRT engine",
            Self::QnnContext => "a QNN context binary",
        }
    }
}

/// Wraps `engine`, with tensors `inputs` and `outputs`, in an ONNX model.
pub fn wrap(
    kind: EngineKind,
    name: &str,
    inputs: &[TensorInfo],
    outputs: &[TensorInfo],
    engine: &[u8],
) -> Vec<u8> {
    let names = |message, field, tensors: &[TensorInfo]| {
        tensors.iter().fold(message, |message: Message, t| message.text(field, &t.name))
    };
    let node = names(names(Message::default(), 1, inputs), 2, outputs)
        .text(3, name)
        .text(4, "EPContext")
        .messages(
            5,
            [
                int_attribute("embed_mode", 1),
                text_attribute("ep_cache_context", engine),
                int_attribute("main_context", 1),
                text_attribute("partition_name", name.as_bytes()),
                text_attribute("source", kind.source().as_bytes()),
            ],
        )
        .text(7, DOMAIN);
    let graph = Message::default()
        .message(1, node)
        .text(2, name)
        .messages(11, inputs.iter().map(value_info))
        .messages(12, outputs.iter().map(value_info));
    let opset = |domain: &str, version| Message::default().text(1, domain).int(2, version);
    Message::default()
        .int(1, IR_VERSION)
        .text(2, env!("CARGO_PKG_NAME"))
        .message(7, graph)
        .messages(8, [opset("", OPSET), opset(DOMAIN, 1)])
        .into_bytes()
}

/// `AttributeProto` of the type INT (2).
fn int_attribute(name: &str, value: u64) -> Message {
    Message::default().text(1, name).int(3, value).int(20, 2)
}

/// `AttributeProto` of the type STRING (3), which may hold any bytes.
fn text_attribute(name: &str, value: &[u8]) -> Message {
    Message::default().text(1, name).bytes(4, value).int(20, 3)
}

/// `ValueInfoProto`. A free dimension has no value, which ONNX allows.
fn value_info(tensor: &TensorInfo) -> Message {
    let dims = tensor.shape.iter().map(|dim| match dim {
        Some(size) => Message::default().int(1, *size as u64),
        None => Message::default(),
    });
    let shape = Message::default().messages(1, dims);
    let element = element_number(tensor.element.unwrap_or(ElementType::F32));
    let kind = Message::default().int(1, element).message(2, shape);
    Message::default().text(1, &tensor.name).message(2, Message::default().message(1, kind))
}

/// The number of an element type in `TensorProto.DataType`.
const fn element_number(element: ElementType) -> u64 {
    match element {
        ElementType::F32 => 1,
        ElementType::U8 => 2,
        ElementType::I8 => 3,
        ElementType::F16 => 10,
    }
}

#[cfg(test)]
mod tests {
    use super::super::OnnxModel;
    use super::*;

    fn tensor(name: &str, element: ElementType, shape: &[usize]) -> TensorInfo {
        let shape = shape.iter().map(|dim| Some(*dim)).collect();
        TensorInfo { name: name.to_owned(), element: Some(element), shape }
    }

    /// Byte for byte what ONNX's own library writes, which its checker has taken
    /// (`tests/data/make_models.py`).
    #[test]
    fn the_wrapper_is_what_onnx_itself_writes() {
        let inputs = [
            tensor("face", ElementType::F32, &[8, 3, 224, 224]),
            tensor("head", ElementType::F16, &[8, 3]),
        ];
        let outputs = [tensor("gaze", ElementType::F32, &[8, 2])];
        for (kind, name, engine) in [
            (EngineKind::TensorRtPlan, "wrapped_tensorrt", b"ftrt\0\xff".repeat(40)),
            (EngineKind::QnnContext, "wrapped_qnn", [0, 0, 0, 2, 0, 0, 0, 3].repeat(40)),
        ] {
            let path = format!("{}/tests/data/{name}.onnx", env!("CARGO_MANIFEST_DIR"));
            let found = wrap(kind, name, &inputs, &outputs, &engine);
            assert_eq!(found, std::fs::read(path).unwrap(), "{name}");
        }
    }

    #[test]
    fn the_wrapper_reads_back_as_it_was_meant() {
        let open = TensorInfo { shape: vec![None, Some(3)], ..tensor("x", ElementType::U8, &[]) };
        let outputs = [tensor("y", ElementType::I8, &[4])];
        for (kind, source) in [
            (EngineKind::TensorRtPlan, "TensorrtExecutionProvider"),
            (EngineKind::QnnContext, "QNN"),
        ] {
            let bytes = wrap(kind, "gaze", std::slice::from_ref(&open), &outputs, b"engine");
            let model = OnnxModel::parse(&bytes).unwrap();
            let info = model.info("gaze");
            assert_eq!(info.inputs, std::slice::from_ref(&open));
            assert_eq!(info.outputs, outputs);
            assert_eq!((model.compiled.len(), model.compiled[0].source.as_str()), (1, source));
        }
    }
}
