//! Head pose and data normalisation against OpenCV and numpy (tests/data/make_headpose.py).
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use std::collections::HashMap;

use common::frames::noise;
use gstgaze::core::face::face_model;
use gstgaze::core::face::pnp::{self, Pose};
use gstgaze::core::gaze::line_of_sight;
use gstgaze::core::geometry::camera::Camera;
use gstgaze::core::geometry::matrix::{
    Mat3, Vec3, inverse, multiply, norm, rotation, sub, transpose,
};
use gstgaze::core::geometry::{Gaze, HeadPose, Point, Size};
use gstgaze::core::image::color::Colorimetry;
use gstgaze::core::image::preprocess::Preprocessor;
use gstgaze::core::image::spec::{Border, Channels, ImageSpec, Layout};
use gstgaze::core::image::{FrameView, PixelFormat, Plane};
use gstgaze::core::inference::{ElementType, TensorMut};
use gstgaze::core::profile::spec::{FaceCenter, Normalization};

#[derive(serde::Deserialize)]
struct Index {
    poses: Vec<PoseCase>,
    views: Vec<ViewCase>,
}

#[derive(serde::Deserialize)]
struct PoseCase {
    kind: String,
    size: [u32; 2],
    matrix: [f64; 9],
    #[serde(default)]
    distortion: [f64; 5],
    points: Vec<[f32; 2]>,
    rotation: Mat3,
    translation: Vec3,
    residual: f64,
    truth: Option<Truth>,
}

#[derive(serde::Deserialize)]
struct Truth {
    rotation: Mat3,
    translation: Vec3,
}

#[derive(serde::Deserialize)]
struct ViewCase {
    size: [u32; 2],
    matrix: [f64; 9],
    rotation: Mat3,
    translation: Vec3,
    focal: f64,
    distance: f64,
    center: FaceCenter,
    target: [u32; 2],
    turn: Mat3,
    warp: Mat3,
    place: Vec3,
    inner: [f32; 2],
    gaze: [f32; 2],
    head: [f32; 2],
    offset: Option<usize>,
}

fn index() -> Index {
    serde_json::from_slice(&std::fs::read(common::data("headpose.json")).unwrap()).unwrap()
}

fn camera(size: [u32; 2], m: [f64; 9], distortion: [f64; 5]) -> Camera {
    let size = Size::new(size[0], size[1]);
    Camera { fx: m[0], fy: m[4], cx: m[2], cy: m[5], distortion, size }
}

/// The angle between two rotations in degrees.
fn apart(a: &Mat3, b: &Mat3) -> f64 {
    let r = multiply(a, &transpose(b));
    // From the antisymmetric part: exact for small angles.
    let axis = [r[2][1] - r[1][2], r[0][2] - r[2][0], r[1][0] - r[0][1]];
    norm(axis).atan2(r[0][0] + r[1][1] + r[2][2] - 1.0).to_degrees()
}

fn solve(case: &PoseCase) -> Option<Pose> {
    let camera = camera(case.size, case.matrix, case.distortion);
    let points: Vec<Point> = case.points.iter().map(|&[x, y]| Point { x, y }).collect();
    if case.kind != "nine" {
        return pnp::from_landmarks(&camera, &points);
    }
    // Nine points are asked for the way they stand in the 68.
    let mut all = vec![Point { x: f32::NAN, y: f32::NAN }; 68];
    for (index, point) in [36, 39, 42, 45, 31, 35, 30, 48, 54].into_iter().zip(points) {
        all[index] = point;
    }
    pnp::from_landmarks(&camera, &all)
}

#[test]
fn synthetic_poses_are_found_as_opencv_finds_them() {
    let (mut worst, mut worst_truth) = (0.0f64, 0.0f64);
    for case in &index().poses {
        let pose = solve(case).unwrap();
        if let Some(truth) = &case.truth {
            worst_truth = worst_truth.max(apart(&pose.rotation, &truth.rotation));
            let away = norm(sub(pose.translation, truth.translation));
            assert!(away < 0.002 * norm(truth.translation), "{away} mm");
        }
        let angle = apart(&pose.rotation, &case.rotation);
        // With distortion, noise is weighed in undistorted pixels here and in distorted there.
        let noisy_lens = case.truth.is_none() && case.distortion != [0.0; 5];
        assert!(angle < if noisy_lens { 1.0 } else { 0.1 }, "{angle} degrees from OpenCV");
        if !noisy_lens {
            let more = pose.residual - case.residual;
            assert!(more < 1e-3, "{more} pixels more than OpenCV");
            worst = worst.max(angle);
            let away = norm(sub(pose.translation, case.translation));
            assert!(away < 1e-3 * norm(case.translation), "{away} mm from OpenCV");
        }
    }
    println!("at most {worst:.5} degrees from OpenCV, {worst_truth:.5} from the truth");
    assert!(worst_truth < 0.1, "{worst_truth}");
}

