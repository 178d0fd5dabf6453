//! `gazetool` as a user calls it: output, errors and exit codes.

mod common;

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{data, onnx_runtime, shared};
use gstgaze::core::geometry::Gaze;
use gstgaze::core::onnx::message::Message;
use serde_json::Value;
use tempfile::TempDir;

const YES: i32 = 0;
const NO: i32 = 1;
const USAGE: i32 = 2;
const CANNOT: i32 = 3;

const COMMANDS: [&str; 7] = ["inspect", "bench", "run", "compare", "compile", "report", "doctor"];

fn tool<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetool"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The exit code, standard output and standard error.
fn ended(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().expect("an exit code"), text(&output.stdout), text(&output.stderr))
}

fn call<S: AsRef<OsStr>>(arguments: &[S]) -> (i32, String, String) {
    ended(&tool(arguments).output().unwrap())
}

/// The document of a call with `--json`, which ends with `code`.
fn json<S: AsRef<OsStr>>(arguments: &[S], code: i32) -> Value {
    let output = tool(arguments).arg("--json").output().unwrap();
    let (ended, out, errors) = ended(&output);
    assert_eq!(ended, code, "{errors}");
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["schema"], 1);
    document
}

/// The call fails with `code`, leaves standard output empty, and its error holds all of `words`.
fn refused<S: AsRef<OsStr>>(arguments: &[S], code: i32, words: &[&str]) {
    let (ended, out, errors) = call(arguments);
    assert_eq!(ended, code, "{errors}");
    assert_eq!(out, "", "{errors}");
    for word in words {
        assert!(errors.contains(word), "no '{word}' in: {errors}");
    }
    assert!(!errors.contains("panicked"), "{errors}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Writes an image of 8x8 pixels, columns 0..4 in one colour, 4..8 in another.
fn write_image(path: &Path, left: [u8; 3], right: [u8; 3]) {
    let row: Vec<u8> = [left; 4].into_iter().chain([right; 4]).flatten().collect();
    write_png(path, 8, 8, &row.repeat(8));
}

fn write_png(path: &Path, width: u32, height: u32, rgb: &[u8]) {
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(rgb).unwrap();
}

/// A folder with two images; its name has a space.
fn images_folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("two images");
    fs::create_dir(&images).unwrap();
    write_image(&images.join("a face.png"), [51, 0, 0], [51, 0, 102]);
    write_image(&images.join("b.PNG"), [102, 0, 51], [102, 0, 0]);
    fs::write(images.join("notes.txt"), "not an image").unwrap();
    (folder, images)
}

/// The gaze of the regression models of `make_models.py` on [`write_image`].
fn angles(left: [u8; 3], right: [u8; 3]) -> Gaze {
    let of = |byte: u8| f32::from(byte) / 255.0;
    Gaze::new(f32::midpoint(of(left[0]), of(right[0])), of(right[2]) - of(left[2]))
}

#[test]
fn help_equals_the_golden_file() {
    let mut all = call(&["--help"]).1;
    for command in COMMANDS {
        let (code, help, errors) = call(&[command, "--help"]);
        assert_eq!((code, errors.as_str()), (YES, ""));
        all.push_str(&format!("\n==== gazetool {command} --help\n{help}"));
    }
    let golden = data("gazetool-help.txt");
    if std::env::var_os("GAZE_UPDATE").is_some() {
        fs::write(&golden, &all).unwrap();
    }
    assert_eq!(all, fs::read_to_string(golden).unwrap(), "GAZE_UPDATE=1 updates the file");
}

#[test]
fn wrong_arguments_name_the_right_ones() {
    let model = data("regression.onnx");
    let model = text(&model);
    refused(&["polish"], USAGE, &["polish"]);
    refused(&["inspect"], USAGE, &["<MODEL>"]);
    refused(&["bench", model, "--provider", "gpu"], USAGE, &["gpu", "tensorrt"]);
    refused(&["bench", model, "--seconds", "NaN"], USAGE, &["0.001 to 86400"]);
    refused(&["bench", model, "--size", "640"], USAGE, &["WIDTHxHEIGHT"]);
    refused(&["compare", model, model], USAGE, &["--images"]);
    refused(&["compare", model, model, "--images", ".", "--limit", "0"], USAGE, &["180"]);
    refused(&["run", model], USAGE, &["<IMAGES>"]);
}

#[test]
fn inspect_reads_a_file_without_onnx_runtime() {
    let model = data("regression_profile_name.onnx");
    let (code, out, errors) = ended(
        &tool(&[OsStr::new("inspect"), model.as_os_str(), OsStr::new("--json")])
            .env("GAZE_ORT_LIBRARY", "/nonexistent/libonnxruntime.so")
            .output()
            .unwrap(),
    );
    // The model did not run: a script must not take the answer for a yes.
    assert_eq!((code, errors.as_str()), (NO, ""));
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["command"], "inspect");
    assert_eq!(document["inputs"][0]["name"], "face");
    assert_eq!(document["inputs"][0]["shape"], serde_json::json!(["N", 3, 8, 8]));
    assert_eq!(document["onnx"]["operators"]["MatMul"], 1);
    assert_eq!(document["onnx"]["opsets"][""], 17);
    assert_eq!(document["onnx"]["weights"]["float32"], 2 * 3 * 8 * 8);
    assert_eq!(document["onnx"]["quantized"], false);
    assert!(document["metadata"]["gaze.profile"].is_string());
    assert!(document["not_run"].as_str().unwrap().contains("GAZE_ORT_LIBRARY"));
}

