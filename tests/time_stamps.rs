//! Time stamps as cameras send them: set back, standing still, missing, far ahead. Nothing freezes, nothing
//! is counted twice, and each kind is told once.
#![cfg(feature = "plugin")]

mod common;

use common::drive::{Do, Drive, ROAD};
use common::element::{black, caps, init, runtime, says, warnings};
use common::frames::Picture;
use gst::prelude::*;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoRegionOfInterestMeta};
use gstgaze::core::geometry::Gaze;
use gstgaze::core::monitor::Alarm;
use gstgaze::plugin::meta::faces::{self, GazeFaces};
use gstgaze::plugin::meta::{attention, gaze};

/// Milliseconds of one frame at 25 a second.
const FRAME: u64 = 40;

/// A kind of stamps that cameras send: the stamp of each frame in milliseconds, and what is told of it.
struct Kind {
    name: &'static str,
    stamp: fn(u64) -> Option<u64>,
    told: &'static [&'static str],
    /// Whether time goes on at the framerate for frames 100 and later.
    steady: bool,
}

/// All kinds; each fault begins at frame 100 at the latest.
const KINDS: [Kind; 12] = [
    Kind { name: "as they should be", stamp: |n| Some(n * FRAME), told: &[], steady: true },
    Kind { name: "none", stamp: |_| None, told: &["have no time stamps"], steady: true },
    Kind {
        name: "none from a frame on",
        stamp: |n| (n < 100).then_some(n * FRAME),
        told: &["have no time stamps"],
        steady: true,
    },
    Kind { name: "some", stamp: |n| (n % 3 == 0).then_some(n * FRAME), told: &[], steady: true },
    Kind { name: "all zero", stamp: |_| Some(0), told: &["stand still"], steady: true },
    Kind {
        name: "one from a frame on",
        stamp: |n| Some(n.min(100) * FRAME),
        told: &["stand still"],
        steady: true,
    },
    Kind { name: "in threes", stamp: |n| Some(n / 3 * 3 * FRAME), told: &[], steady: true },
    Kind {
        name: "back by a frame",
        stamp: |n| Some(if n < 100 { n } else { n - 2 } * FRAME),
        told: &["went back"],
        steady: true,
    },
    Kind {
        name: "back by 1.5 s",
        stamp: |n| Some(if n < 100 { n * FRAME } else { n * FRAME - 1500 }),
        told: &["went back by 1.460 s"],
        steady: true,
    },
    Kind {
        name: "a loop of 1.5 s",
        stamp: |n| Some(n * FRAME % 1500),
        told: &["went back"],
        steady: true,
    },
    Kind {
        name: "back to the start",
        stamp: |n| Some(if n < 100 { n } else { n - 100 } * FRAME),
        told: &["went back by 3.960 s"],
        steady: false,
    },
    Kind {
        name: "ahead by years",
        stamp: |n| Some(n * FRAME + if n < 100 { 0 } else { 800_000_000_000 }),
        told: &["jumped ahead"],
        steady: false,
    },
];

impl Kind {
    fn stamp(&self, buffer: &mut gst::BufferRef, frame: u64) {
        buffer.set_pts((self.stamp)(frame).map(gst::ClockTime::from_mseconds));
    }

    /// Asserts that what an element said of time is this kind's fault, once each.
    #[track_caller]
    fn is_told(&self, bus: &gst::Bus, uses: &str) {
        let told: Vec<_> = warnings(bus)
            .into_iter()
            .filter(|text| text.to_lowercase().contains("time stamps"))
            .collect();
        assert_eq!(told.len(), self.told.len(), "{}: {told:?}", self.name);
        for (text, words) in told.iter().zip(self.told) {
            says(text, &[words, uses, "do-timestamp=true"]);
        }
    }
}

fn harness(description: &str, caps: &gst::Caps) -> (Harness, gst::Bus) {
    let element = gst::parse::launch(description).unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut h = Harness::with_element(&element, Some("sink"), Some("src"));
    let mut caps = caps.clone();
    caps.make_mut().set("framerate", gst::Fraction::new(25, 1));
    h.set_src_caps(caps);
    h.play();
    (h, bus)
}

fn gazeinfer(properties: &str) -> (Harness, gst::Bus) {
    harness(
        &format!(
            "gazeinfer engine={} profile={} {properties}",
            common::data("regression.onnx").display(),
            common::data("regression.toml").display()
        ),
        &caps(VideoFormat::Rgb, 64, 64),
    )
}

