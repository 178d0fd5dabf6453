//! Faces over time: the tracks of `gazeface`, and gaze that is smoothed.
#![cfg(feature = "plugin")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use common::element::{caps, init, runtime};
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::face::FaceRegion;
use gstgaze::core::geometry::Gaze;
use gstgaze::plugin::meta::{faces, gaze};

/// The first `count` buffers that come out of a pipeline, as `look` sees them.
///
/// They are counted here, not by an `identity eos-after`: a decoder that is told to stop still
/// gives out the frames that it holds, which are not the next ones, and how many is a matter of
/// its threads.
fn frames<T>(count: usize, description: &str, look: impl Fn(&gst::BufferRef) -> T) -> Vec<T> {
    init();
    let pipeline =
        gst::parse::launch(&format!("{description} ! appsink name=out sync=false max-buffers=4"))
            .unwrap()
            .downcast::<gst::Pipeline>()
            .unwrap();
    let sink = pipeline.by_name("out").unwrap().downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut seen = Vec::new();
    while seen.len() < count {
        let sample = sink.try_pull_sample(gst::ClockTime::from_seconds(120));
        let sample = sample.unwrap_or_else(|| panic!("{} of {count} frames", seen.len()));
        seen.push(look(sample.buffer().unwrap()));
    }
    pipeline.set_state(gst::State::Null).unwrap();
    seen
}

fn noted(buffer: &gst::BufferRef) -> Vec<FaceRegion> {
    let mut found = faces::GazeFaces::default();
    assert!(faces::read_into(buffer, &mut found));
    found.faces.iter().map(|(_, face)| *face).collect()
}

/// `gazeface` with a real detector; `None` (and the test named as left out) where there is none.
fn gazeface(test: &str) -> Option<String> {
    if !runtime(test) {
        return None;
    }
    let engine = common::shared(test, "models/face/yunet_n_dynamic.onnx")?;
    Some(format!("gazeface engine={}", engine.display()))
}

fn clip(path: &Path) -> String {
    format!("filesrc location={} ! decodebin ! videoconvert", path.display())
}

/// One person on real footage: one track, box by box where the
/// detector that looks at every frame sees it.
#[test]
fn one_person_is_one_track() {
    let test = "one_person_is_one_track";
    let Some(video) = common::shared(test, "media/udacity_demo.mp4") else { return };
    let Some(gazeface) = gazeface(test) else { return };
    let clip = clip(&video);
    let every = frames(31, &format!("{clip} ! {gazeface}"), noted);
    let third = frames(31, &format!("{clip} ! {gazeface} inference-interval=3"), noted);
    for seen in [&every, &third] {
        let ids: BTreeSet<_> = seen.iter().flatten().map(|face| face.track_id.unwrap()).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
    }
    let (mut carried, mut moved) = (0, 0);
    for (index, (seen, face)) in every.iter().zip(&third).enumerate() {
        let (Some(seen), Some(face)) = (seen.first(), face.first()) else { continue };
        assert!(seen.landmarks.is_some());
        let iou = seen.rect.iou(&face.rect);
        let before = index.checked_sub(1).and_then(|b| Some(third[b].first()?.rect));
        if index % 3 == 0 {
            assert_eq!(seen.rect, face.rect, "frame {index}: a detected box is the detector's");
        } else {
            assert!(iou > 0.6, "frame {index}: {iou}");
            // One detection tells no speed: boxes move from the second one on.
            carried += usize::from(index > 3);
            moved += usize::from(index > 3 && before != Some(face.rect));
        }
    }
    assert!(carried >= 18 && moved == carried, "{carried} {moved}");
}

/// Several people: none takes another's identity while all of them are seen.
#[test]
fn several_people_keep_their_ids() {
    let test = "several_people_keep_their_ids";
    let Some(video) = common::shared(test, "media/yakhyo_in_video.mp4") else { return };
    let Some(gazeface) = gazeface(test) else { return };
    let seen = frames(40, &format!("{} ! {gazeface}", clip(&video)), noted);
    let mut last: BTreeMap<u64, FaceRegion> = BTreeMap::new();
    let mut compared = 0;
    for faces in &seen {
        let ids: BTreeSet<_> = faces.iter().map(|face| face.track_id.unwrap()).collect();
        assert_eq!(ids.len(), faces.len(), "an id is given twice in one frame");
        for face in faces {
            if let Some(before) = last.insert(face.track_id.unwrap(), *face) {
                assert!(before.rect.iou(&face.rect) > 0.2, "{before:?} {face:?}");
                compared += 1;
            }
        }
    }
    assert!(compared > 40, "{compared}");
    assert!(last.len() < compared / 4, "{} tracks for {compared} faces", last.len());
}

/// A frame with a face.
fn astronaut(test: &str) -> Option<(gst::Caps, Vec<u8>)> {
    let png = common::shared(test, "media/frames/skimage_astronaut_f0.png")?;
    let (size, data) = common::frames::read_png(&png);
    assert_eq!(size.width % 4, 0);
    Some((caps(VideoFormat::Rgb, size.width, size.height), data))
}

