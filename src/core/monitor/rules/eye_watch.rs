//! The rules of closed eyes at work: closures and drowsiness.

use std::time::Duration;

use super::conditions::Conditions;
use super::decision::AlarmDecision;
use super::rule_profile::{EyeRules, Param, PerclosRule};
use crate::core::monitor::alarms::alarm::{Alarm, ClearReason, Level};
use crate::core::monitor::signals::eye_closure::EyeClosure;
use crate::core::monitor::signals::threshold::reached;
use crate::core::monitor::signals::windowed_share::WindowedShare;

/// Hysteresis of drowsiness: PERCLOS must fall below this part of the threshold to clear it. This
/// project's choice.
const DROWSY_CLEAR: f32 = 0.8;

/// Watches the eyes: how long they are closed in one piece, and for which part of the time.
///
/// That part is PERCLOS (P80): of the time with visible eyes, the part in which they are at least
/// 80 % closed, slow closures only (Wierwille et al. 1994; FHWA TB 98-006). Time without visible eyes
/// enters neither sum: in the road trial of the drowsy-driver warning system, 39 % of the false
/// alarms were invisible eyes counted as closed.
///
/// Below the rules' speed no alarm is raised, but PERCLOS goes on counting, so that its window has
/// no holes.
#[derive(Debug)]
pub struct EyeWatch {
    closure: EyeClosure,
    perclos: Option<WindowedShare>,
    /// How much of the closure PERCLOS has counted.
    counted: Duration,
    /// How much of the closure lay below the rules' speed and does not count for them.
    rested: Duration,
    /// Whether this closure raised an alarm.
    warned: bool,
    /// Time out of sight in this closure since the alarm.
    out_of_sight: Duration,
    /// Time with the gaze ahead, in one piece, while the eyes were invisible.
    ahead: Duration,
    stage: usize,
    drowsy: bool,
}

/// The alarms of a closure, shortest closure first.
fn stages(rules: &EyeRules) -> [(&Param, Alarm, Level); 3] {
    [
        (&rules.microsleep, Alarm::Microsleep, Level::Urgent),
        (&rules.sleep, Alarm::Sleep, Level::Urgent),
        (&rules.unresponsive, Alarm::Unresponsive, Level::Intervention),
    ]
}

/// The last stage, in which the car may have to act.
const INTERVENTION: usize = 3;

impl EyeWatch {
    /// A watch for these rules.
    pub fn new(rules: &EyeRules) -> Self {
        Self {
            closure: EyeClosure::default(),
            perclos: rules.perclos.as_ref().map(|rule| WindowedShare::new(rule.window.time())),
            counted: Duration::ZERO,
            rested: Duration::ZERO,
            warned: false,
            out_of_sight: Duration::ZERO,
            ahead: Duration::ZERO,
            stage: 0,
            drowsy: false,
        }
    }

    /// Forgets the closure and the last minute; the alarms stay.
    pub fn forget(&mut self) {
        self.discard_closure();
        self.closure = EyeClosure::default();
        if let Some(perclos) = &mut self.perclos {
            perclos.reset();
        }
    }

    /// Forgets the alarms.
    pub fn clear_alarms(&mut self) {
        self.stage = 0;
        self.drowsy = false;
        self.ahead = Duration::ZERO;
    }

    /// Drops the present closure, whose lids were only lowered to look down.
    pub fn discard_closure(&mut self) {
        self.closure.discard();
        (self.counted, self.rested, self.out_of_sight) = Default::default();
        self.warned = false;
    }

    /// The eyes are unavailable: forgets what was counted, and clears the alarms of the closure and
    /// of drowsiness. With `escalates`, a warning with a further stage stays, because time out of
    /// sight leads there.
    pub fn lose_eyes(&mut self, escalates: bool) -> [Option<AlarmDecision>; 2] {
        if escalates && self.awaits_response() {
            return [None, None];
        }
        self.forget();
        let over = Some(AlarmDecision::Clear(ClearReason::Unavailable));
        let closure = over.filter(|_| (1..INTERVENTION).contains(&self.stage));
        if closure.is_some() {
            self.stage = 0;
        }
        let drowsiness = over.filter(|_| std::mem::take(&mut self.drowsy));
        [closure, drowsiness]
    }

    /// Takes an interval with the driver out of sight. It counts only while a warning waits for a
    /// response.
    pub fn advance_out_of_sight(&mut self, dt: Duration) {
        self.ahead = Duration::ZERO;
        if self.awaits_response() {
            self.out_of_sight += dt;
        }
    }

