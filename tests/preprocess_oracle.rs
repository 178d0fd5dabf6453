//! Pixels to tensor against a naive oracle: one pixel at a time, in floating point, straight from
//! the definitions. It shares no line with the code under test.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use gstgaze::core::geometry::{PixelRect, Size};
use gstgaze::core::image::color::{ColorMatrix, ColorRange, Colorimetry};
use gstgaze::core::image::preprocess::{CropMapping, PreprocessError, Preprocessor};
use gstgaze::core::image::spec::{Aspect, Border, Channels, ImageSpec, Layout, Resample};
use gstgaze::core::image::{FrameView, PixelFormat, Plane};
use gstgaze::core::inference::{ElementType, TensorMut};
use half::f16;

use common::frames::{noise, split_planes};

/// Whether a format has luma and chroma.
fn is_yuv(format: PixelFormat) -> bool {
    use PixelFormat as F;
    !matches!(format, F::Rgb | F::Bgr | F::Rgba | F::Bgra | F::Rgbx | F::Bgrx)
        && !matches!(format, F::Xrgb | F::Xbgr | F::Argb | F::Abgr | F::Gray8 | F::Gray16)
}

fn is_gray(format: PixelFormat) -> bool {
    matches!(format, PixelFormat::Gray8 | PixelFormat::Gray16)
}

/// Bits of a sample.
fn depth(format: PixelFormat) -> i32 {
    use PixelFormat as F;
    match format {
        F::P010 | F::I420p10 | F::I422p10 | F::Y444p10 => 10,
        F::P012 | F::I420p12 | F::I422p12 | F::Y444p12 => 12,
        F::P016 | F::Gray16 => 16,
        _ => 8,
    }
}

/// A frame of noise that owns its memory.
struct Frame {
    format: PixelFormat,
    size: Size,
    colorimetry: Colorimetry,
    memory: Vec<u8>,
    planes: Vec<(std::ops::Range<usize>, usize)>,
}

impl Frame {
    fn new(format: PixelFormat, size: Size, padding: usize, colorimetry: Colorimetry) -> Self {
        let (memory, planes) = split_planes(format, size, padding, |count| {
            let mut memory = noise(count);
            if matches!(depth(format), 10 | 12)
                && !matches!(format, PixelFormat::P010 | PixelFormat::P012)
            {
                // Values in the low bits, in rows that begin at even bytes.
                let high = (1u32 << (depth(format) - 8)) - 1;
                memory.iter_mut().skip(1).step_by(2).for_each(|byte| *byte &= high as u8);
            }
            memory
        });
        Self { format, size, colorimetry, memory, planes }
    }

    fn with_view<R>(&self, work: impl FnOnce(&FrameView) -> R) -> R {
        let planes: Vec<Plane> = self
            .planes
            .iter()
            .map(|(range, stride)| Plane { data: &self.memory[range.clone()], stride: *stride })
            .collect();
        work(&FrameView::new(self.format, self.size, self.colorimetry, &planes).unwrap())
    }

    fn byte(&self, plane: usize, x: usize, y: usize) -> f64 {
        let (range, stride) = &self.planes[plane];
        f64::from(self.memory[range.start + y * stride + x])
    }

    /// A sample of two bytes, the low one first, as a number of the format's bits.
    fn word(&self, plane: usize, x: usize, y: usize) -> f64 {
        let [low, high] = [2 * x, 2 * x + 1].map(|at| self.byte(plane, at, y));
        let stored = low + 256.0 * high;
        match self.format {
            // In the high bits.
            PixelFormat::P010 => (stored / 64.0).floor(),
            PixelFormat::P012 => (stored / 16.0).floor(),
            // In the low bits.
            _ => stored,
        }
    }

