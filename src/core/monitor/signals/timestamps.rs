//! The order of stamps: which frames let time pass, and where it starts again.

use std::time::Duration;

/// After this many frames in a row without a later stamp, stamps stand still. This project's choice:
/// a second of frames at 30 a second; reordering in a decoder affects a few.
const STALLED: u32 = 30;

/// How a stamp follows the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeStep {
    /// The first stamp.
    First,
    /// Time goes on from the last stamp.
    Advance(Duration),
    /// Not later than the last stamp: a duplicate, or disorder.
    OutOfOrder,
    /// A gap since the last stamp.
    Gap(Duration),
    /// A jump far back.
    Back,
    /// Stamps stand still.
    Stalled,
}

/// Follows stamps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timestamps {
    last: Option<Duration>,
    ignored: u32,
}

impl Timestamps {
    /// The last stamp that let time pass.
    pub fn last(&self) -> Option<Duration> {
        self.last
    }

    /// Starts time again with the next stamp.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Takes a stamp. A jump by more than `restart` starts time again.
    pub fn step(&mut self, at: Duration, restart: Duration) -> TimeStep {
        let step = match self.last {
            None => TimeStep::First,
            Some(last) if at > last && at - last <= restart => TimeStep::Advance(last),
            Some(last) if at > last => TimeStep::Gap(last),
            Some(last) if last - at > restart => TimeStep::Back,
            Some(_) if self.ignored + 1 < STALLED => TimeStep::OutOfOrder,
            Some(_) => TimeStep::Stalled,
        };
        if step == TimeStep::OutOfOrder {
            self.ignored += 1;
        } else {
            self.ignored = 0;
            self.last = Some(at);
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disorder_is_ignored_and_a_stall_is_not() {
        let s = Duration::from_secs;
        let mut timestamps = Timestamps::default();
        let mut step = |at| timestamps.step(s(at), s(2));
        assert_eq!(step(10), TimeStep::First);
        assert_eq!(step(12), TimeStep::Advance(s(10)));
        assert_eq!((step(12), step(10)), (TimeStep::OutOfOrder, TimeStep::OutOfOrder));
        assert_eq!(step(13), TimeStep::Advance(s(12)));
        assert_eq!(step(16), TimeStep::Gap(s(13)));
        assert_eq!(step(13), TimeStep::Back);
        let steps: Vec<_> = (0..31).map(|_| step(12)).collect();
        assert!(steps[..29].iter().all(|step| *step == TimeStep::OutOfOrder));
        assert_eq!(steps[29..], [TimeStep::Stalled, TimeStep::OutOfOrder]);
        assert_eq!(step(13), TimeStep::Advance(s(12)));
    }
}
