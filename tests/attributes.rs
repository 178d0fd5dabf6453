//! Points, head pose, eye state and the gaze of the eyes on real faces, against the publishers'
//! pipelines: tensors grey level by grey level, then angles.

mod common;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use common::frames::Picture;
use common::npy;
use common::reference::reference_frames;
use gstgaze::core::face::attributes::{
    AttributeError, EyeStateEstimator, FaceAttributes, HeadPoseEstimator, LandmarkEstimator,
};
use gstgaze::core::face::{EyeCorners, FaceRegion};
use gstgaze::core::gaze::GazeEstimate;
use gstgaze::core::gaze::estimator::GazeEstimator;
use gstgaze::core::gaze::reuse::InferencePlan;
use gstgaze::core::geometry::{Gaze, HeadPose, PixelAspect, PixelRect, Point, Rect, Size};
use gstgaze::core::inference::{Engine, EngineError, ModelInfo, TensorMut};
use gstgaze::core::profile::spec::EyeSpec;
use gstgaze::engine::{self, EngineOptions, OpenModel, open_model};
use serde::Deserialize;

const PFLD: &str = "landmarks/pfld_98.onnx";
const FIVE: &str = "landmarks/landmarks-regression-retail-0009.onnx";
const HEAD_POSE: &str = "landmarks/head-pose-estimation-adas-0001.onnx";
const EYE_STATE: &str = "landmarks/open-closed-eye.onnx";
const GAZE: &str = "gaze/gaze-estimation-adas-0002.onnx";

/// An engine that remembers what it was fed.
struct Spy {
    engine: Box<dyn Engine>,
    seen: Seen,
}

type Seen = Arc<Mutex<Vec<Vec<f32>>>>;

impl Engine for Spy {
    fn info(&self) -> &ModelInfo {
        self.engine.info()
    }
    fn provider(&self) -> &str {
        self.engine.provider()
    }
    fn max_batch(&self) -> usize {
        self.engine.max_batch()
    }
    fn input_shape(&self, index: usize) -> &[usize] {
        self.engine.input_shape(index)
    }
    fn output_shape(&self, index: usize) -> &[usize] {
        self.engine.output_shape(index)
    }
    fn input(&mut self, index: usize) -> TensorMut<'_> {
        self.engine.input(index)
    }
    fn run(&mut self, batch: usize) -> Result<(), EngineError> {
        let inputs = (0..self.info().inputs.len()).map(|i| match self.engine.input(i) {
            TensorMut::F32(values) => values.to_vec(),
            other => panic!("{other:?}"),
        });
        *self.seen.lock().unwrap() = inputs.collect();
        self.engine.run(batch)
    }
    fn output(&self, index: usize) -> &[f32] {
        self.engine.output(index)
    }
}

fn spy(engine: Box<dyn Engine>) -> (Box<dyn Engine>, Seen) {
    let seen = Seen::default();
    (Box::new(Spy { engine, seen: seen.clone() }), seen)
}

fn path(test: &str, model: &str) -> Option<PathBuf> {
    if !common::onnx_runtime(test) {
        return None;
    }
    common::shared(test, &format!("models/{model}"))
}

fn open(test: &str, model: &str) -> Option<Box<dyn Engine>> {
    let path = path(test, model)?;
    Some(Box::new(engine::open(path, &EngineOptions::default()).result.unwrap()))
}

