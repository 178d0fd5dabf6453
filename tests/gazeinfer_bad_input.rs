//! Bad input to `gazeinfer`: each has an error or a warning that names the cause, and loses nothing.
#![cfg(feature = "plugin")]

mod common;

use std::path::Path;

use common::element::{black, caps, init, launch, runtime, says};
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::plugin::meta::gaze;

/// The error with which a pipeline with this engine ends.
fn refusal(engine: &Path, properties: &str) -> String {
    let description = format!(
        "videotestsrc num-buffers=2 ! gazeinfer engine={} {properties} ! fakesink",
        engine.display()
    );
    launch(&description).expect_err(&description)
}

#[test]
fn a_profile_without_an_engine_is_refused() {
    init();
    let profile = "videotestsrc num-buffers=2 ! gazeinfer profile=mobilegaze ! fakesink";
    says(&launch(profile).unwrap_err(), &["profile", "engine"]);
}

#[test]
fn files_that_are_no_model_are_refused() {
    if !runtime("files_that_are_no_model_are_refused") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let model = std::fs::read(common::data("regression.onnx")).unwrap();
    says(&refusal(&dir.path().join("missing.onnx"), ""), &["missing.onnx", "not exist"]);
    says(&refusal(&file("empty.onnx", b""), ""), &["empty.onnx", "empty"]);
    says(&refusal(&file("cut.onnx", &model[..model.len() / 2]), ""), &["cut.onnx"]);
    says(&refusal(&file("text.onnx", b"<html>404 not found</html>\n"), ""), &["text.onnx"]);
    says(&refusal(dir.path(), ""), &["directory"]);
}

/// Every part of a model is refused with the words of `gazetool inspect`, on any provider.
#[test]
fn parts_of_a_model_are_told_as_parts() {
    if !runtime("parts_of_a_model_are_told_as_parts") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("part.onnx");
    let model = std::fs::read(common::data("regression.onnx")).unwrap();
    for share in 1..8 {
        std::fs::write(&path, &model[..model.len() * share / 8]).unwrap();
        for provider in ["auto", "cpu"] {
            let why = refusal(&path, &format!("execution-provider={provider}"));
            says(&why, &["part.onnx", "not a complete one"]);
        }
    }
}

#[test]
fn a_model_that_fits_no_profile_is_refused() {
    if !runtime("a_model_that_fits_no_profile_is_refused") {
        return;
    }
    says(&refusal(&common::data("string_output.onnx"), ""), &["string_output"]);
    says(&refusal(&common::data("int64_input.onnx"), ""), &["int64_input"]);
}

#[test]
fn a_face_detector_is_sent_to_gazeface() {
    let test = "a_face_detector_is_sent_to_gazeface";
    if !runtime(test) {
        return;
    }
    for model in ["yunet_n_320_320.onnx", "yunet_n_dynamic.onnx", "scrfd_500m_bnkps.onnx"] {
        let Some(engine) = common::shared(test, &format!("models/face/{model}")) else { continue };
        says(&refusal(&engine, ""), &[model, "face detector", "gazeface engine="]);
    }
}

#[test]
fn a_profile_that_does_not_fit_the_model_is_refused() {
    if !runtime("a_profile_that_does_not_fit_the_model_is_refused") {
        return;
    }
    let model = common::data("regression.onnx");
    says(&refusal(&model, "profile=mobilegaze"), &["mobilegaze"]);
    says(&refusal(&model, "profile=no-such-profile"), &["no-such-profile", "mobilegaze"]);
    let dir = tempfile::tempdir().unwrap();
    let broken = dir.path().join("broken.toml");
    std::fs::write(&broken, "name = \"x\"\n[[input]]\ntensor = 0\nrole = \"foot\"\n").unwrap();
    says(
        &refusal(&model, &format!("profile={}", broken.display())),
        &["broken.toml", "line 4", "foot"],
    );
}

#[test]
fn a_missing_provider_is_refused() {
    if !runtime("a_missing_provider_is_refused") {
        return;
    }
    let profile = format!("profile={}", common::data("regression.toml").display());
    let error = refusal(
        &common::data("regression.onnx"),
        &format!("{profile} execution-provider=tensorrt"),
    );
    says(&error, &["tensorrt"]);
}

