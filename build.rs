//! Gives the plugin its version, release date and repository (see `plugin_define!` in `src/plugin`),
//! and the embedded face detector its numbers.
//!
//! These numbers are a file in the package of the crate `rustface`, a dependency of this script. Cargo
//! tells a script no path of a dependency. `cargo metadata` would resolve and download the dependencies
//! of tests and of other platforms as well, which fails offline, and does not work where this crate is
//! itself a dependency. But a failed assertion of the library names its source file.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::{env, fs, panic};

/// Names the file in place of the one in the package.
const OVERRIDE: &str = "GAZE_FRONTAL_MODEL";
/// The path of the file in the package.
const FILE: &str = "model/seeta_fd_frontal_v1.0.bin";
/// Length of the file in bytes. The checksum of the package in Cargo.lock vouches for its content.
const LENGTH: usize = 1_209_904;

fn main() {
    gst_plugin_version_helper::info();
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={OVERRIDE}");
    let path = match env::var_os(OVERRIDE) {
        Some(path) => PathBuf::from(path),
        None => package().unwrap_or_default().join(FILE),
    };
    println!("cargo::rerun-if-changed={}", path.display());
    let bytes = fs::read(&path).unwrap_or_else(|why| fail(&path, &why.to_string()));
    if bytes.len() != LENGTH {
        fail(&path, &format!("it has {} bytes in place of {LENGTH}", bytes.len()));
    }
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default().join("frontal.bin");
    fs::write(&out, bytes).unwrap_or_else(|why| fail(&out, &why.to_string()));
    println!("cargo::rustc-env=GAZE_FRONTAL={}", out.display());
}

fn fail(path: &Path, why: &str) -> ! {
    println!(
        "cargo::error=the embedded face detector: {}: {why}. Set {OVERRIDE} to {FILE} of the crate \
         rustface 0.1.7 (builds that remap source paths need this)",
        path.display()
    );
    std::process::exit(1)
}

/// The folder of the package `rustface`.
fn package() -> Option<PathBuf> {
    static SOURCE: OnceLock<Mutex<Option<PathBuf>>> = OnceLock::new();
    let source = || SOURCE.get_or_init(Mutex::default).lock().ok();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if let (Some(mut source), Some(location)) = (source(), info.location()) {
            *source = Some(PathBuf::from(location.file()));
        }
    }));
    // An image of 1x1 pixels without a byte fails the assertion.
    let _ = panic::catch_unwind(|| rustface::ImageData::new(&[], 1, 1).width());
    panic::set_hook(before);
    let source = source()?.take()?;
    source.ancestors().find(|folder| folder.join(FILE).is_file()).map(Path::to_path_buf)
}
