//! Warps a frame by a homography: `cv2.warpPerspective` and, with a last row of 0 0 1,
//! `cv2.warpAffine`, both with `INTER_LINEAR` on bytes.
//!
//! Only the result is rounded, as in OpenCV 5.0, which made the fixtures. Older versions round
//! positions to 1/32 pixel first, and differ by a few grey levels on hard edges.

use super::packed::{LANE_BITS, LANE_MASK};
use super::sampler::{PixelPosition, PixelSampler};
use crate::core::geometry::matrix::Mat3;
use crate::core::image::frame::FrameView;
use crate::core::image::spec::{Border, Channels};

/// Memory of a warp, reused from row to row.
#[derive(Debug, Default)]
pub(super) struct Warper {
    sampler: PixelSampler,
    /// Four neighbours of each output pixel: top left, top right, bottom left, bottom right.
    positions: Vec<PixelPosition>,
    pixels: Vec<u64>,
    /// How far each output pixel lies from its top left neighbour, 0..1.
    fractions: Vec<[f32; 2]>,
}

/// The frame to warp, and how.
pub(super) struct Warp<'a, 'f> {
    pub(super) frame: &'a FrameView<'f>,
    /// Maps output pixels to the frame's, both counted from the centre of the first.
    pub(super) to_source: &'a Mat3,
    pub(super) border: Border,
    pub(super) channels: Channels,
}

impl Warper {
    /// Makes row `y` of the output, one run of columns for each channel.
    pub(super) fn row(
        &mut self,
        arch: pulp::Arch,
        warp: &Warp<'_, '_>,
        y: usize,
        bytes: &mut [u8],
    ) {
        let columns = bytes.len() / warp.channels.count();
        self.positions.resize(4 * columns, PixelPosition::default());
        self.pixels.resize(4 * columns, 0);
        self.fractions.resize(columns, [0.0; 2]);
        let Self { sampler, positions, pixels, fractions } = self;
        let leaves = arch.dispatch(Locate { warp, y, positions, fractions });
        sampler.sample(arch, warp.frame, warp.channels, positions, pixels);
        let pixels = pixels.as_chunks_mut::<4>().0;
        if leaves && warp.border != Border::Replicate {
            for (x, pixels) in pixels.iter_mut().enumerate() {
                let [left, top] = position(warp.to_source, x, y);
                blacken(warp.frame, left.floor() as i64, top.floor() as i64, pixels);
            }
        }
        arch.dispatch(Interpolate { pixels, fractions, columns, bytes });
    }
}

/// Finds the four neighbours of each pixel of a row; tells whether one lies outside the frame.
struct Locate<'a, 'f> {
    warp: &'a Warp<'a, 'f>,
    y: usize,
    positions: &'a mut [PixelPosition],
    fractions: &'a mut [[f32; 2]],
}

impl pulp::WithSimd for Locate<'_, '_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> bool {
        let Self { warp, y, positions, fractions } = self;
        let mut leaves = false;
        let groups = positions.as_chunks_mut::<4>().0;
        for (x, (positions, fraction)) in groups.iter_mut().zip(fractions).enumerate() {
            let [left, top] = position(warp.to_source, x, y);
            let (column, row) = (left.floor(), top.floor());
            *fraction = [(left - column) as f32, (top - row) as f32];
            leaves |= neighbours(warp.frame, column as i64, row as i64, positions);
        }
        leaves
    }
}

/// The frame's position of an output pixel. A position without a number lies far outside.
#[inline(always)]
fn position(m: &Mat3, x: usize, y: usize) -> [f64; 2] {
    /// Farther out than any frame, and still exact in whole numbers.
    const FAR: f64 = (1u64 << 40) as f64;
    let (x, y) = (x as f64, y as f64);
    let [u, v, w] = m.map(|[a, b, c]| a * x + b * y + c);
    [u / w, v / w].map(|at| if at.is_nan() { FAR } else { at.clamp(-FAR, FAR) })
}

/// Writes the four neighbours, clamped to the frame; tells whether one had to be clamped.
#[inline(always)]
fn neighbours(
    frame: &FrameView<'_>,
    column: i64,
    row: i64,
    positions: &mut [PixelPosition; 4],
) -> bool {
    let (last_x, last_y) = (i64::from(frame.size().width) - 1, i64::from(frame.size().height) - 1);
    let (left, right) = (column.clamp(0, last_x) as u32, (column + 1).clamp(0, last_x) as u32);
    let (top, bottom) = (row.clamp(0, last_y) as u32, (row + 1).clamp(0, last_y) as u32);
    *positions = [
        PixelPosition { x: left, y: top },
        PixelPosition { x: right, y: top },
        PixelPosition { x: left, y: bottom },
        PixelPosition { x: right, y: bottom },
    ];
    column < 0 || row < 0 || column >= last_x || row >= last_y
}

/// Makes the neighbours outside the frame black.
fn blacken(frame: &FrameView<'_>, column: i64, row: i64, pixels: &mut [u64; 4]) {
    let (width, height) = (i64::from(frame.size().width), i64::from(frame.size().height));
    for (i, pixel) in pixels.iter_mut().enumerate() {
        let (x, y) = (column + (i as i64 & 1), row + (i as i64 >> 1));
        if !(0..width).contains(&x) || !(0..height).contains(&y) {
            *pixel = 0;
        }
    }
}

/// Interpolates each pixel of a row between its four neighbours.
struct Interpolate<'a> {
    pixels: &'a [[u64; 4]],
    fractions: &'a [[f32; 2]],
    columns: usize,
    bytes: &'a mut [u8],
}

impl pulp::WithSimd for Interpolate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { pixels, fractions, columns, bytes } = self;
        for (channel, bytes) in bytes.chunks_exact_mut(columns).enumerate() {
            let shift = channel as u32 * LANE_BITS;
            for ((byte, pixels), &[right, down]) in bytes.iter_mut().zip(pixels).zip(fractions) {
                let [a, b, c, d] = pixels.map(|p| (p >> shift & LANE_MASK) as i32 as f32);
                let (top, bottom) = (a + (b - a) * right, c + (d - c) * right);
                *byte = (top + (bottom - top) * down).round_ties_even() as u8;
            }
        }
    }
}
