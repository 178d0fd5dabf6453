//! Times `gazeinfer` against bare ONNX Runtime: the same model, the same threads, one run each.
//!
//! A 1080p NV12 frame with one face goes through the element (region metadata, crop, resample,
//! colour, normalise, run, decode, GazeMeta). In turns with it, the bare session runs on a filled tensor,
//! so that other work of the machine slows both alike. The bench prints the ratio of the medians.
//!
//! Models come from `$GAZE_SHARED` or `../shared`; `$GAZE_BENCH_224` names one at 224x224
//! (`benches/mobilegaze_224.py` writes it).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::Criterion;
use gst_check::Harness;
use gst_video::{VideoFormat, VideoInfo, VideoRegionOfInterestMeta};
use gstgaze::core::inference::{Engine, TensorMut};
use gstgaze::engine::{self, EngineOptions};

const SIZE: (u32, u32) = (1920, 1080);
const FACE: (u32, u32, u32, u32) = (692, 188, 300, 400);
const ROUNDS: usize = 150;

/// A frame with a pattern and one face region.
fn frame() -> gst::Buffer {
    let info = VideoInfo::builder(VideoFormat::Nv12, SIZE.0, SIZE.1).build().expect("a size");
    let bytes = (0..info.size()).map(|i| ((i * 31) ^ (i >> 9)) as u8).collect::<Vec<_>>();
    let mut buffer = gst::Buffer::from_slice(bytes);
    let writable = buffer.get_mut().expect("just made");
    VideoRegionOfInterestMeta::add(writable, "face", FACE);
    buffer
}

/// The element with a model and its profile.
fn element(model: &Path, profile: &str, threads: usize) -> Harness {
    let mut h = Harness::new_parse(&format!(
        "gazeinfer engine={} profile={profile} threads={threads} qos=false",
        model.display()
    ));
    h.set_src_caps(
        gst_video::VideoCapsBuilder::new()
            .format(VideoFormat::Nv12)
            .width(SIZE.0 as i32)
            .height(SIZE.1 as i32)
            .framerate(gst::Fraction::new(30, 1))
            .build(),
    );
    h
}

/// The bare session with a filled input.
fn bare(model: &Path, threads: usize) -> impl Engine {
    let options = EngineOptions { threads, ..EngineOptions::default() };
    let mut engine = engine::open(model, &options).result.expect("the model opens");
    if let TensorMut::F32(values) = engine.input(0) {
        for (i, value) in values.iter_mut().enumerate() {
            *value = (i % 97) as f32 / 48.0 - 1.0;
        }
    }
    engine
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Medians of element and bare session, in turns.
fn interleaved(h: &mut Harness, engine: &mut dyn Engine, frame: &gst::Buffer) -> (f64, f64) {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS + 10 {
        let buffer = frame.copy();
        let begin = Instant::now();
        h.push(buffer).expect("flows");
        let element = begin.elapsed();
        drop(h.pull());
        let begin = Instant::now();
        engine.run(1).expect("runs");
        let session = begin.elapsed();
        if round >= 10 {
            with.push(element);
            without.push(session);
        }
    }
    let ms = |times: &mut [Duration]| median(times).as_secs_f64() * 1e3;
    (ms(&mut with), ms(&mut without))
}

fn main() {
    gst::init().expect("GStreamer");
    gstgaze::plugin::plugin_register_static().expect("our elements");
    let shared = std::env::var_os("GAZE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let mut models = vec![(
        "mobilegaze_448",
        shared.join("models/gaze/mobilegaze_mobileone_s0.onnx"),
        "mobilegaze",
    )];
    if let Some(path) = std::env::var_os("GAZE_BENCH_224") {
        let profile = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/mobilegaze_224.toml");
        models.push(("mobilegaze_224", PathBuf::from(path), profile));
    }
    let frame = frame();
    let mut criterion = Criterion::default().configure_from_args().sample_size(30);
    let mut rows = Vec::new();
    for (name, model, profile) in models {
        if !model.exists() {
            println!("leaving out {name}: no file {}", model.display());
            continue;
        }
        for threads in [1, 2] {
            let mut h = element(&model, profile, threads);
            let mut engine = bare(&model, threads);
            let (with, without) = interleaved(&mut h, &mut engine, &frame);
            rows.push((name, threads, with, without));
            if threads == 1 {
                criterion.bench_function(&format!("gazeinfer/{name}"), |b| {
                    b.iter(|| {
                        h.push(frame.copy()).expect("flows");
                        h.pull().expect("a frame")
                    });
                });
                criterion.bench_function(&format!("onnxruntime/{name}"), |b| {
                    b.iter(|| engine.run(1).expect("runs"));
                });
            }
        }
    }
    println!("\n| model | threads | gazeinfer, ms | bare ONNX Runtime, ms | ratio |");
    println!("|---|---|---|---|---|");
    for (name, threads, with, without) in rows {
        println!("| {name} | {threads} | {with:.2} | {without:.2} | {:.3} |", with / without);
    }
}
