//! `gazeinfer` with landmarks: head pose, normalised faces, and cameras, good and bad.
//!
//! The model is a known function of its picture (tests/data/make_models.py): pitch = mean of red,
//! yaw = mean of the right half of blue minus that of its left half.
#![cfg(feature = "plugin")]
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use std::io::Write as _;

use common::element::{caps, rgb_buffer, runtime};
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::face::pnp::Pose;
use gstgaze::core::face::{FaceRegion, Landmarks5, face_model};
use gstgaze::core::gaze::{FrameGaze, GazeEstimate};
use gstgaze::core::geometry::camera::Camera;
use gstgaze::core::geometry::matrix::{
    Mat3, apply, cross, dot, multiply, norm, rotation, scale, sub, transpose, unit,
};
use gstgaze::core::geometry::{Gaze, PixelAspect, Point, Raster, Rect, Size};
use gstgaze::core::profile::spec::FaceCenter;
use gstgaze::plugin::meta::{faces, gaze};

const SIZE: Size = Size::new(640, 480);

fn element(profile: &str, properties: &str) -> Harness {
    let mut h = Harness::new_parse(&format!(
        "gazeinfer engine={} profile={} {properties}",
        common::data("regression.onnx").display(),
        common::data(profile).display()
    ));
    h.set_src_caps(caps(VideoFormat::Rgb, SIZE.width, SIZE.height));
    h
}

fn bus_of(h: &Harness) -> gst::Bus {
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    bus
}

fn warnings(bus: &gst::Bus) -> Vec<String> {
    std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Warning]))
        .map(|message| match message.view() {
            gst::MessageView::Warning(warning) => {
                format!("{} {}", warning.error(), warning.debug().unwrap_or_default())
            }
            _ => String::new(),
        })
        .collect()
}

/// A head that is turned, tilted and beside the camera's axis.
fn head() -> Pose {
    let turn = multiply(&rotation([0.0, 0.35, 0.0]), &rotation([0.15, 0.0, 0.0]));
    let rotation = multiply(&turn, &rotation([0.0, 0.0, 0.4]));
    Pose { rotation, translation: [90.0, -40.0, 650.0], residual: 0.0 }
}

fn landmarks(camera: &Camera, pose: &Pose) -> Landmarks5 {
    face_model::FIVE_POINTS.map(|model| {
        let [x, y] = camera.project(pose.transform(model)).unwrap();
        Point { x: x as f32, y: y as f32 }
    })
}

/// Axes of the virtual camera, from the paper's words.
fn virtual_axes(pose: &Pose) -> Mat3 {
    let z = unit(pose.transform(FaceCenter::EyesAndNose.point())).unwrap();
    let y = unit(cross(z, transpose(&pose.rotation)[0])).unwrap();
    [cross(y, z), y, z]
}

/// A frame with one face whose landmarks these are: red everywhere, and blue right of the plane
/// through the face's centre that the virtual camera stands upright in.
fn frame(camera: &Camera, red: u8, landmarks: Option<Landmarks5>) -> gst::Buffer {
    let size = camera.size;
    let [right, _, ahead] = virtual_axes(&head());
    // Half a column of eight right of the middle of a picture of focal length 240 / 7.
    let edge = sub(right, scale(ahead, 0.5 / (240.0 / 7.0)));
    let mut pixels = Vec::with_capacity((size.width * size.height * 3) as usize);
    for v in 0..size.height {
        for u in 0..size.width {
            let [x, y] = camera.undistort([f64::from(u), f64::from(v)]);
            let blue = if dot(edge, [x, y, 1.0]) > 0.0 { 255 } else { 0 };
            pixels.extend([red, 0, blue]);
        }
    }
    let mut buffer = rgb_buffer(size, &pixels);
    add_face(buffer.get_mut().unwrap(), size, landmarks);
    buffer
}

