//! `gazemonitor` through its pads: metadata, messages, properties, and the events of a stream.
#![cfg(feature = "plugin")]

mod common;

use std::time::Duration;

use common::drive::{Do, Drive, ROAD};
use gst::prelude::*;
use gst_check::Harness;
use gstgaze::core::geometry::Gaze;
use gstgaze::core::monitor::{Alarm, Attention, DriverState, Level};
use gstgaze::plugin::meta::{attention, gaze};

const FPS: u64 = 25;
const AWAY: Do = Do::Look(33.0, -20.0);

struct Test {
    harness: Harness,
    element: gst::Element,
    bus: gst::Bus,
    script: Drive,
    frame: u64,
}

impl Test {
    /// An element in PLAYING that knows forward.
    fn new() -> Self {
        let element = element();
        element.set_property_from_str("forward", "given");
        Self::with(element)
    }

    fn with(element: gst::Element) -> Self {
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
        harness.set_src_caps_str("video/x-raw,format=RGB,width=8,height=8,framerate=25/1");
        harness.play();
        Self { harness, element, bus, script: Drive::new("euroncap-2026", FPS), frame: 0 }
    }

    fn buffer(&mut self, act: Do) -> gst::Buffer {
        let mut buffer = gst::Buffer::with_size(8 * 8 * 3).unwrap();
        let writable = buffer.get_mut().unwrap();
        writable.set_pts(gst::ClockTime::SECOND * self.frame / FPS);
        writable.set_duration(gst::ClockTime::SECOND / FPS);
        gaze::add(writable, &self.script.show(act)).unwrap();
        self.frame += 1;
        buffer
    }

    fn push(&mut self, buffer: gst::Buffer) -> Attention {
        self.harness.push(buffer).unwrap();
        attention::read(&self.harness.pull().unwrap()).expect("each buffer has its attention")
    }

    fn seconds(&mut self, act: Do, seconds: f64) -> Attention {
        let mut last = None;
        for _ in 0..(seconds * FPS as f64).round() as u64 {
            let buffer = self.buffer(act);
            last = Some(self.push(buffer));
        }
        last.expect("a frame at least")
    }

    /// The messages so far of these kinds.
    fn messages(&self, kinds: &[&str]) -> Vec<gst::Structure> {
        std::iter::from_fn(|| self.bus.pop_filtered(&[gst::MessageType::Element]))
            .filter_map(|message| message.structure().map(ToOwned::to_owned))
            .filter(|s| s.name() == "attention")
            .filter(|s| kinds.contains(&s.get::<&str>("event").unwrap()))
            .collect()
    }

    fn told(&self) -> gst::Structure {
        self.element.property("attention")
    }

    fn stat(&self, name: &str) -> u64 {
        self.element.property::<gst::Structure>("stats").get(name).unwrap()
    }
}

fn element() -> gst::Element {
    common::element::init();
    gst::ElementFactory::make("gazemonitor").build().unwrap()
}

fn text<'a>(s: &'a gst::Structure, name: &str) -> &'a str {
    s.get(name).unwrap()
}

fn time(s: &gst::Structure, name: &str) -> u64 {
    s.get(name).unwrap()
}

