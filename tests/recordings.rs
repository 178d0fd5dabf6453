//! Results of recordings do not depend on the speed of the machine, and lines tell of lost frames: real
//! pipelines whose sink is slower than the stream.
#![cfg(feature = "plugin")]

mod common;

use std::path::{Path, PathBuf};

use common::element;
use gst::prelude::*;
use serde_json::Value;

/// The properties of the test model.
fn model() -> String {
    let (model, profile) = (common::data("regression.onnx"), common::data("regression.toml"));
    format!("engine={} profile={} inference-region=full-frame", model.display(), profile.display())
}

/// A sink that drops late frames and tells so upstream, as sinks of windows do, behind an element that
/// takes twice as long as the stream has.
const SLOW_WINDOW: &str =
    "identity sleep-time=33000 ! fakesink sync=true qos=true max-lateness=20000000";

/// A source of frames at 60 Hz, and what a pipeline has before our elements. The converter drops late
/// frames where QoS events reach it.
fn source(frames: u32, live: bool) -> String {
    format!(
        "videotestsrc num-buffers={frames} is-live={live} ! \
         video/x-raw,format=RGB,width=64,height=48,framerate=60/1 ! videoconvert ! \
         video/x-raw,format=I420"
    )
}

/// What a pipeline leaves: its lines, and the warnings that our elements posted.
struct Played {
    lines: Vec<Value>,
    warnings: Vec<String>,
}

fn play(description: &str, lines: &Path) -> Played {
    let pipeline = gst::parse::launch(description).unwrap().downcast::<gst::Pipeline>().unwrap();
    let bus = pipeline.bus().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut warnings = Vec::new();
    loop {
        let message = bus.timed_pop(gst::ClockTime::from_seconds(60)).expect("the pipeline ends");
        match message.view() {
            gst::MessageView::Eos(_) => break,
            gst::MessageView::Error(error) => panic!("{error:?}"),
            gst::MessageView::Warning(warning)
                if message.src().is_some_and(|src| src.name().starts_with("gaze")) =>
            {
                warnings.push(warning.error().to_string());
            }
            _ => {}
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
    let text = std::fs::read_to_string(lines).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Played { lines, warnings }
}

fn ages(lines: &[Value]) -> Vec<u64> {
    lines.iter().map(|line| line["faces"][0]["age"].as_u64().unwrap()).collect()
}

fn numbers(lines: &[Value]) -> Vec<u64> {
    lines.iter().map(|line| line["frame"].as_u64().unwrap()).collect()
}

/// A folder, and the path of lines in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("lines.jsonl");
    (folder, lines)
}

#[test]
fn a_recording_behind_a_slow_window_keeps_every_result() {
    if !element::runtime("a_recording_behind_a_slow_window_keeps_every_result") {
        return;
    }
    let model = model();
    // Wherever QoS events come from: behind gazepublish, beside it, and with a converter that drops
    // frames between the elements.
    let convert = "videoconvert ! video/x-raw,format=RGB";
    for (how, between, publish) in [
        ("behind", "", "gazepublish name=p ! SLOW"),
        ("beside", "", "tee name=t t. ! queue ! gazepublish name=p ! fakesink t. ! queue ! SLOW"),
        ("between", convert, "gazepublish name=p ! SLOW"),
        ("monitor", convert, "gazemonitor forward=given ! gazepublish name=p ! SLOW"),
    ] {
        let (_folder, path) = place();
        let between = if between.is_empty() { String::new() } else { format!("{between} ! ") };
        let publish = publish
            .replace("name=p", &format!("location={}", path.display()))
            .replace("SLOW", SLOW_WINDOW);
        let description = format!("{} ! gazeinfer {model} ! {between}{publish}", source(60, false));
        let Played { lines, warnings } = play(&description, &path);
        assert_eq!(numbers(&lines), (0..60).collect::<Vec<_>>(), "{how}");
        assert_eq!(ages(&lines), [0; 60], "{how}: every frame is inferred");
        assert!(lines.iter().all(|line| line.get("lost").is_none()), "{how}");
        let [warning] = &warnings[..] else { panic!("{how}: {warnings:?}") };
        element::says(warning, &["30 frames", "ms", "no result is lost", "sync=false"]);
    }
}

#[test]
fn faces_of_a_recording_are_detected_on_every_frame() {
    element::init();
    let (_folder, path) = place();
    let description = format!("{} ! gazeface name=faces ! {SLOW_WINDOW}", source(60, false));
    std::fs::write(&path, "").unwrap();
    let pipeline = gst::parse::launch(&description).unwrap().downcast::<gst::Pipeline>().unwrap();
    let faces = pipeline.by_name("faces").unwrap();
    element::run(&pipeline).unwrap();
    // A run ends in NULL, which keeps the counts.
    let stats: gst::Structure = faces.property("stats");
    let count = |name: &str| stats.get::<u64>(name).unwrap();
    assert_eq!((count("frames"), count("inferences"), count("skipped")), (60, 60, 0));
}

#[test]
fn late_frames_of_a_live_stream_carry_the_last_result_and_are_told_once() {
    if !element::runtime("late_frames_of_a_live_stream_carry_the_last_result_and_are_told_once") {
        return;
    }
    let model = model();
    let (_folder, path) = place();
    // Without a converter upstream, which would drop frames.
    let description = format!(
        "videotestsrc num-buffers=90 is-live=true ! \
         video/x-raw,format=I420,width=64,height=48,framerate=60/1 ! gazeinfer {model} ! \
         gazepublish location={} ! {SLOW_WINDOW}",
        path.display()
    );
    let Played { lines, warnings } = play(&description, &path);
    assert_eq!(numbers(&lines), (0..90).collect::<Vec<_>>(), "a late frame has a line");
    let reused = ages(&lines).iter().filter(|age| **age > 0).count();
    assert!(reused >= 30, "{reused} late frames of 90");
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    element::says(warning, &["30 of", "frames came too late", "last result", "qos=false"]);
}

/// Frames that a leaky queue drops are counted: they leave gaps in `frame`.
#[test]
fn lost_frames_leave_gaps_in_the_numbers() {
    if !element::runtime("lost_frames_leave_gaps_in_the_numbers") {
        return;
    }
    let model = model();
    let (_folder, path) = place();
    let description = format!(
        "{} ! queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0 ! \
         gazeinfer qos=false {model} ! gazepublish location={} ! identity sleep-time=50000 ! fakesink",
        source(60, true),
        path.display()
    );
    let Played { lines, .. } = play(&description, &path);
    let last = lines.last().unwrap();
    let (frame, lost) = (last["frame"].as_u64().unwrap(), last["lost"].as_u64().unwrap());
    assert!(lost > 0, "the queue drops frames");
    assert_eq!(frame + 1, lines.len() as u64 + lost, "every number is a line or a lost frame");
    // The number of a frame is that of its time.
    for line in &lines {
        let at = line["pts"].as_u64().unwrap() - lines[0]["pts"].as_u64().unwrap();
        assert_eq!(line["frame"].as_u64().unwrap(), (at * 60 + 500_000_000) / 1_000_000_000);
    }
}
