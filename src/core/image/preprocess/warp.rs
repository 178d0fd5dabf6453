//! A picture seen through a homography, straight from the frame: `cv2.warpPerspective` and, with a
//! last row of 0 0 1, `cv2.warpAffine`, both with `INTER_LINEAR` on bytes.
//!
//! Positions and weights are not rounded before the result is, as in OpenCV 5.0, which the fixtures
//! were made with; older versions round positions to 1/32 pixel first, and differ by a few grey
//! levels on hard edges.

use super::gather::{Gatherer, Tap};
use super::packed::{LANE_BITS, LANE_MASK};
use crate::core::geometry::matrix::Mat3;
use crate::core::image::FrameView;
use crate::core::image::spec::{Border, Channels};

/// Memory of a warp, reused from row to row.
#[derive(Debug, Default)]
pub(super) struct Warper {
    gatherer: Gatherer,
    /// Four neighbours of each output pixel: top left, top right, bottom left, bottom right.
    taps: Vec<Tap>,
    pixels: Vec<u64>,
    /// How far each output pixel lies from its top left neighbour, 0..1.
    fractions: Vec<[f32; 2]>,
}

/// What is seen through what.
pub(super) struct View<'a, 'f> {
    pub(super) frame: &'a FrameView<'f>,
    /// From output pixels to the frame's, both counted from the centre of the first.
    pub(super) to_source: &'a Mat3,
    pub(super) border: Border,
    pub(super) channels: Channels,
}

impl Warper {
    /// Makes row `y` of the output, one run of columns for each channel.
    pub(super) fn row(
        &mut self,
        arch: pulp::Arch,
        view: &View<'_, '_>,
        y: usize,
        bytes: &mut [u8],
    ) {
        let columns = bytes.len() / view.channels.count();
        self.taps.resize(4 * columns, Tap::default());
        self.pixels.resize(4 * columns, 0);
        self.fractions.resize(columns, [0.0; 2]);
        let Self { gatherer, taps, pixels, fractions } = self;
        let leaves = arch.dispatch(Locate { view, y, taps, fractions });
        gatherer.gather(arch, view.frame, view.channels, taps, pixels);
        let pixels = pixels.as_chunks_mut::<4>().0;
        if leaves && view.border != Border::Replicate {
            for (x, pixels) in pixels.iter_mut().enumerate() {
                let [left, top] = position(view.to_source, x, y);
                blacken(view.frame, left.floor() as i64, top.floor() as i64, pixels);
            }
        }
        arch.dispatch(Blend { pixels, fractions, columns, bytes });
    }
}

/// Finds the neighbours of a row's pixels; whether one of them lies outside the frame.
struct Locate<'a, 'f> {
    view: &'a View<'a, 'f>,
    y: usize,
    taps: &'a mut [Tap],
    fractions: &'a mut [[f32; 2]],
}

impl pulp::WithSimd for Locate<'_, '_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> bool {
        let Self { view, y, taps, fractions } = self;
        let mut leaves = false;
        let neighbours = taps.as_chunks_mut::<4>().0;
        for (x, (taps, fraction)) in neighbours.iter_mut().zip(fractions).enumerate() {
            let [left, top] = position(view.to_source, x, y);
            let (column, row) = (left.floor(), top.floor());
            *fraction = [(left - column) as f32, (top - row) as f32];
            leaves |= place(view.frame, column as i64, row as i64, taps);
        }
        leaves
    }
}

/// Where in the frame an output pixel lies. Beyond all numbers is far outside.
#[inline(always)]
fn position(m: &Mat3, x: usize, y: usize) -> [f64; 2] {
    /// Further out than any frame, near enough for whole numbers.
    const FAR: f64 = (1u64 << 40) as f64;
    let (x, y) = (x as f64, y as f64);
    let [u, v, w] = m.map(|[a, b, c]| a * x + b * y + c);
    [u / w, v / w].map(|at| if at.is_nan() { FAR } else { at.clamp(-FAR, FAR) })
}

/// Writes the four neighbours, moved into the frame; whether one had to be moved.
#[inline(always)]
fn place(frame: &FrameView<'_>, column: i64, row: i64, taps: &mut [Tap; 4]) -> bool {
    let (last_x, last_y) = (i64::from(frame.size().width) - 1, i64::from(frame.size().height) - 1);
    let (left, right) = (column.clamp(0, last_x) as u32, (column + 1).clamp(0, last_x) as u32);
    let (top, bottom) = (row.clamp(0, last_y) as u32, (row + 1).clamp(0, last_y) as u32);
    *taps = [
        Tap { x: left, y: top },
        Tap { x: right, y: top },
        Tap { x: left, y: bottom },
        Tap { x: right, y: bottom },
    ];
    column < 0 || row < 0 || column >= last_x || row >= last_y
}

/// Turns the neighbours outside the frame black.
fn blacken(frame: &FrameView<'_>, column: i64, row: i64, pixels: &mut [u64; 4]) {
    let (width, height) = (i64::from(frame.size().width), i64::from(frame.size().height));
    for (i, pixel) in pixels.iter_mut().enumerate() {
        let (x, y) = (column + (i as i64 & 1), row + (i as i64 >> 1));
        if !(0..width).contains(&x) || !(0..height).contains(&y) {
            *pixel = 0;
        }
    }
}

/// Four neighbours to one pixel, for a row.
struct Blend<'a> {
    pixels: &'a [[u64; 4]],
    fractions: &'a [[f32; 2]],
    columns: usize,
    bytes: &'a mut [u8],
}

impl pulp::WithSimd for Blend<'_> {
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