#[test]
fn impossible_calibrations_are_refused() {
    init();
    let dir = tempfile::tempdir().unwrap();
    let model = common::data("regression.onnx");
    let profile = format!("profile={}", common::data("regression.toml").display());
    let refused = |path: &Path, words: &[&str]| {
        let error = refusal(&model, &format!("{profile} camera={}", path.display()));
        says(&error, &["calibration", &path.display().to_string()]);
        says(&error, words);
    };
    let good = "image_width: 640\nimage_height: 480\nfx: 500\nfy: 500\ncx: 320\ncy: 240\n";
    let coefficients = |value: &str| format!("{good}D: [{}]\n", [value; 20].join(", "));
    for (name, text, words) in [
        ("zero", good.replace("fx: 500", "fx: 0"), &["line 3", "fx", "positive"][..]),
        ("negative", good.replace("fy: 500", "fy: -3"), &["line 4", "fy", "positive"]),
        ("nan", good.replace("cx: 320", "cx: .nan"), &["line 5", "cx", "finite"]),
        ("infinite", good.replace("fx: 500", "fx: .inf"), &["line 3", "fx", "finite"]),
        ("vast", good.replace("fx: 500", "fx: 1e300"), &["line 3", "degrees"]),
        ("no_matrix", good.replace("fx: 500\nfy: 500\n", ""), &["no 'camera_matrix'", "write"]),
        ("no_size", good.replace("image_width: 640\n", ""), &["image_width", "pixels"]),
        ("20_numbers", coefficients("0.01"), &["line 7", "20 numbers", "k1", "calibrate"]),
        ("20_zeros", coefficients("0"), &["line 7", "20 numbers", "k1"]),
        ("empty", String::new(), &["yaml", "opencv"]),
        ("page", "<html>404 not found</html>".to_owned(), &["yaml", "opencv"]),
        ("long", "#".repeat((1 << 20) + 1), &["more than the 1048576 bytes"]),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        refused(&path, words);
    }
    let bytes = dir.path().join("bytes");
    std::fs::write(&bytes, [0xff, 0xfe, 0x00, 0x80]).unwrap();
    refused(&bytes, &["not a text", "yaml"]);
    refused(&dir.path().join("missing"), &["does not exist", "property 'camera'"]);
    refused(dir.path(), &["not a regular file"]);
}

/// Faces in a grid, each of another red.
#[test]
fn two_hundred_faces_in_a_frame_are_served() {
    if !runtime("two_hundred_faces_in_a_frame_are_served") {
        return;
    }
    const COLUMNS: u32 = 20;
    let size = (COLUMNS * 16, 10 * 16);
    let red = |index: u32| index as u8 + 20;
    let pixels = (0..size.0 * size.1).flat_map(|at| {
        let (x, y) = (at % size.0, at / size.0);
        [red(y / 16 * COLUMNS + x / 16), 0, 0]
    });
    let pixels: Vec<u8> = pixels.collect();
    for model in ["regression.onnx", "regression_batch4.onnx", "regression_batch1.onnx"] {
        let (mut h, bus) = element(model);
        h.set_src_caps(caps(VideoFormat::Rgb, size.0, size.1));
        for _ in 0..2 {
            let mut buffer = gst::Buffer::from_slice(pixels.clone());
            for index in 0..200 {
                let rect = (index % COLUMNS * 16, index / COLUMNS * 16, 16, 16);
                VideoRegionOfInterestMeta::add(buffer.get_mut().unwrap(), "face", rect);
            }
            h.push(buffer).unwrap();
            let result = gaze::read(&h.pull().unwrap()).unwrap();
            assert_eq!(result.faces.len(), 200, "{model}");
            for (index, face) in (0..).zip(&result.faces) {
                let (pitch, wanted) = (face.gaze.unwrap().pitch, f32::from(red(index)) / 255.0);
                assert!((pitch - wanted).abs() < 1e-5, "{model}, face {index}: {pitch} {wanted}");
            }
        }
        let stats = h.find_element("gazeinfer").unwrap().property::<gst::Structure>("stats");
        assert_eq!((stats.get("inferences"), stats.get("invalid")), (Ok(400u64), Ok(0u64)));
        assert!(bus.pop_filtered(&[gst::MessageType::Error, gst::MessageType::Warning]).is_none());
    }
}

