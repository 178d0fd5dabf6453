//! `gazeinfer` and closed eyes: what `min-eye-openness` leaves out, carries and counts.
#![cfg(feature = "plugin")]
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use common::element::{caps, launch, runtime};
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::face::FaceRegion;
use gstgaze::core::gaze::GazeEstimate;
use gstgaze::core::geometry::{Rect, Size};
use gstgaze::plugin::meta::{faces, gaze};

const SIZE: Size = Size::new(64, 48);

fn element(properties: &str) -> Harness {
    let mut h = Harness::new_parse(&format!(
        "gazeinfer engine={} profile={} {properties}",
        common::data("regression.onnx").display(),
        common::data("regression.toml").display()
    ));
    h.set_src_caps(caps(VideoFormat::Rgb, SIZE.width, SIZE.height));
    h
}

/// A frame of this red (the model's pitch is its mean) with a face whose eyes are this open.
fn look(h: &mut Harness, frame: u64, red: u8, openness: Option<[f32; 2]>) -> GazeEstimate {
    let mut buffer = gst::Buffer::from_slice([red, 0, 0].repeat(64 * 48));
    let writable = buffer.get_mut().unwrap();
    writable.set_pts(gst::ClockTime::from_mseconds(40) * frame);
    VideoRegionOfInterestMeta::add(writable, "face", (10, 8, 30, 30)).set_id(1);
    let rect = Rect::new(10.0, 8.0, 30.0, 30.0);
    let face = FaceRegion { rect, track_id: Some(7), eye_openness: openness, ..Default::default() };
    faces::add(writable, SIZE, &[(1, face)]).unwrap();
    h.push(buffer).unwrap();
    let result = gaze::read(&h.pull().unwrap()).unwrap();
    assert_eq!(result.faces.len(), 1, "closed eyes lose no face");
    result.faces[0]
}

fn pitch(face: &GazeEstimate) -> Option<f32> {
    face.gaze.map(|gaze| (gaze.pitch * 100.0).round() / 100.0)
}

fn count(h: &mut Harness, name: &str) -> u64 {
    let element = h.find_element("gazeinfer").unwrap();
    element.property::<gst::Structure>("stats").get(name).unwrap()
}

const OPEN: Option<[f32; 2]> = Some([0.9, 0.7]);
const SHUT: Option<[f32; 2]> = Some([0.1, 0.05]);
const WINK: Option<[f32; 2]> = Some([0.1, 0.7]);

#[test]
fn a_blink_carries_the_last_gaze() {
    if !runtime("a_blink_carries_the_last_gaze") {
        return;
    }
    let mut h = element("min-eye-openness=0.3");
    let frames = [(51, SHUT), (51, OPEN), (102, SHUT), (102, SHUT), (102, WINK), (153, None)];
    let mut seen = Vec::new();
    for (frame, (red, openness)) in (0..).zip(frames) {
        let face = look(&mut h, frame, red, openness);
        assert_eq!(face.region.eye_openness.is_some(), openness.is_some());
        seen.push((pitch(&face), face.age));
    }
    let expected =
        [(None, 0), (Some(0.2), 0), (Some(0.2), 1), (Some(0.2), 2), (Some(0.4), 0), (Some(0.6), 0)];
    assert_eq!(seen, expected);
    assert_eq!((count(&mut h, "eyes-closed"), count(&mut h, "inferences")), (3, 3));
    assert_eq!((count(&mut h, "faces"), count(&mut h, "invalid")), (6, 0));
}

