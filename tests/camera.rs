//! Calibration files as they come: OpenCV's, ROS', flat YAML, TOML, and broken ones.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use gstgaze::core::geometry::Size;
use gstgaze::core::geometry::camera::{Camera, CameraError};

const EXPECTED: Camera = Camera {
    fx: 1012.3456789,
    fy: 1010.5,
    cx: 641.25,
    cy: 357.0,
    distortion: [0.1234, -0.25, 0.001, -2e-4, 0.05],
    size: Size::new(1280, 720),
};

/// Written by `cv2.FileStorage` of OpenCV 5.0.
fn opencv() -> String {
    std::fs::read_to_string(common::data("camera_opencv.yaml")).unwrap()
}

const ROS: &str = "\
image_width: 1280
image_height: 720
camera_name: cabin
camera_matrix:
  rows: 3
  cols: 3
  data: [1012.3456789, 0., 641.25, 0., 1010.5, 357., 0., 0., 1.]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [0.1234, -0.25, 0.001, -2e-4, 0.05]
rectification_matrix:
  rows: 3
  cols: 3
  data: [1., 0., 0., 0., 1., 0., 0., 0., 1.]
";

#[test]
fn every_form_of_calibration_gives_the_same_camera() {
    let nested = "image_size: [1280, 720]\nK:\n- [1012.3456789, 0, 641.25]\n- [0, 1010.5, 357]\n\
                  - [0, 0, 1]\nD: [0.1234, -0.25, 0.001, -2e-4, 0.05]\n";
    let dumped = "camera:\n  width: 1280\n  height: 720\n  cameraMatrix:\n  - - 1012.3456789\n    \
                  - 0.0\n    - 641.25\n  - - 0.0\n    - 1010.5\n    - 357.0\n  - - 0.0\n    - 0.0\n    \
                  - 1.0\n  dist_coeffs:\n  - - 0.1234\n    - -0.25\n    - 0.001\n    - -0.0002\n    \
                  - 0.05\n";
    let toml = "# cabin\n[camera]\nwidth = 1280\nheight = 720\nfx = 1012.3456789\nfy = 1010.5\n\
                cx = 641.25\ncy = 357\ndistortion = [0.1234, -0.25, 0.001, -2e-4, 0.05]\n";
    let toml_matrix = "image-width = 1280\nimage-height = 720\ncamera-matrix = [[1012.3456789, 0.0, \
                       641.25], [0.0, 1010.5, 357.0], [0.0, 0.0, 1.0]]\ndist-coeffs = [0.1234, \
                       -0.25, 0.001, -2e-4, 0.05]\n";
    let windows = opencv().replace('\n', "\r\n");
    // OpenCV 4 begins its files in its own way.
    let four = opencv().replacen("%YAML 1.2", "%YAML:1.0", 1);
    assert_ne!(four, opencv());
    for text in [&*opencv(), &four, ROS, nested, dumped, toml, toml_matrix, &windows] {
        assert_eq!(Camera::from_text(text).as_ref(), Ok(&EXPECTED), "{text}");
    }
    let rational = ROS.replace("0.05]", "0.05, 0, 0, 0]");
    assert_eq!(Camera::from_text(&rational).as_ref(), Ok(&EXPECTED));
    let four = ROS.replace(", 0.05]", "]");
    let distortion = [0.1234, -0.25, 0.001, -2e-4, 0.0];
    assert_eq!(Camera::from_text(&four), Ok(Camera { distortion, ..EXPECTED }));
}

#[test]
fn impossible_values_are_refused_with_key_and_line() {
    let wide = "data: [3., 0., 641.25, 0., 1010.5, 357., 0., 0., 1.]";
    for (from, to, key, line, says) in [
        ("1012.3456789", "0", "camera_matrix", 4, "positive"),
        ("1012.3456789", "-900", "camera_matrix", 4, "positive"),
        ("1012.3456789", ".nan", "camera_matrix", 4, "finite"),
        ("1012.3456789", "hello", "camera_matrix", 4, "finite"),
        ("1012.3456789", "3.5", "camera_matrix", 4, "degrees"),
        ("1010.5", "99999", "camera_matrix", 4, "degrees"),
        ("641.25", "4000", "camera_matrix", 4, "outside"),
        ("357., 0., 0., 1.", "357.", "camera_matrix", 4, "9"),
        ("357., 0., 0., 1.", "357., 0., 0., 2.", "camera_matrix", 4, "row by row"),
        ("image_width: 1280", "image_width: 0", "image_width", 1, "pixels"),
        ("image_height: 720", "image_height: 720.5", "image_height", 2, "pixels"),
        ("plumb_bob", "equidistant", "distortion_model", 8, "pinhole"),
        ("0.05]", "0.05, 0.1, 0, 0]", "distortion_coefficients", 9, "rational"),
        ("0.05]", "0.05, 0.1]", "distortion_coefficients", 9, "k1"),
        ("-0.25", "-2500", "distortion_coefficients", 9, "not a distortion coefficient"),
    ] {
        let text = ROS.replacen(from, to, 1);
        assert_ne!(text, ROS);
        match Camera::from_text(&text) {
            Err(CameraError::Invalid { key: found, line: at, reason }) => {
                assert_eq!((&*found, at), (key, Some(line)), "{to}: {reason}");
                assert!(reason.contains(says), "{to}: {reason}");
            }
            other => panic!("{to}: {other:?}"),
        }
    }
    assert!(
        Camera::from_text(
            &ROS.replace("data: [1012.3456789, 0., 641.25, 0., 1010.5, 357., 0., 0., 1.]", wide)
        )
        .is_err()
    );
}

#[test]
fn missing_keys_are_named() {
    let without = |what: &str| Camera::from_text(&ROS.replace(what, "x")).unwrap_err().to_string();
    assert!(without("image_width").contains("image_width"));
    assert!(without("camera_matrix").contains("camera_matrix"));
    let toml = "width = 640\nheight = 480\nfx = 500.0\n";
    assert!(Camera::from_text(toml).unwrap_err().to_string().contains("fy"));
}

#[test]
fn files_that_are_no_calibration_are_refused() {
    for text in [
        "",
        "hello",
        "- 1\n- 2\n",
        "<?xml version=\"1.0\"?>\n<opencv_storage/>",
        "\u{0}",
        "{",
        "a = [1",
    ] {
        let error = Camera::from_text(text).unwrap_err();
        assert!(matches!(error, CameraError::Syntax { .. }), "{text}: {error}");
        assert!(error.to_string().contains("save OpenCV's calibration as YAML"));
    }
    // However it is cut off, there is an answer.
    let whole = opencv();
    for end in 0..whole.len() {
        let _ = Camera::from_text(&whole[..end]);
    }
    let deep = "[".repeat(100_000);
    assert!(Camera::from_text(&deep).is_err());
}
