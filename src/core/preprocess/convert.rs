//! One row of the source rectangle, from the frame's own format to packed pixels.
//!
//! Chroma is taken from the nearest sample (the one that covers the pixel), as OpenCV's `cvtColor`
//! and most publishers' pipelines do.

use super::packed::pack;
use crate::core::color::{Colorimetry, Range, YUV_SHIFT, YuvCoefficients};
use crate::core::frame::{FrameView, PixelFormat};
use crate::core::geometry::PixelRect;
use crate::core::profile::Channels;
use crate::core::region::Border;

/// Half a step before a shift by [`YUV_SHIFT`].
const YUV_HALF: i32 = 1 << (YUV_SHIFT - 1);
/// OpenCV's weights of red, green and blue in grey, 15 binary places (`RGB2Gray<uchar>`).
const GRAY_WEIGHTS: [u32; 3] = [9798, 19235, 3735];
const GRAY_SHIFT: u32 = 15;

/// The rectangle of a frame that is read, and what lies around the frame.
pub(super) struct Source<'a> {
    frame: FrameView<'a>,
    rect: PixelRect,
    border: Border,
    coefficients: YuvCoefficients,
    /// Columns of the frame that the rectangle covers.
    columns: std::ops::Range<usize>,
}

impl<'a> Source<'a> {
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

    /// Columns and rows of the rectangle.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.rect.width, self.rect.height)
    }

    /// The frame's row for row `y` of the rectangle; `None` where black is wanted.
    fn frame_row(&self, y: u32) -> Option<usize> {
        let last = i64::from(self.frame.size().height) - 1;
        let row = i64::from(self.rect.y) + i64::from(y);
        match self.border {
            Border::Black if row < 0 || row > last => None,
            _ => Some(row.clamp(0, last) as usize),
        }
    }
}

