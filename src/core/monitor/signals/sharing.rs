//! Visual attention shared between the road and something else: how much of the last half minute
//! somebody looked away (Euro NCAP's visual attention time sharing, short distraction).

use std::collections::VecDeque;
use std::time::Duration;

/// Runs that are kept; the window holds fewer unless the gaze leaves and returns at every frame.
const CAPACITY: usize = 1024;

/// Away in one piece.
#[derive(Clone, Copy, Debug)]
struct Run {
    from: Duration,
    to: Duration,
    phone: bool,
}

impl Run {
    fn since(&self, start: Duration) -> Duration {
        self.to.saturating_sub(self.from.max(start))
    }
}

/// Time away in a window that slides. Runs of a glance that may turn out to be noise are kept
/// apart until it is one.
#[derive(Debug)]
pub struct Sharing {
    runs: VecDeque<Run>,
    /// How many of the last runs are not yet known to be of a glance.
    pending: usize,
}

impl Default for Sharing {
    fn default() -> Self {
        Self { runs: VecDeque::with_capacity(CAPACITY), pending: 0 }
    }
}

/// Time away in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// All of it.
    pub away: Duration,
    /// The part of it spent on places where phones are.
    pub phone: Duration,
}

impl Sharing {
    /// Somebody looked away from `to - dt` to `to`. `open` says whether the glance that it belongs
    /// to is known to be one.
    pub fn add(&mut self, to: Duration, dt: Duration, phone: bool, open: bool) {
        let from = to.saturating_sub(dt);
        let pending = if open { 0 } else { 1 };
        match self.runs.back_mut() {
            Some(last)
                if last.to == from && last.phone == phone && pending == self.pending.min(1) =>
            {
                last.to = to;
            }
            _ => {
                if self.runs.len() == CAPACITY {
                    self.merge_oldest();
                }
                self.runs.push_back(Run { from, to, phone });
                self.pending += pending;
            }
        }
        if open {
            self.pending = 0;
        }
    }

    /// The glance turned out to be none.
    pub fn discard(&mut self) {
        let kept = self.runs.len().saturating_sub(self.pending);
        self.runs.truncate(kept);
        self.pending = 0;
    }

    /// The glance turned out to be one.
    pub fn confirm(&mut self) {
        self.pending = 0;
    }

    /// Forgets everything but a glance that is under way and not yet known to be one.
    pub fn reset(&mut self) {
        let kept = self.runs.len().saturating_sub(self.pending);
        self.runs.drain(..kept);
    }

    /// Time away in the `window` before `now`; what is older is forgotten.
    pub fn within(&mut self, now: Duration, window: Duration) -> Shared {
        let start = now.saturating_sub(window);
        while self.runs.len() > self.pending && self.runs.front().is_some_and(|r| r.to <= start) {
            self.runs.pop_front();
        }
        let known = self.runs.len().saturating_sub(self.pending);
        let mut shared = Shared::default();
        for run in self.runs.iter().take(known) {
            let time = run.since(start);
            shared.away += time;
            if run.phone {
                shared.phone += time;
            }
        }
        shared
    }

    /// Two runs become one as long as both that ends where the second does: the time is kept, and
    /// leaves the window a little later.
    fn merge_oldest(&mut self) {
        let Some(first) = self.runs.pop_front() else { return };
        let length = first.to.saturating_sub(first.from);
        if let Some(second) = self.runs.front_mut() {
            second.from = second.from.saturating_sub(length);
        }
        self.pending = self.pending.min(self.runs.len());
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
        let mut sharing = Sharing::default();
        sharing.add(s(4), s(4), false, true);
        sharing.add(s(20), s(3), true, true);
        assert_eq!(sharing.within(s(30), WINDOW), Shared { away: s(7), phone: s(3) });
        assert_eq!(sharing.within(s(33), WINDOW), Shared { away: s(4), phone: s(3) });
        assert_eq!(sharing.within(s(34), WINDOW), Shared { away: s(3), phone: s(3) });
        assert_eq!(sharing.within(s(90), WINDOW), Shared::default());
        assert!(sharing.runs.is_empty());
    }

    #[test]
    fn noise_is_kept_apart() {
        let mut sharing = Sharing::default();
        sharing.add(s(1), s(1), false, true);
        sharing.add(s(3), s(1), false, false);
        assert_eq!(sharing.within(s(3), WINDOW).away, s(1));
        sharing.discard();
        assert_eq!(sharing.within(s(3), WINDOW).away, s(1));
        sharing.add(s(5), s(1), false, false);
        sharing.add(s(6), s(1), false, true);
        assert_eq!(sharing.within(s(6), WINDOW).away, s(3), "the whole of a glance counts");
        sharing.reset();
        assert_eq!(sharing.within(s(6), WINDOW).away, s(0));
    }

    #[test]
    fn memory_has_an_end_and_time_does_not_get_lost() {
        let mut sharing = Sharing::default();
        let ms = Duration::from_millis;
        for i in 0..3000u64 {
            sharing.add(ms(10 * i + 5), ms(5), false, true);
        }
        assert_eq!(sharing.runs.len(), CAPACITY);
        assert_eq!(sharing.runs.capacity(), CAPACITY);
        assert_eq!(sharing.within(s(30), WINDOW).away, ms(15_000));
    }
}