/// The gaze of 260 frames with one tracked face, whose brightness swings once in 50 frames.
fn gazes(properties: &str, kind: &Kind) -> Vec<Gaze> {
    let (mut h, bus) = gazeinfer(properties);
    let gazes = (0..260u64).map(|frame| {
        let value = 128.0 + 100.0 * (frame as f32 * std::f32::consts::TAU / 50.0).sin();
        let mut buffer = gst::Buffer::from_slice(vec![value as u8; 64 * 64 * 3]);
        let writable = buffer.get_mut().unwrap();
        kind.stamp(writable, frame);
        let mut roi = VideoRegionOfInterestMeta::add(writable, "face", (8, 8, 40, 40));
        roi.add_param(gst::Structure::builder("object_id").field("id", 5).build());
        h.push(buffer).unwrap();
        gaze::read(&h.pull().unwrap()).unwrap().faces[0].gaze.unwrap()
    });
    let gazes = gazes.collect();
    if properties.contains("smoothing=true") {
        kind.is_told(&bus, "smoothing");
    } else {
        assert_eq!(warnings(&bus), [""; 0], "{}: nothing depends on time", kind.name);
    }
    gazes
}

#[test]
fn smoothing_goes_on() {
    if !runtime("smoothing_goes_on") {
        return;
    }
    let smooth = "smoothing=true smoothing-min-cutoff=1 smoothing-beta=0";
    let (right, raw) = (gazes(smooth, &KINDS[0]), gazes("", &KINDS[0]));
    assert!(right[120].angle_to(raw[120]) > 0.01, "the filter does something");
    for kind in &KINDS {
        assert_eq!(gazes("", kind), raw, "{}", kind.name);
        let smoothed = gazes(smooth, kind);
        for (frame, pair) in smoothed.windows(2).enumerate() {
            // The input stands for one frame at the crests.
            let frozen = smoothed[frame..].iter().take(5).all(|gaze| *gaze == pair[0]);
            assert!(!frozen || frame > 254, "{}: frame {frame} freezes", kind.name);
        }
        // Far from the fault, the filter is where it is with right stamps.
        let settled = if kind.name == "a loop of 1.5 s" { 0..260 } else { 200..260 };
        for frame in settled {
            let off = smoothed[frame].angle_to(right[frame]);
            assert!(off < 0.02, "{}: frame {frame} is off by {off}", kind.name);
        }
    }
}

/// Schedules count frames: stamps have no part in them.
#[test]
fn intervals_count_frames() {
    if !runtime("intervals_count_frames") {
        return;
    }
    for kind in &KINDS {
        let (mut h, bus) = gazeinfer("inference-interval=3 reclassify-interval=3");
        for frame in 0..150u64 {
            let mut buffer = black(64, 64);
            kind.stamp(buffer.get_mut().unwrap(), frame);
            h.push(buffer).unwrap();
            let age = gaze::read(&h.pull().unwrap()).unwrap().faces[0].age;
            assert_eq!(u64::from(age), frame % 3, "{}: frame {frame}", kind.name);
        }
        assert_eq!(warnings(&bus), [""; 0], "{}", kind.name);
    }
}

/// Pastes a face into a frame at `x`.
fn scene(face: &Picture, x: usize) -> gst::Buffer {
    let (width, height) = (288usize, face.size.height as usize);
    let from = face.size.width as usize * 3;
    let mut rgb = vec![90u8; width * height * 3];
    for (to, row) in rgb.chunks_exact_mut(width * 3).zip(face.rgb.chunks_exact(from)) {
        to[x * 3..x * 3 + from].copy_from_slice(row);
    }
    gst::Buffer::from_slice(rgb)
}

