//! Whether a driver (or only the eyes) can be judged, and why not.
//!
//! Two things make a driver one that cannot be judged: no steady sight of him for a while, or
//! hardly any sight of him at all for a longer one. Sight is steady once it has lasted for half a
//! second, short interruptions left out, so a face that flickers up in one frame of many does not
//! pass for one.

use std::time::Duration;

use super::glance::reached;
use super::share::Share;
use crate::core::monitor::alarms::Reason;

/// Sight that lasts for so long is steady. This project's choice: longer than the 0.4 s that open a
/// glance, so that a rule could work with it.
const STEADY: Duration = Duration::from_millis(500);

/// Sight of less than this part of the time is hardly any; 0..=1. This project's choice: of 10 s it
/// is less than a long glance.
const SPARSE: f32 = 0.2;

/// It must be this part of the time before it is enough again; twice as much, so that nothing
/// flickers at the edge.
const ENOUGH: f32 = 0.4;

/// When it is said that a driver cannot be judged, and that it is over.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Time without steady sight.
    pub after: Duration,
    /// Time of steady sight.
    pub back: Duration,
    /// Interruptions that do not count.
    pub tolerance: Duration,
}

/// Follows it.
#[derive(Debug)]
pub struct Presence {
    /// Since when there has been no steady sight, and why.
    lost: Option<(Duration, Reason)>,
    /// Since when there has been sight, short interruptions left out.
    since: Option<Duration>,
    /// Since when the present interruption lasts.
    missing: Option<Duration>,
    /// The part of the last seconds without sight.
    unseen: Share,
    /// How much of them there must be.
    least: Duration,
    reason: Option<Reason>,
    /// Whether that was said because there was hardly any sight.
    sparse: bool,
}

impl Presence {
    /// Hardly any sight in so long a time is told; whole seconds, two at least.
    pub fn new(window: Duration) -> Self {
        let window = Duration::from_secs(window.as_secs().max(2));
        Self {
            lost: None,
            since: None,
            missing: None,
            unseen: Share::new(window),
            // The slot that is under way is not full.
            least: window - Duration::from_secs(1),
            reason: None,
            sparse: false,
        }
    }

    /// Why the driver cannot be judged; `None` where he can.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Lets the time up to `to` pass, of which so much was known.
    pub fn pass(&mut self, to: Duration, dt: Duration, known: Duration) {
        self.unseen.add(to, dt, dt.saturating_sub(known));
    }

