//! Filter coefficients along one axis: the source samples of each output sample and their weights.

/// Binary places of OpenCV's weights (`INTER_RESIZE_COEF_BITS`).
const OPENCV_BITS: f32 = 2048.0;
/// Binary places of Pillow's weights for 8-bit pictures (`PRECISION_BITS`, 32 - 8 - 2).
pub(super) const PIL_BITS: u32 = 22;

/// How the coefficients are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// OpenCV's linear filter for columns: at the edges the edge sample gets the whole weight.
    LinearColumns,
    /// OpenCV's linear filter for rows: weights stay, indices are clamped.
    LinearRows,
    /// OpenCV's cubic filter.
    Cubic,
    /// Pillow's antialiased triangle filter.
    Triangle,
}

/// The coefficients of one axis. Their memory grows and is reused.
#[derive(Debug)]
pub(super) struct FilterTable {
    filter: Filter,
    lengths: (u32, u32),
    /// Samples in a window.
    taps: usize,
    /// First sample of each window. It may be negative, and a window may end after the last sample,
    /// so users clamp the indices.
    start: Vec<i32>,
    /// `taps` weights for each window.
    weights: Vec<i32>,
}

impl FilterTable {
    pub(super) fn new(filter: Filter) -> Self {
        Self { filter, lengths: (0, 0), taps: 1, start: Vec::new(), weights: Vec::new() }
    }

    /// Samples in every window.
    pub(super) fn taps(&self) -> usize {
        self.taps
    }

    /// First sample of window `index`; it may lie before the first sample of the source.
    pub(super) fn start(&self, index: usize) -> i32 {
        self.start[index]
    }

    /// First samples of all windows.
    pub(super) fn all_starts(&self) -> &[i32] {
        &self.start
    }

    /// Weights of window `index`.
    pub(super) fn weights(&self, index: usize) -> &[i32] {
        &self.weights[index * self.taps..(index + 1) * self.taps]
    }

    /// All weights, `taps` for each window.
    pub(super) fn all_weights(&self) -> &[i32] {
        &self.weights
    }

    /// Samples to add before the first and after the last, so that no window of OpenCV's filters
    /// leaves the row. Pillow's filter has no weight there.
    pub(super) fn padding(&self) -> (usize, usize) {
        if self.filter == Filter::Triangle {
            return (0, 0);
        }
        let before = self.start.first().map_or(0, |&s| s.min(0).unsigned_abs());
        let end = self.start.last().map_or(0, |&s| s + self.taps as i32);
        (before as usize, (end - self.lengths.0 as i32).max(0) as usize)
    }

    /// First samples in a row with `before` samples added in front.
    pub(super) fn padded_starts(&self, before: usize, starts: &mut Vec<u16>) {
        starts.clear();
        starts.extend(self.start.iter().map(|&s| (s + before as i32).max(0) as u16));
    }

    /// Computes the coefficients from `source` to `target` samples; `true` if they changed.
    pub(super) fn set(&mut self, source: u32, target: u32) -> bool {
        if self.lengths == (source, target) {
            return false;
        }
        self.lengths = (source, target);
        self.start.clear();
        self.weights.clear();
        match self.filter {
            Filter::LinearColumns | Filter::LinearRows => self.linear(),
            Filter::Cubic => self.cubic(),
            Filter::Triangle => self.triangle(),
        }
        true
    }

    /// OpenCV's sample positions: centres aligned, computed in double and kept in single precision.
    fn positions(&self) -> impl Iterator<Item = (i32, f32)> + use<> {
        let (source, target) = self.lengths;
        let scale = 1.0 / (f64::from(target) / f64::from(source));
        (0..target).map(move |i| {
            let position = ((f64::from(i) + 0.5) * scale - 0.5) as f32;
            let whole = position.floor();
            (whole as i32, position - whole)
        })
    }

