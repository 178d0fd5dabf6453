//! Visual attention time sharing (Euro NCAP, short distraction): how much of the last half minute the
//! driver looked away.

use std::collections::VecDeque;
use std::time::Duration;

/// Most intervals in memory; a window has fewer unless the gaze leaves and returns at every frame.
const CAPACITY: usize = 1024;

/// Time away in one piece.
#[derive(Clone, Copy, Debug)]
struct AwayInterval {
    from: Duration,
    to: Duration,
    phone: bool,
}

impl AwayInterval {
    fn since(&self, start: Duration) -> Duration {
        self.to.saturating_sub(self.from.max(start))
    }
}

/// Time away in a sliding window. Intervals of a glance that may be noise stay apart until it opens.
#[derive(Debug)]
pub struct TimeSharing {
    intervals: VecDeque<AwayInterval>,
    /// How many of the last intervals belong to a glance that is not open yet.
    pending: usize,
}

impl Default for TimeSharing {
    fn default() -> Self {
        Self { intervals: VecDeque::with_capacity(CAPACITY), pending: 0 }
    }
}

/// Time away in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeAway {
    /// All time away.
    pub away: Duration,
    /// The part of it spent where phones are.
    pub phone: Duration,
}

impl TimeSharing {
    /// Adds time away of length `dt` that ends at `to`. `open` says whether its glance is open.
    pub fn add(&mut self, to: Duration, dt: Duration, phone: bool, open: bool) {
        let from = to.saturating_sub(dt);
        let pending = if open { 0 } else { 1 };
        match self.intervals.back_mut() {
            Some(last)
                if last.to == from && last.phone == phone && pending == self.pending.min(1) =>
            {
                last.to = to;
            }
            _ => {
                if self.intervals.len() == CAPACITY {
                    self.merge_oldest();
                }
                self.intervals.push_back(AwayInterval { from, to, phone });
                self.pending += pending;
            }
        }
        if open {
            self.pending = 0;
        }
    }

    /// The glance was noise: drops its intervals.
    pub fn discard(&mut self) {
        let kept = self.intervals.len().saturating_sub(self.pending);
        self.intervals.truncate(kept);
        self.pending = 0;
    }

    /// The glance opened: its intervals count.
    pub fn confirm(&mut self) {
        self.pending = 0;
    }

    /// Forgets everything but the intervals of a glance that is not open yet.
    pub fn reset(&mut self) {
        let kept = self.intervals.len().saturating_sub(self.pending);
        self.intervals.drain(..kept);
    }

    /// Time away in the `window` before `now`; forgets older intervals.
    pub fn within(&mut self, now: Duration, window: Duration) -> TimeAway {
        let start = now.saturating_sub(window);
        while self.intervals.len() > self.pending
            && self.intervals.front().is_some_and(|r| r.to <= start)
        {
            self.intervals.pop_front();
        }
        let known = self.intervals.len().saturating_sub(self.pending);
        let mut sum = TimeAway::default();
        for interval in self.intervals.iter().take(known) {
            let time = interval.since(start);
            sum.away += time;
            if interval.phone {
                sum.phone += time;
            }
        }
        sum
    }

    /// Merges the two oldest intervals into one of their common length that ends with the second: no time
    /// is lost, and it leaves the window a little later.
    fn merge_oldest(&mut self) {
        let Some(first) = self.intervals.pop_front() else { return };
        let length = first.to.saturating_sub(first.from);
        if let Some(second) = self.intervals.front_mut() {
            second.from = second.from.saturating_sub(length);
        }
        self.pending = self.pending.min(self.intervals.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(30);

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_window_slides() {
        let mut sharing = TimeSharing::default();
        sharing.add(s(4), s(4), false, true);
        sharing.add(s(20), s(3), true, true);
        assert_eq!(sharing.within(s(30), WINDOW), TimeAway { away: s(7), phone: s(3) });
        assert_eq!(sharing.within(s(33), WINDOW), TimeAway { away: s(4), phone: s(3) });
        assert_eq!(sharing.within(s(34), WINDOW), TimeAway { away: s(3), phone: s(3) });
        assert_eq!(sharing.within(s(90), WINDOW), TimeAway::default());
        assert!(sharing.intervals.is_empty());
    }

    #[test]
    fn noise_does_not_count() {
        let mut sharing = TimeSharing::default();
        sharing.add(s(1), s(1), false, true);
        sharing.add(s(3), s(1), false, false);
        assert_eq!(sharing.within(s(3), WINDOW).away, s(1));
        sharing.discard();
        assert_eq!(sharing.within(s(3), WINDOW).away, s(1));
        sharing.add(s(5), s(1), false, false);
        sharing.add(s(6), s(1), false, true);
        assert_eq!(sharing.within(s(6), WINDOW).away, s(3), "a glance counts from its beginning");
        sharing.reset();
        assert_eq!(sharing.within(s(6), WINDOW).away, s(0));
    }

    #[test]
    fn memory_is_bounded_and_no_time_is_lost() {
        let mut sharing = TimeSharing::default();
        let ms = Duration::from_millis;
        for i in 0..3000u64 {
            sharing.add(ms(10 * i + 5), ms(5), false, true);
        }
        assert_eq!(sharing.intervals.len(), CAPACITY);
        assert_eq!(sharing.intervals.capacity(), CAPACITY);
        assert_eq!(sharing.within(s(30), WINDOW).away, ms(15_000));
    }
}