    /// Luma (or grey) and chroma, or red, green and blue, as stored.
    fn stored(&self, x: usize, y: usize) -> [f64; 3] {
        use PixelFormat as F;
        let (cx, cy) = (x / 2, y / 2);
        let packed =
            |order: [usize; 3], bytes: usize| order.map(|c| self.byte(0, x * bytes + c, y));
        match self.format {
            F::Nv12 => [self.byte(0, x, y), self.byte(1, 2 * cx, cy), self.byte(1, 2 * cx + 1, cy)],
            F::Nv21 => [self.byte(0, x, y), self.byte(1, 2 * cx + 1, cy), self.byte(1, 2 * cx, cy)],
            F::I420 => [self.byte(0, x, y), self.byte(1, cx, cy), self.byte(2, cx, cy)],
            F::Yv12 => [self.byte(0, x, y), self.byte(2, cx, cy), self.byte(1, cx, cy)],
            F::Yuy2 => [2 * x, 4 * cx + 1, 4 * cx + 3].map(|at| self.byte(0, at, y)),
            F::Uyvy => [2 * x + 1, 4 * cx, 4 * cx + 2].map(|at| self.byte(0, at, y)),
            F::Yvyu => [2 * x, 4 * cx + 3, 4 * cx + 1].map(|at| self.byte(0, at, y)),
            F::Vyuy => [2 * x + 1, 4 * cx + 2, 4 * cx].map(|at| self.byte(0, at, y)),
            F::Nv16 => [self.byte(0, x, y), self.byte(1, 2 * cx, y), self.byte(1, 2 * cx + 1, y)],
            F::Nv61 => [self.byte(0, x, y), self.byte(1, 2 * cx + 1, y), self.byte(1, 2 * cx, y)],
            F::Nv24 => [self.byte(0, x, y), self.byte(1, 2 * x, y), self.byte(1, 2 * x + 1, y)],
            F::Y42b => [self.byte(0, x, y), self.byte(1, cx, y), self.byte(2, cx, y)],
            F::Y444 => [0, 1, 2].map(|plane| self.byte(plane, x, y)),
            F::Y41b => [self.byte(0, x, y), self.byte(1, x / 4, y), self.byte(2, x / 4, y)],
            F::P010 | F::P012 | F::P016 => {
                [self.word(0, x, y), self.word(1, 2 * cx, cy), self.word(1, 2 * cx + 1, cy)]
            }
            F::I420p10 | F::I420p12 => {
                [self.word(0, x, y), self.word(1, cx, cy), self.word(2, cx, cy)]
            }
            F::I422p10 | F::I422p12 => {
                [self.word(0, x, y), self.word(1, cx, y), self.word(2, cx, y)]
            }
            F::Y444p10 | F::Y444p12 => [0, 1, 2].map(|plane| self.word(plane, x, y)),
            F::Gray16 => [self.word(0, x, y), 32768.0, 32768.0],
            F::Gray8 => [self.byte(0, x, y), 128.0, 128.0],
            F::Rgb => packed([0, 1, 2], 3),
            F::Bgr => packed([2, 1, 0], 3),
            F::Rgba | F::Rgbx => packed([0, 1, 2], 4),
            F::Bgra | F::Bgrx => packed([2, 1, 0], 4),
            F::Xrgb | F::Argb => packed([1, 2, 3], 4),
            F::Xbgr | F::Abgr => packed([3, 2, 1], 4),
        }
    }

    /// Red, green and blue in 0..=255, not rounded: the definitions of BT.601, 709 and 2020 with
    /// luma below black as black.
    fn rgb(&self, x: usize, y: usize) -> [f64; 3] {
        let stored = self.stored(x, y);
        if !is_yuv(self.format) && !is_gray(self.format) {
            return stored;
        }
        let (red, blue) = match self.colorimetry.matrix {
            ColorMatrix::Bt601 => (0.299, 0.114),
            ColorMatrix::Bt709 => (0.2126, 0.0722),
            ColorMatrix::Bt2020 => (0.2627, 0.0593),
        };
        // Steps of the sample for a step of eight bits.
        let step = f64::from(1 << (depth(self.format) - 8));
        let [cb, cr] = [stored[1], stored[2]].map(|c| c - 128.0 * step);
        let (luma, cb, cr) = match self.colorimetry.range {
            ColorRange::Full => {
                let all = 256.0 * step - 1.0;
                (stored[0] / all * 255.0, cb / all * 255.0, cr / all * 255.0)
            }
            ColorRange::Limited => (
                (stored[0] - 16.0 * step).max(0.0) / (219.0 * step) * 255.0,
                cb / (224.0 * step) * 255.0,
                cr / (224.0 * step) * 255.0,
            ),
        };
        let r = luma + 2.0 * (1.0 - red) * cr;
        let b = luma + 2.0 * (1.0 - blue) * cb;
        let g = (luma - red * r - blue * b) / (1.0 - red - blue);
        [r, g, b].map(|v| v.clamp(0.0, 255.0))
    }

