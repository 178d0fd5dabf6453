//! Converts one row of a crop from the frame's format to packed pixels.
//!
//! A pixel gets the chroma sample that covers it, as in OpenCV's `cvtColor` and most publishers'
//! pipelines.

use std::ops::Range;

use super::packed::pack;
use crate::core::geometry::rect::PixelRect;
use crate::core::image::color::{ColorRange, Colorimetry, YUV_SHIFT, YuvCoefficients};
use crate::core::image::frame::{FrameView, PixelFormat};
use crate::core::image::spec::{Border, Channels};

/// Half a step, which rounds a shift by [`YUV_SHIFT`].
const YUV_HALF: i32 = 1 << (YUV_SHIFT - 1);
/// OpenCV's weights of red, green and blue in grey, 15 binary places (`RGB2Gray<uchar>`).
const GRAY_WEIGHTS: [u32; 3] = [9798, 19235, 3735];
const GRAY_SHIFT: u32 = 15;

/// The rectangle to read from a frame, and what lies around the frame.
pub(super) struct Crop<'a> {
    frame: FrameView<'a>,
    rect: PixelRect,
    border: Border,
    coefficients: YuvCoefficients,
    /// The frame's columns in the rectangle.
    columns: Range<usize>,
}

impl<'a> Crop<'a> {
    pub(super) fn new(frame: &FrameView<'a>, rect: PixelRect, border: Border) -> Self {
        let inside = PixelRect { y: 0, height: 1, ..rect }.clipped(frame.size());
        let first = inside.x as usize;
        Self {
            frame: *frame,
            rect,
            border,
            coefficients: frame.colorimetry().coefficients(),
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
    luma: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
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
        let spread = 2 * chroma_columns(&x).len();
        let Self { luma, u, v } = self;
        for buffer in [&mut *luma, &mut *u, &mut *v] {
            if buffer.len() < spread {
                buffer.resize(spread, 0);
            }
        }
        arch.dispatch(Span { crop, channels, y, x, luma, u, v, out });
    }
}

/// The chroma samples that cover the columns `x`.
fn chroma_columns(x: &Range<usize>) -> Range<usize> {
    x.start / 2..x.end.div_ceil(2)
}

/// A span of one row, compiled for each width of vectors: all functions below are inlined here.
struct Span<'a, 'f> {
    crop: &'a Crop<'f>,
    channels: Channels,
    y: usize,
    x: Range<usize>,
    luma: &'a mut [u8],
    u: &'a mut [u8],
    v: &'a mut [u8],
    out: &'a mut [u64],
}

impl pulp::WithSimd for Span<'_, '_> {
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
            F::Nv12 | F::Nv21 | F::I420 | F::Yv12 | F::Yuy2 | F::Uyvy => self.yuv(),
        }
    }
}

impl Span<'_, '_> {
    /// Repeats chroma to one sample for each column, then converts.
    #[inline(always)]
    fn yuv(self) {
        use PixelFormat as F;
        let Self { crop: Crop { frame, coefficients: k, .. }, y, x, u, v, .. } = self;
        let pairs = chroma_columns(&x);
        let offset = x.start - 2 * pairs.start;
        let row = frame.row(0, y);
        let mut luma = row;
        let format = frame.format();
        match format {
            F::Yuy2 | F::Uyvy => {
                let at = if format == F::Yuy2 { [0, 2, 1, 3] } else { [1, 3, 0, 2] };
                let pixels = &row[4 * pairs.start..4 * pairs.end];
                spread_interleaved(at, pixels, self.luma, u, v);
                luma = &self.luma[offset..];
            }
            F::Nv12 | F::Nv21 => {
                let chroma = &frame.row(1, y / 2)[2 * pairs.start..2 * pairs.end];
                let (first, second) =
                    if format == F::Nv12 { (&mut *u, &mut *v) } else { (&mut *v, &mut *u) };
                spread_pairs(chroma, first, second);
                luma = &luma[x.clone()];
            }
            _ => {
                let (u_plane, v_plane) = if format == F::I420 { (1, 2) } else { (2, 1) };
                spread_single(&frame.row(u_plane, y / 2)[pairs.clone()], u);
                spread_single(&frame.row(v_plane, y / 2)[pairs], v);
                luma = &luma[x.clone()];
            }
        }
        let (u, v) = (&u[offset..], &v[offset..]);
        match self.channels {
            Channels::Rgb => yuv_span::<false>(k, luma, u, v, self.out),
            Channels::Bgr => yuv_span::<true>(k, luma, u, v, self.out),
            Channels::Gray => luma_span(k, luma, self.out),
        }
    }
}