#[derive(Deserialize)]
struct ReferenceFace {
    box_float: [f32; 4],
    intel_adas_0002: Option<Intel>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Intel {
    Seen {
        head_yaw_deg: f32,
        head_pitch_deg: f32,
        head_roll_deg: f32,
        left_eye_box: [i32; 4],
        right_eye_box: [i32; 4],
        h_deg: f32,
        v_deg: f32,
    },
    Skipped {
        #[allow(dead_code)]
        skipped: String,
    },
}

/// Every face of the reference that the publisher's pipeline did not drop.
fn each_face(test: &str, mut check: impl FnMut(&Picture, &str, Rect, &Intel)) -> Option<()> {
    for frame in reference_frames::<ReferenceFace>(test)? {
        let picture = Picture::shared(test, &frame.png)?;
        for face in &frame.detectors["yunet"] {
            let [x1, y1, x2, y2] = face.box_float;
            match &face.intel_adas_0002 {
                Some(seen @ Intel::Seen { .. }) => {
                    check(&picture, &frame.png, Rect::from_corners(x1, y1, x2, y2), seen);
                }
                Some(Intel::Skipped { .. }) | None => {}
            }
        }
    }
    Some(())
}

/// The stored face: frame 100 of the Udacity clip.
fn stored_face(test: &str) -> Option<(Picture, FaceRegion)> {
    let mut found = None;
    each_face(test, |_, png, rect, _| {
        if png == "udacity_demo_f100.png" {
            found = Some(FaceRegion { rect, ..FaceRegion::default() });
        }
    })?;
    Some((Picture::shared(test, "udacity_demo_f100.png")?, found.unwrap()))
}

fn stored(test: &str, name: &str) -> Option<Vec<f32>> {
    let name = format!("models/reference/fixtures/intel_udacity_f100_{name}.npy");
    Some(npy::read(&common::shared(test, &name)?))
}

/// Tensors of grey levels: at most one level apart anywhere, and equal in most places.
#[track_caller]
fn assert_grey_levels(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let apart = |a: &f32, b: &f32| (a - b).abs();
    let worst = found.iter().zip(expected).map(|(a, b)| apart(a, b)).fold(0.0, f32::max);
    let equal = found.iter().zip(expected).filter(|(a, b)| apart(a, b) < 0.5).count();
    let share = 100.0 * equal as f64 / found.len() as f64;
    println!("{what}: {share:.2} % equal, worst {worst} grey level(s)");
    assert!(worst <= 1.0 && share > 90.0, "{what}: {share} % equal, worst {worst}");
}

#[test]
fn landmarks_match_the_publishers() {
    let test = "attributes::landmarks_match_the_publishers";
    let Some(engine) = open(test, PFLD) else { return };
    let Some((picture, mut face)) = stored_face(test) else { return };
    let Some(expected) = stored(test, "pfld98") else { return };
    let mut stage = LandmarkEstimator::new(engine).unwrap();
    assert!(stage.finds_eyes());
    let found = stage.points(&picture.view(), &face).unwrap();
    assert_eq!(found.len(), 98);
    let apart = found
        .iter()
        .zip(expected.as_chunks::<2>().0)
        .map(|(p, [x, y])| (p.x - x).hypot(p.y - y))
        .fold(0.0, f32::max);
    println!("98 points of a face of 225 pixels: at most {apart:.4} pixels apart");
    assert!(apart < 0.1, "{apart}");
    stage.annotate(&picture.view(), &mut face).unwrap();
    let point = |i: usize| Point { x: expected[2 * i], y: expected[2 * i + 1] };
    let [left, right] = face.eyes.unwrap();
    for (found, index) in [(left.outer, 60), (left.inner, 64), (right.inner, 68), (right.outer, 72)]
    {
        let expected = point(index);
        assert!((found.x - expected.x).hypot(found.y - expected.y) < 0.1, "{index}");
    }
    let five = face.landmarks.unwrap();
    let detectors = [Point { x: 1.0, y: 2.0 }; 5];
    face.landmarks = Some(detectors);
    stage.annotate(&picture.view(), &mut face).unwrap();
    assert_eq!(face.landmarks, Some(detectors), "the detector's points stay");
    // Eyes above the nose, nose above the mouth; the first of each pair on the image's left.
    assert!(five[0].x < five[1].x && five[3].x < five[4].x, "{five:?}");
    assert!(five[0].y < five[2].y && five[2].y < five[3].y, "{five:?}");
}

/// The five-point model and the five of the 98 are about the same face.
#[test]
fn five_points_agree_with_98() {
    let test = "attributes::five_points_agree_with_98";
    let (Some(many), Some(five)) = (open(test, PFLD), open(test, FIVE)) else { return };
    let mut stages = [many, five].map(|engine| LandmarkEstimator::new(engine).unwrap());
    assert!(!stages[1].finds_eyes());
    let (mut sum, mut count) = (0.0, 0);
    let all = each_face(test, |picture, _, rect, seen| {
        let Intel::Seen { head_yaw_deg, .. } = seen else { return };
        if head_yaw_deg.abs() > 30.0 {
            return;
        }
        let [many, five] = stages.each_mut().map(|stage| {
            let mut face = FaceRegion { rect, ..FaceRegion::default() };
            stage.annotate(&picture.view(), &mut face).unwrap();
            face.landmarks.unwrap()
        });
        for (a, b) in many.iter().zip(five) {
            sum += (a.x - b.x).hypot(a.y - b.y) / rect.width;
            count += 1;
        }
    });
    if all.is_none() {
        return;
    }
    let mean = sum / count as f32;
    println!("{count} points of frontal faces: on average {mean:.3} of the box's width apart");
    assert!(count > 100 && mean < 0.08, "{mean}");
}

#[test]
fn head_pose_matches_the_publishers() {
    let test = "attributes::head_pose_matches_the_publishers";
    let Some(engine) = open(test, HEAD_POSE) else { return };
    let Some((picture, face)) = stored_face(test) else { return };
    let Some(expected) = stored(test, "face_1x3x60x60") else { return };
    let (engine, seen) = spy(engine);
    let mut stage = HeadPoseEstimator::new(engine).unwrap();
    stage.estimate(&picture.view(), &face).unwrap().unwrap();
    assert_grey_levels("face crop for the head's pose", &seen.lock().unwrap()[0], &expected);
    let (mut count, mut worst) = (0, 0.0f32);
    let all = each_face(test, |picture, png, rect, intel| {
        let Intel::Seen { head_yaw_deg, head_pitch_deg, head_roll_deg, .. } = *intel else {
            return;
        };
        let face = FaceRegion { rect, ..FaceRegion::default() };
        let pose = stage.estimate(&picture.view(), &face).unwrap().unwrap();
        // Their yaw is to the image's right and their pitch is down.
        let found = [-pose.yaw, -pose.pitch, pose.roll].map(f32::to_degrees);
        for (found, expected) in found.iter().zip([head_yaw_deg, head_pitch_deg, head_roll_deg]) {
            let apart = (found - expected).abs();
            worst = worst.max(apart);
            assert!(apart < 1.0, "{png} {rect:?}: {found} for {expected}");
        }
        count += 1;
    });
    if all.is_some() {
        println!("{count} head poses: at most {worst:.3} degrees apart");
        assert!(count > 30);
    }
}

/// A mirrored face looks the other way: yaw and roll change their sign, pitch does not. And yaw is
/// positive where the nose is nearer to the image's left.
#[test]
fn head_pose_has_the_signs_of_the_convention() {
    let test = "attributes::head_pose_has_the_signs_of_the_convention";
    let (Some(pose), Some(points)) = (open(test, HEAD_POSE), open(test, PFLD)) else { return };
    let mut pose = HeadPoseEstimator::new(pose).unwrap();
    let mut points = LandmarkEstimator::new(points).unwrap();
    let (mut yaws, mut rolls) = (0, 0);
    each_face(test, |picture, png, rect, _| {
        let mut face = FaceRegion { rect, ..FaceRegion::default() };
        points.annotate(&picture.view(), &mut face).unwrap();
        let ([left, right, nose, ..], slope) =
            (face.landmarks.unwrap(), face.roll(PixelAspect::SQUARE));
        let HeadPose { yaw, roll, .. } = pose.estimate(&picture.view(), &face).unwrap().unwrap();
        let side = (left.x + right.x) / 2.0 - nose.x;
        if yaw.abs() > 0.35 {
            yaws += 1;
            assert!(side * yaw > 0.0, "{png} {rect:?}: yaw {yaw}, nose {side} to the left");
        }
        if roll.abs() > 0.2 && slope.abs() > 0.1 {
            rolls += 1;
            assert!(slope * roll > 0.0, "{png} {rect:?}: roll {roll}, eyes' slope {slope}");
        }
        let Size { width, .. } = picture.size;
        let mut data = picture.rgb.clone();
        for row in data.chunks_exact_mut(width as usize * 3) {
            row.as_chunks_mut::<3>().0.reverse();
        }
        let mirror = Picture { size: picture.size, rgb: data };
        let rect = Rect { x: width as f32 - rect.right(), ..rect };
        let other = pose.estimate(&mirror.view(), &FaceRegion { rect, ..face }).unwrap().unwrap();
        if yaw.abs() > 0.35 {
            assert!(other.yaw * yaw < 0.0, "{png}: {yaw} and mirrored {}", other.yaw);
        }
    });
    println!("{yaws} turned heads, {rolls} rolled ones");
}

fn gaze_model(test: &str) -> Option<(GazeEstimator, Seen)> {
    let path = path(test, GAZE)?;
    let OpenModel { engine, profile, decoder, .. } =
        open_model(&path, None, &EngineOptions::default()).result.unwrap();
    let (engine, seen) = spy(engine);
    Some((GazeEstimator::new(engine, &profile, decoder).unwrap(), seen))
}

fn estimate(model: &mut GazeEstimator, picture: &Picture, face: FaceRegion) -> GazeEstimate {
    let mut out = Vec::new();
    model.estimate(&picture.view(), [face], &[InferencePlan::Infer], None, &mut out).unwrap();
    out[0]
}

/// The corners of an eye whose box is the given one.
fn corners([x, y, side, _]: [i32; 4]) -> EyeCorners {
    let middle = (x + side / 2, y + side / 2);
    let whole = Size::new(1 << 14, 1 << 14);
    for dx in 0..side {
        for dy in 0..side {
            let (x, y) = (middle.0 - dx / 2, middle.1 - dy / 2);
            let point = |x: i32, y: i32| Point { x: x as f32, y: y as f32 };
            let eye = EyeCorners { outer: point(x, y), inner: point(x + dx, y + dy) };
            let square = EyeSpec::default().square(&eye, whole);
            if square.is_some_and(|square| square.width == side as u32) {
                return eye;
            }
        }
    }
    panic!("no eye has a box of {side} pixels");
}

/// The reference's head pose and eye boxes.
fn given(rect: Rect, intel: &Intel) -> (FaceRegion, Gaze) {
    let Intel::Seen {
        head_yaw_deg,
        head_pitch_deg,
        head_roll_deg,
        left_eye_box,
        right_eye_box,
        h_deg,
        v_deg,
    } = *intel
    else {
        panic!("skipped")
    };
    let face = FaceRegion {
        rect,
        head_pose: Some(HeadPose::from_zoo([head_yaw_deg, head_pitch_deg, head_roll_deg])),
        eyes: Some([left_eye_box, right_eye_box].map(corners)),
        ..FaceRegion::default()
    };
    for (eye, expected) in face.eyes.unwrap().iter().zip([left_eye_box, right_eye_box]) {
        let square = EyeSpec::default().square(eye, Size::new(1 << 14, 1 << 14)).unwrap();
        let [x, y, side, _] = expected;
        assert_eq!(square, PixelRect::new(x, y, side as u32, side as u32));
    }
    // Their horizontal angle is to the image's right.
    (face, Gaze::from_degrees(v_deg, -h_deg))
}

#[test]
fn eye_crops_match_the_publishers() {
    let test = "attributes::eye_crops_match_the_publishers";
    let Some((mut model, seen)) = gaze_model(test) else { return };
    let Some((picture, _)) = stored_face(test) else { return };
    let mut face = None;
    each_face(test, |_, png, rect, intel| {
        if png == "udacity_demo_f100.png" {
            face = Some(given(rect, intel).0);
        }
    });
    estimate(&mut model, &picture, face.unwrap());
    let seen = seen.lock().unwrap();
    for (index, name) in [(0, "left_eye_1x3x60x60"), (1, "right_eye_1x3x60x60")] {
        let Some(expected) = stored(test, name) else { return };
        assert_grey_levels(name, &seen[index], &expected);
    }
    let Some(expected) = stored(test, "head_pose_angles_1x3") else { return };
    for (found, expected) in seen[2].iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-4, "{:?} for {expected:?}", seen[2]);
    }
}

