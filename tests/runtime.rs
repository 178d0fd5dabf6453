//! Finding and loading ONNX Runtime. There is one per process, so each case runs this test binary
//! again with its own environment and reads what the child says.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gstgaze::engine::runtime;

const CHILD: &str = "child_loads_the_runtime";
const REQUIRES: &str = "child_requires_the_runtime";
const RETRY: &str = "GAZE_TEST_RETRY";
const SAYS: &str = "CHILD: ";

/// Loads and says what came of it; with `$GAZE_TEST_RETRY` once more, after the library of that
/// path has appeared where `$GAZE_ORT_LIBRARY` leads.
#[test]
#[ignore = "run by the other tests in a process of its own"]
fn child_loads_the_runtime() {
    let load = || match runtime::get() {
        Ok(runtime) => println!("{SAYS}loaded {} {}", runtime.version(), runtime.path().display()),
        Err(why) => println!("{SAYS}{why}"),
    };
    load();
    if let Some(library) = std::env::var_os(RETRY) {
        let wanted = std::env::var_os("GAZE_ORT_LIBRARY").unwrap();
        std::os::unix::fs::symlink(library, wanted).unwrap();
        load();
    }
}

/// A test that requires ONNX Runtime, as every other one does.
#[test]
#[ignore = "run by the other tests in a process of its own"]
fn child_requires_the_runtime() {
    println!("{SAYS}{}", common::onnx_runtime(REQUIRES));
}

/// Runs one ignored test of this binary in an environment with these variables alone.
fn run_alone(binary: &Path, test: &str, variables: &[(&str, &Path)]) -> Output {
    let mut command = Command::new(binary);
    command.args(["--exact", test, "--ignored", "--nocapture"]).env_remove("GAZE_LEFT_OUT");
    for name in runtime::VARIABLES {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied()).output().unwrap()
}

/// What the child says, line by line, in an environment with these variables.
fn child(binary: &Path, variables: &[(&str, &Path)]) -> Vec<String> {
    let output = run_alone(binary, CHILD, variables);
    let text = String::from_utf8_lossy(&output.stdout);
    let says = text.lines().filter_map(|line| Some(line.split_once(SAYS)?.1.to_owned()));
    let says: Vec<String> = says.collect();
    assert!(output.status.success() && !says.is_empty(), "{output:?}");
    says
}

fn own_binary() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// The library that the tests use, if any.
fn library(test: &str) -> Option<PathBuf> {
    common::onnx_runtime(test).then(|| runtime::get().unwrap().path().to_path_buf())
}

fn refused(variables: &[(&str, &Path)], parts: &[&str]) {
    let says = child(&own_binary(), variables);
    for part in parts.iter().chain(&["pip install onnxruntime", "GAZE_ORT_LIBRARY"]) {
        assert!(says[0].contains(part), "'{part}' is not in: {}", says[0]);
    }
}

#[test]
fn a_missing_library_names_what_was_tried_and_the_remedy() {
    let says = child(&own_binary(), &[]);
    if says[0].starts_with("loaded") {
        common::left_out("runtime::no_library", "this system has one on the loader's path");
        return;
    }
    for part in ["ORT_DYLIB_PATH", "libonnxruntime.so.1", "pip install onnxruntime", "1.22"] {
        assert!(says[0].contains(part), "{}", says[0]);
    }
}

#[test]
fn a_variable_that_leads_nowhere_is_an_error() {
    let nowhere = Path::new("/nowhere/libonnxruntime.so");
    for variable in runtime::VARIABLES {
        refused(&[(variable, nowhere)], &[variable, "/nowhere/", "does not exist"]);
    }
    let empty = tempfile::tempdir().unwrap();
    refused(&[("GAZE_ORT_LIBRARY", empty.path())], &["directory"]);
}

#[test]
fn a_file_that_is_not_a_library_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("libonnxruntime.so");
    std::fs::write(&text, "this is no library, whatever its name says").unwrap();
    refused(&[("GAZE_ORT_LIBRARY", &text)], &["libonnxruntime.so", "cannot be loaded"]);
    std::fs::write(&text, "").unwrap();
    refused(&[("GAZE_ORT_LIBRARY", &text)], &["cannot be loaded"]);
}

