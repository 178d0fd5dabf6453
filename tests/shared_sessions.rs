//! Engines that share a session: one model's memory, results that do not mix.
//!
//! In a test program of its own, with one test, because it counts the sessions of the process.

mod common;

use std::path::Path;
use std::time::Duration;

use gstgaze::core::inference::{Engine, TensorMut};
use gstgaze::engine::OrtEngine;
use gstgaze::engine::{self, EngineOptions, open_sessions};

fn open(path: &Path, options: &EngineOptions) -> OrtEngine {
    engine::open(path, options).result.unwrap()
}

/// The model answers with the mean of red: what was put in comes out.
fn answer(engine: &mut dyn Engine, value: f32) -> f32 {
    let TensorMut::F32(input) = engine.input(0) else { panic!("not float32") };
    input.fill(value);
    engine.run(1).unwrap();
    engine.output(0)[0]
}

#[test]
fn two_engines_load_the_same_model_once() {
    if !common::onnx_runtime("two_engines_load_the_same_model_once") {
        return;
    }
    let (model, options) = (common::data("regression.onnx"), EngineOptions::default());
    assert_eq!(open_sessions(), 0);
    let mut engines: Vec<OrtEngine> = (0..16).map(|_| open(&model, &options)).collect();
    assert_eq!(open_sessions(), 1);

    // All at once, each with values of its own.
    std::thread::scope(|scope| {
        for (number, engine) in engines.iter_mut().enumerate() {
            scope.spawn(move || {
                for round in 0..50 {
                    let value = (number * 50 + round) as f32 / 800.0;
                    assert!((answer(engine, value) - value).abs() < 1e-5);
                }
            });
        }
    });

    // Another batch is no other session, other threads are; and another model is.
    let batch = open(&model, &EngineOptions { batch_size: 4, ..options.clone() });
    assert_eq!((batch.max_batch(), open_sessions()), (4, 1));
    let threads = open(&model, &EngineOptions { threads: 3, ..options.clone() });
    let other = open(&common::data("regression_nhwc.onnx"), &options);
    assert_eq!(open_sessions(), 3);

    // A copy elsewhere, and the same file with another content, are other models.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("model.onnx");
    std::fs::copy(&model, &copy).unwrap();
    let first = open(&copy, &options);
    std::fs::copy(common::data("regression_profile_toml.onnx"), &copy).unwrap();
    let second = open(&copy, &options);
    assert_eq!(open_sessions(), 5);
    assert_ne!(first.info().metadata, second.info().metadata);

    // An instance is a session of its own, for one model and one set of options.
    let instance = EngineOptions { instance: Some("cabin".into()), ..options.clone() };
    let (a, b) = (open(&model, &instance), open(&model, &instance));
    assert_eq!(open_sessions(), 6);
    let unlike = EngineOptions { threads: 3, ..instance.clone() };
    let error = engine::open(&model, &unlike).result.unwrap_err().to_string();
    assert!(error.contains("cabin") && error.contains("another id"), "{error}");

    // Streams whose faces come together are one batch, and each gets its own.
    let gathered =
        EngineOptions { batch_size: 4, batch_timeout: Duration::from_secs(20), ..options.clone() };
    let profile = common::data("regression.toml");
    let streams: Vec<Box<dyn Engine>> = (0..4)
        .map(|_| engine::open_model(&model, profile.to_str(), &gathered).result.unwrap().engine)
        .collect();
    std::thread::scope(|scope| {
        for (number, mut engine) in streams.into_iter().enumerate() {
            scope.spawn(move || {
                let value = number as f32 / 4.0;
                assert!((answer(&mut *engine, value) - value).abs() < 1e-5);
            });
        }
    });
    assert_eq!(open_sessions(), 6, "their session is that of the others");

    drop((engines, batch, threads, other, first, second, a, b));
    assert_eq!(open_sessions(), 0, "the last one closes it");
    assert!((answer(&mut open(&model, &unlike), 0.5) - 0.5).abs() < 1e-5, "the id is free again");
}
