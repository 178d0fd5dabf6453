//! The pipelines that ship. Some need hardware that the tests lack: the tests check that our elements
//! have every property that the pipelines set, and that it takes the value.
#![cfg(feature = "plugin")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gst::prelude::*;
use saphyr::{LoadableYamlNode, Yaml};

const ELEMENTS: [&str; 5] = ["gazeface", "gazeinfer", "gazemonitor", "gazeoverlay", "gazepublish"];

/// The properties of our elements: element, name and value.
fn settings(text: &str) -> Vec<(&'static str, String, String)> {
    let text = text.replace("\\\n", " ");
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let mut element = None;
        for word in line.split([' ', '(', ')']) {
            if let Some(name) = ELEMENTS.into_iter().find(|name| *name == word) {
                element = Some(name);
            } else if word == "!" {
                element = None;
            } else if let (Some(element), Some((name, value))) = (element, word.split_once('=')) {
                found.push((element, name.to_owned(), value.trim_matches('"').to_owned()));
            }
        }
    }
    found
}

/// The scripts of the folder `pipelines`.
fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let folders = [folder.clone(), folder.join("deepstream")];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut scripts: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sh"))
        .collect();
    scripts.sort();
    assert!(scripts.len() >= 8);
    scripts
}

fn check_property(file: &Path, element: &str, name: &str, value: &str) {
    let shown = format!("{}: {element} {name}={value}", file.display());
    let made = gst::ElementFactory::make(element).build().unwrap();
    let property = made.find_property(name).unwrap_or_else(|| panic!("{shown}: no such property"));
    // The shell fills in variables.
    if value.contains('$') || value.starts_with('\'') {
        return;
    }
    assert!(
        glib::Value::deserialize(value, property.value_type()).is_ok(),
        "{shown}: the value is no {}",
        property.value_type()
    );
}

fn check(file: &Path) -> usize {
    let settings = settings(&std::fs::read_to_string(file).unwrap());
    for (element, name, value) in &settings {
        check_property(file, element, name, value);
    }
    settings.len()
}

#[test]
fn pipelines_set_existing_properties() {
    common::element::init();
    let scripts = scripts();
    let checked: usize = scripts.iter().map(|script| check(script)).sum();
    println!("{checked} settings in {} files", scripts.len());
    assert!(checked >= 20);
}

#[test]
fn scripts_pass_shellcheck() {
    let shellcheck = Command::new("shellcheck").arg("--version").stdout(Stdio::null()).status();
    if shellcheck.is_err() {
        common::left_out(
            "scripts_pass_shellcheck",
            "without shellcheck, bash -n alone checks the scripts",
        );
    }
    for script in scripts() {
        let mut checks = vec![("bash", vec!["-n"])];
        if shellcheck.is_ok() {
            checks.push(("shellcheck", vec!["--external-sources", "--severity=warning"]));
        }
        for (program, arguments) in checks {
            let output = Command::new(program).args(arguments).arg(&script).output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(output.status.success() && said.is_empty(), "{}: {said}", script.display());
        }
    }
}

#[test]
fn scripts_resolve_paths_before_cd() {
    for script in scripts() {
        let text = std::fs::read_to_string(&script).unwrap();
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let Some(moved) = lines.iter().position(|line| line.starts_with("cd ")) else { continue };
        for name in [
            "1",
            "2",
            "FACE_MODEL",
            "GAZE_MODEL",
            "HEAD_POSE_MODEL",
            "LANDMARK_MODEL",
            "MODELS",
            "ENGINE",
            "RULES",
            "ZONES",
        ] {
            let uses = |line: &&str| {
                [format!("${name}"), format!("${{{name}")].iter().any(|use_| line.contains(use_))
            };
            let whole = lines[..moved].iter().any(|line| uses(line) && line.contains("realpath"));
            let used = lines[moved..].iter().any(uses);
            assert!(whole || !used, "{}: ${name} after cd", script.display());
        }
    }
}