/// A frame of one colour with one face.
fn plain([red, green, blue]: [u8; 3], landmarks: Option<Landmarks5>) -> gst::Buffer {
    let pixels = [red, green, blue].repeat((SIZE.width * SIZE.height) as usize);
    let mut buffer = gst::Buffer::from_slice(pixels);
    add_face(buffer.get_mut().unwrap(), SIZE, landmarks);
    buffer
}

/// Where the face is in a frame of [`SIZE`].
const BOX: Rect = Rect::new(300.0, 100.0, 200.0, 220.0);

fn add_face(buffer: &mut gst::BufferRef, size: Size, landmarks: Option<Landmarks5>) {
    let rect = BOX.rescaled(SIZE, size);
    let whole = [rect.x, rect.y, rect.width, rect.height].map(|v| v as u32);
    VideoRegionOfInterestMeta::add(buffer, "face", whole.into()).set_id(1);
    let face = FaceRegion { rect, landmarks, ..FaceRegion::default() };
    faces::add(buffer, size, &[(1, face)]).unwrap();
}

fn look(h: &mut Harness, buffer: gst::Buffer) -> GazeEstimate {
    h.push(buffer).unwrap();
    let FrameGaze { faces, .. } = gaze::read(&h.pull().unwrap()).unwrap();
    assert_eq!(faces.len(), 1);
    faces[0]
}

fn degrees(a: Gaze, b: Gaze) -> f32 {
    a.angle_to(b).to_degrees()
}

/// An inner gaze of the virtual camera, in the camera's coordinates.
fn outer(inner: Gaze) -> Gaze {
    let back = transpose(&virtual_axes(&head()));
    Gaze::from_direction(apply(&back, inner.direction().map(f64::from)).map(|v| v as f32)).unwrap()
}

#[test]
fn a_normalised_face_is_seen_upright_and_its_gaze_turned_back() {
    if !runtime("a_normalised_face_is_seen_upright_and_its_gaze_turned_back") {
        return;
    }
    let camera = Camera::from_field_of_view(60.0, SIZE);
    let mut h = element("normalized.toml", "");
    let bus = bus_of(&h);
    let points = landmarks(&camera, &head());
    let face = look(&mut h, frame(&camera, 51, Some(points)));
    // Red is 0.2 everywhere; the edge of blue lies between columns 4 and 5 of 8 (the centre is column
    // 4, at width / 2), so that blue fills three of the four columns of the right half. It lies
    // there in a picture that is upright before the virtual camera, and in no other.
    let apart = degrees(face.gaze.unwrap(), outer(Gaze::new(0.2, 0.75)));
    assert!(apart < 0.1, "{apart} degrees");
    let (angles, truth) = (face.region.head_pose.unwrap(), head().angles());
    assert!((angles.yaw - truth.yaw).abs().to_degrees() < 0.2);
    assert!((angles.pitch - truth.pitch).abs().to_degrees() < 0.2);
    assert!((angles.roll - truth.roll).abs().to_degrees() < 0.2);
    let center = head().transform(FaceCenter::EyesAndNose.point());
    for (found, wanted) in face.origin.unwrap().iter().zip(center) {
        assert!((f64::from(*found) - wanted).abs() < 2.0, "{:?} {center:?}", face.origin);
    }
    assert_eq!(warnings(&bus), [""; 0]);
}

