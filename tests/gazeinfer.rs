//! `gazeinfer` as an application meets it: formats, regions, metadata, intervals, lifecycle.
//!
//! The model of these tests is a known function of the pixels (tests/data/make_models.py):
//! pitch = mean of red, yaw = mean of the right half of blue minus that of its left half.
#![cfg(feature = "plugin")]

mod common;

use common::element::{black, caps, halves, init, launch, runtime};
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoMeta, VideoRegionOfInterestMeta};
use gstgaze::core::face::FaceRegion;
use gstgaze::core::gaze::FrameGaze;
use gstgaze::core::geometry::{Rect, Size};
use gstgaze::core::image::PixelFormat;
use gstgaze::plugin::meta::{faces, gaze};

/// `gazeinfer` with a tiny model and these properties.
fn element_with(model: &str, properties: &str) -> Harness {
    let engine = common::data(model);
    let profile = common::data("regression.toml");
    Harness::new_parse(&format!(
        "gazeinfer engine={} profile={} {properties}",
        engine.display(),
        profile.display()
    ))
}

fn element(properties: &str) -> Harness {
    element_with("regression.onnx", properties)
}

/// Feeds one frame and reads what is on it afterwards.
fn look(h: &mut Harness, buffer: gst::Buffer) -> Option<FrameGaze> {
    h.push(buffer).unwrap();
    gaze::read(&h.pull().unwrap())
}

