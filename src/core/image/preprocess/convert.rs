//! Converts one row of a crop from the frame's format to packed pixels.

use std::ops::Range;

use super::packed::pack;
use super::yuv::{self, Sample, Spread, Word};
use crate::core::geometry::rect::PixelRect;
use crate::core::image::color::{ColorRange, Colorimetry, DeepCoefficients, YuvCoefficients};
use crate::core::image::frame::FrameView;
use crate::core::image::pixel_format::PixelFormat;
use crate::core::image::spec::{Border, Channels};

/// OpenCV's weights of red, green and blue in grey, 15 binary places (`RGB2Gray<uchar>`).
const GRAY_WEIGHTS: [u32; 3] = [9798, 19235, 3735];
const GRAY_SHIFT: u32 = 15;

/// The rectangle to read from a frame, and what lies around the frame.
pub(super) struct Crop<'a> {
    frame: FrameView<'a>,
    rect: PixelRect,
    border: Border,
    coefficients: CropCoefficients,
    /// The frame's columns in the rectangle.
    columns: Range<usize>,
}

/// The factors of the frame's colours, made once a crop.
enum CropCoefficients {
    /// Samples of a byte.
    Bytes(YuvCoefficients),
    /// Samples of two bytes.
    Words(DeepCoefficients),
}

impl CropCoefficients {
    fn new(frame: &FrameView<'_>) -> Self {
        let (colorimetry, format) = (frame.colorimetry(), frame.format());
        match format.layout().samples.bytes {
            1 => Self::Bytes(u8::coefficients(colorimetry, format)),
            _ => Self::Words(Word::coefficients(colorimetry, format)),
        }
    }
}

impl<'a> Crop<'a> {
    pub(super) fn new(frame: &FrameView<'a>, rect: PixelRect, border: Border) -> Self {
        let inside = PixelRect { y: 0, height: 1, ..rect }.clipped(frame.size());
        let first = inside.x as usize;
        Self {
            frame: *frame,
            rect,
            border,
            coefficients: CropCoefficients::new(frame),
            columns: first..first + inside.width as usize,
        }
    }

    /// Width and height of the rectangle.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.rect.width, self.rect.height)
    }

    /// The frame's row for row `y` of the rectangle; `None` where the border is black.
    fn frame_row(&self, y: u32) -> Option<usize> {
        let last = i64::from(self.frame.size().height) - 1;
        let row = i64::from(self.rect.y) + i64::from(y);
        match self.border {
            Border::Black if row < 0 || row > last => None,
            _ => Some(row.clamp(0, last) as usize),
        }
    }
}

/// Memory for the conversion of one row, reused.
#[derive(Debug, Default)]
pub(super) struct RowConverter {
    bytes: Spread<u8>,
    words: Spread<Word>,
}

impl RowConverter {
    /// Writes row `y` of the crop; `out` has an element for each of its columns.
    pub(super) fn row(
        &mut self,
        arch: pulp::Arch,
        crop: &Crop<'_>,
        channels: Channels,
        y: u32,
        out: &mut [u64],
    ) {
        let Some(y) = crop.frame_row(y) else { return out.fill(0) };
        let frame_width = crop.frame.size().width as usize;
        let Range { start, end } = crop.columns;
        if start == end {
            // The whole crop lies to the left or to the right of the frame.
            let mut edge = [0];
            if crop.border != Border::Black {
                let column = if crop.rect.x < 0 { 0 } else { frame_width - 1 };
                self.span(arch, crop, channels, y, column..column + 1, &mut edge);
            }
            return out.fill(edge[0]);
        }
        let left = (start as i64 - i64::from(crop.rect.x)) as usize;
        let right = left + end - start;
        self.span(arch, crop, channels, y, start..end, &mut out[left..right]);
        let (first, last) = match crop.border {
            Border::Black => (0, 0),
            _ => (out[left], out[right - 1]),
        };
        out[..left].fill(first);
        out[right..].fill(last);
    }

