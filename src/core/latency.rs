//! Percentiles of latencies without keeping samples.
//!
//! [`hdrhistogram`] counts durations in buckets whose width grows with the value, in constant memory:
//! recording allocates nothing. A percentile is the upper end of a bucket, at most 6.25 % above the
//! true one, of a fine histogram at most 0.8 %. The largest value is exact.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Longer durations count as this one: 2^40 ns, a good quarter of an hour.
const LONGEST: u64 = (1 << 40) - 1;

/// A histogram of durations.
#[derive(Clone, Debug)]
pub struct LatencyHistogram {
    buckets: Histogram<u64>,
    max: u64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self::with_digits(1)
    }
}

impl LatencyHistogram {
    /// One whose percentiles are at most 0.8 % above the true ones, in 40 KiB.
    pub fn fine() -> Self {
        Self::with_digits(2)
    }

    /// `digits` that a percentile keeps: one takes 16 buckets to every power of two, two take 128.
    fn with_digits(digits: u8) -> Self {
        let buckets = Histogram::new_with_bounds(1, LONGEST, digits);
        Self { buckets: buckets.expect("the bounds are constant and valid"), max: 0 }
    }

    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.buckets.saturating_record(ns);
        self.max = self.max.max(ns);
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.buckets.len()
    }

    /// The longest one in nanoseconds, 0 before the first.
    pub fn max_ns(&self) -> u64 {
        self.max
    }

    /// The value in nanoseconds that `fraction` (0..=1) of all durations do not exceed, 0 before
    /// the first.
    pub fn percentile_ns(&self, fraction: f64) -> u64 {
        // For 0 the crate gives the lower end of a bucket.
        self.buckets.value_at_quantile(fraction.max(f64::MIN_POSITIVE)).min(self.max)
    }

    /// The buckets that are not empty, in order: the largest value in nanoseconds that falls into
    /// it, and the count.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let filled = self.buckets.iter_recorded();
        filled.map(|bucket| {
            (bucket.value_iterated_to().min(self.max), bucket.count_since_last_iteration())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bucket_takes_what_is_longer() {
        for mut histogram in [LatencyHistogram::default(), LatencyHistogram::fine()] {
            histogram.record(Duration::from_nanos(LONGEST - 1));
            histogram.record(Duration::MAX);
            assert_eq!(histogram.buckets().collect::<Vec<_>>(), [(LONGEST, 2)]);
            assert_eq!((histogram.max_ns(), histogram.count()), (u64::MAX, 2));
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
