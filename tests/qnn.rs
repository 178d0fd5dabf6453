//! Qualcomm QNN for real: on x86-64 its HTP backend is Qualcomm's emulator of the Hexagon NPU.
//!
//! Left out where the plug-in is not found (`pip install onnxruntime-qnn`, or `GAZE_QNN_LIBRARY`).

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::engines::{answer, apart, options, provider, told};
use gstgaze::core::inference::{Engine, EngineError};
use gstgaze::engine::OrtEngine;
use gstgaze::engine::provider::{ExecutionProvider, Precision};
use gstgaze::engine::{self, EngineCache, EngineOptions, OpenError};
use sha2::{Digest as _, Sha256};

const QNN: ExecutionProvider = ExecutionProvider::Qnn;

fn open(name: &str, options: &EngineOptions) -> OrtEngine {
    engine::open(common::data(name), options).result.unwrap()
}

/// Opens a model; also gives the text of its diagnostics, with a warning or without.
fn told_open(name: &str, options: &EngineOptions, warned: bool) -> (OrtEngine, String) {
    let opened = engine::open(common::data(name), options);
    let said = told(&opened.diagnostics, warned);
    (opened.result.unwrap(), said)
}

fn cpu(name: &str) -> OrtEngine {
    open(name, &EngineOptions { provider: ExecutionProvider::Cpu, ..EngineOptions::default() })
}

/// Models in floats within the error of 16-bit floats of the CPU, and the same bits in each run and
/// each session.
#[test]
fn qnn_agrees_with_the_cpu_and_with_itself() {
    if !provider("qnn::it_computes", QNN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, precision) in [
        ("conv.onnx", Precision::Auto),
        ("conv.onnx", Precision::Fp16),
        ("conv.onnx", Precision::Fp32),
        ("conv_int8.onnx", Precision::Int8),
        ("regression_batch1.onnx", Precision::Auto),
    ] {
        let options = EngineOptions { precision, ..options(QNN, dir.path()) };
        // The same options alone would give the same session.
        let another = EngineOptions { instance: Some("another".into()), ..options.clone() };
        let (mut npu, mut again, mut cpu) = (open(name, &options), open(name, &another), cpu(name));
        assert_eq!(npu.provider(), "qnn");
        let mut spread = Vec::new();
        for seed in 0..4 {
            let found = answer(&mut npu, seed);
            // How far integers may be apart is the next test's.
            if precision != Precision::Int8 {
                let expected = answer(&mut cpu, seed);
                assert!(apart(&found, &expected) <= 2e-3, "{name}: {found:?}, {expected:?}");
            }
            assert_eq!(found, answer(&mut npu, seed), "{name}: another run");
            assert_eq!(found, answer(&mut again, seed), "{name}: another session");
            spread.push(found);
        }
        assert_ne!(spread[0], spread[1], "{name} does not look at the picture");
    }
}

/// A quantised model errs on the NPU as it does on the CPU: both round, each in its own way (the
/// CPU's kernels differ from CPU to CPU), and neither is the truth, which is the model in floats.
#[test]
fn integers_err_no_more_than_on_the_cpu() {
    if !provider("qnn::integers_err", QNN) {
        return;
    }
    const PICTURES: u32 = 64;
    let dir = tempfile::tempdir().unwrap();
    let options = EngineOptions { precision: Precision::Int8, ..options(QNN, dir.path()) };
    let mut float = cpu("conv.onnx");
    let mut error = |mut rounded: OrtEngine| {
        let errors: Vec<f32> = (0..PICTURES)
            .map(|seed| apart(&answer(&mut float, seed), &answer(&mut rounded, seed)))
            .collect();
        let mean = errors.iter().sum::<f32>() / PICTURES as f32;
        (mean, errors.into_iter().fold(0.0, f32::max))
    };
    let (npu, cpu) = (error(open("conv_int8.onnx", &options)), error(cpu("conv_int8.onnx")));
    println!("mean and largest error: NPU {npu:?}, CPU {cpu:?}");
    assert!(npu.0 <= 1.25 * cpu.0 && npu.1 <= 1.5 * cpu.1, "NPU {npu:?}, CPU {cpu:?}");
}

