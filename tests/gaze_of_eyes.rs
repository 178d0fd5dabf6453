//! Gaze models of the eyes in pipelines: `gazeface` with its stages, then `gazeinfer`.
#![cfg(feature = "plugin")]

mod common;

use common::element::{black, caps, runtime, warnings};
use common::frames::Picture;
use common::reference::reference_frames;
use common::shared;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::gaze::FrameGaze;
use gstgaze::core::geometry::Gaze;
use gstgaze::plugin::meta::gaze;
use serde::Deserialize;

/// `property=model` for each, where all models are at hand.
fn properties(test: &str, models: &[(&str, &str)]) -> Option<String> {
    let paths = models.iter().map(|(property, model)| {
        let path = shared(test, &format!("models/{model}"))?;
        Some(format!("{property}={}", path.display()))
    });
    paths.collect::<Option<Vec<_>>>().map(|all| all.join(" "))
}

const STAGES: [(&str, &str); 4] = [
    ("engine", "face/yunet_n_dynamic.onnx"),
    ("landmark-engine", "landmarks/pfld_98.onnx"),
    ("head-pose-engine", "landmarks/head-pose-estimation-adas-0001.onnx"),
    ("eye-state-engine", "landmarks/open-closed-eye.onnx"),
];
const GAZE: [(&str, &str); 1] = [("engine", "gaze/gaze-estimation-adas-0002.onnx")];

/// A chain and the bus of its elements.
fn chain(description: &str) -> (Harness, gst::Bus) {
    let bin = gst::parse::bin_from_description(description, true).unwrap();
    let bus = gst::Bus::new();
    bin.set_bus(Some(&bus));
    let h = Harness::with_element(&bin, Some("sink"), Some("src"));
    (h, bus)
}

fn look(h: &mut Harness, buffer: gst::Buffer) -> FrameGaze {
    h.push(buffer).unwrap();
    gaze::read(&h.pull().unwrap()).unwrap()
}

#[derive(Deserialize)]
struct ReferenceFace {
    box_float: [f32; 4],
    intel_adas_0002: Option<Angles>,
}

/// The publisher's; none where it dropped the face.
#[derive(Deserialize)]
struct Angles {
    h_deg: Option<f32>,
    v_deg: Option<f32>,
}

#[test]
fn the_whole_chain_is_near_the_publishers() {
    let test = "gaze_of_eyes::the_whole_chain_is_near_the_publishers";
    if !runtime(test) {
        return;
    }
    let (Some(stages), Some(model)) = (properties(test, &STAGES), properties(test, &GAZE)) else {
        return;
    };
    let Some(frames) = reference_frames::<ReferenceFace>(test) else { return };
    let mut errors = Vec::new();
    let (mut h, bus) = chain(&format!("gazeface {stages} ! gazeinfer {model}"));
    for frame in &frames {
        let Some(picture) = Picture::shared(test, &frame.png) else { return };
        h.set_src_caps(picture.caps());
        let found = look(&mut h, picture.buffer(0));
        for expected in &frame.detectors["yunet"] {
            let Some(Angles { h_deg: Some(right), v_deg: Some(up) }) = expected.intel_adas_0002
            else {
                continue;
            };
            let [x1, y1, ..] = expected.box_float;
            let near = |a: f32, b: f32| (a - b).abs() <= 1.5;
            let face = found
                .faces
                .iter()
                .find(|face| near(face.region.rect.x, x1) && near(face.region.rect.y, y1))
                .unwrap_or_else(|| panic!("{}: no face at {x1}, {y1}", frame.png));
            let open = face.region.eye_openness.unwrap();
            assert!(open.iter().all(|open| (0.0..=1.0).contains(open)));
            // Their horizontal angle is to the image's right.
            let apart = face.gaze.unwrap().angle_to(Gaze::from_degrees(up, -right)).to_degrees();
            errors.push(apart);
        }
    }
    assert_eq!(warnings(&bus), Vec::<String>::new());
    errors.sort_by(f32::total_cmp);
    let mean = errors.iter().sum::<f32>() / errors.len() as f32;
    let (median, worst) = (errors[errors.len() / 2], errors[errors.len() - 1]);
    println!(
        "gazeface ! gazeinfer: {} faces, {mean:.3} degrees on average, median {median:.3}, worst \
         {worst:.3}",
        errors.len()
    );
    assert!(errors.len() >= 40 && mean <= 2.0, "{mean}");
}