/// What other people's models say of the faces of a picture (`models/reference/reference.json`).
#[derive(serde::Deserialize)]
struct Reference {
    width: u32,
    height: u32,
    detectors: HashMap<String, Vec<ReferenceFace>>,
}

#[derive(serde::Deserialize)]
struct ReferenceFace {
    score: f32,
    kps: Option<Vec<[f32; 2]>>,
    intel_adas_0002: Option<ZooPose>,
}

/// `head-pose-estimation-adas-0001`, whose angles the gaze model was given.
#[derive(serde::Deserialize)]
struct ZooPose {
    head_yaw_deg: Option<f32>,
    head_pitch_deg: Option<f32>,
    head_roll_deg: Option<f32>,
}

/// A network that looks at the pixels and this solver, which sees five points of them, are strangers
/// to each other: what they must agree on is where the head points, within what five points of an
/// average face can say. Half of the faces within 10 degrees of yaw and of pitch and 5 of roll, and
/// none of the three leaning to one side by more than 5.
#[test]
fn real_faces_agree_with_a_head_pose_model() {
    let test = "real_faces_agree_with_a_head_pose_model";
    let Some(path) = common::shared(test, "models/reference/reference.json") else { return };
    let pictures: Vec<Reference> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (mut apart, mut without) = ([vec![], vec![], vec![]], 0);
    for picture in &pictures {
        let camera = Camera::from_field_of_view(60.0, Size::new(picture.width, picture.height));
        for face in picture.detectors.get("yunet").into_iter().flatten() {
            let (Some(points), Some(zoo)) = (&face.kps, &face.intel_adas_0002) else { continue };
            let angles = [zoo.head_yaw_deg, zoo.head_pitch_deg, zoo.head_roll_deg];
            let [Some(yaw), Some(pitch), Some(roll)] = angles else { continue };
            if face.score < 0.7 {
                continue;
            }
            let points: Vec<Point> = points.iter().map(|&[x, y]| Point { x, y }).collect();
            let Some(pose) = pnp::from_landmarks(&camera, &points) else {
                without += 1;
                continue;
            };
            // The model sees a crop, so its angles are relative to the ray through the face.
            let ray = line_of_sight::rotation(&camera, points[2]);
            let found = pnp::angles(&multiply(&ray, &pose.rotation));
            let wanted = HeadPose::from_zoo([yaw, pitch, roll]);
            apart[0].push((found.yaw - wanted.yaw).to_degrees());
            apart[1].push((found.pitch - wanted.pitch).to_degrees());
            apart[2].push((found.roll - wanted.roll).to_degrees());
        }
    }
    let faces = apart[0].len();
    assert!(faces > 30 && without <= faces / 20, "{faces} with pose, {without} without");
    for ((name, apart), most) in ["yaw", "pitch", "roll"].iter().zip(apart).zip([10.0, 10.0, 5.0]) {
        let median = |mut values: Vec<f32>| {
            values.sort_by(f32::total_cmp);
            values[values.len() / 2]
        };
        let (half, lean) = (median(apart.iter().map(|d| d.abs()).collect()), median(apart));
        println!("{name}: half of {faces} faces within {half:.2} degrees, median {lean:+.2}");
        assert!(half < most && lean.abs() < 5.0, "{name}: {half} {lean}");
    }
}