/// Reused memory for the conversion of one row.
#[derive(Debug, Default)]
pub(super) struct Converter {
    luma: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl Converter {
    /// Writes row `y` of the source; `out` has one element for each of its columns.
    pub(super) fn row(
        &mut self,
        arch: pulp::Arch,
        source: &Source<'_>,
        channels: Channels,
        y: u32,
        out: &mut [u64],
    ) {
        let Some(y) = source.frame_row(y) else { return out.fill(0) };
        let frame_width = source.frame.size().width as usize;
        let std::ops::Range { start, end } = source.columns;
        if start == end {
            // The rectangle lies wholly beside the frame.
            let mut edge = [0];
            if source.border != Border::Black {
                let column = if source.rect.x < 0 { 0 } else { frame_width - 1 };
                self.span(arch, source, channels, y, column..column + 1, &mut edge);
            }
            return out.fill(edge[0]);
        }
        let left = (start as i64 - i64::from(source.rect.x)) as usize;
        let right = left + end - start;
        self.span(arch, source, channels, y, start..end, &mut out[left..right]);
        let (first, last) = match source.border {
            Border::Black => (0, 0),
            _ => (out[left], out[right - 1]),
        };
        out[..left].fill(first);
        out[right..].fill(last);
    }

    /// Columns `x` of row `y` of the frame.
    fn span(
        &mut self,
        arch: pulp::Arch,
        source: &Source<'_>,
        channels: Channels,
        y: usize,
        x: std::ops::Range<usize>,
        out: &mut [u64],
    ) {
        use PixelFormat as F;
        let frame = &source.frame;
        let row = frame.row(0, y);
        match frame.format() {
            F::Gray8 => {
                let colorimetry = frame.colorimetry();
                return arch.dispatch(|| gray_span(colorimetry, channels, &row[x], out));
            }
            F::Rgb => return arch.dispatch(|| rgb_span::<3>(channels, [0, 1, 2], row, x, out)),
            F::Bgr => return arch.dispatch(|| rgb_span::<3>(channels, [2, 1, 0], row, x, out)),
            F::Rgba | F::Rgbx => {
                return arch.dispatch(|| rgb_span::<4>(channels, [0, 1, 2], row, x, out));
            }
            F::Bgra | F::Bgrx => {
                return arch.dispatch(|| rgb_span::<4>(channels, [2, 1, 0], row, x, out));
            }
            F::Argb | F::Xrgb => {
                return arch.dispatch(|| rgb_span::<4>(channels, [1, 2, 3], row, x, out));
            }
            F::Abgr | F::Xbgr => {
                return arch.dispatch(|| rgb_span::<4>(channels, [3, 2, 1], row, x, out));
            }
            F::Nv12 | F::Nv21 | F::I420 | F::Yv12 | F::Yuy2 | F::Uyvy => {}
        }
        // Chroma samples that cover the columns, spread to one for each column.
        let pairs = x.start / 2..x.end.div_ceil(2);
        let spread = 2 * pairs.len();
        for buffer in [&mut self.luma, &mut self.u, &mut self.v] {
            if buffer.len() < spread {
                buffer.resize(spread, 0);
            }
        }
        let (luma, u, v) = (&mut self.luma[..spread], &mut self.u[..spread], &mut self.v[..spread]);
        let offset = x.start - 2 * pairs.start;
        let format = frame.format();
        let k = &source.coefficients;
        arch.dispatch(|| {
            let luma: &[u8] = match format {
                F::Yuy2 => {
                    spread_interleaved(
                        [0, 2, 1, 3],
                        &row[4 * pairs.start..4 * pairs.end],
                        luma,
                        u,
                        v,
                    );
                    &luma[offset..]
                }
                F::Uyvy => {
                    spread_interleaved(
                        [1, 3, 0, 2],
                        &row[4 * pairs.start..4 * pairs.end],
                        luma,
                        u,
                        v,
                    );
                    &luma[offset..]
                }
                F::Nv12 => {
                    let uv = &frame.row(1, y / 2)[2 * pairs.start..2 * pairs.end];
                    spread_pairs(uv, u, v);
                    &row[x.start..x.end]
                }
                F::Nv21 => {
                    let vu = &frame.row(1, y / 2)[2 * pairs.start..2 * pairs.end];
                    spread_pairs(vu, v, u);
                    &row[x.start..x.end]
                }
                _ => {
                    let (u_plane, v_plane) = if format == F::I420 { (1, 2) } else { (2, 1) };
                    spread_single(&frame.row(u_plane, y / 2)[pairs.clone()], u);
                    spread_single(&frame.row(v_plane, y / 2)[pairs], v);
                    &row[x.start..x.end]
                }
            };
            let (u, v) = (&u[offset..], &v[offset..]);
            match channels {
                Channels::Rgb => yuv_span::<false>(k, luma, u, v, out),
                Channels::Bgr => yuv_span::<true>(k, luma, u, v, out),
                Channels::Gray => luma_span(k, luma, out),
            }
        });
    }
}

/// Every sample twice.
#[inline(always)]
fn spread_single(samples: &[u8], out: &mut [u8]) {
    for (out, &sample) in out.as_chunks_mut::<2>().0.iter_mut().zip(samples) {
        *out = [sample; 2];
    }
}

/// Every sample of two interleaved planes twice.
#[inline(always)]
fn spread_pairs(samples: &[u8], first: &mut [u8], second: &mut [u8]) {
    let outs = first.as_chunks_mut::<2>().0.iter_mut().zip(second.as_chunks_mut::<2>().0);
    for ((first, second), &[a, b]) in outs.zip(samples.as_chunks::<2>().0) {
        *first = [a; 2];
        *second = [b; 2];
    }
}

/// Two pixels in four bytes; `at` says where the two lumas, U and V are.
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
fn yuv_span<const BGR: bool>(k: &YuvCoefficients, y: &[u8], u: &[u8], v: &[u8], out: &mut [u64]) {
    for (((out, &y), &u), &v) in out.iter_mut().zip(y).zip(u).zip(v) {
        let luma = (i32::from(y) - k.black).max(0) * k.luma + YUV_HALF;
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        let red = to_byte(luma + v * k.v_to_r);
        let green = to_byte(luma + u * k.u_to_g + v * k.v_to_g);
        let blue = to_byte(luma + u * k.u_to_b);
        *out = if BGR { pack(blue, green, red) } else { pack(red, green, blue) };
    }
}

/// Grey of a YUV frame is its luma, brought to full range.
#[inline(always)]
fn luma_span(k: &YuvCoefficients, y: &[u8], out: &mut [u64]) {
    for (out, &y) in out.iter_mut().zip(y) {
        *out = u64::from(to_byte((i32::from(y) - k.black).max(0) * k.luma + YUV_HALF));
    }
}

#[inline(always)]
fn gray_span(colorimetry: Colorimetry, channels: Channels, row: &[u8], out: &mut [u64]) {
    let times = if channels == Channels::Gray { 1 } else { pack(1, 1, 1) };
    match colorimetry.range {
        Range::Full => {
            for (out, &y) in out.iter_mut().zip(row) {
                *out = u64::from(y) * times;
            }
        }
        Range::Limited => {
            luma_span(&colorimetry.coefficients(), row, out);
            for out in out {
                *out *= times;
            }
        }
    }
}

/// Pixels of `BYTES` bytes with red, green and blue at `at`.
#[inline(always)]
fn rgb_span<const BYTES: usize>(
    channels: Channels,
    at: [usize; 3],
    row: &[u8],
    x: std::ops::Range<usize>,
    out: &mut [u64],
) {
    let pixels = &row.as_chunks::<BYTES>().0[x];
    let [r, g, b] = at;
    let pixels = out.iter_mut().zip(pixels);
    match channels {
        Channels::Rgb => pixels.for_each(|(out, p)| *out = pack(p[r], p[g], p[b])),
        Channels::Bgr => pixels.for_each(|(out, p)| *out = pack(p[b], p[g], p[r])),
        Channels::Gray => pixels.for_each(|(out, p)| {
            let sum: u32 = at.iter().zip(GRAY_WEIGHTS).map(|(&c, w)| u32::from(p[c]) * w).sum();
            *out = u64::from((sum + (1 << (GRAY_SHIFT - 1))) >> GRAY_SHIFT);
        }),
    }
}
