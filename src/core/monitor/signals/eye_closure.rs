//! How long the eyes are closed in one piece.

use std::time::Duration;

/// Shortest opening that ends a closure: two frames at 20 a second, so that a single wrong frame does
/// not. This project's choice: shorter than eyes open between two blinks.
const TOLERANCE: Duration = Duration::from_millis(100);

/// Follows closures of the eyes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EyeClosure {
    closed: Duration,
    opened: Duration,
    since: Option<Duration>,
    /// Time open since the last closed frame.
    open: Duration,
}

impl EyeClosure {
    /// Takes the interval of length `dt` that ends at `to`; unknown time stops the clock.
    pub fn advance(&mut self, to: Duration, dt: Duration, closed: Option<bool>) {
        match closed {
            Some(true) => {
                self.since.get_or_insert(to.saturating_sub(dt));
                self.closed += dt;
                self.opened = Duration::ZERO;
                self.open = Duration::ZERO;
            }
            Some(false) => {
                self.open += dt;
                self.opened += dt;
                if self.since.is_some() && self.opened >= TOLERANCE {
                    self.discard();
                }
            }
            None => {}
        }
    }

    /// Ends the closure; the time open stays.
    pub fn discard(&mut self) {
        *self = Self { open: self.open, ..Self::default() };
    }

    /// When the closure began, where there is one.
    pub fn since(&self) -> Option<Duration> {
        self.since
    }

    /// How long the eyes have been closed.
    pub fn duration(&self) -> Duration {
        self.closed
    }

    /// How long the eyes have been open in one piece.
    pub fn open(&self) -> Duration {
        self.open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn one_frame_does_not_end_a_closure_and_two_do() {
        let mut closure = EyeClosure::default();
        let mut now = ms(0);
        let mut spend = |time: u64, closed: Option<bool>| {
            now += ms(time);
            closure.advance(now, ms(time), closed);
            closure.duration()
        };
        assert_eq!(spend(500, Some(true)), ms(500));
        assert_eq!(spend(50, Some(false)), ms(500));
        assert_eq!(spend(500, Some(true)), ms(1000));
        assert_eq!(spend(5000, None), ms(1000), "unknown time is not closed");
        assert_eq!(spend(100, Some(false)), ms(0));
        assert_eq!(closure.open(), ms(100));
    }
}
