//! Models behind the engine port: types, batches, formats, failures, and what a run allocates.
//!
//! What the tiny models compute is written in `tests/data/make_models.py`.

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use gstgaze::core::geometry::Size;
use gstgaze::core::inference::{Engine, EngineError, TensorMut};
use gstgaze::core::onnx::message::Message;
use gstgaze::core::profile::METADATA_TOML;
use gstgaze::engine::OrtEngine;
use gstgaze::engine::log::{self, LogLevel, LogOrigin};
use gstgaze::engine::provider::ExecutionProvider;
use gstgaze::engine::runtime;
use gstgaze::engine::{self, EngineOptions};
use half::f16;

const SIDE: usize = 8;
const ITEM: usize = 3 * SIDE * SIDE;

/// A picture of noise in 0..1, channel by channel.
fn picture(seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    (0..ITEM).map(|_| noise()).collect()
}

/// What the models give for it: pitch and yaw.
fn answer(picture: &[f32]) -> [f32; 2] {
    let plane = SIDE * SIDE;
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
    let half = |right: bool| {
        let blue = picture[2 * plane..].iter().enumerate();
        let chosen = blue.filter(|(i, _)| (i % SIDE >= SIDE / 2) == right).map(|(_, v)| *v);
        mean(&chosen.collect::<Vec<f32>>())
    };
    [mean(&picture[..plane]), half(true) - half(false)]
}

fn options(batch_size: usize) -> EngineOptions {
    EngineOptions { batch_size, threads: 1, ..EngineOptions::default() }
}

fn open(name: &str, batch_size: usize) -> OrtEngine {
    engine::open(common::data(name), &options(batch_size)).result.unwrap()
}

/// Fills a slot and returns what was really put in, after rounding to the model's type.
fn fill(engine: &mut dyn Engine, slot: usize, picture: &[f32]) -> Vec<f32> {
    match engine.input(0).slot(slot, ITEM) {
        TensorMut::F32(to) => {
            to.copy_from_slice(picture);
            picture.to_vec()
        }
        TensorMut::F16(to) => {
            let rounded = to.iter_mut().zip(picture).map(|(to, value)| {
                *to = f16::from_f32(*value);
                to.to_f32()
            });
            rounded.collect()
        }
        TensorMut::U8(to) => {
            let rounded = to.iter_mut().zip(picture).map(|(to, value)| {
                *to = (value * 255.0) as u8;
                f32::from(*to) / 255.0
            });
            rounded.collect()
        }
        TensorMut::I8(to) => {
            let rounded = to.iter_mut().zip(picture).map(|(to, value)| {
                *to = (value * 254.0 - 127.0) as i8;
                f32::from(*to) / 127.0
            });
            rounded.collect()
        }
    }
}

fn assert_near(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
    }
}

#[test]
fn every_element_type_batch_and_format_gives_the_known_angles() {
    if !common::onnx_runtime("engine::every_element_type") {
        return;
    }
    for (name, tolerance) in [
        ("regression.onnx", 1e-6),
        ("regression.ort", 1e-6),
        ("regression_batch1.onnx", 1e-6),
        ("regression_batch4.onnx", 1e-6),
        ("regression_u8.onnx", 1e-6),
        ("regression_i8.onnx", 1e-6),
        // 11 bits of the sum.
        ("regression_f16.onnx", 1e-3),
    ] {
        let mut engine = open(name, 3);
        let batch = engine.max_batch();
        assert_eq!(engine.input_shape(0), [batch, 3, SIDE, SIDE], "{name}");
        assert_eq!(engine.output_shape(0), [batch, 2], "{name}");
        let mut expected = Vec::new();
        for slot in 0..batch {
            let given = fill(&mut engine, slot, &picture(slot as u32));
            expected.extend(answer(&given));
        }
        engine.run(batch).unwrap();
        assert_near(engine.output(0), &expected, tolerance);
    }
}