#[test]
fn a_long_glance_is_reported_three_ways() {
    let mut t = Test::new();
    assert_eq!(t.seconds(ROAD, 4.0).state, DriverState::Attentive);
    let away = t.seconds(AWAY, 2.0);
    assert_eq!((away.state, &*away.zone), (DriverState::LookingAway, "centre-screen"));
    let over = t.seconds(AWAY, 1.2);
    assert_eq!((over.state, over.level), (DriverState::Distracted, Level::Warning));
    assert!(over.alarms.contains(Alarm::LongDistraction));
    assert_eq!((text(&t.told(), "state"), text(&t.told(), "level")), ("distracted", "warning"));
    assert_eq!(t.seconds(ROAD, 1.1).state, DriverState::Attentive);

    let told = t.messages(&["alarm", "cleared"]);
    assert_eq!(told.len(), 2, "{told:?}");
    let [raised, cleared] = &told[..] else { panic!() };
    assert_eq!(text(raised, "alarm"), "long-distraction");
    assert_eq!(text(raised, "alarm-level"), "warning");
    assert_eq!(text(raised, "alarm-zone"), "centre-screen");
    assert_eq!(text(raised, "rules"), "euroncap-2026");
    let s = 1_000_000_000;
    assert_eq!(time(raised, "start"), 4 * s);
    assert_eq!(time(raised, "threshold"), 7 * s);
    assert!(time(raised, "delay") <= s / 2 && time(raised, "zone-delay") <= s / 2);
    assert_eq!(raised.get::<gst::ClockTime>("pts").unwrap(), gst::ClockTime::from_seconds(7));
    assert_eq!(raised.get::<gst::ClockTime>("running-time").unwrap().seconds(), 7);
    assert_eq!((text(cleared, "alarm"), text(cleared, "why")), ("long-distraction", "attentive"));
    assert_eq!(t.stat("alarms"), 1);
    assert_eq!(t.stat("frames"), t.frame);
    assert!(t.stat("zone-delay-max") > 0);
}

#[test]
fn zones_are_reported_and_messages_switch_off() {
    let mut t = Test::new();
    t.seconds(ROAD, 1.0);
    t.seconds(AWAY, 1.0);
    let zones = t.messages(&["zone"]);
    assert_eq!(zones.len(), 2);
    assert_eq!(text(&zones[0], "to"), "road-ahead");
    assert!(!zones[0].has_field("from") && !zones[0].get::<bool>("left-road").unwrap());
    assert_eq!((text(&zones[1], "from"), text(&zones[1], "to")), ("road-ahead", "centre-screen"));
    assert!(zones[1].get::<bool>("left-road").unwrap());
    t.element.set_property("post-messages", false);
    t.seconds(ROAD, 1.0);
    assert_eq!(t.messages(&["zone", "alarm"]).len(), 0);
}

#[test]
fn buffers_keep_their_memory_and_shared_ones_are_not_copied() {
    let mut t = Test::new();
    let sent = t.buffer(ROAD);
    let kept = sent.clone();
    let memory = kept.peek_memory(0).as_ptr();
    t.harness.push(sent).unwrap();
    let received = t.harness.pull().unwrap();
    assert_eq!(received.peek_memory(0).as_ptr(), memory);
    assert!(attention::read(&kept).is_none(), "another owner's buffer stays as it is");
    assert!(gaze::read(&received).is_some());
}

#[test]
fn speed_comes_by_property_and_by_events_of_both_directions() {
    let mut t = Test::new();
    let vehicle = |speed: f64| {
        gst::Structure::builder("GazeVehicle").field("speed", speed).field("nominal", false).build()
    };
    assert_eq!(t.element.property::<f64>("speed"), -1.0);
    assert_eq!(t.seconds(ROAD, 0.1).speed, None);
    t.element.set_property("speed", 12.5);
    assert_eq!(t.seconds(ROAD, 0.1).speed, Some(12.5));
    assert!(t.harness.push_event(gst::event::CustomDownstream::new(vehicle(50.0))));
    assert_eq!(t.seconds(ROAD, 0.1).speed, Some(50.0));
    assert!(!t.element.property::<bool>("nominal"));
    t.harness.push_upstream_event(gst::event::CustomUpstream::new(vehicle(19.0)));
    assert_eq!(t.seconds(ROAD, 0.1).speed, Some(19.0));
    // Too slow for the rules, for as long as that is known.
    t.element.set_property("speed-timeout", 0u64);
    t.seconds(ROAD, 4.0);
    assert_eq!(t.seconds(AWAY, 5.0).state, DriverState::LookingAway);
    for (told, known) in [(-3.0, None), (1e9, Some(500.0)), (f64::NAN, Some(500.0))] {
        assert!(t.harness.push_event(gst::event::CustomDownstream::new(vehicle(told))));
        assert_eq!(t.seconds(ROAD, 0.1).speed, known, "{told}");
    }
    let other = gst::Structure::builder("Other").field("speed", 3.0).build();
    assert!(t.harness.push_event(gst::event::CustomDownstream::new(other)));
    assert_eq!(t.seconds(ROAD, 0.1).speed, Some(500.0));
}

