//! Latency percentiles without keeping samples.
//!
//! Durations are counted in buckets whose width grows with the value: 16 to every power of two, so
//! a percentile is at most 1/16 (6.25 %) above the true one, in constant memory and with no
//! allocation, over any number of frames. The largest value is kept exactly.

use std::time::Duration;

/// Buckets to a power of two, as a power of two.
const SUB_BITS: u32 = 4;
/// Exponents served: values from 0 to 2^40 ns, a quarter of an hour; longer ones count as that.
const EXPONENTS: usize = 40;
const BUCKETS: usize = EXPONENTS << SUB_BITS;

/// A histogram of durations.
#[derive(Clone, Debug)]
pub struct LatencyHistogram {
    counts: Box<[u64; BUCKETS]>,
    total: u64,
    max: u64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self { counts: Box::new([0; BUCKETS]), total: 0, max: 0 }
    }
}

impl LatencyHistogram {
    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(ns)] += 1;
        self.total += 1;
        self.max = self.max.max(ns);
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The longest one in nanoseconds, 0 before the first.
    pub fn max_ns(&self) -> u64 {
        self.max
    }

    /// The value in nanoseconds that `fraction` (0..=1) of all durations do not exceed, 0 before
    /// the first.
    pub fn percentile_ns(&self, fraction: f64) -> u64 {
        let rank = ((fraction * self.total as f64).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper_bound(index).min(self.max);
            }
        }
        self.max
    }
}

fn bucket(ns: u64) -> usize {
    let sub = 1u64 << SUB_BITS;
    if ns < sub {
        return ns as usize;
    }
    let shift = ns.ilog2() - SUB_BITS;
    let index = (((shift + 1) as usize) << SUB_BITS) + ((ns >> shift) - sub) as usize;
    index.min(BUCKETS - 1)
}

/// The largest value that falls into a bucket.
fn upper_bound(index: usize) -> u64 {
    let sub = 1usize << SUB_BITS;
    if index < sub {
        return index as u64;
    }
    let shift = (index >> SUB_BITS) - 1;
    (((index % sub + sub + 1) as u64) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_contiguous_and_tight() {
        let mut last = 0;
        for ns in (0..200_000u64).chain([1 << 30, (1 << 35) + 12345]) {
            let index = bucket(ns);
            assert!(index == last || index == last + 1 || ns > 200_000, "{ns}");
            last = index;
            assert!(upper_bound(index) >= ns);
            assert!(upper_bound(index) as f64 <= ns as f64 * 1.0625 + 1.0, "{ns}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_of_a_known_distribution() {
        let mut histogram = LatencyHistogram::default();
        assert_eq!(histogram.percentile_ns(0.5), 0);
        for ms in 1..=100 {
            histogram.record(Duration::from_millis(ms));
        }
        let within = |fraction, ms: f64| {
            let got = histogram.percentile_ns(fraction) as f64 / 1e6;
            assert!(got >= ms && got <= ms * 1.0625, "{fraction}: {got} for {ms}");
        };
        within(0.5, 50.0);
        within(0.95, 95.0);
        within(0.99, 99.0);
        assert_eq!(histogram.max_ns(), 100_000_000);
        assert_eq!(histogram.percentile_ns(1.0), 100_000_000);
        assert_eq!(histogram.count(), 100);
    }
}