    fn gray(&self, x: usize, y: usize) -> f64 {
        if is_yuv(self.format) || is_gray(self.format) {
            let luma = self.stored(x, y)[0];
            let step = f64::from(1 << (depth(self.format) - 8));
            return match self.colorimetry.range {
                ColorRange::Full => luma / (256.0 * step - 1.0) * 255.0,
                ColorRange::Limited => {
                    ((luma - 16.0 * step) / (219.0 * step) * 255.0).clamp(0.0, 255.0)
                }
            };
        }
        let [r, g, b] = self.rgb(x, y);
        0.299 * r + 0.587 * g + 0.114 * b
    }

    /// Channel `c` of pixel (`x`, `y`) of a rectangle that may leave the frame.
    fn sample(
        &self,
        rect: PixelRect,
        border: Border,
        channels: Channels,
        [x, y, c]: [i64; 3],
    ) -> f64 {
        let (x, y) = (x + i64::from(rect.x), y + i64::from(rect.y));
        let (right, bottom) = (i64::from(self.size.width) - 1, i64::from(self.size.height) - 1);
        if border == Border::Black && !((0..=right).contains(&x) && (0..=bottom).contains(&y)) {
            return 0.0;
        }
        let (x, y) = (x.clamp(0, right) as usize, y.clamp(0, bottom) as usize);
        match channels {
            Channels::Rgb => self.rgb(x, y)[c as usize],
            Channels::Bgr => self.rgb(x, y)[2 - c as usize],
            Channels::Gray => self.gray(x, y),
        }
    }
}

fn cubic(distance: f64) -> f64 {
    let (d, a) = (distance.abs(), -0.75);
    if d <= 1.0 {
        ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0
    } else if d < 2.0 {
        ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a
    } else {
        0.0
    }
}

/// Samples and weights of output sample `index`, for `source` samples becoming `target`.
fn weights(resample: Resample, source: u32, target: u32, index: u32) -> Vec<(i64, f64)> {
    let scale = f64::from(source) / f64::from(target);
    let centre = (f64::from(index) + 0.5) * scale - 0.5;
    let last = i64::from(source) - 1;
    let reach = 2.0 * scale.max(1.0) + 2.0;
    let around = (centre - reach) as i64 - 1..=(centre + reach) as i64 + 1;
    match resample {
        Resample::OpencvLinear => {
            around.map(|i| (i.clamp(0, last), (1.0 - (i as f64 - centre).abs()).max(0.0))).collect()
        }
        Resample::OpencvCubic => {
            around.map(|i| (i.clamp(0, last), cubic(i as f64 - centre))).collect()
        }
        // Outside of the picture there is nothing; what is inside is weighted to 1.
        Resample::PilBilinear => {
            let raw: Vec<_> = around
                .filter(|i| (0..=last).contains(i))
                .map(|i| (i, (1.0 - (i as f64 - centre).abs() / scale.max(1.0)).max(0.0)))
                .collect();
            let sum: f64 = raw.iter().map(|(_, w)| w).sum();
            raw.into_iter().map(|(i, w)| (i, w / sum)).collect()
        }
    }
}