fn push(h: &mut Harness, data: &[u8], pts: Option<u64>) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_slice(data.to_vec());
    buffer.get_mut().unwrap().set_pts(pts.map(gst::ClockTime::from_mseconds));
    h.push(buffer).unwrap();
    h.pull().unwrap()
}

#[test]
fn regions_carry_ids_and_a_flush_ends_tracks() {
    let test = "regions_carry_ids_and_a_flush_ends_tracks";
    let Some(gazeface) = gazeface(test) else { return };
    let Some((caps, data)) = astronaut(test) else { return };
    let element = gst::parse::launch(&gazeface).unwrap();
    let mut h = Harness::with_element(&element, Some("sink"), Some("src"));
    h.set_src_caps(caps);
    let id = |buffer: &gst::Buffer| {
        let rois: Vec<_> = buffer.iter_meta::<VideoRegionOfInterestMeta>().collect();
        assert_eq!(rois.len(), 1);
        let id: i32 = rois[0].param("object_id").unwrap().get("id").unwrap();
        assert_eq!(noted(buffer)[0].track_id, u64::try_from(id).ok());
        id
    };
    // With time stamps and without.
    assert_eq!(id(&push(&mut h, &data, Some(0))), 0);
    assert_eq!(id(&push(&mut h, &data, Some(33))), 0);
    assert_eq!(id(&push(&mut h, &data, None)), 0);
    assert!(h.push_event(gst::event::FlushStart::new()));
    assert!(h.push_event(gst::event::FlushStop::new(true)));
    h.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
    assert_eq!(id(&push(&mut h, &data, Some(0))), 1);
    element.set_property("tracking", false);
    let buffer = push(&mut h, &data, Some(33));
    assert_eq!(noted(&buffer)[0].track_id, None);
    // Another element's region and its id stay as they are.
    let mut buffer = gst::Buffer::from_slice(data);
    VideoRegionOfInterestMeta::add(buffer.get_mut().unwrap(), "person", (1, 2, 3, 4))
        .add_param(gst::Structure::builder("object_id").field("id", 77).build());
    h.push(buffer).unwrap();
    let buffer = h.pull().unwrap();
    let first = buffer.iter_meta::<VideoRegionOfInterestMeta>().next().unwrap();
    assert_eq!(first.param("object_id").unwrap().get::<i32>("id"), Ok(77));
}

#[test]
fn small_faces_are_dropped_on_request() {
    let test = "small_faces_are_dropped_on_request";
    let Some(gazeface) = gazeface(test) else { return };
    let Some((caps, data)) = astronaut(test) else { return };
    for (least, count) in [(20, 1), (400, 0)] {
        let mut h = Harness::new_parse(&format!("{gazeface} min-face-size={least}"));
        h.set_src_caps(caps.clone());
        assert_eq!(noted(&push(&mut h, &data, Some(0))).len(), count, "{least}");
    }
}

/// The model's answer to frames of alternating brightness, each with one tracked face.
fn answers(properties: &str, track: bool) -> Vec<Gaze> {
    let mut h = Harness::new_parse(&format!(
        "gazeinfer engine={} profile={} {properties}",
        common::data("regression.onnx").display(),
        common::data("regression.toml").display()
    ));
    h.set_src_caps(caps(VideoFormat::Rgb, 64, 64));
    (0..12u64)
        .map(|frame| {
            let value = if frame % 2 == 0 { 30 } else { 220 };
            let mut buffer = gst::Buffer::from_slice(vec![value; 64 * 64 * 3]);
            let writable = buffer.get_mut().unwrap();
            writable.set_pts(gst::ClockTime::from_mseconds(frame * 40));
            let mut roi = VideoRegionOfInterestMeta::add(writable, "face", (8, 8, 40, 40));
            if track {
                roi.add_param(gst::Structure::builder("object_id").field("id", 5).build());
            }
            h.push(buffer).unwrap();
            gaze::read(&h.pull().unwrap()).unwrap().faces[0].gaze.unwrap()
        })
        .collect()
}

#[test]
fn smoothing_is_optional_and_needs_a_track() {
    if !runtime("smoothing_is_optional_and_needs_a_track") {
        return;
    }
    let raw = answers("", true);
    let strong = "smoothing=true smoothing-min-cutoff=0.5 smoothing-beta=0";
    assert_eq!(answers("smoothing=false smoothing-beta=3", true), raw);
    assert_eq!(answers(strong, false), raw, "no track matches the face");
    let smooth = answers(strong, true);
    let swing = |gaze: &[Gaze]| gaze.windows(2).map(|w| w[0].angle_to(w[1])).fold(0.0, f32::max);
    assert!(swing(&raw) > 0.0);
    assert!(swing(&smooth) < swing(&raw) / 2.0, "{} {}", swing(&smooth), swing(&raw));
    assert_eq!(smooth[0], raw[0], "the first look passes");
    // Carried results are repeated and not filtered again.
    let carried = answers(&format!("{strong} inference-interval=3"), true);
    for group in carried.chunks(3) {
        assert!(group.iter().all(|gaze| *gaze == group[0]), "{carried:?}");
    }
}
