//! The rules of gaze at work: each watch has one rule's memory and says when its alarm begins,
//! becomes more urgent, and ends. Those of the eyes are in [`eye_watch`](super::eye_watch).

use std::time::Duration;

use super::profile::{GlanceRule, Scope, SharingRule, Step};
use crate::core::monitor::alarms::{Alarm, Cleared, Level};
use crate::core::monitor::signals::glance::{Change, Debounce, Glance, exceeded, reached};
use crate::core::monitor::signals::sharing::{Shared, Sharing};
use crate::core::monitor::zones::zone::Place;

/// What is known of the car.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// km/h; `None` where it is not known, which counts as the strictest.
    pub speed: Option<f32>,
    /// Whether the situation is nominal, in the sense of (EU) 2023/2590.
    pub nominal: bool,
}

impl Default for Conditions {
    fn default() -> Self {
        Self { speed: None, nominal: true }
    }
}

impl Conditions {
    /// Whether the car is as fast as this, as far as is known.
    pub fn reaches(&self, speed: f64) -> bool {
        self.speed.is_none_or(|known| f64::from(known) >= speed)
    }
}

/// What a watch has to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Its alarm is on now.
    Raise {
        /// What.
        alarm: Alarm,
        /// How urgent.
        level: Level,
        /// When the glance or closure began.
        start: Duration,
        /// How long ago the threshold was reached.
        late: Duration,
    },
    /// Its alarm is over.
    Clear(Cleared),
}

/// Watches single glances.
#[derive(Debug, Default)]
pub struct GlanceWatch {
    glance: Glance,
    /// 0: no alarm, 1: the rule's, then its steps'.
    stage: usize,
    alarm: Option<(Alarm, Level)>,
    /// The threshold that was reached.
    base: Duration,
    /// Time out of sight in this glance, since the alarm.
    unseen: Duration,
}

impl GlanceWatch {
    /// Forgets the glance, and not the alarm.
    pub fn forget(&mut self) {
        self.glance = Glance::default();
        self.unseen = Duration::ZERO;
    }

    /// Forgets the alarm.
    pub fn silence(&mut self) {
        self.stage = 0;
        self.alarm = None;
    }

    /// The driver can be judged no more: forgets the glance, and the alarm below an intervention.
    /// A warning that something follows stays where that comes to a driver out of sight as well
    /// (`unseen`).
    pub fn lose(&mut self, rule: &GlanceRule, unseen: bool) -> Option<Verdict> {
        let follows = self.alarm.is_some() && self.stage <= rule.steps.len();
        if unseen && follows && self.glance.since().is_some() {
            return None;
        }
        self.forget();
        self.alarm.filter(|(_, level)| *level < Level::Intervention)?;
        Some(self.clear(Cleared::Unavailable))
    }

    /// Takes an interval in which the driver was out of sight. It counts only while a warning waits
    /// for an answer.
    pub fn pass_unseen(&mut self, dt: Duration) {
        if self.alarm.is_some() && self.glance.since().is_some() {
            self.unseen += dt;
        }
    }

    /// Takes the interval that ends at `to`, lasted `dt` and was spent at `place`.
    pub fn advance(
        &mut self,
        rule: &GlanceRule,
        to: Duration,
        dt: Duration,
        place: Place,
        debounce: Debounce,
    ) {
        let change = self.glance.advance(to, dt, Some(rule.scope.holds(place)), debounce);
        if let Some(Change::Closed(_)) = change {
            self.unseen = Duration::ZERO;
        }
    }

    /// What the rule says at `to`.
    pub fn judge(
        &mut self,
        rule: &GlanceRule,
        to: Duration,
        conditions: &Conditions,
    ) -> Option<Verdict> {
        let threshold = rule.threshold(conditions.speed, conditions.nominal);
        let duration = self.glance.duration() + self.unseen;
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
        // A car that stops because its driver does not react does not make him react.
        if threshold.is_none() && level < Level::Intervention {
            self.forget();
            return Some(self.clear(Cleared::Inactive));
        }
        if reached(self.glance.returned(), rule.clear.time()) {
            return Some(self.clear(Cleared::Attentive));
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
    ) -> Verdict {
        self.stage = stage;
        self.alarm = Some((alarm, level));
        let start = self.glance.since().unwrap_or(to);
        let late = (self.glance.duration() + self.unseen).saturating_sub(threshold);
        Verdict::Raise { alarm, level, start, late }
    }

    fn clear(&mut self, why: Cleared) -> Verdict {
        self.silence();
        Verdict::Clear(why)
    }
}

/// Watches many glances.
#[derive(Debug, Default)]
pub struct SharingWatch {
    glance: Glance,
    window: Sharing,
    shared: Shared,
    stage: usize,
    alarm: Option<(Alarm, Level)>,
    /// How long the glance had lasted when the alarm came; `None` once the driver has looked back.
    warned: Option<Duration>,
    /// Time out of sight in this glance, since the alarm.
    unseen: Duration,
}

impl SharingWatch {
    /// Forgets all glances, and not the alarm.
    pub fn forget(&mut self) {
        self.glance = Glance::default();
        self.unseen = Duration::ZERO;
        self.window.discard();
        self.window.reset();
        self.shared = Shared::default();
    }