/// How far gazes are apart, in degrees.
#[derive(Default)]
struct Errors(Vec<f32>);

impl Errors {
    fn add(&mut self, found: Gaze, expected: Gaze) {
        self.0.push(found.angle_to(expected).to_degrees());
    }

    #[track_caller]
    fn assert_mean(mut self, what: &str, faces: usize, limit: f32) {
        self.0.sort_by(f32::total_cmp);
        let mean = self.0.iter().sum::<f32>() / self.0.len() as f32;
        let (median, worst) = (self.0[self.0.len() / 2], self.0[self.0.len() - 1]);
        let count = self.0.len();
        println!(
            "{what}: {count} faces, {mean:.3} degrees on average, median {median:.3}, worst {worst:.3}"
        );
        assert!(count >= faces && mean <= limit, "{what}: {count} faces, {mean} degrees");
    }
}

#[test]
fn gaze_of_given_eyes_matches_the_publishers() {
    let test = "attributes::gaze_of_given_eyes_matches_the_publishers";
    let Some((mut model, _)) = gaze_model(test) else { return };
    let mut errors = Errors::default();
    let all = each_face(test, |picture, _, rect, intel| {
        let (face, expected) = given(rect, intel);
        errors.add(estimate(&mut model, picture, face).gaze.unwrap(), expected);
    });
    if all.is_some() {
        errors.assert_mean("head pose and eyes given", 40, 0.5);
    }
}