#[test]
fn a_stream_without_inference_or_driver_becomes_unavailable() {
    for with_meta in [false, true] {
        let mut t = Test::new();
        t.seconds(ROAD, 1.0);
        for _ in 0..11 * FPS {
            let mut buffer = t.buffer(Do::Hide);
            if !with_meta {
                let stamp = buffer.pts();
                buffer = gst::Buffer::with_size(8 * 8 * 3).unwrap();
                buffer.get_mut().unwrap().set_pts(stamp);
            }
            t.push(buffer);
        }
        let told = t.messages(&["availability", "alarm"]);
        assert_eq!(told.len(), 1);
        assert_eq!(text(&told[0], "reason"), if with_meta { "no-face" } else { "no-data" });
        assert!(time(&told[0], "at") - time(&told[0], "since") <= 10_000_000_000);
        assert_eq!(text(&t.told(), "state"), "unavailable");
        assert_eq!(t.seconds(ROAD, 1.2).state, DriverState::Attentive);
    }
}

#[test]
fn gaps_let_time_pass() {
    let mut t = Test::new();
    t.seconds(ROAD, 1.0);
    let duration = gst::ClockTime::SECOND;
    for second in 1..12 {
        let gap = gst::event::Gap::builder(duration * second).duration(duration).build();
        assert!(t.harness.push_event(gap));
    }
    let told = t.messages(&["availability"]);
    assert_eq!(told.len(), 1);
    assert_eq!(text(&told[0], "reason"), "no-data");
}

/// A GAP event and the buffer that begins where it ends.
#[test]
fn gaps_between_buffers_leave_the_buffers_alone() {
    let mut t = Test::new();
    t.seconds(ROAD, 1.0);
    let period = gst::ClockTime::SECOND / FPS;
    let mut pairs = 0;
    while t.told().get::<&str>("level").unwrap() == "none" {
        let gap = gst::event::Gap::builder(period * t.frame).duration(period).build();
        assert!(t.harness.push_event(gap));
        t.frame += 1;
        let buffer = t.buffer(AWAY);
        let attention = t.push(buffer);
        assert_eq!(attention.face, Some(0), "this buffer was judged");
        pairs += 1;
        assert!(pairs < 100, "no warning");
    }
    // The gaze of each buffer lasts through the GAP after it.
    let raised = &t.messages(&["alarm"])[0];
    let (start, threshold) = (time(raised, "start"), time(raised, "threshold"));
    assert_eq!(threshold - start, 3_000_000_000);
    assert_eq!((t.stat("ignored"), t.stat("restarts")), (0, 0));
    assert_eq!(t.stat("frames"), FPS + 3 * pairs);
}

#[test]
fn a_long_gap_is_reported_in_time() {
    let mut t = Test::new();
    t.seconds(ROAD, 1.0);
    let minute = gst::ClockTime::SECOND * 60;
    let gap = gst::event::Gap::builder(gst::ClockTime::SECOND).duration(minute).build();
    assert!(t.harness.push_event(gap));
    let told = t.messages(&["availability"]);
    assert_eq!(told.len(), 1);
    assert!(time(&told[0], "at") - time(&told[0], "since") <= 10_000_000_000);
    t.frame = 61 * FPS;
    assert_eq!(t.seconds(ROAD, 1.2).state, DriverState::Attentive);
    assert_eq!(t.stat("ignored"), 0);
    // One that says nothing of its length, and one that is longer than time.
    let gap = gst::event::Gap::builder(gst::ClockTime::SECOND * t.frame / FPS).build();
    assert!(t.harness.push_event(gap));
    t.seconds(ROAD, 1.0);
    assert_eq!(t.stat("ignored"), 0);
    let start = gst::ClockTime::SECOND * t.frame / FPS;
    let gap = gst::event::Gap::builder(start).duration(gst::ClockTime::MAX).build();
    assert!(t.harness.push_event(gap));
    assert_eq!(text(&t.told(), "state"), "unavailable");
}

