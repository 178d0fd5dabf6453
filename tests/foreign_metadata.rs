//! Metadata that other programs wrote: no region, result or judgement of theirs, whatever it holds,
//! ends the process, stops the stream or takes memory without bound, in any of the five elements.
#![cfg(feature = "plugin")]

mod common;

use std::ffi::CStr;

use common::element::{black, caps, init, runtime, says, warnings};
use glib::prelude::*;
use glib::translate::*;
use gst::meta::CustomMeta;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::face::FaceRegion;
use gstgaze::core::gaze::FrameGaze;
use gstgaze::core::geometry::{Point, Rect, Size};
use gstgaze::plugin::meta::{self, attention, faces, gaze};

const SIZE: Size = Size::new(64, 48);

/// The elements, each in a harness with a bus; `gazeinfer` only where there is a runtime.
fn elements(test: &str) -> Vec<(String, Harness, gst::Bus)> {
    init();
    let dir = std::env::temp_dir();
    let lines = dir.join(format!("{test}-{}.jsonl", std::process::id()));
    let mut launch = vec![
        "gazeface input-size=64".to_owned(),
        "gazeoverlay draw=boxes+arrows+text+landmarks+head-pose".to_owned(),
        "gazemonitor".to_owned(),
        format!("gazepublish add-empty-results=true location={}", lines.display()),
    ];
    if runtime(test) {
        for more in ["", "object-class=\"\" smoothing=true", "inference-region=roi-list"] {
            launch.push(format!("{} {more}", gazeinfer()));
        }
    }
    launch.into_iter().map(|launch| open(&launch)).collect()
}

fn gazeinfer() -> String {
    let (model, profile) = (common::data("regression.onnx"), common::data("regression.toml"));
    format!("gazeinfer engine={} profile={}", model.display(), profile.display())
}

fn open(launch: &str) -> (String, Harness, gst::Bus) {
    init();
    let mut h = Harness::new_parse(launch);
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    h.set_src_caps(caps(VideoFormat::Rgb, SIZE.width, SIZE.height));
    (launch.to_owned(), h, bus)
}

/// Sends the frame through every element; it must arrive, and no element may report an error.
fn all_pass(test: &str, frames: &[(String, gst::Buffer)]) {
    for (element, mut h, bus) in elements(test) {
        for (what, frame) in frames {
            assert!(h.push(frame.copy()).is_ok(), "{element}: {what}");
            h.pull().unwrap_or_else(|_| panic!("{element}: {what} does not arrive"));
            if let Some(error) = bus.pop_filtered(&[gst::MessageType::Error]) {
                panic!("{element}: {what}: {error:?}");
            }
            warnings(&bus);
        }
        h.push_event(gst::event::Eos::new());
    }
}

/// Adds a region with this quark as its type; 0 is that of NULL.
#[allow(unsafe_code)]
fn add_region(buffer: &mut gst::Buffer, quark: u32, [x, y, w, h]: [u32; 4]) {
    let raw = buffer.get_mut().unwrap().as_mut_ptr();
    // SAFETY: the buffer is writable.
    unsafe {
        gst_video::ffi::gst_buffer_add_video_region_of_interest_meta_id(raw, quark, x, y, w, h);
    }
}

/// The quark of any bytes, as C code makes it.
#[allow(unsafe_code)]
fn quark(bytes: &'static CStr) -> u32 {
    // SAFETY: the bytes are static and end with a zero.
    unsafe { glib::ffi::g_quark_from_static_string(bytes.as_ptr()) }
}

/// A value with these bytes as its string, as C code writes it.
#[allow(unsafe_code)]
fn string_value(bytes: &CStr) -> glib::SendValue {
    let mut value = glib::SendValue::from("");
    // SAFETY: the value is of the string type; GLib copies the bytes.
    unsafe { glib::gobject_ffi::g_value_set_string(value.to_glib_none_mut().0, bytes.as_ptr()) };
    value
}

