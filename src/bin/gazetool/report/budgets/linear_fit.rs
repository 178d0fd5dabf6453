//! A straight line through measurements, without keeping them.

/// Least squares: `value = intercept + slope * time`.
///
/// Welford's sums lose no digits where values are large and differ by little, as memory does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinearRegression {
    count: u64,
    mean_time: f64,
    mean_value: f64,
    /// Sums of squares and products of the distances from the means.
    time_time: f64,
    time_value: f64,
    value_value: f64,
}

/// The line of a [`LinearRegression`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FittedLine {
    /// Value per unit of time.
    pub slope: f64,
    /// Standard error of `slope` for independent residuals. Those of memory depend on each other, so
    /// that this is a lower bound.
    pub error: f64,
    /// The value at time 0.
    pub intercept: f64,
}

impl LinearRegression {
    /// Adds a measurement, unless a number is not finite.
    pub fn add(&mut self, time: f64, value: f64) {
        if !(time.is_finite() && value.is_finite()) {
            return;
        }
        self.count += 1;
        let count = self.count as f64;
        let (from_time, from_value) = (time - self.mean_time, value - self.mean_value);
        self.mean_time += from_time / count;
        self.mean_value += from_value / count;
        self.time_time += from_time * (time - self.mean_time);
        self.time_value += from_time * (value - self.mean_value);
        self.value_value += from_value * (value - self.mean_value);
    }

    /// The line; `None` with fewer than three measurements or where all have one time.
    pub fn line(&self) -> Option<FittedLine> {
        if self.count < 3 || self.time_time <= 0.0 {
            return None;
        }
        let slope = self.time_value / self.time_time;
        let rest = (self.value_value - slope * self.time_value).max(0.0);
        let error = (rest / (self.count - 2) as f64 / self.time_time).sqrt();
        Some(FittedLine { slope, error, intercept: self.mean_value - slope * self.mean_time })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(points: impl IntoIterator<Item = (f64, f64)>) -> Option<FittedLine> {
        let mut regression = LinearRegression::default();
        points.into_iter().for_each(|(time, value)| regression.add(time, value));
        regression.line()
    }

    proptest! {
        #[test]
        fn a_line_gives_itself(slope in -100.0f64..100.0, start in -1e6f64..1e6, n in 3usize..200) {
            let found = of((0..n).map(|i| (i as f64 * 0.25, start + slope * i as f64 * 0.25)));
            let found = found.unwrap();
            prop_assert!((found.slope - slope).abs() < 1e-6, "{found:?}");
            prop_assert!((found.intercept - start).abs() < 1e-4, "{found:?}");
            prop_assert!(found.error < 1e-3, "{found:?}");
        }

        /// The sums of a textbook, on values that do not strain them.
        #[test]
        fn the_same_as_two_passes(points in prop::collection::vec((0.0f64..50.0, -9.0f64..9.0), 3..60)) {
            let n = points.len() as f64;
            let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n;
            let (time, value) = (mean(|p| p.0), mean(|p| p.1));
            let sxx: f64 = points.iter().map(|p| (p.0 - time).powi(2)).sum();
            prop_assume!(sxx > 1e-3);
            let sxy: f64 = points.iter().map(|p| (p.0 - time) * (p.1 - value)).sum();
            let slope = sxy / sxx;
            let rest: f64 =
                points.iter().map(|p| (p.1 - value - slope * (p.0 - time)).powi(2)).sum();
            let error = (rest / (n - 2.0) / sxx).sqrt();
            let found = of(points.iter().copied()).unwrap();
            prop_assert!((found.slope - slope).abs() < 1e-6 * (1.0 + slope.abs()));
            prop_assert!((found.error - error).abs() < 1e-6 * (1.0 + error));
        }
    }

    #[test]
    fn a_small_slope_on_large_values() {
        // A gigabyte in bytes that grows by one byte a second.
        let found = of((0..1000).map(|i| (f64::from(i), 1e9 + f64::from(i)))).unwrap();
        assert!((found.slope - 1.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn too_few_measurements_have_no_line() {
        assert_eq!(of([]), None);
        assert_eq!(of([(0.0, 1.0), (1.0, 2.0)]), None, "two points are always on a line");
        assert_eq!(of([(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(of([(0.0, f64::NAN), (1.0, 2.0), (2.0, 3.0)]), None);
    }
}
