//! Measurements over a time of unknown length, in memory of a fixed size.
//!
//! Time is cut into bins. Where it goes beyond the last one, neighbours are merged and bins are
//! twice as wide from then on, so that a minute and a day both fill between half of the bins and all
//! of them.

/// How many bins there are at most; even. More than a plot on a screen has pixels to show.
pub const BINS: usize = 1024;

/// Width of a bin at the beginning: half a frame of 60 a second, nanoseconds.
const NARROWEST: u64 = 8_333_333;

/// What a bin holds.
pub trait Bin: Default {
    /// Takes what another one holds, which follows this one in time.
    fn merge(&mut self, next: &Self);
}

/// Bins of time, from 0 on.
#[derive(Clone, Debug)]
pub struct Binned<B> {
    bins: Vec<B>,
    width: u64,
}

impl<B> Default for Binned<B> {
    fn default() -> Self {
        Self { bins: Vec::new(), width: NARROWEST }
    }
}

impl<B: Bin> Binned<B> {
    /// The bin of this time, in nanoseconds.
    pub fn at(&mut self, time: u64) -> &mut B {
        while time / self.width >= BINS as u64 {
            self.halve();
        }
        let index = (time / self.width) as usize;
        if index >= self.bins.len() {
            self.bins.resize_with(index + 1, B::default);
        }
        &mut self.bins[index]
    }

    fn halve(&mut self) {
        let pairs = self.bins.len().div_ceil(2);
        for pair in 0..pairs {
            let mut merged = std::mem::take(&mut self.bins[2 * pair]);
            if let Some(next) = self.bins.get(2 * pair + 1) {
                merged.merge(next);
            }
            self.bins[pair] = merged;
        }
        self.bins.truncate(pairs);
        self.width = self.width.saturating_mul(2);
    }

    /// Each bin with the time of its middle, in nanoseconds.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &B)> {
        let width = self.width;
        self.bins
            .iter()
            .enumerate()
            .map(move |(i, bin)| ((i as u64 * width).saturating_add(width / 2), bin))
    }

    /// Width of a bin, nanoseconds.
    pub fn width(&self) -> u64 {
        self.width
    }
}

/// The smallest and the largest of some values, where there were any.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extent(Option<(f32, f32)>);

impl Extent {
    /// Takes a value. What is no number is left out.
    pub fn add(&mut self, value: f32) {
        if value.is_finite() {
            self.merge(&Self(Some((value, value))));
        }
    }

    /// Smallest and largest.
    pub fn range(&self) -> Option<(f32, f32)> {
        self.0
    }
}

/// Smallest, largest and mean of some values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    extent: Extent,
    sum: f64,
    count: u32,
}

impl Spread {
    /// Takes a value. What is no number is left out.
    pub fn add(&mut self, value: f32) {
        if value.is_finite() {
            self.extent.add(value);
            self.sum += f64::from(value);
            self.count += 1;
        }
    }

    /// Smallest and largest, where there were any.
    pub fn range(&self) -> Option<(f32, f32)> {
        self.extent.range()
    }

    /// The mean, where there were any.
    pub fn mean(&self) -> Option<f32> {
        (self.count > 0).then(|| (self.sum / f64::from(self.count)) as f32)
    }
}

impl Bin for Spread {
    fn merge(&mut self, next: &Self) {
        self.extent.merge(&next.extent);
        self.sum += next.sum;
        self.count += next.count;
    }
}

impl Bin for Extent {
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
        fn extremes_are_kept_at_their_time(
            points in prop::collection::vec((0u64..200_000_000_000_000, -1e3f32..1e3), 1..300)
        ) {
            let mut binned = Binned::<Extent>::default();
            for (time, value) in &points {
                binned.at(*time).add(*value);
            }
            prop_assert!(binned.bins.len() <= BINS);
            let width = binned.width();
            let of = |time: u64| points.iter().filter(move |(t, _)| t / width == time / width);
            for (middle, bin) in binned.iter() {
                let values = || of(middle).map(|(_, value)| *value);
                let least = values().reduce(f32::min);
                prop_assert_eq!(bin.range(), least.zip(values().reduce(f32::max)));
            }
            // No narrower bins would have done.
            let last = points.iter().map(|(time, _)| *time).max().unwrap();
            prop_assert!(width == NARROWEST || last / (width / 2) >= BINS as u64);
        }
    }

    #[test]
    fn a_day_of_frames() {
        let mut binned = Binned::<Extent>::default();
        for frame in 0..2_592_000u64 {
            let spike = if frame == 1_234_567 { 1000.0 } else { 0.0 };
            binned.at(frame * 33_333_333).add((frame % 7) as f32 + spike);
        }
        assert!((BINS / 2..=BINS).contains(&binned.bins.len()), "{}", binned.bins.len());
        let peaks: Vec<_> =
            binned.iter().filter(|(_, bin)| bin.range().is_some_and(|r| r.1 > 900.0)).collect();
        let [(time, _)] = peaks[..] else { panic!("{} peaks", peaks.len()) };
        assert!(time.abs_diff(1_234_567 * 33_333_333) <= binned.width());
    }

    #[test]
    fn means_are_weighted_by_their_count() {
        let (mut one, mut other) = (Spread::default(), Spread::default());
        assert_eq!((one.mean(), one.range()), (None, None));
        [1.0, f32::INFINITY, 3.0, 5.0].into_iter().for_each(|value| one.add(value));
        other.add(-9.0);
        one.merge(&other);
        assert_eq!((one.mean(), one.range()), (Some(0.0), Some((-9.0, 5.0))));
    }

    #[test]
    fn the_end_of_time_has_a_bin() {
        let mut binned = Binned::<Extent>::default();
        binned.at(0).add(1.0);
        binned.at(u64::MAX).add(f32::NAN);
        binned.at(u64::MAX).add(3.0);
        assert_eq!(binned.iter().next().and_then(|(_, bin)| bin.range()), Some((1.0, 1.0)));
        assert_eq!(binned.iter().last().and_then(|(_, bin)| bin.range()), Some((3.0, 3.0)));
    }
}
