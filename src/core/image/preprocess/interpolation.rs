//! The three interpolations, each as one horizontal and one vertical step.
//!
//! An interpolation defines the type of a horizontally resampled sample, how a packed row becomes
//! such samples, and how a window of them becomes bytes. Inner loops run over contiguous slices and
//! are compiled once more for wide vectors (`pulp::Arch`).

use super::filter::{Filter, FilterTable, PIL_BITS};
use super::packed::{BIAS, BIASES, LANE_BITS, LANE_MASK, ROW_LEN, signed, unsigned, weigh};
use super::ring::RowRing;

/// One way to resize a picture of bytes.
pub(super) trait Interpolation: Default {
    /// A horizontally resampled sample.
    type Cell: Copy + Default;
    /// Filter of the columns.
    const COLUMNS: Filter;
    /// Filter of the rows.
    const ROWS: Filter;

    /// Resamples a packed row. `starts` are the first pixels of the windows in `row`; `cells` has
    /// one run of columns for each channel.
    fn horizontal(
        &mut self,
        row: &[u64; ROW_LEN],
        starts: &[u16],
        columns: &FilterTable,
        cells: &mut [Self::Cell],
    );

    /// Makes output row `y` from the rows of its window; `bytes` is as long as a row of cells.
    fn vertical(
        &mut self,
        rows: &FilterTable,
        y: usize,
        ring: &RowRing<Self::Cell>,
        bytes: &mut [u8],
    );
}

/// Splits packed sums into runs of columns, one for each channel.
#[inline(always)]
fn unpack<T>(sums: &[u64], cells: &mut [T], shift: u32, value: impl Fn(u64) -> T) {
    for (lane, run) in (0..).zip(cells.chunks_exact_mut(sums.len().max(1))) {
        for (cell, sum) in run.iter_mut().zip(sums) {
            *cell = value((sum >> (LANE_BITS * lane + shift)) & (LANE_MASK >> shift));
        }
    }
}

/// `cv2.INTER_LINEAR` on bytes. Rows are kept with 7 binary places in 16 bits, because OpenCV's
/// vertical step drops the lowest 4 of 11 before it multiplies.
#[derive(Debug, Default)]
pub(super) struct Linear {
    sums: Vec<u64>,
}

impl Interpolation for Linear {
    type Cell = i16;
    const COLUMNS: Filter = Filter::LinearColumns;
    const ROWS: Filter = Filter::LinearRows;

    #[inline(always)]
    fn horizontal(
        &mut self,
        row: &[u64; ROW_LEN],
        starts: &[u16],
        columns: &FilterTable,
        cells: &mut [i16],
    ) {
        self.sums.resize(starts.len(), 0);
        weigh::<2>(row, starts, columns.all_weights(), unsigned, 0, &mut self.sums);
        unpack(&self.sums, cells, 4, |sum| sum as i16);
    }

    #[inline(always)]
    fn vertical(&mut self, rows: &FilterTable, y: usize, ring: &RowRing<i16>, bytes: &mut [u8]) {
        let &[w0, w1] = rows.weights(y) else { return };
        let (upper, lower) = (ring.tap(rows, y, 0), ring.tap(rows, y, 1));
        // All factors fit 16 bits, which costs one multiplication for each vector.
        let high = |cell: i16, weight: i32| ((i32::from(cell) * weight) >> 16) as i16;
        let (w0, w1) = (i32::from(w0 as i16), i32::from(w1 as i16));
        for ((byte, &a), &b) in bytes.iter_mut().zip(upper).zip(lower) {
            *byte = ((high(a, w0) + high(b, w1) + 2) >> 2) as u8;
        }
    }
}

/// `cv2.INTER_CUBIC` on bytes. The vertical step runs in single precision and adds the products from
/// the last row to the first without fused operations, as OpenCV's SSE code does.
#[derive(Debug, Default)]
pub(super) struct Cubic {
    sums: Vec<u64>,
}

impl Interpolation for Cubic {
    type Cell = i32;
    const COLUMNS: Filter = Filter::Cubic;
    const ROWS: Filter = Filter::Cubic;

    #[inline(always)]
    fn horizontal(
        &mut self,
        row: &[u64; ROW_LEN],
        starts: &[u16],
        columns: &FilterTable,
        cells: &mut [i32],
    ) {
        self.sums.resize(starts.len(), 0);
        weigh::<4>(row, starts, columns.all_weights(), signed, BIASES, &mut self.sums);
        unpack(&self.sums, cells, 0, |sum| sum as i32 - BIAS);
    }