/// `gazeinfer` with this model, in a harness, with a bus.
fn element(model: &str) -> (Harness, gst::Bus) {
    let h = Harness::new_parse(&format!(
        "gazeinfer engine={} profile={}",
        common::data(model).display(),
        common::data("regression.toml").display()
    ));
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    (h, bus)
}

#[test]
fn regions_outside_the_frame_get_no_gaze() {
    if !runtime("regions_outside_the_frame_get_no_gaze") {
        return;
    }
    let (mut h, bus) = element("regression.onnx");
    h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
    let mut buffer = black(64, 48);
    for rect in [
        (0, 0, 0, 0),
        (10, 10, 0, 20),
        (64, 0, 10, 10),
        (u32::MAX, u32::MAX, u32::MAX, u32::MAX),
        (4, 4, 16, 16),
        (60, 40, 100, 100),
    ] {
        VideoRegionOfInterestMeta::add(buffer.get_mut().unwrap(), "face", rect);
    }
    h.push(buffer).unwrap();
    let result = gaze::read(&h.pull().unwrap()).unwrap();
    let with_gaze = result.faces.iter().filter(|face| face.gaze.is_some()).count();
    assert_eq!(with_gaze, 2, "the one inside and the one half outside: {:?}", result.faces);
    assert!(bus.pop_filtered(&[gst::MessageType::Error, gst::MessageType::Warning]).is_none());
}

#[test]
fn a_model_that_gives_not_a_number_gives_no_gaze() {
    if !runtime("a_model_that_gives_not_a_number_gives_no_gaze") {
        return;
    }
    let (mut h, _bus) = element("not_a_number.onnx");
    h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
    for _ in 0..3 {
        h.push(black(64, 48)).unwrap();
        let result = gaze::read(&h.pull().unwrap()).unwrap();
        assert_eq!(result.faces.len(), 1, "the face is reported");
        assert_eq!(result.faces[0].gaze, None, "without gaze");
    }
    let stats = h.find_element("gazeinfer").unwrap().property::<gst::Structure>("stats");
    assert_eq!(stats.get::<u64>("invalid"), Ok(3));
}

#[test]
fn buffers_that_are_no_frame_pass() {
    if !runtime("buffers_that_are_no_frame_pass") {
        return;
    }
    let (mut h, bus) = element("regression.onnx");
    h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
    for broken in [gst::Buffer::new(), gst::Buffer::with_size(100).unwrap()] {
        h.push(broken).unwrap();
        assert!(gaze::read(&h.pull().unwrap()).is_none());
    }
    let warning = bus.pop_filtered(&[gst::MessageType::Warning]).expect("a warning");
    let gst::MessageView::Warning(warning) = warning.view() else { unreachable!() };
    says(&warning.error().to_string(), &["bytes", "without gaze"]);
    assert!(bus.pop_filtered(&[gst::MessageType::Warning]).is_none(), "said once");
    h.push(black(64, 48)).unwrap();
    assert!(gaze::read(&h.pull().unwrap()).is_some(), "the stream goes on");
}

#[test]
fn unreadable_caps_are_refused() {
    init();
    let profile = common::data("regression.toml");
    for caps in [
        "video/x-raw,format=v210,width=64,height=48,framerate=30/1",
        "video/x-raw(memory:GLMemory),format=RGBA,width=64,height=48,framerate=30/1",
        "video/x-raw,format=RGB,width=0,height=0,framerate=30/1",
        "audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved",
    ] {
        let element = gst::ElementFactory::make("gazeinfer")
            .property("profile", profile.to_str().unwrap())
            .build()
            .unwrap();
        let sink = element.static_pad("sink").unwrap();
        let caps: gst::Caps = caps.parse().unwrap();
        assert!(!sink.query_accept_caps(&caps), "{caps}");
    }
}

