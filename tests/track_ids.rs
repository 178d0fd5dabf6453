//! Identity of faces: an id that two faces of a frame have is none, and ids survive a change of
//! resolution.
#![cfg(feature = "plugin")]

mod common;

use common::element::{caps, halves, init, rgb_buffer, runtime, says, warnings};
use common::frames::Picture;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::gaze::FrameGaze;
use gstgaze::core::geometry::Size;
use gstgaze::plugin::meta::faces::{self, GazeFaces};
use gstgaze::plugin::meta::gaze;

fn open(launch: &str) -> (Harness, gst::Bus) {
    init();
    let h = Harness::new_parse(launch);
    let bus = gst::Bus::new();
    h.element().unwrap().set_bus(Some(&bus));
    (h, bus)
}

fn gazeinfer(properties: &str) -> (Harness, gst::Bus) {
    let (model, profile) = (common::data("regression.onnx"), common::data("regression.toml"));
    let (engine, profile) = (model.display(), profile.display());
    open(&format!("gazeinfer engine={engine} profile={profile} {properties}"))
}

/// A frame whose halves are red of these strengths, which are the pitch of a face there, with a region in
/// each half and this id of a tracker on both.
fn two_faces(width: u32, height: u32, red: [u8; 2], ids: [i32; 2], second: u64) -> gst::Buffer {
    let [left, right] = red.map(|red| [red, 0, 0]);
    let mut buffer = halves(VideoFormat::Rgb, width, height, left, right);
    let writable = buffer.get_mut().unwrap();
    writable.set_pts(gst::ClockTime::from_mseconds(40 * second));
    let (w, h) = (width / 4, height / 2);
    for (x, id) in [(w / 2, ids[0]), (w / 2 + width / 2, ids[1])] {
        let mut roi = VideoRegionOfInterestMeta::add(writable, "face", (x, h / 2, w, h));
        roi.add_param(gst::Structure::builder("object_id").field("id", id).build());
    }
    buffer
}

fn look(h: &mut Harness, buffer: gst::Buffer) -> FrameGaze {
    h.push(buffer).unwrap();
    gaze::read(&h.pull().unwrap()).unwrap()
}

fn pitches(frame: &FrameGaze) -> [f32; 2] {
    [0, 1].map(|face| frame.faces[face].gaze.expect("a gaze").pitch)
}

fn near(pitches: [f32; 2], red: [u8; 2]) {
    for (pitch, red) in pitches.into_iter().zip(red) {
        assert!((pitch - f32::from(red) / 255.0).abs() < 0.01, "{pitches:?}, {red}");
    }
}

#[test]
fn faces_that_share_an_id_keep_their_own_gaze() {
    if !runtime("faces_that_share_an_id_keep_their_own_gaze") {
        return;
    }
    let red = [40, 200];
    for properties in ["smoothing=true", "inference-interval=3", "reclassify-interval=5", ""] {
        let (mut h, bus) = gazeinfer(properties);
        h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
        for second in 0..8 {
            let frame = look(&mut h, two_faces(64, 48, red, [7, 7], second));
            near(pitches(&frame), red);
            assert!(frame.faces.iter().all(|face| face.region.track_id.is_none()));
        }
        let told = warnings(&bus);
        assert_eq!(told.len(), 1, "{properties}: {told:?}");
        says(&told[0], &["same track id", "tracker"]);
    }
}

#[test]
fn an_id_is_an_identity_again_where_it_occurs_once() {
    if !runtime("an_id_is_an_identity_again_where_it_occurs_once") {
        return;
    }
    let (mut h, _bus) = gazeinfer("inference-interval=100");
    h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
    // The model runs on the first frame alone: later ones show whose result is reused.
    for (second, ids) in (0..).zip([[7, 7], [7, 8], [7, 8], [8, 8], [9, 9], [7, 8]]) {
        let frame = look(&mut h, two_faces(64, 48, [40, 200], ids, second));
        near(pitches(&frame), [40, 200]);
        assert_eq!(frame.faces[0].age, second as u32, "reused, and not inferred anew");
    }
}