#[test]
fn inspect_shows_where_nodes_run() {
    if !onnx_runtime("inspect_shows_where_nodes_run") {
        return;
    }
    let document =
        json(&["inspect", text(&data("regression_profile_toml.onnx")), "--provider", "cpu"], YES);
    assert_eq!(document["profile"]["name"], "own");
    assert_eq!(document["profile"]["guessed"], false);
    assert_eq!(document["run"]["provider"], "cpu");
    let placed = &document["run"]["placements"][0];
    assert_eq!(placed["provider"], "CPUExecutionProvider");
    let operators = placed["operators"].as_object().unwrap().values();
    let sum: u64 = operators.map(|count| count.as_u64().unwrap()).sum();
    assert!(sum > 0 && placed["nodes"] == sum, "{placed}");
    // Of another format than ONNX only ONNX Runtime knows the inputs.
    let document = json(&["inspect", text(&data("regression.ort"))], YES);
    assert_eq!((&document["format"], &document["onnx"]), (&"ORT".into(), &Value::Null));
    assert_eq!(document["inputs"][0]["shape"], serde_json::json!(["?", 3, 8, 8]));
    // inspect shows a model that does not run, and the answer is no.
    let document = json(&["inspect", text(&data("int64_input.onnx"))], NO);
    assert_eq!(document["inputs"][0]["element"], "int64");
    assert!(document["not_run"].as_str().unwrap().contains("int8"), "{document}");
    let wrong =
        ["inspect", text(&data("regression.onnx")), "--profile", "eth-xgaze"].map(String::from);
    refused(&wrong, CANNOT, &["eth-xgaze", "does not fit"]);
}

/// The trace of a run leaves no files.
#[test]
fn inspect_leaves_no_files() {
    if !onnx_runtime("inspect_leaves_no_files") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let model = data("regression.onnx");
    let status =
        tool(&["inspect", text(&model)]).env("TMPDIR", folder.path()).output().unwrap().status;
    assert!(status.success());
    // ONNX Runtime may leave files of its own.
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let ours: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with("gaze")).collect();
    assert!(ours.is_empty(), "{ours:?}");
}

#[test]
fn errors_name_files_that_are_not_models() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(data("binned.onnx")).unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n";
    for (path, word) in [
        (file("half of one.onnx", &whole[..whole.len() / 2]), "not a complete one"),
        (file("empty.onnx", b""), "empty"),
        (file("text.onnx", b"hello"), "text"),
        (file("pointer.onnx", pointer), "git lfs pull"),
        (file("noise.onnx", &[0xff; 64]), "not an ONNX model"),
        (file("other.onnx", b"\x08\x07"), "no graph"),
        (folder.path().to_path_buf(), "directory"),
        (folder.path().join("missing.onnx"), "does not exist"),
    ] {
        refused(&["inspect", text(&path)], CANNOT, &[word, text(&path)]);
    }
}

