//! Times the way from frame to tensor: a 300x400 face of a 1080p frame, with each kind of resampling.
//!
//! `benches/compare_preprocess.py` runs this and compares it with OpenCV and GStreamer.
#![allow(clippy::unwrap_used)] // a bench that cannot start panics

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gstgaze::core::face::pnp::Pose;
use gstgaze::core::face::{face_model, pnp};
use gstgaze::core::geometry::camera::Camera;
use gstgaze::core::geometry::matrix::{multiply, rotation};
use gstgaze::core::geometry::{PixelRect, Point, Size};
use gstgaze::core::image::color::Colorimetry;
use gstgaze::core::image::preprocess::Preprocessor;
use gstgaze::core::image::spec::{Aspect, Border, ImageSpec, Resample};
use gstgaze::core::image::{FrameView, PixelFormat, Plane};
use gstgaze::core::inference::{ElementType, TensorMut};
use gstgaze::core::profile::spec::{FaceCenter, Normalization};

const FRAME: Size = Size::new(1920, 1080);
const FACE: PixelRect = PixelRect::new(810, 202, 300, 400);

/// The planes of a frame of smooth shades with some grain.
fn memory(format: PixelFormat) -> Vec<Vec<u8>> {
    (0..format.planes())
        .map(|plane| {
            let (row, rows) = format.plane_extent(plane, FRAME);
            (0..row * rows).map(|i| ((i % row) / 8 + i / row / 8 + i * i % 7) as u8).collect()
        })
        .collect()
}

fn imagenet(size: (u32, u32), resample: Resample, aspect: Aspect) -> ImageSpec {
    ImageSpec {
        width: size.0,
        height: size.1,
        scale: 1.0 / 255.0,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        resample,
        aspect,
        ..ImageSpec::default()
    }
}

fn preprocess(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("preprocess");
    let mut case = |format, name: &str, spec: ImageSpec, element, rect| {
        let memory = memory(format);
        let planes: Vec<Plane> = memory
            .iter()
            .enumerate()
            .map(|(i, data)| Plane { data, stride: format.plane_extent(i, FRAME).0 })
            .collect();
        let frame = FrameView::new(format, FRAME, Colorimetry::default(), &planes).unwrap();
        let mut preprocessor = Preprocessor::new(&spec, element).unwrap();
        let (mut floats, mut bytes) = (vec![0.0; preprocessor.item_len()], Vec::new());
        bytes.resize(preprocessor.item_len(), 0);
        group.bench_function(format!("{format:?}-{name}").to_lowercase(), |b| {
            b.iter(|| {
                let out = match element {
                    ElementType::F32 => TensorMut::F32(&mut floats),
                    _ => TensorMut::U8(&mut bytes),
                };
                preprocessor.fill(&frame, black_box(rect), Border::Clip, out).unwrap()
            });
        });
    };
    let f32 = ElementType::F32;
    for format in [PixelFormat::Nv12, PixelFormat::Bgr] {
        for (resample, name) in [
            (Resample::OpencvLinear, "linear"),
            (Resample::OpencvCubic, "cubic"),
            (Resample::PilBilinear, "pil"),
        ] {
            for side in [448, 224] {
                let spec = imagenet((side, side), resample, Aspect::Stretch);
                case(format, &format!("face-{name}-{side}"), spec, f32, FACE);
            }
        }
        let spec = imagenet((640, 640), Resample::OpencvLinear, Aspect::LetterboxTopLeft);
        case(format, "frame-linear-640", spec, f32, PixelRect::full(FRAME));
    }
    // The output of a GStreamer pipeline: interleaved bytes.
    let bytes = ImageSpec {
        layout: gstgaze::core::image::spec::Layout::Nhwc,
        width: 448,
        height: 448,
        ..ImageSpec::default()
    };
    case(PixelFormat::Nv12, "face-bytes-448", bytes, ElementType::U8, FACE);
    group.finish();
}

/// Times normalisation: the head pose, and the image of the virtual camera of ETH-XGaze.
fn normalise(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("normalise");
    let camera = Camera::from_field_of_view(60.0, FRAME);
    let turn = multiply(&rotation([0.1, 0.4, 0.0]), &rotation([0.0, 0.0, 0.3]));
    let pose = Pose { rotation: turn, translation: [0.0, -20.0, 700.0], residual: 0.0 };
    // Off by a pixel or two, like the points of a detector.
    let mut off = 0.0;
    let points = face_model::FIVE_POINTS.map(|model| {
        let [x, y] = camera.project(pose.transform(model)).unwrap();
        off = 1.5 - off;
        Point { x: (x + off) as f32, y: (y - off) as f32 }
    });
    group.bench_function("head-pose", |b| {
        b.iter(|| pnp::from_landmarks(&camera, black_box(&points)).unwrap());
    });
    let normalization =
        Normalization { focal_length: 960.0, distance: 600.0, center: FaceCenter::EyesAndNose };
    let view = normalization.view(&camera, &pose, Size::new(224, 224)).unwrap();
    let spec = imagenet((224, 224), Resample::OpencvLinear, Aspect::Stretch);
    for format in [PixelFormat::Nv12, PixelFormat::Bgr] {
        let memory = memory(format);
        let planes: Vec<Plane> = memory
            .iter()
            .enumerate()
            .map(|(i, data)| Plane { data, stride: format.plane_extent(i, FRAME).0 })
            .collect();
        let frame = FrameView::new(format, FRAME, Colorimetry::default(), &planes).unwrap();
        let mut preprocessor = Preprocessor::new(&spec, ElementType::F32).unwrap();
        let mut out = vec![0.0; preprocessor.item_len()];
        group.bench_function(format!("{format:?}-face-224").to_lowercase(), |b| {
            b.iter(|| {
                let out = TensorMut::F32(&mut out);
                preprocessor.fill_warped(&frame, black_box(&view.to_source), Border::Black, out)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, preprocess, normalise);
criterion_main!(benches);