/// One output byte, not rounded, from source bytes that are rounded.
fn resampled(
    frame: &Frame,
    rect: PixelRect,
    border: Border,
    spec: &ImageSpec,
    [x, y, c]: [u32; 3],
) -> f64 {
    let columns = weights(spec.resample, rect.width, spec.width, x);
    let mut sum = 0.0;
    for (row, row_weight) in weights(spec.resample, rect.height, spec.height, y) {
        for &(column, weight) in &columns {
            let at = [column, row, i64::from(c)];
            if weight * row_weight != 0.0 {
                sum += frame.sample(rect, border, spec.channels, at).round() * weight * row_weight;
            }
        }
    }
    sum.clamp(0.0, 255.0)
}

fn bytes(frame: &Frame, rect: PixelRect, border: Border, spec: &ImageSpec) -> Vec<u8> {
    let mut preprocessor = Preprocessor::new(spec, ElementType::U8).unwrap();
    let mut out = vec![0; preprocessor.item_len()];
    let placement = frame
        .with_view(|view| preprocessor.fill(view, rect, border, TensorMut::U8(&mut out)))
        .unwrap();
    assert_eq!(placement.source, rect);
    out
}

fn spec(width: u32, height: u32, channels: Channels, resample: Resample) -> ImageSpec {
    ImageSpec { width, height, channels, resample, ..ImageSpec::default() }
}

const COLORIMETRIES: [Colorimetry; 6] = {
    const fn of(matrix: ColorMatrix, range: ColorRange) -> Colorimetry {
        Colorimetry { matrix, range }
    }
    [
        of(ColorMatrix::Bt601, ColorRange::Limited),
        of(ColorMatrix::Bt601, ColorRange::Full),
        of(ColorMatrix::Bt709, ColorRange::Limited),
        of(ColorMatrix::Bt709, ColorRange::Full),
        of(ColorMatrix::Bt2020, ColorRange::Limited),
        of(ColorMatrix::Bt2020, ColorRange::Full),
    ]
};

#[test]
fn every_format_is_within_a_grey_level_of_the_definition() {
    // Odd: the last chroma sample covers fewer pixels than the others.
    let size = Size::new(33, 17);
    for format in PixelFormat::ALL {
        for colorimetry in COLORIMETRIES {
            for channels in [Channels::Rgb, Channels::Bgr, Channels::Gray] {
                for padding in [0, 14] {
                    let frame = Frame::new(format, size, padding, colorimetry);
                    let rect = PixelRect::full(size);
                    let spec = spec(size.width, size.height, channels, Resample::OpencvLinear);
                    let got = bytes(&frame, rect, Border::Clip, &spec);
                    for (index, &got) in got.iter().enumerate() {
                        let index = index as i64;
                        let (x, y) = (index % 33, index / 33 % 17);
                        let want =
                            frame.sample(rect, Border::Clip, channels, [x, y, index / (33 * 17)]);
                        // Half a level is the rounding. OpenCV's factors for bytes of BT.601 have three
                        // decimals, its weights of red, green and blue in grey 15 binary places.
                        let exact = is_yuv(format) || is_gray(format);
                        let opencv = depth(format) == 8 && colorimetry == Colorimetry::default();
                        let opencv = opencv || !exact;
                        let slack = if opencv { 1.0 } else { 0.501 };
                        assert!(
                            (f64::from(got) - want).abs() <= slack,
                            "{format:?} {colorimetry:?} {channels:?} ({x}, {y}): {got}, not {want}"
                        );
                    }
                }
            }
        }
    }
}

/// Crops of a 31x23 frame: inside, at each edge, over each edge, odd, one pixel, wholly outside.
const CROPS: [PixelRect; 13] = [
    PixelRect::new(5, 4, 12, 10),
    PixelRect::new(0, 0, 9, 9),
    PixelRect::new(22, 14, 9, 9),
    PixelRect::new(-6, 3, 15, 11),
    PixelRect::new(24, 3, 15, 11),
    PixelRect::new(3, -6, 11, 15),
    PixelRect::new(3, 16, 11, 15),
    PixelRect::new(-4, -5, 40, 34),
    PixelRect::new(7, 9, 1, 1),
    PixelRect::new(30, 22, 1, 1),
    PixelRect::new(1, 1, 1, 20),
    PixelRect::new(-20, 4, 10, 10),
    PixelRect::new(40, 30, 5, 5),
];