#[test]
fn bench_times_one_model_or_two() {
    if !onnx_runtime("bench_times_one_model_or_two") {
        return;
    }
    let (a, b) = (data("regression.onnx"), data("regression_f16.onnx"));
    let arguments =
        ["bench", text(&a), "--runs", "5", "--warm-up", "1", "--batch", "3", "--threads", "1"];
    let document = json(&arguments, YES);
    let timing = &document["models"][0];
    assert_eq!((&timing["runs"], &timing["batch"]), (&5.into(), &3.into()));
    assert_eq!((&timing["provider"], &document["threads"]), (&"cpu".into(), &1.into()));
    let ms = |key: &str| timing[key].as_f64().unwrap();
    assert!(ms("min_ms") > 0.0 && ms("min_ms") <= ms("mean_ms"), "{timing}");
    assert!(ms("mean_ms") <= ms("max_ms") && ms("p50_ms") <= ms("p99_ms"), "{timing}");
    let rate = 3.0 * 1e3 / ms("mean_ms");
    assert!((ms("items_per_second") / rate - 1.0).abs() < 1e-6, "{timing}");
    assert_eq!(document.get("speedup"), None);
    let both = [&arguments[..], &["--compare", text(&b)]].concat();
    let document = json(&both, YES);
    let mean = |index: usize| document["models"][index]["mean_ms"].as_f64().unwrap();
    let speedup = document["speedup"].as_f64().unwrap();
    assert!((speedup - mean(0) / mean(1)).abs() < 1e-9, "{document}");
    assert_eq!(document["models"][1]["model"], text(&b));
    // A missing file.
    refused(&["bench", "missing.onnx"], CANNOT, &["missing.onnx"]);
    let (_, out, _) = call(&arguments);
    assert!(out.lines().count() == 2 && out.contains("items/s"), "{out}");
    assert!(!out.contains('\u{1b}'), "colours without a terminal");
}

#[test]
fn run_estimates_angles_and_draws_them() {
    if !onnx_runtime("run_estimates_angles_and_draws_them") {
        return;
    }
    let (folder, images) = images_folder();
    let output = folder.path().join("drawn on");
    let profile = data("regression.toml");
    let document = json(
        &[
            "run",
            text(&data("regression.onnx")),
            text(&images),
            "--profile",
            text(&profile),
            "-o",
            text(&output),
        ],
        YES,
    );
    let seen = document["images"].as_array().unwrap();
    assert_eq!(seen.len(), 2);
    let expected = [angles([51, 0, 0], [51, 0, 102]), angles([102, 0, 51], [102, 0, 0])];
    for ((seen, expected), name) in seen.iter().zip(expected).zip(["a face.png", "b.png"]) {
        let face = &seen["faces"][0];
        let angle = |key: &str| face[key].as_f64().unwrap() as f32;
        let found = Gaze::new(angle("pitch"), angle("yaw"));
        assert!(found.angle_to(expected) < 1e-3, "{face}: {expected:?}");
        assert_eq!((&seen["width"], &face["box"]["w"]), (&8.into(), &8.0.into()));
        let drawn = output.join(name);
        assert_eq!(seen["annotated"], text(&drawn));
        let (size, pixels) = common::frames::read_png(&drawn);
        assert_eq!(size, gstgaze::core::geometry::Size::new(8, 8));
        let (_, before) = common::frames::read_png(Path::new(seen["image"].as_str().unwrap()));
        assert_ne!(pixels, before, "the copy equals the original");
    }
    let (code, out, _) =
        call(&["run", text(&data("regression.onnx")), text(&images), "--profile", text(&profile)]);
    assert_eq!(code, YES);
    // 0.2 and 0.4 radians.
    assert!(out.contains("11.5°") && out.contains("22.9°"), "{out}");
}

#[test]
fn run_names_broken_images_and_continues() {
    if !onnx_runtime("run_names_broken_images_and_continues") {
        return;
    }
    let (folder, images) = images_folder();
    let (model, profile) = (data("regression.onnx"), data("regression.toml"));
    let huge = folder.path().join("huge.png");
    let mut encoder = png::Encoder::new(fs::File::create(&huge).unwrap(), 30_000, 30_000);
    encoder.set_color(png::ColorType::Grayscale);
    // The header tells the size; the pixels are absent.
    encoder.write_header().unwrap().write_chunk(png::chunk::IDAT, &[0x78, 1]).unwrap();
    let broken = folder.path().join("broken.png");
    let good = images.join("a face.png");
    let bytes = fs::read(&good).unwrap();
    fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    let missing = folder.path().join("missing.png");
    let notes = images.join("notes.txt");
    let paths = [&huge, &broken, &missing, &notes, &good].map(|path| text(path));
    let head = ["run", text(&model), "--profile", text(&profile)];
    let arguments: Vec<&str> = head.into_iter().chain(paths).collect();
    let document = json(&arguments, CANNOT);
    let error = |index: usize| document["images"][index]["error"].as_str().unwrap_or_default();
    for (index, word) in [(0, "too large"), (1, "broken"), (2, "no such file"), (3, "PNG or JPEG")]
    {
        assert!(error(index).contains(word), "{index}: {}", error(index));
    }
    assert_eq!(document["images"][4]["faces"].as_array().unwrap().len(), 1);
    let (_, _, errors) = call(&arguments);
    assert!(errors.contains("huge.png") && errors.contains("shrink"), "{errors}");
}