#[test]
fn tracks_go_on() {
    let test = "tracks_go_on";
    init();
    let Some(picture) = Picture::shared(test, "skimage_astronaut_f0") else { return };
    // The part with the face, half the size, so that the embedded detector is quick.
    let (width, height) = (128u32, 128u32);
    let mut face =
        Picture { size: gstgaze::core::geometry::Size::new(width, height), rgb: Vec::new() };
    for y in 0..height as usize {
        for x in 0..width as usize {
            let at = ((y * 2) * picture.size.width as usize + 100 + x * 2) * 3;
            face.rgb.extend_from_slice(&picture.rgb[at..at + 3]);
        }
    }
    for kind in &KINDS {
        let (mut h, bus) = harness(
            "gazeface inference-interval=10 input-size=288",
            &caps(VideoFormat::Rgb, 288, height),
        );
        let mut moved = 0;
        let mut last = None;
        for frame in 0..150u64 {
            let mut buffer = scene(&face, frame as usize);
            kind.stamp(buffer.get_mut().unwrap(), frame);
            h.push(buffer).unwrap();
            let mut found = GazeFaces::default();
            assert!(faces::read_into(&h.pull().unwrap(), &mut found));
            let what = format!("{}: frame {frame}", kind.name);
            assert_eq!(found.faces.len(), 1, "{what}");
            let region = found.faces[0].1;
            // After years the face may be another one.
            let id = region.track_id.filter(|_| !kind.name.starts_with("ahead"));
            assert!(id.is_none_or(|id| id == 0), "{what}: {id:?}");
            if frame > 120 && frame % 10 != 0 {
                moved += usize::from(last != Some(region.rect));
            }
            last = Some(region.rect);
        }
        assert!(
            moved > 20,
            "{}: the box moves between detections on {moved} of 27 frames",
            kind.name
        );
        kind.is_told(&bus, "tracking");
    }
}

/// How many frames from the start of a glance or of a closure to its alarm.
fn frames_to_alarm(kind: &Kind, act: Do, alarm: Alarm) -> u64 {
    init();
    let caps = caps(VideoFormat::Rgb, 8, 8);
    let (mut h, bus) = harness("gazemonitor forward=given speed=80", &caps);
    let mut drive = Drive::new("euroncap-2026", 25);
    drive.eyes = true;
    let begin = 110;
    let mut raised = None;
    for frame in 0..begin + 150u64 {
        let act = if frame < begin { ROAD } else { act };
        let mut buffer = gst::Buffer::with_size(8 * 8 * 3).unwrap();
        let writable = buffer.get_mut().unwrap();
        kind.stamp(writable, frame);
        gaze::add(writable, &drive.show(act)).unwrap();
        h.push(buffer).unwrap();
        let attention = attention::read(&h.pull().unwrap()).unwrap();
        if attention.alarms.contains(alarm) && raised.is_none() {
            raised = Some(frame - begin);
        }
    }
    kind.is_told(&bus, "glances and closures");
    let stats: gst::Structure = h.find_element("gazemonitor").unwrap().property("stats");
    assert_eq!(stats.get::<u64>("ignored"), Ok(0), "{}", kind.name);
    let restarts = if kind.steady { 0 } else { 1 };
    assert_eq!(stats.get::<u64>("restarts"), Ok(restarts), "{}", kind.name);
    raised.unwrap_or_else(|| panic!("{}: no {alarm:?}", kind.name))
}

#[test]
fn glances_and_closures_have_their_length() {
    for (act, alarm) in
        [(Do::Look(33.0, -20.0), Alarm::LongDistraction), (Do::Close, Alarm::Microsleep)]
    {
        let right = frames_to_alarm(&KINDS[0], act, alarm);
        for kind in &KINDS[1..] {
            let frames = frames_to_alarm(kind, act, alarm);
            // Stamps in threes tell the time to the third frame.
            assert!(frames.abs_diff(right) <= 3, "{}: {frames}, not {right}", kind.name);
        }
    }
}

/// A GAP event that repeats time that is over takes no time.
#[test]
fn gap_events_of_the_past_take_no_time() {
    init();
    let caps = caps(VideoFormat::Rgb, 8, 8);
    let (mut h, _) = harness("gazemonitor forward=given speed=80", &caps);
    let drive = Drive::new("euroncap-2026", 25);
    for frame in 0..100u64 {
        let mut buffer = gst::Buffer::with_size(8 * 8 * 3).unwrap();
        let writable = buffer.get_mut().unwrap();
        writable.set_pts(gst::ClockTime::from_mseconds(frame * FRAME));
        gaze::add(writable, &drive.show(ROAD)).unwrap();
        h.push(buffer).unwrap();
        let past = gst::ClockTime::from_mseconds(frame * FRAME / 2);
        for _ in 0..10 {
            assert!(h.push_event(gst::event::Gap::builder(past).build()));
        }
    }
    let stats: gst::Structure = h.find_element("gazemonitor").unwrap().property("stats");
    assert_eq!((stats.get::<u64>("frames"), stats.get::<u64>("unusable")), (Ok(100), Ok(0)));
}
