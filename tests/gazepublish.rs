//! `gazepublish` through its pads, with real files, sockets and readers that misbehave.
#![cfg(feature = "plugin")]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::net::UdpSocket;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use common::element::warnings;
use gst::prelude::*;
use gst_check::Harness;
use gstgaze::core::face::FaceRegion;
use gstgaze::core::gaze::{FrameGaze, GazeEstimate};
use gstgaze::core::geometry::{Gaze, Rect, Size};
use gstgaze::plugin::meta::gaze;
use serde_json::Value;

/// A test that waits longer has failed.
const DEADLINE: Duration = Duration::from_secs(20);
const FRAME: gst::ClockTime = gst::ClockTime::from_mseconds(40);

fn element(location: &str) -> gst::Element {
    common::element::init();
    gst::ElementFactory::make("gazepublish").property("location", location).build().unwrap()
}

/// The element in PLAYING between two pads, and the bus that it posts to.
fn harness(element: &gst::Element) -> (Harness, gst::Bus) {
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut h = Harness::with_element(element, Some("sink"), Some("src"));
    h.set_src_caps_str("video/x-raw,format=RGB,width=8,height=8,framerate=25/1");
    h.play();
    (h, bus)
}

fn frame_gaze(faces: usize) -> FrameGaze {
    let face = GazeEstimate {
        region: FaceRegion { rect: Rect::new(1.0, 2.0, 3.0, 4.0), ..Default::default() },
        gaze: Some(Gaze::new(0.25, -0.5)),
        ..Default::default()
    };
    FrameGaze {
        size: Size::new(8, 8),
        faces: vec![face; faces],
        model: "test".into(),
        ..Default::default()
    }
}

/// The `n`th frame, looked at and found to hold so many faces, or not looked at.
fn buffer(n: u64, faces: Option<usize>) -> gst::Buffer {
    let mut buffer = gst::Buffer::with_size(8 * 8 * 3).unwrap();
    let writable = buffer.get_mut().unwrap();
    writable.set_pts(FRAME * n);
    if let Some(faces) = faces {
        gaze::add(writable, &frame_gaze(faces)).unwrap();
    }
    buffer
}

fn parse(text: &str) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with('\n'), "no line is left open: {text:?}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn read(path: &Path) -> Vec<Value> {
    parse(&std::fs::read_to_string(path).unwrap())
}

fn frames(lines: &[Value]) -> Vec<u64> {
    lines.iter().map(|line| line["frame"].as_u64().unwrap()).collect()
}

fn counter(element: &gst::Element, name: &str) -> u64 {
    element.property(name)
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends EOS and waits until it comes out behind the element.
fn end(h: &mut Harness) {
    assert!(h.push_event(gst::event::Eos::new()));
    while h.pull_event().unwrap().type_() != gst::EventType::Eos {}
}

#[test]
fn buffers_pass_as_they_are() {
    let element = element("/dev/null");
    let (mut h, _bus) = harness(&element);
    let sent = buffer(0, Some(1));
    let kept = sent.clone();
    h.push(sent).unwrap();
    let received = h.pull().unwrap();
    assert_eq!(received.as_ptr(), kept.as_ptr(), "shared, and yet not copied");
}

#[test]
fn a_stream_without_caps_passes() {
    let element = element("/dev/null");
    let mut h = Harness::with_element(&element, Some("sink"), Some("src"));
    h.play();
    h.push_event(gst::event::StreamStart::new("no caps"));
    h.push_event(gst::event::Segment::new(&gst::FormattedSegment::<gst::ClockTime>::new()));
    h.push(buffer(0, Some(1))).unwrap();
    assert!(h.pull().is_ok());
}

#[test]
fn lines_are_complete_when_eos_comes_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gaze.jsonl");
    let element = element(path.to_str().unwrap());
    element.set_property("add-empty-results", true);
    let (mut h, bus) = harness(&element);
    for (n, faces) in [Some(2), None, Some(0), Some(1)].into_iter().enumerate() {
        h.push(buffer(n as u64, faces)).unwrap();
    }
    end(&mut h);
    let lines = read(&path);
    assert_eq!(frames(&lines), [0, 2, 3], "a frame without GazeMeta has no line");
    assert_eq!(lines[0]["faces"].as_array().unwrap().len(), 2);
    assert_eq!(lines[0]["faces"][0]["pitch"], 0.25);
    assert_eq!(lines[0]["faces"][0]["box"]["w"], 3.0);
    assert_eq!(lines[1]["faces"], serde_json::json!([]));
    assert_eq!(lines[2]["pts"], 120_000_000);
    assert_eq!(lines[2]["running_time"], 120_000_000);
    assert_eq!((counter(&element, "written"), counter(&element, "dropped")), (3, 0));
    assert_eq!(warnings(&bus), [""; 0]);
}