/// Writes every sample twice.
#[inline(always)]
fn spread_single(samples: &[u8], out: &mut [u8]) {
    for (out, &sample) in out.as_chunks_mut::<2>().0.iter_mut().zip(samples) {
        *out = [sample; 2];
    }
}

/// Writes every sample of two interleaved planes twice.
#[inline(always)]
fn spread_pairs(samples: &[u8], first: &mut [u8], second: &mut [u8]) {
    let outs = first.as_chunks_mut::<2>().0.iter_mut().zip(second.as_chunks_mut::<2>().0);
    for ((first, second), &[a, b]) in outs.zip(samples.as_chunks::<2>().0) {
        *first = [a; 2];
        *second = [b; 2];
    }
}

/// Splits pixels that share four bytes in pairs; `at` holds the places of both lumas, U and V.
#[inline(always)]
fn spread_interleaved(at: [usize; 4], row: &[u8], luma: &mut [u8], u: &mut [u8], v: &mut [u8]) {
    let chroma = u.as_chunks_mut::<2>().0.iter_mut().zip(v.as_chunks_mut::<2>().0);
    let outs = luma.as_chunks_mut::<2>().0.iter_mut().zip(chroma);
    for ((luma, (u, v)), bytes) in outs.zip(row.as_chunks::<4>().0) {
        *luma = [bytes[at[0]], bytes[at[1]]];
        *u = [bytes[at[2]]; 2];
        *v = [bytes[at[3]]; 2];
    }
}

#[inline(always)]
fn to_byte(fixed: i32) -> u8 {
    (fixed >> YUV_SHIFT).clamp(0, 255) as u8
}

#[inline(always)]
pub(super) fn yuv_span<const BGR: bool>(
    k: &YuvCoefficients,
    y: &[u8],
    u: &[u8],
    v: &[u8],
    out: &mut [u64],
) {
    for (((out, &y), &u), &v) in out.iter_mut().zip(y).zip(u).zip(v) {
        let luma = (i32::from(y) - k.black).max(0) * k.luma + YUV_HALF;
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        let red = to_byte(luma + v * k.v_to_r);
        let green = to_byte(luma + u * k.u_to_g + v * k.v_to_g);
        let blue = to_byte(luma + u * k.u_to_b);
        *out = if BGR { pack(blue, green, red) } else { pack(red, green, blue) };
    }
}

/// Writes the luma of a YUV frame, brought to full range, as grey.
#[inline(always)]
pub(super) fn luma_span(k: &YuvCoefficients, y: &[u8], out: &mut [u64]) {
    for (out, &y) in out.iter_mut().zip(y) {
        *out = u64::from(to_byte((i32::from(y) - k.black).max(0) * k.luma + YUV_HALF));
    }
}

#[inline(always)]
pub(super) fn gray_span(colorimetry: Colorimetry, channels: Channels, row: &[u8], out: &mut [u64]) {
    let times = if channels == Channels::Gray { 1 } else { pack(1, 1, 1) };
    match colorimetry.range {
        ColorRange::Full => {
            for (out, &y) in out.iter_mut().zip(row) {
                *out = u64::from(y) * times;
            }
        }
        ColorRange::Limited => {
            luma_span(&colorimetry.coefficients(), row, out);
            for out in out {
                *out *= times;
            }
        }
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