#[test]
fn crops_borders_and_scales_are_within_rounding_of_the_definition() {
    let size = Size::new(31, 23);
    // Grey levels: half for rounding, the rest for fixed-point weights and for the rounding to
    // bytes between Pillow's two steps.
    let slack = 1.3;
    for resample in [Resample::OpencvLinear, Resample::OpencvCubic, Resample::PilBilinear] {
        for (rect, border) in CROPS.iter().flat_map(|r| {
            [Border::Clip, Border::Replicate, Border::Black].map(|border| (*r, border))
        }) {
            if border == Border::Clip && rect.clipped(size) != rect {
                continue;
            }
            for (width, height) in [(8, 6), (24, 30), (1, 1), (5, 2)] {
                // RGB, whose bytes are exact, so that only the resampling is judged.
                let frame = Frame::new(PixelFormat::Rgb, size, 2, Colorimetry::default());
                let spec = spec(width, height, Channels::Bgr, resample);
                let got = bytes(&frame, rect, border, &spec);
                for (index, &got) in got.iter().enumerate() {
                    let index = index as u32;
                    let at = [index % width, index / width % height, index / (width * height)];
                    let want = resampled(&frame, rect, border, &spec, at);
                    assert!(
                        (f64::from(got) - want).abs() <= slack,
                        "{resample:?} {rect:?} {border:?} -> {width}x{height} {at:?}: {got}, not {want}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_format_takes_the_same_path() {
    // Any format, cropped and resized, is the RGB frame made of it, cropped and resized: no
    // column is lost or shifted at odd corners, and nothing but the crop is read.
    let size = Size::new(31, 23);
    for format in PixelFormat::ALL {
        let frame = Frame::new(format, size, 6, COLORIMETRIES[2]);
        let whole = ImageSpec {
            layout: Layout::Nhwc,
            ..spec(size.width, size.height, Channels::Rgb, Resample::OpencvLinear)
        };
        let rgb = Frame {
            format: PixelFormat::Rgb,
            size,
            colorimetry: Colorimetry::default(),
            memory: bytes(&frame, PixelRect::full(size), Border::Clip, &whole),
            planes: vec![(0..31 * 23 * 3, 31 * 3)],
        };
        for resample in [Resample::OpencvLinear, Resample::OpencvCubic, Resample::PilBilinear] {
            for (rect, border) in CROPS
                .iter()
                .flat_map(|r| [Border::Replicate, Border::Black].map(|border| (*r, border)))
            {
                for (width, height) in [(7, 5), (19, 29)] {
                    let spec = spec(width, height, Channels::Bgr, resample);
                    let got = bytes(&frame, rect, border, &spec);
                    let want = bytes(&rgb, rect, border, &spec);
                    assert!(got == want, "{format:?} {resample:?} {rect:?} {border:?}");
                }
            }
        }
    }
}

#[test]
fn clip_clips_and_reports_it() {
    let frame = Frame::new(PixelFormat::Nv12, Size::new(32, 24), 0, Colorimetry::default());
    let spec = spec(16, 16, Channels::Rgb, Resample::OpencvLinear);
    let inside = bytes(&frame, PixelRect::new(0, 4, 10, 20), Border::Clip, &spec);
    let mut preprocessor = Preprocessor::new(&spec, ElementType::U8).unwrap();
    let mut out = vec![0; preprocessor.item_len()];
    let placement = frame
        .with_view(|view| {
            let over = PixelRect::new(-5, 4, 15, 40);
            preprocessor.fill(view, over, Border::Clip, TensorMut::U8(&mut out))
        })
        .unwrap();
    assert_eq!(placement.source, PixelRect::new(0, 4, 10, 20));
    assert_eq!(out, inside);
}

#[test]
fn every_layout_element_and_normalisation_matches_the_definition() {
    let frame = Frame::new(PixelFormat::Rgb, Size::new(20, 10), 0, Colorimetry::default());
    let rect = PixelRect::new(2, 1, 12, 8);
    let plain = spec(9, 7, Channels::Rgb, Resample::OpencvLinear);
    let planes = bytes(&frame, rect, Border::Clip, &plain);
    let pixels =
        bytes(&frame, rect, Border::Clip, &ImageSpec { layout: Layout::Nhwc, ..plain.clone() });
    for (index, &byte) in pixels.iter().enumerate() {
        assert_eq!(byte, planes[index % 3 * 63 + index / 3]);
    }

    let normal = ImageSpec {
        scale: 1.0 / 255.0,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        ..plain.clone()
    };
    let value = |index: usize| {
        let byte = f32::from(planes[index]);
        (byte / 255.0 - normal.mean[index / 63]) / normal.std[index / 63]
    };
    let mut floats = vec![0.0f32; planes.len()];
    let mut halves = vec![f16::ZERO; planes.len()];
    let mut signed = vec![0i8; planes.len()];
    // A quantised model that takes byte - 128.
    let shifted = ImageSpec { mean: [128.0; 3], ..plain };
    frame.with_view(|view| {
        for (spec, element, out) in [
            (&normal, ElementType::F32, TensorMut::F32(&mut floats)),
            (&normal, ElementType::F16, TensorMut::F16(&mut halves)),
            (&shifted, ElementType::I8, TensorMut::I8(&mut signed)),
        ] {
            let mut preprocessor = Preprocessor::new(spec, element).unwrap();
            preprocessor.fill(view, rect, Border::Clip, out).unwrap();
        }
    });
    for index in 0..planes.len() {
        assert_eq!(floats[index], value(index));
        assert_eq!(halves[index], f16::from_f32(value(index)));
        assert_eq!(i32::from(signed[index]), i32::from(planes[index]) - 128);
    }
}

#[test]
fn letterboxes_fill_and_map_back() {
    let frame = Frame::new(PixelFormat::Rgb, Size::new(40, 20), 0, Colorimetry::default());
    let all = PixelRect::full(frame.size);
    let stretched =
        bytes(&frame, all, Border::Clip, &spec(16, 8, Channels::Rgb, Resample::OpencvLinear));
    for layout in [Layout::Nchw, Layout::Nhwc] {
        for (aspect, top) in [(Aspect::Letterbox, 5), (Aspect::LetterboxTopLeft, 0)] {
            let spec = ImageSpec {
                aspect,
                layout,
                fill: 114,
                ..spec(16, 18, Channels::Rgb, Resample::OpencvLinear)
            };
            let mut preprocessor = Preprocessor::new(&spec, ElementType::U8).unwrap();
            let mut out = vec![0; preprocessor.item_len()];
            let placement = frame
                .with_view(|view| {
                    preprocessor.fill(view, all, Border::Clip, TensorMut::U8(&mut out))
                })
                .unwrap();
            let picture = PixelRect::new(0, top, 16, 8);
            assert_eq!(placement, CropMapping { source: all, picture });
            for (c, y, x) in
                (0..3).flat_map(|c| (0..18).flat_map(move |y| (0..16).map(move |x| (c, y, x))))
            {
                let at = match layout {
                    Layout::Nchw => (c * 18 + y) * 16 + x,
                    Layout::Nhwc => (y * 16 + x) * 3 + c,
                };
                let row = y as i32 - top;
                let want = if (0..8).contains(&row) {
                    stretched[(c * 8 + row as usize) * 16 + x]
                } else {
                    114
                };
                assert_eq!(out[at], want, "{layout:?} {aspect:?} ({c}, {y}, {x})");
            }
        }
    }
}

#[test]
fn a_free_size_holds_the_given_picture() {
    // YuNet: nothing is enlarged, the tensor is padded to a multiple of 32.
    let frame = Frame::new(PixelFormat::Bgr, Size::new(50, 40), 0, Colorimetry::default());
    let all = PixelRect::full(frame.size);
    let spec = ImageSpec {
        aspect: Aspect::LetterboxTopLeft,
        ..spec(8, 8, Channels::Bgr, Resample::OpencvLinear)
    };
    let mut preprocessor = Preprocessor::new(&spec, ElementType::U8).unwrap();
    preprocessor.set_size(64, 64).unwrap();
    assert_eq!((preprocessor.size(), preprocessor.item_len()), (Size::new(64, 64), 64 * 64 * 3));
    let mut out = vec![1; preprocessor.item_len()];
    frame.with_view(|view| {
        let out = TensorMut::U8(&mut out);
        preprocessor.fill_picture(view, all, Border::Clip, frame.size, out).unwrap();
    });
    for (y, x) in (0..64).flat_map(|y| (0..64).map(move |x| (y, x))) {
        let want = if x < 50 && y < 40 { frame.memory[(y * 50 + x) * 3] } else { 0 };
        assert_eq!(out[y * 64 + x], want);
    }
    let large = Size::new(65, 10);
    frame.with_view(|view| {
        let out = TensorMut::U8(&mut out);
        let refused = preprocessor.fill_picture(view, all, Border::Clip, large, out);
        assert!(matches!(refused, Err(PreprocessError::PictureSize { .. })));
    });
}

#[test]
fn invalid_arguments_are_refused() {
    use PreprocessError as E;
    let good = spec(8, 8, Channels::Rgb, Resample::OpencvLinear);
    let new = |spec: ImageSpec| Preprocessor::new(&spec, ElementType::F32).map(drop);
    assert!(matches!(new(ImageSpec { width: 0, ..good.clone() }), Err(E::TensorSize(_))));
    assert!(matches!(new(ImageSpec { height: 1 << 20, ..good.clone() }), Err(E::TensorSize(_))));
    assert!(matches!(new(ImageSpec { scale: f64::NAN, ..good.clone() }), Err(E::NotFinite { .. })));
    let mean = [0.0, f32::INFINITY, 0.0];
    assert!(matches!(new(ImageSpec { mean, ..good.clone() }), Err(E::NotFinite { .. })));
    let std = [1.0, 1.0, 0.0];
    assert!(matches!(new(ImageSpec { std, ..good.clone() }), Err(E::Std { channel: 2, .. })));
    // A grey input has one channel; what stands for the others is not looked at.
    assert!(new(ImageSpec { std, channels: Channels::Gray, ..good.clone() }).is_ok());

    let frame = Frame::new(PixelFormat::Gray8, Size::new(10, 10), 0, Colorimetry::default());
    let mut preprocessor = Preprocessor::new(&good, ElementType::F32).unwrap();
    let mut fill = |rect, border, out: TensorMut| {
        frame.with_view(|view| preprocessor.fill(view, rect, border, out)).map(drop)
    };
    let mut out = vec![0.0; 192];
    for (rect, border) in [
        (PixelRect::new(0, 0, 0, 4), Border::Replicate),
        (PixelRect::new(10, 0, 4, 4), Border::Clip),
        (PixelRect::new(i32::MIN, 0, u32::MAX, 4), Border::Black),
    ] {
        assert!(matches!(fill(rect, border, TensorMut::F32(&mut out)), Err(E::SourceSize { .. })));
    }
    let all = PixelRect::new(0, 0, 10, 10);
    let short = TensorMut::F32(&mut out[1..]);
    assert_eq!(fill(all, Border::Clip, short), Err(E::Length { expected: 192, got: 191 }));
    let (expected, got) = (ElementType::F32, ElementType::U8);
    let bytes = TensorMut::U8(&mut [0; 192]);
    assert_eq!(fill(all, Border::Clip, bytes), Err(E::Element { expected, got }));
    for x in [i32::MIN, i32::MAX] {
        let far = PixelRect::new(x, x, 5, 5);
        assert!(fill(far, Border::Replicate, TensorMut::F32(&mut out)).is_ok());
        assert!(fill(far, Border::Black, TensorMut::F32(&mut out)).is_ok());
    }
}