#[test]
fn empty_results_are_written_on_request_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gaze.jsonl");
    let element = element(path.to_str().unwrap());
    let (mut h, _bus) = harness(&element);
    h.push(buffer(0, Some(0))).unwrap();
    h.push(buffer(1, Some(1))).unwrap();
    element.set_property("add-empty-results", true);
    h.push(buffer(2, Some(0))).unwrap();
    end(&mut h);
    assert_eq!(frames(&read(&path)), [1, 2]);
}

/// The clock is the test's, and the harness's source is a live one.
#[test]
fn live_streams_report_the_latency_of_a_frame() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gaze.jsonl");
    let element = element(path.to_str().unwrap());
    let (mut h, _bus) = harness(&element);
    for (n, now) in [(0u64, 15), (1, 40), (2, 79)] {
        h.set_time(gst::ClockTime::from_mseconds(now)).unwrap();
        h.push(buffer(n, Some(1))).unwrap();
    }
    end(&mut h);
    let lines = read(&path);
    assert_eq!(lines[0]["latency_ns"], 15_000_000);
    assert_eq!(lines[1]["latency_ns"], 0);
    assert_eq!(lines[2].get("latency_ns"), None, "its stamp lies ahead by a millisecond");
}

#[test]
fn stamps_of_a_file_give_no_latency() {
    common::element::init();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gaze.jsonl");
    let pipeline = gst::parse::launch(&format!(
        "appsrc name=source format=time ! gazepublish location={} ! fakesink sync=false",
        path.display()
    ));
    let pipeline = pipeline.unwrap().downcast::<gst::Pipeline>().unwrap();
    let source = pipeline.by_name("source").unwrap().downcast::<gst_app::AppSrc>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    for n in 0..3 {
        source.push_buffer(buffer(n, Some(1))).unwrap();
    }
    source.end_of_stream().unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(20), &ends);
    assert_eq!(end.map(|message| message.type_()), Some(gst::MessageType::Eos));
    pipeline.set_state(gst::State::Null).unwrap();
    let lines = read(&path);
    assert_eq!(frames(&lines), [0, 1, 2]);
    assert!(lines.iter().all(|line| line.get("latency_ns").is_none()), "{lines:?}");
}

#[test]
fn unknown_time_is_null() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gaze.jsonl");
    let element = element(path.to_str().unwrap());
    let (mut h, _bus) = harness(&element);
    let mut untimed = buffer(0, Some(1));
    untimed.get_mut().unwrap().set_pts(None);
    h.push(untimed).unwrap();
    end(&mut h);
    let lines = read(&path);
    assert_eq!(lines[0]["pts"], Value::Null);
    assert_eq!(lines[0].get("running_time"), None);
}

#[test]
fn a_seek_goes_on_counting() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gaze.jsonl");
    let element = element(path.to_str().unwrap());
    let (mut h, _bus) = harness(&element);
    h.push(buffer(0, Some(1))).unwrap();
    assert!(h.push_event(gst::event::FlushStart::new()));
    assert!(h.push_event(gst::event::FlushStop::new(true)));
    let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
    segment.set_start(gst::ClockTime::from_seconds(10));
    assert!(h.push_event(gst::event::Segment::new(&segment)));
    h.push(buffer(251, Some(1))).unwrap();
    end(&mut h);
    let lines = read(&path);
    assert_eq!(frames(&lines), [0, 1]);
    assert_eq!(lines[1]["running_time"], 40_000_000);
}

#[test]
fn stopping_alone_writes_what_is_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gaze.jsonl");
    let element = element(path.to_str().unwrap());
    let (mut h, _bus) = harness(&element);
    for n in 0..100 {
        h.push(buffer(n, Some(1))).unwrap();
    }
    element.set_state(gst::State::Null).unwrap();
    assert_eq!(frames(&read(&path)), (0..100).collect::<Vec<_>>());
}

