//! Head pose from any points, and the virtual camera of any pose.
#![no_main]

use gstgaze::core::geometry::camera::Camera;
use gstgaze::core::geometry::{Point, Size};
use gstgaze::core::face::pnp::from_landmarks;
use gstgaze::core::profile::spec::{FaceCenter, Normalization};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<(f32, f32)>, f64, (u16, u16))| {
    let (points, degrees, (width, height)) = input;
    let size = Size::new(u32::from(width) + 1, u32::from(height) + 1);
    if !(1.0..=179.0).contains(&degrees) {
        return;
    }
    let camera = Camera::from_field_of_view(degrees, size);
    let points: Vec<_> = points.iter().map(|(x, y)| Point { x: *x, y: *y }).collect();
    let Some(pose) = from_landmarks(&camera, &points) else { return };
    let angles = pose.angles();
    assert!(angles.yaw.is_finite() && angles.pitch.is_finite() && angles.roll.is_finite());
    let normalization =
        Normalization { focal_length: 960.0, distance: 600.0, center: FaceCenter::EyesAndMouth };
    if let Some(view) = normalization.view(&camera, &pose, Size::new(224, 224)) {
        assert!(view.to_source.iter().flatten().all(|value| value.is_finite()));
    }
});