    /// Whether a warning waits for the eyes to open.
    fn awaits_response(&self) -> bool {
        self.warned && (1..INTERVENTION).contains(&self.stage)
    }

    /// How long the eyes have been closed.
    pub fn closed(&self) -> Duration {
        self.closure.duration()
    }

    /// PERCLOS of the window before `now`, where the eyes were visible for long enough.
    pub fn perclos(&self, now: Duration, rules: &EyeRules) -> Option<f32> {
        self.perclos.as_ref()?.value(now, rules.perclos.as_ref()?.least.time())
    }

    /// Takes the interval of length `dt` that ends at `to`, with the eyes closed or open. PERCLOS
    /// leaves out closures of a driver who looks down.
    pub fn advance(
        &mut self,
        rules: &EyeRules,
        to: Duration,
        dt: Duration,
        closed: bool,
        looking_down: bool,
    ) {
        self.closure.advance(to, dt, Some(closed));
        self.ahead = Duration::ZERO;
        let duration = self.closure.duration();
        self.rested = self.rested.min(duration);
        if self.closure.since().is_none() {
            (self.warned, self.out_of_sight) = (false, Duration::ZERO);
        }
        let (Some(rule), Some(perclos)) = (&rules.perclos, &mut self.perclos) else { return };
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

    /// Takes an interval with a gaze, ahead or elsewhere, and invisible eyes. A steady gaze ahead ends
    /// an intervention for closed eyes, which may never be visible again; warnings end when the
    /// eyes become unavailable.
    pub fn advance_without_eyes(&mut self, dt: Duration, ahead: bool) {
        self.ahead = if ahead { self.ahead + dt } else { Duration::ZERO };
    }

    /// What the rules decide about a closure at `to`.
    pub fn evaluate(
        &mut self,
        rules: &EyeRules,
        to: Duration,
        conditions: &Conditions,
    ) -> Option<AlarmDecision> {
        let active = conditions.reaches(rules.from_speed.value);
        if !active && self.stage < INTERVENTION {
            self.rested = self.closure.duration();
            return (std::mem::take(&mut self.stage) > 0)
                .then_some(AlarmDecision::Clear(ClearReason::Inactive));
        }
        let clear = rules.clear.time();
        let ahead = self.stage == INTERVENTION && reached(self.ahead, clear);
        if self.stage > 0 && (ahead || reached(self.closure.open(), clear)) {
            self.stage = 0;
            if ahead {
                self.discard_closure();
            }
            return Some(AlarmDecision::Clear(ClearReason::Attentive));
        }
        let duration = self.closure.duration().saturating_sub(self.rested);
        // Time out of sight leads to "unresponsive" only: it does not show closed eyes.
        let times = [duration, duration, duration + self.out_of_sight];
        // Of several stages reached since the last frame, the worst counts.
        let stages = stages(rules);
        let worst = (0..INTERVENTION).rfind(|i| reached(times[*i], stages[*i].0.time()))?;
        if worst < self.stage {
            return None;
        }
        (self.stage, self.warned) = (worst + 1, true);
        let (param, alarm, level) = stages[worst];
        let late = times[worst].saturating_sub(param.time());
        let start = self.closure.since().unwrap_or(to);
        Some(AlarmDecision::Raise { alarm, level, start, late })
    }

    /// What the rules decide about drowsiness at `to`.
    pub fn evaluate_drowsiness(
        &mut self,
        rules: &EyeRules,
        to: Duration,
        conditions: &Conditions,
    ) -> Option<AlarmDecision> {
        let rule: &PerclosRule = rules.perclos.as_ref()?;
        if !conditions.reaches(rule.from_speed.value) {
            return std::mem::take(&mut self.drowsy)
                .then_some(AlarmDecision::Clear(ClearReason::Inactive));
        }
        let Some(value) = self.perclos(to, rules) else {
            let over = std::mem::take(&mut self.drowsy);
            return over.then_some(AlarmDecision::Clear(ClearReason::Unavailable));
        };
        let (value, threshold) = (f64::from(value), rule.threshold.value);
        if !self.drowsy && value >= threshold {
            self.drowsy = true;
            let start = to.saturating_sub(rule.window.time());
            let (alarm, level) = (Alarm::Drowsy, Level::Warning);
            return Some(AlarmDecision::Raise { alarm, level, start, late: Duration::ZERO });
        }
        if self.drowsy && value < threshold * f64::from(DROWSY_CLEAR) {
            self.drowsy = false;
            return Some(AlarmDecision::Clear(ClearReason::Attentive));
        }
        None
    }
}
