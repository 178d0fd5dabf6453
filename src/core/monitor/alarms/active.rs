//! Which rule has which alarm on. One alarm may be on for two reasons; it is told once.

use std::time::Duration;

use super::{Alarm, AlarmRecord, AlarmSet, Cleared, Event, Level};

/// An alarm of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    /// What.
    pub alarm: Alarm,
    /// How urgent.
    pub level: Level,
}

/// The alarms of all rules, each rule with a slot of its own.
#[derive(Debug)]
pub struct ActiveAlarms {
    slots: Vec<Option<Active>>,
}

impl ActiveAlarms {
    /// For so many rules.
    pub fn new(slots: usize) -> Self {
        Self { slots: vec![None; slots] }
    }

    /// The alarm of a rule.
    pub fn get(&self, slot: usize) -> Option<Active> {
        self.slots.get(slot).copied().flatten()
    }

    /// All that are on.
    pub fn set(&self) -> AlarmSet {
        self.slots.iter().flatten().map(|active| active.alarm).collect()
    }

    /// The most urgent level.
    pub fn level(&self) -> Level {
        self.slots.iter().flatten().map(|active| active.level).max().unwrap_or_default()
    }

    /// Turns a rule's alarm on, in place of the one that it has.
    pub fn raise(&mut self, slot: usize, record: AlarmRecord, events: &mut Vec<Event>) {
        let (before, level) = (self.set(), self.level_of(record.alarm));
        self.clear(slot, record.at, Cleared::Escalated, Some(record.alarm), events);
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(Active { alarm: record.alarm, level: record.level });
        }
        if !before.contains(record.alarm) || record.level > level {
            events.push(Event::Raised(record));
        }
    }

    /// Turns a rule's alarm off; nothing is told of `but`.
    pub fn clear(
        &mut self,
        slot: usize,
        at: Duration,
        why: Cleared,
        but: Option<Alarm>,
        events: &mut Vec<Event>,
    ) {
        let Some(active) = self.slots.get_mut(slot).and_then(Option::take) else { return };
        if !self.set().contains(active.alarm) && but != Some(active.alarm) {
            events.push(Event::Cleared { alarm: active.alarm, at, why });
        }
    }

    /// Turns all off.
    pub fn clear_all(&mut self, at: Duration, why: Cleared, events: &mut Vec<Event>) {
        for slot in 0..self.slots.len() {
            self.clear(slot, at, why, None, events);
        }
    }

    fn level_of(&self, alarm: Alarm) -> Level {
        let same = self.slots.iter().flatten().filter(|active| active.alarm == alarm);
        same.map(|active| active.level).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::monitor::alarms::Movement;

    fn record(alarm: Alarm, level: Level) -> AlarmRecord {
        AlarmRecord {
            alarm,
            level,
            start: Duration::ZERO,
            threshold: Duration::ZERO,
            at: Duration::from_secs(1),
            zone: None,
            movement: Movement::Unknown,
            speed: None,
            confidence: 0.0,
            zone_delay: Duration::ZERO,
        }
    }

    #[test]
    fn two_reasons_are_one_alarm() {
        let (mut active, mut events) = (ActiveAlarms::new(2), Vec::new());
        let gone = |alarm, why| Event::Cleared { alarm, at: Duration::from_secs(1), why };
        let long = record(Alarm::LongDistraction, Level::Warning);
        let lost = record(Alarm::Unresponsive, Level::Intervention);
        active.raise(0, long, &mut events);
        active.raise(0, lost, &mut events);
        active.raise(1, lost, &mut events);
        assert_eq!(
            events,
            [
                Event::Raised(long),
                gone(Alarm::LongDistraction, Cleared::Escalated),
                Event::Raised(lost),
            ]
        );
        assert_eq!((active.level(), active.set().iter().count()), (Level::Intervention, 1));
        events.clear();
        active.clear(0, Duration::from_secs(1), Cleared::Attentive, None, &mut events);
        assert_eq!(events, []);
        active.clear(1, Duration::from_secs(1), Cleared::Attentive, None, &mut events);
        assert_eq!(events, [gone(Alarm::Unresponsive, Cleared::Attentive)]);
        assert!(active.set().is_empty());
    }

    #[test]
    fn the_same_alarm_more_urgent_is_told_again() {
        let (mut active, mut events) = (ActiveAlarms::new(1), Vec::new());
        active.raise(0, record(Alarm::EyesOff, Level::Warning), &mut events);
        active.raise(0, record(Alarm::EyesOff, Level::Urgent), &mut events);
        assert_eq!(events.len(), 2, "{events:?}");
        assert_eq!(active.level(), Level::Urgent);
    }
}