#[test]
fn models_with_channels_last_run() {
    if !common::onnx_runtime("engine::models_with_channels_last_run") {
        return;
    }
    let mut engine = open("regression_nhwc.onnx", 1);
    assert_eq!(engine.input_shape(0), [1, SIDE, SIDE, 3]);
    let planes = picture(7);
    let plane = SIDE * SIDE;
    let pixels: Vec<f32> = (0..ITEM).map(|i| planes[i % 3 * plane + i / 3]).collect();
    fill(&mut engine, 0, &pixels);
    engine.run(1).unwrap();
    assert_near(engine.output(0), &answer(&planes), 1e-6);
}

#[test]
fn a_batch_is_the_same_as_one_by_one_in_any_order_of_sizes() {
    if !common::onnx_runtime("engine::a_batch_is_the_same") {
        return;
    }
    let mut engine = open("regression.onnx", 4);
    for (round, batch) in [4, 1, 3, 2, 1, 4, 2].into_iter().enumerate() {
        let pictures: Vec<_> = (0..batch).map(|i| picture((10 * round + i) as u32)).collect();
        let mut singly = Vec::new();
        for picture in &pictures {
            fill(&mut engine, 0, picture);
            engine.run(1).unwrap();
            singly.extend_from_slice(engine.output(0));
        }
        for (slot, picture) in pictures.iter().enumerate() {
            fill(&mut engine, slot, picture);
        }
        engine.run(batch).unwrap();
        assert_near(engine.output(0), &singly, 1e-6);
        assert_near(&singly[..2], &answer(&pictures[0]), 1e-6);
    }
}

#[test]
fn a_fixed_batch_runs_whole_and_no_batch_is_too_large() {
    if !common::onnx_runtime("engine::a_fixed_batch") {
        return;
    }
    let mut engine = open("regression_batch4.onnx", 1);
    assert_eq!(engine.max_batch(), 4);
    let given = fill(&mut engine, 0, &picture(1));
    engine.run(1).unwrap();
    assert_near(&engine.output(0)[..2], &answer(&given), 1e-6);
    for batch in [0, 5] {
        let error = engine.run(batch).unwrap_err();
        assert!(matches!(&error, EngineError::Run(why) if why.contains("1..=4")), "{error}");
    }
    // A refused run leaves the last results.
    assert_near(&engine.output(0)[..2], &answer(&given), 1e-6);
}

#[test]
fn a_model_with_several_inputs_runs() {
    if !common::onnx_runtime("engine::a_model_with_several_inputs_runs") {
        return;
    }
    let mut engine = open("eyes_and_head.onnx", 2);
    for (index, values) in [(0, [0.75, 0.5]), (1, [0.25, 0.0])] {
        let TensorMut::F32(eye) = engine.input(index) else { panic!() };
        eye[..ITEM].fill(values[0]);
        eye[ITEM..].fill(values[1]);
    }
    let TensorMut::F32(head) = engine.input(2) else { panic!() };
    head.copy_from_slice(&[9.0, 20.0, 9.0, 9.0, -10.0, 9.0]);
    engine.run(2).unwrap();
    assert_near(engine.output(0), &[0.5, 0.2, -1.0, 0.5, -0.1, -1.0], 1e-6);
    engine.run(1).unwrap();
    assert_near(engine.output(0), &[0.5, 0.2, -1.0], 1e-6);
}

#[test]
fn an_open_size_is_given_or_asked_for() {
    if !common::onnx_runtime("engine::an_open_size") {
        return;
    }
    let path = common::data("free_size.onnx");
    let error = engine::open(&path, &options(1)).result.unwrap_err();
    assert!(matches!(&error, EngineError::Unsupported(why) if why.contains("image [1,3,?,?]")));
    let size = EngineOptions { input_size: Some(Size::new(6, 4)), ..options(1) };
    let mut engine = engine::open(&path, &size).result.unwrap();
    assert_eq!(engine.input_shape(0), [1, 3, 4, 6]);
    let TensorMut::F32(image) = engine.input(0) else { panic!() };
    image[..24].fill(0.5);
    engine.run(1).unwrap();
    assert_near(engine.output(0), &[0.5, 0.0, 0.0], 1e-6);
    let vast = EngineOptions { input_size: Some(Size::new(u32::MAX, u32::MAX)), ..options(1) };
    let error = engine::open(&path, &vast).result.unwrap_err();
    assert!(matches!(error, EngineError::Unsupported(_)), "{error}");
}

