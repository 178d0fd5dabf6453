//! Which zone somebody looks at, once the gaze has settled there.

use std::time::Duration;

use super::glance::{exceeded, reached};
use crate::core::monitor::zones::zone::Place;

/// A zone that was settled on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settled {
    /// The zone before, where one is known.
    pub from: Option<Place>,
    /// The zone.
    pub place: Place,
    /// When the gaze left the zone before, or was seen first.
    pub left_at: Duration,
}

/// Follows the zone. Time elsewhere must outweigh time in the present zone; the zone that had most
/// of it is the new one. The first zone needs no time: there is none that it could be taken for.
#[derive(Debug, Default)]
pub struct Settler {
    present: Option<Place>,
    left_at: Option<Duration>,
    evidence: Duration,
    /// Time in each zone since then; the last is elsewhere.
    dwell: Vec<(Duration, Option<Place>)>,
}

impl Settler {
    /// For maps of so many zones.
    pub fn new(zones: usize) -> Self {
        Self { dwell: vec![(Duration::ZERO, None); zones + 1], ..Self::default() }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.present = None;
        self.forget();
    }

    fn forget(&mut self) {
        self.left_at = None;
        self.evidence = Duration::ZERO;
        self.dwell.fill((Duration::ZERO, None));
    }

    /// The zone that was settled on.
    pub fn present(&self) -> Option<Place> {
        self.present
    }

    /// Takes the interval that ends at `to`, lasted `dt` and was spent at `place`. Tells when the
    /// zone changes.
    pub fn advance(
        &mut self,
        to: Duration,
        dt: Duration,
        place: Place,
        settle: Duration,
    ) -> Option<Settled> {
        let Some(present) = self.present else {
            self.present = Some(place);
            return Some(Settled { from: None, place, left_at: to.saturating_sub(dt) });
        };
        if place.zone == present.zone {
            self.evidence = self.evidence.saturating_sub(dt);
            if !exceeded(self.evidence, Duration::ZERO) && self.left_at.is_some() {
                self.forget();
            }
            return None;
        }
        let left_at = *self.left_at.get_or_insert(to.saturating_sub(dt));
        self.evidence += dt;
        let last = self.dwell.len().saturating_sub(1);
        let slot = place.zone.map_or(last, |zone| usize::from(zone).min(last));
        if let Some((time, at)) = self.dwell.get_mut(slot) {
            *time += dt;
            *at = Some(place);
        }
        if !reached(self.evidence, settle) {
            return None;
        }
        let most = self.dwell.iter().max_by_key(|(time, _)| *time).and_then(|(_, place)| *place);
        let place = most.unwrap_or(place);
        self.present = Some(place);
        self.forget();
        Some(Settled { from: Some(present), place, left_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::monitor::zones::zone::ZoneClass;

    fn at(zone: u16) -> Place {
        Place { zone: Some(zone), class: ZoneClass::NonDriving, area_3: false }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn settles_on_the_zone_that_had_most_time() {
        let mut settler = Settler::new(3);
        let mut now = ms(0);
        let mut spend = |zone, time| {
            now += ms(time);
            settler.advance(now, ms(time), at(zone), ms(400))
        };
        let first = spend(0, 1000).expect("the first zone is told");
        assert_eq!((first.from, first.place, first.left_at), (None, at(0), ms(0)));
        assert_eq!(spend(1, 100), None);
        assert_eq!(spend(2, 250), None);
        let settled = spend(1, 50).expect("400 ms are over");
        assert_eq!((settled.from, settled.place), (Some(at(0)), at(2)));
        assert_eq!(settled.left_at, ms(1000));
        assert_eq!(spend(0, 100), None);
        assert_eq!(spend(2, 100), None, "a moment is none");
        assert_eq!(spend(0, 300), None);
        assert_eq!(spend(0, 100).map(|s| s.left_at), Some(ms(1600)));
    }
}
