//! The rules at work: each watch has one rule's memory and says when its alarm begins, becomes more
//! urgent, and ends.

use std::time::Duration;

use super::alarm::{Alarm, Cleared, Level};
use super::eyes::{Closure, Perclos};
use super::glance::{Change, Debounce, Glance, exceeded, reached};
use super::rules::{EyeRules, GlanceRule, PerclosRule, SharingRule, Step};
use super::sharing::{Shared, Sharing};
use super::zone::Place;

/// A drowsy driver's PERCLOS must fall below this part of the threshold.
const DROWSY_BACK: f32 = 0.8;

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
}

impl GlanceWatch {
    /// Forgets the glance, and not the alarm.
    pub fn forget(&mut self) {
        self.glance = Glance::default();
    }

    /// Forgets the alarm.
    pub fn silence(&mut self) {
        self.stage = 0;
        self.alarm = None;
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
        self.glance.advance(to, dt, Some(rule.scope.holds(place)), debounce);
    }

    /// What the rule says at `to`.
    pub fn judge(
        &mut self,
        rule: &GlanceRule,
        to: Duration,
        conditions: &Conditions,
    ) -> Option<Verdict> {
        let threshold = rule.threshold(conditions.speed, conditions.nominal);
        let duration = self.glance.duration();
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
        let late = self.glance.duration().saturating_sub(threshold);
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
}

impl SharingWatch {
    /// Forgets all glances, and not the alarm.
    pub fn forget(&mut self) {
        self.glance = Glance::default();
        self.window.discard();
        self.window.reset();
        self.shared = Shared::default();
    }

    /// Forgets the alarm.
    pub fn silence(&mut self) {
        self.stage = 0;
        self.alarm = None;
    }

    /// Time away in the window.
    pub fn shared(&self) -> Duration {
        self.shared.away
    }

    /// Takes the interval that ends at `to`, lasted `dt` and was spent at `place`.
    pub fn advance(&mut self, to: Duration, dt: Duration, place: Place, debounce: Debounce) {
        let away = super::rules::Scope::OffRoad.holds(place);
        match self.glance.advance(to, dt, Some(away), debounce) {
            Some(Change::Opened(_)) => self.window.confirm(),
            Some(Change::Discarded) => self.window.discard(),
            Some(Change::Closed(_)) => self.warned = None,
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
        if !active {
            self.forget();
        } else if reached(self.glance.returned(), rule.reset.time()) {
            self.window.reset();
        }
        self.shared = self.window.within(to, rule.window.time());
        let Some((alarm, level)) = self.alarm else {
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
        if !active && level < Level::Intervention {
            return Some(self.clear(Cleared::Inactive));
        }
        if reached(self.glance.returned(), rule.reset.time()) {
            return Some(self.clear(Cleared::Attentive));
        }
        let step: &Step = rule.steps.get(self.stage - 1)?;
        let threshold = self.warned? + step.after.time();
        let duration = self.glance.duration();
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

/// Watches the eyes.
#[derive(Debug)]
pub struct EyeWatch {
    closure: Closure,
    perclos: Option<Perclos>,
    /// How much of the closure PERCLOS has.
    counted: Duration,
    stage: usize,
    drowsy: bool,
}

impl EyeWatch {
    /// For these rules.
    pub fn new(rules: &EyeRules) -> Self {
        Self {
            closure: Closure::default(),
            perclos: rules.perclos.as_ref().map(|rule| Perclos::new(rule.window.time())),
            counted: Duration::ZERO,
            stage: 0,
            drowsy: false,
        }
    }

    /// Forgets the closure and the last minute, and not the alarms.
    pub fn forget(&mut self) {
        self.closure = Closure::default();
        self.counted = Duration::ZERO;
        if let Some(perclos) = &mut self.perclos {
            perclos.reset();
        }
    }

    /// Forgets the alarms.
    pub fn silence(&mut self) {
        self.stage = 0;
        self.drowsy = false;
    }

    /// How long the eyes have been closed.
    pub fn closed(&self) -> Duration {
        self.closure.duration()
    }

    /// Part of the last minute with closed eyes, where enough was seen.
    pub fn perclos(&self, rules: &EyeRules) -> Option<f32> {
        self.perclos.as_ref()?.value(rules.perclos.as_ref()?.least.time())
    }

    /// Takes the interval that ends at `to`, lasted `dt`, and in which the eyes were closed or not;
    /// of a driver who looks down they do not count for PERCLOS.
    pub fn advance(
        &mut self,
        rules: &EyeRules,
        to: Duration,
        dt: Duration,
        closed: bool,
        looking_down: bool,
    ) {
        self.closure.advance(to, dt, Some(closed));
        let (Some(rule), Some(perclos)) = (&rules.perclos, &mut self.perclos) else { return };
        let duration = self.closure.duration();
        self.counted = self.counted.min(duration);
        if looking_down {
            self.counted = duration;
            return;
        }
        let slow = duration >= rule.slow.time();
        let more = if slow { duration - self.counted } else { Duration::ZERO };
        self.counted += more;
        perclos.add(to, dt, more);
    }

    /// What the rules say of a closure at `to`.
    pub fn judge(
        &mut self,
        rules: &EyeRules,
        to: Duration,
        conditions: &Conditions,
    ) -> Option<Verdict> {
        let stages = [
            (&rules.microsleep, Alarm::Microsleep, Level::Urgent),
            (&rules.sleep, Alarm::Sleep, Level::Urgent),
            (&rules.unresponsive, Alarm::Unresponsive, Level::Intervention),
        ];
        let active = conditions.reaches(rules.from_speed.value);
        if !active && self.stage < stages.len() {
            self.closure = Closure::default();
            return (std::mem::take(&mut self.stage) > 0)
                .then_some(Verdict::Clear(Cleared::Inactive));
        }
        if self.stage > 0 && reached(self.closure.open(), rules.clear.time()) {
            self.stage = 0;
            return Some(Verdict::Clear(Cleared::Attentive));
        }
        let duration = self.closure.duration();
        // All that were reached since the last frame are one: the worst of them.
        let worst = stages.iter().rposition(|(param, ..)| reached(duration, param.time()))?;
        if worst < self.stage {
            return None;
        }
        self.stage = worst + 1;
        let (param, alarm, level) = stages[worst];
        let late = duration.saturating_sub(param.time());
        let start = self.closure.since().unwrap_or(to);
        Some(Verdict::Raise { alarm, level, start, late })
    }

    /// What the rules say of drowsiness at `to`.
    pub fn judge_drowsiness(
        &mut self,
        rules: &EyeRules,
        to: Duration,
        conditions: &Conditions,
    ) -> Option<Verdict> {
        let rule: &PerclosRule = rules.perclos.as_ref()?;
        if !conditions.reaches(rule.from_speed.value) {
            return std::mem::take(&mut self.drowsy).then_some(Verdict::Clear(Cleared::Inactive));
        }
        let value = f64::from(self.perclos(rules)?);
        let threshold = rule.threshold.value;
        if !self.drowsy && value >= threshold {
            self.drowsy = true;
            let start = to.saturating_sub(rule.window.time());
            let (alarm, level) = (Alarm::Drowsy, Level::Warning);
            return Some(Verdict::Raise { alarm, level, start, late: Duration::ZERO });
        }
        if self.drowsy && value < threshold * f64::from(DROWSY_BACK) {
            self.drowsy = false;
            return Some(Verdict::Clear(Cleared::Attentive));
        }
        None
    }
}