/// Runs a DeepStream script in a folder of its own with a gst-launch-1.0 that prints its arguments.
/// Checks that the files in the arguments exist, and returns the arguments.
fn launched(script: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let bin = dir.path().join("bin");
    let here = dir.path().join("here");
    std::fs::create_dir(&bin).unwrap();
    std::fs::create_dir(&here).unwrap();
    for file in ["faces.txt", "gaze.engine", "gaze.onnx", "one.mp4", "two.mp4"] {
        std::fs::write(here.join(file), "").unwrap();
    }
    let launch = bin.join("gst-launch-1.0");
    std::fs::write(&launch, "#!/bin/sh\npwd\nprintf '%s\\n' \"$@\"\n").unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&launch, executable).unwrap();
    let path = std::env::var("PATH").unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/deepstream").join(script);
    let output = Command::new("bash")
        .arg(&script)
        .args(arguments)
        .current_dir(&here)
        .env("PATH", format!("{}:{path}", bin.display()))
        .env_remove("ENGINE")
        .env_remove("GAZE_MODEL")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut words: Vec<_> = text.lines().map(str::to_owned).collect();
    let folder = PathBuf::from(words.remove(0));
    for word in &words {
        let file = ["config-file-path=", "engine=", "uri=file://"]
            .iter()
            .find_map(|start| word.strip_prefix(start));
        if let Some(file) = file {
            assert!(folder.join(file).is_file(), "{}: {word}", script.display());
        }
    }
    words
}

#[test]
fn deepstream_scripts_take_relative_paths() {
    let has = |words: &[String], word: &str| words.iter().any(|given| given == word);
    let words = launched("article.sh", &["faces.txt"], &[("ENGINE", "gaze.engine")]);
    assert!(has(&words, "engine=gaze.engine") && has(&words, "batch-size=1"), "{words:?}");
    assert!(!has(&launched("article.sh", &["faces.txt"], &[]), "profile=gazecapsnet"));
    let files = ["faces.txt", "one.mp4", "two.mp4"];
    let words = launched("file.sh", &files, &[("GAZE_MODEL", "gaze.onnx")]);
    assert!(has(&words, "mux.sink_0") && has(&words, "mux.sink_1"), "{words:?}");
    // nvvideoconvert takes video alone; a queue would take sound as well.
    for pair in words.windows(3).filter(|words| words[0].starts_with("uri=")) {
        assert_eq!(pair[2], "nvvideoconvert", "{words:?}");
    }
    launched("rtsp.sh", &["faces.txt", "rtsp://camera"], &[]);
}

#[test]
fn the_service_maker_pipeline_sets_existing_properties() {
    common::element::init();
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/deepstream/service-maker.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let documents = Yaml::load_from_str(&text).unwrap();
    let pipeline = documents[0].as_mapping_get("deepstream").unwrap();
    let nodes = pipeline.as_mapping_get("nodes").unwrap().as_sequence().unwrap();
    let (mut names, mut ours) = (Vec::new(), 0);
    for node in nodes {
        let get = |name: &str| node.as_mapping_get(name);
        let element = get("type").and_then(|found| found.as_str()).unwrap();
        names.push(get("name").and_then(|found| found.as_str()).unwrap());
        if !ELEMENTS.contains(&element) {
            continue;
        }
        ours += 1;
        for (name, value) in
            get("properties").and_then(|found| found.as_mapping()).into_iter().flatten()
        {
            let value = match (value.as_str(), value.as_integer(), value.as_bool()) {
                (Some(text), ..) => text.to_owned(),
                (_, Some(number), _) => number.to_string(),
                (.., Some(on)) => on.to_string(),
                _ => panic!("{value:?}"),
            };
            check_property(&file, element, name.as_str().unwrap(), &value);
        }
    }
    assert_eq!(ours, 2);
    let edges = pipeline.as_mapping_get("edges").unwrap().as_mapping().unwrap();
    for (from, to) in edges {
        for name in [from, to] {
            assert!(names.contains(&name.as_str().unwrap()), "{name:?}");
        }
    }
    assert_eq!(edges.len(), names.len() - 1, "the nodes form a chain");
}

#[test]
fn the_nvinfer_configuration_has_no_unknown_key() {
    common::element::init();
    if !common::element::runtime("the_nvinfer_configuration_has_no_unknown_key") {
        return;
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/deepstream/gazeinfer.txt");
    let element =
        gst::ElementFactory::make("gazeinfer").property("config-file-path", file).build().unwrap();
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    element.set_state(gst::State::Paused).unwrap();
    assert!(bus.pop_filtered(&[gst::MessageType::Warning]).is_none(), "a key causes a warning");
    assert_eq!(element.property::<u32>("unique-id"), 15);
    assert_eq!(element.property::<u32>("min-object-width"), 48);
    element.set_state(gst::State::Null).unwrap();
}
