//! The plugin's shared library of this build, for tests that start other programs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where cargo puts the plugin and the examples for this test. `cargo test` alone does not renew
/// the plugin's shared library, so this builds it; that is quick where it is up to date.
pub fn folder() -> PathBuf {
    static BUILD: std::sync::Once = std::sync::Once::new();
    BUILD.call_once(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--lib"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().unwrap().success(), "{build:?}");
    });
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_owned()
}

/// Lets a program find this build's plugin, linked into `plugins`, and no other one; GStreamer keeps
/// what it learned of it there as well.
pub fn offer<'a>(command: &'a mut Command, plugins: &Path) -> &'a mut Command {
    let library = plugins.join("libgstgaze.so");
    if !library.exists() {
        std::os::unix::fs::symlink(folder().join("libgstgaze.so"), library).unwrap();
    }
    command.env("GST_PLUGIN_PATH", plugins).env("GST_REGISTRY", plugins.join("registry.bin"))
}
