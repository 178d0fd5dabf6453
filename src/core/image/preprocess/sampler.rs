//! Samples single pixels anywhere in a frame, for a warp; a resize reads whole rows instead.
//!
//! The sampler collects bytes first and converts them with the loops that convert rows, so both
//! give the same colours.

use super::convert::{gray_span, rgb_span};
use super::yuv::{self, Sample, Spread, Word};
use crate::core::image::frame::{FrameView, Plane};
use crate::core::image::pixel_format::{Chroma, Components, PixelFormat};
use crate::core::image::spec::Channels;

/// The position of a pixel inside the frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PixelPosition {
    pub(super) x: u32,
    pub(super) y: u32,
}

/// Memory for the samples of one row of positions, reused.
#[derive(Debug, Default)]
pub(super) struct PixelSampler {
    /// Whole pixels.
    pixels: Vec<u8>,
    bytes: Spread<u8>,
    words: Spread<Word>,
}

impl PixelSampler {
    /// Writes the packed pixel at each position.
    pub(super) fn sample(
        &mut self,
        arch: pulp::Arch,
        frame: &FrameView<'_>,
        channels: Channels,
        positions: &[PixelPosition],
        out: &mut [u64],
    ) {
        let Self { pixels, bytes, words } = self;
        if frame.format().layout().samples.bytes == 2 {
            words.reserve(positions.len());
            return arch.dispatch(SampleWords { frame, channels, positions, spread: words, out });
        }
        bytes.reserve(positions.len());
        if pixels.len() < 4 * positions.len() {
            pixels.resize(4 * positions.len(), 0);
        }
        arch.dispatch(SampleBytes { frame, channels, positions, pixels, spread: bytes, out });
    }
}

/// One row of positions, compiled for each width of vectors: all functions below are inlined here.
struct SampleBytes<'a, 'f> {
    frame: &'a FrameView<'f>,
    channels: Channels,
    positions: &'a [PixelPosition],
    pixels: &'a mut [u8],
    spread: &'a mut Spread<u8>,
    out: &'a mut [u64],
}

impl pulp::WithSimd for SampleBytes<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        use PixelFormat as F;
        match self.frame.format() {
            F::Gray8 => {
                let Self { frame, channels, positions, spread, out, .. } = self;
                let luma = &mut spread.luma[..positions.len()];
                single(frame.plane(0), positions, luma);
                gray_span(frame.colorimetry(), channels, luma, out);
            }
            F::Rgb => self.rgb::<3>([0, 1, 2]),
            F::Bgr => self.rgb::<3>([2, 1, 0]),
            F::Rgba | F::Rgbx => self.rgb::<4>([0, 1, 2]),
            F::Bgra | F::Bgrx => self.rgb::<4>([2, 1, 0]),
            F::Argb | F::Xrgb => self.rgb::<4>([1, 2, 3]),
            F::Abgr | F::Xbgr => self.rgb::<4>([3, 2, 1]),
            _ => {
                let Self { frame, channels, positions, spread, out, .. } = self;
                yuv_at(frame, channels, positions, spread, out);
            }
        }
    }
}

impl SampleBytes<'_, '_> {
    #[inline(always)]
    fn rgb<const BYTES: usize>(self, at: [usize; 3]) {
        let Self { frame, channels, positions, pixels: bytes, out, .. } = self;
        let Plane { data, stride } = frame.plane(0);
        let pixels = bytes.as_chunks_mut::<BYTES>().0;
        for (pixel, position) in pixels.iter_mut().zip(positions) {
            let start = position.y as usize * stride + position.x as usize * BYTES;
            pixel.copy_from_slice(&data[start..start + BYTES]);
        }
        rgb_span::<BYTES>(channels, at, bytes, 0..positions.len(), out);
    }
}

/// The same for samples of two bytes.
struct SampleWords<'a, 'f> {
    frame: &'a FrameView<'f>,
    channels: Channels,
    positions: &'a [PixelPosition],
    spread: &'a mut Spread<Word>,
    out: &'a mut [u64],
}

impl pulp::WithSimd for SampleWords<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { frame, channels, positions, spread, out } = self;
        if frame.format() == PixelFormat::Gray16 {
            let luma = &mut spread.luma[..positions.len()];
            single(frame.plane(0), positions, luma);
            let k = Word::coefficients(frame.colorimetry(), frame.format());
            return yuv::gray(&k, channels, luma, out);
        }
        yuv_at(frame, channels, positions, spread, out);
    }
}

