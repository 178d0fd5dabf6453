//! Face detectors on real frames: the publishers' pipelines, box by box.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::frames::Picture;
use common::reference::reference_frames;
use gstgaze::core::face::FaceRegion;
use gstgaze::core::face::detect::{
    DetectError, DetectSettings, DetectorKind, FaceDetector, opening_size, recognise,
};
use gstgaze::core::geometry::{PixelRect, Rect};
use gstgaze::engine::{self, EngineOptions};

const INPUT_SIZE: u32 = 640;

fn open(path: &Path) -> engine::OrtEngine {
    let options =
        EngineOptions { input_size: Some(opening_size(INPUT_SIZE)), ..EngineOptions::default() };
    engine::open(path, &options).result.unwrap()
}

/// A published detector, where it and a runtime are at hand.
fn detector(test: &str, model: &str) -> Option<FaceDetector> {
    let path = common::shared(test, &format!("models/face/{model}.onnx"))?;
    if !common::onnx_runtime(test) {
        return None;
    }
    Some(FaceDetector::new(Box::new(open(&path)), INPUT_SIZE).unwrap())
}

fn faces_in(
    picture: &Picture,
    detector: &mut FaceDetector,
    settings: &DetectSettings,
) -> Vec<FaceRegion> {
    let mut faces = Vec::new();
    detector.detect(&picture.view(), PixelRect::full(picture.size), settings, &mut faces).unwrap();
    faces
}

/// A face as another program finds it.
struct Expected {
    corners: [f32; 4],
    score: f32,
    points: Option<[[f32; 2]; 5]>,
}

/// Every face has its counterpart: corners within a pixel of the frame, scores within 0.01.
fn assert_same(context: &str, found: &[FaceRegion], expected: &[Expected]) {
    assert_eq!(found.len(), expected.len(), "{context}: {found:?}");
    for Expected { corners: [x1, y1, x2, y2], score, points } in expected {
        let rect = Rect::from_corners(*x1, *y1, *x2, *y2);
        let best = found
            .iter()
            .max_by(|a, b| a.rect.iou(&rect).total_cmp(&b.rect.iou(&rect)))
            .expect("as many as expected");
        let got = [best.rect.x, best.rect.y, best.rect.right(), best.rect.bottom()];
        for (got, expected) in got.iter().zip([x1, y1, x2, y2]) {
            assert!((got - expected).abs() <= 1.0, "{context}: {:?} for {rect:?}", best.rect);
        }
        let confidence = best.confidence.expect("detectors score");
        assert!((confidence - score).abs() <= 0.01, "{context}: {confidence} for {score}");
        assert_eq!(best.landmarks.is_some(), points.is_some(), "{context}");
        for (got, expected) in best.landmarks.iter().flatten().zip(points.iter().flatten()) {
            let [x, y] = expected;
            let near = (got.x - x).abs() <= 1.0 && (got.y - y).abs() <= 1.0;
            assert!(near, "{context}: {got:?} for {expected:?}");
        }
    }
}

#[derive(serde::Deserialize)]
struct ReferenceFace {
    box_float: [f32; 4],
    score: f32,
    kps: Option<[[f32; 2]; 5]>,
}

/// All frames of the reference with one detector and its publisher's thresholds.
fn against_the_reference(test: &str, model: &str, key: &str, score: f32, nms: f32) {
    let Some(mut detector) = detector(test, model) else { return };
    let Some(frames) = reference_frames::<ReferenceFace>(test) else { return };
    let settings =
        DetectSettings { score_threshold: score, nms_threshold: nms, ..DetectSettings::default() };
    let mut count = 0;
    for frame in frames {
        let Some(picture) = Picture::shared(test, &frame.png) else { return };
        let found = faces_in(&picture, &mut detector, &settings);
        let expected: Vec<Expected> = frame.detectors[key]
            .iter()
            .map(|f| Expected { corners: f.box_float, score: f.score, points: f.kps })
            .collect();
        assert_same(&format!("{key} on {}", frame.png), &found, &expected);
        count += found.len();
    }
    assert!(count > 30, "{count} faces in all");
}

#[test]
fn yunet_matches_the_reference() {
    against_the_reference("yunet_matches_the_reference", "yunet_n_dynamic", "yunet", 0.6, 0.45);
}

#[test]
fn ultraface_matches_the_reference() {
    against_the_reference(
        "ultraface_matches_the_reference",
        "ultraface_rfb_320",
        "ultraface",
        0.7,
        0.3,
    );
}

#[test]
fn scrfd_matches_the_reference() {
    against_the_reference("scrfd_matches_the_reference", "scrfd_500m_bnkps", "scrfd", 0.5, 0.4);
}

#[derive(serde::Deserialize)]
struct Stored {
    model: String,
    frame: String,
    threshold: f32,
    nms: f32,
    faces: Vec<StoredFace>,
}

#[derive(serde::Deserialize)]
struct StoredFace {
    #[serde(rename = "box")]
    corners: [f32; 4],
    score: f32,
    points: Option<[[f32; 2]; 5]>,
}

