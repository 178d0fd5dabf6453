//! Execution providers as properties of the elements.

#![cfg(feature = "plugin")]

mod common;

use std::path::Path;

use common::element::{init, launch, says};
use common::engines::provider;
use gst::prelude::*;
use gstgaze::engine::provider::ExecutionProvider;

const PROFILE: &str = r#"
name = "conv"
[[input]]
tensor = "face"
role = "face"
image = { width = 32, height = 32, scale = 0.00392156862745098 }
[output]
decoder = "regression"
pitch = { tensor = "gaze", column = 0 }
yaw = { tensor = "gaze", column = 1 }
"#;

/// A pipeline of a few frames through `gazeinfer` with these properties.
fn pipeline(dir: &Path, properties: &str) -> String {
    let profile = dir.join("conv.toml");
    std::fs::write(&profile, PROFILE).unwrap();
    format!(
        "videotestsrc num-buffers=3 ! video/x-raw,format=RGB,width=64,height=64 ! gazeinfer \
         name=gaze inference-region=full-frame profile={} {properties} ! fakesink",
        profile.display()
    )
}

fn model(name: &str) -> String {
    format!("engine={}", common::data(name).display())
}

#[test]
fn a_pipeline_on_qnn_reports_what_runs() {
    init();
    if !provider("providers::a_pipeline_on_qnn", ExecutionProvider::Qnn) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    for (cache, warnings) in [(dir.path().join("cache"), 0), (file.join("cache"), 1)] {
        let description = pipeline(
            dir.path(),
            &format!(
                "{} execution-provider=qnn precision=int8 engine-cache={} \
                 provider-options=\"soc_model=57,htp_performance_mode=burst\"",
                model("conv_int8.onnx"),
                cache.display()
            ),
        );
        let pipeline = gst::parse::launch(&description).unwrap();
        let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
        let gaze = pipeline.by_name("gaze").unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let bus = pipeline.bus().unwrap();
        let mut warned = 0;
        loop {
            let message = bus.timed_pop(gst::ClockTime::from_seconds(60)).expect("no end");
            match message.view() {
                gst::MessageView::Eos(_) => break,
                gst::MessageView::Error(error) => panic!("{error:?}"),
                gst::MessageView::Warning(warning) => {
                    says(&warning.error().to_string(), &["engine cache", "file/cache"]);
                    warned += 1;
                }
                _ => {}
            }
        }
        assert_eq!(warned, warnings);
        let stats = gaze.property::<gst::Structure>("stats");
        assert_eq!(stats.get::<&str>("execution-provider"), Ok("qnn"));
        assert_eq!(stats.get::<u64>("inferences"), Ok(3));
        pipeline.set_state(gst::State::Null).unwrap();
    }
}

#[test]
fn a_provider_that_cannot_run_is_an_error_with_the_remedy() {
    init();
    if !provider("providers::what_cannot_run", ExecutionProvider::Cpu) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let plan = dir.path().join("face_fp16.engine");
    std::fs::write(&plan, b"ftrt\0\0\0\0a plan").unwrap();
    let plan = format!("engine={}", plan.display());
    let conv = model("conv.onnx");
    for (properties, words) in [
        (
            format!("{plan} execution-provider=cpu"),
            &["TensorRT engine", "execution-provider=tensorrt"][..],
        ),
        (plan.clone(), &["tensorrt", "GAZE_ORT_LIBRARY"]),
        (
            format!("{} execution-provider=cpu", model("wrapped_qnn.onnx")),
            &["compiled for another execution provider"],
        ),
        (format!("{conv} execution-provider=cuda"), &["cuda", "built without it"]),
        (format!("{conv} execution-provider=xnnpack"), &["xnnpack", "built without it"]),
        (format!("{conv} execution-provider=cpu precision=fp16"), &["fp16", "precision=auto"]),
        (format!("{conv} execution-provider=cpu precision=int8"), &["int8", "QuantizeLinear"]),
        (format!("{conv} execution-provider=cpu provider-options=\"a=1\""), &["no option 'a'"]),
        (format!("{conv} provider-options=\"a=1\""), &["one provider", "execution-provider"]),
        (format!("{conv} provider-options=\"a=\""), &["provider-options", "name=value"]),
    ] {
        let error = launch(&pipeline(dir.path(), &properties)).unwrap_err();
        says(&error, words);
    }
    let cpu = format!("{} execution-provider=cpu precision=int8", model("conv_int8.onnx"));
    launch(&pipeline(dir.path(), &cpu)).unwrap();
}