/// All sessions of a process share the device's setup.
#[test]
fn another_chip_in_the_same_process_is_refused() {
    if !provider("qnn::another_chip", QNN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let given = options(QNN, dir.path());
    open("conv.onnx", &given);
    let other = vec![("soc_model".to_owned(), "39".to_owned())];
    let other = EngineOptions { provider_options: other, ..given };
    let error = engine::open(common::data("conv.onnx"), &other).result.unwrap_err().to_string();
    assert!(error.contains("soc_model=57") && error.contains("soc_model=39"), "{error}");
}

/// The compiler needs every size: an open batch is one.
#[test]
fn an_open_batch_is_one() {
    if !provider("qnn::an_open_batch", QNN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let options = EngineOptions { batch_size: 8, ..options(QNN, dir.path()) };
    let mut npu = open("regression.onnx", &options);
    assert_eq!((npu.max_batch(), npu.input_shape(0)), (1, &[1, 3, 8, 8][..]));
    assert!(apart(&answer(&mut npu, 1), &answer(&mut cpu("regression.onnx"), 1)) < 2e-3);
    assert_eq!(open("regression_batch4.onnx", &options).max_batch(), 4);
}

/// A model that was compiled ahead runs as it is, needs no profile where the original needed none, and
/// computes the same.
#[test]
fn a_model_compiled_ahead_opens() {
    if !provider("qnn::what_was_compiled_ahead", QNN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let given = options(QNN, dir.path());
    let compiled = engine::compile(common::data("conv.onnx"), None, &given).result.unwrap();
    let mut ahead = engine::open_bytes("ahead", &compiled, &given).result.unwrap();
    assert_eq!(answer(&mut ahead, 5), answer(&mut open("conv.onnx", &given), 5));
    let with_profile = common::data("regression_profile_toml.onnx");
    let compiled = engine::compile(&with_profile, None, &given).result.unwrap();
    let file = dir.path().join("ahead.onnx");
    fs::write(&file, &compiled).unwrap();
    let model = engine::open_model(&file, None, &given).result.unwrap();
    assert_eq!((model.profile.name.as_str(), model.engine.provider()), ("own", "qnn"));
    let again = engine::compile(&file, None, &given).result.unwrap_err().to_string();
    assert!(again.contains("compiled already"), "{again}");
    let on_cpu = EngineOptions { provider: ExecutionProvider::Cpu, ..given };
    let refused = engine::open_model(&file, None, &on_cpu).result.err().unwrap().to_string();
    assert!(refused.contains("another execution provider"), "{refused}");
}

#[test]
fn a_second_start_loads_what_the_first_compiled() {
    if !provider("qnn::a_second_start", QNN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let given = options(QNN, &dir.path().join("cache"));
    let (mut first, said) = told_open("conv.onnx", &given, false);
    let expected = answer(&mut first, 3);
    drop(first);
    assert!(said.contains("compiling") && said.contains("kept in"), "{said}");
    let (mut second, said) = told_open("conv.onnx", &given, false);
    assert!(said.contains("taken from the cache") && !said.contains("compiling"), "{said}");
    assert_eq!(answer(&mut second, 3), expected);
    // Another model, precision or option is another entry.
    let other = EngineOptions { precision: Precision::Fp32, ..given.clone() };
    assert!(told_open("conv.onnx", &other, false).1.contains("compiling"));
    let off = EngineOptions { cache: EngineCache::Off, ..given };
    assert!(!told_open("conv.onnx", &off, false).1.contains("cache"));
}

/// The one entry of a cache.
fn entry(cache: &Path) -> PathBuf {
    let entries = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    let mut entries = entries.filter(|path| path.extension().is_some_and(|e| e == "gazectx"));
    let entry = entries.next().unwrap();
    assert_eq!(entries.next(), None);
    entry
}

#[test]
fn a_broken_or_stale_entry_is_made_anew() {
    if !provider("qnn::a_broken_entry", QNN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let given = options(QNN, dir.path());
    let expected = answer(&mut told_open("conv.onnx", &given, false).0, 5);
    let entry = entry(dir.path());
    let whole = fs::read(&entry).unwrap();
    let end = whole.iter().position(|byte| *byte == b'\n').unwrap();
    // An entry that is sound in itself, of a model that QNN cannot load (any more).
    let mut manifest: serde_json::Value = serde_json::from_slice(&whole[..end]).unwrap();
    let content = b"of another time";
    manifest["bytes"] = content.len().into();
    let hash = Sha256::digest(content);
    manifest["sha256"] = hash.iter().map(|b| format!("{b:02x}")).collect::<String>().into();
    let stale = [manifest.to_string().as_bytes(), b"\n", content].concat();
    for (content, word) in [(&whole[..whole.len() / 2], "broken"), (&stale[..], "stale")] {
        fs::write(&entry, content).unwrap();
        let (mut engine, said) = told_open("conv.onnx", &given, true);
        assert!(said.contains(word) && said.contains("made anew"), "{said}");
        assert_eq!(answer(&mut engine, 5), expected);
        assert_eq!(fs::read(&entry).unwrap().len(), whole.len());
    }
}

#[test]
fn qnn_runs_without_a_usable_cache_and_reports_it() {
    if !provider("qnn::without_a_usable_cache", QNN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let given = options(QNN, &file.join("cache"));
    let (mut engine, said) = told_open("conv.onnx", &given, true);
    let expected = answer(&mut engine, 6);
    drop(engine);
    assert!(said.contains("engine-cache") && said.contains("file/cache"), "{said}");
    // The compiled model cannot take its place: nothing else stays in the directory.
    let blocked = dir.path().join("blocked");
    let given = options(QNN, &blocked);
    drop(told_open("conv.onnx", &given, false));
    let entry = entry(&blocked);
    fs::remove_file(&entry).unwrap();
    fs::create_dir(&entry).unwrap();
    let (mut engine, said) = told_open("conv.onnx", &given, true);
    assert!(said.contains("a directory") && said.contains("cannot be used"), "{said}");
    assert_eq!(answer(&mut engine, 6), expected);
    assert_eq!(fs::read_dir(&blocked).unwrap().count(), 2, "the directory and the lock");
}

const CHILD: &str = "child_opens_a_model";
const CACHE: &str = "GAZE_TEST_CACHE";

/// Opens a model and prints its diagnostics.
#[test]
#[ignore = "run by other tests in a process of its own"]
fn child_opens_a_model() {
    let cache = PathBuf::from(std::env::var_os(CACHE).unwrap());
    let options = options(QNN, &cache);
    let opened = engine::open(common::data("conv.onnx"), &options);
    println!("CHILD: {:?} {:?}", opened.diagnostics, opened.result.err());
}

fn child(cache: &Path, variables: &[(&str, &str)]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", CHILD, "--ignored", "--nocapture"]);
    command.env(CACHE, cache).envs(variables.iter().copied()).stdout(Stdio::piped());
    command.spawn().unwrap()
}

fn says(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("CHILD: "), "{text}");
    text
}

#[test]
fn of_two_processes_one_compiles() {
    if !provider("qnn::of_two_processes", QNN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let children = [child(dir.path(), &[]), child(dir.path(), &[])];
    let said = children.map(says);
    for words in ["kept in", "taken from the cache"] {
        assert_eq!(said.iter().filter(|said| said.contains(words)).count(), 1, "{said:?}");
    }
}

#[test]
fn a_variable_that_leads_nowhere_is_an_error() {
    if !common::onnx_runtime("qnn::a_variable_that_leads_nowhere") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let said = says(child(dir.path(), &[("GAZE_QNN_LIBRARY", "/nowhere/qnn.so")]));
    for part in ["GAZE_QNN_LIBRARY", "/nowhere/qnn.so", "onnxruntime-qnn", "cpu"] {
        assert!(said.contains(part), "no '{part}' in {said}");
    }
    let text = dir.path().join("text.so");
    fs::write(&text, "no library").unwrap();
    let said = says(child(dir.path(), &[("GAZE_QNN_LIBRARY", text.to_str().unwrap())]));
    assert!(said.contains("plug-in") && said.contains("text.so"), "{said}");
}

#[test]
fn unsupported_models_are_refused_and_not_given_to_the_cpu() {
    if !provider("qnn::what_it_cannot_do", QNN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let given = options(QNN, dir.path());
    let refused = |name: &str, options: &EngineOptions, parts: &[&str]| {
        let error = engine::open(common::data(name), options).result.unwrap_err();
        assert!(matches!(error, EngineError::Provider { .. }), "{error}");
        let error = error.to_string();
        for part in parts {
            assert!(error.contains(part), "no '{part}' in: {error}");
        }
    };
    refused("string_output.onnx", &given, &["string_output", "CPU", "allow-fallback"]);
    let int8 = EngineOptions { precision: Precision::Int8, ..given.clone() };
    refused("conv.onnx", &int8, &["int8", "QuantizeLinear"]);
    let misspelt = [("htp_performance".to_owned(), "burst".to_owned())];
    let misspelt = EngineOptions { provider_options: misspelt.to_vec(), ..given.clone() };
    refused("conv.onnx", &misspelt, &["'htp_performance'", "htp_performance_mode"]);
    let lenient = EngineOptions { allow_fallback: true, ..given };
    let error = engine::open(common::data("string_output.onnx"), &lenient).result.unwrap_err();
    assert!(matches!(error, EngineError::Unsupported(_)), "it opens; its output is text: {error}");
}

/// The bytes of the attribute `ep_cache_context` in a compiled model.
fn context_of(model: &[u8]) -> Vec<u8> {
    let name = b"ep_cache_context";
    let start = model.windows(name.len()).position(|window| window == name).unwrap() + name.len();
    // The field 4 of the attribute, length-delimited.
    assert_eq!(model[start], 4 << 3 | 2);
    let (mut length, mut at) = (0, start + 1);
    for shift in (0..).step_by(7) {
        length |= usize::from(model[at] & 0x7f) << shift;
        at += 1;
        if model[at - 1] & 0x80 == 0 {
            break;
        }
    }
    model[at..at + length].to_vec()
}

const PROFILE: &str = r#"
name = "conv"
[[input]]
tensor = "face"
role = "face"
image = { width = 32, height = 32 }
[output]
decoder = "regression"
pitch = { tensor = "gaze", column = 0 }
yaw = { tensor = "gaze", column = 1 }
"#;

/// Options besides the settings that the element has properties for.
#[test]
fn options_of_the_chip_are_taken() {
    if !provider("qnn::options_of_the_chip", QNN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let expected = answer(&mut open("conv_int8.onnx", &options(QNN, dir.path())), 3);
    for given in [
        vec![("htp_performance_mode", "burst"), ("qnn_context_priority", "high")],
        vec![("htp_graph_finalization_optimization_mode", "3"), ("vtcm_mb", "8")],
    ] {
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut options = options(QNN, dir.path());
        options.provider_options.extend(given.into_iter().map(pair));
        let given = options;
        assert_eq!(answer(&mut open("conv_int8.onnx", &given), 3), expected, "{given:?}");
    }
}

#[test]
fn a_bare_context_binary_is_wrapped() {
    if !provider("qnn::a_bare_context_binary", QNN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let given = options(QNN, &dir.path().join("cache"));
    for model in ["conv.onnx", "conv_int8.onnx"] {
        let cache = dir.path().join(model);
        let given = options(QNN, &cache);
        let expected = answer(&mut open(model, &given), 8);
        let content = fs::read(entry(&cache)).unwrap();
        let context = context_of(&content);
        let path = dir.path().join("model.bin");
        fs::write(&path, &context).unwrap();
        fs::write(dir.path().join("model.gaze.toml"), PROFILE).unwrap();
        for provider in [QNN, ExecutionProvider::Auto] {
            // The engine's kind says the provider.
            let given = EngineOptions { provider, ..given.clone() };
            let mut opened = engine::open_model(&path, None, &given).result.unwrap();
            assert_eq!(opened.engine.provider(), "qnn");
            assert_eq!(answer(&mut *opened.engine, 8), expected, "{model}");
        }
        let half = dir.path().join("half.bin");
        fs::write(&half, &context[..context.len() / 2]).unwrap();
        fs::write(dir.path().join("half.gaze.toml"), PROFILE).unwrap();
        let error = engine::open_model(&half, None, &given).result.map(|_| ()).unwrap_err();
        let load = matches!(&error, OpenError::Engine(EngineError::Load { .. }));
        assert!(load && error.to_string().contains("half.bin"), "{error}");
    }
    let path = dir.path().join("model.bin");
    // It cannot tell the batch that it was compiled for.
    let other = EngineOptions { engine_batch: 8, ..given.clone() };
    let error = engine::open_model(&path, None, &other).result.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("batch of 8: set batch-size"), "{error}");
    let cpu = EngineOptions { provider: ExecutionProvider::Cpu, ..given.clone() };
    let error = engine::open_model(&path, None, &cpu).result.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("QNN context binary") && error.contains("=qnn"), "{error}");
    let error = engine::open(&path, &given).result.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("profile"), "{error}");
    fs::remove_file(dir.path().join("model.gaze.toml")).unwrap();
    let error = engine::open_model(&path, None, &given).result.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("model.gaze.toml"), "{error}");
}

/// An element with the default batch-size takes a context for one face, as most are.
#[cfg(feature = "plugin")]
#[test]
fn the_element_runs_a_bare_context_binary() {
    use common::element::{caps, halves};
    use gst::prelude::*;
    if !common::element::runtime("qnn::the_element_runs") || !provider("qnn::the_element_runs", QNN)
    {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    open("conv_int8.onnx", &options(QNN, &cache));
    let path = dir.path().join("model.bin");
    fs::write(&path, context_of(&fs::read(entry(&cache)).unwrap())).unwrap();
    fs::write(dir.path().join("model.gaze.toml"), PROFILE).unwrap();
    // The chip as in the other tests: a process has one.
    let line = |more: &str| {
        let options = options(QNN, &cache).provider_options;
        let options: Vec<String> = options.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let options = options.join(",");
        format!(
            "gazeinfer engine={} execution-provider=qnn provider-options=\"{options}\" {more}",
            path.display()
        )
    };
    let mut h = gst_check::Harness::new_parse(&line(""));
    h.set_src_caps(caps(gst_video::VideoFormat::Rgb, 64, 48));
    h.push(halves(gst_video::VideoFormat::Rgb, 64, 48, [51, 0, 0], [0, 0, 200])).unwrap();
    let seen = gstgaze::plugin::meta::gaze::read(&h.pull().unwrap()).unwrap();
    assert!(seen.faces[0].gaze.is_some(), "{seen:?}");
    drop(h);
    // Another batch than the context's is an error that says what to set.
    let element = gst::parse::launch(&line("batch-size=4")).unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    assert!(element.set_state(gst::State::Paused).is_err());
    let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
    let gst::MessageView::Error(error) = message.view() else { unreachable!() };
    assert!(error.error().to_string().contains("set batch-size"), "{}", error.error());
    element.set_state(gst::State::Null).unwrap();
}

/// The tool compiles ahead, and what it wrote is told for what it is and runs.
#[test]
fn the_tool_compiles_ahead() {
    if !provider("qnn::the_tool_compiles_ahead", QNN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("ahead.onnx");
    let call = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_gazetool"))
            .args(arguments)
            .args(["--provider", "qnn", "--engine-cache", "", "--json"])
            .env("XDG_CACHE_HOME", dir.path().join("unused"))
            // Otherwise ONNX Runtime itself keeps a file there.
            .env("ORT_DISABLE_TELEMETRY", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let model = common::data("regression_profile_toml.onnx");
    let compiled = call(&["compile", model.to_str().unwrap(), "-o", out.to_str().unwrap()]);
    assert_eq!(compiled["schema"], 1, "{compiled}");
    let inspected = call(&["inspect", out.to_str().unwrap()]);
    assert!(inspected.to_string().contains("EPContext"), "{inspected}");
    assert!(!dir.path().join("unused").exists(), "an empty engine cache is nowhere");
}
