//! Files that are not what their names promise: nothing hangs, nothing else is read, and what runs is
//! what was opened.

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use common::data;
use common::engines::{answer, options, provider};
use common::requirements::onnx_runtime;
use gstgaze::engine::provider::ExecutionProvider;
use gstgaze::engine::{self, Cancel, EngineOptions, OrtEngine};

/// How the model `external.onnx` names the file of its weights.
const WEIGHTS: &str = "external.onnx.data";

fn cpu() -> EngineOptions {
    EngineOptions { provider: ExecutionProvider::Cpu, ..EngineOptions::default() }
}

fn open(path: &Path) -> Result<OrtEngine, String> {
    engine::open(path, &cpu()).result.map_err(|why| why.to_string())
}

/// A folder with `external.onnx` and its weights.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["external.onnx", WEIGHTS] {
        fs::copy(data(name), dir.path().join(name)).unwrap();
    }
    dir
}

/// Replaces bytes of a file by as many others.
fn patch(path: &Path, from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    fs::write(path, bytes).unwrap();
}

/// How an error names a kind of file, and what makes one.
type StrangeFile<'a> = (&'static str, Box<dyn Fn() + 'a>);

/// A file of each kind that is not regular, at `path`.
fn strange_files(path: &Path) -> Vec<StrangeFile<'_>> {
    let fifo = move || nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let link = |target: &'static str| move || symlink(target, path).unwrap();
    vec![
        ("a FIFO", Box::new(fifo)),
        ("a device", Box::new(link("/dev/zero"))),
        ("a directory", Box::new(move || fs::create_dir(path).unwrap())),
        ("symbolic links", Box::new(move || symlink(path, path).unwrap())),
        ("a socket", Box::new(move || drop(std::os::unix::net::UnixListener::bind(path).unwrap()))),
    ]
}