    /// Forgets the alarm.
    pub fn silence(&mut self) {
        self.stage = 0;
        self.alarm = None;
    }

    /// See [`GlanceWatch::lose`].
    pub fn lose(&mut self, rule: &SharingRule, unseen: bool) -> Option<Verdict> {
        let follows = self.waits() && self.stage <= rule.steps.len();
        if unseen && follows {
            return None;
        }
        self.forget();
        self.alarm.filter(|(_, level)| *level < Level::Intervention)?;
        Some(self.clear(Cleared::Unavailable))
    }

    /// See [`GlanceWatch::pass_unseen`].
    pub fn pass_unseen(&mut self, dt: Duration) {
        if self.waits() {
            self.unseen += dt;
        }
    }

    /// Whether a warning waits for an answer.
    fn waits(&self) -> bool {
        self.alarm.is_some() && self.warned.is_some() && self.glance.since().is_some()
    }

    /// Time away in the window.
    pub fn shared(&self) -> Duration {
        self.shared.away
    }

    /// Takes the interval that ends at `to`, lasted `dt` and was spent at `place`.
    pub fn advance(&mut self, to: Duration, dt: Duration, place: Place, debounce: Debounce) {
        let away = Scope::OffRoad.holds(place);
        match self.glance.advance(to, dt, Some(away), debounce) {
            Some(Change::Opened(_)) => self.window.confirm(),
            Some(Change::Discarded) => self.window.discard(),
            Some(Change::Closed(_)) => (self.warned, self.unseen) = (None, Duration::ZERO),
            None => {}
        }
        if away {
            self.window.add(to, dt, place.class.is_phone(), self.glance.since().is_some());
        }
    }

    /// What the rule says at `to`.
    pub fn judge(
        &mut self,
        rule: &SharingRule,
        to: Duration,
        conditions: &Conditions,
    ) -> Option<Verdict> {
        let active = conditions.reaches(rule.from_speed.value);
        // An intervention goes on below the rule's speed, and has to see its end.
        let acts = self.alarm.is_some_and(|(_, level)| level >= Level::Intervention);
        if !active && !acts {
            self.forget();
        } else if reached(self.glance.returned(), rule.reset.time()) {
            self.window.reset();
        }
        self.shared = self.window.within(to, rule.window.time());
        let Some((alarm, _)) = self.alarm else {
            let cumulative = rule.cumulative.time();
            if !active || !reached(self.shared.away, cumulative) {
                return None;
            }
            let phone = self.shared.phone.as_secs_f64() / self.shared.away.as_secs_f64();
            let phone = phone >= rule.phone_share.value;
            let alarm = if phone { Alarm::PhoneUse } else { Alarm::ShortDistraction };
            let late = self.shared.away.saturating_sub(cumulative);
            self.warned = Some(self.glance.duration().saturating_sub(late));
            return Some(self.raise(1, alarm, rule.level, to, late));
        };
        if !active && !acts {
            return Some(self.clear(Cleared::Inactive));
        }
        if reached(self.glance.returned(), rule.reset.time()) {
            return Some(self.clear(Cleared::Attentive));
        }
        let step: &Step = rule.steps.get(self.stage - 1)?;
        let threshold = self.warned? + step.after.time();
        let duration = self.glance.duration() + self.unseen;
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
    ) -> Verdict {
        self.stage = stage;
        self.alarm = Some((alarm, level));
        Verdict::Raise { alarm, level, start: self.glance.since().unwrap_or(to), late }
    }

    fn clear(&mut self, why: Cleared) -> Verdict {
        self.silence();
        Verdict::Clear(why)
    }
}
