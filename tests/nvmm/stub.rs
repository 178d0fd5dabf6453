//! Builds the stand-in for NVIDIA's libraries (`tests/nvstub/nvstub.h` says what it is) and loads its
//! test elements.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::VERSIONS;
use crate::common;

/// The libraries, each with its source and what it is linked with.
pub const LIBRARIES: [(&str, &str); 5] = [
    ("libnvbufsurface.so", "surface.c"),
    ("libnvbufsurftransform.so", "transform.c"),
    ("libcuda.so.1", "cuda.c"),
    ("libnvds_meta.so", "nvds.c"),
    ("libnvdsgst_meta.so", "nvds.c"),
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
    // Once: tests run side by side, and processes of theirs load what lies there.
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| build_as(VERSIONS)).clone()
}

/// The same with these versions of the surfaces' structures and of the metadata's.
pub fn build_as((surface, meta): (u32, u32)) -> Option<PathBuf> {
    let flags = Command::new("pkg-config")
        .args(["--cflags", "--libs", "gstreamer-1.0", "gstreamer-video-1.0"])
        .output();
    let flags = String::from_utf8(flags.ok().filter(|o| o.status.success())?.stdout).unwrap();
    Command::new("cc").arg("--version").stdout(Stdio::null()).status().ok()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Of this process alone: others may be at it too.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("nvstub-{surface}-{meta}-{}", std::process::id()));
    let libs = folder.join("libs");
    std::fs::create_dir_all(&libs).unwrap();
    let compile = |target: &Path, sources: &[&str], link: &[String]| {
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        let name = target.file_name().unwrap().to_str().unwrap();
        let output = Command::new("cc")
            .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-g", "-O1", "-fPIC", "-shared"])
            .args(["-fvisibility=hidden", &format!("-Wl,-soname,{name}")])
            .args([format!("-DNVSTUB_SURFACE={surface}"), format!("-DNVSTUB_META={meta}")])
            .arg("-I")
            .arg(root.join("include"))
            .arg("-o")
            .arg(target)
            .args(sources.iter().map(|source| root.join("tests/nvstub").join(source)))
            .args(link)
            .args(flags.split_whitespace())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    for (name, source) in LIBRARIES {
        compile(&libs.join(name), &[source], &[]);
    }
    let elements = ["element.c", "surface.c", "nvds.c"];
    compile(&folder.join("alone/libgstnvstub.so"), &elements, &[]);
    let mut link = vec![
        "-Wl,--no-as-needed".to_owned(),
        format!("-L{}", libs.display()),
        format!("-Wl,-rpath,{}", libs.display()),
    ];
    link.extend(LIBRARIES.map(|(name, _)| format!("-l:{name}")));
    link.push("-Wl,--as-needed".to_owned());
    compile(&folder.join("linked/libgstnvstub.so"), &elements, &link);
    Some(folder)
}
