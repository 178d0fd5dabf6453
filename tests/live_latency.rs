//! The latency that gazeface and gazeinfer report to live pipelines.
#![cfg(feature = "plugin")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::element::{black, caps, init, runtime};
use gst::prelude::*;
use gst_check::Harness;
use gst_video::VideoFormat;

const UPSTREAM: gst::ClockTime = gst::ClockTime::from_mseconds(10);

/// The elements with their models, by name.
fn elements(test: &str) -> Vec<(&'static str, String)> {
    init();
    let mut elements = vec![("gazeface", "gazeface".to_owned())];
    if runtime(test) {
        elements.push((
            "gazeinfer",
            format!(
                "gazeinfer engine={} profile={}",
                common::data("regression.onnx").display(),
                common::data("regression.toml").display()
            ),
        ));
    }
    elements
}

fn harness(description: &str) -> (Harness, gst::Element, gst::Bus) {
    let element = gst::parse::launch(description).unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut h = Harness::with_element(&element, Some("sink"), Some("src"));
    h.set_src_caps(caps(VideoFormat::Rgb, 64, 48));
    h.set_upstream_latency(UPSTREAM);
    (h, element, bus)
}

/// Whether the source is live, and the least and the most latency.
fn latency(element: &gst::Element) -> (bool, gst::ClockTime, Option<gst::ClockTime>) {
    let mut query = gst::query::Latency::new();
    assert!(element.static_pad("src").unwrap().query(&mut query));
    query.result()
}

fn push(h: &mut Harness, frames: u64) {
    for _ in 0..frames {
        h.push(black(64, 48)).unwrap();
        h.pull().unwrap();
    }
}

fn messages(bus: &gst::Bus) -> usize {
    std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Latency])).count()
}

#[test]
fn the_time_of_inferences_is_latency_of_live_pipelines() {
    for (name, element) in elements("the_time_of_inferences_is_latency_of_live_pipelines") {
        let (mut h, element, bus) = harness(&element);
        assert_eq!(latency(&element), (true, UPSTREAM, None), "{name}: nothing is known yet");
        push(&mut h, 20);
        let (live, min, max) = latency(&element);
        // Rounded up to a millisecond at least.
        assert!(live && min >= UPSTREAM + gst::ClockTime::MSECOND, "{name}: {min}");
        assert_eq!(min.nseconds() % 1_000_000, 0, "{name}: {min}");
        assert_eq!(max, None, "no limit upstream is none here");
        assert!(messages(&bus) >= 1, "{name}: growth is told");
        // Off, and on again: each is told, for the pipeline to ask anew.
        element.set_property("latency-report", false);
        assert_eq!(messages(&bus), 1, "{name}");
        assert_eq!(latency(&element).1, UPSTREAM, "{name}");
        element.set_property("latency-report", true);
        assert_eq!(messages(&bus), 1, "{name}");
        assert_eq!(latency(&element).1, min, "{name}: what was measured is known still");
        // A thousand frames bring no storm.
        push(&mut h, 1000);
        let told = messages(&bus);
        assert!(told <= 10, "{name}: {told} messages");
        // A new start knows nothing.
        element.set_state(gst::State::Ready).unwrap();
        element.set_state(gst::State::Playing).unwrap();
        assert_eq!(latency(&element).1, UPSTREAM, "{name}");
    }
}

/// A property that is off from the start: nothing is added, and nothing is posted.
#[test]
fn switched_off_the_query_passes_unchanged() {
    for (name, element) in elements("switched_off_the_query_passes_unchanged") {
        let (mut h, element, bus) = harness(&format!("{element} latency-report=false"));
        assert_eq!(latency(&element).1, UPSTREAM);
        push(&mut h, 40);
        assert_eq!(latency(&element), (true, UPSTREAM, None), "{name}");
        assert_eq!(messages(&bus), 0, "{name}");
    }
}

/// What batch-timeout holds back counts from the start, and is not counted twice once it is measured.
#[test]
fn batch_timeout_counts_as_before() {
    if !runtime("batch_timeout_counts_as_before") {
        return;
    }
    let timeout = gst::ClockTime::from_mseconds(300);
    for (properties, wait) in [
        ("batch-timeout=300 model-instance-id=latency", timeout),
        ("batch-timeout=300 latency-report=false", timeout),
        ("batch-timeout=300 batch-size=1", gst::ClockTime::ZERO),
    ] {
        let (_, infer) = elements("batch_timeout_counts_as_before").remove(1);
        let (mut h, element, _) = harness(&format!("{infer} {properties}"));
        assert_eq!(latency(&element).1, UPSTREAM + wait, "{properties}");
        push(&mut h, 3);
        assert_eq!(latency(&element).1, UPSTREAM + wait, "{properties}");
    }
}

/// Runs a pipeline, answers its LATENCY messages as applications do, and returns how many there were
/// and what the elements answer last: whether the source is live, and the latency.
fn play(description: &str) -> (usize, bool, gst::ClockTime) {
    let pipeline = gst::parse::launch(description).unwrap().downcast::<gst::Pipeline>().unwrap();
    let bus = pipeline.bus().unwrap();
    let told = Arc::new(AtomicUsize::new(0));
    let count = told.clone();
    let gaze = ["gazeface", "gazeinfer"];
    bus.set_sync_handler(move |_, message| {
        let from = message.src().and_then(|src| src.downcast_ref::<gst::Element>());
        let factory = from.and_then(|element| element.factory());
        let ours = factory.is_some_and(|factory| gaze.contains(&factory.name().as_str()));
        if ours && message.type_() == gst::MessageType::Latency {
            count.fetch_add(1, Ordering::SeqCst);
        }
        gst::BusSyncReply::Pass
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    loop {
        let message = bus.timed_pop(gst::ClockTime::from_seconds(60)).expect("the end");
        match message.view() {
            gst::MessageView::Latency(_) => pipeline.recalculate_latency().unwrap(),
            gst::MessageView::Error(error) => panic!("{error:?}"),
            gst::MessageView::Eos(_) => break,
            _ => {}
        }
    }
    let pad = pipeline.by_name("out").unwrap().static_pad("sink").unwrap();
    let mut query = gst::query::Latency::new();
    assert!(pad.peer_query(&mut query));
    let (live, min, _) = query.result();
    pipeline.set_state(gst::State::Null).unwrap();
    (told.load(Ordering::SeqCst), live, min)
}

#[test]
fn a_live_pipeline_gets_the_latency_and_a_file_does_not() {
    let elements = elements("a_live_pipeline_gets_the_latency_and_a_file_does_not");
    let chain: Vec<_> = elements.iter().map(|(_, element)| element.as_str()).collect();
    let chain = chain.join(" ! ");
    let source = |live: bool| {
        format!(
            "videotestsrc num-buffers=60 is-live={live} ! \
             video/x-raw,format=RGB,width=320,height=240,framerate=30/1 ! queue ! {chain} ! fakesink name=out sync=true"
        )
    };
    let (told, live, _) = play(&source(false));
    assert_eq!((told, live), (0, false));
    let (told, live, min) = play(&source(true));
    let least = gst::ClockTime::MSECOND * elements.len() as u64;
    assert!(live && min >= least, "{min}");
    assert!((1..=20).contains(&told), "{told}");
}