/// The same picture in pixels of another shape: DV, DVD, an anamorphic 16:9, and pixels that are higher
/// than wide.
#[test]
fn pixels_that_are_not_square_change_no_angle_and_no_place() {
    if !runtime("pixels_that_are_not_square_change_no_angle_and_no_place") {
        return;
    }
    for (width, [n, d]) in [(640, [1, 1]), (360, [16, 9]), (450, [64, 45]), (1280, [1, 2])] {
        let size = Size::new(width, SIZE.height);
        let pixel_aspect = PixelAspect::new(f64::from(n), f64::from(d));
        let camera = Camera::from_field_of_view(60.0, Raster { size, pixel_aspect });
        let mut h = element("normalized.toml", "");
        let mut caps = caps(VideoFormat::Rgb, size.width, size.height);
        caps.make_mut().set("pixel-aspect-ratio", gst::Fraction::new(n, d));
        h.set_src_caps(caps);
        let face = look(&mut h, frame(&camera, 51, Some(landmarks(&camera, &head()))));
        let apart = degrees(face.gaze.unwrap(), outer(Gaze::new(0.2, 0.75)));
        assert!(apart < 0.3, "{n}:{d}: {apart} degrees");
        let (angles, truth) = (face.region.head_pose.unwrap(), head().angles());
        for (angle, truth) in
            [(angles.yaw, truth.yaw), (angles.pitch, truth.pitch), (angles.roll, truth.roll)]
        {
            assert!((angle - truth).abs().to_degrees() < 0.2, "{n}:{d}: {angles:?} {truth:?}");
        }
        let center = head().transform(FaceCenter::EyesAndNose.point());
        for (found, wanted) in face.origin.unwrap().iter().zip(center) {
            assert!((f64::from(*found) - wanted).abs() < 2.0, "{n}:{d}: {:?}", face.origin);
        }
    }
}

#[test]
fn uniform_pictures_turn_back_exactly() {
    if !runtime("uniform_pictures_turn_back_exactly") {
        return;
    }
    let camera = Camera::from_field_of_view(60.0, SIZE);
    let mut h = element("normalized.toml", "");
    let points = landmarks(&camera, &head());
    let found = look(&mut h, plain([51, 0, 0], Some(points))).gaze.unwrap();
    let apart = degrees(found, outer(Gaze::new(0.2, 0.0)));
    assert!(apart < 0.05, "{apart}");
}

#[test]
fn a_face_without_landmarks_is_cropped_and_reported_once() {
    if !runtime("a_face_without_landmarks_is_cropped_and_reported_once") {
        return;
    }
    let camera = Camera::from_field_of_view(60.0, SIZE);
    let line = [0.0, 20.0, 40.0, 60.0, 80.0].map(|d| Point { x: 320.0 + d, y: 150.0 + d });
    let nowhere = [Point { x: f32::NAN, y: 0.0 }; 5];
    for points in [None, Some(line), Some(nowhere), Some([Point { x: 350.0, y: 160.0 }; 5])] {
        // The crop's gaze is taken for that of a camera that looks straight at it.
        let mut ray = element("ray.toml", "");
        let quiet = bus_of(&ray);
        let cropped = look(&mut ray, frame(&camera, 51, points));
        let mut h = element("normalized.toml", "");
        let bus = bus_of(&h);
        for _ in 0..3 {
            let face = look(&mut h, frame(&camera, 51, points));
            assert_eq!(face.gaze, cropped.gaze);
            assert_eq!((face.region.head_pose, face.origin), (None, None));
        }
        let said = warnings(&bus);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("landmarks") && said[0].contains("gazeface"), "{said:?}");
        assert_eq!(warnings(&quiet), [""; 0]);
    }
}

#[test]
fn a_model_that_takes_crops_gets_crops_and_the_head_pose_is_there() {
    if !runtime("a_model_that_takes_crops_gets_crops_and_the_head_pose_is_there") {
        return;
    }
    let camera = Camera::from_field_of_view(60.0, SIZE);
    let mut h = element("regression.toml", "");
    let without = look(&mut h, frame(&camera, 51, None));
    let points = landmarks(&camera, &head());
    let with = look(&mut h, frame(&camera, 51, Some(points)));
    assert_eq!(with.gaze, without.gaze);
    assert!(with.region.head_pose.is_some() && without.region.head_pose.is_none());
}