/// Values of all sorts for a field that should hold a number, a string or an array.
fn values() -> Vec<glib::SendValue> {
    let point = gst::Structure::builder("point").field("x", 1.0).build();
    let numbers = |value: f64, count: usize| gst::Array::new(std::iter::repeat_n(value, count));
    let mut values = vec![
        "text".to_send_value(),
        None::<&str>.to_send_value(),
        true.to_send_value(),
        i32::MIN.to_send_value(),
        u32::MAX.to_send_value(),
        i64::MIN.to_send_value(),
        u64::MAX.to_send_value(),
        1.5f32.to_send_value(),
        None::<gst::Structure>.to_send_value(),
        point.to_send_value(),
        gst::Fraction::new(1, 3).to_send_value(),
        gst::List::new([1.0f64, 2.0]).to_send_value(),
        gst::Array::new(["a", "b"]).to_send_value(),
        gst::Array::new([numbers(1.0, 2)]).to_send_value(),
        gst::Array::new([string_value(c"\xc3\x28")]).to_send_value(),
        gst::Array::new([point.to_send_value(), None::<gst::Structure>.to_send_value()])
            .to_send_value(),
    ];
    let wild = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e30, 4.3e9, -0.0, 1e-310];
    values.extend(wild.map(|number| number.to_send_value()));
    values.extend([0, 1, 2, 8, 10, 5000].map(|count| numbers(0.5, count).to_send_value()));
    values.extend(wild.map(|number| numbers(number, 10).to_send_value()));
    values.extend(wild.map(|number| numbers(number, 8).to_send_value()));
    values
}

const NUMBERS: [&str; 17] = [
    "x",
    "y",
    "w",
    "h",
    "pitch",
    "yaw",
    "roll",
    "confidence",
    "id",
    "right",
    "left",
    "right-eye-x",
    "right-eye-y",
    "head-pitch",
    "head-yaw",
    "origin-x",
    "age",
];

#[test]
fn regions_of_any_kind_pass_every_element() {
    init();
    let types = [0, quark(c"face"), quark(c""), quark(c"fa\xe7e"), quark(c"\xff"), quark(c"FACE")];
    let rects = [
        [0, 0, 0, 0],
        [4, 4, 16, 16],
        [0, 0, u32::MAX, u32::MAX],
        [u32::MAX, u32::MAX, u32::MAX, u32::MAX],
        [60, 40, 100, 100],
        [1, 1, u32::MAX - 1, 1],
        [63, 47, 1, 1],
    ];
    let mut frames = Vec::new();
    for kind in types {
        for rect in rects {
            let mut buffer = black(SIZE.width, SIZE.height);
            add_region(&mut buffer, kind, rect);
            frames.push((format!("type {kind}, {rect:?}"), buffer));
        }
    }
    // Every parameter that an element reads, with fields of every type.
    let names =
        ["detection", "object_id", "landmarks", "eyes", "eye-openness", "head-pose", "gaze"];
    for (number, value) in values().into_iter().enumerate() {
        let named = format!("value {number} ({})", value.type_());
        let mut buffer = black(SIZE.width, SIZE.height);
        for rect in [[4, 4, 16, 16], [20, 20, 16, 16]] {
            add_region(&mut buffer, quark(c"face"), rect);
        }
        for mut roi in buffer.get_mut().unwrap().iter_meta_mut::<VideoRegionOfInterestMeta>() {
            roi.set_id(i32::MIN);
            roi.set_parent_id(i32::MAX);
            for name in names {
                let mut s = gst::Structure::new_empty(name);
                for field in NUMBERS {
                    s.set_value(field, value.clone());
                }
                roi.add_param(s);
            }
        }
        frames.push((format!("parameters {named}"), buffer));
    }
    // Thousands of parameters, and parents in a circle.
    let mut buffer = black(SIZE.width, SIZE.height);
    for _ in 0..2 {
        add_region(&mut buffer, quark(c"face"), [4, 4, 16, 16]);
    }
    for (id, mut roi) in
        (0..).zip(buffer.get_mut().unwrap().iter_meta_mut::<VideoRegionOfInterestMeta>())
    {
        roi.set_id(id);
        roi.set_parent_id(1 - id);
        for index in 0..5000 {
            roi.add_param(gst::Structure::new_empty(format!("parameter-{index}")));
        }
    }
    frames.push(("thousands of parameters".to_owned(), buffer));
    all_pass("regions_of_any_kind_pass_every_element", &frames);
}