/// The stages run where the detector runs; frames between get the same eyes again, moved with the
/// box by the tracker (which stands still here, but for the last bit).
#[test]
fn carried_faces_keep_their_eyes() {
    let test = "gaze_of_eyes::carried_faces_keep_their_eyes";
    if !runtime(test) {
        return;
    }
    let (Some(stages), Some(model)) = (properties(test, &STAGES), properties(test, &GAZE)) else {
        return;
    };
    let Some(picture) = Picture::shared(test, "udacity_demo_f100") else { return };
    let (mut h, bus) =
        chain(&format!("gazeface inference-interval=2 {stages} ! videoscale ! gazeinfer {model}"));
    h.set_src_caps(picture.caps());
    let first = look(&mut h, picture.buffer(0)).faces;
    let second = look(&mut h, picture.buffer(0)).faces;
    assert_eq!(first.len(), 1);
    let (a, b) = (first[0], second[0]);
    assert!(a.region.rect.iou(&b.region.rect) > 0.9999);
    assert_eq!(a.region.head_pose, b.region.head_pose);
    assert_eq!(a.region.eye_openness, b.region.eye_openness);
    for (a, b) in a.region.eyes.unwrap().iter().zip(b.region.eyes.unwrap()) {
        assert!((a.outer.x - b.outer.x).abs() < 1e-3 && (a.inner.y - b.inner.y).abs() < 1e-3);
    }
    assert!(a.gaze.unwrap().angle_to(b.gaze.unwrap()) < 1e-3);
    assert_eq!(warnings(&bus), Vec::<String>::new());
}

#[test]
fn missing_details_are_reported_once_with_the_remedy() {
    let test = "gaze_of_eyes::missing_details_are_reported_once_with_the_remedy";
    if !runtime(test) {
        return;
    }
    let Some(model) = properties(test, &GAZE) else { return };
    let pose = gst::Structure::builder("head-pose").field("pitch", 0.1).field("yaw", -0.1).build();
    let eyes = ["right-outer", "right-inner", "left-inner", "left-outer"].iter().enumerate().fold(
        gst::Structure::builder("eyes"),
        |eyes, (i, corner)| {
            let x = 22.0 + 6.0 * i as f64;
            eyes.field(format!("{corner}-x"), x).field(format!("{corner}-y"), 24.0)
        },
    );
    let eyes = eyes.build();
    for (parameters, names) in [
        (vec![], vec!["landmark-engine", "head-pose-engine"]),
        (vec![&pose], vec!["landmark-engine"]),
        (vec![&eyes], vec!["head-pose-engine"]),
        (vec![&pose, &eyes], vec![]),
    ] {
        let (mut h, bus) = chain(&format!("gazeinfer {model}"));
        h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
        let mut frame = black(64, 48);
        let mut roi =
            VideoRegionOfInterestMeta::add(frame.get_mut().unwrap(), "face", (16, 8, 32, 36));
        parameters.iter().for_each(|parameter| roi.add_param((*parameter).clone()));
        for _ in 0..3 {
            let found = look(&mut h, frame.copy());
            assert_eq!(found.faces.len(), 1);
            assert_eq!(found.faces[0].gaze.is_some(), names.is_empty(), "{parameters:?}");
        }
        let warnings = warnings(&bus);
        assert_eq!(warnings.len(), usize::from(!names.is_empty()), "{warnings:?}");
        for property in ["landmark-engine", "head-pose-engine"] {
            let said = warnings.iter().any(|warning| warning.contains(property));
            assert_eq!(said, names.contains(&property), "{warnings:?}");
        }
    }
}

/// The error with which an element does not start.
fn refusal(element: &str, settings: &str) -> String {
    let description = format!("fakesrc num-buffers=1 ! {element} {settings} ! fakesink");
    common::element::launch(&description).unwrap_err()
}

#[test]
fn models_in_the_wrong_place_are_refused_with_the_right_one() {
    let test = "gaze_of_eyes::models_in_the_wrong_place_are_refused_with_the_right_one";
    if !runtime(test) {
        return;
    }
    let (yunet, pfld) = ("face/yunet_n_320_320.onnx", STAGES[1].1);
    for (element, models, said) in [
        ("gazeface", vec![STAGES[0], ("landmark-engine", GAZE[0].1)], "gazeinfer engine="),
        ("gazeface", vec![STAGES[0], ("landmark-engine", yunet)], "use it as 'engine'"),
        ("gazeface", vec![STAGES[0], ("head-pose-engine", pfld)], "use it as 'landmark-engine'"),
        ("gazeface", vec![STAGES[0], STAGES[3]], "set 'landmark-engine' to a model of 98"),
        ("gazeinfer", vec![STAGES[0]], "yunet"),
    ] {
        let Some(settings) = properties(test, &models) else { return };
        let error = refusal(element, &settings);
        assert!(error.contains(said), "{element} {settings}: {error}");
    }
    let Some(detector) = properties(test, &STAGES[..1]) else { return };
    let error = refusal("gazeface", &format!("{detector} landmark-engine=/nowhere.onnx"));
    assert!(error.contains("/nowhere.onnx"), "{error}");
}
