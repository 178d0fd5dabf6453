//! `gazeface` as an application meets it: real frames, metadata, intervals, bad input, lifecycle.
#![cfg(feature = "plugin")]

mod common;

use std::path::{Path, PathBuf};

use common::element::{black, caps, convert, launch, runtime, says};
use common::frames::Picture;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::geometry::{Rect, Size};
use gstgaze::plugin::meta::faces::{self, GazeFaces};
use gstgaze::plugin::meta::gaze;

const YUNET: &str = "models/face/yunet_n_dynamic.onnx";

/// The detector's file, where it and a runtime are at hand.
fn yunet(test: &str) -> Option<PathBuf> {
    common::shared(test, YUNET).filter(|_| runtime(test))
}

/// `gazeface` with YuNet and these properties.
fn element(engine: &Path, properties: &str) -> Harness {
    let description = format!("gazeface engine={} {properties}", engine.display());
    let element = gst::parse::launch(&description).unwrap();
    Harness::with_element(&element, Some("sink"), Some("src"))
}

/// What `gazeface` noted, or `None` where it did not look.
fn noted(buffer: &gst::BufferRef) -> Option<GazeFaces> {
    let mut found = GazeFaces::default();
    faces::read_into(buffer, &mut found).then_some(found)
}

fn look(h: &mut Harness, buffer: gst::Buffer) -> Option<GazeFaces> {
    h.push(buffer).unwrap();
    noted(&h.pull().unwrap())
}

fn ids(found: Option<GazeFaces>) -> Vec<i32> {
    found.expect("looked at").faces.iter().map(|(id, _)| *id).collect()
}

fn stat(h: &Harness, name: &str) -> u64 {
    h.element().unwrap().property::<gst::Structure>("stats").get(name).unwrap()
}

#[test]
fn faces_are_regions_of_interest() {
    let test = "faces_are_regions_of_interest";
    let Some(engine) = yunet(test) else { return };
    let Some(meeting) = Picture::shared(test, "uniface_meeting_f0") else { return };
    let mut h = element(&engine, "");
    h.set_src_caps(meeting.caps());
    let before = meeting.buffer(0);
    h.push(before.clone()).unwrap();
    let after = h.pull().unwrap();
    // The caller kept a reference: metadata goes on a buffer of its own, pixels stay where they are.
    let place = |buffer: &gst::Buffer| buffer.map_readable().unwrap().as_slice().as_ptr();
    assert_eq!(place(&before), place(&after));
    assert!(noted(&before).is_none());

    // Corners of the reference's five boxes.
    let expected = [
        [662.188, 336.508, 792.709, 514.41],
        [369.9, 240.6, 486.9, 400.1],
        [539.9, 171.8, 665.6, 330.0],
        [705.4, 82.6, 836.5, 248.1],
        [216.8, 402.6, 345.5, 551.1],
    ];
    let rois: Vec<_> = after.iter_meta::<VideoRegionOfInterestMeta>().collect();
    assert_eq!(rois.len(), 5);
    let found = noted(&after).unwrap();
    assert_eq!(found.size, meeting.size);
    for [x1, y1, x2, y2] in expected {
        let best = |rect: &Rect| rect.iou(&Rect::from_corners(x1, y1, x2, y2)) > 0.97;
        assert_eq!(found.faces.iter().filter(|(_, face)| best(&face.rect)).count(), 1);
    }
    for (roi, (id, face)) in rois.iter().zip(&found.faces) {
        assert_eq!((roi.roi_type(), roi.id()), ("face", *id));
        let (x, y, w, h) = roi.rect();
        let roi_rect = Rect::new(x as f32, y as f32, w as f32, h as f32);
        assert!(roi_rect.iou(&face.rect) > 0.97, "{roi_rect:?} {face:?}");
        let confidence = roi.param("detection").unwrap().get::<f64>("confidence").unwrap();
        assert!(confidence > 0.6 && confidence <= 1.0, "{confidence}");
        let points = roi.param("landmarks").unwrap();
        let point = |name: &str| points.get::<f64>(name).unwrap() as f32;
        assert!(point("right-eye-x") < point("left-eye-x"), "{points:?}");
        assert!(point("nose-y") < point("mouth-left-y"), "{points:?}");
        assert!(point("right-eye-x") > face.rect.x && point("left-eye-x") < face.rect.right());
    }
}

