//! Buffers with the flag GAP that show a picture: `videorate` repeats one so. The last results go on, one
//! frame older each time, and no model runs.
#![cfg(feature = "plugin")]

mod common;

use std::path::Path;

use common::drive::{Do, Drive, ROAD};
use common::element::{black, caps, init, launch, runtime};
use common::frames::Picture;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::gaze::FrameGaze;
use gstgaze::core::monitor::{Alarm, DriverState};
use gstgaze::plugin::meta::faces::{self, GazeFaces};
use gstgaze::plugin::meta::{attention, gaze};

/// The same picture once more.
fn repeated(mut buffer: gst::Buffer) -> gst::Buffer {
    buffer.make_mut().set_flags(gst::BufferFlags::GAP);
    buffer
}

/// A gap without a picture.
fn empty() -> gst::Buffer {
    let mut buffer = gst::Buffer::new();
    let writable = buffer.get_mut().unwrap();
    writable.set_flags(gst::BufferFlags::GAP);
    writable.set_pts(gst::ClockTime::ZERO);
    buffer
}

fn faces_of(h: &mut Harness, buffer: gst::Buffer) -> Option<GazeFaces> {
    h.push(buffer).unwrap();
    let mut found = GazeFaces::default();
    faces::read_into(&h.pull().unwrap(), &mut found).then_some(found)
}

fn gaze_of(h: &mut Harness, buffer: gst::Buffer) -> Option<FrameGaze> {
    h.push(buffer).unwrap();
    gaze::read(&h.pull().unwrap())
}

fn stat(h: &mut Harness, element: &str, name: &str) -> u64 {
    h.find_element(element).unwrap().property::<gst::Structure>("stats").get(name).unwrap()
}

fn gazeinfer(properties: &str) -> Harness {
    let mut h = Harness::new_parse(&format!(
        "gazeinfer engine={} profile={} {properties}",
        common::data("regression.onnx").display(),
        common::data("regression.toml").display()
    ));
    h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
    h
}

#[test]
fn gazeface_carries_the_last_faces() {
    let test = "gazeface_carries_the_last_faces";
    init();
    let Some(picture) = Picture::shared(test, "skimage_astronaut_f0") else { return };
    let mut h = Harness::new_parse("gazeface");
    h.set_src_caps(picture.caps());
    // Before the first picture there is nothing to carry.
    assert_eq!(faces_of(&mut h, repeated(picture.buffer(0))), None);
    assert_eq!(stat(&mut h, "gazeface", "frames"), 0);
    let first = faces_of(&mut h, picture.buffer(0)).unwrap();
    assert_eq!(first.faces.len(), 1);
    for second in 1..4 {
        // The place stays as well: the picture is the same.
        assert_eq!(faces_of(&mut h, repeated(picture.buffer(second))).as_ref(), Some(&first));
    }
    assert_eq!(stat(&mut h, "gazeface", "inferences"), 1);
    assert_eq!(stat(&mut h, "gazeface", "skipped"), 3);
    // Without memory there is no picture.
    h.push(empty()).unwrap();
    let out = h.pull().unwrap();
    assert!(!faces::read_into(&out, &mut GazeFaces::default()));
    assert!(out.iter_meta::<VideoRegionOfInterestMeta>().next().is_none());
    assert!(out.flags().contains(gst::BufferFlags::GAP));
    assert!(h.push_event(gst::event::Gap::builder(gst::ClockTime::from_seconds(4)).build()));
    let next = faces_of(&mut h, picture.buffer(5)).unwrap();
    assert_eq!((next.faces.len(), stat(&mut h, "gazeface", "inferences")), (1, 2));
}

