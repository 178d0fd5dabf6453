//! What GStreamer's own elements do with GazeMeta: the survival table, measured.
//!
//! The convention (README, "GazeMeta") depends on it: boxes refer to the size inside the meta,
//! because the meta survives scaling unchanged; angles are dropped where they would be wrong.
#![cfg(feature = "plugin")]

mod common;

use common::element::init;
use gst::prelude::*;
use gst_video::VideoRegionOfInterestMeta;
use gstgaze::core::face::FaceRegion;
use gstgaze::core::gaze::{FrameGaze, GazeEstimate};
use gstgaze::core::geometry::{Gaze, Rect, Size};
use gstgaze::plugin::meta::{faces, gaze, input_region, region};

const SIZE: Size = Size::new(64, 48);

fn sample() -> FrameGaze {
    let rect = Rect::new(8.0, 12.0, 20.0, 16.0);
    FrameGaze {
        size: SIZE,
        faces: vec![GazeEstimate {
            region: FaceRegion { rect, confidence: Some(0.5), ..Default::default() },
            gaze: Some(Gaze::new(0.125, -0.25)),
            ..Default::default()
        }],
        model: "test".into(),
        ..Default::default()
    }
}

/// A frame that went through gazeface and gazeinfer.
fn looked_at() -> gst::Buffer {
    let mut buffer = gst::Buffer::with_size(64 * 48 * 3).unwrap();
    {
        let buffer = buffer.get_mut().unwrap();
        buffer.set_pts(gst::ClockTime::ZERO);
        let frame = sample();
        let face = frame.faces[0].region;
        region::add_roi(buffer, "face", 1, &face, SIZE);
        faces::add(buffer, SIZE, &[(1, face)]).unwrap();
        gaze::add(buffer, &frame).unwrap();
        region::annotate(buffer, input_region::MetaHandle::Roi { index: 0 }, &frame.faces[0]);
    }
    buffer
}

/// Sends such a frame through `launch` and returns the first buffer that comes out.
fn through(launch: &str) -> gst::Buffer {
    init();
    let mut h = gst_check::Harness::new_parse(launch);
    h.set_src_caps_str("video/x-raw,format=RGB,width=64,height=48,framerate=30/1");
    // A sink that takes what comes: the caps are fixed inside `launch`.
    h.play();
    assert!(h.push(looked_at()).is_ok(), "{launch}");
    // videorate keeps a frame back until it knows how long it lasts.
    h.push_event(gst::event::Eos::new());
    let out = h.pull();
    out.unwrap_or_else(|_| panic!("{launch} gives no buffer"))
}

/// What is left after an element.
#[derive(Debug, PartialEq)]
struct Left {
    gaze: bool,
    faces: bool,
    region: bool,
    region_gaze: bool,
}

fn left(buffer: &gst::BufferRef) -> Left {
    let found = &mut faces::GazeFaces::default();
    let roi = buffer.iter_meta::<VideoRegionOfInterestMeta>().next();
    let gaze = gaze::read(buffer);
    if let Some(gaze) = &gaze {
        assert_eq!(*gaze, sample(), "what survives is unchanged");
    }
    Left {
        gaze: gaze.is_some(),
        faces: faces::read_into(buffer, found),
        region_gaze: roi.as_ref().is_some_and(|roi| roi.param("gaze").is_some()),
        region: roi.is_some(),
    }
}

const ALL: Left = Left { gaze: true, faces: true, region: true, region_gaze: true };

#[test]
fn elements_that_pass_buffers_on_keep_everything() {
    for launch in [
        "identity",
        "queue",
        "tee name=t ! queue",
        "videorate",
        "videobalance brightness=0.5",
        "capsfilter",
    ] {
        assert_eq!(left(&through(launch)), ALL, "{launch}");
    }
}

#[test]
fn conversion_keeps_the_metas_and_loses_region_parameters() {
    let converted = Left { region_gaze: false, ..ALL };
    for launch in [
        "videoconvert ! capsfilter caps=video/x-raw,format=NV12",
        "videoscale ! capsfilter caps=video/x-raw,width=32,height=24",
        "videoconvert ! videoscale ! capsfilter caps=video/x-raw,format=I420,width=128,height=96",
    ] {
        assert_eq!(left(&through(launch)), converted, "{launch}");
    }
}

#[test]
fn geometry_that_would_make_angles_wrong_drops_them() {
    for launch in ["videoflip video-direction=horiz", "videocrop left=4 ! identity"] {
        let left = left(&through(launch));
        assert!(!left.gaze && !left.faces, "{launch}: {left:?}");
    }
}

#[test]
fn boxes_follow_a_reader_to_the_size_of_its_frame() {
    let out = through("videoscale ! capsfilter caps=video/x-raw,width=32,height=24");
    let frame = gaze::read(&out).unwrap().rescaled(Size::new(32, 24));
    assert_eq!(frame.faces[0].region.rect, Rect::new(4.0, 6.0, 10.0, 8.0));
    let roi = out.meta::<VideoRegionOfInterestMeta>().unwrap();
    assert_eq!(roi.rect(), (4, 6, 10, 8), "GStreamer agrees");
}

#[test]
fn regions_keep_their_details_across_a_conversion() {
    let out = through(
        "videoconvert ! videoscale ! capsfilter caps=video/x-raw,format=NV12,width=32,height=24",
    );
    let mut regions = Vec::new();
    let size = Size::new(32, 24);
    assert!(region::RegionReader::default().read(&out, size, "face", &mut regions));
    assert_eq!(regions[0].face.confidence, Some(0.5));
    assert_eq!(regions[0].face.rect, Rect::new(4.0, 6.0, 10.0, 8.0));
}

#[test]
fn an_application_gets_the_metas_from_an_appsink() {
    init();
    let pipeline = gst::Pipeline::new();
    let src = gst_app::AppSrc::builder()
        .caps(
            &gst_video::VideoCapsBuilder::new()
                .format(gst_video::VideoFormat::Rgb)
                .width(64)
                .height(48)
                .framerate(gst::Fraction::new(30, 1))
                .build(),
        )
        .format(gst::Format::Time)
        .build();
    let tee = gst::ElementFactory::make("tee").build().unwrap();
    let sink = gst_app::AppSink::builder().sync(false).build();
    pipeline.add_many([src.upcast_ref(), &tee, sink.upcast_ref()]).unwrap();
    gst::Element::link_many([src.upcast_ref(), &tee, sink.upcast_ref()]).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    src.push_buffer(looked_at()).unwrap();
    src.end_of_stream().unwrap();
    let pulled = sink.try_pull_sample(gst::ClockTime::from_seconds(10)).expect("a sample");
    assert_eq!(left(pulled.buffer().unwrap()), ALL);
    pipeline.set_state(gst::State::Null).unwrap();
}