#[test]
fn gaze_of_our_own_eyes_is_near_the_publishers() {
    let test = "attributes::gaze_of_our_own_eyes_is_near_the_publishers";
    let Some((mut model, _)) = gaze_model(test) else { return };
    let (Some(points), Some(pose)) = (open(test, PFLD), open(test, HEAD_POSE)) else { return };
    let mut attributes = FaceAttributes::new(
        Some(LandmarkEstimator::new(points).unwrap()),
        Some(HeadPoseEstimator::new(pose).unwrap()),
        None,
    )
    .unwrap();
    let mut errors = Errors::default();
    let all = each_face(test, |picture, _, rect, intel| {
        let mut face = FaceRegion { rect, ..FaceRegion::default() };
        attributes.annotate(&picture.view(), &mut face).unwrap();
        let (_, expected) = given(rect, intel);
        errors.add(estimate(&mut model, picture, face).gaze.unwrap(), expected);
    });
    if all.is_some() {
        errors.assert_mean("head pose and eyes of our own, the reference's boxes", 40, 2.0);
    }
}

/// Three people who look into the camera, and one whose lids are down.
#[test]
fn open_and_closed_eyes_are_told_apart() {
    let test = "attributes::open_and_closed_eyes_are_told_apart";
    let (Some(points), Some(state)) = (open(test, PFLD), open(test, EYE_STATE)) else { return };
    let mut attributes = FaceAttributes::new(
        Some(LandmarkEstimator::new(points).unwrap()),
        None,
        Some(EyeStateEstimator::new(state).unwrap()),
    )
    .unwrap();
    let mut seen = [0, 0];
    let all = each_face(test, |picture, png, rect, _| {
        let shut = png == "uniface_friends_f0.png" && rect.x < 400.0;
        let frontal = ["skimage_astronaut_f0.png", "uniface_man1_f0.png", "hysts_image00_f0.png"];
        if !shut && !frontal.contains(&png) {
            return;
        }
        let mut face = FaceRegion { rect, ..FaceRegion::default() };
        attributes.annotate(&picture.view(), &mut face).unwrap();
        let open = face.eye_openness.unwrap();
        println!("{png}: {open:?}");
        assert!(open.iter().all(|open| if shut { *open < 0.2 } else { *open > 0.8 }), "{png}");
        seen[usize::from(shut)] += 1;
    });
    assert!(all.is_none() || seen == [3, 1], "{seen:?}");
}

