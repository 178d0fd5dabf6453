//! Holds the value of a frame until it expires: between two frames, and while frames show nothing.

use std::time::Duration;

/// A value with an expiry.
#[derive(Clone, Copy, Debug)]
pub struct SampleHold<T> {
    value: Option<T>,
    until: Duration,
    /// Whether the last frame showed a value.
    shown: bool,
}

impl<T> Default for SampleHold<T> {
    fn default() -> Self {
        Self { value: None, until: Duration::ZERO, shown: false }
    }
}

impl<T: Copy> SampleHold<T> {
    /// Holds the value that a frame shows.
    pub fn set(&mut self, value: T, until: Duration) {
        *self = Self { value: Some(value), until, shown: true };
    }

    /// Replaces the value that is held; its expiry stays.
    pub fn replace(&mut self, value: T) {
        self.value = self.value.map(|_| value);
    }

    /// The frame at `at` shows nothing. The value of the frame before held until now, however long
    /// a frame lasts, and holds on until `until`.
    pub fn miss(&mut self, at: Duration, until: Duration) {
        if std::mem::take(&mut self.shown) && at < self.until {
            self.until = until;
        }
    }

    /// The value at `from`, and until when it holds, `to` at most.
    pub fn between(&self, from: Duration, to: Duration) -> Option<(T, Duration)> {
        let value = self.value?;
        let end = to.min(self.until);
        (end > from).then_some((value, end))
    }

    /// The value, where it holds at this time.
    pub fn at(&self, at: Duration) -> Option<T> {
        self.value.filter(|_| at < self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_holds_until_it_expires() {
        let s = Duration::from_secs;
        let mut held = SampleHold::default();
        assert_eq!(held.between(s(0), s(9)), None);
        held.replace(5);
        assert_eq!(held.at(s(0)), None, "there was no value to replace");
        held.set(7, s(3));
        assert_eq!(held.between(s(1), s(2)), Some((7, s(2))));
        assert_eq!(held.between(s(1), s(9)), Some((7, s(3))));
        assert_eq!(held.between(s(3), s(9)), None);
        held.replace(8);
        assert_eq!((held.at(s(2)), held.at(s(3))), (Some(8), None));
        held.miss(s(2), s(4));
        held.miss(s(3), s(5));
        assert_eq!((held.at(s(3)), held.at(s(4))), (Some(8), None), "extended once");
    }
}
