//! nvinfer's configuration files, as `config-file-path` takes them.

use std::path::Path;

use gst::prelude::*;

use super::rig::Bus;
use super::stub::ready;
use crate::common;
use crate::common::element::says;

/// What starting with this text in a file of this name says, and whether it started.
fn start(folder: &Path, name: &str, text: &str) -> (bool, String, gst::Element) {
    let config = folder.join(name);
    std::fs::write(&config, text).unwrap();
    let path = config.display();
    let element = gst::parse::launch(&format!("gazeinfer config-file-path={path}")).unwrap();
    let bus = Bus::of(&element);
    let started = element.set_state(gst::State::Paused).is_ok();
    let said = bus.pop_filtered(&[gst::MessageType::Error, gst::MessageType::Warning]);
    let said = said.map(|message| match message.view() {
        gst::MessageView::Error(error) => error.error().message().to_owned(),
        gst::MessageView::Warning(warning) => warning.error().message().to_owned(),
        _ => unreachable!(),
    });
    element.set_state(gst::State::Null).unwrap();
    (started, said.unwrap_or_default(), element)
}

/// A folder with a model, and its profile beside it.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(common::data("regression.onnx"), dir.path().join("tiny.onnx")).unwrap();
    std::fs::copy(common::data("regression.toml"), dir.path().join("tiny.gaze.toml")).unwrap();
    dir
}

#[test]
fn keys_without_effect_are_reported() {
    if !ready("keys_without_effect_are_reported") {
        return;
    }
    let dir = folder();
    let start = |text: &str| {
        let (started, said, _) = start(dir.path(), "gaze.txt", text);
        (started, said)
    };
    let (started, said) = start("[property]\nonnx-file=tiny.onnx\ngie-unique-id=3\n");
    assert!(started && said.is_empty(), "{said}");
    let (started, said) = start(
        "[property]\nonnx-file=tiny.onnx\nnet-scale-factor=0.0039\nnetwork-type=1\n\
         [class-attrs-all]\ntopk=1\n",
    );
    assert!(started);
    says(&said, &["ignores", "net-scale-factor", "network-type", "[class-attrs-all]"]);
    let (started, said) = start("[property]\nprocess-mode=7\n");
    assert!(!started);
    says(&said, &["process-mode=7", "gaze.txt"]);
    let (started, said) = start("gaze");
    assert!(!started);
    says(&said, &["gaze.txt"]);
}

#[test]
fn both_forms_of_configuration_give_the_same_settings() {
    if !ready("both_forms_of_configuration_give_the_same_settings") {
        return;
    }
    let dir = folder();
    let keys = [
        ("gpu-id", "2"),
        ("network-mode", "0"),
        ("onnx-file", "tiny.onnx"),
        ("gie-unique-id", "4"),
        ("batch-size", "6"),
        ("process-mode", "2"),
        ("operate-on-class-ids", "0;2"),
        ("input-object-min-width", "30"),
    ];
    let lines = |between: &str| -> String {
        keys.iter().map(|(key, value)| format!("  {key}{between}{value}\n")).collect()
    };
    for (name, text) in [
        ("gaze.txt", format!("[property]\n{}", lines("="))),
        ("gaze.yml", format!("%YAML:1.0\n---\n# Faces\nproperty:\n{}", lines(": "))),
        ("gaze.yaml", format!("property:\n{}", lines(": "))),
    ] {
        let (started, said, element) = start(dir.path(), name, &text);
        assert!(started && said.is_empty(), "{name}: {said}");
        assert_eq!(element.property::<u32>("device-id"), 2, "{name}");
        assert_eq!(element.property::<u32>("unique-id"), 4, "{name}");
        assert_eq!(element.property::<u32>("batch-size"), 6, "{name}");
        assert_eq!(element.property::<u32>("min-object-width"), 30, "{name}");
        let text = |name: &str| {
            let value = element.property_value(name);
            value.serialize().unwrap().trim_matches('"').to_owned()
        };
        assert_eq!(text("precision"), "fp32", "{name}");
        assert_eq!(text("inference-region"), "roi-list", "{name}");
        assert_eq!(text("infer-on-class-ids"), "0:2", "{name}");
        let engine = dir.path().canonicalize().unwrap().join("tiny.onnx");
        assert_eq!(element.property::<String>("engine"), engine.to_str().unwrap(), "{name}");
    }
    let (started, said, _) = start(dir.path(), "gaze.yml", "property:\n  batch-size: [1, 2]\n");
    assert!(!started);
    says(&said, &["gaze.yml", "batch-size"]);
}

#[test]
fn the_precision_is_nvinfers_network_mode() {
    if !ready("the_precision_is_nvinfers_network_mode") {
        return;
    }
    let dir = folder();
    let text = "[property]\nonnx-file=tiny.onnx\nnetwork-mode=2\n";
    let (started, said, element) = start(dir.path(), "gaze.txt", text);
    assert_eq!(element.property_value("precision").serialize().unwrap(), "fp16");
    // Where nothing but the CPU is at hand: an accelerator takes it.
    if !started {
        says(&said, &["fp16"]);
    }
}

#[test]
fn an_engine_that_nvinfer_built_goes_to_tensorrt() {
    if !ready("an_engine_that_nvinfer_built_goes_to_tensorrt") {
        return;
    }
    let dir = folder();
    let text = "[property]\nmodel-engine-file=gaze_b1_gpu0_fp16.engine\nenable-dla=1\n\
                use-dla-core=1\nnetwork-mode=1\nint8-calib-file=cal.bin\n";
    let (_, said, element) = start(dir.path(), "gaze.txt", text);
    let folder = dir.path().canonicalize().unwrap();
    let engine = folder.join("gaze_b1_gpu0_fp16.engine");
    assert_eq!(element.property::<String>("engine"), engine.to_str().unwrap(), "{said}");
    let text = |name: &str| element.property_value(name).serialize().unwrap().to_string();
    assert_eq!(text("execution-provider"), "tensorrt");
    let options = element.property::<String>("provider-options");
    let options: gst::Structure = options.parse().unwrap();
    assert_eq!(options.get::<i32>("trt_dla_core"), Ok(1));
    assert_eq!(options.get::<bool>("trt_dla_enable"), Ok(true));
    assert_eq!(
        options.get::<&str>("trt_int8_calibration_table_name"),
        Ok(folder.join("cal.bin").to_str().unwrap())
    );
    assert_eq!(options.get::<bool>("trt_int8_use_native_calibration_table"), Ok(true));
    // The file lacks; that is said, and no other key.
    says(&said, &["gaze_b1_gpu0_fp16.engine"]);
}