#[test]
fn run_does_not_overwrite_its_images() {
    if !onnx_runtime("run_does_not_overwrite_its_images") {
        return;
    }
    let (folder, images) = images_folder();
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    write_image(&other.join("a face.png"), [1, 2, 3], [4, 5, 6]);
    let (model, profile) = (data("regression.onnx"), data("regression.toml"));
    let head = ["run", text(&model), "--profile", text(&profile)];
    let into = |folder: &Path| {
        let output = text(folder).to_owned();
        let rest = [text(&images).to_owned(), text(&other).to_owned(), "-o".to_owned(), output];
        head.map(String::from).into_iter().chain(rest).collect::<Vec<String>>()
    };
    refused(&into(&images), USAGE, &["a face.png", "another folder"]);
    // Images of one name become two files.
    let drawn = folder.path().join("drawn");
    assert_eq!(call(&into(&drawn)).0, YES);
    let mut names: Vec<_> =
        fs::read_dir(&drawn).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["a face-2.png", "a face.png", "b.png"]);
}

#[test]
fn compare_judges_by_the_mean() {
    if !onnx_runtime("compare_judges_by_the_mean") {
        return;
    }
    let (folder, images) = images_folder();
    let (model, half) = (data("regression.onnx"), data("regression_f16.onnx"));
    let profile = data("regression.toml");
    let common = |b: &Path| {
        ["compare", text(&model), text(b), "--images", text(&images), "--profile", text(&profile)]
            .map(String::from)
            .to_vec()
    };
    let document = json(&common(&half), YES);
    assert_eq!((&document["faces"], &document["passed"]), (&2.into(), &true.into()));
    assert!(document["max_degrees"].as_f64().unwrap() < 0.1, "{document}");
    // The same model with the sign of yaw flipped: the angle between both is known.
    let toml = fs::read_to_string(&profile).unwrap();
    let mirrored = folder.path().join("mirrored.toml");
    fs::write(&mirrored, toml.replace("column = 1 }", "column = 1, negate = true }")).unwrap();
    let other = [common(&model), vec!["--profile-b".into(), text(&mirrored).into()]].concat();
    let document = json(&other, NO);
    let gazes = [angles([51, 0, 0], [51, 0, 102]), angles([102, 0, 51], [102, 0, 0])];
    let expected = gazes.map(|gaze| f64::from(gaze.angle_to(gaze.mirrored()).to_degrees()));
    let number = |key: &str| document[key].as_f64().unwrap();
    let mean = (expected[0] + expected[1]) / 2.0;
    assert!((number("mean_degrees") - mean).abs() < 0.01, "{document}");
    let largest = expected[0].max(expected[1]);
    assert!((number("max_degrees") - largest).abs() < 0.01, "{document}");
    assert!((document["pairs"][0]["degrees"].as_f64().unwrap() - largest).abs() < 0.01);
    assert_eq!(document["passed"], false);
    // The same with a limit above the mean.
    let (code, out, _) = call(&[other.clone(), vec!["--limit".into(), "90".into()]].concat());
    assert!(code == YES && out.contains("passed"), "{out}");
    let (code, out, _) = call(&other);
    assert!(code == NO && out.contains("failed"), "{out}");
    // A model that gives NaN where the other gives a gaze fails.
    let document = json(&common(&data("not_a_number.onnx")), NO);
    assert_eq!((&document["faces"], &document["faces_of_one_only"]), (&0.into(), &2.into()));
}

