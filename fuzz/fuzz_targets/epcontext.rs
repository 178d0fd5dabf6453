//! Compiled engines in a model of their own: what was wrapped is read as it was meant, whatever the
//! names are and whatever is wrapped.
#![no_main]

use gstgaze::core::onnx::OnnxModel;
use gstgaze::core::onnx::epcontext::{EngineKind, wrap};
use gstgaze::core::onnx::wire::Fields;
use gstgaze::core::inference::{ElementType, TensorInfo};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use sheet::Tensor;

#[derive(Arbitrary, Debug)]
struct Input {
    tensorrt: bool,
    name: String,
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
    engine: Vec<u8>,
    cut: u16,
}

/// What the wrapper says of a tensor: no type is a float, and the format has 63 bits for a side.
fn told(tensor: &Tensor) -> TensorInfo {
    let TensorInfo { name, element, shape } = tensor.0.clone();
    let side = |side: Option<usize>| side.filter(|side| i64::try_from(*side).is_ok());
    let element = Some(element.unwrap_or(ElementType::F32));
    TensorInfo { name, element, shape: shape.into_iter().map(side).collect() }
}

/// The field of a message.
fn field(message: &[u8], number: u32) -> Vec<&[u8]> {
    let fields = Fields::new(message).map(|field| field.expect("whole"));
    fields.filter(|(n, _)| *n == number).map(|(_, value)| value.bytes()).collect()
}

fuzz_target!(|input: Input| {
    let kind = if input.tensorrt { EngineKind::TensorRtPlan } else { EngineKind::QnnContext };
    let infos = |tensors: &[Tensor]| tensors.iter().map(|t| t.0.clone()).collect::<Vec<_>>();
    let (inputs, outputs) = (infos(&input.inputs), infos(&input.outputs));
    let bytes = wrap(kind, &input.name, &inputs, &outputs, &input.engine);
    let model = OnnxModel::parse(&bytes).expect("what was wrapped is read");
    let info = model.info(&input.name);
    assert_eq!(info.inputs, input.inputs.iter().map(told).collect::<Vec<_>>());
    assert_eq!(info.outputs, input.outputs.iter().map(told).collect::<Vec<_>>());
    assert_eq!((model.graph.as_str(), model.compiled.len()), (input.name.as_str(), 1));
    assert_eq!(model.compiled[0].file, None);
    // The engine itself, byte for byte: model, graph, node, attribute, string.
    let node = field(field(&bytes, 7)[0], 1)[0];
    let engine = field(node, 5).into_iter().find(|a| field(a, 1) == [b"ep_cache_context"]);
    assert_eq!(field(engine.expect("an engine"), 4), [input.engine.as_slice()]);
    // Half of it is no model of another kind.
    let half = &bytes[..usize::from(input.cut) % bytes.len()];
    assert!(OnnxModel::parse(half).is_err() || half.len() + 40 > bytes.len());
});