#[test]
fn the_field_of_view_says_how_far_a_face_is() {
    if !runtime("the_field_of_view_says_how_far_a_face_is") {
        return;
    }
    let camera = Camera::from_field_of_view(60.0, SIZE);
    let points = landmarks(&camera, &head());
    let mut h = element("normalized.toml", "field-of-view=60");
    let distance = |face: GazeEstimate| norm(face.origin.unwrap().map(f64::from));
    let near = distance(look(&mut h, frame(&camera, 51, Some(points))));
    h.find_element("gazeinfer").unwrap().set_property("field-of-view", 31.0);
    let far = distance(look(&mut h, frame(&camera, 51, Some(points))));
    let ratio = (30f64.to_radians()).tan() / (15.5f64.to_radians()).tan();
    assert!((far / near / ratio - 1.0).abs() < 0.1, "{near} {far}");
}

#[test]
fn a_calibration_is_used_whatever_the_size_of_the_frame() {
    if !runtime("a_calibration_is_used_whatever_the_size_of_the_frame") {
        return;
    }
    // Measured on pictures twice as large, with a lens that bends.
    let camera = Camera {
        distortion: [-0.2, 0.05, 0.0, 0.0, 0.0],
        ..Camera::from_field_of_view(75.0, SIZE)
    };
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let large = camera.rescaled(Size::new(1280, 960));
    write!(
        file,
        "%YAML:1.0\n---\nimage_width: 1280\nimage_height: 960\ncamera_matrix: !!opencv-matrix\n   \
         rows: 3\n   cols: 3\n   dt: d\n   data: [ {}, 0., {}, 0., {}, {}, 0., 0., 1. ]\n\
         distortion_coefficients: !!opencv-matrix\n   rows: 1\n   cols: 5\n   dt: d\n   \
         data: [ -0.2, 0.05, 0., 0., 0. ]\n",
        large.fx, large.cx, large.fy, large.cy
    )
    .unwrap();
    let pose = Pose { translation: scale([90.0, -40.0, 650.0], 0.7), ..head() };
    let points = landmarks(&camera, &pose);
    let mut h = element("normalized.toml", &format!("camera={}", file.path().display()));
    let face = look(&mut h, frame(&camera, 51, Some(points)));
    let center = pose.transform(FaceCenter::EyesAndNose.point());
    for (found, wanted) in face.origin.unwrap().iter().zip(center) {
        assert!((f64::from(*found) - wanted).abs() < 2.0, "{:?} {center:?}", face.origin);
    }
    assert!((face.region.head_pose.unwrap().yaw - head().angles().yaw).abs() < 0.005);
}

#[test]
fn a_calibration_of_another_shape_ends_the_stream() {
    if !runtime("a_calibration_of_another_shape_ends_the_stream") {
        return;
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "width = 1280\nheight = 720\nfx = 900\nfy = 900\ncx = 640\ncy = 360\n").unwrap();
    let path = file.path().display();
    let description = |file: &str| {
        format!(
            "gazeinfer engine={} profile={} camera={path}",
            common::data("regression.onnx").display(),
            common::data(file).display()
        )
    };
    for (width, height, fits) in [(640, 480, false), (640, 360, true), (1280, 720, true)] {
        let result = common::element::launch(&format!(
            "videotestsrc num-buffers=3 ! video/x-raw,width={width},height={height} ! \
             {} inference-region=full-frame ! fakesink",
            description("normalized.toml")
        ));
        match result {
            Ok(()) => assert!(fits, "{width}x{height}: wrong numbers"),
            Err(why) => {
                assert!(!fits, "{width}x{height}: {why}");
                common::element::says(&why, &["1280x720", "640x480", "calibrate"]);
            }
        }
    }
}