#[test]
fn each_run_starts_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gaze.jsonl");
    let element = element(path.to_str().unwrap());
    let pipeline = gst::Pipeline::new();
    let source = gst_app::AppSrc::builder().format(gst::Format::Time).build();
    let sink = gst::ElementFactory::make("fakesink").build().unwrap();
    pipeline.add_many([source.upcast_ref(), &element, &sink]).unwrap();
    gst::Element::link_many([source.upcast_ref(), &element, &sink]).unwrap();
    for (append, lines_in_file) in [(false, 2), (false, 2), (true, 4)] {
        element.set_property("append", append);
        pipeline.set_state(gst::State::Playing).unwrap();
        source.push_buffer(buffer(0, Some(1))).unwrap();
        source.push_buffer(buffer(1, Some(1))).unwrap();
        source.end_of_stream().unwrap();
        let wanted = [gst::MessageType::Eos, gst::MessageType::Error];
        let message =
            pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(20), &wanted);
        assert_eq!(message.map(|m| m.type_()), Some(gst::MessageType::Eos));
        pipeline.set_state(gst::State::Null).unwrap();
        let lines = read(&path);
        assert_eq!(lines.len(), lines_in_file);
        assert_eq!(frames(&lines[lines_in_file - 2..]), [0, 1]);
        assert_eq!(counter(&element, "written"), 2);
    }
}

#[test]
fn a_location_that_cannot_be_opened_is_an_error_at_start() {
    for (location, said) in [
        ("/nowhere/at/all/gaze.jsonl", "No such file"),
        ("/", "directory"),
        ("tcp://host:1", "unknown scheme"),
        ("udp://host", "HOST:PORT"),
    ] {
        let element = element(location);
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        assert!(element.set_state(gst::State::Paused).is_err(), "{location}");
        let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
        let gst::MessageView::Error(error) = message.view() else { unreachable!() };
        let text = error.error().to_string();
        assert!(text.contains(said) && text.contains(location), "{text}");
        element.set_state(gst::State::Null).unwrap();
        // The same element works once the location does.
        element.set_property("location", "/dev/null");
        element.set_state(gst::State::Paused).unwrap();
        element.set_state(gst::State::Null).unwrap();
    }
}

#[test]
fn a_second_writer_of_a_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gaze.jsonl");
    let first = element(path.to_str().unwrap());
    let (mut h, _bus) = harness(&first);
    h.push(buffer(0, Some(1))).unwrap();
    for append in [false, true] {
        let second = element(path.to_str().unwrap());
        second.set_property("append", append);
        let bus = gst::Bus::new();
        second.set_bus(Some(&bus));
        assert!(second.set_state(gst::State::Paused).is_err());
        let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
        let gst::MessageView::Error(error) = message.view() else { unreachable!() };
        let text = error.error().to_string();
        assert!(text.contains("a file of its own"), "{text}");
        second.set_state(gst::State::Null).unwrap();
    }
    h.push(buffer(1, Some(1))).unwrap();
    end(&mut h);
    assert_eq!(frames(&read(&path)), [0, 1], "the refused ones changed nothing");
    first.set_state(gst::State::Null).unwrap();
    let second = element(path.to_str().unwrap());
    second.set_state(gst::State::Paused).unwrap();
    second.set_state(gst::State::Null).unwrap();
}

/// logrotate's `copytruncate` and its default, a move.
#[test]
fn a_file_may_be_truncated_or_moved_while_it_grows() {
    let directory = tempfile::tempdir().unwrap();
    let (path, moved) = (directory.path().join("gaze.jsonl"), directory.path().join("moved"));
    let element = element(path.to_str().unwrap());
    let (mut h, bus) = harness(&element);
    let mut push = |n| {
        h.push(buffer(n, Some(1))).unwrap();
        wait_until("written", || counter(&element, "written") == n + 1);
    };
    push(0);
    std::fs::File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    push(1);
    assert_eq!(frames(&read(&path)), [1], "no gap of zeros in front");
    std::fs::rename(&path, &moved).unwrap();
    push(2);
    assert_eq!((frames(&read(&moved)), frames(&read(&path))), (vec![1], vec![2]));
    end(&mut h);
    assert_eq!(warnings(&bus), [""; 0]);
}

