//! Gives the plugin its version, release date and repository (see `plugin_define!` in `src/plugin`),
//! and the embedded face detector its numbers.
//!
//! Those are a file in the package of the crate `rustface`, which cargo has brought here as a
//! dependency of this script. Cargo tells a script nothing of where a dependency lies, and
//! `cargo metadata` would have to resolve and download the dependencies of tests and of other
//! platforms as well, which fails offline, and cannot be asked when this crate is itself a
//! dependency. What knows the place is the library: a failed check of it names its source file.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::{env, fs, panic};

/// The file, instead of the one in the package.
const OVERRIDE: &str = "GAZE_FRONTAL_MODEL";
/// Where it is in the package.
const FILE: &str = "model/seeta_fd_frontal_v1.0.bin";
/// Its length in bytes. Who it is by is vouched for by the package's checksum in Cargo.lock.
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
    let bytes = fs::read(&path).unwrap_or_else(|why| refuse(&path, &why.to_string()));
    if bytes.len() != LENGTH {
        refuse(&path, &format!("it has {} bytes and not {LENGTH}", bytes.len()));
    }
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default().join("frontal.bin");
    fs::write(&out, bytes).unwrap_or_else(|why| refuse(&out, &why.to_string()));
    println!("cargo::rustc-env=GAZE_FRONTAL={}", out.display());
}

fn refuse(path: &Path, why: &str) -> ! {
    println!(
        "cargo::error=the embedded face detector: {}: {why}. Set {OVERRIDE} to {FILE} of the crate \
         rustface 0.1.7 (needed where the compiler was told to hide paths of sources)",
        path.display()
    );
    std::process::exit(1)
}

/// The folder of the package `rustface`.
fn package() -> Option<PathBuf> {
    static PLACE: OnceLock<Mutex<Option<PathBuf>>> = OnceLock::new();
    let place = || PLACE.get_or_init(Mutex::default).lock().ok();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if let (Some(mut place), Some(location)) = (place(), info.location()) {
            *place = Some(PathBuf::from(location.file()));
        }
    }));
    // No picture of 1x1 pixels has no byte, and it says so.
    let _ = panic::catch_unwind(|| rustface::ImageData::new(&[], 1, 1).width());
    panic::set_hook(before);
    let source = place()?.take()?;
    source.ancestors().find(|folder| folder.join(FILE).is_file()).map(Path::to_path_buf)
}