#[test]
fn a_broken_runtime_fails_a_test_that_an_absent_one_leaves_out() {
    let dir = tempfile::tempdir().unwrap();
    let broken = dir.path().join("libonnxruntime.so");
    std::fs::write(&broken, "not a library").unwrap();
    for variable in runtime::VARIABLES {
        for library in [&broken, Path::new("/nowhere/libonnxruntime.so")] {
            let output = run_alone(&own_binary(), REQUIRES, &[(variable, library)]);
            let errors = String::from_utf8_lossy(&output.stderr);
            let panics = errors.contains("ONNX Runtime is there and does not load");
            assert!(!output.status.success() && panics, "{output:?}");
        }
    }
    let program = dir.path().join("program");
    let copied = Command::new("cp").arg(own_binary()).arg(&program).status().unwrap();
    assert!(copied.success(), "{copied}");
    let beside = run_alone(&program, REQUIRES, &[]);
    if child(&own_binary(), &[])[0].starts_with("loaded") {
        common::left_out(
            "runtime::a_broken_runtime_fails_a_test",
            "this system has one on the loader's path",
        );
        return;
    }
    assert!(!beside.status.success(), "a broken library beside the program: {beside:?}");
    let absent = run_alone(&own_binary(), REQUIRES, &[]);
    let errors = String::from_utf8_lossy(&absent.stderr);
    assert!(absent.status.success() && errors.contains("left out: "), "{absent:?}");
}

/// Compiles a library; `None`, and the test named as left out, without a C compiler.
fn compiled(test: &str, dir: &Path, source: &str) -> Option<PathBuf> {
    let (file, library) = (dir.join("fake.c"), dir.join("libfake.so"));
    std::fs::write(&file, source).unwrap();
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut command = Command::new(compiler);
    match command.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&file).output() {
        Ok(output) if output.status.success() => Some(library),
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(why) => {
            common::left_out(test, &format!("no C compiler: {why}"));
            None
        }
    }
}

#[test]
fn a_library_that_is_not_onnx_runtime_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let source = "int nothing(void) { return 0; }";
    let Some(fake) = compiled("runtime::not_onnx_runtime", dir.path(), source) else { return };
    refused(&[("GAZE_ORT_LIBRARY", &fake)], &["libfake.so", "not ONNX Runtime"]);
}

#[test]
fn an_old_onnx_runtime_is_an_error_with_both_versions() {
    let dir = tempfile::tempdir().unwrap();
    // The first struct of ONNX Runtime's C interface, which never changes.
    let source = r#"
        static const void *api(unsigned version) { (void)version; return 0; }
        static const char *version(void) { return "1.20.1"; }
        static const struct { const void *(*a)(unsigned); const char *(*v)(void); } base = { api, version };
        const void *OrtGetApiBase(void) { return &base; }
    "#;
    let Some(fake) = compiled("runtime::an_old_one", dir.path(), source) else { return };
    refused(&[("ORT_DYLIB_PATH", &fake)], &["ORT_DYLIB_PATH", "1.20.1", "1.22"]);
}

#[test]
fn gaze_ort_library_wins_and_may_be_a_directory() {
    let Some(library) = library("runtime::the_own_variable_wins") else { return };
    let nowhere = Path::new("/nowhere/libonnxruntime.so");
    let says = child(&own_binary(), &[("GAZE_ORT_LIBRARY", &library), ("ORT_DYLIB_PATH", nowhere)]);
    assert!(says[0].starts_with("loaded 1."), "{}", says[0]);
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(&library, dir.path().join("libonnxruntime.so.1.99")).unwrap();
    let says = child(&own_binary(), &[("ORT_DYLIB_PATH", dir.path())]);
    assert!(says[0].ends_with("libonnxruntime.so.1.99"), "{}", says[0]);
}

#[test]
fn a_library_beside_the_program_is_found() {
    let Some(library) = library("runtime::a_library_beside") else { return };
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("program");
    // By a process of its own: one that another test's thread starts meanwhile would inherit a file
    // that is open for writing, and Linux runs no such program.
    let copied = Command::new("cp").arg(own_binary()).arg(&program).status().unwrap();
    assert!(copied.success(), "{copied}");
    let beside = dir.path().join("libonnxruntime.so.1");
    std::os::unix::fs::symlink(&library, &beside).unwrap();
    let says = child(&program, &[]);
    assert!(says[0].ends_with(beside.to_str().unwrap()), "{}", says[0]);
}

#[test]
fn a_failed_load_is_tried_again() {
    let Some(library) = library("runtime::a_failed_load_is_tried_again") else { return };
    let dir = tempfile::tempdir().unwrap();
    let later = dir.path().join("libonnxruntime.so");
    let says = child(&own_binary(), &[("GAZE_ORT_LIBRARY", &later), (RETRY, &library)]);
    assert!(says[0].contains("does not exist") && says[1].starts_with("loaded 1."), "{says:?}");
}
