//! The embedded detector and the embedded gaze model on the film that ships with the project, whose
//! true gaze is known.
#![cfg(feature = "plugin")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::element::runtime;
use gst::prelude::*;
use gstgaze::core::geometry::Gaze;
use gstgaze::plugin::meta::gaze;

/// Degrees that the film's camera sees from left to right.
const FIELD_OF_VIEW: u32 = 58;

fn models(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name).display().to_string()
}

/// Where the one face of every third frame looks, as `gazeinfer` with these properties tells; by the
/// number of the frame in the film, of which so many seconds are looked at.
fn look(properties: &str, seconds: u64) -> BTreeMap<usize, Gaze> {
    let pipeline = gst::parse::launch(&format!(
        "filesrc location={} ! decodebin ! videorate drop-only=true ! video/x-raw,framerate=10/1 ! \
         videoconvert ! identity eos-after={} ! gazeface qos=false ! \
         gazeinfer qos=false field-of-view={FIELD_OF_VIEW} {properties} ! appsink name=out sync=false",
        models("demo.mp4"),
        10 * seconds + 1
    ))
    .unwrap()
    .downcast::<gst::Pipeline>()
    .unwrap();
    let sink = pipeline.by_name("out").unwrap().downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut found = BTreeMap::new();
    let end = gst::ClockTime::from_seconds(seconds);
    while let Ok(sample) = sink.pull_sample() {
        let buffer = sample.buffer().unwrap();
        let pts = buffer.pts().unwrap();
        let result = gaze::read(buffer).unwrap();
        if let ([face], true) = (result.faces.as_slice(), pts < end)
            && let Some(gaze) = face.gaze
        {
            found.insert((pts.nseconds() as f64 * 30e-9).round() as usize, gaze);
        }
    }
    let bus = pipeline.bus().unwrap();
    let error = bus.pop_filtered(&[gst::MessageType::Error]);
    assert!(error.is_none(), "{error:?}");
    pipeline.set_state(gst::State::Null).unwrap();
    assert!(found.len() as u64 * 10 >= 9 * 10 * seconds, "{} frames", found.len());
    found
}

/// The film's ground truth.
fn truth() -> Vec<Gaze> {
    let text = std::fs::read_to_string(models("demo.jsonl")).unwrap();
    let line = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let angle = |key: &str| value[key].as_f64().unwrap() as f32;
        Gaze::new(angle("gaze-pitch"), angle("gaze-yaw"))
    };
    text.lines().map(line).collect()
}

/// Degrees between two directions.
fn apart(a: Gaze, b: Gaze) -> f32 {
    let dot: f32 = a.direction().iter().zip(b.direction()).map(|(a, b)| a * b).sum();
    dot.clamp(-1.0, 1.0).acos().to_degrees()
}

fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / count as f32
}

/// Pearson's coefficient of two lists of the same length.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let centred = |values: &[f32]| -> Vec<f32> {
        let mean = mean(values.iter().copied());
        values.iter().map(|value| value - mean).collect()
    };
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let (a, b) = (centred(a), centred(b));
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

#[test]
fn the_model_follows_a_person_outside_its_training() {
    if !runtime("the_model_follows_a_person_outside_its_training") {
        return;
    }
    let truth = truth();
    let found = look("", 10);
    let error = mean(found.iter().map(|(frame, gaze)| apart(*gaze, truth[*frame])));
    let follows = |angle: fn(&Gaze) -> f32| {
        let told: Vec<f32> = found.values().map(angle).collect();
        let is: Vec<f32> = found.keys().map(|frame| angle(&truth[*frame])).collect();
        correlation(&told, &is)
    };
    let (yaw, pitch) = (follows(|gaze| gaze.yaw), follows(|gaze| gaze.pitch));
    println!(
        "{} frames: mean error {error:.2} degrees, r yaw {yaw:.3}, pitch {pitch:.3}",
        found.len()
    );
    assert!(error < 8.0 && yaw > 0.9 && pitch > 0.75, "{error} degrees, r {yaw}, {pitch}");
}

/// What the project holds every change of precision to: less than one degree.
#[test]
fn the_8_bit_model_gives_the_same_angles() {
    if !runtime("the_8_bit_model_gives_the_same_angles") {
        return;
    }
    let (float, int8) = (look("", 3), look("precision=int8", 3));
    assert_eq!(float.keys().collect::<Vec<_>>(), int8.keys().collect::<Vec<_>>());
    let differences = float.values().zip(int8.values()).map(|(a, b)| apart(*a, *b));
    let difference = mean(differences);
    println!("8 bits: {difference:.2} degrees from floats");
    assert!(difference > 0.0 && difference < 1.0, "{difference} degrees");
}