#[test]
fn compare_needs_images() {
    let folder = tempfile::tempdir().unwrap();
    let model = data("regression.onnx");
    let images = |path: &Path| {
        ["compare", text(&model), text(&model), "--images", text(path)].map(String::from)
    };
    refused(&images(folder.path()), CANNOT, &["no image", ".png"]);
    refused(&images(&folder.path().join("missing")), CANNOT, &["missing"]);
}

/// The error for a model in the wrong argument names its role and the right argument.
#[test]
fn errors_name_the_argument_for_a_misplaced_model() {
    let test = "errors_name_the_argument_for_a_misplaced_model";
    if !onnx_runtime(test) {
        return;
    }
    let (_folder, images) = images_folder();
    let images = text(&images);
    let gaze = data("regression.onnx");
    let (Some(face), Some(points), Some(eyes)) = (
        shared(test, "models/face/yunet_n_dynamic.onnx"),
        shared(test, "models/landmarks/pfld_98.onnx"),
        shared(test, "models/gaze/gaze-estimation-adas-0002.onnx"),
    ) else {
        return;
    };
    refused(&["run", text(&face), images], CANNOT, &["face detector (YuNet)", "--face-model"]);
    refused(&["run", text(&points), images], CANNOT, &["98 points", "--landmark-model"]);
    refused(&["run", text(&gaze), images], CANNOT, &["no profile fits"]);
    let own = data("regression_profile_toml.onnx");
    let as_face = ["run", text(&own), images, "--face-model", text(&own)];
    refused(&as_face, CANNOT, &["a gaze model (own)", "MODEL"]);
    let as_points = ["run", text(&own), images, "--landmark-model", text(&face)];
    refused(&as_points, CANNOT, &["face detector (YuNet)"]);
    // Without eye corners there is no gaze; the warning says why.
    let (code, out, errors) = call(&["run", text(&eyes), images]);
    assert_eq!(code, YES);
    assert!(
        errors.contains("--landmark-model") && errors.contains("--head-pose-model"),
        "{errors}"
    );
    assert!(out.lines().nth(1).unwrap().trim_end().ends_with('-'), "{out}");
    let nothing = ["compare", text(&eyes), text(&eyes), "--images", images];
    refused(&nothing, CANNOT, &["nothing to compare", "--landmark-model"]);
}

/// A real face, against the steps of the publisher.
#[test]
fn run_agrees_with_the_publisher_on_a_real_face() {
    let test = "run_agrees_with_the_publisher_on_a_real_face";
    if !onnx_runtime(test) {
        return;
    }
    let (Some(gaze), Some(face), Some(image), Some(reference)) = (
        shared(test, "models/gaze/mobilegaze_mobileone_s0.onnx"),
        shared(test, "models/face/yunet_n_dynamic.onnx"),
        shared(test, "media/frames/skimage_astronaut_f0.png"),
        shared(test, "models/reference/reference.json"),
    ) else {
        return;
    };
    let arguments = ["run", text(&gaze), text(&image), "--face-model", text(&face)];
    let document = json(&arguments, YES);
    let reference: Value = serde_json::from_slice(&fs::read(reference).unwrap()).unwrap();
    let frames = reference.as_array().unwrap();
    let frame = frames.iter().find(|frame| frame["png"] == "skimage_astronaut_f0.png").unwrap();
    let expected = &frame["detectors"]["yunet"][0]["mobilegaze_s0"];
    let number = |value: &Value| value.as_f64().unwrap() as f32;
    let expected = Gaze::from_degrees(number(&expected["pitch_deg"]), number(&expected["yaw_deg"]));
    let faces = document["images"][0]["faces"].as_array().unwrap();
    assert_eq!(faces.len(), 1);
    let found = Gaze::new(number(&faces[0]["pitch"]), number(&faces[0]["yaw"]));
    // The box may differ by a pixel from that of the reference.
    let error = found.angle_to(expected).to_degrees();
    assert!(error < 1.0, "{error}°");
}