#[test]
fn other_formats_have_the_same_faces() {
    let test = "other_formats_have_the_same_faces";
    let Some(engine) = yunet(test) else { return };
    let Some(picture) = Picture::shared(test, "skimage_astronaut_f0") else { return };
    let Size { width, height } = picture.size;
    let mut rgb = element(&engine, "");
    rgb.set_src_caps(picture.caps());
    let expected = look(&mut rgb, picture.buffer(0)).unwrap().faces[0].1.rect;
    for format in [VideoFormat::Nv12, VideoFormat::I420, VideoFormat::Yuy2, VideoFormat::Bgrx] {
        let mut h = element(&engine, "");
        h.set_src_caps(caps(format, width, height));
        let buffer = convert(picture.buffer(0), VideoFormat::Rgb, format, width, height);
        let found = look(&mut h, buffer).unwrap();
        assert_eq!(found.faces.len(), 1, "{format:?}");
        assert!(found.faces[0].1.rect.iou(&expected) > 0.95, "{format:?} {found:?}");
    }
}

#[test]
fn an_empty_frame_is_known_to_be_empty() {
    let test = "an_empty_frame_is_known_to_be_empty";
    let Some(engine) = yunet(test) else { return };
    let Some(coffee) = Picture::shared(test, "skimage_coffee_f0") else { return };
    let mut h = Harness::new_parse(&format!(
        "gazeface engine={} ! gazeinfer engine={} profile={}",
        engine.display(),
        common::data("regression.onnx").display(),
        common::data("regression.toml").display()
    ));
    h.set_src_caps(coffee.caps());
    h.push(coffee.buffer(0)).unwrap();
    let buffer = h.pull().unwrap();
    assert_eq!(noted(&buffer), Some(GazeFaces { size: coffee.size, faces: Vec::new() }));
    assert_eq!(buffer.iter_meta::<VideoRegionOfInterestMeta>().count(), 0);
    // gazeinfer takes its word and does not fall back to the whole frame.
    assert_eq!(gaze::read(&buffer).unwrap().faces.len(), 0);
}

#[test]
fn gazeinfer_gets_every_face_with_its_details() {
    let test = "gazeinfer_gets_every_face_with_its_details";
    let Some(engine) = yunet(test) else { return };
    let Some(meeting) = Picture::shared(test, "uniface_meeting_f0") else { return };
    let mut h = Harness::new_parse(&format!(
        "gazeface engine={} ! videoconvert ! video/x-raw,format=NV12 ! gazeinfer engine={} \
         profile={}",
        engine.display(),
        common::data("regression.onnx").display(),
        common::data("regression.toml").display()
    ));
    h.set_src_caps(meeting.caps());
    h.push(meeting.buffer(0)).unwrap();
    let buffer = h.pull().unwrap();
    let found = noted(&buffer).unwrap();
    let result = gaze::read(&buffer).unwrap();
    assert_eq!(result.faces.len(), 5);
    for (estimate, (_, face)) in result.faces.iter().zip(&found.faces) {
        assert!(estimate.gaze.is_some());
        assert_eq!(estimate.region.rect, face.rect);
        assert!(estimate.region.confidence.is_some());
    }
}

#[test]
fn properties_choose_among_found_faces() {
    let test = "properties_choose_among_found_faces";
    let Some(engine) = yunet(test) else { return };
    let Some(meeting) = Picture::shared(test, "uniface_meeting_f0") else { return };
    for (properties, count) in [
        ("max-faces=2", 2),
        ("score-threshold=0.99", 0),
        ("min-face-size=400", 0),
        ("input-size=320", 5),
    ] {
        let mut h = element(&engine, properties);
        h.set_src_caps(meeting.caps());
        let found = look(&mut h, meeting.buffer(0)).unwrap();
        assert_eq!(found.faces.len(), count, "{properties}");
    }
}