/// A custom meta with these fields.
fn with_meta(name: &str, fields: &[(&str, glib::SendValue)]) -> gst::Buffer {
    let mut buffer = black(SIZE.width, SIZE.height);
    // The name is registered by `meta::register`.
    let mut custom = CustomMeta::add(buffer.get_mut().unwrap(), name).unwrap();
    for (field, value) in fields {
        custom.mut_structure().set_value(*field, value.clone());
    }
    buffer
}

#[test]
fn results_of_any_kind_pass_every_element() {
    init();
    meta::register();
    let size = [("width", 64i32.to_send_value()), ("height", 48i32.to_send_value())];
    let outer = ["width", "height", "faces", "model", "source-id", "inference-time"];
    let inner = [
        "x",
        "y",
        "w",
        "h",
        "pitch",
        "yaw",
        "confidence",
        "detection-confidence",
        "track-id",
        "age",
        "landmarks",
        "eyes",
        "eye-openness",
        "head-pitch",
        "head-yaw",
        "head-roll",
        "origin-x",
        "origin-y",
        "origin-z",
        "roi-id",
    ];
    let judged = [
        "state",
        "level",
        "alarms",
        "reason",
        "zone",
        "zone-class",
        "pitch",
        "yaw",
        "away-time",
        "shared-time",
        "closed-time",
        "perclos",
        "forward-pitch",
        "forward-yaw",
        "forward-confidence",
        "speed",
        "face",
        "rules",
        "source-id",
        "left-road-time",
        "raised",
        "raised-level",
        "raised-delay",
        "raised-zone-delay",
    ];
    let mut frames = Vec::new();
    for name in [gaze::NAME, faces::NAME, attention::NAME] {
        frames.push((format!("an empty {name}"), with_meta(name, &[])));
        frames.push((format!("{name} of a size alone"), with_meta(name, &size)));
    }
    for (number, value) in values().into_iter().enumerate() {
        let named = format!("value {number} ({})", value.type_());
        for name in [gaze::NAME, faces::NAME] {
            // One field of the frame, and then all fields of a face, have the value.
            for field in outer {
                let mut fields = size.to_vec();
                fields.push((field, value.clone()));
                frames.push((format!("{name}: {field}={named}"), with_meta(name, &fields)));
            }
            for least in [0, 4] {
                let mut face = gst::Structure::new_empty("face");
                for (field, number) in inner.into_iter().zip([4.0, 4.0, 20.0, 20.0]) {
                    face.set(field, number);
                }
                for field in &inner[least..] {
                    face.set_value(*field, value.clone());
                }
                let list = gst::Array::new([face.to_send_value(), face.to_send_value()]);
                let mut fields = size.to_vec();
                fields.push(("faces", list.to_send_value()));
                frames.push((format!("{name}: face of {named}"), with_meta(name, &fields)));
            }
        }
        let mut fields: Vec<_> = judged.map(|field| (field, value.clone())).into();
        frames.push((format!("AttentionMeta of {named}"), with_meta(attention::NAME, &fields)));
        fields[0] = ("state", "attentive".to_send_value());
        frames.push((format!("attentive, {named}"), with_meta(attention::NAME, &fields)));
    }
    all_pass("results_of_any_kind_pass_every_element", &frames);
}

/// A list of alarms that C code wrote: GStreamer checks the strings of fields, and not those in arrays.
#[test]
fn strings_that_are_no_utf8_are_no_names() {
    init();
    meta::register();
    let alarms = gst::Array::new([string_value(c"\xff"), "sleep".to_send_value()]);
    let fields = [("state", "asleep".to_send_value()), ("alarms", alarms.to_send_value())];
    let read = attention::read(&with_meta(attention::NAME, &fields)).unwrap();
    assert_eq!(read.alarms.iter().count(), 1);
}

/// What 10,000 faces or regions come to.
const MANY: u32 = 10_000;