#[test]
fn inspect_tells_the_role_of_real_models() {
    let test = "inspect_tells_the_role_of_real_models";
    if !onnx_runtime(test) {
        return;
    }
    for (path, role) in [
        ("models/gaze/mobilegaze_mobileone_s0.onnx", "a gaze model (mobilegaze)"),
        ("models/gaze/gaze-estimation-adas-0002.onnx", "a gaze model (gaze-estimation-adas-0002)"),
        ("models/face/yunet_n_320_320.onnx", "a face detector (YuNet)"),
        ("models/face/scrfd_500m_bnkps.onnx", "a face detector (SCRFD)"),
        ("models/face/ultraface_rfb_320.onnx", "a face detector (UltraFace)"),
        ("models/face/blazeface_back_256.onnx", "a face detector (BlazeFace)"),
        ("models/landmarks/head-pose-estimation-adas-0001.onnx", "a head pose model"),
        ("models/landmarks/open-closed-eye.onnx", "an eye state model"),
    ] {
        let Some(model) = shared(test, path) else { continue };
        let document = json(&["inspect", text(&model)], YES);
        assert_eq!(document["role"], role, "{path}");
        assert!(document["run"]["placements"][0]["nodes"].as_u64() > Some(0), "{path}");
        assert_eq!(document["onnx"]["precision"], "float32", "{path}");
    }
}

/// inspect rejects every part of a real file, without a panic.
#[test]
fn inspect_rejects_truncated_models() {
    let test = "inspect_rejects_truncated_models";
    let Some(model) = shared(test, "models/face/yunet_n_dynamic.onnx") else { return };
    let bytes = fs::read(model).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.onnx");
    for share in 1..8 {
        fs::write(&path, &bytes[..bytes.len() * share / 8]).unwrap();
        refused(&["inspect", text(&path)], CANNOT, &["not a complete one"]);
    }
}

#[test]
fn doctor_names_what_is_missing() {
    let (code, out, errors) = ended(
        &tool(&["doctor", "--json"])
            .env("GAZE_ORT_LIBRARY", "/nonexistent/libonnxruntime.so")
            .env("PATH", "/nonexistent")
            .output()
            .unwrap(),
    );
    assert_eq!((code, errors.as_str()), (NO, ""));
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(document["ready"], false);
    let check = |section: &str, name: &str| -> Value {
        let sections = document["sections"].as_array().unwrap();
        let section = sections.iter().find(|s| s["title"] == section).unwrap();
        let checks = section["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap().clone()
    };
    let library = check("ONNX Runtime", "library");
    assert_eq!(library["state"], "missing");
    assert!(library["found"].as_str().unwrap().contains("/nonexistent"), "{library}");
    assert!(library["remedy"].as_str().unwrap().contains("pip install"), "{library}");
    assert_eq!(check("ONNX Runtime", "search 1")["state"], "problem");
    let plugin = check("GStreamer", "plugin gaze");
    assert_eq!(plugin["state"], "missing");
    assert!(plugin["remedy"].as_str().unwrap().contains("GST_PLUGIN_PATH"), "{plugin}");
    let (code, out, _) = call(&["doctor"]);
    assert_eq!(code == YES, out.trim_end().ends_with("\nready"), "{out}");
}

/// A reader that closes the pipe before the first byte causes neither a panic nor a message, and
/// no other answer.
#[test]
fn a_closed_pipe_is_no_failure() {
    for arguments in [&["inspect"][..], &["inspect", "--json"]] {
        let mut child = tool(arguments)
            .arg(data("regression.onnx"))
            .env("GAZE_ORT_LIBRARY", "/nonexistent/libonnxruntime.so")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        // No model ran.
        assert_eq!(ended(&output), (NO, String::new(), String::new()));
    }
}

/// A full disk is a failure.
#[test]
fn a_full_disk_is_a_failure() {
    let Ok(mut full) = fs::File::options().write(true).open("/dev/full") else {
        return common::left_out("a_full_disk_is_a_failure", "this machine has no /dev/full");
    };
    assert!(full.write(b"x").is_err());
    let output = tool(&["inspect"])
        .arg(data("regression.onnx"))
        .env("GAZE_ORT_LIBRARY", "/nonexistent/libonnxruntime.so")
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(CANNOT));
    assert!(!output.stderr.is_empty());
}