#[test]
fn unusable_faces_are_skipped() {
    let test = "attributes::unusable_faces_are_skipped";
    let Some((mut model, _)) = gaze_model(test) else { return };
    let (Some(points), Some(pose), Some(state)) =
        (open(test, PFLD), open(test, HEAD_POSE), open(test, EYE_STATE))
    else {
        return;
    };
    let mut attributes = FaceAttributes::new(
        Some(LandmarkEstimator::new(points).unwrap()),
        Some(HeadPoseEstimator::new(pose).unwrap()),
        Some(EyeStateEstimator::new(state).unwrap()),
    )
    .unwrap();
    let size = Size::new(64, 48);
    let picture = Picture { size, rgb: vec![120; 64 * 48 * 3] };
    for rect in [
        Rect::new(20.0, 20.0, 5.0, 5.0),
        Rect::new(20.0, 20.0, 0.4, 0.4),
        Rect::new(62.0, 46.0, 5.0, 5.0),
        Rect::new(-3.0, -3.0, 5.0, 5.0),
        Rect::new(-200.0, 10.0, 30.0, 30.0),
        Rect::new(f32::NAN, 10.0, 30.0, 30.0),
        Rect::new(-1e9, -1e9, 2e9, 2e9),
        Rect::new(0.0, 0.0, 64.0, 48.0),
    ] {
        let mut face = FaceRegion { rect, ..FaceRegion::default() };
        attributes.annotate(&picture.view(), &mut face).unwrap();
        estimate(&mut model, &picture, face);
    }
    let pose = Some(HeadPose::default());
    let eye = |x: f32, y: f32, width: f32| EyeCorners {
        outer: Point { x, y },
        inner: Point { x: x + width, y },
    };
    let rect = Rect::new(10.0, 10.0, 30.0, 30.0);
    for (eyes, seen) in [
        ([eye(15.0, 20.0, 8.0), eye(28.0, 20.0, 8.0)], true),
        // Partly outside: the frame's edge is repeated.
        ([eye(-3.0, 20.0, 8.0), eye(10.0, 0.0, 8.0)], true),
        ([eye(-90.0, 20.0, 8.0), eye(28.0, 20.0, 8.0)], false),
        ([eye(15.0, 20.0, 0.0), eye(28.0, 20.0, 8.0)], false),
        ([eye(15.0, f32::NAN, 8.0), eye(28.0, 20.0, 8.0)], false),
        ([eye(15.0, 20.0, 8.0), eye(-1e9, 20.0, 2e9)], false),
    ] {
        let face = FaceRegion { rect, eyes: Some(eyes), head_pose: pose, ..FaceRegion::default() };
        let mut out = Vec::new();
        let counts =
            model.estimate(&picture.view(), [face], &[InferencePlan::Infer], None, &mut out);
        let counts = counts.unwrap();
        assert_eq!(out[0].gaze.is_some(), seen, "{eyes:?}");
        assert_eq!((counts.invalid, counts.missing.any()), (u64::from(!seen), false), "{eyes:?}");
    }
    let eyes = Some([eye(15.0, 20.0, 8.0), eye(28.0, 20.0, 8.0)]);
    let no_number = Some(HeadPose { roll: f32::NAN, ..HeadPose::default() });
    for (eyes, head_pose, missing) in [
        (None, pose, (true, false)),
        (eyes, None, (false, true)),
        (eyes, no_number, (false, true)),
        (None, None, (true, true)),
    ] {
        let face = FaceRegion { rect, eyes, head_pose, ..FaceRegion::default() };
        let mut out = Vec::new();
        let counts =
            model.estimate(&picture.view(), [face], &[InferencePlan::Infer], None, &mut out);
        let counts = counts.unwrap();
        assert_eq!((out[0].gaze, counts.invalid, counts.inferred), (None, 1, 0));
        assert_eq!((counts.missing.eyes, counts.missing.head_pose), missing);
    }
}

