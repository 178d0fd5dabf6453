//! Memory of a process over time.

use super::linear_fit::{FittedLine, LinearRegression};
use super::time_buckets::{MinMax, TimeBuckets};

/// Seconds at the start that the slope leaves out: a process fills caches and pools then.
pub const WARM_UP_SECONDS: f64 = 60.0;

/// Memory over time.
#[derive(Clone, Debug, Default)]
pub struct MemoryRecord {
    /// Megabytes (10^6 bytes) over time.
    pub over_time: TimeBuckets<MinMax>,
    regression: LinearRegression,
    last: Option<(f64, f64)>,
    max: f64,
}

impl MemoryRecord {
    /// Adds the megabytes at a time in seconds since the start, unless a number is not finite.
    pub fn add(&mut self, seconds: f64, megabytes: f64) {
        if !(seconds.is_finite() && megabytes.is_finite() && seconds >= 0.0) {
            return;
        }
        self.over_time.at((seconds * 1e9) as u64).add(megabytes as f32);
        self.last = Some((seconds, megabytes));
        self.max = self.max.max(megabytes);
        if seconds >= WARM_UP_SECONDS {
            self.regression.add(seconds / 3600.0, megabytes);
        }
    }

    /// Megabytes per hour, without the warm-up.
    pub fn line(&self) -> Option<FittedLine> {
        self.regression.line()
    }

    /// Seconds and megabytes of the last measurement.
    pub fn last(&self) -> Option<(f64, f64)> {
        self.last
    }

    /// The most megabytes.
    pub fn max(&self) -> f64 {
        self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warm_up_does_not_count() {
        let mut memory = MemoryRecord::default();
        for second in 0..3600 {
            let t = f64::from(second);
            memory.add(t, if t < 60.0 { 2.0 * t } else { 120.0 + 5.0 * t / 3600.0 });
        }
        memory.add(f64::NAN, 9e9);
        memory.add(-1.0, 9e9);
        let line = memory.line().unwrap();
        assert!((line.slope - 5.0).abs() < 1e-6, "{line:?}");
        assert_eq!(memory.last().map(|(t, _)| t), Some(3599.0));
        assert!(memory.max() < 126.0);
    }
}
