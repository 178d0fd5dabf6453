//! Builds the stand-in for NVIDIA's libraries (`tests/nvstub/nvstub.h` says what it is) and loads its
//! test elements.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};

use super::{REAL_GPU, VERSIONS, common};

/// The libraries, each with its sources.
pub const LIBRARIES: [(&str, &[&str]); 5] = [
    ("libnvbufsurface.so", &["surface.c"]),
    ("libnvbufsurftransform.so", &["transform.c"]),
    ("libcuda.so.1", &["cuda.c", "kernel.c"]),
    ("libnvds_meta.so", &["nvds.c"]),
    ("libnvdsgst_meta.so", &["nvds.c"]),
];

/// GStreamer, our elements and the stub's; `false` where something is missing that the test needs,
/// which is then named in the list of tests left out.
pub fn ready(test: &str) -> bool {
    if !common::element::runtime(test) {
        return false;
    }
    static LOADED: OnceLock<bool> = OnceLock::new();
    let loaded = *LOADED.get_or_init(|| {
        let Some(folder) = build() else { return false };
        load(&folder.join("linked"));
        true
    });
    if !loaded {
        common::left_out(
            test,
            "no C compiler or no pkg-config: the stand-in for NVIDIA's libraries",
        );
    }
    loaded
}

/// Loads the test elements in `folder`.
pub fn load(folder: &Path) {
    let plugin = gst::Plugin::load_file(folder.join("libgstnvstub.so")).unwrap();
    gst::Registry::get().add_plugin(&plugin).unwrap();
}

/// Compiles everything; `libs` holds the libraries, `linked` test elements that bring them into the
/// process, `alone` the same without them.
pub fn build() -> Option<PathBuf> {
    build_as(VERSIONS)
}

/// The same with these versions of the surfaces' structures and of the metadata's. Compiled once in a
/// process: tests run side by side, and processes of theirs load what lies there.
pub fn build_as(versions: (u32, u32)) -> Option<PathBuf> {
    static BUILT: Mutex<BTreeMap<(u32, u32), Option<PathBuf>>> = Mutex::new(BTreeMap::new());
    BUILT.lock().unwrap().entry(versions).or_insert_with(|| compile(versions)).clone()
}

fn compile((surface, meta): (u32, u32)) -> Option<PathBuf> {
    let flags = Command::new("pkg-config")
        .args(["--cflags", "--libs", "gstreamer-1.0", "gstreamer-video-1.0"])
        .output();
    let flags = String::from_utf8(flags.ok().filter(|o| o.status.success())?.stdout).unwrap();
    Command::new("cc").arg("--version").stdout(Stdio::null()).status().ok()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Of this process alone: others may be at it too.
    // Cargo names no such folder to the crate's own tests.
    let tmp = option_env!("CARGO_TARGET_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tmp.join(format!("nvstub-{surface}-{meta}-{REAL_GPU}-{}", std::process::id()));
    let libs = folder.join("libs");
    std::fs::create_dir_all(&libs).unwrap();
    let compile = |target: &Path, sources: &[&str], link: &[String]| {
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        let name = target.file_name().unwrap().to_str().unwrap();
        let output = Command::new("cc")
            .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-g", "-O2", "-fPIC", "-shared"])
            // The kernels: their pragmas are CUDA's, their products are rounded before they are added.
            .args(["-Wno-unknown-pragmas", "-ffp-contract=off"])
            .args(["-fvisibility=hidden", &format!("-Wl,-soname,{name}")])
            .args([format!("-DNVSTUB_SURFACE={surface}"), format!("-DNVSTUB_META={meta}")])
            .args(REAL_GPU.then_some("-DNVSTUB_REAL_GPU"))
            .arg("-I")
            .arg(root.join("include"))
            .arg("-o")
            .arg(target)
            .args(sources.iter().map(|source| root.join("tests/nvstub").join(source)))
            .args(link)
            .args(flags.split_whitespace())
            .arg("-lm")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    // With a real GPU, its own driver, and surfaces in its memory.
    let real: &[&str] = if REAL_GPU { &["real.c"] } else { &[] };
    let libraries = || LIBRARIES.iter().filter(|(name, _)| !(REAL_GPU && *name == "libcuda.so.1"));
    for (name, sources) in libraries() {
        let more = if *name == "libnvbufsurface.so" { real } else { &[] };
        compile(&libs.join(name), &[*sources, more].concat(), &[]);
    }
    let elements = [&["element.c", "surface.c", "nvds.c"], real].concat();
    compile(&folder.join("alone/libgstnvstub.so"), &elements, &[]);
    let mut link = vec![
        "-Wl,--no-as-needed".to_owned(),
        format!("-L{}", libs.display()),
        format!("-Wl,-rpath,{}", libs.display()),
    ];
    link.extend(libraries().map(|(name, _)| format!("-l:{name}")));
    link.push("-Wl,--as-needed".to_owned());
    compile(&folder.join("linked/libgstnvstub.so"), &elements, &link);
    Some(folder)
}
