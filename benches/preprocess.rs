//! Frame and face to tensor: a 300x400 face of a 1080p frame, for each way to change the size.
//!
//! `benches/compare_preprocess.py` runs this and sets it against OpenCV and GStreamer.
#![allow(clippy::unwrap_used)] // a bench that cannot start should say so and stop

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gstgaze::core::color::Colorimetry;
use gstgaze::core::frame::{FrameView, PixelFormat, Plane};
use gstgaze::core::geometry::{PixelRect, Size};
use gstgaze::core::preprocess::Preprocessor;
use gstgaze::core::profile::{Aspect, ImageSpec, Resample};
use gstgaze::core::region::Border;
use gstgaze::core::tensor::{ElementType, TensorMut};

const FRAME: Size = Size::new(1920, 1080);
const FACE: PixelRect = PixelRect::new(810, 202, 300, 400);

/// A frame of smooth shades with some grain.
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
    // What a GStreamer pipeline can do: bytes, pixel by pixel.
    let bytes = ImageSpec {
        layout: gstgaze::core::profile::Layout::Nhwc,
        width: 448,
        height: 448,
        ..ImageSpec::default()
    };
    case(PixelFormat::Nv12, "face-bytes-448", bytes, ElementType::U8, FACE);
    group.finish();
}

criterion_group!(benches, preprocess);
criterion_main!(benches);
