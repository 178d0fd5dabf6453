//! Windowed share: the fraction of a sliding time window in which something was so (PERCLOS).

use std::time::Duration;

/// Length of one time bucket.
const BUCKET: Duration = Duration::from_secs(1);

/// Longest window.
const MAX_WINDOW: Duration = Duration::from_secs(600);

/// Sums over the last seconds, in time buckets of one second: the window is up to a second shorter
/// than asked for. Time that is never added counts in neither sum.
#[derive(Debug)]
pub struct WindowedShare {
    buckets: Vec<Bucket>,
    /// Number of the bucket that takes time.
    current: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    all: Duration,
    part: Duration,
}

impl WindowedShare {
    /// An empty window of this length, in whole seconds, one at least.
    pub fn new(window: Duration) -> Self {
        let buckets = window.min(MAX_WINDOW).as_secs().max(1) as usize;
        Self { buckets: vec![Bucket::default(); buckets], current: None }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.buckets.fill(Bucket::default());
        self.current = None;
    }

    /// Adds an interval of length `all` that ends at `to`, `part` of which was so. A part that is
    /// recognised late is added late, all of it at once.
    pub fn add(&mut self, to: Duration, all: Duration, part: Duration) {
        let number = bucket_of(to);
        let count = self.buckets.len() as u64;
        let current = self.current.get_or_insert(number);
        if number.saturating_sub(*current) >= count {
            self.buckets.fill(Bucket::default());
            *current = number;
        }
        while *current < number {
            *current += 1;
            self.buckets[(*current % count) as usize] = Bucket::default();
        }
        let bucket = &mut self.buckets[(*current % count) as usize];
        bucket.all += all;
        bucket.part += part;
    }

    /// The share at `now`, 0..=1, where at least `least` of the window was added. Time older than the
    /// window is left out, even where no newer time was added.
    pub fn value(&self, now: Duration, least: Duration) -> Option<f32> {
        let current = self.current?;
        let count = self.buckets.len() as u64;
        let first = (bucket_of(now) + 1).saturating_sub(count);
        let oldest = (current + 1).saturating_sub(count);
        let kept = (first.max(oldest)..=current).map(|i| self.buckets[(i % count) as usize]);
        let (all, part) = kept.fold((Duration::ZERO, Duration::ZERO), |(all, part), bucket| {
            (all + bucket.all, part + bucket.part)
        });
        let value = part.as_secs_f32() / all.as_secs_f32();
        (!all.is_zero() && all >= least).then(|| value.clamp(0.0, 1.0))
    }
}

fn bucket_of(at: Duration) -> u64 {
    at.as_secs() / BUCKET.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Duration = Duration::from_secs(30);

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn counts_added_time_only() {
        let tenth = Duration::from_millis(100);
        let mut share = WindowedShare::new(s(60));
        for second in 1..=29 {
            share.add(s(second), s(1), tenth);
        }
        assert_eq!(share.value(s(29), LEAST), None);
        share.add(s(30), s(1), tenth);
        assert!((share.value(s(30), LEAST).unwrap() - 0.1).abs() < 1e-6);
        // A minute later the window holds none of it.
        for second in 31..=95 {
            share.add(s(second), s(1), Duration::ZERO);
        }
        assert_eq!(share.value(s(95), LEAST), Some(0.0));
        share.add(s(1000), Duration::ZERO, Duration::ZERO);
        assert_eq!(share.value(s(1000), LEAST), None);
    }

    #[test]
    fn time_expires_without_new_time() {
        let mut share = WindowedShare::new(s(60));
        for second in 0..60 {
            share.add(s(second), s(1), if second < 40 { s(1) } else { s(0) });
        }
        assert_eq!(share.value(s(59), LEAST), Some(40.0 / 60.0));
        // Twenty seconds later the window has lost the first twenty, though no time was added.
        assert_eq!(share.value(s(79), LEAST), Some(0.5));
        assert_eq!(share.value(s(90), LEAST), None);
        assert_eq!(share.value(s(10_000), LEAST), None);
        share.reset();
        assert_eq!(share.value(s(59), Duration::ZERO), None);
    }
}