#[test]
fn an_open_size_changes_later_and_a_fixed_one_stays() {
    if !common::onnx_runtime("engine::an_open_size_changes") {
        return;
    }
    let options = EngineOptions { input_size: Some(Size::new(4, 2)), ..EngineOptions::default() };
    let mut engine = engine::open(common::data("free_size.onnx"), &options).result.unwrap();
    let means = |engine: &mut OrtEngine, value: f32| {
        let TensorMut::F32(input) = engine.input(0) else { panic!("not float32") };
        input.fill(value);
        engine.run(1).unwrap();
        engine.output(0).to_vec()
    };
    assert_near(&means(&mut engine, 0.25), &[0.25; 3], 1e-6);
    engine.resize(Size::new(16, 8)).unwrap();
    assert_eq!(engine.input_shape(0), [1, 3, 8, 16]);
    assert_eq!(engine.output(0), &[] as &[f32], "nothing has run with this size");
    assert_near(&means(&mut engine, 0.5), &[0.5; 3], 1e-6);
    assert!(engine.resize(Size::new(0, 8)).is_err());
    assert_near(&means(&mut engine, 0.75), &[0.75; 3], 1e-6);

    let mut fixed = open("regression.onnx", 1);
    fixed.resize(Size::new(64, 64)).unwrap();
    assert_eq!(fixed.input_shape(0), [1, 3, SIDE, SIDE]);
}

/// Detectors and landmark models of several publishers, among them ones that leave height and width
/// open.
#[test]
fn published_models_open_and_run() {
    let test = "engine::published_models_open_and_run";
    let Some(models) = common::shared(test, "models") else { return };
    if !common::onnx_runtime(test) {
        return;
    }
    let mut opened = 0;
    for folder in ["face", "gaze", "landmarks"] {
        for entry in std::fs::read_dir(models.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let size = EngineOptions { input_size: Some(Size::new(320, 256)), ..options(1) };
            let mut engine = engine::open(&path, &size).result.unwrap();
            engine.run(1).unwrap();
            for index in 0..engine.info().outputs.len() {
                let elements = engine.output_shape(index).iter().product::<usize>();
                assert_eq!(engine.output(index).len(), elements, "{}", path.display());
            }
            if path.file_stem().is_some_and(|stem| stem == "yunet_n_dynamic") {
                assert_eq!(engine.input_shape(0), [1, 3, 256, 320]);
                assert_eq!(engine.output_shape(0), [1, 32 * 40, 1]);
            }
            opened += 1;
        }
    }
    assert!(opened > 0);
}

#[test]
fn models_come_from_memory_and_under_any_name() {
    if !common::onnx_runtime("engine::models_come_from_memory") {
        return;
    }
    let given = picture(3);
    let dir = tempfile::tempdir().unwrap();
    for name in ["regression.onnx", "regression.ort"] {
        let bytes = std::fs::read(common::data(name)).unwrap();
        let misnamed = dir.path().join(name).with_extension("model");
        std::fs::write(&misnamed, &bytes).unwrap();
        for mut engine in [
            engine::open_bytes("memory", &bytes, &options(1)).result.unwrap(),
            engine::open(&misnamed, &options(1)).result.unwrap(),
        ] {
            fill(&mut engine, 0, &given);
            engine.run(1).unwrap();
            assert_near(engine.output(0), &answer(&given), 1e-6);
        }
    }
    let error = engine::open_bytes("memory", b"", &options(1)).result.unwrap_err();
    assert!(matches!(&error, EngineError::Load { path, .. } if path == "memory"), "{error}");
}

#[test]
fn the_file_tells_what_it_is() {
    if !common::onnx_runtime("engine::the_file_says") {
        return;
    }
    let engine = open("regression_profile_name.onnx", 1);
    assert_eq!(engine.info().name, "regression_profile_name");
    assert_eq!(engine.info().inputs[0].to_string(), "face [?,3,8,8] float32");
    assert_eq!(engine.info().outputs[0].to_string(), "gaze [?,2] float32");
    assert_eq!(engine.info().metadata["gaze.profile"], "gazecapsnet");
    assert_eq!(engine.provider(), "cpu");
    let half = open("regression_f16.onnx", 1);
    assert_eq!(half.info().outputs[0].to_string(), "gaze [?,2] float16");
}