/// Class, and x, y, width, height.
type Region = (&'static str, (u32, u32, u32, u32));

/// A 64x48 frame with regions of interest.
fn with_regions(regions: &[Region]) -> gst::Buffer {
    let mut buffer = black(64, 48);
    for (class, rect) in regions {
        VideoRegionOfInterestMeta::add(buffer.get_mut().unwrap(), class, *rect);
    }
    buffer
}

fn rgb(h: &mut Harness, width: u32, height: u32) {
    h.set_src_caps(caps(VideoFormat::Rgb, width, height));
}

#[test]
fn every_format_and_odd_size_gives_the_angles() {
    if !runtime("every_format_and_odd_size_gives_the_angles") {
        return;
    }
    for format in PixelFormat::ALL {
        let theirs = gst_format(format);
        for (width, height) in [(64, 48), (38, 22), (34, 31)] {
            let frame = halves(theirs, width, height, [128, 128, 128], [128, 128, 128]);
            let mut h = element("");
            h.set_src_caps(caps(theirs, width, height));
            let result = look(&mut h, frame).unwrap();
            let gaze = result.faces[0].gaze.unwrap();
            assert!((gaze.pitch - 128.0 / 255.0).abs() < 0.01, "{theirs}: {gaze:?}");
            assert!(gaze.yaw.abs() < 0.01, "{theirs}: {gaze:?}");
            assert_eq!(result.size, Size::new(width, height));
        }
        if matches!(format, PixelFormat::Gray8 | PixelFormat::Gray16) {
            continue;
        }
        let frame = halves(theirs, 64, 48, [200, 0, 0], [200, 0, 255]);
        let mut h = element("");
        h.set_src_caps(caps(theirs, 64, 48));
        let gaze = look(&mut h, frame).unwrap().faces[0].gaze.unwrap();
        assert!((gaze.pitch - 200.0 / 255.0).abs() < 0.02, "{theirs}: {gaze:?}");
        assert!((gaze.yaw - 1.0).abs() < 0.05, "{theirs}: {gaze:?}");
    }
}

/// GStreamer's name of a pixel format.
fn gst_format(format: PixelFormat) -> VideoFormat {
    let caps = gstgaze::plugin::format::caps();
    let formats = caps.structure(0).unwrap().get::<gst::List>("format").unwrap();
    formats
        .iter()
        .map(|f| VideoFormat::from_string(f.get::<&str>().unwrap()))
        .find(|f| gstgaze::plugin::format::pixel_format(*f) == Some(format))
        .unwrap()
}

#[test]
fn gazeinfer_never_copies_pixels() {
    if !runtime("gazeinfer_never_copies_pixels") {
        return;
    }
    let mut h = element("");
    rgb(&mut h, 64, 48);
    let shared = black(64, 48);
    h.push(shared.clone()).unwrap();
    let out = h.pull().unwrap();
    assert!(gaze::read(&out).is_some() && gaze::read(&shared).is_none());
    let address = |b: &gst::Buffer| b.map_readable().unwrap().as_slice().as_ptr();
    assert_eq!(address(&shared), address(&out));
}

#[test]
fn strides_and_offsets_are_taken_from_the_buffer() {
    if !runtime("strides_and_offsets_are_taken_from_the_buffer") {
        return;
    }
    let (width, height, stride, offset) = (20usize, 10usize, 96usize, 40usize);
    let mut bytes = vec![255u8; offset + stride * height];
    for row in 0..height {
        let start = offset + row * stride;
        for pixel in bytes[start..start + width * 3].chunks_mut(3) {
            pixel.copy_from_slice(&[51, 7, 9]);
        }
    }
    let mut buffer = gst::Buffer::from_slice(bytes);
    VideoMeta::add_full(
        buffer.get_mut().unwrap(),
        gst_video::VideoFrameFlags::empty(),
        VideoFormat::Rgb,
        width as u32,
        height as u32,
        &[offset],
        &[stride as i32],
    )
    .unwrap();
    let mut h = element("");
    rgb(&mut h, width as u32, height as u32);
    let gaze = look(&mut h, buffer).unwrap().faces[0].gaze.unwrap();
    assert!((gaze.pitch - 0.2).abs() < 1e-5 && gaze.yaw.abs() < 1e-5, "{gaze:?}");
}

#[test]
fn regions_of_the_class_are_faces() {
    if !runtime("regions_of_the_class_are_faces") {
        return;
    }
    let regions = [("face", (4, 4, 16, 16)), ("car", (0, 0, 32, 32)), ("face", (30, 10, 20, 30))];
    let mut h = element("");
    rgb(&mut h, 64, 48);
    h.push(with_regions(&regions)).unwrap();
    let out = h.pull().unwrap();
    let result = gaze::read(&out).unwrap();
    assert_eq!(result.faces.len(), 2);
    assert_eq!(result.faces[1].region.rect, Rect::new(30.0, 10.0, 20.0, 30.0));
    let rois: Vec<_> = out.iter_meta::<VideoRegionOfInterestMeta>().collect();
    let has_gaze: Vec<_> = rois.iter().map(|roi| roi.param("gaze").is_some()).collect();
    assert_eq!(has_gaze, [true, false, true]);

    let mut h = element("object-class=car");
    rgb(&mut h, 64, 48);
    assert_eq!(look(&mut h, with_regions(&regions)).unwrap().faces.len(), 1);
    let mut h = element("object-class=\"\" min-object-width=20 min-object-height=31");
    rgb(&mut h, 64, 48);
    let result = look(&mut h, with_regions(&regions)).unwrap();
    assert_eq!(result.faces.len(), 1, "only the car is large enough");
}

#[test]
fn an_analysed_frame_without_faces_has_no_gaze() {
    if !runtime("an_analysed_frame_without_faces_has_no_gaze") {
        return;
    }
    let mut h = element("");
    rgb(&mut h, 64, 48);
    assert_eq!(look(&mut h, black(64, 48)).unwrap().faces.len(), 1, "no detector: whole frame");
    let mut looked = black(64, 48);
    faces::add(looked.get_mut().unwrap(), Size::new(64, 48), &[]).unwrap();
    assert_eq!(look(&mut h, looked).unwrap().faces.len(), 0, "looked at, empty");
    // A detector that marks nothing shows itself by its first region.
    let mut h = element("");
    rgb(&mut h, 64, 48);
    assert_eq!(look(&mut h, with_regions(&[("face", (4, 4, 9, 9))])).unwrap().faces.len(), 1);
    assert_eq!(look(&mut h, black(64, 48)).unwrap().faces.len(), 0);
    let mut h = element("inference-region=roi-list");
    rgb(&mut h, 64, 48);
    assert_eq!(look(&mut h, black(64, 48)).unwrap().faces.len(), 0);
    let mut h = element("inference-region=full-frame");
    rgb(&mut h, 64, 48);
    let result = look(&mut h, with_regions(&[("face", (4, 4, 9, 9))])).unwrap();
    assert_eq!(result.faces[0].region.rect, Rect::new(0.0, 0.0, 64.0, 48.0));
}

#[test]
fn the_fixed_region_is_a_fraction_of_the_frame() {
    if !runtime("the_fixed_region_is_a_fraction_of_the_frame") {
        return;
    }
    let mut h = element("inference-region=fixed region=<0.5,0.25,0.5,0.5>");
    rgb(&mut h, 64, 48);
    let frame = halves(VideoFormat::Rgb, 64, 48, [0, 0, 0], [255, 0, 0]);
    let result = look(&mut h, frame).unwrap();
    assert_eq!(result.faces[0].region.rect, Rect::new(32.0, 12.0, 32.0, 24.0));
    assert!((result.faces[0].gaze.unwrap().pitch - 1.0).abs() < 1e-5);
}

#[test]
fn a_region_outside_the_frame_is_refused_and_reported() {
    init();
    let element = gst::ElementFactory::make("gazeinfer").build().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    for bad in [vec![0.5, 0.0, 0.6, 1.0], vec![0.0, 0.0, 0.0, 1.0], vec![0.1, 0.2]] {
        element.set_property("region", gst::Array::new(bad));
        let warning = bus.pop_filtered(&[gst::MessageType::Warning]).expect("a warning");
        let gst::MessageView::Warning(warning) = warning.view() else { unreachable!() };
        assert!(warning.error().message().contains("region") || warning.debug().is_some());
        let kept = element.property::<gst::Array>("region");
        assert_eq!(kept.as_slice().len(), 4);
        assert_eq!(kept.as_slice()[2].get::<f64>().unwrap(), 1.0);
    }
}

#[test]
fn margin_grows_what_the_model_sees() {
    if !runtime("margin_grows_what_the_model_sees") {
        return;
    }
    // Red left of column 32; the region lies right of it, and its margin reaches across.
    let frame = || {
        let mut frame = halves(VideoFormat::Rgb, 64, 48, [255, 0, 0], [0, 0, 0]);
        let writable = frame.make_mut();
        VideoRegionOfInterestMeta::add(writable, "face", (32, 8, 16, 16));
        frame
    };
    for (margin, red) in [("-1", 0.0), ("0", 0.0), ("1.0", 0.25)] {
        let mut h = element(&format!("region-margin={margin}"));
        rgb(&mut h, 64, 48);
        let pitch = look(&mut h, frame()).unwrap().faces[0].gaze.unwrap().pitch;
        assert!((pitch - red).abs() < 1e-3, "margin {margin}: {pitch}");
    }
}

#[test]
fn frames_between_inferences_carry_the_last_result() {
    if !runtime("frames_between_inferences_carry_the_last_result") {
        return;
    }
    let mut h = element("inference-interval=3");
    rgb(&mut h, 64, 48);
    let ages: Vec<u32> =
        (0..7).map(|_| look(&mut h, black(64, 48)).unwrap().faces[0].age).collect();
    assert_eq!(ages, [0, 1, 2, 0, 1, 2, 0]);
    let stats = h.find_element("gazeinfer").unwrap().property::<gst::Structure>("stats");
    assert_eq!(stats.get::<u64>("frames"), Ok(7));
    assert_eq!(stats.get::<u64>("inferences"), Ok(3));
    assert_eq!(stats.get::<u64>("skipped"), Ok(4));
    assert_eq!(stats.get::<&str>("execution-provider"), Ok("cpu"));
    let latency = |which: &str| stats.get::<u64>(&format!("latency-{which}")).unwrap();
    assert!(latency("p50") > 0 && latency("p50") <= latency("max"));
}

#[test]
fn a_tracked_face_is_inferred_again_after_an_interval() {
    if !runtime("a_tracked_face_is_inferred_again_after_an_interval") {
        return;
    }
    let tracked = |id: u64| {
        let mut buffer = black(64, 48);
        let writable = buffer.get_mut().unwrap();
        let rect = Rect::new(4.0, 4.0, 16.0, 16.0);
        let face = FaceRegion { rect, track_id: Some(id), ..Default::default() };
        VideoRegionOfInterestMeta::add(writable, "face", (4, 4, 16, 16)).set_id(1);
        faces::add(writable, Size::new(64, 48), &[(1, face)]).unwrap();
        buffer
    };
    let mut h = element("reclassify-interval=3");
    rgb(&mut h, 64, 48);
    let mut ages = Vec::new();
    for id in [7, 7, 7, 7, 8, 8] {
        let face = look(&mut h, tracked(id)).unwrap().faces[0];
        assert_eq!(face.region.track_id, Some(id));
        ages.push(face.age);
    }
    assert_eq!(ages, [0, 1, 2, 0, 0, 1]);
}

/// Tells the element that everything before `earliest` is late.
fn late_before(h: &mut Harness, earliest: gst::ClockTime) {
    h.push_upstream_event(
        gst::event::Qos::builder(gst::QOSType::Underflow, 2.0, 0).timestamp(earliest).build(),
    );
}

#[test]
fn a_late_frame_goes_on_and_carries_the_last_result() {
    if !runtime("a_late_frame_goes_on_and_carries_the_last_result") {
        return;
    }
    let second = |n: u64| {
        let mut buffer = black(64, 48);
        buffer.get_mut().unwrap().set_pts(gst::ClockTime::from_seconds(n));
        buffer
    };
    for (qos, ages) in [("true", [0, 1, 0]), ("false", [0, 0, 0])] {
        let mut h = element(&format!("qos={qos}"));
        rgb(&mut h, 64, 48);
        let bus = gst::Bus::new();
        h.element().unwrap().set_bus(Some(&bus));
        let mut seen = vec![look(&mut h, second(0)).unwrap().faces[0].age];
        late_before(&mut h, gst::ClockTime::from_seconds(1));
        seen.push(look(&mut h, second(1)).unwrap().faces[0].age);
        seen.push(look(&mut h, second(2)).unwrap().faces[0].age);
        assert_eq!(seen, ages, "qos={qos}");
        let said = bus.pop_filtered(&[gst::MessageType::Qos]).is_some();
        assert_eq!(said, qos == "true");
    }
}

#[test]
fn a_flush_forgets_the_last_result() {
    if !runtime("a_flush_forgets_the_last_result") {
        return;
    }
    let mut h = element("inference-interval=100");
    rgb(&mut h, 64, 48);
    assert_eq!(look(&mut h, black(64, 48)).unwrap().faces[0].age, 0);
    assert_eq!(look(&mut h, black(64, 48)).unwrap().faces[0].age, 1);
    assert!(h.push_event(gst::event::FlushStart::new()));
    assert!(h.push_event(gst::event::FlushStop::new(true)));
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    assert!(h.push_event(gst::event::Segment::new(&segment)));
    assert_eq!(look(&mut h, black(64, 48)).unwrap().faces[0].age, 0);
}

#[test]
fn caps_may_change_in_the_stream() {
    if !runtime("caps_may_change_in_the_stream") {
        return;
    }
    let mut h = element("");
    for (format, width, height) in [
        (VideoFormat::Rgb, 64, 48),
        (VideoFormat::Nv12, 128, 64),
        (VideoFormat::Gray8, 16, 16),
        (VideoFormat::Rgb, 64, 48),
    ] {
        h.set_src_caps(caps(format, width, height));
        let frame = halves(format, width, height, [255; 3], [255; 3]);
        let result = look(&mut h, frame).unwrap();
        assert_eq!(result.size, Size::new(width, height));
        assert!((result.faces[0].gaze.unwrap().pitch - 1.0).abs() < 0.01);
    }
}

#[test]
fn two_hundred_faces_in_one_frame_are_inferred() {
    if !runtime("two_hundred_faces_in_one_frame_are_inferred") {
        return;
    }
    let mut buffer = black(640, 480);
    for i in 0..200u32 {
        let rect = (i % 20 * 30, i / 20 * 40, 24, 30);
        VideoRegionOfInterestMeta::add(buffer.get_mut().unwrap(), "face", rect);
    }
    for properties in ["batch-size=8", "batch-size=1", "batch-size=64"] {
        let mut h = element(properties);
        rgb(&mut h, 640, 480);
        let result = look(&mut h, buffer.copy()).unwrap();
        assert_eq!(result.faces.len(), 200);
        assert!(result.faces.iter().all(|face| face.gaze.is_some()));
    }
}

#[test]
fn every_kind_of_tiny_model_gives_the_same() {
    if !runtime("every_kind_of_tiny_model_gives_the_same") {
        return;
    }
    for model in [
        "regression.onnx",
        "regression.ort",
        "regression_batch1.onnx",
        "regression_batch4.onnx",
        "regression_f16.onnx",
    ] {
        let mut h = element_with(model, "");
        rgb(&mut h, 64, 48);
        let mut frame = halves(VideoFormat::Rgb, 64, 48, [102, 0, 0], [102, 0, 255]);
        for x in [0, 8, 16, 24, 32] {
            VideoRegionOfInterestMeta::add(frame.make_mut(), "face", (x, 0, 32, 48));
        }
        let yaws: Vec<f32> =
            look(&mut h, frame).unwrap().faces.iter().map(|face| face.gaze.unwrap().yaw).collect();
        let expected = [0.0, 0.5, 1.0, 0.5, 0.0];
        for (yaw, expected) in yaws.iter().zip(expected) {
            assert!((yaw - expected).abs() < 0.02, "{model}: {yaws:?}");
        }
    }
}

#[test]
fn frames_of_one_pixel_and_of_8k_are_served() {
    if !runtime("frames_of_one_pixel_and_of_8k_are_served") {
        return;
    }
    for (width, height) in [(1, 1), (1, 200), (7680, 4320)] {
        let mut h = element("");
        h.set_src_caps(caps(VideoFormat::Gray8, width, height));
        let info =
            gst_video::VideoInfo::builder(VideoFormat::Gray8, width, height).build().unwrap();
        let buffer = gst::Buffer::from_slice(vec![255u8; info.size()]);
        let gaze = look(&mut h, buffer).unwrap().faces[0].gaze.unwrap();
        assert!((gaze.pitch - 1.0).abs() < 0.01);
    }
}

#[test]
fn gazeinfer_posts_each_result_on_request() {
    if !runtime("gazeinfer_posts_each_result_on_request") {
        return;
    }
    let mut h = element("post-messages=true");
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    rgb(&mut h, 64, 48);
    let on_buffer = look(&mut h, black(64, 48)).unwrap();
    let message = bus.pop_filtered(&[gst::MessageType::Element]).expect("a message");
    let structure = message.structure().unwrap();
    assert_eq!(structure.name(), "gaze");
    assert_eq!(gaze::parse(structure), Some(on_buffer));
    assert_eq!(structure.get::<gst::ClockTime>("pts"), Ok(gst::ClockTime::ZERO));
}

#[test]
fn a_seek_and_the_end_of_the_stream_pass() {
    if !runtime("a_seek_and_the_end_of_the_stream_pass") {
        return;
    }
    let pipeline = gst::parse::launch(&format!(
        "videotestsrc num-buffers=60 ! video/x-raw,format=I420,width=64,height=48 ! gazeinfer \
         engine={} profile={} ! fakesink name=sink",
        common::data("regression.onnx").display(),
        common::data("regression.toml").display()
    ))
    .unwrap()
    .downcast::<gst::Pipeline>()
    .unwrap();
    pipeline.set_state(gst::State::Paused).unwrap();
    let (result, ..) = pipeline.state(gst::ClockTime::from_seconds(20));
    result.unwrap();
    let target = gst::ClockTime::from_mseconds(500);
    pipeline.seek_simple(gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE, target).unwrap();
    common::element::run(&pipeline).unwrap();
}

#[test]
fn a_pipeline_runs_without_a_detector() {
    if !runtime("a_pipeline_runs_without_a_detector") {
        return;
    }
    launch(&format!(
        "videotestsrc num-buffers=10 ! gazeinfer engine={} profile={} ! fakesink",
        common::data("regression.onnx").display(),
        common::data("regression.toml").display()
    ))
    .unwrap();
}

/// What is held back on purpose is latency that a live pipeline has to know of.
#[test]
fn waiting_for_other_streams_is_latency() {
    if !runtime("waiting_for_other_streams_is_latency") {
        return;
    }
    for (properties, wait) in
        [("batch-timeout=40", 40), ("batch-timeout=40 batch-size=1", 0), ("batch-timeout=0", 0)]
    {
        let mut h = element(properties);
        rgb(&mut h, 64, 48);
        h.set_upstream_latency(gst::ClockTime::from_mseconds(10));
        let pad = h.element().unwrap().static_pad("src").unwrap();
        let mut query = gst::query::Latency::new();
        assert!(pad.query(&mut query), "{properties}");
        let (_, min, _) = query.result();
        assert_eq!(min, gst::ClockTime::from_mseconds(10 + wait), "{properties}");
    }
}
