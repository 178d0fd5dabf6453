//! The examples in three languages read the same GazeMeta with GStreamer alone; the Python example
//! reads AttentionMeta as well.
#![cfg(feature = "plugin")]

mod common;

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs a program that finds the plugin of this build alone.
fn output(command: &mut Command, plugins: &Path) -> String {
    let model = common::data("regression.onnx");
    let profile = common::data("regression.toml");
    let output = common::built::offer(command, plugins)
        .arg(format!(
            "videotestsrc num-buffers=2 ! video/x-raw,width=64,height=48 ! \
             gazeinfer engine={} profile={} inference-region=full-frame ! \
             gazemonitor forward=given ! fakesink name=probe",
            model.display(),
            profile.display()
        ))
        .output()
        .unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The lines of faces; the lines above them hold the time in the form of each language.
fn faces(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("  face")).collect()
}

#[test]
fn the_examples_print_the_same_faces() {
    const NAME: &str = "the_examples_print_the_same_faces";
    if !common::element::runtime(NAME) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let plugins = directory.path();
    let probe = common::built::folder().join("examples/gaze_probe");
    let rust = output(&mut Command::new(probe), plugins);
    let expected = faces(&rust);
    assert_eq!(expected.len(), 2, "{rust}");
    assert!(expected[0].starts_with("  face 64x48 at (0, 0) pitch +0."), "{rust}");

    match compile(plugins) {
        Some(program) => {
            assert_eq!(faces(&output(&mut Command::new(program), plugins)), expected);
        }
        None => common::left_out(NAME, "no C compiler or no pkg-config: the C example"),
    }
    match python() {
        Some(python) => {
            let mut command = Command::new(python);
            command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gaze_probe.py"));
            let text = output(&mut command, plugins);
            assert_eq!(faces(&text), expected);
            let attention = text.lines().filter(|line| line.starts_with("  attention"));
            let attention: Vec<_> = attention.collect();
            assert_eq!(attention[0], "  attention attentive, level none", "{text}");
            assert!(attention[1].starts_with("  attention attentive, level none, looks at "));
        }
        None => common::left_out(NAME, "no python3-gst-1.0: the Python example"),
    }
}

/// A reader that closes the pipe after the first line ends each example without a word.
#[test]
fn the_examples_end_quietly_on_a_closed_pipe() {
    const NAME: &str = "the_examples_end_quietly_on_a_closed_pipe";
    if !common::element::runtime(NAME) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let plugins = directory.path();
    let mut programs = vec![Command::new(common::built::folder().join("examples/gaze_probe"))];
    match python() {
        Some(python) => {
            let mut command = Command::new(python);
            command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gaze_probe.py"));
            programs.push(command);
        }
        None => common::left_out(NAME, "no python3-gst-1.0: the Python example"),
    }
    programs.extend(compile(plugins).map(Command::new));
    for mut command in programs {
        let child = common::built::offer(&mut command, plugins)
            .arg(format!(
                "videotestsrc num-buffers=200 ! video/x-raw,width=64,height=48 ! \
                 gazeinfer engine={} profile={} inference-region=full-frame ! fakesink name=probe",
                common::data("regression.onnx").display(),
                common::data("regression.toml").display()
            ))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.contains("1 faces"), "{command:?}: {first}");
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, "", "{command:?}");
        // The C and the Python program end by SIGPIPE, as others do.
        assert!(output.status.success() || output.status.signal() == Some(13), "{output:?}");
    }
}

/// Compiles the C example without warnings; `None` without a compiler or pkg-config.
fn compile(directory: &Path) -> Option<PathBuf> {
    let flags = Command::new("pkg-config").args(["--cflags", "--libs", "gstreamer-1.0"]).output();
    let flags = String::from_utf8(flags.ok().filter(|o| o.status.success())?.stdout).unwrap();
    Command::new("cc").arg("--version").output().ok()?;
    let program = directory.join("gaze_probe");
    let compiled = Command::new("cc")
        .args(["-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gaze_probe.c"))
        .args(flags.split_whitespace())
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{compiled:?}");
    Some(program)
}

/// A Python with GStreamer's bindings: the first one, or that of the distribution.
fn python() -> Option<&'static str> {
    let check = "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst; \
                 from gi.overrides import _gi_gst";
    ["python3", "/usr/bin/python3"].into_iter().find(|python| {
        let output = Command::new(python).args(["-c", check]).output();
        output.is_ok_and(|output| output.status.success())
    })
}