/// Another stream after one without a face: earlier reports are over.
#[test]
fn another_stream_ends_what_was_reported() {
    let mut t = Test::new();
    t.seconds(Do::Hide, 6.0);
    assert_eq!(t.messages(&["availability"]).len(), 1);
    assert!(t.harness.push_event(gst::event::StreamStart::new("another")));
    let told = t.messages(&["availability"]);
    assert_eq!(told.len(), 1);
    assert!(told[0].get::<bool>("available").unwrap());
    assert_eq!((text(&told[0], "of"), told[0].has_field("reason")), ("gaze", false));
    assert_eq!(text(&t.told(), "state"), "calibrating", "nothing was seen of this one");
}

#[test]
fn a_speed_by_event_has_an_end() {
    let mut t = Test::new();
    let notes = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = notes.clone();
    t.element.connect_notify(Some("speed"), move |_, _| {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    });
    let notes = || notes.load(std::sync::atomic::Ordering::SeqCst);
    // Any number will do.
    let numbers: [glib::SendValue; 4] = [
        50i32.to_send_value(),
        50f32.to_send_value(),
        50u64.to_send_value(),
        50f64.to_send_value(),
    ];
    for (i, number) in numbers.into_iter().enumerate() {
        let mut s = gst::Structure::new_empty("GazeVehicle");
        s.set_value("speed", number);
        assert!(t.harness.push_event(gst::event::CustomDownstream::new(s)));
        assert_eq!((t.element.property::<f64>("speed"), notes()), (50.0, i as u32 + 1));
    }
    assert_eq!(t.seconds(ROAD, 2.0).speed, Some(50.0));
    assert_eq!(t.seconds(ROAD, 0.2).speed, None);
    assert_eq!((t.element.property::<f64>("speed"), notes()), (-1.0, 5));
    // One that was set holds.
    t.element.set_property("speed", 30.0);
    assert_eq!(t.seconds(ROAD, 5.0).speed, Some(30.0));
    assert_eq!(notes(), 6);
}

/// The rate changes in the midst of a glance, without a flush.
#[test]
fn a_change_of_rate_keeps_the_time() {
    let mut t = Test::new();
    t.seconds(ROAD, 10.0);
    t.seconds(AWAY, 2.0);
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_rate(2.0);
    segment.set_start(gst::ClockTime::SECOND * 12);
    segment.set_time(gst::ClockTime::SECOND * 12);
    segment.set_base(gst::ClockTime::SECOND * 12);
    assert!(t.harness.push_event(gst::event::Segment::new(&segment)));
    assert_eq!(t.seconds(AWAY, 0.9).level, Level::None);
    assert_eq!(t.seconds(AWAY, 0.2).level, Level::Warning);
    assert_eq!((t.stat("restarts"), t.stat("ignored")), (0, 0));
}