#[test]
fn ten_thousand_regions_are_looked_at_up_to_the_limit() {
    let test = "ten_thousand_regions_are_looked_at_up_to_the_limit";
    if !runtime(test) {
        return;
    }
    // Others of no interest come first: they do not count.
    let mut buffer = black(SIZE.width, SIZE.height);
    for index in 0..2 * MANY {
        let kind = if index < MANY { quark(c"car") } else { quark(c"face") };
        add_region(&mut buffer, kind, [index % 40, index % 30, 16, 16]);
    }
    let mut exact =
        vec![(0, FaceRegion { rect: Rect::new(1.0, 1.0, 16.0, 16.0), ..Default::default() })];
    exact.resize(MANY as usize, exact[0]);
    faces::add(buffer.get_mut().unwrap(), SIZE, &exact).unwrap();
    let (_, mut h, bus) = open(&gazeinfer());
    for _ in 0..3 {
        h.push(buffer.copy()).unwrap();
        let out = h.pull().unwrap();
        let result = gaze::read(&out).unwrap();
        assert_eq!(result.faces.len(), meta::MAX_FACES);
        assert!(result.faces.iter().all(|face| face.gaze.is_some()));
        let regions = out.iter_meta::<VideoRegionOfInterestMeta>();
        let annotated: Vec<usize> = regions
            .enumerate()
            .filter(|(_, roi)| roi.param("gaze").is_some())
            .map(|(index, _)| index)
            .collect();
        let first = MANY as usize;
        assert!(annotated.iter().copied().eq(first..first + meta::MAX_FACES));
    }
    let told = warnings(&bus);
    assert_eq!(told.len(), 1, "{told:?}");
    says(&told[0], &["10000 faces", "256", "max-faces"]);
}

#[test]
fn readers_take_the_first_faces_of_a_result_and_say_so_once() {
    init();
    meta::register();
    let dir = tempfile::tempdir().unwrap();
    let lines = dir.path().join("out.jsonl");
    let mut frame = FrameGaze { size: SIZE, ..Default::default() };
    frame.faces.resize(MANY as usize, Default::default());
    for face in &mut frame.faces {
        face.region.rect = Rect::new(4.0, 4.0, 20.0, 20.0);
    }
    let mut buffer = black(SIZE.width, SIZE.height);
    gaze::add(buffer.get_mut().unwrap(), &frame).unwrap();
    for element in
        ["gazeoverlay", "gazemonitor", &format!("gazepublish location={}", lines.display())]
    {
        let (_, mut h, bus) = open(element);
        for _ in 0..3 {
            h.push(buffer.copy()).unwrap();
            h.pull().unwrap();
        }
        h.push_event(gst::event::Eos::new());
        let told = warnings(&bus);
        assert_eq!(told.len(), 1, "{element}: {told:?}");
        says(&told[0], &["256", "max-faces"]);
    }
    let text = std::fs::read_to_string(lines).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(line["faces"].as_array().unwrap().len(), meta::MAX_FACES);
}

/// A region of another detector that has the id of one of gazeface's faces by chance.
#[test]
fn an_id_alone_gives_no_landmarks() {
    let test = "an_id_alone_gives_no_landmarks";
    if !runtime(test) {
        return;
    }
    let landmarks = Some([Point { x: 10.0, y: 10.0 }; 5]);
    let noted = FaceRegion {
        rect: Rect::new(4.0, 4.0, 16.0, 16.0),
        landmarks,
        track_id: Some(7),
        ..Default::default()
    };
    // Elsewhere; the same place; the same place, drawn more tightly.
    for (rect, same) in [([40, 20, 16, 16], false), ([4, 4, 16, 16], true), ([5, 5, 13, 14], true)]
    {
        let mut buffer = black(SIZE.width, SIZE.height);
        faces::add(buffer.get_mut().unwrap(), SIZE, &[(0, noted)]).unwrap();
        add_region(&mut buffer, quark(c"face"), rect);
        let (_, mut h, _bus) = open(&gazeinfer());
        h.push(buffer).unwrap();
        let face = gaze::read(&h.pull().unwrap()).unwrap().faces[0].region;
        assert_eq!(face.landmarks.is_some(), same, "{rect:?}");
        assert_eq!(face.track_id, same.then_some(7), "{rect:?}");
    }
}
