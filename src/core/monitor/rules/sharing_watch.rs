//! The rule of visual attention time sharing at work: several glances away that add up.

use std::time::Duration;

use super::conditions::Conditions;
use super::decision::AlarmDecision;
use super::rule_profile::{EscalationStep, Scope, SharingRule};
use crate::core::monitor::alarms::alarm::{Alarm, ClearReason, Level};
use crate::core::monitor::signals::glance::{Glance, GlanceChange, GlanceDebounce};
use crate::core::monitor::signals::threshold::reached;
use crate::core::monitor::signals::time_sharing::{TimeAway, TimeSharing};
use crate::core::monitor::zones::zone::ZoneHit;

/// Watches the time away in a window.
#[derive(Debug, Default)]
pub struct SharingWatch {
    glance: Glance,
    window: TimeSharing,
    time_away: TimeAway,
    stage: usize,
    alarm: Option<(Alarm, Level)>,
    /// Length of the glance when the alarm came; `None` once the driver has looked back.
    warned: Option<Duration>,
    /// Time out of sight in this glance since the alarm.
    out_of_sight: Duration,
}

impl SharingWatch {
    /// Forgets all glances; the alarm stays.
    pub fn forget(&mut self) {
        self.glance = Glance::default();
        self.out_of_sight = Duration::ZERO;
        self.window.discard();
        self.window.reset();
        self.time_away = TimeAway::default();
    }

    /// Forgets the alarm.
    pub fn clear_alarm(&mut self) {
        self.stage = 0;
        self.alarm = None;
    }

    /// As [`GlanceWatch::lose_gaze`](super::glance_watch::GlanceWatch::lose_gaze).
    pub fn lose_gaze(&mut self, rule: &SharingRule, escalates: bool) -> Option<AlarmDecision> {
        let follows = self.awaits_response() && self.stage <= rule.steps.len();
        if escalates && follows {
            return None;
        }
        self.forget();
        self.alarm.filter(|(_, level)| *level < Level::Intervention)?;
        Some(self.clear(ClearReason::Unavailable))
    }

    /// As
    /// [`GlanceWatch::advance_out_of_sight`](super::glance_watch::GlanceWatch::advance_out_of_sight).
    pub fn advance_out_of_sight(&mut self, dt: Duration) {
        if self.awaits_response() {
            self.out_of_sight += dt;
        }
    }

    /// Whether a warning waits for a response.
    fn awaits_response(&self) -> bool {
        self.alarm.is_some() && self.warned.is_some() && self.glance.since().is_some()
    }

    /// Time away in the window.
    pub fn time_away(&self) -> Duration {
        self.time_away.away
    }

    /// Takes the interval of length `dt` that ends at `to`, with the gaze at `hit`.
    pub fn advance(&mut self, to: Duration, dt: Duration, hit: ZoneHit, debounce: GlanceDebounce) {
        let away = Scope::OffRoad.includes(hit);
        match self.glance.advance(to, dt, Some(away), debounce) {
            Some(GlanceChange::Opened(_)) => self.window.confirm(),
            Some(GlanceChange::Discarded) => self.window.discard(),
            Some(GlanceChange::Closed(_)) => {
                (self.warned, self.out_of_sight) = (None, Duration::ZERO)
            }
            None => {}
        }
        if away {
            self.window.add(to, dt, hit.class.is_phone(), self.glance.since().is_some());
        }
    }

    /// What the rule decides at `to`.
    pub fn evaluate(
        &mut self,
        rule: &SharingRule,
        to: Duration,
        conditions: &Conditions,
    ) -> Option<AlarmDecision> {
        let active = conditions.reaches(rule.from_speed.value);
        // An intervention goes on below the rule's speed until the driver looks back.
        let acts = self.alarm.is_some_and(|(_, level)| level >= Level::Intervention);
        if !active && !acts {
            self.forget();
        } else if reached(self.glance.returned(), rule.reset.time()) {
            self.window.reset();
        }
        self.time_away = self.window.within(to, rule.window.time());
        let Some((alarm, _)) = self.alarm else {
            let cumulative = rule.cumulative.time();
            if !active || !reached(self.time_away.away, cumulative) {
                return None;
            }
            let phone = self.time_away.phone.as_secs_f64() / self.time_away.away.as_secs_f64();
            let phone = phone >= rule.phone_share.value;
            let alarm = if phone { Alarm::PhoneUse } else { Alarm::ShortDistraction };
            let late = self.time_away.away.saturating_sub(cumulative);
            self.warned = Some(self.glance.duration().saturating_sub(late));
            return Some(self.raise(1, alarm, rule.level, to, late));
        };
        if !active && !acts {
            return Some(self.clear(ClearReason::Inactive));
        }
        if reached(self.glance.returned(), rule.reset.time()) {
            return Some(self.clear(ClearReason::Attentive));
        }
        let step: &EscalationStep = rule.steps.get(self.stage - 1)?;
        let threshold = self.warned? + step.after.time();
        let duration = self.glance.duration() + self.out_of_sight;
        reached(duration, threshold).then(|| {
            let late = duration.saturating_sub(threshold);
            self.raise(self.stage + 1, step.alarm.unwrap_or(alarm), step.level, to, late)
        })
    }

    fn raise(
        &mut self,
        stage: usize,
        alarm: Alarm,
        level: Level,
        to: Duration,
        late: Duration,
    ) -> AlarmDecision {
        self.stage = stage;
        self.alarm = Some((alarm, level));
        AlarmDecision::Raise { alarm, level, start: self.glance.since().unwrap_or(to), late }
    }

    fn clear(&mut self, why: ClearReason) -> AlarmDecision {
        self.clear_alarm();
        AlarmDecision::Clear(why)
    }
}
