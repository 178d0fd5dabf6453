//! The rule of single glances at work: each watch holds one rule's state and decides when its alarm
//! begins, becomes more urgent, and ends.

use std::time::Duration;

use super::conditions::Conditions;
use super::decision::AlarmDecision;
use super::rule_profile::GlanceRule;
use crate::core::monitor::alarms::alarm::{Alarm, ClearReason, Level};
use crate::core::monitor::signals::glance::{Glance, GlanceChange, GlanceDebounce};
use crate::core::monitor::signals::threshold::{exceeded, reached};
use crate::core::monitor::zones::zone::ZoneHit;

/// Watches single glances for one rule.
#[derive(Debug, Default)]
pub struct GlanceWatch {
    glance: Glance,
    /// 0: no alarm; 1: the rule's own; from 2 on: its escalation steps.
    stage: usize,
    alarm: Option<(Alarm, Level)>,
    /// The threshold that raised the alarm.
    base: Duration,
    /// Time out of sight in this glance since the alarm.
    out_of_sight: Duration,
}

impl GlanceWatch {
    /// Forgets the glance; the alarm stays.
    pub fn forget(&mut self) {
        self.glance = Glance::default();
        self.out_of_sight = Duration::ZERO;
    }

    /// Forgets the alarm.
    pub fn clear_alarm(&mut self) {
        self.stage = 0;
        self.alarm = None;
    }

    /// The gaze is unavailable: forgets the glance, and clears the alarm below an intervention. With
    /// `escalates`, a warning with a further step stays, because time out of sight leads there.
    pub fn lose_gaze(&mut self, rule: &GlanceRule, escalates: bool) -> Option<AlarmDecision> {
        let follows = self.alarm.is_some() && self.stage <= rule.steps.len();
        if escalates && follows && self.glance.since().is_some() {
            return None;
        }
        self.forget();
        self.alarm.filter(|(_, level)| *level < Level::Intervention)?;
        Some(self.clear(ClearReason::Unavailable))
    }

    /// Takes an interval with the driver out of sight. It counts only while a warning waits for a
    /// response.
    pub fn advance_out_of_sight(&mut self, dt: Duration) {
        if self.alarm.is_some() && self.glance.since().is_some() {
            self.out_of_sight += dt;
        }
    }

    /// Takes the interval of length `dt` that ends at `to`, with the gaze at `hit`.
    pub fn advance(
        &mut self,
        rule: &GlanceRule,
        to: Duration,
        dt: Duration,
        hit: ZoneHit,
        debounce: GlanceDebounce,
    ) {
        let change = self.glance.advance(to, dt, Some(rule.scope.includes(hit)), debounce);
        if let Some(GlanceChange::Closed(_)) = change {
            self.out_of_sight = Duration::ZERO;
        }
    }

    /// What the rule decides at `to`.
    pub fn evaluate(
        &mut self,
        rule: &GlanceRule,
        to: Duration,
        conditions: &Conditions,
    ) -> Option<AlarmDecision> {
        let threshold = rule.threshold(conditions.speed, conditions.nominal);
        let duration = self.glance.duration() + self.out_of_sight;
        let Some((alarm, level)) = self.alarm else {
            let Some(threshold) = threshold else {
                self.forget();
                return None;
            };
            let over = match rule.inclusive {
                true => reached(duration, threshold),
                false => exceeded(duration, threshold),
            };
            if !over {
                return None;
            }
            self.base = threshold;
            return Some(self.raise(1, rule.alarm, rule.level, to, threshold));
        };
        // An intervention may stop the car, which is no response of the driver.
        if threshold.is_none() && level < Level::Intervention {
            self.forget();
            return Some(self.clear(ClearReason::Inactive));
        }
        if reached(self.glance.returned(), rule.clear.time()) {
            return Some(self.clear(ClearReason::Attentive));
        }
        let step = rule.steps.get(self.stage - 1)?;
        let threshold = self.base + step.after.time();
        reached(duration, threshold).then(|| {
            let alarm = step.alarm.unwrap_or(alarm);
            self.raise(self.stage + 1, alarm, step.level, to, threshold)
        })
    }

    fn raise(
        &mut self,
        stage: usize,
        alarm: Alarm,
        level: Level,
        to: Duration,
        threshold: Duration,
    ) -> AlarmDecision {
        self.stage = stage;
        self.alarm = Some((alarm, level));
        let start = self.glance.since().unwrap_or(to);
        let late = (self.glance.duration() + self.out_of_sight).saturating_sub(threshold);
        AlarmDecision::Raise { alarm, level, start, late }
    }

    fn clear(&mut self, why: ClearReason) -> AlarmDecision {
        self.clear_alarm();
        AlarmDecision::Clear(why)
    }
}