#[test]
fn results_are_reused_across_a_change_of_resolution() {
    if !runtime("results_are_reused_across_a_change_of_resolution") {
        return;
    }
    // Without ids, so that the place has to find them.
    let frame = |width, height, second| {
        let mut buffer = two_faces(width, height, [40, 200], [0, 0], second);
        let writable = buffer.get_mut().unwrap();
        writable.foreach_meta_mut(|_| {
            std::ops::ControlFlow::Continue(gst::buffer::BufferMetaForeachAction::Remove)
        });
        let (w, h) = (width / 4, height / 2);
        for x in [w / 2, w / 2 + width / 2] {
            VideoRegionOfInterestMeta::add(writable, "face", (x, h / 2, w, h));
        }
        buffer
    };
    let (mut h, _bus) = gazeinfer("inference-interval=100");
    let mut ages = Vec::new();
    for (second, (width, height)) in
        (0..).zip([(64, 48), (64, 48), (256, 192), (128, 96), (128, 64), (128, 64)])
    {
        h.set_src_caps(caps(VideoFormat::Rgb, width, height));
        let result = look(&mut h, frame(width, height, second));
        near(pitches(&result), [40, 200]);
        ages.push(result.faces[0].age);
    }
    assert_eq!(ages, [0, 1, 2, 3, 0, 1], "another shape is another picture");
}

/// The picture at another size, by the nearest pixels.
fn resized(picture: &Picture, size: Size, second: u64) -> gst::Buffer {
    let from = picture.size;
    let mut rgb = Vec::with_capacity((size.width * size.height * 3) as usize);
    for y in 0..size.height {
        for x in 0..size.width {
            let (fx, fy) = (x * from.width / size.width, y * from.height / size.height);
            let at = ((fy * from.width + fx) * 3) as usize;
            rgb.extend_from_slice(&picture.rgb[at..at + 3]);
        }
    }
    let mut buffer = rgb_buffer(size, &rgb);
    buffer.get_mut().unwrap().set_pts(gst::ClockTime::from_mseconds(40 * second));
    buffer
}

#[test]
fn ids_of_gazeface_survive_a_change_of_resolution() {
    let test = "ids_of_gazeface_survive_a_change_of_resolution";
    let Some(model) = common::shared(test, "models/face/yunet_n_dynamic.onnx") else { return };
    if !runtime(test) {
        return;
    }
    let Some(meeting) = Picture::shared(test, "uniface_meeting_f0") else { return };
    let (mut h, _bus) = open(&format!("gazeface engine={}", model.display()));
    let Size { width, height } = meeting.size;
    let sizes = [(1, 1), (1, 1), (3, 4), (1, 2), (3, 4), (1, 1), (1, 2)]
        .map(|(n, d)| Size::new(width * n / d / 2 * 2, height * n / d / 2 * 2));
    let mut seen: Vec<Vec<(u64, f32)>> = Vec::new();
    for (second, size) in (0..).zip(sizes) {
        h.set_src_caps(caps(VideoFormat::Rgb, size.width, size.height));
        h.push(resized(&meeting, size, second)).unwrap();
        let mut found = GazeFaces::default();
        assert!(faces::read_into(&h.pull().unwrap(), &mut found));
        let mut ids: Vec<_> = found
            .faces
            .iter()
            .map(|(_, face)| (face.track_id.unwrap(), face.rect.x / size.width as f32))
            .collect();
        ids.sort_by_key(|id| id.0);
        seen.push(ids);
    }
    let first = seen[0].clone();
    assert_eq!(first.len(), 5);
    let mut kept = 0;
    for ids in &seen {
        for (id, x) in ids {
            let same = first.iter().find(|(known, _)| known == id);
            assert!(same.is_some_and(|(_, at)| (at - x).abs() < 0.05), "{id} in {seen:?}");
            kept += 1;
        }
    }
    println!("{kept} of {} faces kept their ids in {} resolutions", 5 * seen.len(), seen.len());
    // A picture of another shape is another scene.
    h.set_src_caps(caps(VideoFormat::Rgb, width, height / 2));
    h.push(resized(&meeting, Size::new(width, height / 2), 7)).unwrap();
    let mut found = GazeFaces::default();
    faces::read_into(&h.pull().unwrap(), &mut found);
    assert!(found.faces.iter().all(|(_, face)| face.track_id.unwrap() > 4), "{found:?}");
}
