//! `gazepublish` on batches: each line has what belongs to its source.
#![cfg(feature = "plugin")]

mod common;

use gst::meta::CustomMeta;
use gst_check::Harness;
use gstgaze::core::gaze::{FrameGaze, GazeEstimate};
use gstgaze::core::geometry::Size;
use gstgaze::core::monitor::Attention;
use gstgaze::plugin::meta::{attention, gaze};
use serde_json::Value;

/// The lines of one buffer with gaze of these sources, and attention of one.
fn lines(sources: &[u32], judged: Option<u32>) -> Vec<(u64, bool)> {
    common::element::init();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gaze.jsonl");
    let mut h = Harness::new_parse(&format!("gazepublish location={}", file.display()));
    h.set_src_caps_str("video/x-raw(memory:NVMM)");
    let mut buffer = gst::Buffer::new();
    let writable = buffer.get_mut().unwrap();
    let frames = sources.iter().map(|source_id| FrameGaze {
        size: Size::new(64, 48),
        faces: vec![GazeEstimate::default()],
        source_id: *source_id,
        ..FrameGaze::default()
    });
    let frames: Vec<_> = frames.collect();
    gaze::add_batch(writable, &frames).unwrap();
    attention::add(writable, &Attention::default()).unwrap();
    if let Some(source) = judged {
        let mut meta = CustomMeta::from_mut_buffer(writable, attention::NAME).unwrap();
        meta.mut_structure().set("source-id", source);
    }
    h.push(buffer).unwrap();
    h.push_event(gst::event::Eos::new());
    let text = std::fs::read_to_string(&file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| (line["source_id"].as_u64().unwrap(), line["attention"].is_object()))
        .collect()
}

#[test]
fn lines_carry_the_attention_of_their_own_source() {
    assert_eq!(lines(&[2, 0, 1], Some(0)), [(2, false), (0, true), (1, false)]);
    assert_eq!(lines(&[2, 0], Some(2)), [(2, true), (0, false)]);
    assert_eq!(lines(&[2, 0], Some(5)), [(2, false), (0, false)], "whose source is not here");
    assert_eq!(lines(&[3], Some(3)), [(3, true)]);
    // Of an AttentionMeta that does not say whose it is: the first, which is the one that is judged.
    assert_eq!(lines(&[2, 0], None), [(2, true), (0, false)]);
}
