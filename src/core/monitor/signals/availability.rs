//! Whether the driver, or his eyes, are available to the rules, and why not.
//!
//! The driver becomes unavailable without steady sight for a while, or with only sparse sight for a
//! longer time. Sight is steady once it has lasted for half a second, short interruptions aside, so
//! a face that flickers up in one frame of many makes no driver.

use std::time::Duration;

use super::threshold::reached;
use super::windowed_share::WindowedShare;
use crate::core::monitor::alarms::event::UnavailableReason;

/// Sight is steady after this time. This project's choice: longer than the 0.4 s that open a glance,
/// so that a rule can work with it.
const STEADY: Duration = Duration::from_millis(500);

/// Sight below this fraction of the time is sparse. This project's choice: of 10 s it is less than a
/// long glance.
const SPARSE: f32 = 0.2;

/// Sight must reach this fraction of the time to end sparse sight; twice as much, as hysteresis.
const ENOUGH: f32 = 0.4;

/// When the driver becomes unavailable, and available again.
#[derive(Clone, Copy, Debug)]
pub struct AvailabilityTiming {
    /// Time without steady sight until the driver is unavailable.
    pub after: Duration,
    /// Time of steady sight until the driver is available again.
    pub back: Duration,
    /// Longest interruption that keeps sight steady.
    pub tolerance: Duration,
}

/// Follows the availability of gaze or eyes.
#[derive(Debug)]
pub struct Availability {
    /// Since when steady sight is missing, and why.
    lost: Option<(Duration, UnavailableReason)>,
    /// Since when there is sight, short interruptions aside.
    since: Option<Duration>,
    /// Since when the present interruption lasts.
    missing: Option<Duration>,
    /// The share of the last seconds without sight.
    unseen: WindowedShare,
    /// How much of the window must be known.
    least: Duration,
    reason: Option<UnavailableReason>,
    /// Whether sparse sight is the cause.
    sparse: bool,
}

impl Availability {
    /// Sparse sight over this window makes the driver unavailable; whole seconds, two at least.
    pub fn new(window: Duration) -> Self {
        let window = Duration::from_secs(window.as_secs().max(2));
        Self {
            lost: None,
            since: None,
            missing: None,
            unseen: WindowedShare::new(window),
            // The present time bucket is not full.
            least: window - Duration::from_secs(1),
            reason: None,
            sparse: false,
        }
    }

    /// Why the driver is unavailable; `None` where he is available.
    pub fn reason(&self) -> Option<UnavailableReason> {
        self.reason
    }

    /// Takes the interval of length `dt` that ends at `to`, of which `known` had sight.
    pub fn advance(&mut self, to: Duration, dt: Duration, known: Duration) {
        self.unseen.add(to, dt, dt.saturating_sub(known));
    }

    /// Takes the frame at `at`, with sight or without. Returns a change: the reason from now on, and
    /// since when.
    pub fn observe(
        &mut self,
        at: Duration,
        seen: Result<(), UnavailableReason>,
        timing: AvailabilityTiming,
    ) -> Option<(Option<UnavailableReason>, Duration)> {
        // The time before this frame counts first: the frame cannot undo it.
        let gone = self.missing.map(|since| at.saturating_sub(since)).unwrap_or_default();
        if gone > timing.tolerance {
            self.since = None;
        }
        let mut change = None;
        if self.reason.is_none() {
            let why =
                self.lost.map(|(_, why)| why).or(seen.err()).unwrap_or(UnavailableReason::NoData);
            let since = self.overdue(at, timing).or_else(|| self.sparse_since(at));
            if let Some(since) = since {
                self.reason = Some(why);
                change = Some((self.reason, since));
            }
        }
        match seen {
            Ok(()) => {
                self.missing = None;
                let since = *self.since.get_or_insert(at);
                let steady = at.saturating_sub(since);
                if reached(steady, STEADY) {
                    self.lost = None;
                }
                if self.reason.is_some() && reached(steady, timing.back) && self.enough(at) {
                    self.reason = None;
                    self.sparse = false;
                    self.lost = None;
                    self.unseen.reset();
                    change = Some((None, since));
                }
            }
            Err(reason) => {
                self.missing.get_or_insert(at);
                self.lost = Some((self.lost.map_or(at, |(since, _)| since), reason));
            }
        }
        change
    }

    /// Since when steady sight is missing, where that is too long and sight is missing now.
    fn overdue(&self, at: Duration, timing: AvailabilityTiming) -> Option<Duration> {
        self.missing?;
        let (since, _) = self.lost?;
        reached(at.saturating_sub(since), timing.after).then_some(since)
    }