#[test]
fn gazeinfer_carries_the_last_gaze_with_its_age() {
    if !runtime("gazeinfer_carries_the_last_gaze_with_its_age") {
        return;
    }
    let region = |mut buffer: gst::Buffer| {
        let writable = buffer.get_mut().unwrap();
        let mut roi = VideoRegionOfInterestMeta::add(writable, "face", (8, 8, 30, 30));
        roi.add_param(gst::Structure::builder("object_id").field("id", 5).build());
        buffer
    };
    // Whether a detector marks new pictures and repeated ones, and the property.
    for (detects, carries, properties) in [
        (false, false, ""),
        (true, true, ""),
        (true, false, ""),
        (true, false, "inference-region=roi-list smoothing=true"),
        (true, true, "inference-interval=100 reclassify-interval=100"),
    ] {
        let frame = |wanted: bool| if wanted { region(black(64, 48)) } else { black(64, 48) };
        let mut h = gazeinfer(properties);
        assert_eq!(gaze_of(&mut h, repeated(frame(carries))), None, "no result yet");
        let first = gaze_of(&mut h, frame(detects)).unwrap();
        assert_eq!((first.faces.len(), first.faces[0].age), (1, 0));
        for age in 1..5 {
            let now = gaze_of(&mut h, repeated(frame(carries))).unwrap();
            let what = format!("{detects} {carries} {properties}: {now:?}");
            assert_eq!((now.faces.len(), now.faces[0].age), (1, age), "{what}");
            assert_eq!(now.faces[0].gaze, first.faces[0].gaze, "{what}");
            assert_eq!(now.faces[0].region.rect, first.faces[0].region.rect, "{what}");
            assert_eq!(now.inference_time, 0, "{what}");
        }
        assert_eq!(stat(&mut h, "gazeinfer", "inferences"), 1);
        assert_eq!(gaze_of(&mut h, empty()), None, "no picture");
        let age = gaze_of(&mut h, frame(detects)).unwrap().faces[0].age;
        assert_eq!(age, if properties.contains("interval") { 5 } else { 0 });
    }
    // A frame before without a face, and a flush, leave nothing to carry.
    let mut h = gazeinfer("inference-region=roi-list");
    assert!(gaze_of(&mut h, black(64, 48)).unwrap().faces.is_empty());
    assert!(gaze_of(&mut h, repeated(black(64, 48))).unwrap().faces.is_empty());
    assert_eq!(gaze_of(&mut h, region(black(64, 48))).unwrap().faces.len(), 1);
    assert!(h.push_event(gst::event::FlushStart::new()));
    assert!(h.push_event(gst::event::FlushStop::new(true)));
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    assert!(h.push_event(gst::event::Segment::new(&segment)));
    assert_eq!(gaze_of(&mut h, repeated(black(64, 48))), None);
}

/// A monitor at 25 frames a second that gets `fps` new pictures a second and the rest repeated.
struct Watch {
    h: Harness,
    drive: Drive,
    frame: u64,
    fps: u64,
    /// Whether the results are on repeated pictures as well.
    carried: bool,
    last: Option<FrameGaze>,
}

impl Watch {
    fn new(fps: u64, carried: bool, eyes: bool) -> Self {
        init();
        let mut h = Harness::new_parse("gazemonitor forward=given speed=80");
        h.set_src_caps_str("video/x-raw,format=RGB,width=8,height=8,framerate=25/1");
        h.play();
        let mut drive = Drive::new("euroncap-2026", 25);
        drive.eyes = eyes;
        Self { h, drive, frame: 0, fps, carried, last: None }
    }

    /// Goes on for `seconds`; without new pictures where `stalled`. Returns the frames without a face.
    fn seconds(
        &mut self,
        act: Do,
        seconds: f64,
        stalled: bool,
    ) -> (usize, gstgaze::core::monitor::Attention) {
        let mut faceless = 0;
        let mut attention = None;
        for _ in 0..(seconds * 25.0).round() as u64 {
            let is_new = !stalled && self.frame * self.fps % 25 < self.fps;
            let mut buffer = gst::Buffer::with_size(8 * 8 * 3).unwrap();
            let writable = buffer.get_mut().unwrap();
            writable.set_pts(gst::ClockTime::SECOND * self.frame / 25);
            self.frame += 1;
            if is_new {
                self.last = Some(self.drive.show(act));
            } else {
                writable.set_flags(gst::BufferFlags::GAP);
                let faces = self.last.iter_mut().flat_map(|frame| &mut frame.faces);
                faces.for_each(|face| face.age += 1);
            }
            if let Some(frame) = self.last.as_ref().filter(|_| is_new || self.carried) {
                gaze::add(writable, frame).unwrap();
            }
            self.h.push(buffer).unwrap();
            let now = attention::read(&self.h.pull().unwrap()).unwrap();
            faceless += usize::from(now.face.is_none());
            attention = Some(now);
        }
        (faceless, attention.unwrap())
    }
}

#[test]
fn gazemonitor_takes_a_repeated_picture_for_what_it_is() {
    const AWAY: Do = Do::Look(33.0, -20.0);
    for carried in [true, false] {
        let mut watch = Watch::new(5, carried, false);
        let (faceless, attention) = watch.seconds(ROAD, 10.0, false);
        assert_eq!((faceless, attention.state), (0, DriverState::Attentive), "{carried}");
        // A long glance counts as long as with pictures of its own.
        assert_eq!(watch.seconds(AWAY, 2.8, false).1.state, DriverState::LookingAway);
        let (faceless, attention) = watch.seconds(AWAY, 0.8, false);
        assert!(attention.alarms.contains(Alarm::LongDistraction), "{attention:?}");
        assert_eq!(faceless, 0);
        assert_eq!(stat(&mut watch.h, "gazemonitor", "unusable"), 0);
        // One picture over and over tells nothing: after a while there is no data, and no fresh alarm.
        watch.seconds(ROAD, 5.0, false);
        let (faceless, attention) = watch.seconds(ROAD, 12.0, true);
        assert!(faceless > 11 * 25, "{faceless}");
        assert_eq!(attention.state, DriverState::Unavailable);
        let reason = attention.reason.map(|reason| reason.name());
        assert_eq!(reason, Some("no-data"));
        assert_eq!(watch.seconds(ROAD, 3.0, false).1.state, DriverState::Attentive);
    }
}