#[test]
fn a_file_over_its_limit_is_followed_by_a_new_one() {
    for (property, value) in [("max-size-bytes", 1000u64), ("max-size-time", 1)] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gaze.jsonl");
        let element = element(path.to_str().unwrap());
        element.set_property(property, value);
        element.set_property("max-files", 3u32);
        let (mut h, bus) = harness(&element);
        for n in 0..40 {
            h.push(buffer(n, Some(1))).unwrap();
        }
        end(&mut h);
        let mut found = Vec::new();
        for name in ["gaze.jsonl.2", "gaze.jsonl.1", "gaze.jsonl"] {
            let part = directory.path().join(name);
            assert!(property != "max-size-bytes" || part.metadata().unwrap().len() <= 1000);
            found.extend(frames(&read(&part)));
        }
        let last: Vec<u64> = (40 - found.len() as u64..40).collect();
        assert_eq!(found, last, "{property}: the newest lines, in order, none twice");
        assert!(found.len() >= 3);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 3);
        assert_eq!(counter(&element, "written"), 40);
        assert_eq!(warnings(&bus), [""; 0]);
    }
}

/// The other half of [`a_full_disk_keeps_whole_lines`], in a process whose files end at 8 KiB.
#[test]
#[ignore = "run by a_full_disk_keeps_whole_lines"]
fn write_to_a_full_disk() {
    let path = std::path::PathBuf::from(std::env::var_os("GAZE_TEST_FILE").unwrap());
    let element = element(path.to_str().unwrap());
    let (mut h, bus) = harness(&element);
    let mut push = |n, faces| {
        h.push(buffer(n, Some(faces))).unwrap();
        let done = || counter(&element, "written") + counter(&element, "dropped");
        wait_until("written or dropped", || done() == n + 1);
        read(&path)
    };
    // Of many lengths, so that the limit falls in the middle of one.
    let mut written = Vec::new();
    for n in 0..40 {
        written = frames(&push(n, 1 + n as usize % 7));
    }
    assert!(counter(&element, "dropped") > 0);
    assert_eq!(written.len() as u64, counter(&element, "written"));
    // There is space again.
    std::fs::File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    assert_eq!(frames(&push(40, 1)), [40]);
    assert_eq!(frames(&push(41, 200)), [40], "too long for the rest");
    assert_eq!(frames(&push(42, 1)), [40, 42]);
    end(&mut h);
    let said = warnings(&bus);
    assert_eq!(said.len(), 2, "the fault and the total: {said:?}");
}

#[test]
fn a_full_disk_keeps_whole_lines() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gaze.jsonl");
    // The limit on files of a process stands for the disk: a write is cut short there, and the next one
    // fails. `ulimit -f` counts 512 bytes in sh.
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -f 16; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "write_to_a_full_disk", "--ignored", "--nocapture"])
        .env("GAZE_TEST_FILE", &path)
        // The registry of GStreamer is larger.
        .env("GST_REGISTRY_UPDATE", "no")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(frames(&read(&path)), [40, 42]);
}

#[test]
fn a_full_disk_is_reported_once_and_counted() {
    let element = element("/dev/full");
    let (mut h, bus) = harness(&element);
    for n in 0..10 {
        h.push(buffer(n, Some(1))).unwrap();
    }
    end(&mut h);
    assert_eq!((counter(&element, "written"), counter(&element, "dropped")), (0, 10));
    let said = warnings(&bus);
    assert_eq!(said.len(), 2, "the fault and the total: {said:?}");
    assert!(said[0].contains("/dev/full") && said[0].contains("space"), "{said:?}");
    assert!(said[1].contains("10 dropped"), "{said:?}");
}

fn accept(listener: &UnixListener) -> std::os::unix::net::UnixStream {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

#[test]
fn a_socket_gets_the_lines() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let element = element(&format!("unix:{}", path.display()));
    let (mut h, _bus) = harness(&element);
    let mut stream = accept(&listener);
    for n in 0..5 {
        h.push(buffer(n, Some(1))).unwrap();
    }
    end(&mut h);
    drop(h);
    element.set_state(gst::State::Null).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(frames(&parse(&text)), [0, 1, 2, 3, 4]);
}

