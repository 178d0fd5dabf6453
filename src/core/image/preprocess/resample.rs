//! Source rows to output rows of bytes: pulls rows as they are needed.

use super::axis::Axis;
use super::convert::{Converter, Source};
use super::kernel::Kernel;
use super::packed::ROW_LEN;
use super::ring::Ring;
use crate::core::image::spec::Channels;

/// A kernel with its tables and its memory.
#[derive(Debug)]
pub(super) struct Resampler<K: Kernel> {
    kernel: K,
    columns: Axis,
    rows: Axis,
    ring: Ring<K::Cell>,
    /// One packed source row with its padding; zeroed memory that is not touched costs nothing.
    row: Box<[u64; ROW_LEN]>,
    /// First pixel of every window in `row`.
    starts: Vec<u16>,
    /// Pixels added before and behind.
    padding: (usize, usize),
    source_width: usize,
}

impl<K: Kernel> Resampler<K> {
    pub(super) fn new() -> Self {
        Self {
            kernel: K::default(),
            columns: Axis::new(K::COLUMNS),
            rows: Axis::new(K::ROWS),
            ring: Ring::default(),
            row: zeroed_row(),
            starts: Vec::new(),
            padding: (0, 0),
            source_width: 0,
        }
    }

    /// Prepares for a picture: tables are rebuilt only where a length changed.
    pub(super) fn begin(&mut self, source: (u32, u32), target: (u32, u32), channels: Channels) {
        self.axes(source, target);
        self.source_width = source.0 as usize;
        let stride = target.0 as usize * channels.count();
        self.ring.reset(self.rows.taps(), stride, source.1);
    }

    /// Prepares the tables of a picture alone, and gives those of its columns and of its rows.
    pub(super) fn axes(&mut self, source: (u32, u32), target: (u32, u32)) -> (&Axis, &Axis) {
        if self.columns.set(source.0, target.0) {
            self.padding = self.columns.padding();
            self.columns.padded_starts(self.padding.0, &mut self.starts);
        }
        self.rows.set(source.1, target.1);
        (&self.columns, &self.rows)
    }

    /// Makes output row `y`, one run of columns for each channel. Rows are asked for from the
    /// first to the last.
    pub(super) fn row(
        &mut self,
        arch: pulp::Arch,
        source: &Source<'_>,
        converter: &mut Converter,
        channels: Channels,
        y: usize,
        bytes: &mut [u8],
    ) {
        for tap in 0..self.rows.taps() {
            let Some((index, cells)) = self.ring.missing(&self.rows, y, tap) else { continue };
            let (first, end) = (self.padding.0, self.padding.0 + self.source_width);
            let row = &mut *self.row;
            converter.row(arch, source, channels, index, &mut row[first..end]);
            let (left, right) = (row[first], row[end - 1]);
            row[..first].fill(left);
            row[end..end + self.padding.1].fill(right);
            let (kernel, starts, columns) = (&mut self.kernel, &self.starts, &self.columns);
            arch.dispatch(Horizontal { kernel, row, starts, columns, cells });
        }
        let (kernel, rows, ring) = (&mut self.kernel, &self.rows, &self.ring);
        arch.dispatch(Vertical { kernel, rows, y, ring, bytes });
    }
}

/// A row's memory, made on the heap without passing over the stack.
fn zeroed_row() -> Box<[u64; ROW_LEN]> {
    let row = vec![0; ROW_LEN].into_boxed_slice();
    row.try_into().unwrap_or_else(|_| Box::new([0; ROW_LEN]))
}

/// A horizontal step, compiled for each kind of vectors.
struct Horizontal<'a, K: Kernel> {
    kernel: &'a mut K,
    row: &'a [u64; ROW_LEN],
    starts: &'a [u16],
    columns: &'a Axis,
    cells: &'a mut [K::Cell],
}

impl<K: Kernel> pulp::WithSimd for Horizontal<'_, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        self.kernel.horizontal(self.row, self.starts, self.columns, self.cells);
    }
}

/// A vertical step, compiled for each kind of vectors.
struct Vertical<'a, K: Kernel> {
    kernel: &'a mut K,
    rows: &'a Axis,
    y: usize,
    ring: &'a Ring<K::Cell>,
    bytes: &'a mut [u8],
}

impl<K: Kernel> pulp::WithSimd for Vertical<'_, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        self.kernel.vertical(self.rows, self.y, self.ring, self.bytes);
    }
}
