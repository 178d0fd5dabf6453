//! Which rule has which alarm on. Two rules may have the same alarm on; it is reported once.

use std::time::Duration;

use super::alarm::{Alarm, AlarmRecord, AlarmSet, ClearReason, Level};
use super::event::MonitorEvent;

/// The alarm of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveAlarm {
    /// The alarm.
    pub alarm: Alarm,
    /// How urgent it is.
    pub level: Level,
}

/// The alarms of all rules; each rule has a slot.
#[derive(Debug)]
pub struct ActiveAlarms {
    slots: Vec<Option<ActiveAlarm>>,
}

impl ActiveAlarms {
    /// No alarm, for this number of rules.
    pub fn new(slots: usize) -> Self {
        Self { slots: vec![None; slots] }
    }

    /// The alarm of the rule in `slot`.
    pub fn get(&self, slot: usize) -> Option<ActiveAlarm> {
        self.slots.get(slot).copied().flatten()
    }

    /// All alarms that are on.
    pub fn set(&self) -> AlarmSet {
        self.slots.iter().flatten().map(|active| active.alarm).collect()
    }

    /// The most urgent level.
    pub fn level(&self) -> Level {
        self.slots.iter().flatten().map(|active| active.level).max().unwrap_or_default()
    }

    /// Raises a rule's alarm in place of the one that it has on.
    pub fn raise(&mut self, slot: usize, record: AlarmRecord, events: &mut Vec<MonitorEvent>) {
        let (before, level) = (self.set(), self.level_of(record.alarm));
        self.clear(slot, record.at, ClearReason::Escalated, Some(record.alarm), events);
        if let Some(active) = self.slots.get_mut(slot) {
            *active = Some(ActiveAlarm { alarm: record.alarm, level: record.level });
        }
        if !before.contains(record.alarm) || record.level > level {
            events.push(MonitorEvent::Raised(record));
        }
    }

    /// Clears a rule's alarm. Reports it unless it is `except`, or another rule has it on.
    pub fn clear(
        &mut self,
        slot: usize,
        at: Duration,
        why: ClearReason,
        except: Option<Alarm>,
        events: &mut Vec<MonitorEvent>,
    ) {
        let Some(active) = self.slots.get_mut(slot).and_then(Option::take) else { return };
        if !self.set().contains(active.alarm) && except != Some(active.alarm) {
            events.push(MonitorEvent::Cleared { alarm: active.alarm, at, why });
        }
    }

    /// Clears the alarms of all rules.
    pub fn clear_all(&mut self, at: Duration, why: ClearReason, events: &mut Vec<MonitorEvent>) {
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
    use crate::core::monitor::alarms::alarm::Movement;

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
    fn an_alarm_of_two_rules_is_reported_once() {
        let (mut active, mut events) = (ActiveAlarms::new(2), Vec::new());
        let gone = |alarm, why| MonitorEvent::Cleared { alarm, at: Duration::from_secs(1), why };
        let long = record(Alarm::LongDistraction, Level::Warning);
        let lost = record(Alarm::Unresponsive, Level::Intervention);
        active.raise(0, long, &mut events);
        active.raise(0, lost, &mut events);
        active.raise(1, lost, &mut events);
        assert_eq!(
            events,
            [
                MonitorEvent::Raised(long),
                gone(Alarm::LongDistraction, ClearReason::Escalated),
                MonitorEvent::Raised(lost),
            ]
        );
        assert_eq!((active.level(), active.set().iter().count()), (Level::Intervention, 1));
        events.clear();
        active.clear(0, Duration::from_secs(1), ClearReason::Attentive, None, &mut events);
        assert_eq!(events, []);
        active.clear(1, Duration::from_secs(1), ClearReason::Attentive, None, &mut events);
        assert_eq!(events, [gone(Alarm::Unresponsive, ClearReason::Attentive)]);
        assert!(active.set().is_empty());
    }

    #[test]
    fn a_more_urgent_level_is_reported_again() {
        let (mut active, mut events) = (ActiveAlarms::new(1), Vec::new());
        active.raise(0, record(Alarm::EyesOff, Level::Warning), &mut events);
        active.raise(0, record(Alarm::EyesOff, Level::Urgent), &mut events);
        assert_eq!(events.len(), 2, "{events:?}");
        assert_eq!(active.level(), Level::Urgent);
    }
}