    fn linear(&mut self) {
        self.taps = 2;
        let last = self.lengths.0 as i32 - 1;
        for (mut whole, mut part) in self.positions() {
            if self.filter == Filter::LinearColumns {
                if whole < 0 {
                    (whole, part) = (0, 0.0);
                } else if whole >= last {
                    (whole, part) = (last, 0.0);
                }
            }
            self.start.push(whole);
            self.weights.extend([1.0 - part, part].map(opencv_weight));
        }
    }

    /// Keys' cubic with a = -0.75. The last weight is what the others leave of 1.
    fn cubic(&mut self) {
        const A: f32 = -0.75;
        self.taps = 4;
        for (whole, x) in self.positions() {
            let far = |d: f32| ((A * d - 5.0 * A) * d + 8.0 * A) * d - 4.0 * A;
            let near = |d: f32| ((A + 2.0) * d - (A + 3.0)) * d * d + 1.0;
            let (w0, w1, w2) = (far(x + 1.0), near(x), near(1.0 - x));
            self.start.push(whole - 1);
            self.weights.extend([w0, w1, w2, 1.0 - w0 - w1 - w2].map(opencv_weight));
        }
    }

    /// Pillow's `precompute_coeffs` with the triangle filter (support 1), which widens with the scale
    /// when it shrinks. Weights are scaled to a sum of 1, then rounded half away from zero.
    fn triangle(&mut self) {
        let (source, target) = self.lengths;
        let scale = f64::from(source) / f64::from(target);
        let widening = scale.max(1.0);
        self.taps = widening.ceil() as usize * 2 + 1;
        for index in 0..target {
            let centre = (f64::from(index) + 0.5) * scale;
            let first = ((centre - widening + 0.5) as i64).max(0);
            let end = ((centre + widening + 0.5) as i64).min(i64::from(source));
            let weight =
                |i: i64| (1.0 - ((i as f64 - centre + 0.5) * (1.0 / widening)).abs()).max(0.0);
            let sum: f64 = (first..end).map(weight).sum();
            self.start.push(first as i32);
            let row = self.weights.len();
            self.weights.extend((first..end).map(|i| {
                let share = if sum == 0.0 { 0.0 } else { weight(i) / sum };
                (share * f64::from(1 << PIL_BITS) + 0.5) as i32
            }));
            self.weights.resize(row + self.taps, 0);
        }
    }
}

/// Rounded half to even, as OpenCV's `saturate_cast<short>`.
fn opencv_weight(weight: f32) -> i32 {
    (weight * OPENCV_BITS).round_ties_even() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_window_sums_to_one() {
        for (filter, one, slack) in [
            (Filter::LinearColumns, 2048, 1),
            (Filter::LinearRows, 2048, 1),
            (Filter::Cubic, 2048, 2),
            (Filter::Triangle, 1 << PIL_BITS, 64),
        ] {
            let mut table = FilterTable::new(filter);
            for (source, target) in [(1, 1), (1, 7), (7, 1), (300, 448), (1920, 448), (448, 448)] {
                assert!(table.set(source, target));
                assert!(!table.set(source, target));
                for index in 0..target as usize {
                    let sum: i32 = table.weights(index).iter().sum();
                    assert!((sum - one).abs() <= slack, "{filter:?} {source}->{target}: {sum}");
                }
            }
        }
    }

    #[test]
    fn half_the_size_is_the_mean_of_two() {
        // So OpenCV's switch to area averaging at exactly half the size needs no case of its own: all
        // weights are 1024, and (1024 * (1024 * s >> 4)) >> 16 is s for a sum s of two bytes.
        let mut table = FilterTable::new(Filter::LinearColumns);
        table.set(896, 448);
        assert!(table.all_weights().iter().all(|&w| w == 1024));
        assert_eq!((table.start(0), table.start(447)), (0, 894));
        for s in 0..=510 {
            assert_eq!((1024 * ((1024 * s) >> 4)) >> 16, s);
        }
    }
}