/// Samples luma and chroma, then converts.
#[inline(always)]
fn yuv_at<T: Stored>(
    frame: &FrameView<'_>,
    channels: Channels,
    positions: &[PixelPosition],
    spread: &mut Spread<T>,
    out: &mut [u64],
) {
    let Components::Yuv { luma, chroma } = frame.format().layout().components else { return };
    let Chroma { u, v, column_shift, row_shift } = chroma;
    let shifts = (column_shift, row_shift);
    let count = positions.len();
    let Spread { luma: y_out, u: u_out, v: v_out } = spread;
    let (y_out, u_out, v_out) = (&mut y_out[..count], &mut u_out[..count], &mut v_out[..count]);
    if u.step == 4 {
        let at = [luma.first, u.first, v.first];
        interleaved(frame.plane(0), at, positions, [&mut *y_out, &mut *u_out, &mut *v_out]);
    } else {
        single(frame.plane(0), positions, y_out);
        if u.step == 2 {
            let (first, second) =
                if u.first == 0 { (&mut *u_out, &mut *v_out) } else { (&mut *v_out, &mut *u_out) };
            pairs(frame.plane(1), shifts, positions, first, second);
        } else {
            shared(frame.plane(u.plane), shifts, positions, u_out);
            shared(frame.plane(v.plane), shifts, positions, v_out);
        }
    }
    let k = T::coefficients(frame.colorimetry(), frame.format());
    yuv::convert(&k, channels, [&*y_out, &*u_out, &*v_out], out);
}

/// A sample that is read at any place of a plane.
trait Stored: Sample {
    /// Bytes of a sample.
    const BYTES: usize;

    /// The sample whose first byte is at `start`.
    fn at(data: &[u8], start: usize) -> Self;
}

impl Stored for u8 {
    const BYTES: usize = 1;

    #[inline(always)]
    fn at(data: &[u8], start: usize) -> Self {
        data[start]
    }
}

impl Stored for Word {
    const BYTES: usize = 2;

    #[inline(always)]
    fn at(data: &[u8], start: usize) -> Self {
        [data[start], data[start + 1]]
    }
}

/// Samples a plane with a sample for each pixel.
#[inline(always)]
fn single<T: Stored>(
    Plane { data, stride }: Plane<'_>,
    positions: &[PixelPosition],
    out: &mut [T],
) {
    for (out, position) in out.iter_mut().zip(positions) {
        *out = T::at(data, position.y as usize * stride + position.x as usize * T::BYTES);
    }
}

/// Samples a plane whose samples each have 2^shift columns and rows.
#[inline(always)]
fn shared<T: Stored>(
    Plane { data, stride }: Plane<'_>,
    (across, down): (u32, u32),
    positions: &[PixelPosition],
    out: &mut [T],
) {
    for (out, position) in out.iter_mut().zip(positions) {
        let (x, y) = ((position.x >> across) as usize, (position.y >> down) as usize);
        *out = T::at(data, y * stride + x * T::BYTES);
    }
}

/// Samples two interleaved components of that kind.
#[inline(always)]
fn pairs<T: Stored>(
    Plane { data, stride }: Plane<'_>,
    (across, down): (u32, u32),
    positions: &[PixelPosition],
    first: &mut [T],
    second: &mut [T],
) {
    for ((first, second), position) in first.iter_mut().zip(second).zip(positions) {
        let (x, y) = ((position.x >> across) as usize, (position.y >> down) as usize);
        let start = y * stride + x * 2 * T::BYTES;
        (*first, *second) = (T::at(data, start), T::at(data, start + T::BYTES));
    }
}

/// Samples pixels that share four samples in pairs; `at` holds the places of the first luma, U and V.
#[inline(always)]
fn interleaved<T: Stored>(
    Plane { data, stride }: Plane<'_>,
    at: [usize; 3],
    positions: &[PixelPosition],
    [luma, u, v]: [&mut [T]; 3],
) {
    let [luma_at, u_at, v_at] = at.map(|sample| sample * T::BYTES);
    for (((luma, u), v), position) in luma.iter_mut().zip(u).zip(v).zip(positions) {
        let start = position.y as usize * stride + (position.x / 2) as usize * 4 * T::BYTES;
        *luma = T::at(data, start + luma_at + 2 * T::BYTES * (position.x % 2) as usize);
        (*u, *v) = (T::at(data, start + u_at), T::at(data, start + v_at));
    }
}
