//! Rows of luma and chroma, of any sample size and any sharing of chroma.
//!
//! A pixel gets the chroma sample that covers it, as in OpenCV's `cvtColor` and most publishers'
//! pipelines.

use std::ops::Range;

use super::packed::pack;
use crate::core::image::color::{Colorimetry, DeepCoefficients, YUV_SHIFT, YuvCoefficients};
use crate::core::image::frame::FrameView;
use crate::core::image::pixel_format::{Chroma, Component, Components, PixelFormat};
use crate::core::image::spec::Channels;

/// Half a step, which rounds a shift by [`YUV_SHIFT`].
const YUV_HALF: i32 = 1 << (YUV_SHIFT - 1);

/// A stored sample: a byte, or two bytes in little-endian order.
pub(super) trait Sample: Copy + Default {
    /// The factors that turn samples into bytes of red, green and blue.
    type Coefficients: Copy;

    /// The factors for a format of such samples.
    fn coefficients(colorimetry: Colorimetry, format: PixelFormat) -> Self::Coefficients;

    /// A row's bytes as samples.
    fn row(bytes: &[u8]) -> &[Self];

    /// Writes the pixels of a row of luma and chroma, one sample of each for every pixel.
    fn colors<const BGR: bool>(
        k: &Self::Coefficients,
        y: &[Self],
        u: &[Self],
        v: &[Self],
        out: &mut [u64],
    );

    /// Writes luma, brought to full range, as grey.
    fn grays(k: &Self::Coefficients, y: &[Self], out: &mut [u64]);
}

/// Two bytes in little-endian order.
pub(super) type Word = [u8; 2];

impl Sample for u8 {
    type Coefficients = YuvCoefficients;

    fn coefficients(colorimetry: Colorimetry, _: PixelFormat) -> YuvCoefficients {
        colorimetry.coefficients()
    }

    #[inline(always)]
    fn row(bytes: &[u8]) -> &[u8] {
        bytes
    }

    #[inline(always)]
    fn colors<const BGR: bool>(k: &YuvCoefficients, y: &[u8], u: &[u8], v: &[u8], out: &mut [u64]) {
        for (((out, &y), &u), &v) in out.iter_mut().zip(y).zip(u).zip(v) {
            let luma = (i32::from(y) - k.black).max(0) * k.luma + YUV_HALF;
            let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
            let red = to_byte(luma + v * k.v_to_r);
            let green = to_byte(luma + u * k.u_to_g + v * k.v_to_g);
            let blue = to_byte(luma + u * k.u_to_b);
            *out = if BGR { pack(blue, green, red) } else { pack(red, green, blue) };
        }
    }

    #[inline(always)]
    fn grays(k: &YuvCoefficients, y: &[u8], out: &mut [u64]) {
        for (out, &y) in out.iter_mut().zip(y) {
            *out = u64::from(to_byte((i32::from(y) - k.black).max(0) * k.luma + YUV_HALF));
        }
    }
}

#[inline(always)]
fn to_byte(fixed: i32) -> u8 {
    (fixed >> YUV_SHIFT).clamp(0, 255) as u8
}

impl Sample for Word {
    type Coefficients = DeepCoefficients;

    fn coefficients(colorimetry: Colorimetry, format: PixelFormat) -> DeepCoefficients {
        let samples = format.layout().samples;
        colorimetry.deep_coefficients(samples.depth, samples.shift)
    }

    #[inline(always)]
    fn row(bytes: &[u8]) -> &[Word] {
        bytes.as_chunks::<2>().0
    }

    #[inline(always)]
    fn colors<const BGR: bool>(
        k: &DeepCoefficients,
        y: &[Word],
        u: &[Word],
        v: &[Word],
        out: &mut [u64],
    ) {
        for (((out, &y), &u), &v) in out.iter_mut().zip(y).zip(u).zip(v) {
            let luma = (value(k, y) - k.black).max(0) as f32 * k.luma;
            let (u, v) = ((value(k, u) - k.neutral) as f32, (value(k, v) - k.neutral) as f32);
            let red = rounded(luma + v * k.v_to_r);
            let green = rounded(luma + u * k.u_to_g + v * k.v_to_g);
            let blue = rounded(luma + u * k.u_to_b);
            *out = if BGR { pack(blue, green, red) } else { pack(red, green, blue) };
        }
    }

    #[inline(always)]
    fn grays(k: &DeepCoefficients, y: &[Word], out: &mut [u64]) {
        for (out, &y) in out.iter_mut().zip(y) {
            *out = u64::from(rounded((value(k, y) - k.black).max(0) as f32 * k.luma));
        }
    }
}

#[inline(always)]
fn value(k: &DeepCoefficients, sample: Word) -> i32 {
    i32::from(u16::from_le_bytes(sample) >> k.shift)
}

#[inline(always)]
fn rounded(level: f32) -> u8 {
    (level.clamp(0.0, 255.0) + 0.5) as i32 as u8
}

/// Memory for one row with a sample of each component for every pixel, reused.
#[derive(Debug, Default)]
pub(super) struct Spread<T> {
    pub luma: Vec<T>,
    pub u: Vec<T>,
    pub v: Vec<T>,
}

