//! The latency that an element reports for its inferences: the 95th percentile of the last ones, rounded
//! up, which changes rarely.
//!
//! A new latency makes the sinks of a live pipeline wait anew, so the report grows in steps and falls
//! only after a minute of inferences that took less than half. nnstreamer's `tensor_filter`
//! (`latency-report`) does likewise, with a headroom of 5 % and a threshold of 25 %.

use std::time::Duration;

/// Inferences in the window: four seconds at 30 a second.
const WINDOW: usize = 128;

/// Inferences before the first look at the window: slow ones should be reported soon.
const FIRST_LOOK: u32 = 4;

/// Inferences between two looks at the window.
const PERIOD: u32 = 8;

/// A report falls after this many inferences below half of it: a minute at 30 a second.
const CALM: u32 = 1800;

/// The smallest step of a report in microseconds.
const SMALLEST_STEP: u32 = 1000;

/// Follows the time of inferences.
#[derive(Clone, Debug)]
pub struct LatencyReport {
    /// The last inferences in microseconds, without order.
    window: [u32; WINDOW],
    filled: usize,
    next: usize,
    /// Inferences until the next look.
    wait: u32,
    /// Inferences since the percentile was last above half of the report.
    calm: u32,
    /// The highest percentile in that time, rounded up, in microseconds.
    calm_peak: u32,
    /// Whether the first inference is over. A runtime prepares a lot in it, so it tells nothing.
    warm: bool,
    /// Microseconds.
    reported: u32,
}

impl Default for LatencyReport {
    fn default() -> Self {
        Self {
            window: [0; WINDOW],
            filled: 0,
            next: 0,
            wait: FIRST_LOOK,
            calm: 0,
            calm_peak: 0,
            warm: false,
            reported: 0,
        }
    }
}

impl LatencyReport {
    /// The reported latency; zero before it is known.
    pub fn latency(&self) -> Duration {
        Duration::from_micros(self.reported.into())
    }

    /// Takes the time of one inference. Returns whether the report changes.
    pub fn record(&mut self, took: Duration) -> bool {
        if !std::mem::replace(&mut self.warm, true) {
            return false;
        }
        self.window[self.next] = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.next = (self.next + 1) % WINDOW;
        self.filled = (self.filled + 1).min(WINDOW);
        self.wait -= 1;
        if self.wait > 0 {
            return false;
        }
        self.wait = PERIOD;
        let latency = round_up(self.percentile_95());
        if latency > self.reported / 2 {
            (self.calm, self.calm_peak) = (0, 0);
        } else {
            self.calm += PERIOD;
            self.calm_peak = self.calm_peak.max(latency);
        }
        let falls = self.calm >= CALM;
        if falls {
            self.reported = self.calm_peak;
            (self.calm, self.calm_peak) = (0, 0);
        }
        let grows = latency > self.reported;
        self.reported = self.reported.max(latency);
        falls || grows
    }

    /// The 95th percentile of the window by nearest rank.
    fn percentile_95(&self) -> u32 {
        let mut sorted = self.window;
        let filled = &mut sorted[..self.filled];
        let rank = (filled.len() * 95).div_ceil(100).max(1);
        *filled.select_nth_unstable(rank - 1).1
    }
}

/// The next quarter of a power of two, at least a millisecond apart: 1, 2, ... 8, 10, 12, 14, 16, 20 ms.
/// It is at most a quarter above the time, or a millisecond.
fn round_up(micros: u32) -> u32 {
    let octave = micros / SMALLEST_STEP / 4;
    let step = SMALLEST_STEP << octave.checked_ilog2().unwrap_or(0);
    micros.div_ceil(step).saturating_mul(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: f64) -> Duration {
        Duration::from_secs_f64(ms / 1000.0)
    }

    /// Records `count` inferences and returns the reports.
    fn reports(report: &mut LatencyReport, count: u32, took: impl Fn(u32) -> f64) -> Vec<u128> {
        let changed = |n| report.record(ms(took(n))).then(|| report.latency().as_millis());
        (0..count).filter_map(changed).collect()
    }

    #[test]
    fn rounding_adds_little_and_never_takes() {
        for (ms, rounded) in
            [(0.0, 0), (0.2, 1), (1.0, 1), (3.1, 4), (7.5, 8), (8.1, 10), (33.0, 40), (100.0, 112)]
        {
            assert_eq!(round_up((ms * 1000.0) as u32), rounded * 1000, "{ms}");
        }
        for micros in (0..10_000_000).step_by(777) {
            let rounded = round_up(micros);
            assert!(rounded >= micros && rounded - micros <= (micros / 4).max(1000), "{micros}");
        }
        assert!(round_up(u32::MAX) > u32::MAX - u32::MAX / 4);
    }

    #[test]
    fn a_steady_model_reports_once() {
        let mut report = LatencyReport::default();
        assert_eq!(report.latency(), Duration::ZERO);
        let jitter = |n: u32| if n == 0 { 900.0 } else { 18.0 + f64::from(n % 7) / 4.0 };
        assert_eq!(reports(&mut report, 10_000, jitter), [20], "the first inference tells nothing");
    }

    #[test]
    fn outliers_below_a_twentieth_are_no_latency() {
        let mut report = LatencyReport::default();
        let outlier = |n: u32| if n % 30 == 29 { 300.0 } else { 9.5 };
        // The window holds too few at first: the worst of them is the percentile.
        let told = reports(&mut report, 10_000, outlier);
        assert!(told.len() <= 3, "{told:?}");
        assert_eq!(report.latency().as_millis(), 10);
    }

    #[test]
    fn growth_is_told_soon_and_a_fall_late() {
        let mut report = LatencyReport::default();
        assert_eq!(reports(&mut report, 200, |_| 10.0), [10]);
        let told = reports(&mut report, 40, |_| 50.0);
        assert_eq!(told, [56]);
        // Not for less by a third, nor for a short while.
        assert_eq!(reports(&mut report, 1000, |_| 35.0), []);
        assert_eq!(reports(&mut report, 60, |_| 5.0), []);
        assert_eq!(reports(&mut report, 1000, |_| 35.0), []);
        assert_eq!(reports(&mut report, 3000, |_| 5.0), [5]);
    }

    /// Times that rise slowly or swing change the report a few times, not with every frame.
    #[test]
    fn there_is_no_storm() {
        let mut report = LatencyReport::default();
        let rise = reports(&mut report, 20_000, |n| 1.0 + f64::from(n) / 100.0);
        assert!(rise.len() <= 32 && rise.is_sorted(), "{rise:?}");
        let mut report = LatencyReport::default();
        let swing = |n: u32| 20.0 + 15.0 * (f64::from(n) / 50.0).sin();
        let told = reports(&mut report, 20_000, swing);
        assert!(told.len() <= 6, "{told:?}");
    }
}
