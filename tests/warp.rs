//! Warped pictures against OpenCV's, and against our own resizing where both must agree.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use common::frames::{noise, split_planes};
use gstgaze::core::geometry::matrix::{IDENTITY, Mat3};
use gstgaze::core::geometry::{PixelRect, Size};
use gstgaze::core::image::color::Colorimetry;
use gstgaze::core::image::preprocess::{PreprocessError, Preprocessor};
use gstgaze::core::image::spec::{Border, Channels, ImageSpec, Layout};
use gstgaze::core::image::{FrameView, PixelFormat, Plane};
use gstgaze::core::inference::{ElementType, TensorMut};

#[derive(serde::Deserialize)]
struct Index {
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    source: [u32; 2],
    target: [u32; 2],
    matrix: Mat3,
    border: Border,
    offset: usize,
}

fn bytes_of(size: [u32; 2], channels: Channels) -> Preprocessor {
    let [width, height] = size;
    let spec = ImageSpec { width, height, layout: Layout::Nhwc, channels, ..ImageSpec::default() };
    Preprocessor::new(&spec, ElementType::U8).unwrap()
}

fn warp(made: &mut Preprocessor, frame: &FrameView, matrix: &Mat3, border: Border) -> Vec<u8> {
    let mut out = vec![0; made.item_len()];
    made.fill_warped(frame, matrix, border, TensorMut::U8(&mut out)).unwrap();
    out
}

#[test]
fn warped_bytes_match_opencv() {
    let index = std::fs::read(common::data("warp.json")).unwrap();
    let index: Index = serde_json::from_slice(&index).unwrap();
    let data = std::fs::read(common::data("warp.bin")).unwrap();
    assert!(index.cases.len() >= 20);
    let (mut different, mut all) = (0, 0);
    for case in &index.cases {
        let [width, height] = case.source;
        let picture = noise((width * height * 3) as usize);
        let plane = Plane { data: &picture, stride: width as usize * 3 };
        let size = Size::new(width, height);
        let frame =
            FrameView::new(PixelFormat::Rgb, size, Colorimetry::default(), &[plane]).unwrap();
        let mut made = bytes_of(case.target, Channels::Rgb);
        let got = warp(&mut made, &frame, &case.matrix, case.border);
        let want = &data[case.offset..case.offset + got.len()];
        let apart = got.iter().zip(want).map(|(a, b)| a.abs_diff(*b));
        assert!(apart.clone().max().unwrap() <= 1, "{:?} {:?}", case.matrix, case.border);
        different += apart.filter(|apart| *apart > 0).count();
        all += got.len();
    }
    // Single precision there, double here: the two may round apart where they meet a half.
    println!("{different} of {all} values differ, by one grey level");
    assert!(different * 1000 < all, "{different} of {all}");
}

#[test]
fn every_format_has_the_colours_of_its_rows() {
    let size = Size::new(23, 17);
    let shift = |x: f64, y: f64| [[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]];
    for format in PixelFormat::ALL {
        let (memory, places) = split_planes(format, size, 5, noise);
        let planes: Vec<Plane> = places
            .iter()
            .map(|(place, stride)| Plane { data: &memory[place.clone()], stride: *stride })
            .collect();
        let frame = FrameView::new(format, size, Colorimetry::default(), &planes).unwrap();
        for channels in [Channels::Rgb, Channels::Bgr, Channels::Gray] {
            for border in [Border::Replicate, Border::Black] {
                let mut made = bytes_of([size.width, size.height], channels);
                let rect = PixelRect::new(-3, 4, size.width, size.height);
                let mut rows = vec![0; made.item_len()];
                made.fill(&frame, rect, border, TensorMut::U8(&mut rows)).unwrap();
                let warped = warp(&mut made, &frame, &shift(-3.0, 4.0), border);
                assert_eq!(warped, rows, "{format:?} {channels:?} {border:?}");
            }
        }
    }
}

#[test]
fn wild_matrices_end_in_a_picture_or_an_error() {
    let memory = [7; 12];
    let plane = Plane { data: &memory, stride: 4 };
    let frame =
        FrameView::new(PixelFormat::Gray8, Size::new(4, 3), Default::default(), &[plane]).unwrap();
    let mut made = bytes_of([6, 6], Channels::Gray);
    for matrix in [
        [[0.0; 3]; 3],
        [[1e300; 3], [-1e300; 3], [1e-300; 3]],
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, -3.0]],
    ] {
        warp(&mut made, &frame, &matrix, Border::Replicate);
        let black = warp(&mut made, &frame, &matrix, Border::Black);
        assert_eq!(black[3], 0, "{matrix:?}");
    }
    let mut matrix = IDENTITY;
    matrix[1][2] = f64::NAN;
    let mut out = vec![0; made.item_len()];
    let refused = made.fill_warped(&frame, &matrix, Border::Black, TensorMut::U8(&mut out));
    assert!(matches!(refused, Err(PreprocessError::Matrix(_))));
    let refused = made.fill_warped(&frame, &IDENTITY, Border::Black, TensorMut::U8(&mut out[1..]));
    assert!(matches!(refused, Err(PreprocessError::Length { expected: 36, got: 35 })));
}
