//! Outages: failures in a row, told once when they begin and once when they are over.

use std::time::{Duration, Instant};

/// An outage is over once everything has worked for so long. A reader that connects, reads a line and goes
/// away, again and again, is one outage; so is a UDP port without a reader, where every other datagram
/// seems to work (the kernel reports a refused one with the next, and hosts answer once a second).
pub const QUIET: Duration = Duration::from_secs(5);

/// Joins failures into outages.
#[derive(Debug, Default)]
pub struct OutageLog {
    current: Option<Outage>,
}

#[derive(Debug)]
struct Outage {
    begin: Instant,
    last_failure: Instant,
    failures: u64,
    /// Lines dropped before it began.
    dropped: u64,
}

/// What an outage cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutageSummary {
    /// Failures.
    pub failures: u64,
    /// Time from the first failure to the last.
    pub lasted: Duration,
    /// Lines dropped meanwhile.
    pub dropped: u64,
}

impl OutageLog {
    /// Notes a failure; `dropped` counts all lines dropped so far. Returns `true` for the first failure of
    /// an outage.
    pub fn failed(&mut self, now: Instant, dropped: u64) -> bool {
        match &mut self.current {
            Some(outage) => {
                outage.last_failure = now;
                outage.failures += 1;
                false
            }
            None => {
                self.current = Some(Outage { begin: now, last_failure: now, failures: 1, dropped });
                true
            }
        }
    }

    /// Notes a success. Returns the summary when it ends an outage.
    pub fn worked(&mut self, now: Instant, dropped: u64) -> Option<OutageSummary> {
        let over = |outage: &mut Outage| now.duration_since(outage.last_failure) >= QUIET;
        let Outage { begin, last_failure, failures, dropped: before } =
            self.current.take_if(over)?;
        let lasted = last_failure.duration_since(begin);
        Some(OutageSummary { failures, lasted, dropped: dropped.saturating_sub(before) })
    }

    /// Whether an outage lasts.
    pub fn lasts(&self) -> bool {
        self.current.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_are_one_outage() {
        let (begin, mut log) = (Instant::now(), OutageLog::default());
        let at = |seconds: f64| begin + Duration::from_secs_f64(seconds);
        assert_eq!(log.worked(at(0.0), 0), None);
        assert!(log.failed(at(1.0), 3));
        // It works and fails by turns, never for long.
        for step in 1..100 {
            assert_eq!(log.worked(at(1.0 + 4.0 * f64::from(step)), 10), None);
            assert!(!log.failed(at(1.5 + 4.0 * f64::from(step)), 10));
        }
        assert!(log.lasts());
        assert_eq!(log.worked(at(402.4), 12), None);
        let summary =
            OutageSummary { failures: 100, lasted: Duration::from_secs_f64(396.5), dropped: 9 };
        assert_eq!(log.worked(at(402.6), 12), Some(summary));
        assert_eq!(log.worked(at(500.0), 12), None);
        assert!(log.failed(at(501.0), 12), "the next outage is told");
    }
}
