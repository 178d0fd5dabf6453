//! Pixels to tensor against OpenCV and Pillow: committed fixtures and the publisher's own tensors.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use std::path::Path;

use gstgaze::core::geometry::{PixelRect, Size};
use gstgaze::core::image::color::Colorimetry;
use gstgaze::core::image::preprocess::Preprocessor;
use gstgaze::core::image::spec::{Border, Channels, ImageSpec, Layout, Resample};
use gstgaze::core::image::{FrameView, PixelFormat, Plane};
use gstgaze::core::inference::{ElementType, TensorMut};

use common::frames::{noise, read_png, split_planes};

#[derive(serde::Deserialize)]
struct Index {
    colour_size: [u32; 2],
    resizes: Vec<Resize>,
    colours: Vec<Colour>,
}

#[derive(serde::Deserialize)]
struct Resize {
    method: Resample,
    source: [u32; 2],
    target: [u32; 2],
    offset: usize,
}

#[derive(serde::Deserialize)]
struct Colour {
    name: String,
    offset: usize,
}

fn fixtures() -> (Index, Vec<u8>) {
    let index = std::fs::read(common::data("preprocess.json")).unwrap();
    (
        serde_json::from_slice(&index).unwrap(),
        std::fs::read(common::data("preprocess.bin")).unwrap(),
    )
}

/// Bytes as they come out of the size change, pixel by pixel.
fn byte_spec(target: [u32; 2], channels: Channels, resample: Resample) -> ImageSpec {
    ImageSpec {
        width: target[0],
        height: target[1],
        layout: Layout::Nhwc,
        channels,
        resample,
        ..ImageSpec::default()
    }
}

fn whole_frame(frame: &FrameView, spec: &ImageSpec) -> Vec<u8> {
    let mut preprocessor = Preprocessor::new(spec, ElementType::U8).unwrap();
    let mut out = vec![0; preprocessor.item_len()];
    let all = PixelRect::full(frame.size());
    preprocessor.fill(frame, all, Border::Clip, TensorMut::U8(&mut out)).unwrap();
    out
}

#[test]
fn resized_bytes_match_opencv_and_pillow() {
    let (index, data) = fixtures();
    assert!(index.resizes.len() >= 30);
    for case in &index.resizes {
        let [width, height] = case.source;
        let picture = noise((width * height * 3) as usize);
        let plane = Plane { data: &picture, stride: width as usize * 3 };
        let size = Size::new(width, height);
        let frame =
            FrameView::new(PixelFormat::Rgb, size, Colorimetry::default(), &[plane]).unwrap();
        let got = whole_frame(&frame, &byte_spec(case.target, Channels::Rgb, case.method));
        let want = &data[case.offset..case.offset + got.len()];
        let different = got.iter().zip(want).filter(|(a, b)| a != b).count();
        assert_eq!(different, 0, "{:?} {:?} -> {:?}", case.method, case.source, case.target);
        // Grey goes the same way as one channel of three.
        let green: Vec<u8> = picture.iter().skip(1).step_by(3).copied().collect();
        let plane = Plane { data: &green, stride: width as usize };
        let full = Colorimetry {
            range: gstgaze::core::image::color::ColorRange::Full,
            ..Default::default()
        };
        let frame = FrameView::new(PixelFormat::Gray8, size, full, &[plane]).unwrap();
        let got = whole_frame(&frame, &byte_spec(case.target, Channels::Gray, case.method));
        assert!(got.iter().eq(want.iter().skip(1).step_by(3)), "grey {:?}", case.source);
    }
}