#[test]
fn points_that_are_no_face_have_no_pose() {
    let camera = Camera::from_field_of_view(60.0, Size::new(640, 480));
    let pose =
        |points: [[f32; 2]; 5]| pnp::from_landmarks(&camera, &points.map(|[x, y]| Point { x, y }));
    let face = [[280.0, 200.0], [340.0, 200.0], [310.0, 235.0], [290.0, 270.0], [330.0, 270.0]];
    assert!(pose(face).is_some());
    assert_eq!(pose([[300.0, 200.0]; 5]), None, "one point");
    assert_eq!(pose([100.0, 120.0, 140.0, 160.0, 180.0].map(|x| [x, 2.0 * x])), None, "a line");
    for bad in [f32::NAN, f32::INFINITY, -f32::INFINITY, 1e30] {
        for which in 0..5 {
            let mut points = face;
            points[which][which % 2] = bad;
            assert_eq!(pose(points), None, "{bad} in {which}");
        }
    }
    let [a, b, c, d, e] = face;
    assert_eq!(pose([d, b, e, a, c]), None, "shuffled");
    assert_eq!(pnp::from_landmarks(&camera, &[Point::default(); 4]), None);
    assert_eq!(pnp::from_landmarks(&camera, &[]), None);
}

#[test]
fn angles_have_the_signs_of_the_convention() {
    let angles = |w: Vec3| pnp::angles(&rotation(w));
    // About the y axis (down), z (into the head) towards x: the face turns to the image's left.
    assert!(angles([0.0, 0.3, 0.0]).yaw > 0.29);
    assert!(angles([-0.3, 0.0, 0.0]).pitch > 0.29);
    assert!(angles([0.0, 0.0, 0.3]).roll > 0.29);
    // And as a picture: the tip of the nose points where the face looks.
    let camera = Camera::from_field_of_view(60.0, Size::new(640, 480));
    let nose_left =
        [[290.0, 200.0], [340.0, 200.0], [298.0, 235.0], [295.0, 270.0], [332.0, 270.0]];
    let pose = pnp::from_landmarks(&camera, &nose_left.map(|[x, y]| Point { x, y })).unwrap();
    assert!(pose.angles().yaw.to_degrees() > 10.0, "{:?}", pose.angles());
}

#[test]
fn the_virtual_camera_is_that_of_the_paper() {
    let index = index();
    let data = std::fs::read(common::data("headpose.bin")).unwrap();
    let degrees = |a: [f32; 2], b: [f32; 2]| {
        Gaze::new(a[0], a[1]).angle_to(Gaze::new(b[0], b[1])).to_degrees()
    };
    let (mut warped, mut turned, mut gazes, mut grey) = (0, 0.0f64, 0.0f32, 0u8);
    for case in &index.views {
        let camera = camera(case.size, case.matrix, [0.0; 5]);
        let pose = Pose { rotation: case.rotation, translation: case.translation, residual: 0.0 };
        let (focal_length, distance) = (case.focal, case.distance);
        let normalization = Normalization { focal_length, distance, center: case.center };
        let size = Size::new(case.target[0], case.target[1]);
        let view = normalization.view(&camera, &pose, size).unwrap();
        turned = turned.max(apart(&view.rotation, &case.turn));
        assert!(norm(sub(pose.transform(normalization.center.point()), case.place)) < 1e-6);
        // Homographies are equal up to a factor; this one was not divided by anything.
        let same = multiply(&case.warp, &view.to_source);
        for (i, row) in same.iter().enumerate() {
            for (j, value) in row.iter().enumerate() {
                let wanted = if i == j { same[2][2] } else { 0.0 };
                assert!((value - wanted).abs() < 1e-9 * same[2][2].abs() * 1e3, "{same:?}");
            }
        }
        let inner = Gaze::new(case.inner[0], case.inner[1]);
        let gaze = inner.turned(&transpose(&view.rotation)).unwrap();
        gazes = gazes.max(degrees([gaze.pitch, gaze.yaw], case.gaze));
        let inner = gaze.turned(&view.rotation).unwrap();
        gazes = gazes.max(degrees([inner.pitch, inner.yaw], case.inner));
        let head = pnp::angles(&multiply(&view.rotation, &pose.rotation));
        gazes = gazes.max(degrees([head.pitch, head.yaw], case.head));
        assert!(head.roll.abs() < 1e-6, "{}", head.roll);
        let Some(offset) = case.offset else { continue };
        let picture = noise((case.size[0] * case.size[1] * 3) as usize);
        let plane = Plane { data: &picture, stride: case.size[0] as usize * 3 };
        let frame = FrameView::new(PixelFormat::Rgb, camera.size, Colorimetry::default(), &[plane])
            .unwrap();
        let spec = ImageSpec {
            width: size.width,
            height: size.height,
            layout: Layout::Nhwc,
            channels: Channels::Rgb,
            ..ImageSpec::default()
        };
        let mut preprocessor = Preprocessor::new(&spec, ElementType::U8).unwrap();
        let mut got = vec![0; preprocessor.item_len()];
        preprocessor
            .fill_warped(&frame, &view.to_source, Border::Replicate, TensorMut::U8(&mut got))
            .unwrap();
        let want = &data[offset..offset + got.len()];
        grey = got.iter().zip(want).map(|(a, b)| a.abs_diff(*b)).fold(grey, u8::max);
        warped += 1;
    }
    println!(
        "{} views: rotation at most {turned:.1e} degrees from numpy, gaze and head {gazes:.1e}; \
         {warped} pictures at most {grey} grey levels from cv2.warpPerspective",
        index.views.len()
    );
    assert!(turned < 1e-6 && gazes < 0.01, "{turned} {gazes}");
    assert!(warped == 4 && grey <= 1, "{warped} {grey}");
}

