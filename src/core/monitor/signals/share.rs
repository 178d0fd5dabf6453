//! The part of a window of time that something took.

use std::time::Duration;

/// Length of one slot of the window.
const SLOT: Duration = Duration::from_secs(1);

/// The longest window.
const MAX_WINDOW: Duration = Duration::from_secs(600);

/// Sums over the last seconds, in slots of one second: the window is up to a second shorter than
/// what it was made for. Time that is not added counts in neither sum.
#[derive(Debug)]
pub struct Share {
    slots: Vec<Slot>,
    /// Number of the slot that time is added to.
    current: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    all: Duration,
    part: Duration,
}

impl Share {
    /// Over this window, in whole seconds, one at least.
    pub fn new(window: Duration) -> Self {
        let slots = window.min(MAX_WINDOW).as_secs().max(1) as usize;
        Self { slots: vec![Slot::default(); slots], current: None }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.slots.fill(Slot::default());
        self.current = None;
    }

    /// Adds an interval that ends at `to` and counts as `all`, `part` of which it took. Something
    /// that turns out late to have been so is added late, all of it at once.
    pub fn add(&mut self, to: Duration, all: Duration, part: Duration) {
        let number = slot_of(to);
        let count = self.slots.len() as u64;
        let current = self.current.get_or_insert(number);
        if number.saturating_sub(*current) >= count {
            self.slots.fill(Slot::default());
            *current = number;
        }
        while *current < number {
            *current += 1;
            self.slots[(*current % count) as usize] = Slot::default();
        }
        let slot = &mut self.slots[(*current % count) as usize];
        slot.all += all;
        slot.part += part;
    }

    /// The part at `now`, 0..=1, where `least` of the window was added. What is older than the
    /// window is left out, whether anything was added since or not.
    pub fn value(&self, now: Duration, least: Duration) -> Option<f32> {
        let current = self.current?;
        let count = self.slots.len() as u64;
        let first = (slot_of(now) + 1).saturating_sub(count);
        let oldest = (current + 1).saturating_sub(count);
        let kept = (first.max(oldest)..=current).map(|i| self.slots[(i % count) as usize]);
        let (all, part) = kept.fold((Duration::ZERO, Duration::ZERO), |(all, part), slot| {
            (all + slot.all, part + slot.part)
        });
        let value = part.as_secs_f32() / all.as_secs_f32();
        (!all.is_zero() && all >= least).then(|| value.clamp(0.0, 1.0))
    }
}

fn slot_of(at: Duration) -> u64 {
    at.as_secs() / SLOT.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Duration = Duration::from_secs(30);

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn counts_what_was_added() {
        let tenth = Duration::from_millis(100);
        let mut share = Share::new(s(60));
        for second in 1..=29 {
            share.add(s(second), s(1), tenth);
        }
        assert_eq!(share.value(s(29), LEAST), None);
        share.add(s(30), s(1), tenth);
        assert!((share.value(s(30), LEAST).unwrap() - 0.1).abs() < 1e-6);
        // A minute later nothing of it is left.
        for second in 31..=95 {
            share.add(s(second), s(1), Duration::ZERO);
        }
        assert_eq!(share.value(s(95), LEAST), Some(0.0));
        share.add(s(1000), Duration::ZERO, Duration::ZERO);
        assert_eq!(share.value(s(1000), LEAST), None);
    }

    #[test]
    fn gets_old_by_itself() {
        let mut share = Share::new(s(60));
        for second in 0..60 {
            share.add(s(second), s(1), if second < 40 { s(1) } else { s(0) });
        }
        assert_eq!(share.value(s(59), LEAST), Some(40.0 / 60.0));
        // Twenty seconds later the first twenty are out of the window, though nothing was added.
        assert_eq!(share.value(s(79), LEAST), Some(0.5));
        assert_eq!(share.value(s(90), LEAST), None);
        assert_eq!(share.value(s(10_000), LEAST), None);
        share.reset();
        assert_eq!(share.value(s(59), Duration::ZERO), None);
    }
}
