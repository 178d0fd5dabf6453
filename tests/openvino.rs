//! Intel OpenVINO for real, on the CPU. Left out unless `GAZE_OPENVINO_LIBRARY` leads to an ONNX
//! Runtime that is built with it (`pip install onnxruntime-openvino`); a process has one ONNX
//! Runtime, so that the tests run in one of their own.

mod common;

use std::process::Command;

use common::engines::{answer, apart, options, told};
use gstgaze::core::inference::Engine;
use gstgaze::engine::provider::{ExecutionProvider, Precision};
use gstgaze::engine::{self, EngineOptions};

const VARIABLE: &str = "GAZE_OPENVINO_LIBRARY";

#[test]
fn openvino_runs_in_a_process_with_its_own_runtime() {
    let test = "openvino::it_runs";
    let Some(library) = std::env::var_os(VARIABLE) else {
        common::left_out(test, &format!("{VARIABLE} is not set"));
        return;
    };
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_runs_models", "--ignored", "--nocapture"]);
    let output = command.env("GAZE_ORT_LIBRARY", library).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{output:?}");
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn child_runs_models() {
    let dir = tempfile::tempdir().unwrap();
    let open = |name: &str, options: &EngineOptions| {
        let opened = engine::open(common::data(name), options);
        let said = told(&opened.diagnostics, false);
        opened.result.map(|engine| (engine, said)).map_err(|error| error.to_string())
    };
    let given = options(ExecutionProvider::OpenVino, dir.path());
    let cpu = options(ExecutionProvider::Cpu, dir.path());
    for (name, precision, tolerance) in [
        ("conv.onnx", Precision::Auto, 1e-5),
        ("conv.onnx", Precision::Fp32, 1e-5),
        ("conv_int8.onnx", Precision::Int8, 2.0 / 255.0),
        ("regression.onnx", Precision::Auto, 1e-5),
    ] {
        let given = EngineOptions { precision, ..given.clone() };
        // Twice: the second takes what the first has left in the cache.
        for round in 0..2 {
            let (mut found, mut expected) =
                (open(name, &given).unwrap().0, open(name, &cpu).unwrap().0);
            assert_eq!(found.provider(), "openvino");
            for seed in 0..3 {
                let (found, expected) = (answer(&mut found, seed), answer(&mut expected, seed));
                let apart = apart(&found, &expected);
                assert!(apart <= tolerance, "{name} {round}: {found:?}, {expected:?}");
            }
        }
    }
    assert!(std::fs::read_dir(dir.path()).unwrap().count() > 0, "nothing is cached");
    let wrong = vec![("device".to_owned(), "CPU".to_owned())];
    let error = open("conv.onnx", &EngineOptions { provider_options: wrong, ..given });
    let error = error.map(|_| ()).unwrap_err();
    assert!(error.contains("'device'") && error.contains("device_type"), "{error}");
    // The best that this ONNX Runtime has, chosen by itself.
    let auto = options(ExecutionProvider::Auto, dir.path());
    let (engine, said) = open("conv.onnx", &auto).unwrap();
    assert_eq!(engine.provider(), "openvino");
    assert!(said.contains("runs on openvino"));
}
