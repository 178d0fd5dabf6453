//! Source rows to output rows of bytes. A resampler converts a row when a window first needs it.

use super::convert::{Crop, RowConverter};
use super::filter::FilterTable;
use super::interpolation::{Cubic, Interpolation, Linear, Pil};
use super::packed::ROW_LEN;
use super::ring::RowRing;
use crate::core::image::spec::{Channels, Resample};

/// An interpolation with its filter tables and its memory.
#[derive(Debug)]
pub(super) struct Resampler<I: Interpolation> {
    interpolation: I,
    columns: FilterTable,
    rows: FilterTable,
    ring: RowRing<I::Cell>,
    /// One packed source row with its padding. Zeroed pages that no crop reaches cost nothing.
    row: Box<[u64; ROW_LEN]>,
    /// First pixel of each window, counted in `row`.
    starts: Vec<u16>,
    /// Pixels added before and after the row.
    padding: (usize, usize),
    source_width: usize,
}

impl<I: Interpolation> Resampler<I> {
    pub(super) fn new() -> Self {
        Self {
            interpolation: I::default(),
            columns: FilterTable::new(I::COLUMNS),
            rows: FilterTable::new(I::ROWS),
            ring: RowRing::default(),
            row: zeroed_row(),
            starts: Vec::new(),
            padding: (0, 0),
            source_width: 0,
        }
    }

    /// Prepares for a picture. Only a length that changed rebuilds its table.
    pub(super) fn begin(&mut self, source: (u32, u32), target: (u32, u32), channels: Channels) {
        self.tables(source, target);
        self.source_width = source.0 as usize;
        let stride = target.0 as usize * channels.count();
        self.ring.reset(self.rows.taps(), stride, source.1);
    }

    /// Prepares the filter tables alone, and returns those of the columns and of the rows.
    pub(super) fn tables(
        &mut self,
        source: (u32, u32),
        target: (u32, u32),
    ) -> (&FilterTable, &FilterTable) {
        if self.columns.set(source.0, target.0) {
            self.padding = self.columns.padding();
            self.columns.padded_starts(self.padding.0, &mut self.starts);
        }
        self.rows.set(source.1, target.1);
        (&self.columns, &self.rows)
    }

    /// Makes output row `y`, one run of bytes for each channel. The caller asks for the rows from the
    /// first to the last.
    pub(super) fn row(
        &mut self,
        arch: pulp::Arch,
        crop: &Crop<'_>,
        converter: &mut RowConverter,
        channels: Channels,
        y: usize,
        bytes: &mut [u8],
    ) {
        for tap in 0..self.rows.taps() {
            let Some((index, cells)) = self.ring.missing(&self.rows, y, tap) else { continue };
            let (first, end) = (self.padding.0, self.padding.0 + self.source_width);
            let row = &mut *self.row;
            converter.row(arch, crop, channels, index, &mut row[first..end]);
            let (left, right) = (row[first], row[end - 1]);
            row[..first].fill(left);
            row[end..end + self.padding.1].fill(right);
            let (interpolation, starts, columns) =
                (&mut self.interpolation, &self.starts, &self.columns);
            arch.dispatch(Horizontal { interpolation, row, starts, columns, cells });
        }
        let (interpolation, rows, ring) = (&mut self.interpolation, &self.rows, &self.ring);
        arch.dispatch(Vertical { interpolation, rows, y, ring, bytes });
    }
}

/// A row's memory, allocated on the heap without a copy on the stack.
fn zeroed_row() -> Box<[u64; ROW_LEN]> {
    let row = vec![0; ROW_LEN].into_boxed_slice();
    row.try_into().unwrap_or_else(|_| Box::new([0; ROW_LEN]))
}

/// A horizontal step, compiled for each width of vectors.
struct Horizontal<'a, I: Interpolation> {
    interpolation: &'a mut I,
    row: &'a [u64; ROW_LEN],
    starts: &'a [u16],
    columns: &'a FilterTable,
    cells: &'a mut [I::Cell],
}

impl<I: Interpolation> pulp::WithSimd for Horizontal<'_, I> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        self.interpolation.horizontal(self.row, self.starts, self.columns, self.cells);
    }
}

/// A vertical step, compiled for each width of vectors.
struct Vertical<'a, I: Interpolation> {
    interpolation: &'a mut I,
    rows: &'a FilterTable,
    y: usize,
    ring: &'a RowRing<I::Cell>,
    bytes: &'a mut [u8],
}

impl<I: Interpolation> pulp::WithSimd for Vertical<'_, I> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        self.interpolation.vertical(self.rows, self.y, self.ring, self.bytes);
    }
}

/// The resampler with the interpolation that a model's specification names.
#[derive(Debug)]
pub(super) enum AnyResampler {
    Linear(Resampler<Linear>),
    Cubic(Resampler<Cubic>),
    Pil(Resampler<Pil>),
}

/// Runs the same expression for each interpolation.
macro_rules! each {
    ($any:expr, $resampler:ident => $body:expr) => {
        match $any {
            AnyResampler::Linear($resampler) => $body,
            AnyResampler::Cubic($resampler) => $body,
            AnyResampler::Pil($resampler) => $body,
        }
    };
}

impl AnyResampler {
    pub(super) fn new(resample: Resample) -> Self {
        match resample {
            Resample::OpencvLinear => Self::Linear(Resampler::new()),
            Resample::OpencvCubic => Self::Cubic(Resampler::new()),
            Resample::PilBilinear => Self::Pil(Resampler::new()),
        }
    }

    /// Which interpolation it is.
    pub(super) fn resample(&self) -> Resample {
        match self {
            Self::Linear(_) => Resample::OpencvLinear,
            Self::Cubic(_) => Resample::OpencvCubic,
            Self::Pil(_) => Resample::PilBilinear,
        }
    }

    /// See [`Resampler::begin`].
    pub(super) fn begin(&mut self, source: (u32, u32), target: (u32, u32), channels: Channels) {
        each!(self, resampler => resampler.begin(source, target, channels));
    }

    /// See [`Resampler::tables`].
    pub(super) fn tables(
        &mut self,
        source: (u32, u32),
        target: (u32, u32),
    ) -> (&FilterTable, &FilterTable) {
        each!(self, resampler => resampler.tables(source, target))
    }

    /// See [`Resampler::row`].
    pub(super) fn row(
        &mut self,
        arch: pulp::Arch,
        crop: &Crop<'_>,
        converter: &mut RowConverter,
        channels: Channels,
        y: usize,
        bytes: &mut [u8],
    ) {
        each!(self, resampler => resampler.row(arch, crop, converter, channels, y, bytes));
    }
}