#[test]
fn blink_gating_is_off_by_default_and_switches_while_playing() {
    if !runtime("blink_gating_is_off_by_default_and_switches_while_playing") {
        return;
    }
    let mut h = element("");
    let gazeinfer = h.find_element("gazeinfer").unwrap();
    assert_eq!(gazeinfer.property::<f32>("min-eye-openness"), 0.0);
    assert_eq!(pitch(&look(&mut h, 0, 51, SHUT)), Some(0.2));
    gazeinfer.set_property("min-eye-openness", 0.5f32);
    assert_eq!(pitch(&look(&mut h, 1, 102, SHUT)), Some(0.2));
    gazeinfer.set_property("min-eye-openness", 0.0f32);
    assert_eq!(pitch(&look(&mut h, 2, 102, SHUT)), Some(0.4));
    assert_eq!(count(&mut h, "eyes-closed"), 1);
}

/// The filter sees what it would see if the frames of the blink were not there.
#[test]
fn blinks_do_not_feed_the_filter() {
    if !runtime("blinks_do_not_feed_the_filter") {
        return;
    }
    let mut blinking = element("min-eye-openness=0.3 smoothing=true");
    let mut without = element("smoothing=true");
    let mut last = None;
    for (frame, red) in (0..).zip([51u8, 51, 204, 204, 102, 102, 51]) {
        let shut = red == 204;
        let face = look(&mut blinking, frame, red, if shut { SHUT } else { OPEN });
        if shut {
            assert_eq!(face.gaze, last, "carried as it was");
            continue;
        }
        assert_eq!(face.gaze, look(&mut without, frame, red, OPEN).gaze);
        last = face.gaze;
    }
    assert!(pitch(&look(&mut blinking, 7, 255, OPEN)) < Some(0.9), "it smooths");
}

/// The openness that `gazeface` finds with a real eye-state model arrives and is obeyed: with the
/// limit half way between the two faces of a picture that differ most, those above it are inferred
/// and those below are not.
#[test]
fn the_openness_of_real_eyes_gates_inference() {
    let test = "the_openness_of_real_eyes_gates_inference";
    if !runtime(test) {
        return;
    }
    let given = [
        "models/face/yunet_n_dynamic.onnx",
        "models/landmarks/pfld_98.onnx",
        "models/landmarks/open-closed-eye.onnx",
        "media/frames/uniface_meeting_f0.png",
    ]
    .map(|path| common::shared(test, path));
    let [Some(detector), Some(points), Some(eyes), Some(picture)] = given else { return };
    let log = tempfile::NamedTempFile::new().unwrap();
    // The wider open eye of each face, and whether it has a gaze.
    let run = |limit: f64| -> Vec<(f64, bool)> {
        launch(&format!(
            "filesrc location={} ! pngdec ! videoconvert ! gazeface engine={} landmark-engine={} \
             eye-state-engine={} ! gazeinfer engine={} profile={} min-eye-openness={limit} ! \
             gazepublish location={} ! fakesink",
            picture.display(),
            detector.display(),
            points.display(),
            eyes.display(),
            common::data("regression.onnx").display(),
            common::data("regression.toml").display(),
            log.path().display()
        ))
        .unwrap();
        let line: serde_json::Value =
            serde_json::from_reader(std::fs::File::open(log.path()).unwrap()).unwrap();
        let face = |face: &serde_json::Value| {
            let open = |eye: usize| face["eye_openness"][eye].as_f64().unwrap();
            (open(0).max(open(1)), face["pitch"].is_number())
        };
        line["faces"].as_array().unwrap().iter().map(face).collect()
    };
    let all = run(0.0);
    assert!(all.len() > 3 && all.iter().all(|(_, inferred)| *inferred), "{all:?}");
    let mut open: Vec<f64> = all.iter().map(|(open, _)| *open).collect();
    open.sort_by(f64::total_cmp);
    let gap = open.windows(2).max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0]))).unwrap();
    let limit = (gap[0] + gap[1]) / 2.0;
    let gated = run(limit);
    println!("{all:?}, limit {limit}");
    assert!(gated.iter().any(|(_, inferred)| !inferred) && gated.iter().any(|(_, i)| *i));
    for (open, inferred) in gated {
        assert_eq!(inferred, open > limit, "{open} {limit}");
    }
}
