//! Latency percentiles without keeping samples.
//!
//! Durations are counted in buckets whose width grows with the value: 16 to every power of two, so
//! a percentile is at most 1/16 (6.25 %) above the true one, in constant memory and with no
//! allocation, over any number of frames. A fine histogram has 128 and is at most 1/128 (0.8 %) off.
//! The largest value is kept exactly.

use std::time::Duration;

/// Buckets to a power of two, as a power of two.
const SUB_BITS: u32 = 4;
/// Those of a fine histogram.
const FINE_BITS: u32 = 7;
/// Exponents served: values from 0 to 2^40 ns, a quarter of an hour; longer ones count as that.
const EXPONENTS: usize = 40;

/// A histogram of durations.
#[derive(Clone, Debug)]
pub struct LatencyHistogram {
    counts: Box<[u64]>,
    sub_bits: u32,
    total: u64,
    max: u64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self::with_sub_bits(SUB_BITS)
    }
}

impl LatencyHistogram {
    /// One whose percentiles are at most 0.8 % above the true ones, in 40 KiB.
    pub fn fine() -> Self {
        Self::with_sub_bits(FINE_BITS)
    }

    fn with_sub_bits(sub_bits: u32) -> Self {
        Self { counts: vec![0; EXPONENTS << sub_bits].into(), sub_bits, total: 0, max: 0 }
    }

    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let last = self.counts.len() - 1;
        self.counts[bucket(ns, self.sub_bits).min(last)] += 1;
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
                return upper_bound(index, self.sub_bits).min(self.max);
            }
        }
        self.max
    }

    /// The buckets that are not empty, in order: the largest value in nanoseconds that falls into
    /// it, and the count.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(index, count)| (upper_bound(index, self.sub_bits).min(self.max), *count))
    }
}

fn bucket(ns: u64, sub_bits: u32) -> usize {
    let sub = 1u64 << sub_bits;
    if ns < sub {
        return ns as usize;
    }
    let shift = ns.ilog2() - sub_bits;
    (((shift + 1) as usize) << sub_bits) + ((ns >> shift) - sub) as usize
}

/// The largest value that falls into a bucket.
fn upper_bound(index: usize, sub_bits: u32) -> u64 {
    let sub = 1usize << sub_bits;
    if index < sub {
        return index as u64;
    }
    let shift = (index >> sub_bits) - 1;
    (((index % sub + sub + 1) as u64) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_contiguous_and_tight() {
        let mut last = 0;
        for ns in (0..200_000u64).chain([1 << 30, (1 << 35) + 12345]) {
            let index = bucket(ns, SUB_BITS);
            assert!(index == last || index == last + 1 || ns > 200_000, "{ns}");
            last = index;
            assert!(upper_bound(index, SUB_BITS) >= ns);
            assert!(upper_bound(index, SUB_BITS) as f64 <= ns as f64 * 1.0625 + 1.0, "{ns}");
        }
        for mut histogram in [LatencyHistogram::default(), LatencyHistogram::fine()] {
            histogram.record(Duration::MAX);
            assert_eq!(histogram.counts.last(), Some(&1), "longer ones count as the longest");
            assert_eq!(histogram.max_ns(), u64::MAX);
        }
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

    /// Against the nearest rank of all values, which are kept here.
    #[test]
    fn fine_percentiles_are_those_of_the_samples() {
        use proptest::prelude::*;
        let cases = (prop::collection::vec(0u64..200_000_000, 1..400), 0.0f64..=1.0);
        proptest!(|((mut samples, fraction) in cases)| {
            let mut histogram = LatencyHistogram::fine();
            samples.iter().for_each(|ns| histogram.record(Duration::from_nanos(*ns)));
            samples.sort_unstable();
            let rank = ((fraction * samples.len() as f64).ceil() as usize).clamp(1, samples.len());
            let (exact, found) = (samples[rank - 1], histogram.percentile_ns(fraction));
            prop_assert!(found >= exact && found as f64 <= exact as f64 * (1.0 + 1.0 / 128.0));
            prop_assert_eq!(histogram.buckets().map(|(_, count)| count).sum::<u64>(), histogram.count());
            prop_assert_eq!(histogram.buckets().last().map(|(ns, _)| ns), samples.last().copied());
        });
    }
}