    /// Takes the frame at `at`, in which the driver was seen or not. Tells a change: the reason
    /// now, and since when.
    pub fn see(
        &mut self,
        at: Duration,
        seen: Result<(), Reason>,
        patience: Patience,
    ) -> Option<(Option<Reason>, Duration)> {
        // The time before this frame first: what it shows does not undo it.
        let gone = self.missing.map(|since| at.saturating_sub(since)).unwrap_or_default();
        if gone > patience.tolerance {
            self.since = None;
        }
        let mut change = None;
        if self.reason.is_none() {
            let why = self.lost.map(|(_, why)| why).or(seen.err()).unwrap_or(Reason::NoData);
            let since = self.overdue(at, patience).or_else(|| self.hardly(at));
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
                if self.reason.is_some() && reached(steady, patience.back) && self.enough(at) {
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

    /// Since when there has been no steady sight, where that is too long and there is none now.
    fn overdue(&self, at: Duration, patience: Patience) -> Option<Duration> {
        self.missing?;
        let (since, _) = self.lost?;
        reached(at.saturating_sub(since), patience.after).then_some(since)
    }

    /// Since when there has been hardly any sight.
    fn hardly(&mut self, at: Duration) -> Option<Duration> {
        let unseen = self.unseen.value(at, self.least)?;
        self.sparse = unseen > 1.0 - SPARSE;
        self.sparse.then(|| at.saturating_sub(self.least))
    }

    fn enough(&self, at: Duration) -> bool {
        !self.sparse
            || self.unseen.value(at, Duration::ZERO).is_some_and(|unseen| unseen <= 1.0 - ENOUGH)
    }

    /// Stamps went back: what was counted is of no use, what was told holds.
    pub fn rewind(&mut self) {
        (self.lost, self.since, self.missing) = (None, None, None);
        self.unseen.reset();
    }

    /// Nobody saw anything since `last`.
    pub fn skip(&mut self, last: Duration) {
        self.missing.get_or_insert(last);
        self.lost.get_or_insert((last, Reason::NoData));
        self.unseen.reset();
    }

    /// Another person is looked at, who has to be seen for as long as anybody else.
    pub fn another(&mut self) {
        self.since = None;
    }

    /// Time stands still at `at`, so that nothing can be judged. Whether that is to be told.
    pub fn stall(&mut self, at: Duration) -> bool {
        self.rewind();
        self.missing = Some(at);
        self.lost = Some((at, Reason::NoData));
        let new = self.reason.is_none();
        self.reason.get_or_insert(Reason::NoData);
        new
    }

    /// What was told is over, whatever is seen. Whether anything was.
    pub fn end(&mut self) -> bool {
        self.rewind();
        self.sparse = false;
        self.reason.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        after: Duration::from_secs(5),
        back: Duration::from_secs(1),
        tolerance: Duration::from_millis(300),
    };

    fn presence() -> Presence {
        Presence::new(Duration::from_secs(10))
    }

    #[test]
    fn said_in_time_and_taken_back_in_time() {
        let mut presence = presence();
        let ms = Duration::from_millis;
        let mut changes = Vec::new();
        for frame in 0..200u64 {
            let seen = match frame {
                0..20 | 80..83 | 100..200 => Ok(()),
                _ => Err(Reason::NoFace),
            };
            changes.extend(presence.see(ms(frame * 100), seen, PATIENCE).map(|c| (frame, c)));
        }
        assert_eq!(changes, [(70, (Some(Reason::NoFace), ms(2000))), (110, (None, ms(10_000))),]);
    }

    #[test]
    fn never_seen_is_missed_too() {
        let mut presence = presence();
        let s = Duration::from_secs;
        assert_eq!(presence.see(s(100), Err(Reason::NoData), PATIENCE), None);
        let told = presence.see(s(105), Err(Reason::NoData), PATIENCE);
        assert_eq!(told, Some((Some(Reason::NoData), s(100))));
    }

    #[test]
    fn a_moment_of_sight_is_none() {
        let ms = Duration::from_millis;
        for (seen, found) in [(4, Some(5_100)), (8, None)] {
            // So many frames of ten a second in every 2.5 s, each of which counts for itself.
            let mut presence = presence();
            let told = (0..120u64).find_map(|frame| {
                let here = frame % 25 >= 25 - seen;
                let step = ms(100);
                presence.pass(ms(frame * 100), step, if here { step } else { ms(0) });
                let seen = if here { Ok(()) } else { Err(Reason::NoGaze) };
                presence.see(ms(frame * 100), seen, PATIENCE).map(|_| frame * 100)
            });
            assert_eq!(told, found, "{seen}");
        }
    }

    #[test]
    fn time_that_stands_still_and_time_that_is_left_out() {
        let s = Duration::from_secs;
        let mut presence = presence();
        assert!(presence.stall(s(3)) && !presence.stall(s(3)));
        assert_eq!(presence.see(s(3), Ok(()), PATIENCE), None);
        assert_eq!(presence.see(s(4), Ok(()), PATIENCE), Some((None, s(3))));
        presence.skip(s(4));
        let told = presence.see(s(20), Ok(()), PATIENCE);
        assert_eq!(told, Some((Some(Reason::NoData), s(4))));
        assert!(presence.end() && !presence.end());
        assert_eq!(presence.reason(), None);
    }
}
