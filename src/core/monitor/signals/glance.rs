//! One glance after the other: for how long somebody has looked away, and for how long back.
//!
//! Fed with intervals of time in which the gaze was away, was not, or is not known. Durations are
//! sums over intervals, so it does not matter how time is cut into frames.
//!
//! Two kinds of noise are kept out. Gaze that strays out of the road zone for a moment opens no
//! glance: time away must outweigh time back by `open`. A moment back on the road, or a glance that
//! the camera lost, ends no glance: only `tolerance` on the road in one piece does. A glance that is
//! open counts from its first moment, so the debouncing delays no threshold that is longer than it.

use std::time::Duration;

/// Containers round stamps (Matroska to 1 ms): what is less than this short of a threshold has
/// reached it. At 60 frames a second it is a sixteenth of a frame.
const ROUNDING: Duration = Duration::from_millis(1);

/// Whether a time that was summed up over frames has come to a threshold.
pub fn reached(duration: Duration, threshold: Duration) -> bool {
    duration + ROUNDING >= threshold
}

/// Whether it is more than the threshold.
pub fn exceeded(duration: Duration, threshold: Duration) -> bool {
    duration > threshold + ROUNDING
}

/// How glances are told from noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debounce {
    /// By how much time away must outweigh time back before a glance is one.
    pub open: Duration,
    /// How long a return lasts, in one piece, that ends a glance.
    pub tolerance: Duration,
}

/// What an interval changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A glance is one now; it began at this time.
    Opened(Duration),
    /// It was none: what was counted of it is to be forgotten.
    Discarded,
    /// It is over since this time.
    Closed(Duration),
}

/// Follows glances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// When the glance began, or what may become one.
    onset: Option<Duration>,
    open: bool,
    /// Time away since then.
    away: Duration,
    /// Time away less time back, while it is not open.
    evidence: Duration,
    /// Time back in one piece.
    returned: Duration,
    /// Time not away since the last glance that was one.
    back: Duration,
}

impl Glance {
    /// Takes the interval that ends at `to` and lasted `dt`.
    pub fn advance(
        &mut self,
        to: Duration,
        dt: Duration,
        away: Option<bool>,
        debounce: Debounce,
    ) -> Option<Change> {
        match away {
            Some(true) => self.away(to, dt, debounce),
            Some(false) => self.back(to, dt, debounce),
            None => None,
        }
    }

    fn away(&mut self, to: Duration, dt: Duration, debounce: Debounce) -> Option<Change> {
        let onset = *self.onset.get_or_insert(to.saturating_sub(dt));
        self.away += dt;
        self.returned = Duration::ZERO;
        if self.open {
            return None;
        }
        self.evidence = (self.evidence + dt).min(debounce.open);
        if !reached(self.evidence, debounce.open) {
            return None;
        }
        self.open = true;
        self.back = Duration::ZERO;
        Some(Change::Opened(onset))
    }

    fn back(&mut self, to: Duration, dt: Duration, debounce: Debounce) -> Option<Change> {
        self.back += dt;
        self.onset?;
        self.returned += dt;
        if self.open {
            if !reached(self.returned, debounce.tolerance) {
                return None;
            }
            let since = to.saturating_sub(self.returned);
            *self = Self { back: self.returned, ..Self::default() };
            return Some(Change::Closed(since));
        }
        self.evidence = self.evidence.saturating_sub(dt);
        if exceeded(self.evidence, Duration::ZERO) {
            return None;
        }
        *self = Self { back: self.back, ..Self::default() };
        Some(Change::Discarded)
    }

    /// Since when, where somebody looks away and it is no noise.
    pub fn since(&self) -> Option<Duration> {
        self.onset.filter(|_| self.open)
    }

    /// How long somebody has looked away in this glance; zero where it is none (yet).
    pub fn duration(&self) -> Duration {
        if self.open { self.away } else { Duration::ZERO }
    }

    /// How long somebody has been back since the last glance; moments away that were none do not
    /// count for it, and do not end it. Within a glance it is zero.
    pub fn returned(&self) -> Duration {
        if self.open { Duration::ZERO } else { self.back }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBOUNCE: Debounce =
        Debounce { open: Duration::from_millis(400), tolerance: Duration::from_millis(300) };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Runs (milliseconds, away?) in steps of 10 ms and gives the changes.
    fn run(parts: &[(u64, Option<bool>)]) -> (Glance, Vec<Change>) {
        let (mut glance, mut at, mut changes) = (Glance::default(), ms(0), Vec::new());
        for (length, away) in parts {
            for _ in 0..length / 10 {
                at += ms(10);
                changes.extend(glance.advance(at, ms(10), *away, DEBOUNCE));
            }
        }
        (glance, changes)
    }

    #[test]
    fn counts_from_the_first_moment() {
        let (glance, changes) = run(&[(1000, Some(false)), (400, Some(true))]);
        assert_eq!(changes, [Change::Opened(ms(1000))]);
        assert_eq!((glance.duration(), glance.since()), (ms(400), Some(ms(1000))));
        assert_eq!(glance.returned(), ms(0));
    }

    #[test]
    fn a_moment_away_is_none() {
        let noise = (30, Some(true));
        let road = (300, Some(false));
        let (glance, changes) = run(&[road, noise, road, noise, noise, road, noise, road]);
        assert!(changes.iter().all(|change| *change == Change::Discarded), "{changes:?}");
        assert_eq!((glance.duration(), glance.returned()), (ms(0), ms(1200)));
    }

    #[test]
    fn a_moment_back_ends_none_and_does_not_count() {
        let (glance, changes) = run(&[(1000, Some(true)), (290, Some(false)), (1000, Some(true))]);
        assert_eq!(changes, [Change::Opened(ms(0))]);
        assert_eq!(glance.duration(), ms(2000));
        let (glance, changes) = run(&[(1000, Some(true)), (300, Some(false))]);
        assert_eq!(changes, [Change::Opened(ms(0)), Change::Closed(ms(1000))]);
        assert_eq!((glance.duration(), glance.returned()), (ms(0), ms(300)));
    }

    #[test]
    fn what_is_not_known_stops_the_clock() {
        let (glance, changes) = run(&[(1000, Some(true)), (9000, None), (500, Some(true))]);
        assert_eq!(changes.len(), 1);
        assert_eq!(glance.duration(), ms(1500));
        let (glance, _) = run(&[(1000, Some(false)), (9000, None)]);
        assert_eq!(glance.returned(), ms(1000));
    }

    #[test]
    fn does_not_care_how_time_is_cut() {
        let mut whole = Glance::default();
        let at = |s: u64| Duration::from_secs(s);
        whole.advance(at(2), at(2), Some(true), DEBOUNCE);
        whole.advance(at(3), at(1), Some(false), DEBOUNCE);
        whole.advance(at(7), at(4), Some(true), DEBOUNCE);
        let (cut, _) = run(&[(2000, Some(true)), (1000, Some(false)), (4000, Some(true))]);
        assert_eq!(whole, cut);
    }
}