#[test]
fn the_other_detectors_match_an_independent_decoder() {
    let test = "the_other_detectors_match_an_independent_decoder";
    let stored: Vec<Stored> =
        serde_json::from_slice(&std::fs::read(common::data("detections.json")).unwrap()).unwrap();
    let mut open: BTreeMap<String, FaceDetector> = BTreeMap::new();
    for Stored { model, frame, threshold, nms, faces } in stored {
        if !open.contains_key(&model) {
            let Some(detector) = detector(test, &model) else { return };
            open.insert(model.clone(), detector);
        }
        let Some(detector) = open.get_mut(&model) else { return };
        let Some(picture) = Picture::shared(test, &format!("{frame}.png")) else { return };
        let settings = DetectSettings {
            score_threshold: threshold,
            nms_threshold: nms,
            ..DetectSettings::default()
        };
        let found = faces_in(&picture, detector, &settings);
        let expected: Vec<Expected> = faces
            .into_iter()
            .map(|f| Expected { corners: f.corners, score: f.score, points: f.points })
            .collect();
        assert_same(&format!("{model} on {frame}"), &found, &expected);
    }
    assert_eq!(open.len(), 4);
}

#[test]
fn files_are_recognised() {
    let test = "files_are_recognised";
    for (model, kind, free_size) in [
        ("yunet_n_dynamic", DetectorKind::YuNet, true),
        ("yunet_n_320_320", DetectorKind::YuNet, false),
        ("face_detection_yunet_2026may", DetectorKind::YuNet, true),
        ("scrfd_500m_bnkps", DetectorKind::Scrfd, false),
        ("ultraface_rfb_320", DetectorKind::UltraFace, false),
        ("retinaface_640x640_opt", DetectorKind::RetinaFace, false),
        ("blazeface_back_256", DetectorKind::BlazeFace, false),
    ] {
        if detector(test, model).is_none() {
            return;
        }
        let Some(path) = common::shared(test, &format!("models/face/{model}.onnx")) else { return };
        let found = recognise(&open(&path)).unwrap();
        assert_eq!((found.kind, found.free_size), (kind, free_size), "{model}");
    }
}

#[test]
fn foreign_models_are_named() {
    let test = "foreign_models_are_named";
    if !common::onnx_runtime(test) {
        return;
    }
    let refused = |path: &Path| match FaceDetector::new(Box::new(open(path)), INPUT_SIZE) {
        Ok(detector) => panic!("{} is a {}", path.display(), detector.name()),
        Err(error) => error,
    };
    let mut gaze = vec![common::data("binned.onnx"), common::data("regression_profile_name.onnx")];
    gaze.extend(common::shared(test, "models/gaze/mobilegaze_mobileone_s0_static.onnx"));
    gaze.extend(common::shared(test, "models/gaze/gaze-estimation-adas-0002.onnx"));
    for path in gaze {
        let error = refused(&path);
        assert!(matches!(error, DetectError::GazeModel), "{error}");
        assert!(error.to_string().contains("gazeinfer engine="), "{error}");
    }
    if let Some(path) = common::shared(test, "models/landmarks/pfld_98.onnx") {
        let other = refused(&path);
        let text = other.to_string();
        assert!(matches!(other, DetectError::Unrecognised { .. }), "{text}");
        assert!(text.contains("face_image [") && text.contains("YuNet ("), "{text}");
    }
}

#[test]
fn a_free_input_follows_the_frame_and_back() {
    let test = "a_free_input_follows_the_frame_and_back";
    let Some(mut detector) = detector(test, "yunet_n_dynamic") else { return };
    let (Some(large), Some(small)) = (
        Picture::shared(test, "uniface_meeting_f0.png"),
        Picture::shared(test, "skimage_astronaut_f0.png"),
    ) else {
        return;
    };
    let settings = DetectSettings::default();
    let first = faces_in(&large, &mut detector, &settings);
    assert_eq!(faces_in(&small, &mut detector, &settings).len(), 1);
    assert_eq!(faces_in(&large, &mut detector, &settings), first);
}

#[test]
fn settings_choose_among_found_faces() {
    let test = "settings_choose_among_found_faces";
    let Some(mut detector) = detector(test, "yunet_n_dynamic") else { return };
    let Some(picture) = Picture::shared(test, "uniface_meeting_f0.png") else { return };
    let all = faces_in(&picture, &mut detector, &DetectSettings::default());
    assert!(all.is_sorted_by(|a, b| a.confidence >= b.confidence), "{all:?}");
    let two = DetectSettings { max_faces: 2, ..DetectSettings::default() };
    assert_eq!(faces_in(&picture, &mut detector, &two), all[..2]);
    let large = DetectSettings { min_face_size: 126, ..DetectSettings::default() };
    let large = faces_in(&picture, &mut detector, &large);
    let by_hand: Vec<FaceRegion> = all
        .iter()
        .filter(|face| face.rect.width >= 126.0 && face.rect.height >= 126.0)
        .copied()
        .collect();
    assert_eq!(large, by_hand);
    assert!(!large.is_empty() && large.len() < all.len());
}

#[test]
fn a_part_of_the_frame_gives_boxes_in_the_frame() {
    let test = "a_part_of_the_frame_gives_boxes_in_the_frame";
    let Some(mut detector) = detector(test, "yunet_n_dynamic") else { return };
    let Some(picture) = Picture::shared(test, "uniface_meeting_f0.png") else { return };
    let whole = faces_in(&picture, &mut detector, &DetectSettings::default());
    let part = PixelRect::new(500, 50, 400, 300);
    let mut faces = Vec::new();
    detector.detect(&picture.view(), part, &DetectSettings::default(), &mut faces).unwrap();
    assert_eq!(faces.len(), 2, "{faces:?}");
    for face in &faces {
        let best = whole.iter().map(|w| w.rect.iou(&face.rect)).fold(0.0, f32::max);
        assert!(best > 0.7, "{face:?}");
    }
    let outside = PixelRect::new(5000, 0, 10, 10);
    let error = detector
        .detect(&picture.view(), outside, &DetectSettings::default(), &mut faces)
        .unwrap_err();
    assert!(matches!(error, DetectError::Preprocess(_)), "{error}");
}