#[test]
fn a_reader_may_come_late_and_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let element = element(&format!("unix:{}", path.display()));
    let (mut h, bus) = harness(&element);
    h.push(buffer(0, Some(1))).unwrap();
    let mut said = Vec::new();
    wait_until("the missing reader is said", || {
        said.extend(warnings(&bus));
        !said.is_empty()
    });
    // It comes, and gets what was waiting.
    let listener = UnixListener::bind(&path).unwrap();
    let mut reader = BufReader::new(accept(&listener));
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(frames(&parse(&line)), [0]);
    wait_until("counted", || counter(&element, "written") == 1);
    // It goes, and another one comes: they are one outage as long as none of them stays.
    drop(reader);
    h.push(buffer(1, Some(1))).unwrap();
    let mut reader = BufReader::new(accept(&listener));
    line.clear();
    reader.read_line(&mut line).unwrap();
    assert_eq!(frames(&parse(&line)), [1], "the line that failed is sent again");
    said.extend(warnings(&bus));
    assert_eq!(said.len(), 1, "{said:?}");
    end(&mut h);
    assert_eq!((counter(&element, "written"), counter(&element, "dropped")), (2, 0));
}

/// Each reader takes a line and goes.
#[test]
fn a_storm_of_connections_is_one_outage() {
    const READERS: u64 = 30;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let element = element(&format!("unix:{}", path.display()));
    let (mut h, bus) = harness(&element);
    for n in 0..READERS {
        h.push(buffer(n, Some(1))).unwrap();
        let mut line = String::new();
        BufReader::new(accept(&listener)).read_line(&mut line).unwrap();
        assert_eq!(frames(&parse(&line)), [n]);
    }
    end(&mut h);
    assert_eq!(counter(&element, "written"), READERS);
    let said = warnings(&bus);
    assert_eq!(said.len(), 1, "{said:?}");
}

/// An absent reader drops lines all the time, and is told of once.
#[test]
fn a_full_queue_adds_no_warning_to_an_outage() {
    let directory = tempfile::tempdir().unwrap();
    let element = element(&format!("unix:{}", directory.path().join("absent").display()));
    element.set_property("queue-size", 1u32);
    let (mut h, bus) = harness(&element);
    h.push(buffer(0, Some(1))).unwrap();
    let mut said = Vec::new();
    wait_until("the missing reader is told", || {
        said.extend(warnings(&bus));
        !said.is_empty()
    });
    for n in 1..50 {
        h.push(buffer(n, Some(1))).unwrap();
    }
    assert!(counter(&element, "dropped") > 40);
    said.extend(warnings(&bus));
    assert_eq!(said.len(), 1, "{said:?}");
}

#[test]
fn eos_does_not_wait_for_an_absent_reader() {
    let directory = tempfile::tempdir().unwrap();
    let element = element(&format!("unix:{}", directory.path().join("absent").display()));
    // Were it waited for, the test would fail at its own deadline.
    element.set_property("flush-timeout", 3600 * gst::ClockTime::SECOND.nseconds());
    let (mut h, bus) = harness(&element);
    for n in 0..3 {
        h.push(buffer(n, Some(1))).unwrap();
    }
    end(&mut h);
    drop(h);
    element.set_state(gst::State::Null).unwrap();
    assert_eq!((counter(&element, "written"), counter(&element, "dropped")), (0, 3));
    let said = warnings(&bus);
    assert!(said.iter().any(|text| text.contains("3 not taken")), "{said:?}");
}

#[test]
fn a_stuck_reader_holds_neither_the_stream_nor_its_end() {
    const FRAMES: u64 = 200;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let element = element(&format!("unix:{}", path.display()));
    element.set_property("queue-size", 4u32);
    element.set_property("flush-timeout", 50 * gst::ClockTime::MSECOND.nseconds());
    let (mut h, bus) = harness(&element);
    let mut stream = accept(&listener);
    for n in 0..FRAMES {
        // More than a socket's buffer holds, all in all.
        h.push(buffer(n, Some(100))).unwrap();
    }
    end(&mut h);
    assert!(warnings(&bus).iter().any(|text| text.contains("dropped")));
    drop(h);
    element.set_state(gst::State::Null).unwrap();
    let (written, dropped) = (counter(&element, "written"), counter(&element, "dropped"));
    assert!(dropped > 0);
    assert_eq!(written + dropped, FRAMES, "every line is accounted for");
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    // The last line may be cut off where the writer gave up.
    let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
    let numbers = frames(&parse(whole));
    assert_eq!(numbers.len() as u64, written);
    assert!(numbers.is_sorted_by(|a, b| a < b), "in order and none twice: {numbers:?}");
}