    /// Converts the columns `x` of row `y` of the frame.
    fn span(
        &mut self,
        arch: pulp::Arch,
        crop: &Crop<'_>,
        channels: Channels,
        y: usize,
        x: Range<usize>,
        out: &mut [u64],
    ) {
        let length = yuv::spread_length(&x);
        match &crop.coefficients {
            CropCoefficients::Bytes(coefficients) => {
                let spread = &mut self.bytes;
                spread.reserve(length);
                arch.dispatch(Span { crop, coefficients, channels, y, x, spread, out });
            }
            CropCoefficients::Words(coefficients) => {
                let spread = &mut self.words;
                spread.reserve(length);
                arch.dispatch(Span { crop, coefficients, channels, y, x, spread, out });
            }
        }
    }
}

/// A span of one row, compiled for each width of vectors: all functions below are inlined here.
struct Span<'a, 'f, T: Sample> {
    crop: &'a Crop<'f>,
    coefficients: &'a T::Coefficients,
    channels: Channels,
    y: usize,
    x: Range<usize>,
    spread: &'a mut Spread<T>,
    out: &'a mut [u64],
}

impl pulp::WithSimd for Span<'_, '_, u8> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        use PixelFormat as F;
        let frame = &self.crop.frame;
        let (channels, row) = (self.channels, frame.row(0, self.y));
        match frame.format() {
            F::Gray8 => gray_span(frame.colorimetry(), channels, &row[self.x], self.out),
            F::Rgb => rgb_span::<3>(channels, [0, 1, 2], row, self.x, self.out),
            F::Bgr => rgb_span::<3>(channels, [2, 1, 0], row, self.x, self.out),
            F::Rgba | F::Rgbx => rgb_span::<4>(channels, [0, 1, 2], row, self.x, self.out),
            F::Bgra | F::Bgrx => rgb_span::<4>(channels, [2, 1, 0], row, self.x, self.out),
            F::Argb | F::Xrgb => rgb_span::<4>(channels, [1, 2, 3], row, self.x, self.out),
            F::Abgr | F::Xbgr => rgb_span::<4>(channels, [3, 2, 1], row, self.x, self.out),
            _ => self.yuv(),
        }
    }
}

impl pulp::WithSimd for Span<'_, '_, Word> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let frame = &self.crop.frame;
        if frame.format() == PixelFormat::Gray16 {
            let row = &Word::row(frame.row(0, self.y))[self.x];
            return yuv::gray(self.coefficients, self.channels, row, self.out);
        }
        self.yuv();
    }
}

impl<T: Sample> Span<'_, '_, T> {
    #[inline(always)]
    fn yuv(self) {
        let Self { crop, coefficients, channels, y, x, spread, out } = self;
        yuv::row((&crop.frame, coefficients), channels, y, x, spread, out);
    }
}

/// Converts a row of grey bytes. Full range, the usual one, is copied.
#[inline(always)]
pub(super) fn gray_span(colorimetry: Colorimetry, channels: Channels, row: &[u8], out: &mut [u64]) {
    if colorimetry.range == ColorRange::Limited {
        return yuv::gray(&colorimetry.coefficients(), channels, row, out);
    }
    let times = if channels == Channels::Gray { 1 } else { pack(1, 1, 1) };
    for (out, &y) in out.iter_mut().zip(row) {
        *out = u64::from(y) * times;
    }
}

/// Converts pixels of `BYTES` bytes with red, green and blue at `at`.
#[inline(always)]
pub(super) fn rgb_span<const BYTES: usize>(
    channels: Channels,
    at: [usize; 3],
    row: &[u8],
    x: Range<usize>,
    out: &mut [u64],
) {
    let pixels = &row.as_chunks::<BYTES>().0[x];
    let [r, g, b] = at;
    match channels {
        Channels::Rgb => {
            for (out, p) in out.iter_mut().zip(pixels) {
                *out = pack(p[r], p[g], p[b]);
            }
        }
        Channels::Bgr => {
            for (out, p) in out.iter_mut().zip(pixels) {
                *out = pack(p[b], p[g], p[r]);
            }
        }
        Channels::Gray => {
            let [wr, wg, wb] = GRAY_WEIGHTS;
            for (out, p) in out.iter_mut().zip(pixels) {
                let sum = u32::from(p[r]) * wr + u32::from(p[g]) * wg + u32::from(p[b]) * wb;
                *out = u64::from((sum + (1 << (GRAY_SHIFT - 1))) >> GRAY_SHIFT);
            }
        }
    }
}
