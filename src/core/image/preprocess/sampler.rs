//! Samples single pixels anywhere in a frame, for a warp; a resize reads whole rows instead.
//!
//! The sampler collects bytes first and converts them with the loops that convert rows, so both
//! give the same colours.

use super::convert::{gray_span, luma_span, rgb_span, yuv_span};
use crate::core::image::frame::{FrameView, PixelFormat, Plane};
use crate::core::image::spec::Channels;

/// The position of a pixel inside the frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PixelPosition {
    pub(super) x: u32,
    pub(super) y: u32,
}

/// Memory for the bytes of one row of positions, reused.
#[derive(Debug, Default)]
pub(super) struct PixelSampler {
    /// Luma, or whole pixels.
    first: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
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
        let Self { first, u, v } = self;
        for (buffer, bytes) in [(&mut *first, 4), (&mut *u, 1), (&mut *v, 1)] {
            if buffer.len() < positions.len() * bytes {
                buffer.resize(positions.len() * bytes, 0);
            }
        }
        arch.dispatch(Sample { frame, channels, positions, first, u, v, out });
    }
}

/// One row of positions, compiled for each width of vectors: all functions below are inlined here.
struct Sample<'a, 'f> {
    frame: &'a FrameView<'f>,
    channels: Channels,
    positions: &'a [PixelPosition],
    first: &'a mut [u8],
    u: &'a mut [u8],
    v: &'a mut [u8],
    out: &'a mut [u64],
}

impl pulp::WithSimd for Sample<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        use PixelFormat as F;
        match self.frame.format() {
            F::Gray8 => {
                let Self { frame, channels, positions, first, out, .. } = self;
                let luma = &mut first[..positions.len()];
                single(frame.plane(0), positions, luma);
                gray_span(frame.colorimetry(), channels, luma, out);
            }
            F::Rgb => self.rgb::<3>([0, 1, 2]),
            F::Bgr => self.rgb::<3>([2, 1, 0]),
            F::Rgba | F::Rgbx => self.rgb::<4>([0, 1, 2]),
            F::Bgra | F::Bgrx => self.rgb::<4>([2, 1, 0]),
            F::Argb | F::Xrgb => self.rgb::<4>([1, 2, 3]),
            F::Abgr | F::Xbgr => self.rgb::<4>([3, 2, 1]),
            F::Nv12 | F::Nv21 | F::I420 | F::Yv12 | F::Yuy2 | F::Uyvy => self.yuv(),
        }
    }
}

impl Sample<'_, '_> {
    #[inline(always)]
    fn rgb<const BYTES: usize>(self, at: [usize; 3]) {
        let Self { frame, channels, positions, first, out, .. } = self;
        let Plane { data, stride } = frame.plane(0);
        let pixels = first.as_chunks_mut::<BYTES>().0;
        for (pixel, position) in pixels.iter_mut().zip(positions) {
            let start = position.y as usize * stride + position.x as usize * BYTES;
            pixel.copy_from_slice(&data[start..start + BYTES]);
        }
        rgb_span::<BYTES>(channels, at, first, 0..positions.len(), out);
    }

    #[inline(always)]
    fn yuv(self) {
        use PixelFormat as F;
        let Self { frame, channels, positions, first, u, v, out } = self;
        let count = positions.len();
        let (luma, u, v) = (&mut first[..count], &mut u[..count], &mut v[..count]);
        match frame.format() {
            F::Yuy2 => interleaved(frame.plane(0), [0, 1, 3], positions, [luma, u, v]),
            F::Uyvy => interleaved(frame.plane(0), [1, 0, 2], positions, [luma, u, v]),
            format => {
                single(frame.plane(0), positions, luma);
                match format {
                    F::Nv12 => pairs(frame.plane(1), positions, u, v),
                    F::Nv21 => pairs(frame.plane(1), positions, v, u),
                    F::I420 => {
                        halved(frame.plane(1), positions, u);
                        halved(frame.plane(2), positions, v);
                    }
                    _ => {
                        halved(frame.plane(2), positions, u);
                        halved(frame.plane(1), positions, v);
                    }
                }
            }
        }
        let k = &frame.colorimetry().coefficients();
        match channels {
            Channels::Rgb => yuv_span::<false>(k, luma, u, v, out),
            Channels::Bgr => yuv_span::<true>(k, luma, u, v, out),
            Channels::Gray => luma_span(k, luma, out),
        }
    }
}

/// Samples a plane with a byte for each pixel.
#[inline(always)]
fn single(Plane { data, stride }: Plane<'_>, positions: &[PixelPosition], out: &mut [u8]) {
    for (out, position) in out.iter_mut().zip(positions) {
        *out = data[position.y as usize * stride + position.x as usize];
    }
}

/// Samples a plane with a byte for each square of four pixels.
#[inline(always)]
fn halved(Plane { data, stride }: Plane<'_>, positions: &[PixelPosition], out: &mut [u8]) {
    for (out, position) in out.iter_mut().zip(positions) {
        *out = data[(position.y / 2) as usize * stride + (position.x / 2) as usize];
    }
}

/// Samples two interleaved planes of that kind.
#[inline(always)]
fn pairs(
    Plane { data, stride }: Plane<'_>,
    positions: &[PixelPosition],
    first: &mut [u8],
    second: &mut [u8],
) {
    for ((first, second), position) in first.iter_mut().zip(second).zip(positions) {
        let start = (position.y / 2) as usize * stride + (position.x / 2) as usize * 2;
        (*first, *second) = (data[start], data[start + 1]);
    }
}

/// Samples pixels that share four bytes in pairs; `at` holds the places of the first luma, U and V.
#[inline(always)]
fn interleaved(
    Plane { data, stride }: Plane<'_>,
    at: [usize; 3],
    positions: &[PixelPosition],
    [luma, u, v]: [&mut [u8]; 3],
) {
    for (((luma, u), v), position) in luma.iter_mut().zip(u).zip(v).zip(positions) {
        let start = position.y as usize * stride + (position.x / 2) as usize * 4;
        *luma = data[start + at[0] + 2 * (position.x % 2) as usize];
        (*u, *v) = (data[start + at[1]], data[start + at[2]]);
    }
}