#[test]
fn an_engine_moves_between_threads_and_threads_do_not_change_the_result() {
    if !common::onnx_runtime("engine::an_engine_moves") {
        return;
    }
    let given = picture(5);
    for threads in [0, 1, 2] {
        let options = EngineOptions { threads, ..EngineOptions::default() };
        let mut engine = engine::open(common::data("regression.onnx"), &options).result.unwrap();
        fill(&mut engine, 0, &given);
        let engine = std::thread::spawn(move || {
            engine.run(1).unwrap();
            engine
        });
        assert_near(engine.join().unwrap().output(0), &answer(&given), 1e-6);
    }
}

#[test]
fn files_that_are_no_model_are_refused_with_the_reason() {
    if !common::onnx_runtime("engine::what_is_no_model") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let model = std::fs::read(common::data("regression.onnx")).unwrap();
    let ort = std::fs::read(common::data("regression.ort")).unwrap();
    let flipped: Vec<u8> = model.iter().map(|byte| !byte).collect();
    for (name, content, reason) in [
        ("empty.onnx", &b""[..], "empty"),
        ("text.onnx", b"this is no model\n", "text"),
        ("pointer.onnx", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("truncated.onnx", &model[..model.len() / 2], ""),
        ("truncated.ort", &ort[..ort.len() / 2], ""),
        ("garbage.onnx", &flipped, ""),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        let error = engine::open(&path, &options(1)).result.unwrap_err();
        let EngineError::Load { path: shown, reason: found } = &error else { panic!("{error}") };
        assert_eq!(Path::new(shown), path);
        assert!(!found.is_empty() && found.contains(reason), "{name}: {found}");
    }
    let missing = dir.path().join("missing.onnx");
    let error = engine::open(&missing, &options(1)).result.unwrap_err();
    assert_eq!(error, EngineError::NotFound { path: missing.display().to_string() });
    let error = engine::open(dir.path(), &options(1)).result.unwrap_err();
    assert!(matches!(&error, EngineError::Load { reason, .. } if reason.contains("directory")));
}

#[test]
fn unsupported_types_are_refused_by_name() {
    if !common::onnx_runtime("engine::types_that_are_not_served") {
        return;
    }
    for (name, tensor) in [("int64_input.onnx", "face"), ("string_output.onnx", "text")] {
        let error = engine::open(common::data(name), &options(1)).result.unwrap_err();
        let EngineError::Unsupported(why) = &error else { panic!("{error}") };
        assert!(why.contains(tensor), "{why}");
    }
}

#[test]
fn a_missing_provider_is_an_error_and_not_the_cpu() {
    if !common::onnx_runtime("engine::a_missing_provider_is_an_error") {
        return;
    }
    let available = ExecutionProvider::available(runtime::get().unwrap());
    assert!(available.contains(&ExecutionProvider::Cpu));
    for provider in ExecutionProvider::ALL {
        if provider == ExecutionProvider::Auto || available.contains(&provider) {
            continue;
        }
        let options = EngineOptions { provider, ..options(1) };
        let error = engine::open(common::data("regression.onnx"), &options).result.unwrap_err();
        let EngineError::Provider { provider: nick, reason, remedy } = &error else {
            panic!("{error}")
        };
        assert_eq!(nick, provider.nick());
        assert!(reason.contains("built without it"), "{reason}");
        assert!(remedy.contains("cpu"), "{remedy}");
    }
}

#[test]
fn messages_of_the_runtime_reach_the_sink() {
    if !common::onnx_runtime("engine::messages_of_the_runtime") {
        return;
    }
    static MESSAGES: AtomicUsize = AtomicUsize::new(0);
    static REASONS: AtomicUsize = AtomicUsize::new(0);
    log::set_log_sink(
        |origin, level, _, message| {
            assert!(!message.is_empty());
            match origin {
                LogOrigin::OnnxRuntime => MESSAGES.fetch_add(1, Ordering::Relaxed),
                // The decision, its cause, and nothing of ONNX Runtime's.
                LogOrigin::Engine
                    if message.contains("regression.onnx' runs on cpu: execution") =>
                {
                    assert_eq!(level, LogLevel::Info);
                    REASONS.fetch_add(1, Ordering::Relaxed)
                }
                LogOrigin::Engine => 0,
            };
        },
        LogLevel::Verbose,
    );
    // A session of its own: one that another test has open says nothing more.
    let alone = EngineOptions { instance: Some("messages".into()), ..options(1) };
    engine::open(common::data("regression.onnx"), &alone).result.unwrap();
    assert!(MESSAGES.load(Ordering::Relaxed) > 0);
    assert!(REASONS.load(Ordering::Relaxed) > 0, "the log says why the CPU runs it");
}

/// Allocations of this thread in Rust code, `ort` included, in one run.
fn allocations(engine: &mut OrtEngine, batch: usize) -> u64 {
    // The first run of a batch size makes its outputs.
    engine.run(batch).unwrap();
    allocation_counter::measure(|| engine.run(batch).unwrap()).count_total
}

#[test]
fn a_run_allocates_nothing() {
    if !common::onnx_runtime("engine::a_run_allocates_nothing") {
        return;
    }
    for name in [
        "regression.onnx",
        "regression_batch4.onnx",
        "regression_f16.onnx",
        "regression_u8.onnx",
        "binned.onnx",
        "eyes_and_head.onnx",
    ] {
        let mut engine = open(name, 4);
        assert_eq!(allocations(&mut engine, 4), 0, "{name}");
    }
}

/// `ort` has a view allocate: that, once for each input, is all that a smaller batch costs.
#[test]
fn a_smaller_batch_allocates_only_its_views() {
    if !common::onnx_runtime("engine::a_smaller_batch_allocates") {
        return;
    }
    let picture = picture(0);
    let view = allocation_counter::measure(|| {
        let shape = [1, 3, SIDE, SIDE];
        ort::value::TensorRef::from_array_view((shape, &picture[..])).unwrap();
    });
    assert!(view.count_total > 0);
    for (name, inputs) in [("regression.onnx", 1), ("eyes_and_head.onnx", 3)] {
        let mut engine = open(name, 4);
        for batch in 1..4 {
            let found = allocations(&mut engine, batch);
            assert!(found <= inputs * view.count_total, "{name} {batch}: {found}");
        }
    }
}

/// The file with so many more entries of metadata, keys and values of a few bytes.
fn with_metadata(name: &str, entries: u32) -> Vec<u8> {
    let mut bytes = std::fs::read(common::data(name)).unwrap();
    for number in 0..entries {
        let entry = Message::default().text(1, &format!("key {number}")).text(2, "value");
        bytes.extend(Message::default().message(14, entry).into_bytes());
    }
    bytes
}

/// ONNX Runtime copies all of the metadata for each entry that is asked for, so not all are.
#[test]
fn a_flood_of_metadata_does_not_hide_the_profile() {
    if !common::onnx_runtime("engine::a_flood_of_metadata") {
        return;
    }
    for (entries, kept) in [(20, 21), (20_000, 1)] {
        let bytes = with_metadata("regression_profile_toml.onnx", entries);
        let engine = engine::open_bytes("flood", &bytes, &options(1)).result.unwrap();
        let metadata = &engine.info().metadata;
        assert!(metadata.contains_key(METADATA_TOML));
        assert_eq!(metadata.len(), kept, "of {entries} entries and the profile");
    }
    // A key that is no text.
    let mut bytes = std::fs::read(common::data("regression_profile_toml.onnx")).unwrap();
    let entry = Message::default().bytes(1, b"\xff").text(2, "value");
    bytes.extend(Message::default().message(14, entry).into_bytes());
    let engine = engine::open_bytes("no text", &bytes, &options(1)).result.unwrap();
    assert!(engine.info().metadata.contains_key(METADATA_TOML));
}
