//! `gazeface` without an engine: faces with no file and no ONNX Runtime.
#![cfg(feature = "plugin")]

mod common;

use common::element::{black, caps, convert, init, launch, rgb_buffer, warnings};
use common::frames::Picture;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::geometry::Size;
use gstgaze::plugin::meta::faces::{self, GazeFaces};
use gstgaze::plugin::meta::gaze;

fn element(properties: &str) -> Harness {
    init();
    let element = gst::parse::launch(&format!("gazeface {properties}")).unwrap();
    Harness::with_element(&element, Some("sink"), Some("src"))
}

/// A real frame, ready to push, and its size.
fn picture(test: &str, name: &str) -> Option<(Size, gst::Buffer)> {
    let picture = Picture::shared(test, name)?;
    Some((picture.size, picture.buffer(0)))
}

fn look(h: &mut Harness, buffer: &gst::Buffer, second: u64) -> GazeFaces {
    let mut buffer = buffer.copy();
    buffer.get_mut().unwrap().set_pts(gst::ClockTime::from_seconds(second));
    h.push(buffer).unwrap();
    let mut found = GazeFaces::default();
    assert!(faces::read_into(&h.pull().unwrap(), &mut found));
    found
}

#[test]
fn faces_and_gaze_need_no_detector_file() {
    let test = "faces_and_gaze_need_no_detector_file";
    if !common::element::runtime(test) {
        return;
    }
    let Some((size, buffer)) = picture(test, "uniface_meeting_f0") else { return };
    let mut h = Harness::new_parse(&format!(
        "gazeface ! gazeinfer engine={} profile={}",
        common::data("regression.onnx").display(),
        common::data("regression.toml").display()
    ));
    h.set_src_caps(caps(VideoFormat::Rgb, size.width, size.height));
    h.push(buffer).unwrap();
    let out = h.pull().unwrap();
    assert_eq!(out.iter_meta::<VideoRegionOfInterestMeta>().count(), 5);
    let result = gaze::read(&out).unwrap();
    assert_eq!(result.faces.len(), 5);
    for face in &result.faces {
        assert!(face.gaze.is_some());
        assert!(face.region.confidence.is_some_and(|c| c > 0.6 && c <= 1.0));
        assert!(face.region.landmarks.is_none() && face.region.track_id.is_some());
    }
}

/// Every format that the element takes, with the range and matrix of its caps.
#[test]
fn every_format_shows_the_face() {
    let test = "every_format_shows_the_face";
    let Some((Size { width, height }, rgb)) = picture(test, "skimage_astronaut_f0") else { return };
    let mut h = element("");
    h.set_src_caps(caps(VideoFormat::Rgb, width, height));
    let expected = look(&mut h, &rgb, 0).faces[0].1.rect;
    let factory = gst::ElementFactory::find("gazeface").unwrap();
    let sink = factory.static_pad_templates().into_iter().find(|t| t.name_template() == "sink");
    let template = sink.unwrap().caps();
    let formats = template.structure(0).unwrap().get::<gst::List>("format").unwrap();
    assert!(formats.len() >= 17, "{formats:?}");
    for format in formats.iter() {
        let format: VideoFormat = format.get::<&str>().unwrap().parse().unwrap();
        let mut h = element("");
        h.set_src_caps(caps(format, width, height));
        let buffer = convert(rgb.copy(), VideoFormat::Rgb, format, width, height);
        let found = look(&mut h, &buffer, 0);
        assert_eq!(found.faces.len(), 1, "{format:?}");
        assert!(found.faces[0].1.rect.iou(&expected) > 0.8, "{format:?} {found:?}");
    }
}

