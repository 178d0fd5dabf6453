//! Glances: how long the driver has looked away, and how long back.
//!
//! A glance takes intervals of time in which the gaze is away, back, or unknown. Durations are sums
//! over intervals, so the frame rate does not matter.
//!
//! Debouncing removes two kinds of noise. A gaze that strays from the road for a moment opens no
//! glance: time away must exceed time back by `open`. A moment back on the road, or without sight,
//! ends no glance: that takes `tolerance` on the road in one piece. An open glance counts from its
//! first moment, so debouncing delays no threshold that is longer than `open`.

use std::time::Duration;

use super::threshold::{exceeded, reached};

/// The times that separate glances from noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlanceDebounce {
    /// By how much time away must exceed time back to open a glance.
    pub open: Duration,
    /// Shortest return, in one piece, that ends a glance.
    pub tolerance: Duration,
}

/// What an interval changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlanceChange {
    /// A glance is open; it began at this time.
    Opened(Duration),
    /// The time away was noise and does not count.
    Discarded,
    /// The glance ended at this time.
    Closed(Duration),
}

/// Follows glances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// When the time away began.
    onset: Option<Duration>,
    open: bool,
    /// Time away since then.
    away: Duration,
    /// Time away minus time back, before the glance opens.
    evidence: Duration,
    /// Time back in one piece.
    returned: Duration,
    /// Time back since the last open glance.
    back: Duration,
}

impl Glance {
    /// Takes the interval of length `dt` that ends at `to`; `away` is `None` where the gaze is
    /// unknown.
    pub fn advance(
        &mut self,
        to: Duration,
        dt: Duration,
        away: Option<bool>,
        debounce: GlanceDebounce,
    ) -> Option<GlanceChange> {
        match away {
            Some(true) => self.away(to, dt, debounce),
            Some(false) => self.back(to, dt, debounce),
            None => None,
        }
    }

    fn away(
        &mut self,
        to: Duration,
        dt: Duration,
        debounce: GlanceDebounce,
    ) -> Option<GlanceChange> {
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
        Some(GlanceChange::Opened(onset))
    }

    fn back(
        &mut self,
        to: Duration,
        dt: Duration,
        debounce: GlanceDebounce,
    ) -> Option<GlanceChange> {
        self.back += dt;
        self.onset?;
        self.returned += dt;
        if self.open {
            if !reached(self.returned, debounce.tolerance) {
                return None;
            }
            let since = to.saturating_sub(self.returned);
            *self = Self { back: self.returned, ..Self::default() };
            return Some(GlanceChange::Closed(since));
        }
        self.evidence = self.evidence.saturating_sub(dt);
        if exceeded(self.evidence, Duration::ZERO) {
            return None;
        }
        *self = Self { back: self.back, ..Self::default() };
        Some(GlanceChange::Discarded)
    }

    /// When the open glance began.
    pub fn since(&self) -> Option<Duration> {
        self.onset.filter(|_| self.open)
    }

    /// Time away in the open glance; zero where none is open.
    pub fn duration(&self) -> Duration {
        if self.open { self.away } else { Duration::ZERO }
    }

    /// Time back since the last glance, without the noise in between; zero while a glance is open.
    pub fn returned(&self) -> Duration {
        if self.open { Duration::ZERO } else { self.back }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBOUNCE: GlanceDebounce =
        GlanceDebounce { open: Duration::from_millis(400), tolerance: Duration::from_millis(300) };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Runs (milliseconds, away) in steps of 10 ms and returns the changes.
    fn run(parts: &[(u64, Option<bool>)]) -> (Glance, Vec<GlanceChange>) {
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
        assert_eq!(changes, [GlanceChange::Opened(ms(1000))]);
        assert_eq!((glance.duration(), glance.since()), (ms(400), Some(ms(1000))));
        assert_eq!(glance.returned(), ms(0));
    }

    #[test]
    fn a_moment_away_opens_no_glance() {
        let noise = (30, Some(true));
        let road = (300, Some(false));
        let (glance, changes) = run(&[road, noise, road, noise, noise, road, noise, road]);
        assert!(changes.iter().all(|change| *change == GlanceChange::Discarded), "{changes:?}");
        assert_eq!((glance.duration(), glance.returned()), (ms(0), ms(1200)));
    }

    #[test]
    fn a_moment_back_ends_no_glance_and_does_not_count() {
        let (glance, changes) = run(&[(1000, Some(true)), (290, Some(false)), (1000, Some(true))]);
        assert_eq!(changes, [GlanceChange::Opened(ms(0))]);
        assert_eq!(glance.duration(), ms(2000));
        let (glance, changes) = run(&[(1000, Some(true)), (300, Some(false))]);
        assert_eq!(changes, [GlanceChange::Opened(ms(0)), GlanceChange::Closed(ms(1000))]);
        assert_eq!((glance.duration(), glance.returned()), (ms(0), ms(300)));
    }

    #[test]
    fn unknown_time_stops_the_clock() {
        let (glance, changes) = run(&[(1000, Some(true)), (9000, None), (500, Some(true))]);
        assert_eq!(changes.len(), 1);
        assert_eq!(glance.duration(), ms(1500));
        let (glance, _) = run(&[(1000, Some(false)), (9000, None)]);
        assert_eq!(glance.returned(), ms(1000));
    }

    #[test]
    fn the_frame_rate_does_not_matter() {
        let mut whole = Glance::default();
        let at = |s: u64| Duration::from_secs(s);
        whole.advance(at(2), at(2), Some(true), DEBOUNCE);
        whole.advance(at(3), at(1), Some(false), DEBOUNCE);
        whole.advance(at(7), at(4), Some(true), DEBOUNCE);
        let (cut, _) = run(&[(2000, Some(true)), (1000, Some(false)), (4000, Some(true))]);
        assert_eq!(whole, cut);
    }
}