/// Zones that are planes of the cabin, with faces that say where they are: the shipped example.
#[test]
fn planes_follow_the_head() {
    // The camera of the file, by hand: it looks back at the driver and 18.4 degrees up.
    let position = [600.0, 0.0, 1000.0];
    let (back, up) = (600.0 / 40f64.sqrt() / 100.0, 200.0 / 40f64.sqrt() / 100.0);
    let to_camera = |[x, y, z]: [f64; 3]| [y, -up * x - back * z, -back * x + up * z];
    let minus = |a: [f64; 3], b: [f64; 3]| [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    let (screen, mean, tall) = ([700.0, -600.0, 700.0], [0.0, 0.0, 1200.0], [-200.0, 0.0, 1400.0]);
    // From, to, whether the face says where it is, and what is looked at.
    let towards = |eye, target| minus(target, eye);
    for (eye, direction, origin, zone) in [
        (mean, towards(mean, screen), true, "centre-screen"),
        (mean, towards(mean, screen), false, "centre-screen"),
        (tall, towards(tall, screen), true, "centre-screen"),
        // By angles alone it is below the screen of the driver of mean height.
        (tall, towards(tall, screen), false, "elsewhere"),
        // The same angles lead another person's gaze past the screen.
        (tall, towards(mean, screen), true, "glovebox"),
        (mean, [1.0, 0.0, 0.0], true, "road-ahead"),
        (mean, towards(mean, [350.0, -100.0, 750.0]), true, "phone-lap"),
    ] {
        let element = element();
        let zones =
            concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/zones/left-hand-drive-planes.toml");
        element.set_property("zones", zones);
        let mut t = Test::with(element);
        let mut last = None;
        for _ in 0..5 {
            let mut buffer = t.buffer(ROAD);
            let mut frame = t.script.show(ROAD);
            let face = &mut frame.faces[0];
            face.gaze = Gaze::from_direction(to_camera(direction).map(|v| v as f32));
            face.origin = origin.then(|| to_camera(minus(eye, position)).map(|v| v as f32));
            gaze::add(buffer.get_mut().unwrap(), &frame).unwrap();
            last = Some(t.push(buffer));
        }
        let attention = last.unwrap();
        assert_eq!(&*attention.zone, zone, "{eye:?} {direction:?} {origin}");
        assert!(attention.forward.is_some(), "the file says where the camera is");
    }
}

#[test]
fn a_flush_starts_time_anew_and_keeps_what_was_learned() {
    let element = element();
    let mut t = Test::with(element);
    assert_eq!(t.seconds(ROAD, 5.0).state, DriverState::Calibrating);
    assert_eq!(t.seconds(ROAD, 40.0).state, DriverState::Attentive);
    assert_eq!(t.messages(&["calibration"]).len(), 1);
    t.seconds(AWAY, 3.2);
    assert_eq!(text(&t.told(), "state"), "distracted");
    assert!(t.harness.push_event(gst::event::FlushStart::new()));
    assert!(t.harness.push_event(gst::event::FlushStop::new(true)));
    let cleared = t.messages(&["cleared"]);
    assert_eq!(text(&cleared[0], "why"), "restart");
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    assert!(t.harness.push_event(gst::event::Segment::new(&segment)));
    // 2.9 s of the glance before and 2 s now are no long glance.
    t.frame = 0;
    let after = t.seconds(AWAY, 2.0);
    assert_eq!((after.state, after.level), (DriverState::LookingAway, Level::None));
    assert!(after.forward.is_some());
    // Another stream may be another car.
    t.messages(&["calibration"]);
    assert!(t.harness.push_event(gst::event::StreamStart::new("another")));
    let told = t.messages(&["calibration"]);
    assert_eq!(told.len(), 1);
    assert!(!told[0].get::<bool>("ready").unwrap());
    assert!(t.harness.push_event(gst::event::Segment::new(&segment)));
    assert_eq!(t.seconds(AWAY, 0.2).state, DriverState::Calibrating);
    assert_eq!(t.stat("frames"), 45 * FPS + 80 + 2 * FPS + 5);
}

#[test]
fn twice_the_speed_is_the_same_glance() {
    let mut t = Test::new();
    t.seconds(ROAD, 1.0);
    assert!(t.harness.push_event(gst::event::FlushStart::new()));
    assert!(t.harness.push_event(gst::event::FlushStop::new(true)));
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_rate(2.0);
    assert!(t.harness.push_event(gst::event::Segment::new(&segment)));
    t.frame = 0;
    t.seconds(ROAD, 2.0);
    assert_eq!(t.seconds(AWAY, 2.9).level, Level::None);
    assert_eq!(t.seconds(AWAY, 0.2).level, Level::Warning);
}

#[test]
fn gazemonitor_restarts_and_counts_anew() {
    common::element::init();
    let launch = "videotestsrc num-buffers=25 ! gazemonitor name=monitor ! fakesink";
    let pipeline = gst::parse::launch(launch).unwrap().downcast::<gst::Pipeline>().unwrap();
    let monitor = pipeline.by_name("monitor").unwrap();
    for _ in 0..3 {
        common::element::run(&pipeline).unwrap();
        let stats = monitor.property::<gst::Structure>("stats");
        assert_eq!(stats.get::<u64>("frames").unwrap(), 25, "the last word can still be read");
        assert_eq!(stats.get::<u64>("unusable").unwrap(), 25);
    }
}

#[test]
fn any_caps_and_frames_without_stamps_pass() {
    let element = element();
    element.set_property_from_str("forward", "given");
    let mut t = Test::with(element);
    t.harness.set_src_caps_str("application/x-anything");
    for _ in 0..100 {
        let mut buffer = t.buffer(AWAY);
        buffer.get_mut().unwrap().set_pts(gst::ClockTime::NONE);
        t.push(buffer);
    }
    // Frames are counted at 25 a second, as the caps before said: 4 s.
    assert_eq!(text(&t.told(), "state"), "distracted");
}

#[test]
fn wrong_settings_are_named_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let bad = dir.path().join("bad.toml");
    std::fs::write(&bad, "name = \"x\"\n[[zone]]\n").unwrap();
    for (property, value, says) in [
        ("rules", "euroncap-1999", vec!["euroncap-1999", "euroncap-2026", "eu-addw", "un-r171"]),
        ("zones", "boat", vec!["zones='boat'", "left-hand-drive"]),
        ("zones", bad.to_str().unwrap(), vec!["bad.toml", "line 2"]),
    ] {
        let element = element();
        element.set_property(property, value);
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        assert!(element.set_state(gst::State::Paused).is_err(), "{value}");
        let message = bus.pop_filtered(&[gst::MessageType::Error]).expect("an error");
        let gst::MessageView::Error(error) = message.view() else { unreachable!() };
        common::element::says(&error.error().to_string(), &says);
        element.set_state(gst::State::Null).unwrap();
    }
}

