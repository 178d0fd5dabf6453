//! The page is well-formed whatever its texts hold, and small however long the recording is.

use super::budgets::evidence::Evidence;
use super::budgets::memory::MemoryRecord;
use super::budgets::tally::Tally;
use gstgaze::core::monitor::ZoneMap;

use super::document::{Input, Measurements, Report};
use super::page::Page;
use super::process::ProcessUsage;

/// Closes text, an attribute, a comment and a style, and turns the direction of letters.
const HOSTILE: &str =
    "</title><script>alert(1)</script>\"'><img src=x onerror=a> --> }</style> \u{202e}&\u{1b}";

fn line(frame: u64, name: &str) -> String {
    let swing = (frame as f64 / 9.0).sin();
    let alarms = if frame % 90 > 60 { r#"["long-distraction"]"# } else { "[]" };
    let name = serde_json::to_string(name).unwrap();
    let class = if swing > 0.3 { "mirror" } else { "forward" };
    format!(
        r#"{{"schema":1,"frame":{frame},"pts":{},"model":{name},"inference_time_ns":4000000,"latency_ns":{},"faces":[{{"pitch":0.1,"yaw":0.2}}],"attention":{{"state":"attentive","alarms":{alarms},"zone":{name},"zone_class":"{class}","pitch":{},"yaw":{},"rules":{name}}}}}"#,
        frame * 33_333_333,
        8_000_000 + frame % 100 * 400_000,
        swing * 0.3,
        swing * 0.6,
    )
}

fn page(frames: u64, name: &str, zones: Option<&ZoneMap>) -> String {
    let mut tally = Tally::new(None, None);
    (0..frames).for_each(|frame| tally.line(line(frame, name).as_bytes()));
    let mut memory = MemoryRecord::default();
    (0..3000).for_each(|i| memory.add(f64::from(i), 100.0 + f64::from(i % 7)));
    let usage =
        ProcessUsage { memory, threads: (3, 5), seconds: 3000.0, ..ProcessUsage::default() };
    let evidence = Evidence {
        tally: &tally,
        accuracy: Err(name.to_owned()),
        power: Err(name.to_owned()),
        memory: Ok(&usage.memory),
        ended_badly: Some(name.to_owned()),
    };
    let input = Input {
        kind: "video",
        names: vec![name.to_owned()],
        pipeline: Some(name.to_owned()),
        machine: Some(name.to_owned()),
    };
    let besides = Measurements { accuracy: None, power: None, usage: Some(&usage) };
    let files = [name.to_owned(), name.to_owned()];
    let report =
        Report::new(input, evidence.findings(), files, &tally, &besides, "2026-01-01".to_owned());
    let memory = Some(&usage.memory);
    Page { report: &report, tally: &tally, zones, memory, usage: Some(&usage) }.html()
}

/// Checks that each tag is closed, each attribute quoted and each `<` and `&` escaped, and returns the
/// names of all elements.
fn elements(page: &str) -> Vec<String> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a document type");
    let (mut open, mut all) = (Vec::<String>::new(), Vec::new());
    while let Some(begin) = rest.find('<') {
        let text = &rest[..begin];
        if open.last().is_none_or(|tag| tag != "style") {
            for (at, _) in text.match_indices('&') {
                let entity = text[at + 1..].split(';').next().unwrap_or_default();
                assert!(
                    ["amp", "lt", "gt", "quot", "#39"].contains(&entity),
                    "{:?}",
                    &text[at..text.len().min(at + 20)]
                );
            }
        }
        let end = begin + rest[begin..].find('>').expect("a tag ends");
        let tag = &rest[begin + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let name = tag.split([' ', '/', '\n']).next().unwrap().to_owned();
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "<{tag}>");
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
        all.push(name.clone());
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!(open, [""; 0]);
    all
}

#[test]
fn texts_stay_texts() {
    let zones = ZoneMap::builtin("left-hand-drive").unwrap().unwrap();
    let (plain, hostile) = (page(300, "plain", Some(&zones)), page(300, HOSTILE, Some(&zones)));
    assert_eq!(elements(&plain), elements(&hostile), "a text adds an element");
    assert!(!hostile.contains("<script") && !hostile.contains("<img"));
    assert!(!hostile.contains(['\u{202e}', '\u{1b}']));
    assert_eq!(elements(&plain).iter().filter(|name| *name == "svg").count(), 4);
    // The page fetches nothing: its only address is the name of SVG.
    assert_eq!(plain.matches("http").count(), 4 + plain.matches("http-equiv").count());
    assert!(!plain.contains("url(") || plain.contains("url(#heat)"));
    // NaN and infinity leave holes in plots.
    assert!(!plain.contains("NaN") && !plain.contains("inf\""));
}

#[test]
fn a_page_without_zones_or_attention() {
    elements(&page(300, "plain", None));
    elements(&page(1, "plain", None));
    elements(&page(2, "plain", None));
}

/// Two hours of frames make a page that a browser draws at once.
#[test]
fn long_recordings_make_small_pages() {
    let short = page(300, "plain", None).len();
    let long = page(200_000, "plain", None).len();
    assert!(long < 400_000, "{short} and {long} bytes");
}