#[test]
fn frames_between_inferences_get_the_last_faces() {
    let test = "frames_between_inferences_get_the_last_faces";
    let Some(engine) = yunet(test) else { return };
    let Some(picture) = Picture::shared(test, "skimage_astronaut_f0") else { return };
    let mut h = element(&engine, "inference-interval=3");
    h.set_src_caps(picture.caps());
    let seen: Vec<i32> =
        (0..7).flat_map(|second| ids(look(&mut h, picture.buffer(second)))).collect();
    assert_eq!(seen, [0, 0, 0, 1, 1, 1, 2]);
    let counts = ["frames", "faces", "inferences", "skipped"].map(|name| stat(&h, name));
    assert_eq!(counts, [7, 7, 3, 4]);
    assert!(stat(&h, "latency-p50") > 0);
}

#[test]
fn late_frames_are_passed_on_with_the_last_faces() {
    let test = "late_frames_are_passed_on_with_the_last_faces";
    let Some(engine) = yunet(test) else { return };
    let Some(picture) = Picture::shared(test, "skimage_astronaut_f0") else { return };
    let mut h = element(&engine, "");
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    h.set_src_caps(picture.caps());
    let late = |h: &mut Harness| {
        let qos = gst::event::Qos::builder(gst::QOSType::Underflow, 2.0, 5_000_000_000)
            .timestamp(gst::ClockTime::from_seconds(1))
            .build();
        h.push_upstream_event(qos);
    };
    // Late from the start: nothing is known yet, so the first one is looked at all the same.
    late(&mut h);
    assert_eq!(ids(look(&mut h, picture.buffer(0))), [0]);
    assert_eq!(ids(look(&mut h, picture.buffer(1))), [0]);
    let message = bus.pop_filtered(&[gst::MessageType::Qos]).expect("a QoS message");
    let gst::MessageView::Qos(qos) = message.view() else { panic!("{message:?}") };
    assert_eq!(qos.get().3, Some(gst::ClockTime::from_seconds(1)));
    // 1 s + 2 * 5 s is when it has caught up.
    assert_eq!(ids(look(&mut h, picture.buffer(12))), [1]);
    h.element().unwrap().set_property("qos", false);
    late(&mut h);
    assert_eq!(ids(look(&mut h, picture.buffer(2))), [2]);
}

#[test]
fn flush_and_new_caps_forget_the_last_faces() {
    let test = "flush_and_new_caps_forget_the_last_faces";
    let Some(engine) = yunet(test) else { return };
    let Some(picture) = Picture::shared(test, "skimage_astronaut_f0") else { return };
    let mut h = element(&engine, "inference-interval=100");
    h.set_src_caps(picture.caps());
    assert_eq!(ids(look(&mut h, picture.buffer(0))), [0]);
    assert_eq!(ids(look(&mut h, picture.buffer(1))), [0]);
    h.push_event(gst::event::FlushStart::new());
    h.push_event(gst::event::FlushStop::builder(true).build());
    h.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
    assert_eq!(ids(look(&mut h, picture.buffer(2))), [1]);
    // Another size: the old boxes say nothing about it.
    h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
    assert_eq!(ids(look(&mut h, black(64, 48))), [] as [i32; 0]);
    h.set_src_caps(picture.caps());
    assert_eq!(ids(look(&mut h, picture.buffer(3))), [2]);
}