#[test]
fn own_rule_files_and_zones_apply() {
    let dir = tempfile::tempdir().unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = std::fs::read_to_string(root.join("pipelines/rules/euroncap-2023.toml")).unwrap();
    // A maker's one second more.
    let path = dir.path().join("mine.toml");
    std::fs::write(&path, rules.replacen("value = 3.0", "value = 4.0", 1)).unwrap();
    let element = element();
    element.set_property_from_str("forward", "given");
    element.set_property("rules", path.to_str().unwrap());
    element.set_property("zones", "right-hand-drive");
    let mut t = Test::with(element);
    t.seconds(ROAD, 4.0);
    let away = Do::Look(-33.0, -20.0);
    assert_eq!(t.seconds(away, 3.9).level, Level::None);
    let over = t.seconds(away, 0.2);
    assert_eq!((over.level, &*over.zone), (Level::Warning, "centre-screen"));
}

#[test]
fn the_chosen_person_is_the_driver() {
    let mut t = Test::new();
    let both = |t: &mut Test| {
        let mut buffer = t.buffer(ROAD);
        let mut frame = t.script.show(ROAD);
        let mut other = t.script.show(AWAY).faces[0];
        other.region.rect.x = 500.0;
        other.region.rect.width = 50.0;
        other.region.track_id = Some(7);
        frame.faces.push(other);
        gaze::add(buffer.get_mut().unwrap(), &frame).unwrap();
        t.push(buffer).face
    };
    assert_eq!(both(&mut t), Some(0));
    t.element.set_property_from_str("driver", "track");
    assert_eq!(both(&mut t), None);
    t.element.set_property("driver-track", 7u64);
    assert_eq!(both(&mut t), Some(1));
    t.element.set_property_from_str("driver", "region");
    t.element.set_property("driver-region", gst::Array::new([0.6f64, 0.0, 0.4, 1.0]));
    assert_eq!(both(&mut t), Some(1));
}