fn remove(path: &Path) {
    if path.is_dir() && !path.is_symlink() {
        fs::remove_dir(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
}

/// Weights that are overwritten, cut off or removed under a running model change nothing: mapped ones
/// would end the process by SIGBUS.
#[test]
fn a_running_model_owns_its_weights() {
    if !onnx_runtime("hostile_files::a_running_model_owns_its_weights") {
        return;
    }
    let expected = answer(&mut open(&data("regression.onnx")).unwrap(), 3);
    let dir = folder();
    let (model, weights) = (dir.path().join("external.onnx"), dir.path().join(WEIGHTS));
    let mut running = open(&model).unwrap();
    assert_eq!(answer(&mut running, 3), expected);
    fs::OpenOptions::new().write(true).open(&weights).unwrap().set_len(0).unwrap();
    assert_eq!(answer(&mut running, 3), expected, "cut off in place");
    fs::write(&weights, vec![0; 1536]).unwrap();
    assert_eq!(answer(&mut running, 3), expected, "overwritten in place");
    // The same path, the same length: another model all the same, also for the pool of sessions.
    let mut second = open(&model).unwrap();
    assert_eq!(answer(&mut second, 3), [0.0; 2]);
    assert_eq!(answer(&mut running, 3), expected);
    fs::remove_file(&weights).unwrap();
    let error = open(&model).unwrap_err();
    assert!(error.contains(&format!("copy '{WEIGHTS}' beside the model")), "{error}");
    fs::write(&weights, vec![0; 1000]).unwrap();
    let error = open(&model).unwrap_err();
    assert!(error.contains("need 1536 bytes") && error.contains("has 1000"), "{error}");
}

#[test]
fn a_model_names_files_of_its_folder_alone() {
    if !onnx_runtime("hostile_files::a_model_names_files_of_its_folder_alone") {
        return;
    }
    for outside in ["../../etc/hostname", "/proc/self/environ", "..////////hostname"] {
        let dir = folder();
        let model = dir.path().join("external.onnx");
        patch(&model, WEIGHTS.as_bytes(), outside.as_bytes());
        let error = open(&model).unwrap_err();
        assert!(error.contains(outside) && error.contains("not in the model's folder"), "{error}");
    }
    let dir = folder();
    let (model, weights) = (dir.path().join("external.onnx"), dir.path().join(WEIGHTS));
    let elsewhere = tempfile::tempdir().unwrap();
    let moved = elsewhere.path().join("blob");
    fs::rename(&weights, &moved).unwrap();
    symlink(&moved, &weights).unwrap();
    let error = open(&model).unwrap_err();
    assert!(error.contains("a link that leaves the model's folder"), "{error}");
    // A cache of downloads keeps both files in one folder, and links to them in another.
    fs::copy(&model, elsewhere.path().join("external.onnx")).unwrap();
    fs::remove_file(&model).unwrap();
    symlink(elsewhere.path().join("external.onnx"), &model).unwrap();
    open(&model).unwrap();
    fs::remove_file(&weights).unwrap();
    fs::rename(&moved, elsewhere.path().join(WEIGHTS)).unwrap();
    open(&model).unwrap();
}

#[test]
fn only_regular_files_are_models_and_weights() {
    if !onnx_runtime("hostile_files::only_regular_files_are_models_and_weights") {
        return;
    }
    for strange in ["external.onnx", WEIGHTS] {
        let dir = folder();
        let path = dir.path().join(strange);
        for (what, make) in strange_files(&path) {
            remove(&path);
            make();
            let error = open(&dir.path().join("external.onnx")).unwrap_err();
            let says = match what {
                "a device" if strange == WEIGHTS => "leaves the model's folder to '/dev/zero'",
                "symbolic links" if strange == WEIGHTS => "missing",
                what => what,
            };
            assert!(error.contains(says), "{strange}: {error}");
        }
    }
}

#[test]
fn a_model_that_is_too_new_tells_what_to_do() {
    if !onnx_runtime("hostile_files::a_model_that_is_too_new_tells_what_to_do") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new.onnx");
    // `ir_version` is the first field, the version of the operators the last one.
    for (from, to) in [(&[0x08, 8][..], &[0x08, 99][..]), (&[0x10, 17], &[0x10, 99])] {
        fs::copy(data("regression.onnx"), &path).unwrap();
        patch(&path, from, to);
        let error = open(&path).unwrap_err();
        let says = ["99", "newer than the ONNX Runtime 1.", "older opset"];
        assert!(says.iter().all(|text| error.contains(text)), "{error}");
    }
}

/// A model that never ends its first run is ended: by its deadline, or by the thread that no longer
/// waits for it.
#[test]
fn a_model_that_never_ends_is_ended() {
    if !onnx_runtime("hostile_files::a_model_that_never_ends_is_ended") {
        return;
    }
    let cancel = Cancel::default();
    let opening = std::thread::spawn({
        let options = EngineOptions { cancel: cancel.clone(), ..cpu() };
        move || engine::open(data("endless.onnx"), &options).result
    });
    std::thread::sleep(Duration::from_millis(300));
    assert!(!opening.is_finished(), "the loop has an end");
    cancel.cancel();
    let error = opening.join().unwrap().unwrap_err().to_string();
    assert!(error.contains("cancelled"), "{error}");

    let output = std::process::Command::new(env!("CARGO_BIN_EXE_gazetool"))
        .args(["inspect", data("endless.onnx").to_str().unwrap()])
        .env("GAZE_FIRST_RUN_SECONDS", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("longer than 1 s") && said.contains("GAZE_FIRST_RUN_SECONDS"), "{said}");
}

/// The engine cache keeps what was compiled under the hash of the bytes that were compiled.
#[test]
fn compiled_models_follow_their_weights() {
    if !provider("hostile_files::compiled_models_follow_their_weights", ExecutionProvider::Qnn) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    let model = dir.path().join("conv_external.onnx");
    let weights = dir.path().join("conv_external.onnx.data");
    fs::copy(data("conv_external.onnx"), &model).unwrap();
    fs::copy(data("conv_external.onnx.data"), &weights).unwrap();
    let options = options(ExecutionProvider::Qnn, &cache);
    let compiled = |model: &Path| {
        let mut engine = engine::open(model, &options).result.unwrap();
        answer(&mut engine, 1)
    };
    let entries = || {
        let names = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().ends_with(".gazectx")).count()
    };
    let first = compiled(&model);
    assert_eq!(first, compiled(&data("conv.onnx")));
    assert_eq!(entries(), 2);
    let mut other = fs::read(&weights).unwrap();
    // The last bias of the head: any other number.
    other[..4].copy_from_slice(&0.5f32.to_le_bytes());
    fs::write(&weights, other).unwrap();
    let second = compiled(&model);
    assert_ne!(first, second);
    assert_eq!(entries(), 3);
    fs::copy(data("conv_external.onnx.data"), &weights).unwrap();
    assert_eq!(compiled(&model), first, "the first entry is still the first model's");
    assert_eq!(entries(), 3);
}

/// No property waits for a file that is none, or reads one without end.
#[cfg(feature = "plugin")]
#[test]
fn elements_refuse_files_that_are_none_at_once() {
    use common::element::{init, launch};

    init();
    if !onnx_runtime("hostile_files::elements_refuse_files_that_are_none_at_once") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("strange.toml");
    let model = dir.path().join("model.onnx");
    fs::copy(data("regression.onnx"), &model).unwrap();
    let sidecar = dir.path().join("model.onnx.gaze.toml");
    let source = "videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=64,height=64";
    for (property, element) in [
        ("engine", "gazeinfer"),
        ("engine", "gazeface"),
        ("landmark-engine", "gazeface"),
        ("profile", "gazeinfer engine=ENGINE"),
        ("config-file-path", "gazeinfer"),
        ("camera", "gazeinfer"),
        ("zones", "gazemonitor"),
        ("rules", "gazemonitor"),
    ] {
        for (what, make) in strange_files(&path) {
            make();
            let element = element.replace("ENGINE", model.to_str().unwrap());
            let pipeline = format!("{source} ! {element} {property}={} ! fakesink", path.display());
            let error = launch(&pipeline).unwrap_err();
            assert!(error.contains(what), "{element} {property}: {error}");
            remove(&path);
        }
    }
    for (what, make) in strange_files(&sidecar) {
        make();
        let error = launch(&format!("{source} ! gazeinfer engine={} ! fakesink", model.display()));
        assert!(error.as_ref().is_err_and(|why| why.contains(what)), "{error:?}");
        remove(&sidecar);
    }
}

/// Reading and writing properties does not wait for the configuration file.
#[cfg(feature = "plugin")]
#[test]
fn properties_do_not_wait_for_the_configuration_file() {
    use gst::prelude::*;

    common::element::init();
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let element = gst::ElementFactory::make("gazeinfer").build().unwrap();
    element.set_property("config-file-path", fifo.to_str().unwrap());
    assert!(
        element.set_state(gst::State::Ready).is_err()
            || element.set_state(gst::State::Paused).is_err()
    );
    element.set_property("batch-size", 3u32);
    assert_eq!(element.property::<u32>("batch-size"), 3);
    element.set_state(gst::State::Null).unwrap();
}