/// The same picture in pixels of another shape: the detector sees faces as they are.
#[test]
fn pixels_that_are_not_square_show_the_same_face() {
    let test = "pixels_that_are_not_square_show_the_same_face";
    let Some(picture) = Picture::shared(test, "skimage_astronaut_f0") else { return };
    let mut h = element("");
    h.set_src_caps(picture.caps());
    let expected = look(&mut h, &picture.buffer(0), 0).faces[0].1.rect;
    let Size { width, height } = picture.size;
    for (n, d) in [(2, 1), (16, 9), (64, 45), (1, 2)] {
        let narrow = Size::new((width as i32 * d / n) as u32, height);
        let mut h = element("");
        let mut frames = caps(VideoFormat::Rgb, narrow.width, height);
        frames.make_mut().set("pixel-aspect-ratio", gst::Fraction::new(n, d));
        h.set_src_caps(frames);
        // Linear between the two columns: columns left out would look like edges.
        let rgb: Vec<u8> = (0..height * narrow.width)
            .flat_map(|at| {
                let (x, y) = (at % narrow.width, at / narrow.width);
                let x = (x as f32 + 0.5) * width as f32 / narrow.width as f32 - 0.5;
                let x = x.clamp(0.0, width as f32 - 1.0);
                let (left, part) = (x.floor(), x.fract());
                let columns = [left as u32, (left as u32 + 1).min(width - 1)];
                let at = columns.map(|x| (y * width + x) as usize * 3);
                [0, 1, 2].map(|c| {
                    let [a, b] = at.map(|at| f32::from(picture.rgb[at + c]));
                    (a + (b - a) * part).round() as u8
                })
            })
            .collect();
        let found = look(&mut h, &rgb_buffer(narrow, &rgb), 0);
        // Other pixels may give the embedded detector a false one beside it.
        let mut overlaps = found
            .faces
            .iter()
            .map(|(_, face)| face.rect.rescaled(narrow, picture.size).iou(&expected));
        assert!(overlaps.any(|overlap| overlap > 0.8), "{n}:{d} {found:?} {expected:?}");
    }
}

#[test]
fn properties_choose_the_faces() {
    let test = "properties_choose_the_faces";
    let Some((size, buffer)) = picture(test, "uniface_meeting_f0") else { return };
    for (properties, count) in [
        ("", 5),
        ("max-faces=2", 2),
        ("min-face-size=400", 0),
        // More than 99 votes.
        ("score-threshold=0.99", 0),
        // The smallest face is 117 of 1280 pixels wide: 6 of 64.
        ("input-size=64", 0),
    ] {
        let mut h = element(properties);
        h.set_src_caps(caps(VideoFormat::Rgb, size.width, size.height));
        let found = look(&mut h, &buffer, 0).faces.len();
        assert_eq!(found, count, "{properties}");
    }
}

#[test]
fn tracks_last_between_two_inferences() {
    let test = "tracks_last_between_two_inferences";
    let Some((size, buffer)) = picture(test, "skimage_astronaut_f0") else { return };
    let mut h = element("inference-interval=3");
    h.set_src_caps(caps(VideoFormat::Rgb, size.width, size.height));
    let tracks: Vec<_> =
        (0..7).flat_map(|s| look(&mut h, &buffer, s).faces).map(|(_, f)| f.track_id).collect();
    assert_eq!(tracks.len(), 7);
    assert!(tracks[0].is_some() && tracks.iter().all(|id| *id == tracks[0]), "{tracks:?}");
    let stats: gst::Structure = h.element().unwrap().property("stats");
    assert_eq!(stats.get::<u64>("inferences"), Ok(3));
    assert_eq!(stats.get::<&str>("execution-provider"), Ok("embedded"));
}

#[test]
fn frames_of_any_size_pass() {
    for (width, height) in [(1, 1), (16, 16), (33, 47), (8192, 16)] {
        let mut h = element("");
        h.set_src_caps(caps(VideoFormat::Rgb, width, height));
        assert_eq!(look(&mut h, &black(width, height), 0).faces.len(), 0, "{width}x{height}");
    }
}

#[test]
fn properties_without_effect_are_named() {
    let mut h = element("execution-provider=cuda threads=4");
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    // Up once more, now with a bus.
    h.element().unwrap().set_state(gst::State::Null).unwrap();
    h.play();
    let texts = warnings(&bus);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].contains("execution-provider") && texts[1].contains("threads"), "{texts:?}");
}

#[test]
fn a_pipeline_runs_without_any_property() {
    init();
    launch("videotestsrc num-buffers=3 ! gazeface ! fakesink").unwrap();
}