/// Each argument of `-o` leads to a file that the command reads, or to none that can be written.
#[test]
fn compile_writes_neither_over_its_inputs_nor_over_devices() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let copy = |from: &str, to: &str| fs::copy(data(from), at(to)).unwrap();
    copy("external.onnx", "model.onnx");
    copy("external.onnx.data", "external.onnx.data");
    copy("regression.toml", "model.gaze.toml");
    copy("regression.toml", "profile.toml");
    symlink("model.onnx", at("link.onnx")).unwrap();
    fs::hard_link(at("model.onnx"), at("hard.onnx")).unwrap();
    symlink("/dev/full", at("device.onnx")).unwrap();
    symlink("nothing", at("dangling.onnx")).unwrap();
    nix::unistd::mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let all = || {
        let mut files: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        let content = |path: PathBuf| {
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            let bytes = if kind.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            (path, kind, bytes)
        };
        files.into_iter().map(content).collect::<Vec<_>>()
    };
    let before = all();
    let (model, profile) = (at("model.onnx"), at("profile.toml"));
    for (output, code, word) in [
        ("model.onnx", USAGE, "is an input"),
        ("link.onnx", USAGE, "is an input"),
        ("hard.onnx", USAGE, "is an input"),
        ("external.onnx.data", USAGE, "is an input"),
        ("model.gaze.toml", USAGE, "is an input"),
        ("profile.toml", USAGE, "is an input"),
        ("device.onnx", USAGE, "no regular file"),
        ("fifo", USAGE, "no regular file"),
        (".", USAGE, "no regular file"),
        ("dangling.onnx", CANNOT, "link"),
        ("absent/out.onnx", CANNOT, "No such file"),
    ] {
        let output = at(output);
        let line = [
            "compile",
            text(&model),
            "-o",
            text(&output),
            "--profile",
            text(&profile),
            "--provider",
            "qnn",
        ];
        refused(&line, code, &[word, text(&output)]);
    }
    assert_eq!(all(), before);
}

/// The bytes of a model whose author put control characters wherever a text is free.
fn hostile_model() -> Vec<u8> {
    let mean = "\x1b[2J\x1b]0;title\x07\u{9b}31m\r\n\u{202e}\x7f";
    let mut bytes = fs::read(data("regression.onnx")).unwrap();
    let opset = Message::default().text(1, &format!("domain{mean}")).int(2, 1);
    let entry = Message::default().text(1, &format!("key{mean}")).text(2, &format!("value{mean}"));
    let model = Message::default()
        .text(2, &format!("producer{mean}"))
        .text(3, &format!("version{mean}"))
        .text(6, &format!("description{mean}"))
        .message(8, opset)
        .message(14, entry)
        .message(7, Message::default().text(2, &format!("graph{mean}")));
    bytes.extend(model.into_bytes());
    bytes
}

#[test]
fn texts_of_strangers_do_nothing_on_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("evil\x1b[31m\u{9b}\n.onnx");
    fs::write(&model, hostile_model()).unwrap();
    let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    let model = text(&model);
    for arguments in [
        &["inspect", model][..],
        &["inspect", model, "--json"],
        &["inspect", model, "--profile", "x\x1b[31m"],
        &["bench", model, "--provider", "qnn"],
        &["run", model, "missing\x1b[31m.png"],
        &["compile", model, "-o", model, "--provider", "qnn"],
    ] {
        let output =
            tool(arguments).env("GAZE_ORT_LIBRARY", "/nonexistent/lib.so").output().unwrap();
        let (code, out, errors) = ended(&output);
        for text in [&out, &errors] {
            assert!(!text.contains(acts), "{arguments:?}: {text:?}");
        }
        // A name with a line break begins no line.
        assert!(
            !out.lines().chain(errors.lines()).any(|line| line.starts_with(".onnx")),
            "{out}{errors}"
        );
        if arguments.contains(&"--json") {
            let document: Value = serde_json::from_str(&out).unwrap();
            assert_eq!(document["model"], model, "the document means the name itself");
        } else if code == YES {
            assert!(out.contains("\\u{1b}"), "{out}");
        }
    }
}

#[test]
fn compile_needs_a_provider_that_compiles() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.onnx");
    let model = data("regression.onnx");
    let (code, _, errors) = call(&["compile", text(&model), "-o", text(&out)]);
    assert_eq!(code, USAGE);
    assert!(errors.contains("--provider"), "{errors}");
    for (provider, word) in [("cpu", "it runs them as they are"), ("xnnpack", "qnn")] {
        let line = ["compile", text(&model), "-o", text(&out), "--provider", provider];
        let (code, _, errors) = call(&line);
        assert_eq!(code, CANNOT);
        assert!(errors.contains(word), "{errors}");
    }
    let (code, _, errors) =
        call(&["compile", "/nowhere.onnx", "-o", text(&out), "--provider", "qnn"]);
    assert_eq!(code, CANNOT);
    assert!(errors.contains("/nowhere.onnx"), "{errors}");
    assert!(!out.exists(), "compile left a file");
}
