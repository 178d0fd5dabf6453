//! Camera calibrations: what is accepted projects and undistorts without a fault.
#![no_main]

use std::sync::OnceLock;

use gstgaze::core::geometry::camera::Camera;
use gstgaze::core::geometry::Size;
use libfuzzer_sys::arbitrary::{self, Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sheet::Edited;

#[derive(Arbitrary, Debug)]
struct Input {
    #[arbitrary(with = calibration)]
    text: Edited,
    point: [f64; 3],
    pixel: [f64; 2],
    size: (u16, u16),
}

/// One as OpenCV writes it, one as ROS does, one in TOML.
fn calibration(u: &mut Unstructured<'_>) -> Result<Edited> {
    static BASES: OnceLock<Vec<String>> = OnceLock::new();
    let bases = BASES.get_or_init(|| {
        [
            "%YAML:1.0\n---\nimage_width: 1280\nimage_height: 720\ncamera_matrix: !!opencv-matrix\n   \
             rows: 3\n   cols: 3\n   dt: d\n   data: [ 950., 0., 640., 0., 950., 360., 0., 0., 1. ]\n\
             distortion_coefficients: !!opencv-matrix\n   rows: 1\n   cols: 5\n   dt: d\n   data: [ -0.3, \
             0.1, 0.001, -0.002, 0. ]\n",
            "image_width: 640\nimage_height: 480\ndistortion_model: plumb_bob\nK: [500, 0, 320, 0, 500, \
             240, 0, 0, 1]\nD: [0.1, -0.2, 0, 0, 0]\n",
            "fx = 500.0\nfy = 500.0\ncx = 320.0\ncy = 240.0\nresolution = [640, 480]\n",
        ]
        .map(str::to_owned)
        .to_vec()
    });
    Edited::of(u, bases)
}

fuzz_target!(|input: Input| {
    if let Ok(camera) = Camera::from_text(&input.text.0) {
        let (width, height) = input.size;
        let camera = camera.rescaled(Size::new(u32::from(width) + 1, u32::from(height) + 1));
        let _ = camera.project(input.point);
        let _ = camera.undistort(input.pixel);
    }
});
