//! What the tests share: where given material lies, and how a test says that it was left out.
#![allow(dead_code)] // each test crate uses its own part of this

#[cfg(all(feature = "plugin", target_os = "linux"))]
pub mod cuda;
pub mod drive;
#[cfg(feature = "plugin")]
pub mod element;
pub mod engines;
pub mod frames;
pub mod npy;
#[cfg(all(feature = "plugin", target_os = "linux"))]
pub mod on_gpu;

pub use gstgaze;

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Material that is given beside the checkout (`$GAZE_SHARED`, or `../shared`): real models and
/// footage. `None` where it is absent; the test is then named in the list of tests left out, which
/// `tests/run.sh` prints with its count.
pub fn shared(test: &str, path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GAZE_SHARED")
        .map(PathBuf::from)
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    left_out(test, &format!("{path} is not in {}", root.display()));
    None
}

/// Names a test that could not run (or not wholly), and why, in a line of the file
/// `$GAZE_LEFT_OUT`, a tab between the two.
pub fn left_out(test: &str, why: &str) {
    eprintln!("left out: {test}: {why}");
    if let Some(list) = std::env::var_os("GAZE_LEFT_OUT") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(list);
        // In one piece: tests run side by side, and each has the file open.
        let line = format!("{test}\t{why}\n");
        let _ = file.and_then(|mut f| f.write_all(line.as_bytes()));
    }
}

/// A small model that belongs to the project (made by `tests/data/make_models.py`).
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Whether ONNX Runtime is to be had; the test is named in the list of tests left out where not. A
/// library that a variable names and that does not load is a failure all the same.
pub fn onnx_runtime(test: &str) -> bool {
    use gstgaze::engine::runtime;
    match runtime::get() {
        Ok(_) => true,
        Err(_) if runtime::VARIABLES.iter().all(|name| std::env::var_os(name).is_none()) => {
            left_out(test, "there is no ONNX Runtime; GAZE_ORT_LIBRARY leads to one");
            false
        }
        Err(why) => panic!("{why}"),
    }
}
