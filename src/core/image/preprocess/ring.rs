//! A ring buffer of the last resampled rows, so that each source row is converted once.

use super::filter::FilterTable;

/// Marks a slot without a row.
const NONE: u32 = u32::MAX;

/// As many rows as a vertical window has; row `r` lies in slot `r % taps`. The memory never shrinks.
#[derive(Debug, Default)]
pub(super) struct RowRing<T> {
    cells: Vec<T>,
    /// The source row that each slot holds.
    held: Vec<u32>,
    /// Cells in a row.
    stride: usize,
    /// Rows of the source.
    rows: u32,
}

impl<T: Copy + Default> RowRing<T> {
    /// Forgets all rows and prepares for a source of `rows` rows and windows of `taps`.
    pub(super) fn reset(&mut self, taps: usize, stride: usize, rows: u32) {
        self.held.clear();
        self.held.resize(taps, NONE);
        let needed = taps * stride;
        if self.cells.len() < needed {
            self.cells.resize(needed, T::default());
        }
        (self.stride, self.rows) = (stride, rows);
    }

    /// The source row of a tap, clamped to the source.
    fn source_row(&self, table: &FilterTable, y: usize, tap: usize) -> u32 {
        (table.start(y) + tap as i32).clamp(0, self.rows as i32 - 1) as u32
    }

    /// The row of tap `tap` of output row `y`, if its slot holds another one: its index in the source,
    /// and its cells to fill.
    pub(super) fn missing(
        &mut self,
        table: &FilterTable,
        y: usize,
        tap: usize,
    ) -> Option<(u32, &mut [T])> {
        let row = self.source_row(table, y, tap);
        let slot = row as usize % self.held.len();
        if self.held[slot] == row {
            return None;
        }
        self.held[slot] = row;
        Some((row, &mut self.cells[slot * self.stride..(slot + 1) * self.stride]))
    }

    /// The cells of tap `tap` of output row `y`.
    pub(super) fn tap(&self, table: &FilterTable, y: usize, tap: usize) -> &[T] {
        let slot = self.source_row(table, y, tap) as usize % self.held.len();
        &self.cells[slot * self.stride..(slot + 1) * self.stride]
    }
}