#[test]
fn a_buffer_that_is_too_short_is_passed_on() {
    let test = "a_buffer_that_is_too_short_is_passed_on";
    let Some(engine) = yunet(test) else { return };
    let mut h = element(&engine, "");
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
    for second in 0..2 {
        let mut short = gst::Buffer::from_slice(vec![0u8; 100]);
        short.get_mut().unwrap().set_pts(gst::ClockTime::from_seconds(second));
        assert_eq!(look(&mut h, short), None);
    }
    let mut sound = black(64, 48);
    sound.get_mut().unwrap().set_pts(gst::ClockTime::from_seconds(2));
    assert!(look(&mut h, sound).is_some());
    let warnings = std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Warning])).count();
    assert_eq!(warnings, 1);
    assert!(bus.pop_filtered(&[gst::MessageType::Error]).is_none());
}

#[test]
fn a_file_plays_to_its_end() {
    let test = "a_file_plays_to_its_end";
    let Some(engine) = yunet(test) else { return };
    let Some(file) = common::shared(test, "media/frames/uniface_meeting_f0.png") else { return };
    launch(&format!(
        "filesrc location={} ! pngdec ! imagefreeze num-buffers=3 ! gazeface engine={} ! \
         videoconvert ! video/x-raw,format=I420 ! gazeface engine={} ! fakesink",
        file.display(),
        engine.display(),
        engine.display()
    ))
    .unwrap();
}

/// The error with which a pipeline with this engine ends.
fn refusal(engine: &Path) -> String {
    let description =
        format!("videotestsrc num-buffers=2 ! gazeface engine={} ! fakesink", engine.display());
    launch(&description).expect_err(&description)
}

#[test]
fn files_that_are_no_detector_are_refused() {
    let test = "files_that_are_no_detector_are_refused";
    if !runtime(test) {
        return;
    }
    says(&refusal(Path::new("missing.onnx")), &["missing.onnx", "does not exist"]);
    says(
        &refusal(&common::data("binned.onnx")),
        &["binned.onnx", "gaze model", "gazeinfer engine="],
    );
    says(
        &refusal(&common::data("free_size.onnx")),
        &["free_size.onnx", "Known face detectors: YuNet"],
    );
    if let Some(landmarks) = common::shared(test, "models/landmarks/pfld_98.onnx") {
        says(
            &refusal(&landmarks),
            &["pfld_98.onnx", "face_image [", "Known face detectors: YuNet"],
        );
    }
    if let Some(engine) = common::shared(test, YUNET) {
        let whole = std::fs::read(engine).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let cut = dir.path().join("cut.onnx");
        std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
        says(&refusal(&cut), &["cut.onnx"]);
    }
}

#[test]
fn an_element_that_refused_starts_once_it_can() {
    let test = "an_element_that_refused_starts_once_it_can";
    let Some(engine) = yunet(test) else { return };
    let element = gst::ElementFactory::make("gazeface").build().unwrap();
    element.set_property("engine", "missing.onnx");
    assert!(element.set_state(gst::State::Paused).is_err());
    for (engine, provider) in [(engine.to_str(), "cpu"), (None, "embedded")] {
        element.set_state(gst::State::Null).unwrap();
        element.set_property("engine", engine);
        element.set_state(gst::State::Paused).unwrap();
        let stats: gst::Structure = element.property("stats");
        assert_eq!(stats.get::<&str>("execution-provider"), Ok(provider));
    }
    element.set_state(gst::State::Null).unwrap();
}

#[test]
fn gazeface_restarts_twenty_times() {
    let test = "gazeface_restarts_twenty_times";
    let Some(engine) = yunet(test) else { return };
    let pipeline = gst::parse::launch(&format!(
        "videotestsrc ! video/x-raw,width=320,height=240 ! gazeface engine={} ! fakesink",
        engine.display()
    ))
    .unwrap();
    let bus = pipeline.bus().unwrap();
    for _ in 0..20 {
        for state in [gst::State::Playing, gst::State::Ready] {
            pipeline.set_state(state).unwrap();
            let (reached, ..) = pipeline.state(gst::ClockTime::from_seconds(20));
            reached.unwrap();
        }
        assert!(bus.pop_filtered(&[gst::MessageType::Error]).is_none());
    }
    pipeline.set_state(gst::State::Null).unwrap();
}