#[test]
fn a_model_in_the_axes_of_the_ray_is_turned_to_the_face() {
    if !runtime("a_model_in_the_axes_of_the_ray_is_turned_to_the_face") {
        return;
    }
    let mut h = element("ray.toml", "field-of-view=80");
    let found = look(&mut h, plain([51, 0, 0], None)).gaze.unwrap();
    // By hand: pan and tilt of the camera that looks at the middle of the box, added the way that
    // gimbals add. The model says pitch 0.2, so the gaze lies in the plane of the tilt.
    let focal = 320.0 / 40f64.to_radians().tan();
    let [x, y] = [(BOX.x + BOX.width / 2.0 - 320.0), (BOX.y + BOX.height / 2.0 - 240.0)]
        .map(|offset| f64::from(offset) / focal);
    let (pan, tilt) = (x.atan(), (-y / x.hypot(1.0)).atan());
    // Towards the camera: right of the middle looks to the image's left, above it looks down.
    let wanted = Gaze::new((0.2 - tilt) as f32, pan as f32);
    assert!(degrees(found, wanted) < 0.05, "{found:?} {wanted:?}");
    let middle = {
        let mut h = element("ray.toml", "inference-region=full-frame");
        look(&mut h, plain([51, 0, 0], None)).gaze.unwrap()
    };
    assert!(degrees(middle, Gaze::new(0.2, 0.0)) < 0.05, "{middle:?}");
}

#[test]
fn a_face_half_outside_the_frame_is_normalised() {
    if !runtime("a_face_half_outside_the_frame_is_normalised") {
        return;
    }
    let camera = Camera::from_field_of_view(60.0, SIZE);
    let mut h = element("normalized.toml", "");
    let bus = bus_of(&h);
    for translation in [[-400.0, 0.0, 650.0], [0.0, 300.0, 650.0], [400.0, -300.0, 650.0]] {
        let pose = Pose { translation, ..head() };
        let points = landmarks(&camera, &pose);
        assert!(
            points.iter().any(|p| !(0.0..640.0).contains(&p.x) || !(0.0..480.0).contains(&p.y))
        );
        let (left, top) = (points[0].x.min(points[3].x) - 30.0, points[0].y - 60.0);
        let rect = Rect::new(left, top, 140.0, 190.0);
        let mut buffer = gst::Buffer::from_slice([51u8, 0, 0].repeat(640 * 480));
        let face = FaceRegion { rect, landmarks: Some(points), ..FaceRegion::default() };
        let writable = buffer.get_mut().unwrap();
        let inside = rect.intersect(&Rect::full(SIZE));
        let roi = [inside.x, inside.y, inside.width, inside.height].map(|v| v as u32);
        VideoRegionOfInterestMeta::add(writable, "face", (roi[0], roi[1], roi[2], roi[3]))
            .set_id(1);
        faces::add(writable, SIZE, &[(1, face)]).unwrap();
        let found = look(&mut h, buffer);
        let angles = (found.region.head_pose.unwrap(), pose.angles());
        assert!((angles.0.yaw - angles.1.yaw).abs() < 0.005, "{angles:?}");
        assert!(found.gaze.unwrap().is_finite());
    }
    assert_eq!(warnings(&bus), [""; 0]);
}

#[test]
fn heads_are_placed_anew_where_the_gaze_is_carried() {
    if !runtime("heads_are_placed_anew_where_the_gaze_is_carried") {
        return;
    }
    let camera = Camera::from_field_of_view(60.0, SIZE);
    let mut h = element("normalized.toml", "inference-interval=2");
    let first = look(&mut h, plain([51, 0, 0], Some(landmarks(&camera, &head()))));
    let pose = Pose { translation: [60.0, -40.0, 650.0], ..head() };
    let second = look(&mut h, plain([51, 0, 0], Some(landmarks(&camera, &pose))));
    assert_eq!((first.age, second.age, second.gaze), (0, 1, first.gaze));
    let moved = first.origin.unwrap()[0] - second.origin.unwrap()[0];
    assert!((moved - 30.0).abs() < 0.5, "{moved} mm");
    assert!(second.region.head_pose.is_some());
}
