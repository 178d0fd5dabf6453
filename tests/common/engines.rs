//! What tests of execution providers share: which are at hand, pictures, diagnostics.

use std::path::Path;

use gstgaze::core::inference::{Engine, TensorMut};
use gstgaze::engine::log::LogLevel;
use gstgaze::engine::provider::ExecutionProvider;
use gstgaze::engine::runtime;
use gstgaze::engine::{Diagnostic, EngineCache, EngineOptions};

/// Whether a provider is at hand; the test is named in the list of tests left out where not.
pub fn provider(test: &str, provider: ExecutionProvider) -> bool {
    if !super::onnx_runtime(test) {
        return false;
    }
    let found = ExecutionProvider::available(runtime::get().unwrap()).contains(&provider);
    if !found {
        super::left_out(test, &format!("there is no execution provider {provider}"));
    }
    found
}

/// A provider with one thread and a cache of its own. For QNN a chip is named (57, the Snapdragon 8
/// Gen 3), without which its emulator computes floats in 32 bits.
pub fn options(provider: ExecutionProvider, cache: &Path) -> EngineOptions {
    let cache = EngineCache::Directory(cache.to_path_buf());
    let provider_options = match provider {
        ExecutionProvider::Qnn => vec![("soc_model".to_owned(), "57".to_owned())],
        _ => Vec::new(),
    };
    EngineOptions { provider, cache, provider_options, threads: 1, ..EngineOptions::default() }
}

/// The text of an engine's diagnostics, of which one is a warning if `warned` says so, and none
/// otherwise.
pub fn told(diagnostics: &[Diagnostic], warned: bool) -> String {
    let text = diagnostics.iter().map(|d| d.text.as_str()).collect::<Vec<_>>().join("\n");
    assert_eq!(diagnostics.iter().any(|d| d.level == LogLevel::Warning), warned, "{text}");
    text
}

/// Runs noise in 0..1 through the first input.
pub fn answer(engine: &mut dyn Engine, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    let TensorMut::F32(input) = engine.input(0) else { panic!("not float32") };
    for value in input {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *value = (state >> 8) as f32 / (1 << 24) as f32;
    }
    engine.run(1).unwrap();
    engine.output(0).to_vec()
}

/// The largest difference of two results.
pub fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
