//! How often the gaze went in each direction.

use gstgaze::core::geometry::Gaze;

/// Side of a cell, degrees.
pub const CELL: f32 = 2.0;

/// The yaw that the cells cover, in degrees.
pub const YAW: (f32, f32) = (-110.0, 110.0);

/// The pitch that the cells cover, in degrees.
pub const PITCH: (f32, f32) = (-80.0, 60.0);

/// Cells of yaw.
pub const COLUMNS: usize = ((YAW.1 - YAW.0) / CELL) as usize;

/// Cells of pitch.
pub const ROWS: usize = ((PITCH.1 - PITCH.0) / CELL) as usize;

/// Counts of gaze by its direction.
#[derive(Clone, Debug)]
pub struct HeatMap {
    /// Row by row from the least pitch up, each from the least yaw up.
    cells: Box<[u32]>,
    total: u64,
    outside: u64,
}

impl Default for HeatMap {
    fn default() -> Self {
        Self { cells: vec![0; COLUMNS * ROWS].into(), total: 0, outside: 0 }
    }
}

impl HeatMap {
    /// Counts a gaze; angles in radians.
    pub fn add(&mut self, gaze: Gaze) {
        if !gaze.is_finite() {
            return;
        }
        self.total += 1;
        let cell = |radians: f32, from: f32, count: usize| {
            let cell = ((radians.to_degrees() - from) / CELL).floor();
            (cell >= 0.0 && cell < count as f32).then_some(cell as usize)
        };
        let (column, row) = (cell(gaze.yaw, YAW.0, COLUMNS), cell(gaze.pitch, PITCH.0, ROWS));
        match column.zip(row) {
            Some((column, row)) => {
                let count = &mut self.cells[row * COLUMNS + column];
                *count = count.saturating_add(1);
            }
            None => self.outside += 1,
        }
    }

    /// Rows from the least pitch up, each from the least yaw up.
    pub fn rows(&self) -> impl Iterator<Item = &[u32]> {
        self.cells.chunks_exact(COLUMNS)
    }

    /// The largest count of a cell.
    pub fn max(&self) -> u32 {
        self.cells.iter().copied().max().unwrap_or_default()
    }

    /// The number of gazes.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The number of gazes outside the cells.
    pub fn outside(&self) -> u64 {
        self.outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gaze_is_in_one_cell_or_outside() {
        let mut heat = HeatMap::default();
        for (pitch, yaw) in [(0.5, 0.5), (0.6, 0.7), (-79.9, -109.9), (59.9, 109.9)] {
            heat.add(Gaze::from_degrees(pitch, yaw));
        }
        for (pitch, yaw) in [(61.0, 0.0), (0.0, -111.0), (0.0, 180.0)] {
            heat.add(Gaze::from_degrees(pitch, yaw));
        }
        heat.add(Gaze::new(f32::NAN, 0.0));
        assert_eq!((heat.total(), heat.outside(), heat.max()), (7, 3, 2));
        let rows: Vec<&[u32]> = heat.rows().collect();
        assert_eq!(rows.len(), ROWS);
        assert_eq!((rows[0][0], rows[ROWS - 1][COLUMNS - 1]), (1, 1));
        assert_eq!(rows[40][55], 2, "the cell up and to the right of straight ahead");
    }
}