/// `NULL` does not wait for the rest of a frame with hundreds of faces.
#[test]
fn a_frame_with_many_faces_is_interruptible() {
    if !runtime("a_frame_with_many_faces_is_interruptible") {
        return;
    }
    let description = "appsrc name=source format=time \
         caps=video/x-raw,format=RGB,width=640,height=480,framerate=30/1 ! \
         gazeinfer name=gaze batch-size=1 threads=1 ! fakesink";
    let pipeline = gst::parse::launch(description).unwrap().downcast::<gst::Pipeline>().unwrap();
    let source = pipeline.by_name("source").unwrap().downcast::<gst_app::AppSrc>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut buffer = gst::Buffer::from_slice(vec![99; 640 * 480 * 3]);
    for index in 0..250 {
        let rect = (index % 20 * 8, index / 20 * 8, 300, 300);
        VideoRegionOfInterestMeta::add(buffer.get_mut().unwrap(), "face", rect);
    }
    source.push_buffer(buffer).unwrap();
    let gaze = pipeline.by_name("gaze").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    pipeline.set_state(gst::State::Null).unwrap();
    let stats = gaze.property::<gst::Structure>("stats");
    assert_eq!(stats.get("frames"), Ok(0u64), "the frame was finished after all: {stats}");
    assert!(pipeline.bus().unwrap().pop_filtered(&[gst::MessageType::Error]).is_none());
}

/// Bytes that are not UTF-8, which only C can set, are refused in every property of every element, and
/// the old value stays.
#[test]
fn strings_that_are_not_utf8_are_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    init();
    let bytes = Path::new(OsStr::from_bytes(b"/tmp/M\xfcller.onnx"));
    let mut count = 0;
    for name in ["gazeface", "gazeinfer", "gazemonitor", "gazeoverlay", "gazepublish"] {
        let element = gst::ElementFactory::make(name).build().unwrap();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        let specs = element.list_properties();
        for spec in specs.iter() {
            if spec.value_type() != glib::Type::STRING || spec.name() == "name" {
                continue;
            }
            let before = element.property_value(spec.name());
            element.set_property_from_value(spec.name(), &bytes.to_value());
            let text = common::element::warnings(&bus).join("\n");
            assert!(text.contains("not UTF-8") && text.contains(spec.name()), "{name}: {text}");
            let after = element.property_value(spec.name());
            assert_eq!(before.get::<Option<String>>(), after.get::<Option<String>>(), "{name}");
            count += 1;
        }
    }
    assert!(count >= 15, "{count} properties");
}

/// A model whose numbers are no angles (centimetres on a screen, say) is told, once.
#[test]
fn numbers_that_are_no_angles_are_told() {
    if !runtime("numbers_that_are_no_angles_are_told") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let profile = std::fs::read_to_string(common::data("regression.toml")).unwrap();
    let path = dir.path().join("centimetres.toml");
    // Byte values of hundreds in place of fractions: the answer is far from any angle.
    std::fs::write(&path, profile.replace("0.00392156862745098", "1.0")).unwrap();
    let pipeline = gst::parse::launch(&format!(
        "videotestsrc num-buffers=30 pattern=red ! video/x-raw,format=RGB,width=64,height=64 ! \
         gazeinfer name=gaze engine={} profile={} inference-region=full-frame ! fakesink",
        common::data("regression.onnx").display(),
        path.display()
    ));
    let pipeline = pipeline.unwrap().downcast::<gst::Pipeline>().unwrap();
    let bus = pipeline.bus().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut told = Vec::new();
    loop {
        let message = bus.timed_pop(gst::ClockTime::from_seconds(60)).expect("no end");
        match message.view() {
            gst::MessageView::Eos(_) => break,
            gst::MessageView::Warning(warning) => told.push(warning.error().to_string()),
            gst::MessageView::Error(error) => panic!("{error:?}"),
            _ => {}
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
    let told: Vec<_> = told.iter().filter(|text| text.contains("centimetres")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
}