#[test]
fn errors_send_models_of_other_stages_where_they_belong() {
    let test = "attributes::errors_send_models_of_other_stages_where_they_belong";
    let landmark = |model: &str| Some(LandmarkEstimator::new(open(test, model)?).err());
    let Some(detector) = landmark("face/yunet_n_320_320.onnx") else { return };
    let Some(gaze) = landmark("gaze/mobilegaze_mobileone_s0_static.onnx") else { return };
    let Some(eyes) = landmark(GAZE) else { return };
    let Some(pose) = landmark(HEAD_POSE) else { return };
    assert!(matches!(detector, Some(AttributeError::Detector { .. })), "{detector:?}");
    assert!(matches!(gaze, Some(AttributeError::GazeModel { .. })), "{gaze:?}");
    assert!(matches!(eyes, Some(AttributeError::GazeModel { .. })), "{eyes:?}");
    let pose = pose.unwrap().to_string();
    assert!(pose.contains("'head-pose-engine'") && pose.contains("'landmark-engine'"), "{pose}");
    for model in [PFLD, FIVE, EYE_STATE] {
        let Some(engine) = open(test, model) else { return };
        let error = HeadPoseEstimator::new(engine).err();
        assert!(matches!(error, Some(AttributeError::OtherAttribute { .. })), "{model}: {error:?}");
    }
    let (Some(five), Some(state)) = (open(test, FIVE), open(test, EYE_STATE)) else { return };
    let five = LandmarkEstimator::new(five).unwrap();
    let state = EyeStateEstimator::new(state).unwrap();
    let error = FaceAttributes::new(Some(five), None, Some(state)).err();
    assert_eq!(error, Some(AttributeError::NoEyes));
    let own =
        engine::open(common::data("regression.onnx"), &EngineOptions::default()).result.unwrap();
    let error = HeadPoseEstimator::new(Box::new(own)).err().unwrap().to_string();
    assert!(error.contains("head-pose"), "{error}");
}