    #[inline(always)]
    fn vertical(&mut self, rows: &FilterTable, y: usize, ring: &RowRing<i32>, bytes: &mut [u8]) {
        let &[w0, w1, w2, w3] = rows.weights(y) else { return };
        // Both tables have 11 binary places. Dividing by a power of two is exact.
        let [w0, w1, w2, w3] = [w0, w1, w2, w3].map(|w| w as f32 / (1 << 22) as f32);
        let upper = ring.tap(rows, y, 0).iter().zip(ring.tap(rows, y, 1));
        let lower = ring.tap(rows, y, 2).iter().zip(ring.tap(rows, y, 3));
        for (byte, ((&a, &b), (&c, &d))) in bytes.iter_mut().zip(upper.zip(lower)) {
            let sum = d as f32 * w3;
            let sum = c as f32 * w2 + sum;
            let sum = b as f32 * w1 + sum;
            let sum = a as f32 * w0 + sum;
            // Beside 2^23 a float's lowest bit is worth 1: adding rounds half to even, and the
            // integer lies in the lowest bits.
            *byte = (sum.clamp(0.0, 255.0) + (1 << 23) as f32).to_bits() as u8;
        }
    }
}

/// `PIL.Image.resize(..., BILINEAR)` on bytes: both steps round to bytes. Weights have 22 binary
/// places, so a horizontal sum takes 30 bits: channels 0 and 1 share a word, 2 has its own.
#[derive(Debug, Default)]
pub(super) struct Pil {
    pairs: Vec<u64>,
    thirds: Vec<u64>,
    sums: Vec<u32>,
}

const PIL_HALF: u32 = 1 << (PIL_BITS - 1);

#[inline(always)]
fn pil_byte(sum: u32) -> u8 {
    (sum >> PIL_BITS).min(255) as u8
}

/// Channels 0 and 1 of a packed pixel, 32 bits apart, and channel 2.
#[inline(always)]
fn pil_lanes(pixel: u64) -> (u64, u64) {
    let first = pixel & 0xff;
    let second = (pixel >> LANE_BITS) & 0xff;
    (first | second << 32, pixel >> (2 * LANE_BITS))
}

/// Weighted sums of windows whose length the compiler knows.
#[inline(always)]
fn pil_weigh<const TAPS: usize>(
    row: &[u64; ROW_LEN],
    starts: &[u16],
    weights: &[i32],
    sums: (&mut [u64], &mut [u64]),
) {
    let windows = starts.iter().zip(weights.as_chunks::<TAPS>().0);
    for ((pair, third), (&start, weights)) in sums.0.iter_mut().zip(sums.1).zip(windows) {
        let (mut a, mut b) = (0, 0);
        for (k, &weight) in weights.iter().enumerate() {
            let (first, second) = pil_lanes(row[usize::from(start) + k]);
            a += first * unsigned(weight);
            b += second * unsigned(weight);
        }
        (*pair, *third) = (a, b);
    }
}

/// The same for any length. A window may end after the row's memory, with weights of 0 there.
#[inline(always)]
fn pil_weigh_long(
    row: &[u64; ROW_LEN],
    starts: &[u16],
    weights: &[i32],
    taps: usize,
    sums: (&mut [u64], &mut [u64]),
) {
    let windows = starts.iter().zip(weights.chunks_exact(taps));
    for ((pair, third), (&start, weights)) in sums.0.iter_mut().zip(sums.1).zip(windows) {
        let (mut a, mut b) = (0, 0);
        for (&pixel, &weight) in row[usize::from(start)..].iter().zip(weights) {
            let (first, second) = pil_lanes(pixel);
            a += first * unsigned(weight);
            b += second * unsigned(weight);
        }
        (*pair, *third) = (a, b);
    }
}

impl Interpolation for Pil {
    type Cell = u8;
    const COLUMNS: Filter = Filter::Triangle;
    const ROWS: Filter = Filter::Triangle;

    #[inline(always)]
    fn horizontal(
        &mut self,
        row: &[u64; ROW_LEN],
        starts: &[u16],
        columns: &FilterTable,
        cells: &mut [u8],
    ) {
        self.pairs.resize(starts.len(), 0);
        self.thirds.resize(starts.len(), 0);
        let sums = (&mut self.pairs[..], &mut self.thirds[..]);
        let weights = columns.all_weights();
        match columns.taps() {
            3 => pil_weigh::<3>(row, starts, weights, sums),
            5 => pil_weigh::<5>(row, starts, weights, sums),
            taps => pil_weigh_long(row, starts, weights, taps, sums),
        }
        let lanes = [(&self.pairs, 0), (&self.pairs, 32), (&self.thirds, 0)];
        for (run, (sums, shift)) in cells.chunks_exact_mut(starts.len().max(1)).zip(lanes) {
            for (cell, &sum) in run.iter_mut().zip(sums) {
                *cell = pil_byte((sum >> shift) as u32 + PIL_HALF);
            }
        }
    }

    #[inline(always)]
    fn vertical(&mut self, rows: &FilterTable, y: usize, ring: &RowRing<u8>, bytes: &mut [u8]) {
        self.sums.clear();
        self.sums.resize(bytes.len(), PIL_HALF);
        for (tap, &weight) in rows.weights(y).iter().enumerate() {
            if weight != 0 {
                for (sum, &cell) in self.sums.iter_mut().zip(ring.tap(rows, y, tap)) {
                    *sum += u32::from(cell) * weight as u32;
                }
            }
        }
        for (byte, &sum) in bytes.iter_mut().zip(&self.sums) {
            *byte = pil_byte(sum);
        }
    }
}