    /// Since when sight has been sparse.
    fn sparse_since(&mut self, at: Duration) -> Option<Duration> {
        let unseen = self.unseen.value(at, self.least)?;
        self.sparse = unseen > 1.0 - SPARSE;
        self.sparse.then(|| at.saturating_sub(self.least))
    }

    fn enough(&self, at: Duration) -> bool {
        !self.sparse
            || self.unseen.value(at, Duration::ZERO).is_some_and(|unseen| unseen <= 1.0 - ENOUGH)
    }

    /// Stamps went back: drops stored stamps; the reported state stays.
    pub fn rewind(&mut self) {
        (self.lost, self.since, self.missing) = (None, None, None);
        self.unseen.reset();
    }

    /// The stream had a gap since `last`, without sight.
    pub fn gap(&mut self, last: Duration) {
        self.missing.get_or_insert(last);
        self.lost.get_or_insert((last, UnavailableReason::NoData));
        self.unseen.reset();
    }

    /// Another person drives now: steady sight starts again.
    pub fn driver_changed(&mut self) {
        self.since = None;
    }

    /// Stamps stand still at `at`, which makes the driver unavailable. Returns whether that is new.
    pub fn stall(&mut self, at: Duration) -> bool {
        self.rewind();
        self.missing = Some(at);
        self.lost = Some((at, UnavailableReason::NoData));
        let new = self.reason.is_none();
        self.reason.get_or_insert(UnavailableReason::NoData);
        new
    }

    /// Ends the reported state. Returns whether the driver was unavailable.
    pub fn end(&mut self) -> bool {
        self.rewind();
        self.sparse = false;
        self.reason.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: AvailabilityTiming = AvailabilityTiming {
        after: Duration::from_secs(5),
        back: Duration::from_secs(1),
        tolerance: Duration::from_millis(300),
    };

    fn availability() -> Availability {
        Availability::new(Duration::from_secs(10))
    }

    #[test]
    fn changes_are_reported_in_time() {
        let mut availability = availability();
        let ms = Duration::from_millis;
        let mut changes = Vec::new();
        for frame in 0..200u64 {
            let seen = match frame {
                0..20 | 80..83 | 100..200 => Ok(()),
                _ => Err(UnavailableReason::NoFace),
            };
            changes.extend(availability.observe(ms(frame * 100), seen, TIMING).map(|c| (frame, c)));
        }
        assert_eq!(
            changes,
            [(70, (Some(UnavailableReason::NoFace), ms(2000))), (110, (None, ms(10_000))),]
        );
    }

    #[test]
    fn a_driver_never_seen_becomes_unavailable() {
        let mut availability = availability();
        let s = Duration::from_secs;
        assert_eq!(availability.observe(s(100), Err(UnavailableReason::NoData), TIMING), None);
        let told = availability.observe(s(105), Err(UnavailableReason::NoData), TIMING);
        assert_eq!(told, Some((Some(UnavailableReason::NoData), s(100))));
    }

    #[test]
    fn flickering_sight_is_not_steady() {
        let ms = Duration::from_millis;
        for (seen, found) in [(4, Some(5_100)), (8, None)] {
            // `seen` frames of ten a second in every 2.5 s; each holds until the next.
            let mut availability = availability();
            let told = (0..120u64).find_map(|frame| {
                let here = frame % 25 >= 25 - seen;
                let step = ms(100);
                availability.advance(ms(frame * 100), step, if here { step } else { ms(0) });
                let seen = if here { Ok(()) } else { Err(UnavailableReason::NoGaze) };
                availability.observe(ms(frame * 100), seen, TIMING).map(|_| frame * 100)
            });
            assert_eq!(told, found, "{seen}");
        }
    }

    #[test]
    fn stalled_stamps_and_gaps() {
        let s = Duration::from_secs;
        let mut availability = availability();
        assert!(availability.stall(s(3)) && !availability.stall(s(3)));
        assert_eq!(availability.observe(s(3), Ok(()), TIMING), None);
        assert_eq!(availability.observe(s(4), Ok(()), TIMING), Some((None, s(3))));
        availability.gap(s(4));
        let told = availability.observe(s(20), Ok(()), TIMING);
        assert_eq!(told, Some((Some(UnavailableReason::NoData), s(4))));
        assert!(availability.end() && !availability.end());
        assert_eq!(availability.reason(), None);
    }
}
