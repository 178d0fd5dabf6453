//! The order of stamps: which frames let time pass, and where time starts anew.

use std::time::Duration;

/// So many frames in a row that come no later than the one before are no disorder any more: a
/// second's worth at 30 a second. This project's choice; reordering in a decoder affects a few.
const STALLED: u32 = 30;

/// What a stamp means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The first one.
    First,
    /// Time goes on, from then.
    On(Duration),
    /// Not later than the one before: twice the same frame, or disorder.
    Ignored,
    /// Nothing came for too long, since then.
    Gap(Duration),
    /// Far back: a jump.
    Back,
    /// Stamps do not advance.
    Stalled,
}

/// Follows stamps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timeline {
    last: Option<Duration>,
    ignored: u32,
}

impl Timeline {
    /// The stamp that time has come to.
    pub fn now(&self) -> Option<Duration> {
        self.last
    }

    /// Time starts anew with the next stamp.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Takes a stamp. Jumps by more than `restart` start time anew.
    pub fn step(&mut self, at: Duration, restart: Duration) -> Step {
        let step = match self.last {
            None => Step::First,
            Some(last) if at > last && at - last <= restart => Step::On(last),
            Some(last) if at > last => Step::Gap(last),
            Some(last) if last - at > restart => Step::Back,
            Some(_) if self.ignored + 1 < STALLED => Step::Ignored,
            Some(_) => Step::Stalled,
        };
        if step == Step::Ignored {
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
    fn disorder_is_ignored_and_standstill_is_not() {
        let s = Duration::from_secs;
        let mut timeline = Timeline::default();
        let mut step = |at| timeline.step(s(at), s(2));
        assert_eq!(step(10), Step::First);
        assert_eq!(step(12), Step::On(s(10)));
        assert_eq!((step(12), step(10)), (Step::Ignored, Step::Ignored));
        assert_eq!(step(13), Step::On(s(12)));
        assert_eq!(step(16), Step::Gap(s(13)));
        assert_eq!(step(13), Step::Back);
        let steps: Vec<_> = (0..31).map(|_| step(12)).collect();
        assert!(steps[..29].iter().all(|step| *step == Step::Ignored));
        assert_eq!(steps[29..], [Step::Stalled, Step::Ignored]);
        assert_eq!(step(13), Step::On(s(12)));
    }
}