#[test]
fn a_flush_ends_the_wait_of_eos() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let element = element(&format!("unix:{}", path.display()));
    element.set_property("flush-timeout", 3600 * gst::ClockTime::SECOND.nseconds());
    let (mut h, _bus) = harness(&element);
    let stream = accept(&listener);
    // More than the socket holds and less than the queue does.
    for n in 0..100 {
        h.push(buffer(n, Some(100))).unwrap();
    }
    let sink = element.static_pad("sink").unwrap();
    std::thread::scope(|scope| {
        let eos = scope.spawn(|| h.push_event(gst::event::Eos::new()));
        // FLUSH_START may come before EOS does and is then repeated.
        wait_until("EOS came back", || {
            sink.send_event(gst::event::FlushStart::new());
            std::thread::sleep(Duration::from_millis(10));
            eos.is_finished()
        });
    });
    drop(stream);
    element.set_property("flush-timeout", 0u64);
}

#[test]
fn each_line_is_one_datagram() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let element = element(&format!("udp://{}", socket.local_addr().unwrap()));
    let (mut h, _bus) = harness(&element);
    for n in 0..3 {
        h.push(buffer(n, Some(1))).unwrap();
        let mut datagram = [0; 4096];
        let length = socket.recv(&mut datagram).unwrap();
        let text = std::str::from_utf8(&datagram[..length]).unwrap();
        assert_eq!(frames(&parse(text)), [n]);
    }
    end(&mut h);
    assert_eq!(counter(&element, "written"), 3);
}

#[test]
fn a_udp_port_without_a_reader_is_reported_once() {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let element = element(&format!("udp://127.0.0.1:{port}"));
    let (mut h, bus) = harness(&element);
    for n in 0..20 {
        h.push(buffer(n, Some(1))).unwrap();
    }
    end(&mut h);
    let said = warnings(&bus);
    let refused = said.iter().filter(|text| text.contains("refused")).count();
    assert_eq!(refused, 1, "{said:?}");
    assert_eq!(counter(&element, "written") + counter(&element, "dropped"), 20);
}

/// Pushes frames until the bus has a message of this type, and returns its text.
fn push_until(h: &mut Harness, bus: &gst::Bus, wanted: gst::MessageType) -> String {
    let (mut text, mut n) = (None, 0);
    wait_until("a message", || {
        h.push(buffer(n, Some(1))).unwrap();
        n += 1;
        text = bus.pop_filtered(&[gst::MessageType::Warning, gst::MessageType::Info]);
        text.is_some()
    });
    let message = text.unwrap();
    assert_eq!(message.type_(), wanted, "{message:?}");
    match message.view() {
        gst::MessageView::Warning(warning) => warning.error().to_string(),
        gst::MessageView::Info(info) => info.error().to_string(),
        _ => unreachable!(),
    }
}

#[test]
fn each_outage_of_udp_is_told_and_summed_up() {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let element = element(&format!("udp://127.0.0.1:{port}"));
    let (mut h, bus) = harness(&element);
    for _ in 0..2 {
        let text = push_until(&mut h, &bus, gst::MessageType::Warning);
        assert!(text.contains("refused"), "{text}");
        for n in 0..20 {
            h.push(buffer(n, Some(1))).unwrap();
        }
        let _reader = UdpSocket::bind(("127.0.0.1", port)).unwrap();
        let text = push_until(&mut h, &bus, gst::MessageType::Info);
        assert!(text.contains("works again") && text.contains("dropped"), "{text}");
    }
}

/// The other half of [`standard_output_has_whole_lines`], which runs it in a process of its own.
#[test]
#[ignore = "run by standard_output_has_whole_lines"]
fn write_to_standard_output() {
    println!();
    let element = element("-");
    let (mut h, _bus) = harness(&element);
    for n in 0..20 {
        h.push(buffer(n, Some(30))).unwrap();
    }
    end(&mut h);
}

#[test]
fn standard_output_has_whole_lines() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "write_to_standard_output", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(frames(&lines), (0..20).collect::<Vec<_>>());
}