impl<T: Sample> Spread<T> {
    /// Makes room for `length` pixels.
    pub fn reserve(&mut self, length: usize) {
        for buffer in [&mut self.luma, &mut self.u, &mut self.v] {
            if buffer.len() < length {
                buffer.resize(length, T::default());
            }
        }
    }
}

/// The most columns that a row of `x` columns takes after its chroma is spread.
pub(super) fn spread_length(x: &Range<usize>) -> usize {
    // Chroma of four columns begins up to three columns before, and ends as many after.
    x.len() + 6
}

/// Converts the columns `x` of row `y`: brings chroma to one sample for each column, then converts.
#[inline(always)]
pub(super) fn row<T: Sample>(
    (frame, k): (&FrameView<'_>, &T::Coefficients),
    channels: Channels,
    y: usize,
    x: Range<usize>,
    spread: &mut Spread<T>,
    out: &mut [u64],
) {
    let Components::Yuv { luma, chroma } = frame.format().layout().components else { return };
    let Chroma { u, v, column_shift, row_shift } = chroma;
    let cells = x.start >> column_shift..x.end.div_ceil(1 << column_shift);
    let offset = x.start - (cells.start << column_shift);
    let first_row = T::row(frame.row(0, y));
    let samples = |plane: usize| T::row(frame.row(plane, y >> row_shift));
    let Spread { luma: y_out, u: u_out, v: v_out } = spread;
    let (y_row, u_row, v_row) = match (u.step, column_shift) {
        (4, _) => {
            let at = [luma.first, luma.first + 2, u.first, v.first];
            interleaved(at, &first_row[4 * cells.start..4 * cells.end], y_out, u_out, v_out);
            (&y_out[offset..], &u_out[offset..], &v_out[offset..])
        }
        (2, shift) => {
            let pairs = &samples(1)[2 * cells.start..2 * cells.end];
            let (first, second) =
                if u.first == 0 { (&mut *u_out, &mut *v_out) } else { (&mut *v_out, &mut *u_out) };
            match shift {
                0 => spread_pairs::<T, 1>(pairs, first, second),
                _ => spread_pairs::<T, 2>(pairs, first, second),
            }
            (&first_row[x], &u_out[offset..], &v_out[offset..])
        }
        (_, 0) => (&first_row[x.clone()], &samples(u.plane)[x.clone()], &samples(v.plane)[x]),
        (_, shift) => {
            for (Component { plane, .. }, out) in [(u, &mut *u_out), (v, &mut *v_out)] {
                let samples = &samples(plane)[cells.clone()];
                match shift {
                    1 => spread_single::<T, 2>(samples, out),
                    _ => spread_single::<T, 4>(samples, out),
                }
            }
            (&first_row[x], &u_out[offset..], &v_out[offset..])
        }
    };
    convert(k, channels, [y_row, u_row, v_row], out);
}

/// Converts samples of which every pixel has its own.
#[inline(always)]
pub(super) fn convert<T: Sample>(
    k: &T::Coefficients,
    channels: Channels,
    [y, u, v]: [&[T]; 3],
    out: &mut [u64],
) {
    match channels {
        Channels::Rgb => T::colors::<false>(k, y, u, v, out),
        Channels::Bgr => T::colors::<true>(k, y, u, v, out),
        Channels::Gray => T::grays(k, y, out),
    }
}

/// Converts a row of grey, brought to full range.
#[inline(always)]
pub(super) fn gray<T: Sample>(k: &T::Coefficients, channels: Channels, row: &[T], out: &mut [u64]) {
    T::grays(k, row, out);
    if channels != Channels::Gray {
        for out in out {
            *out *= pack(1, 1, 1);
        }
    }
}

/// Writes every sample `TIMES` times.
#[inline(always)]
fn spread_single<T: Sample, const TIMES: usize>(samples: &[T], out: &mut [T]) {
    for (out, &sample) in out.as_chunks_mut::<TIMES>().0.iter_mut().zip(samples) {
        *out = [sample; TIMES];
    }
}

/// Writes every sample of two interleaved components `TIMES` times.
#[inline(always)]
fn spread_pairs<T: Sample, const TIMES: usize>(samples: &[T], first: &mut [T], second: &mut [T]) {
    let outs = first.as_chunks_mut::<TIMES>().0.iter_mut().zip(second.as_chunks_mut::<TIMES>().0);
    for ((first, second), &[a, b]) in outs.zip(samples.as_chunks::<2>().0) {
        *first = [a; TIMES];
        *second = [b; TIMES];
    }
}

/// Splits pixels that share four samples in pairs; `at` holds the places of both lumas, U and V.
#[inline(always)]
fn interleaved<T: Sample>(at: [usize; 4], row: &[T], luma: &mut [T], u: &mut [T], v: &mut [T]) {
    let chroma = u.as_chunks_mut::<2>().0.iter_mut().zip(v.as_chunks_mut::<2>().0);
    let outs = luma.as_chunks_mut::<2>().0.iter_mut().zip(chroma);
    for ((luma, (u, v)), samples) in outs.zip(row.as_chunks::<4>().0) {
        *luma = [samples[at[0]], samples[at[1]]];
        *u = [samples[at[2]]; 2];
        *v = [samples[at[3]]; 2];
    }
}
