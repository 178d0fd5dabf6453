//! Once warm, filling a tensor allocates nothing, whatever the shape of the face.

use gstgaze::core::face::pnp;
use gstgaze::core::geometry::camera::Camera;
use gstgaze::core::geometry::{Gaze, PixelRect, Point, Size};
use gstgaze::core::image::color::Colorimetry;
use gstgaze::core::image::preprocess::Preprocessor;
use gstgaze::core::image::spec::{Aspect, Border, ImageSpec, Resample};
use gstgaze::core::image::{FrameView, PixelFormat, Plane};
use gstgaze::core::inference::{ElementType, TensorMut};
use gstgaze::core::profile::spec::{FaceCenter, Normalization};

#[test]
fn poses_and_views_allocate_nothing() {
    let camera = Camera {
        distortion: [-0.2, 0.05, 0.001, 0.0, 0.0],
        ..Camera::from_field_of_view(60.0, Size::new(640, 480))
    };
    let face = [[280.0, 200.0], [340.0, 200.0], [310.0, 235.0], [290.0, 270.0], [330.0, 270.0]];
    let points = face.map(|[x, y]| Point { x, y });
    let normalization =
        Normalization { focal_length: 960.0, distance: 600.0, center: FaceCenter::EyesAndNose };
    let used = allocation_counter::measure(|| {
        let pose = pnp::from_landmarks(&camera, &points).unwrap();
        let view = normalization.view(&camera, &pose, Size::new(224, 224)).unwrap();
        assert!(Gaze::default().turned(&view.rotation).is_some());
    });
    assert_eq!(used.count_total, 0);
}

#[test]
fn a_warm_preprocessor_allocates_nothing() {
    let size = Size::new(320, 240);
    let pixels = vec![99; 320 * 240 * 4];
    let faces = [
        PixelRect::new(10, 10, 200, 180),
        PixelRect::new(40, 33, 57, 91),
        PixelRect::new(-9, -9, 120, 110),
        PixelRect::new(100, 100, 3, 1),
    ];
    for format in PixelFormat::ALL {
        let planes: Vec<Plane> = (0..format.planes())
            .map(|plane| Plane { data: &pixels, stride: format.plane_extent(plane, size).0 })
            .collect();
        let frame = FrameView::new(format, size, Colorimetry::default(), &planes).unwrap();
        for resample in [Resample::OpencvLinear, Resample::OpencvCubic, Resample::PilBilinear] {
            let spec = ImageSpec {
                width: 64,
                height: 64,
                resample,
                aspect: Aspect::Letterbox,
                ..ImageSpec::default()
            };
            let mut preprocessor = Preprocessor::new(&spec, ElementType::F32).unwrap();
            let mut memory = vec![0.0; preprocessor.item_len()];
            let mut round = || {
                for rect in faces {
                    let out = TensorMut::F32(&mut memory);
                    preprocessor.fill(&frame, rect, Border::Replicate, out).unwrap();
                    let out = TensorMut::F32(&mut memory);
                    let matrix = [[0.7, 0.1, f64::from(rect.x)], [-0.1, 0.8, 9.0], [0.0, 0.0, 1.0]];
                    preprocessor.fill_warped(&frame, &matrix, Border::Black, out).unwrap();
                }
            };
            let first = allocation_counter::measure(&mut round);
            assert!(first.count_total > 0, "the counter counts");
            let warm = allocation_counter::measure(&mut round);
            assert_eq!(warm.count_total, 0, "{format:?} {resample:?}");
        }
    }
}
