//! Which zone the gaze has settled on: hysteresis in time. The hysteresis in angle is part of the
//! zone map.

use std::time::Duration;

use super::threshold::{exceeded, reached};
use crate::core::monitor::zones::zone::ZoneHit;

/// The gaze settled on another zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ZoneChange {
    /// The zone before, where known.
    pub from: Option<ZoneHit>,
    /// The new zone.
    pub to: ZoneHit,
    /// When the gaze left the zone before; for the first zone, when it was first seen.
    pub left_at: Duration,
}

/// Follows the zone. Time in other zones must exceed time in the current zone; the zone with most of
/// it is the new one. The first zone counts at once.
#[derive(Debug, Default)]
pub struct ZoneHysteresis {
    current: Option<ZoneHit>,
    left_at: Option<Duration>,
    evidence: Duration,
    /// Dwell in each zone since then; the last entry is elsewhere.
    dwell: Vec<(Duration, Option<ZoneHit>)>,
}

impl ZoneHysteresis {
    /// No zone yet, in a map of this number of zones.
    pub fn new(zones: usize) -> Self {
        Self { dwell: vec![(Duration::ZERO, None); zones + 1], ..Self::default() }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.current = None;
        self.forget();
    }

    fn forget(&mut self) {
        self.left_at = None;
        self.evidence = Duration::ZERO;
        self.dwell.fill((Duration::ZERO, None));
    }

    /// The zone that the gaze has settled on.
    pub fn current(&self) -> Option<ZoneHit> {
        self.current
    }

    /// Takes the interval of length `dt` that ends at `to`, with the gaze at `hit`. `settle` is the
    /// time by which another zone must prevail.
    pub fn advance(
        &mut self,
        to: Duration,
        dt: Duration,
        hit: ZoneHit,
        settle: Duration,
    ) -> Option<ZoneChange> {
        let Some(current) = self.current else {
            self.current = Some(hit);
            return Some(ZoneChange { from: None, to: hit, left_at: to.saturating_sub(dt) });
        };
        if hit.zone == current.zone {
            self.evidence = self.evidence.saturating_sub(dt);
            if !exceeded(self.evidence, Duration::ZERO) && self.left_at.is_some() {
                self.forget();
            }
            return None;
        }
        let left_at = *self.left_at.get_or_insert(to.saturating_sub(dt));
        self.evidence += dt;
        let last = self.dwell.len().saturating_sub(1);
        let entry = hit.zone.map_or(last, |zone| usize::from(zone).min(last));
        if let Some((time, at)) = self.dwell.get_mut(entry) {
            *time += dt;
            *at = Some(hit);
        }
        if !reached(self.evidence, settle) {
            return None;
        }
        let most = self.dwell.iter().max_by_key(|(time, _)| *time).and_then(|(_, hit)| *hit);
        let zone = most.unwrap_or(hit);
        self.current = Some(zone);
        self.forget();
        Some(ZoneChange { from: Some(current), to: zone, left_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::monitor::zones::zone::ZoneClass;

    fn at(zone: u16) -> ZoneHit {
        ZoneHit { zone: Some(zone), class: ZoneClass::NonDriving, area_3: false }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn settles_on_the_zone_with_most_dwell() {
        let mut hysteresis = ZoneHysteresis::new(3);
        let mut now = ms(0);
        let mut spend = |zone, time| {
            now += ms(time);
            hysteresis.advance(now, ms(time), at(zone), ms(400))
        };
        let first = spend(0, 1000).expect("the first zone counts at once");
        assert_eq!((first.from, first.to, first.left_at), (None, at(0), ms(0)));
        assert_eq!(spend(1, 100), None);
        assert_eq!(spend(2, 250), None);
        let settled = spend(1, 50).expect("400 ms have passed");
        assert_eq!((settled.from, settled.to), (Some(at(0)), at(2)));
        assert_eq!(settled.left_at, ms(1000));
        assert_eq!(spend(0, 100), None);
        assert_eq!(spend(2, 100), None, "too short");
        assert_eq!(spend(0, 300), None);
        assert_eq!(spend(0, 100).map(|s| s.left_at), Some(ms(1600)));
    }
}
