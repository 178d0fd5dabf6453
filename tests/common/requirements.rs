//! What a test needs from the machine, and how a test without it names itself as left out.
//! Unit tests in `src` include this file too, so it uses nothing of the other helpers.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::gstgaze::engine::{self, runtime};

/// Real models and footage beside the checkout (`$GAZE_SHARED`, or `../shared`). `None`, and the
/// test is named as left out, where the file is absent.
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

/// Names a test that did not run (or not wholly), and why, in a line of the file
/// `$GAZE_LEFT_OUT`, a tab between the two. `tests/run.sh` prints that list and its count.
pub fn left_out(test: &str, why: &str) {
    eprintln!("left out: {test}: {why}");
    if let Some(list) = std::env::var_os("GAZE_LEFT_OUT") {
        let mut file =
            std::fs::OpenOptions::new().create(true).append(true).open(list).expect("the list");
        // In one piece: tests run side by side, and each has the file open.
        file.write_all(format!("{test}\t{why}\n").as_bytes()).expect("the list");
    }
}

/// Whether the machine has an ONNX Runtime; the test is named as left out where it has none.
///
/// # Panics
/// Where a library is there and does not load: a broken ONNX Runtime fails the test.
pub fn onnx_runtime(test: &str) -> bool {
    let Err(error) = runtime::get() else { return true };
    let error = error.to_string();
    assert!(is_absent(&error), "{test}: ONNX Runtime is there and does not load: {error}");
    left_out(test, "there is no ONNX Runtime; set GAZE_ORT_LIBRARY to its library");
    false
}

/// Whether no variable names a library, none lies beside the program, and the loader knows none.
fn is_absent(error: &str) -> bool {
    engine::library_locations().iter().all(|place| {
        let for_the_loader =
            !runtime::VARIABLES.contains(&place.name.as_str()) && !place.name.contains('/');
        // A library that lacks one of its own dependencies gives that other library's name.
        let missing = format!("{}: cannot open shared object file", place.name);
        place.setting.is_none()
            && place.libraries.is_empty()
            && (!for_the_loader || error.contains(&missing))
    })
}
