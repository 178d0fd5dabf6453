//! Memory of a process over time.

use super::binned::{Binned, Extent};
use super::slope::{Slope, Trend};

/// What a process takes at its beginning (caches, pools, a decoder's pictures) says nothing of what
/// it will take: so many seconds are left out of the slope.
pub const WARM_UP_SECONDS: f64 = 60.0;

/// Memory over time.
#[derive(Clone, Debug, Default)]
pub struct MemoryRecord {
    /// Megabytes (10^6 bytes) over time.
    pub track: Binned<Extent>,
    trend: Trend,
    last: Option<(f64, f64)>,
    max: f64,
}

impl MemoryRecord {
    /// Takes the megabytes at a time in seconds since the beginning. What is no number is left out.
    pub fn add(&mut self, seconds: f64, megabytes: f64) {
        if !(seconds.is_finite() && megabytes.is_finite() && seconds >= 0.0) {
            return;
        }
        self.track.at((seconds * 1e9) as u64).add(megabytes as f32);
        self.last = Some((seconds, megabytes));
        self.max = self.max.max(megabytes);
        if seconds >= WARM_UP_SECONDS {
            self.trend.add(seconds / 3600.0, megabytes);
        }
    }

    /// Megabytes an hour, the warm-up left out.
    pub fn slope(&self) -> Option<Slope> {
        self.trend.slope()
    }

    /// Time and megabytes of the last measurement.
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
        let slope = memory.slope().unwrap();
        assert!((slope.slope - 5.0).abs() < 1e-6, "{slope:?}");
        assert_eq!(memory.last().map(|(t, _)| t), Some(3599.0));
        assert!(memory.max() < 126.0);
    }
}