#[test]
fn the_virtual_camera_maps_there_and_back() {
    let camera = Camera::from_field_of_view(55.0, Size::new(1280, 720));
    let normalization =
        Normalization { focal_length: 960.0, distance: 600.0, center: FaceCenter::EyesAndNose };
    let size = Size::new(224, 224);
    let (mut poses, mut turned, mut back_again) = (0, 0.0f64, 0.0f32);
    for yaw in (-60..=60).step_by(15) {
        for pitch in (-40..=40).step_by(20) {
            for (roll, x) in [(0.0, 0.0), (0.5, 150.0), (-0.5, -250.0)] {
                let turn = multiply(
                    &rotation([0.0, f64::from(yaw).to_radians(), 0.0]),
                    &rotation([-f64::from(pitch).to_radians(), 0.0, 0.0]),
                );
                let turn = multiply(&turn, &rotation([0.0, 0.0, roll]));
                let truth = Pose { rotation: turn, translation: [x, 20.0, 700.0], residual: 0.0 };
                let points = face_model::FIVE_POINTS.map(|model| {
                    let [x, y] = camera.project(truth.transform(model)).unwrap();
                    Point { x: x as f32, y: y as f32 }
                });
                let pose = pnp::from_landmarks(&camera, &points).unwrap();
                let off = apart(&pose.rotation, &turn);
                assert!(off < 0.1, "{yaw} {pitch} {roll}");
                (poses, turned) = (poses + 1, turned.max(off));
                let angles = pose.angles();
                assert!((angles.yaw.to_degrees() - yaw as f32).abs() < 0.2);
                assert!((angles.pitch.to_degrees() - pitch as f32).abs() < 0.2);
                assert!((f64::from(angles.roll) - roll).abs() < 0.01);
                let view = normalization.view(&camera, &pose, size).unwrap();
                // The face's centre is in the middle of the picture, and the eyes are level.
                let seen = inverse(&view.to_source).unwrap();
                let place = |model: Vec3| {
                    let [u, v] = camera.project(pose.transform(model)).unwrap();
                    let [x, y, w] = gstgaze::core::geometry::matrix::apply(&seen, [u, v, 1.0]);
                    [x / w, y / w]
                };
                let [x, y] = place(normalization.center.point());
                assert!((x - 112.0).abs() < 1e-6 && (y - 112.0).abs() < 1e-6, "{x} {y}");
                // Straight at the camera from the face's centre is straight ahead in its view.
                let center = pose.transform(normalization.center.point());
                let towards = Gaze::from_direction(center.map(|v| -v as f32)).unwrap();
                let inner = towards.turned(&view.rotation).unwrap();
                assert!(inner.angle_to(Gaze::default()).to_degrees() < 0.01);
                let back = inner.turned(&transpose(&view.rotation)).unwrap();
                let off = back.angle_to(towards).to_degrees();
                assert!(off < 0.01);
                back_again = back_again.max(off);
            }
        }
    }
    println!(
        "{poses} synthetic heads: pose at most {turned:.1e} degrees off, gaze into the virtual \
         camera and back {back_again:.1e}"
    );
}
