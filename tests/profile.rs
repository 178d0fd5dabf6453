//! Gaze models with their profiles: published ones against what their publishers' own code gives,
//! and where a profile comes from.

mod common;

use std::path::{Path, PathBuf};

use common::npy;
use gstgaze::core::geometry::Gaze;
use gstgaze::core::image::spec::Layout;
use gstgaze::core::inference::TensorMut;
use gstgaze::core::profile::{FoundBy, InputRole, ProfileError, ResolvedOutput, builtin};
use gstgaze::engine::{EngineOptions, OpenError, OpenModel, open_model};

/// What the stored angles are met to, in degrees: the same tensor in another build of the runtime
/// differs by 0.0004 at most.
const TOLERANCE: f32 = 0.01;

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn degrees(value: &serde_json::Value, key: &str) -> f32 {
    value[key].as_f64().unwrap() as f32
}

/// A model of the given material, and where its reference lies.
fn published(test: &str, model: &str) -> Option<(PathBuf, PathBuf)> {
    if !common::onnx_runtime(test) {
        return None;
    }
    let fixtures = common::shared(test, "models/reference/fixtures")?;
    Some((common::shared(test, &format!("models/gaze/{model}"))?, fixtures))
}

fn open(path: &Path, profile: Option<&str>, batch_size: usize) -> Result<OpenModel, OpenError> {
    open_model(path, profile, &EngineOptions { batch_size, ..EngineOptions::default() }).result
}

fn write(model: &mut OpenModel, role: InputRole, slot: usize, values: &[f32]) {
    let input = model.profile.inputs.iter().find(|input| input.role == role).unwrap();
    match model.engine.input(input.index).slot(slot, values.len()) {
        TensorMut::F32(to) => to.copy_from_slice(values),
        other => panic!("{other:?}"),
    }
}

fn gaze(model: &OpenModel, item: usize) -> Option<Gaze> {
    model.decoder.decode(&*model.engine, item)
}

#[track_caller]
fn assert_degrees(found: Option<Gaze>, pitch: f32, yaw: f32, tolerance: f32) {
    let found = found.unwrap();
    let (p, y) = (found.pitch.to_degrees(), found.yaw.to_degrees());
    let near = (p - pitch).abs() <= tolerance && (y - yaw).abs() <= tolerance;
    assert!(near, "({p}, {y}) is not ({pitch}, {yaw})");
}

/// Every file of MobileGaze: names as before and after the publisher's correction, one or any
/// number of faces, planes or pixels.
#[test]
fn mobilegaze_gives_the_publishers_angles() {
    const FACES: [&str; 3] = ["skimage_astronaut", "uniface_man1", "uniface_meeting"];
    for (file, batch) in [
        ("mobilegaze_mobileone_s0_static.onnx", 1),
        ("mobilegaze_mobileone_s0_nhwc.onnx", 1),
        ("mobilegaze_mobileone_s0.onnx", 1),
        ("mobilegaze_mobileone_s0.onnx", FACES.len()),
    ] {
        let test = "profile::mobilegaze_gives_the_publishers_angles";
        let Some((path, fixtures)) = published(test, file) else { return };
        let mut model = open(&path, None, batch).unwrap();
        assert_eq!(model.profile.name, "mobilegaze");
        assert_eq!(model.source, FoundBy::Recognised { alike: vec!["l2cs-net"] });
        let layout = model.profile.inputs[0].image.as_ref().unwrap().layout;
        for faces in FACES.chunks(batch) {
            for (slot, face) in faces.iter().enumerate() {
                let planes = npy::read(&fixtures.join(format!("{face}_input_1x3x448x448_f32.npy")));
                let plane = planes.len() / 3;
                let values = match layout {
                    Layout::Nchw => planes,
                    Layout::Nhwc => {
                        (0..planes.len()).map(|i| planes[i % 3 * plane + i / 3]).collect()
                    }
                };
                write(&mut model, InputRole::Face, slot, &values);
            }
            model.engine.run(faces.len()).unwrap();
            for (item, face) in faces.iter().enumerate() {
                let expected = json(&fixtures.join(format!("{face}.json")));
                let (pitch, yaw) = (degrees(&expected, "pitch_deg"), degrees(&expected, "yaw_deg"));
                assert_degrees(gaze(&model, item), pitch, yaw, TOLERANCE);
            }
        }
    }
}

