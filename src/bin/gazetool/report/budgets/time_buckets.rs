//! Measurements over a time of unknown length, in memory of a fixed size.
//!
//! Time is cut into buckets. When it passes the last one, neighbours merge and every bucket is twice as
//! wide from then on: a minute and a day both fill between half of the buckets and all of them.

/// The most buckets; even. A plot on a screen has fewer pixels.
pub const MAX_BUCKETS: usize = 1024;

/// First width of a bucket in nanoseconds: half a frame at 60 frames/s.
const NARROWEST: u64 = 8_333_333;

/// The content of a bucket.
pub trait Bucket: Default {
    /// Merges the bucket that follows in time.
    fn merge(&mut self, next: &Self);
}

/// Buckets of time, from 0 on.
#[derive(Clone, Debug)]
pub struct TimeBuckets<B> {
    buckets: Vec<B>,
    width: u64,
}

impl<B> Default for TimeBuckets<B> {
    fn default() -> Self {
        Self { buckets: Vec::new(), width: NARROWEST }
    }
}

impl<B: Bucket> TimeBuckets<B> {
    /// The bucket of a time in nanoseconds.
    pub fn at(&mut self, time: u64) -> &mut B {
        while time / self.width >= MAX_BUCKETS as u64 {
            self.halve();
        }
        let index = (time / self.width) as usize;
        if index >= self.buckets.len() {
            self.buckets.resize_with(index + 1, B::default);
        }
        &mut self.buckets[index]
    }

    fn halve(&mut self) {
        let pairs = self.buckets.len().div_ceil(2);
        for pair in 0..pairs {
            let mut merged = std::mem::take(&mut self.buckets[2 * pair]);
            if let Some(next) = self.buckets.get(2 * pair + 1) {
                merged.merge(next);
            }
            self.buckets[pair] = merged;
        }
        self.buckets.truncate(pairs);
        self.width = self.width.saturating_mul(2);
    }

    /// Each bucket with the time of its middle in nanoseconds.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &B)> {
        let width = self.width;
        self.buckets
            .iter()
            .enumerate()
            .map(move |(i, bucket)| ((i as u64 * width).saturating_add(width / 2), bucket))
    }

    /// Width of a bucket in nanoseconds.
    pub fn width(&self) -> u64 {
        self.width
    }
}

/// The smallest and the largest of values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MinMax(Option<(f32, f32)>);

impl MinMax {
    /// Adds a value, unless it is not finite.
    pub fn add(&mut self, value: f32) {
        if value.is_finite() {
            self.merge(&Self(Some((value, value))));
        }
    }

    /// Smallest and largest; `None` without values.
    pub fn range(&self) -> Option<(f32, f32)> {
        self.0
    }
}

/// Smallest, largest and mean of values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MinMaxMean {
    min_max: MinMax,
    sum: f64,
    count: u32,
}

impl MinMaxMean {
    /// Adds a value, unless it is not finite.
    pub fn add(&mut self, value: f32) {
        if value.is_finite() {
            self.min_max.add(value);
            self.sum += f64::from(value);
            self.count += 1;
        }
    }

    /// Smallest and largest; `None` without values.
    pub fn range(&self) -> Option<(f32, f32)> {
        self.min_max.range()
    }

    /// The mean; `None` without values.
    pub fn mean(&self) -> Option<f32> {
        (self.count > 0).then(|| (self.sum / f64::from(self.count)) as f32)
    }
}

impl Bucket for MinMaxMean {
    fn merge(&mut self, next: &Self) {
        self.min_max.merge(&next.min_max);
        self.sum += next.sum;
        self.count += next.count;
    }
}

impl Bucket for MinMax {
    fn merge(&mut self, next: &Self) {
        self.0 = match (self.0, next.0) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn extremes_keep_their_time(
            points in prop::collection::vec((0u64..200_000_000_000_000, -1e3f32..1e3), 1..300)
        ) {
            let mut buckets = TimeBuckets::<MinMax>::default();
            for (time, value) in &points {
                buckets.at(*time).add(*value);
            }
            prop_assert!(buckets.buckets.len() <= MAX_BUCKETS);
            let width = buckets.width();
            let of = |time: u64| points.iter().filter(move |(t, _)| t / width == time / width);
            for (middle, bin) in buckets.iter() {
                let values = || of(middle).map(|(_, value)| *value);
                let least = values().reduce(f32::min);
                prop_assert_eq!(bin.range(), least.zip(values().reduce(f32::max)));
            }
            // Narrower buckets do not reach so far.
            let last = points.iter().map(|(time, _)| *time).max().unwrap();
            prop_assert!(width == NARROWEST || last / (width / 2) >= MAX_BUCKETS as u64);
        }
    }

    #[test]
    fn a_day_of_frames() {
        let mut buckets = TimeBuckets::<MinMax>::default();
        for frame in 0..2_592_000u64 {
            let spike = if frame == 1_234_567 { 1000.0 } else { 0.0 };
            buckets.at(frame * 33_333_333).add((frame % 7) as f32 + spike);
        }
        assert!(
            (MAX_BUCKETS / 2..=MAX_BUCKETS).contains(&buckets.buckets.len()),
            "{}",
            buckets.buckets.len()
        );
        let peaks: Vec<_> =
            buckets.iter().filter(|(_, bin)| bin.range().is_some_and(|r| r.1 > 900.0)).collect();
        let [(time, _)] = peaks[..] else { panic!("{} peaks", peaks.len()) };
        assert!(time.abs_diff(1_234_567 * 33_333_333) <= buckets.width());
    }

    #[test]
    fn means_are_weighted_by_their_count() {
        let (mut one, mut other) = (MinMaxMean::default(), MinMaxMean::default());
        assert_eq!((one.mean(), one.range()), (None, None));
        [1.0, f32::INFINITY, 3.0, 5.0].into_iter().for_each(|value| one.add(value));
        other.add(-9.0);
        one.merge(&other);
        assert_eq!((one.mean(), one.range()), (Some(0.0), Some((-9.0, 5.0))));
    }

    #[test]
    fn the_last_nanosecond_has_a_bucket() {
        let mut buckets = TimeBuckets::<MinMax>::default();
        buckets.at(0).add(1.0);
        buckets.at(u64::MAX).add(f32::NAN);
        buckets.at(u64::MAX).add(3.0);
        assert_eq!(buckets.iter().next().and_then(|(_, bin)| bin.range()), Some((1.0, 1.0)));
        assert_eq!(buckets.iter().last().and_then(|(_, bin)| bin.range()), Some((3.0, 3.0)));
    }
}