#[test]
fn a_blink_that_is_repeated_is_no_sleep() {
    let mut watch = Watch::new(25, true, true);
    assert_eq!(watch.seconds(ROAD, 3.0, false).1.state, DriverState::Attentive);
    // One picture with closed eyes, and then the source hangs.
    watch.seconds(Do::Close, 0.04, false);
    let (_, attention) = watch.seconds(Do::Close, 4.0, true);
    assert!(attention.alarms.is_empty(), "{attention:?}");
    // Eyes that are closed on pictures of their own are.
    watch.seconds(ROAD, 3.0, false);
    let (_, attention) = watch.seconds(Do::Close, 1.6, false);
    assert!(attention.alarms.contains(Alarm::Microsleep), "{attention:?}");
}

/// A picture without a face, repeated, is still one without a face.
#[test]
fn an_empty_seat_stays_empty() {
    let mut watch = Watch::new(5, true, false);
    watch.seconds(ROAD, 3.0, false);
    let (_, attention) = watch.seconds(Do::Hide, 8.0, false);
    assert_eq!(attention.state, DriverState::Unavailable);
    let reason = attention.reason.map(|reason| reason.name());
    assert_eq!(reason, Some("no-face"));
}

/// What is read from a file of JSON lines: frames, those with a face that has a gaze, and the ages.
fn lines(path: &Path) -> (usize, usize, Vec<u64>) {
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let faces = lines.iter().filter_map(|line| line["faces"].get(0));
    let ages: Vec<u64> = faces
        .filter(|face| face["yaw"].is_number())
        .map(|face| face["age"].as_u64().unwrap_or(0))
        .collect();
    (lines.len(), ages.len(), ages)
}

/// A clip at ten frames a second, repeated up to thirty, before and behind the models.
#[test]
fn every_frame_behind_videorate_has_results() {
    let test = "every_frame_behind_videorate_has_results";
    if !runtime(test) {
        return;
    }
    let Some(engine) = common::shared(test, "models/face/face_detection_yunet_2026may.onnx") else {
        return;
    };
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/demo.mp4");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("gaze.jsonl");
    let slow = format!(
        "filesrc location={} ! qtdemux ! h264parse ! identity eos-after=44 ! decodebin ! videoconvert ! \
         videorate ! video/x-raw,framerate=10/1",
        clip.display()
    );
    let rate = "videorate ! video/x-raw,framerate=30/1";
    let faces = format!("gazeface engine={}", engine.display());
    let infer = format!(
        "gazeinfer engine={} profile={}",
        common::data("regression.onnx").display(),
        common::data("regression.toml").display()
    );
    let publish = format!("gazepublish location={} add-empty-results=true", out.display());
    for (order, grows) in [
        (format!("{rate} ! {faces} ! {infer}"), true),
        (format!("{faces} ! {rate} ! {infer}"), true),
        (format!("{faces} ! {infer} ! {rate}"), false),
    ] {
        launch(&format!("{slow} ! {order} ! gazeoverlay ! {publish} ! fakesink")).unwrap();
        let (frames, with_results, ages) = lines(&out);
        eprintln!("{with_results} of {frames} frames have results");
        assert!(frames >= 40, "{frames}");
        assert_eq!(with_results, frames, "{order}");
        if grows {
            let follows = |pair: &[u64]| pair[1] == 0 || pair[1] == pair[0] + 1;
            assert!(ages.windows(2).all(follows) && ages.contains(&2), "{ages:?}");
        }
    }
}

/// The overlay draws the results on a repeated picture, too.
#[test]
fn gazeoverlay_draws_on_repeated_pictures() {
    init();
    let mut h = Harness::new("gazeoverlay");
    h.set_sink_caps(caps(VideoFormat::Rgb, 64, 48));
    h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
    let drawn = |h: &mut Harness, gap: bool| {
        let mut buffer = black(64, 48);
        let mut frame = Drive::new("euroncap-2026", 25).show(ROAD);
        frame.faces[0].age = 3;
        gaze::add(buffer.make_mut(), &frame).unwrap();
        if gap {
            buffer = repeated(buffer);
        }
        h.push(buffer).unwrap();
        let out = h.pull().unwrap();
        let map = out.map_readable().unwrap();
        map.as_slice().to_vec()
    };
    let (new, again) = (drawn(&mut h, false), drawn(&mut h, true));
    assert!(new.iter().any(|value| *value > 0));
    assert_eq!(new, again);
    h.push(empty()).unwrap();
    assert_eq!(h.pull().unwrap().size(), 0);
}
