//! Inputs in a device's memory, the device being the CPU: all that ONNX Runtime does with such
//! tensors but what a GPU would. The kernels that fill them have tests of their own.

use std::path::Path;

use ort::memory::AllocationDevice;

use super::*;
use crate as gstgaze;
use crate::engine::device_tensors::InputDevice;
use crate::engine::open;
use crate::engine::options::EngineOptions;

#[allow(clippy::duplicate_mod)] // Two test modules of one program need it.
#[path = "../../tests/common/requirements.rs"]
#[allow(dead_code)] // the part that concerns footage
mod requirements;

/// An engine for batches of up to six whose inputs may lie on a "device"; `None` without ONNX
/// Runtime, and `test` is named as left out.
fn engine(test: &str, model: &str, graphs: bool) -> Option<OrtEngine> {
    if !requirements::onnx_runtime(test) {
        return None;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(model);
    let options = EngineOptions { batch_size: 6, threads: 1, ..EngineOptions::default() };
    let mut engine = open::open(path, &options).result.unwrap();
    let device = InputDevice { kind: AllocationDevice::CPU, number: 3, graphs };
    engine.device = Some(DeviceTensors::new(device));
    if graphs {
        // As `bind` has them.
        engine.outputs = declared(&engine.info, engine.batch).unwrap();
    }
    Some(engine)
}

/// Other values for each `seed`.
fn fill(mut tensor: TensorMut<'_>, items: usize, max: usize, seed: usize) {
    let values = tensor.len() / max * items;
    match &mut tensor {
        TensorMut::F32(v) => (0..values).for_each(|i| v[i] = ((i * 7 + seed) % 101) as f32 / 101.0),
        TensorMut::U8(v) => (0..values).for_each(|i| v[i] = ((i * 7 + seed) % 251) as u8),
        TensorMut::I8(v) => (0..values).for_each(|i| v[i] = ((i * 7 + seed) % 127) as i8),
        TensorMut::F16(v) => (0..values).for_each(|i| {
            v[i] = half::f16::from_f32(((i * 7 + seed) % 101) as f32 / 101.0);
        }),
    }
}

/// The first items of the first output.
fn answer(engine: &OrtEngine, items: usize) -> Vec<f32> {
    let shape = engine.output_shape(0);
    let item: usize = shape[1..].iter().product();
    engine.output(0)[..items * item].to_vec()
}

#[test]
fn runs_on_the_device_are_as_those_of_the_host() {
    let test = "engine::ort_engine::runs_on_the_device_are_as_those_of_the_host";
    for model in
        ["regression.onnx", "regression_f16.onnx", "regression_u8.onnx", "regression_i8.onnx"]
    {
        let Some(mut engine) = engine(test, model, false) else { return };
        assert_eq!(engine.device(), Some(3));
        let max = engine.max_batch();
        let mut places = Vec::new();
        for (round, batch) in [1, 3, 4, 6, 2, 1, 3].into_iter().enumerate() {
            let batch = batch.min(max);
            fill(engine.input(0), batch, max, round);
            engine.run(batch).unwrap();
            let expected = answer(&engine, batch);
            let memory = engine.device_input(0, batch).unwrap();
            assert_eq!(memory.device, 3);
            places.push((batch.next_power_of_two().min(max), memory));
            let (room, _) = *places.last().unwrap();
            let free = engine.batch.free;
            let size = engine.batch;
            let set = engine.device.as_mut().unwrap().known_mut(batch, size).unwrap();
            let input = &mut set.inputs_mut()[0];
            assert_eq!(input.address(), (memory.address, memory.bytes));
            fill(input.values(), batch, if free { room } else { max }, round);
            engine.run_on_device(batch).unwrap();
            assert_eq!(answer(&engine, batch), expected, "{model}, {batch} items");
        }
        for (room, memory) in &places {
            let same = places.iter().filter(|(other, _)| other == room);
            assert!(same.clone().all(|(_, other)| other == memory), "an address moved: {places:?}");
        }
        for wrong in [0, max + 1] {
            assert!(engine.device_input(0, wrong).is_err());
            assert!(engine.run_on_device(wrong).is_err());
        }
        assert!(engine.device_input(9, 1).is_err());
    }
}

#[test]
fn with_graphs_everything_passes_by_the_same_addresses() {
    let test = "engine::ort_engine::with_graphs_everything_passes_by_the_same_addresses";
    for model in ["regression.onnx", "regression_f16.onnx", "regression_batch4.onnx"] {
        let Some(mut plain) = engine(test, model, false) else { return };
        let Some(mut engine) = engine(test, model, true) else { return };
        let max = engine.max_batch();
        for (round, batch) in [max, 1, 2, max, 2].into_iter().enumerate() {
            let batch = if engine.batch.free { batch } else { max };
            fill(engine.input(0), batch, max, round);
            fill(plain.input(0), batch, max, round);
            // Inputs of the host are copied to the device's, outputs are copied back.
            engine.run(batch).unwrap();
            plain.run(batch).unwrap();
            assert!(matches!(engine.last, Some(Last::Device(_))));
            assert_eq!(answer(&engine, batch), answer(&plain, batch), "{model}, {batch} items");
        }
    }
}

#[test]
fn graphs_want_shapes_that_are_declared() {
    let open = ModelInfo {
        outputs: vec![crate::core::inference::TensorInfo {
            name: "gaze".to_owned(),
            element: Some(crate::core::inference::ElementType::F32),
            shape: vec![None, None],
        }],
        ..ModelInfo::default()
    };
    let error = declared(&open, BatchSize { max: 4, free: true }).unwrap_err().to_string();
    assert!(error.contains("gaze [?,?]") && error.contains("enable_cuda_graph"), "{error}");
}