#[test]
fn yuv_bytes_match_opencv() {
    let (index, data) = fixtures();
    let [width, height] = index.colour_size;
    let size = Size::new(width, height);
    for case in &index.colours {
        let (format, channels) = match case.name.as_str() {
            "nv12" => (PixelFormat::Nv12, Channels::Rgb),
            "nv21" => (PixelFormat::Nv21, Channels::Rgb),
            "i420" => (PixelFormat::I420, Channels::Rgb),
            "yv12" => (PixelFormat::Yv12, Channels::Rgb),
            "yuy2" => (PixelFormat::Yuy2, Channels::Rgb),
            "uyvy" => (PixelFormat::Uyvy, Channels::Rgb),
            "rgb-to-gray" => (PixelFormat::Rgb, Channels::Gray),
            other => panic!("unknown case {other}"),
        };
        let (memory, planes) = split_planes(format, size, 0, noise);
        let planes: Vec<Plane> = planes
            .iter()
            .map(|(r, stride)| Plane { data: &memory[r.clone()], stride: *stride })
            .collect();
        let frame = FrameView::new(format, size, Colorimetry::default(), &planes).unwrap();
        let got =
            whole_frame(&frame, &byte_spec([width, height], channels, Resample::OpencvLinear));
        assert!(got[..] == data[case.offset..case.offset + got.len()], "{}", case.name);
    }
    assert_eq!(index.colours.len(), 7);
}

/// The values of a little-endian float32 `.npy` file in C order.
fn read_npy(path: &Path) -> Vec<f32> {
    let data = std::fs::read(path).unwrap();
    assert_eq!(&data[..8], b"\x93NUMPY\x01\x00", "{}", path.display());
    let header = usize::from(u16::from_le_bytes([data[8], data[9]]));
    let text = std::str::from_utf8(&data[10..10 + header]).unwrap();
    assert!(text.contains("'<f4'") && text.contains("'fortran_order': False"), "{text}");
    data[10 + header..].as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

#[derive(serde::Deserialize)]
struct Stored {
    png: String,
    box_xyxy: [i32; 4],
}

#[test]
fn tensors_match_the_publishers() {
    let spec = ImageSpec {
        width: 448,
        height: 448,
        scale: 1.0 / 255.0,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        ..ImageSpec::default()
    };
    let mut preprocessor = Preprocessor::new(&spec, ElementType::F32).unwrap();
    let mut out = vec![0.0f32; preprocessor.item_len()];
    for name in ["skimage_astronaut", "uniface_man1", "uniface_meeting"] {
        let fixture = |suffix: &str| {
            let path = format!("models/reference/fixtures/{name}{suffix}");
            common::shared("tensors_match_the_publishers", &path)
        };
        let Some(json) = fixture(".json") else { return };
        let Some(npy) = fixture("_input_1x3x448x448_f32.npy") else { return };
        let stored: Stored = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
        let frame = format!("media/frames/{}", stored.png);
        let Some(frame) = common::shared("tensors_match_the_publishers", &frame) else { return };
        let (size, pixels) = read_png(&frame);
        let plane = Plane { data: &pixels, stride: size.width as usize * 3 };
        let frame =
            FrameView::new(PixelFormat::Rgb, size, Colorimetry::default(), &[plane]).unwrap();
        let [x1, y1, x2, y2] = stored.box_xyxy;
        let face = PixelRect::new(x1, y1, (x2 - x1) as u32, (y2 - y1) as u32);
        preprocessor.fill(&frame, face, Border::Clip, TensorMut::F32(&mut out)).unwrap();

        let want = read_npy(&npy);
        assert_eq!(want.len(), out.len());
        let step = 1.0 / 255.0 / 0.229;
        let largest = out.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let rounding = 4.0 * f32::EPSILON;
        let same = out.iter().zip(&want).filter(|(a, b)| (*a - *b).abs() <= rounding).count();
        let identical = out.iter().zip(&want).filter(|(a, b)| a == b).count();
        let percent = |n: usize| 100.0 * n as f64 / want.len() as f64;
        println!(
            "{name}: largest difference {largest:e} ({:.3} grey levels), the same but for float \
             rounding {:.4} %, bit-identical {:.2} %",
            largest / step,
            percent(same),
            percent(identical)
        );
        assert!(largest <= step * 1.05, "{name}: more than one grey level");
        assert!(percent(same) >= 99.9, "{name}");
    }
}
