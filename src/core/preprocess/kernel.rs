//! The three ways to change the size, each as one horizontal and one vertical step.
//!
//! A kernel says what a horizontally resampled sample is kept as, how a packed row becomes such
//! samples, and how a window of them becomes bytes. Inner loops run over contiguous slices and are
//! compiled once more for wide vectors (`pulp::Arch`); another version may replace one without the
//! callers noticing.

use super::axis::{Axis, Filter, PIL_BITS};
use super::packed::{BIAS, BIASES, LANE_BITS, LANE_MASK, ROW_LEN, weigh};
use super::ring::Ring;

/// One way to change the size of a picture of bytes.
pub(super) trait Kernel: Default {
    /// A horizontally resampled sample.
    type Cell: Copy + Default;
    /// Table for the columns.
    const COLUMNS: Filter;
    /// Table for the rows.
    const ROWS: Filter;

    /// Resamples a packed row. `starts` are the windows' first pixels in `row`; `cells` has one
    /// run of columns for each channel.
    fn horizontal(
        &mut self,
        row: &[u64; ROW_LEN],
        starts: &[u16],
        columns: &Axis,
        cells: &mut [Self::Cell],
    );

    /// Makes output row `y` from the rows of its window; `bytes` is as long as a row of cells.
    fn vertical(&mut self, rows: &Axis, y: usize, ring: &Ring<Self::Cell>, bytes: &mut [u8]);
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

/// `cv2.INTER_LINEAR` on bytes. Rows are kept with 7 binary places in 16 bits, because the
/// vertical step of the original drops the lowest 4 of 11 before it multiplies.
#[derive(Debug, Default)]
pub(super) struct Linear {
    sums: Vec<u64>,
}

impl Kernel for Linear {
    type Cell = i16;
    const COLUMNS: Filter = Filter::LinearColumns;
    const ROWS: Filter = Filter::LinearRows;

    #[inline(always)]
    fn horizontal(
        &mut self,
        row: &[u64; ROW_LEN],
        starts: &[u16],
        columns: &Axis,
        cells: &mut [i16],
    ) {
        self.sums.resize(starts.len(), 0);
        weigh::<2>(row, starts, columns.all_weights(), 0, &mut self.sums);
        unpack(&self.sums, cells, 4, |sum| sum as i16);
    }

    #[inline(always)]
    fn vertical(&mut self, rows: &Axis, y: usize, ring: &Ring<i16>, bytes: &mut [u8]) {
        let &[w0, w1] = rows.weights(y) else { return };
        let (upper, lower) = (ring.tap(rows, y, 0), ring.tap(rows, y, 1));
        for ((byte, &a), &b) in bytes.iter_mut().zip(upper).zip(lower) {
            let a = (i32::from(a) * i32::from(w0 as i16)) >> 16;
            let b = (i32::from(b) * i32::from(w1 as i16)) >> 16;
            *byte = ((a + b + 2) >> 2) as u8;
        }
    }
}

/// `cv2.INTER_CUBIC` on bytes. The vertical step is in single precision, products added from the
/// last row to the first without fused operations, as the original's SSE code does.
#[derive(Debug, Default)]
pub(super) struct Cubic {
    sums: Vec<u64>,
}

impl Kernel for Cubic {
    type Cell = i32;
    const COLUMNS: Filter = Filter::Cubic;
    const ROWS: Filter = Filter::Cubic;

    #[inline(always)]
    fn horizontal(
        &mut self,
        row: &[u64; ROW_LEN],
        starts: &[u16],
        columns: &Axis,
        cells: &mut [i32],
    ) {
        self.sums.resize(starts.len(), 0);
        weigh::<4>(row, starts, columns.all_weights(), BIASES, &mut self.sums);
        unpack(&self.sums, cells, 0, |sum| sum as i32 - BIAS);
    }

    #[inline(always)]
    fn vertical(&mut self, rows: &Axis, y: usize, ring: &Ring<i32>, bytes: &mut [u8]) {
        let &[w0, w1, w2, w3] = rows.weights(y) else { return };
        // Both tables have 11 binary places; a power of two, so the product is exact.
        let [w0, w1, w2, w3] = [w0, w1, w2, w3].map(|w| w as f32 / (1 << 22) as f32);
        let upper = ring.tap(rows, y, 0).iter().zip(ring.tap(rows, y, 1));
        let lower = ring.tap(rows, y, 2).iter().zip(ring.tap(rows, y, 3));
        for (byte, ((&a, &b), (&c, &d))) in bytes.iter_mut().zip(upper.zip(lower)) {
            let sum = d as f32 * w3;
            let sum = c as f32 * w2 + sum;
            let sum = b as f32 * w1 + sum;
            let sum = a as f32 * w0 + sum;
            *byte = sum.round_ties_even() as u8;
        }
    }
}

/// `PIL.Image.resize(..., BILINEAR)` on bytes: both steps round to bytes.
#[derive(Debug, Default)]
pub(super) struct Pil {
    sums: Vec<u32>,
}

const PIL_HALF: u32 = 1 << (PIL_BITS - 1);

#[inline(always)]
fn pil_byte(sum: u32) -> u8 {
    (sum >> PIL_BITS).min(255) as u8
}

impl Kernel for Pil {
    type Cell = u8;
    const COLUMNS: Filter = Filter::Triangle;
    const ROWS: Filter = Filter::Triangle;

    #[inline(always)]
    fn horizontal(
        &mut self,
        row: &[u64; ROW_LEN],
        starts: &[u16],
        columns: &Axis,
        cells: &mut [u8],
    ) {
        let taps = columns.taps();
        let windows = starts.iter().zip(columns.all_weights().chunks_exact(taps));
        for (x, (&start, weights)) in windows.enumerate() {
            // A window may end behind the row's memory, with weights of 0 there.
            let pixels = &row[usize::from(start)..];
            let mut sums = [PIL_HALF; 3];
            for (&pixel, &weight) in pixels.iter().zip(weights) {
                for (lane, sum) in (0..).zip(&mut sums) {
                    // Weights are not negative and sum to 2^22, so 32 bits hold 255 of them.
                    *sum += ((pixel >> (LANE_BITS * lane)) as u32 & 0xff) * weight as u32;
                }
            }
            for (cell, sum) in cells[x..].iter_mut().step_by(starts.len()).zip(sums) {
                *cell = pil_byte(sum);
            }
        }
    }

    #[inline(always)]
    fn vertical(&mut self, rows: &Axis, y: usize, ring: &Ring<u8>, bytes: &mut [u8]) {
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