#[test]
fn intels_model_gives_the_publishers_vector() {
    let test = "profile::intels_model_gives_the_publishers_vector";
    let Some((path, fixtures)) = published(test, "gaze-estimation-adas-0002.onnx") else { return };
    let mut model = open(&path, None, 1).unwrap();
    assert_eq!(model.profile.name, "gaze-estimation-adas-0002");
    let stored = |name: &str| npy::read(&fixtures.join(format!("intel_udacity_f100_{name}.npy")));
    write(&mut model, InputRole::LeftEye, 0, &stored("left_eye_1x3x60x60"));
    write(&mut model, InputRole::RightEye, 0, &stored("right_eye_1x3x60x60"));
    write(&mut model, InputRole::HeadPose, 0, &stored("head_pose_angles_1x3"));
    model.engine.run(1).unwrap();
    let expected = stored("gaze_vector_1x3");
    for (found, expected) in model.engine.output(0).iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
    }
    // The publisher's own formula, from the stored vector: h to the image's right, v up.
    let [x, y, z] = expected[..] else { panic!() };
    let v = 90.0 - (y / (x * x + y * y + z * z).sqrt()).acos().to_degrees();
    let h = 90.0 + z.atan2(x).to_degrees();
    assert_degrees(gaze(&model, 0), v, -h, TOLERANCE);
}

/// The axes of the built-in profile against the angles that the publisher's formula gives for every
/// face of the reference.
#[test]
fn intels_vector_has_x_to_the_right_and_y_up() {
    let test = "profile::intels_vector_has_x_to_the_right_and_y_up";
    let Some(path) = common::shared(test, "models/reference/reference.json") else { return };
    let profile = builtin::find("gaze-estimation-adas-0002").unwrap();
    let gstgaze::core::profile::OutputSpec::Direction { axes, .. } = profile.output else {
        panic!("{:?}", profile.output)
    };
    let mut faces = 0;
    for frame in json(&path).as_array().unwrap() {
        for face in frame["detectors"]["yunet"].as_array().unwrap() {
            let intel = &face["intel_adas_0002"];
            let Some(vector) = intel["gaze_vector"].as_array() else { continue };
            let mut direction = axes;
            for (to, value) in direction.iter_mut().zip(vector) {
                *to *= value.as_f64().unwrap() as f32;
            }
            let (v, h) = (degrees(intel, "v_deg"), degrees(intel, "h_deg"));
            assert_degrees(Gaze::from_direction(direction), v, -h, TOLERANCE);
            faces += 1;
        }
    }
    assert!(faces > 20, "{faces}");
}

/// A regression's answer where channel 0 is `a` throughout and the right half of channel 2 is `b`.
fn picture(a: f32, b: f32) -> Vec<f32> {
    (0..192)
        .map(|i| match (i / 64, i % 8 >= 4) {
            (0, _) => a,
            (2, true) => b,
            _ => 0.0,
        })
        .collect()
}

const OWN: &str = r#"
name = "own"
[[input]]
tensor = "face"
role = "face"
image = { width = 8, height = 8 }
[output]
"#;

fn own(output: &str) -> String {
    format!("{OWN}{output}")
}

fn regression() -> String {
    own("decoder = \"regression\"\npitch = { tensor = 0 }\nyaw = { tensor = 0, column = 1 }")
}

/// A model of the project and a profile for it beside it, in a directory of its own.
fn beside(model: &str, profile: &str, sidecar: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(model);
    std::fs::copy(common::data(model), &path).unwrap();
    std::fs::write(dir.path().join(sidecar), profile).unwrap();
    (dir, path)
}

