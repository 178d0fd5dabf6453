//! Single pixels from anywhere in a frame, converted: what a warp reads where a resize reads rows.
//!
//! Bytes are collected first and converted together by the same loops that convert rows, so both
//! ways give the same colours.

use super::convert::{gray_span, luma_span, rgb_span, yuv_span};
use crate::core::image::spec::Channels;
use crate::core::image::{FrameView, PixelFormat, Plane};

/// A pixel that is wanted, inside the frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tap {
    pub(super) x: u32,
    pub(super) y: u32,
}

/// Reused memory for the bytes of one row of taps.
#[derive(Debug, Default)]
pub(super) struct Gatherer {
    /// Luma, or whole pixels.
    first: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl Gatherer {
    /// Writes one packed pixel for each tap.
    pub(super) fn gather(
        &mut self,
        arch: pulp::Arch,
        frame: &FrameView<'_>,
        channels: Channels,
        taps: &[Tap],
        out: &mut [u64],
    ) {
        let Self { first, u, v } = self;
        for (buffer, bytes) in [(&mut *first, 4), (&mut *u, 1), (&mut *v, 1)] {
            if buffer.len() < taps.len() * bytes {
                buffer.resize(taps.len() * bytes, 0);
            }
        }
        arch.dispatch(Collect { frame, channels, taps, first, u, v, out });
    }
}

/// One row of taps: everything below is inlined into this, for each kind of vectors.
struct Collect<'a, 'f> {
    frame: &'a FrameView<'f>,
    channels: Channels,
    taps: &'a [Tap],
    first: &'a mut [u8],
    u: &'a mut [u8],
    v: &'a mut [u8],
    out: &'a mut [u64],
}

impl pulp::WithSimd for Collect<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        use PixelFormat as F;
        match self.frame.format() {
            F::Gray8 => {
                let Self { frame, channels, taps, first, out, .. } = self;
                let luma = &mut first[..taps.len()];
                single(frame.plane(0), taps, luma);
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

impl Collect<'_, '_> {
    #[inline(always)]
    fn rgb<const BYTES: usize>(self, at: [usize; 3]) {
        let Self { frame, channels, taps, first, out, .. } = self;
        let Plane { data, stride } = frame.plane(0);
        let pixels = first.as_chunks_mut::<BYTES>().0;
        for (pixel, tap) in pixels.iter_mut().zip(taps) {
            let start = tap.y as usize * stride + tap.x as usize * BYTES;
            pixel.copy_from_slice(&data[start..start + BYTES]);
        }
        rgb_span::<BYTES>(channels, at, first, 0..taps.len(), out);
    }

    #[inline(always)]
    fn yuv(self) {
        use PixelFormat as F;
        let Self { frame, channels, taps, first, u, v, out } = self;
        let count = taps.len();
        let (luma, u, v) = (&mut first[..count], &mut u[..count], &mut v[..count]);
        match frame.format() {
            F::Yuy2 => interleaved(frame.plane(0), [0, 1, 3], taps, [luma, u, v]),
            F::Uyvy => interleaved(frame.plane(0), [1, 0, 2], taps, [luma, u, v]),
            format => {
                single(frame.plane(0), taps, luma);
                match format {
                    F::Nv12 => pairs(frame.plane(1), taps, u, v),
                    F::Nv21 => pairs(frame.plane(1), taps, v, u),
                    F::I420 => {
                        halved(frame.plane(1), taps, u);
                        halved(frame.plane(2), taps, v);
                    }
                    _ => {
                        halved(frame.plane(2), taps, u);
                        halved(frame.plane(1), taps, v);
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

/// A plane with a byte for each pixel.
#[inline(always)]
fn single(Plane { data, stride }: Plane<'_>, taps: &[Tap], out: &mut [u8]) {
    for (out, tap) in out.iter_mut().zip(taps) {
        *out = data[tap.y as usize * stride + tap.x as usize];
    }
}

/// A plane with a byte for each square of four pixels.
#[inline(always)]
fn halved(Plane { data, stride }: Plane<'_>, taps: &[Tap], out: &mut [u8]) {
    for (out, tap) in out.iter_mut().zip(taps) {
        *out = data[(tap.y / 2) as usize * stride + (tap.x / 2) as usize];
    }
}

/// Two interleaved planes of the same.
#[inline(always)]
fn pairs(Plane { data, stride }: Plane<'_>, taps: &[Tap], first: &mut [u8], second: &mut [u8]) {
    for ((first, second), tap) in first.iter_mut().zip(second).zip(taps) {
        let start = (tap.y / 2) as usize * stride + (tap.x / 2) as usize * 2;
        (*first, *second) = (data[start], data[start + 1]);
    }
}

/// Two pixels in four bytes; `at` says where the first luma, U and V are.
#[inline(always)]
fn interleaved(
    Plane { data, stride }: Plane<'_>,
    at: [usize; 3],
    taps: &[Tap],
    [luma, u, v]: [&mut [u8]; 3],
) {
    for (((luma, u), v), tap) in luma.iter_mut().zip(u).zip(v).zip(taps) {
        let start = tap.y as usize * stride + (tap.x / 2) as usize * 4;
        *luma = data[start + at[0] + 2 * (tap.x % 2) as usize];
        (*u, *v) = (data[start + at[1]], data[start + at[2]]);
    }
}
