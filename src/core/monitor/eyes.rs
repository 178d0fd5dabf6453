//! Eyes that are closed: for how long in one piece, and for what part of the last minute.

use std::time::Duration;

/// A single frame that says otherwise does not end a closure: two frames at 20 a second.
const TOLERANCE: Duration = Duration::from_millis(100);

/// Length of one slot of PERCLOS's window.
const SLOT: Duration = Duration::from_secs(1);

/// The longest window of PERCLOS.
pub const MAX_WINDOW: Duration = Duration::from_secs(300);

/// A closure of the eyes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closure {
    closed: Duration,
    opened: Duration,
    since: Option<Duration>,
    /// Time open since the last closure.
    open: Duration,
}

impl Closure {
    /// Takes the interval that ends at `to`; what is not known stops the clock.
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
                    *self = Self { open: self.open, ..Self::default() };
                }
            }
            None => {}
        }
    }

    /// Since when, where they are.
    pub fn since(&self) -> Option<Duration> {
        self.since
    }

    /// How long they have been closed.
    pub fn duration(&self) -> Duration {
        self.closed
    }

    /// How long they have been open in one piece.
    pub fn open(&self) -> Duration {
        self.open
    }
}

/// PERCLOS (P80): the part of the time with eyes that are at least 80 % closed, slow closures only
/// (Wierwille et al. 1994; FHWA TB 98-006). Time without usable eyes counts in neither sum: in the
/// road trial of the drowsy-driver warning system 39 % of false alarms were "no eyes" taken for
/// closed ones.
#[derive(Debug)]
pub struct Perclos {
    slots: Vec<Slot>,
    /// Number of the slot that time is added to.
    current: u64,
    started: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    usable: Duration,
    closed: Duration,
}

impl Perclos {
    /// Over this window, in whole seconds.
    pub fn new(window: Duration) -> Self {
        let slots = window.min(MAX_WINDOW).as_secs().max(1) as usize;
        Self { slots: vec![Slot::default(); slots], current: 0, started: false }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.slots.fill(Slot::default());
        self.started = false;
    }

    /// Adds the interval that ends at `to`, of which so much had eyes to see and so much closed
    /// ones. A closure that turns out to be slow is added late, all of it at once.
    pub fn add(&mut self, to: Duration, usable: Duration, closed: Duration) {
        let number = (to.as_nanos() / SLOT.as_nanos()) as u64;
        let count = self.slots.len() as u64;
        if !self.started {
            (self.started, self.current) = (true, number);
        }
        if number.saturating_sub(self.current) >= count {
            self.slots.fill(Slot::default());
            self.current = number;
        }
        while self.current < number {
            self.current += 1;
            self.slots[(self.current % count) as usize] = Slot::default();
        }
        let slot = &mut self.slots[(self.current % count) as usize];
        slot.usable += usable;
        slot.closed += closed;
    }

    /// The part, 0..=1, where enough of the window has eyes to see.
    pub fn value(&self, least: Duration) -> Option<f32> {
        let sum = |f: fn(&Slot) -> Duration| self.slots.iter().map(f).sum::<Duration>();
        let usable = sum(|slot| slot.usable);
        let part = sum(|slot| slot.closed).as_secs_f32() / usable.as_secs_f32();
        (!usable.is_zero() && usable >= least).then(|| part.clamp(0.0, 1.0))
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
        let mut closure = Closure::default();
        let mut now = ms(0);
        let mut spend = |time: u64, closed: Option<bool>| {
            now += ms(time);
            closure.advance(now, ms(time), closed);
            closure.duration()
        };
        assert_eq!(spend(500, Some(true)), ms(500));
        assert_eq!(spend(50, Some(false)), ms(500));
        assert_eq!(spend(500, Some(true)), ms(1000));
        assert_eq!(spend(5000, None), ms(1000), "not seen is not closed");
        assert_eq!(spend(100, Some(false)), ms(0));
        assert_eq!(closure.open(), ms(100));
    }

    #[test]
    fn perclos_counts_what_was_seen() {
        let mut perclos = Perclos::new(Duration::from_secs(60));
        let least = Duration::from_secs(30);
        for second in 1..=29 {
            perclos.add(Duration::from_secs(second), ms(1000), ms(100));
        }
        assert_eq!(perclos.value(least), None);
        perclos.add(Duration::from_secs(30), ms(1000), ms(100));
        assert!((perclos.value(least).unwrap() - 0.1).abs() < 1e-6);
        // A minute later nothing of it is left.
        for second in 31..=95 {
            perclos.add(Duration::from_secs(second), ms(1000), ms(0));
        }
        assert_eq!(perclos.value(least), Some(0.0));
        perclos.add(Duration::from_secs(1000), ms(0), ms(0));
        assert_eq!(perclos.value(least), None);
    }
}