#[test]
fn each_decoder_reads_its_model() {
    if !common::onnx_runtime("profile::each_decoder_reads_its_model") {
        return;
    }
    let binned = own("decoder = \"binned\"\nbins = 90\nbin-width = 4.0\noffset = -180.0\n\
         pitch = { tensor = \"pitch\" }\nyaw = { tensor = \"yaw\", negate = true }");
    let direction = own("decoder = \"direction\"\ntensor = \"vector\"");
    for (file, profile, sign) in [
        ("regression.onnx", regression(), 1.0),
        ("binned.onnx", binned.clone(), -1.0),
        ("binned_softmax.onnx", binned, -1.0),
        ("direction.onnx", direction, 1.0),
    ] {
        let (_dir, path) = beside(file, &profile, "own.toml");
        let named = path.with_file_name("own.toml").display().to_string();
        let mut model = open(&path, Some(&named), 2).unwrap();
        assert_eq!(model.source, FoundBy::Named(named));
        write(&mut model, InputRole::Face, 0, &picture(0.2, -0.4));
        write(&mut model, InputRole::Face, 1, &picture(-0.1, 0.3));
        model.engine.run(2).unwrap();
        for (item, pitch, yaw) in [(0, 0.2f32, -0.4f32), (1, -0.1, 0.3)] {
            let (pitch, yaw) = (pitch.to_degrees(), (sign * yaw).to_degrees());
            assert_degrees(gaze(&model, item), pitch, yaw, TOLERANCE);
        }
    }
}

#[test]
fn not_a_number_gives_no_gaze_and_spares_the_other_faces() {
    if !common::onnx_runtime("profile::no_number_is_no_gaze") {
        return;
    }
    let (_dir, path) = beside("not_a_number.onnx", &regression(), "not_a_number.gaze.toml");
    let mut model = open(&path, None, 2).unwrap();
    let mut good = picture(0.2, 0.1);
    good[64] = 1.0;
    write(&mut model, InputRole::Face, 0, &picture(0.2, 0.1));
    write(&mut model, InputRole::Face, 1, &good);
    model.engine.run(2).unwrap();
    assert!(model.engine.output(0)[0].is_nan());
    assert_eq!(gaze(&model, 0), None);
    assert_degrees(gaze(&model, 1), 0.2f32.to_degrees(), 0.1f32.to_degrees(), TOLERANCE);
}

#[test]
fn a_profile_beside_the_model_is_found_under_both_names() {
    if !common::onnx_runtime("profile::a_profile_beside_the_model") {
        return;
    }
    for sidecar in ["regression.onnx.gaze.toml", "regression.gaze.toml"] {
        let (dir, path) = beside("regression.onnx", &regression(), sidecar);
        let model = open(&path, None, 1).unwrap();
        let expected = dir.path().join(sidecar).display().to_string();
        assert_eq!(model.source, FoundBy::Sidecar(expected));
        assert_eq!(model.profile.name, "own");
    }
    let (_dir, path) = beside("regression.onnx", "name = 3", "regression.gaze.toml");
    let error = open(&path, None, 1).err().unwrap().to_string();
    assert!(error.contains("regression.gaze.toml") && error.contains("line 1"), "{error}");
}

#[test]
fn a_model_carries_its_own_profile() {
    if !common::onnx_runtime("profile::a_model_carries_its_own_profile") {
        return;
    }
    let model = open(&common::data("regression_profile_toml.onnx"), None, 1).unwrap();
    assert_eq!(model.source, FoundBy::Metadata);
    let ResolvedOutput::Regression { yaw, .. } = model.profile.output else { panic!() };
    assert!(yaw.negate);
    // This one names a profile that it does not fit: 224 pixels are expected.
    let error = open(&common::data("regression_profile_name.onnx"), None, 1).err().unwrap();
    let text = error.to_string();
    for part in ["gaze.profile", "gazecapsnet", "224,224", "[?,3,8,8]"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn an_ambiguous_model_is_an_error() {
    if !common::onnx_runtime("profile::an_ambiguous_model_is_an_error") {
        return;
    }
    let path = common::data("regression_224.onnx");
    let error = open(&path, None, 1).err().unwrap();
    assert!(matches!(error, OpenError::Profile(ProfileError::Ambiguous { .. })), "{error}");
    let model = open(&path, Some("gazecapsnet"), 1).unwrap();
    assert_eq!(model.profile.inputs[0].item_shape, [3, 224, 224]);
    let error = open(&common::data("regression.onnx"), None, 1).err().unwrap();
    assert!(matches!(error, OpenError::Profile(ProfileError::Unrecognised { .. })), "{error}");
    let error = open(&path, Some("mobilegaze"), 1).err().unwrap();
    assert!(matches!(error, OpenError::Profile(ProfileError::Mismatch { .. })), "{error}");
}
