//! These tests build messages field by field, after `onnx.proto`.

use super::*;
use crate::core::inference::tensor::ElementType;
use crate::core::onnx::error::MAX_DEPTH;
use crate::core::onnx::precision::Precision;
use crate::core::onnx::tensor::Dimension;

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

fn number(field: u64, value: i64) -> Vec<u8> {
    [varint(field << 3), varint(value as u64)].concat()
}

fn message(field: u64, parts: &[Vec<u8>]) -> Vec<u8> {
    let body = parts.concat();
    [varint(field << 3 | 2), varint(body.len() as u64), body].concat()
}

fn text(field: u64, text: &str) -> Vec<u8> {
    message(field, &[text.as_bytes().to_vec()])
}

/// A field of a tensor with its dimensions, packed or not.
fn tensor(field: u64, name: &str, element: i64, dims: &[i64]) -> Vec<u8> {
    let mut parts = vec![number(2, element), text(8, name)];
    parts.extend(dims.iter().map(|dim| number(1, *dim)));
    message(field, &parts)
}

fn node(operator: &str, rest: &[Vec<u8>]) -> Vec<u8> {
    message(1, &[vec![text(4, operator)], rest.to_vec()].concat())
}

fn model(graph: &[Vec<u8>]) -> Vec<u8> {
    [number(1, 8), text(2, "exporter"), text(3, "1.2"), message(7, graph)].concat()
}

#[test]
fn weights_listed_as_inputs_are_not_inputs() {
    let input = |name| message(11, &[text(1, name)]);
    let bytes = model(&[input("face"), input("w"), tensor(5, "w", 1, &[3, 4])]);
    let model = OnnxModel::parse(&bytes).unwrap();
    assert_eq!(model.inputs.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(), ["face"]);
    assert_eq!((model.producer.as_str(), model.parameters()), ("exporter 1.2", 12));
    let packed = message(5, &[message(1, &[varint(300), varint(2)]), number(2, 10)]);
    let model = OnnxModel::parse(&self::model(&[packed])).unwrap();
    assert_eq!(model.weights, BTreeMap::from([("float16", 600)]));
}

#[test]
fn nodes_of_inner_graphs_count() {
    let branch = |operator| {
        let graph = message(6, &[node(operator, &[]), tensor(5, "c", 1, &[2])]);
        message(5, &[text(1, "then_branch"), graph])
    };
    let bytes = model(&[node("If", &[branch("Add"), branch("Add")]), node("Add", &[])]);
    let model = OnnxModel::parse(&bytes).unwrap();
    assert_eq!(model.operators, BTreeMap::from([("Add".into(), 3), ("If".into(), 1)]));
    assert_eq!((model.nodes(), model.parameters()), (4, 4));
    let mut deep = node("Add", &[]);
    for _ in 0..MAX_DEPTH + 1 {
        deep = node("If", &[message(5, &[message(6, &[deep])])]);
    }
    assert_eq!(OnnxModel::parse(&self::model(&[deep])), Err(OnnxError::TooDeep));
}

#[test]
fn nodes_and_weights_show_the_precision() {
    let precision = |operators: &[&str], weights: &[(i64, i64)]| {
        let mut graph: Vec<Vec<u8>> = operators.iter().map(|name| node(name, &[])).collect();
        graph.extend(weights.iter().map(|(element, count)| tensor(5, "w", *element, &[*count])));
        OnnxModel::parse(&model(&graph)).unwrap().precision()
    };
    assert_eq!(precision(&["Conv"], &[(1, 9), (7, 100)]), Precision::Float32);
    assert_eq!(precision(&["Conv"], &[(1, 2), (10, 90)]), Precision::Float16);
    assert_eq!(precision(&["Conv"], &[(16, 90)]), Precision::BFloat16);
    let qdq = ["QuantizeLinear", "DequantizeLinear", "Conv"];
    assert_eq!(precision(&qdq, &[(3, 90)]), Precision::QuantizedQdq);
    assert_eq!(precision(&qdq[1..], &[(3, 90)]), Precision::QuantizedDynamic);
    assert_eq!(precision(&["QLinearConv", "QuantizeLinear"], &[]), Precision::QuantizedOperators);
    assert_eq!(precision(&["DynamicQuantizeLinear", "ConvInteger"], &[]), {
        Precision::QuantizedDynamic
    });
    assert!(Precision::QuantizedQdq.is_quantized() && !Precision::Compiled.is_quantized());
}

#[test]
fn a_compiled_model_names_its_maker() {
    let attribute = |name: &str, value: Vec<u8>| message(5, &[text(1, name), value]);
    let context = |embedded: i64| {
        let attributes = [
            attribute("ep_cache_context", text(4, "gaze_qnn.bin")),
            attribute("embed_mode", number(3, embedded)),
            attribute("source", text(4, "QNNExecutionProvider")),
            attribute("ep_sdk_version", text(4, "2.40")),
            text(7, "com.microsoft"),
        ];
        OnnxModel::parse(&model(&[node("EPContext", &attributes)])).unwrap()
    };
    let beside = context(0);
    assert_eq!(beside.precision(), Precision::Compiled);
    assert_eq!(beside.compiled[0].source, "QNNExecutionProvider");
    assert_eq!(beside.compiled[0].file.as_deref(), Some("gaze_qnn.bin"));
    assert_eq!(beside.operators, BTreeMap::from([("com.microsoft.EPContext".into(), 1)]));
    assert_eq!(context(1).compiled[0].file, None);
}

#[test]
fn shapes_and_types_are_the_files() {
    let dimensions = [
        message(1, &[text(2, "batch")]),
        message(1, &[number(1, 3)]),
        message(1, &[]),
        message(1, &[number(1, -1)]),
    ];
    let kind = message(2, &[message(1, &[number(1, 10), message(2, &dimensions)])]);
    let bytes = model(&[message(11, &[text(1, "face"), kind])]);
    let model = OnnxModel::parse(&bytes).unwrap();
    let open = |name: &str| Dimension::Open(name.to_owned());
    assert_eq!(model.inputs[0].element, "float16");
    assert_eq!(model.inputs[0].shape, [open("batch"), Dimension::Fixed(3), open(""), open("")]);
    let info = &model.info("m").inputs[0];
    assert_eq!(
        (info.element, &info.shape[..]),
        (Some(ElementType::F16), { &[None, Some(3), None, None][..] })
    );
}

/// The reader reads or refuses any file: every beginning of a good one, and every one with a wrong
/// byte.
#[test]
fn no_bytes_are_trusted() {
    let bytes = model(&[
        node("If", &[message(5, &[message(6, &[node("Add", &[])])])]),
        tensor(5, "w", 1, &[1 << 62, 1 << 62]),
        message(11, &[text(1, "face")]),
    ]);
    assert_eq!(OnnxModel::parse(&bytes).unwrap().parameters(), u64::MAX);
    for length in 0..bytes.len() {
        assert!(OnnxModel::parse(&bytes[..length]).is_err(), "{length} bytes");
    }
    for at in 0..bytes.len() {
        for byte in [0, 0x7f, 0x80, 0xff] {
            let mut broken = bytes.clone();
            broken[at] = byte;
            let _ = OnnxModel::parse(&broken);
        }
    }
    assert_eq!(OnnxModel::parse(b""), Err(OnnxError::NoGraph));
}