#[test]
fn lines_carry_the_attention() {
    common::element::init();
    let file = tempfile::NamedTempFile::new().unwrap();
    let location = file.path().display();
    let mut h =
        Harness::new_parse(&format!("gazemonitor forward=given ! gazepublish location={location}"));
    h.set_src_caps_str("video/x-raw,format=RGB,width=8,height=8,framerate=25/1");
    h.play();
    let script = Drive::new("euroncap-2026", FPS);
    for frame in 0..100u64 {
        let mut buffer = gst::Buffer::with_size(8 * 8 * 3).unwrap();
        let writable = buffer.get_mut().unwrap();
        writable.set_pts(gst::ClockTime::SECOND * frame / FPS);
        gaze::add(writable, &script.show(AWAY)).unwrap();
        h.push(buffer).unwrap();
    }
    assert!(h.push_event(gst::event::Eos::new()));
    while h.pull_event().unwrap().type_() != gst::EventType::Eos {}
    let text = std::fs::read_to_string(file.path()).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 100);
    let last = &lines[99]["attention"];
    assert_eq!(last["state"], "distracted");
    assert_eq!(last["alarms"], serde_json::json!(["long-distraction"]));
    assert_eq!(last["zone"], "centre-screen");
    assert_eq!(lines[0]["attention"]["state"], "attentive");
    // What changed is in the line of its frame and in no other: the glance began with the stream, so
    // nothing left the road, and the alarm comes with the frame at which three seconds are over.
    let with = |key: &str| -> Vec<usize> {
        (0..lines.len()).filter(|i| lines[*i]["attention"].get(key).is_some()).collect()
    };
    assert_eq!((with("left_road_ns"), with("raised")), (vec![], vec![3 * FPS as usize]));
    let raised = &lines[3 * FPS as usize]["attention"]["raised"];
    assert_eq!(
        (&raised["alarm"], &raised["level"]),
        (&"long-distraction".into(), &"warning".into())
    );
    assert_eq!((&raised["delay_ns"], &raised["zone_delay_ns"]), (&0.into(), &0.into()));
}

#[test]
fn the_frame_of_a_change_carries_it() {
    let mut t = Test::new();
    t.seconds(ROAD, 2.0);
    let mut told = Vec::new();
    for frame in 0..4 * FPS {
        let attention = t.seconds(AWAY, 1.0 / FPS as f64);
        let what = (attention.left_road, attention.raised.map(|raised| raised.alarm));
        if what != (None, None) {
            let delays = attention.raised.map(|raised| (raised.delay, raised.zone_delay));
            told.push((frame, what, delays));
        }
    }
    // 0.4 s of settling, told at the frame that ends them; then the rule's three seconds.
    let settled = Duration::from_millis(400);
    let [(zone, (left_road, None), None), (alarm, (None, Some(raised)), Some(delays))] = told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!((left_road, raised), (Some(settled), Alarm::LongDistraction));
    assert_eq!((zone * 10, alarm), (4 * FPS, 3 * FPS));
    assert_eq!(delays, (Duration::ZERO, settled));
    let messages = t.messages(&["alarm"]);
    assert_eq!(time(&messages[0], "zone-delay"), time(&messages[0], "raised-zone-delay"));
}

#[test]
fn the_meta_survives_what_gaze_meta_survives() {
    common::element::init();
    for (launch, survives) in [
        ("videoconvert ! video/x-raw,format=NV12", true),
        ("videoscale ! video/x-raw,width=32,height=24", true),
        ("videoflip video-direction=horiz", false),
    ] {
        let mut h = Harness::new_parse(&format!("gazemonitor ! {launch} ! identity"));
        h.set_src_caps_str("video/x-raw,format=RGB,width=64,height=48,framerate=30/1");
        h.play();
        let mut buffer = gst::Buffer::with_size(64 * 48 * 3).unwrap();
        buffer.get_mut().unwrap().set_pts(gst::ClockTime::ZERO);
        h.push(buffer).unwrap();
        let out = h.pull().unwrap();
        assert_eq!(attention::read(&out).is_some(), survives, "{launch}");
    }
}
