//! The rules of closed eyes at work.

use std::time::Duration;

use super::gaze_watch::{Conditions, Verdict};
use super::profile::{EyeRules, Param, PerclosRule};
use crate::core::monitor::alarms::{Alarm, Cleared, Level};
use crate::core::monitor::signals::eyes::Closure;
use crate::core::monitor::signals::glance::reached;
use crate::core::monitor::signals::share::Share;

/// A drowsy driver's PERCLOS must fall below this part of the threshold. This project's choice, so
/// that the alarm does not come and go at the edge.
const DROWSY_BACK: f32 = 0.8;

/// Watches the eyes: how long they are closed in one piece, and for what part of the time.
///
/// That part is PERCLOS (P80): of the time with eyes to see, the part in which they are at least
/// 80 % closed, slow closures only (Wierwille et al. 1994; FHWA TB 98-006). Time without usable eyes
/// counts in neither sum: in the road trial of the drowsy-driver warning system 39 % of false alarms
/// were "no eyes" taken for closed ones.
///
/// At speeds below the rules' nothing is raised, and everything is counted: a share of a minute must
/// not be thinned by what was not looked at.
#[derive(Debug)]
pub struct EyeWatch {
    closure: Closure,
    perclos: Option<Share>,
    /// How much of the closure PERCLOS has.
    counted: Duration,
    /// How much of the closure was too slow for the rules: it is no part of what they count.
    rested: Duration,
    /// Whether there was an alarm of this closure.
    warned: bool,
    /// Time out of sight in this closure, since then.
    unseen: Duration,
    /// How long, in one piece, the gaze has been ahead while the eyes were not seen.
    ahead: Duration,
    stage: usize,
    drowsy: bool,
}

/// What closures are called, shortest first.
fn stages(rules: &EyeRules) -> [(&Param, Alarm, Level); 3] {
    [
        (&rules.microsleep, Alarm::Microsleep, Level::Urgent),
        (&rules.sleep, Alarm::Sleep, Level::Urgent),
        (&rules.unresponsive, Alarm::Unresponsive, Level::Intervention),
    ]
}

/// The stage in which the car may have to act: the last one.
const INTERVENTION: usize = 3;

impl EyeWatch {
    /// For these rules.
    pub fn new(rules: &EyeRules) -> Self {
        Self {
            closure: Closure::default(),
            perclos: rules.perclos.as_ref().map(|rule| Share::new(rule.window.time())),
            counted: Duration::ZERO,
            rested: Duration::ZERO,
            warned: false,
            unseen: Duration::ZERO,
            ahead: Duration::ZERO,
            stage: 0,
            drowsy: false,
        }
    }

    /// Forgets the closure and the last minute, and not the alarms.
    pub fn forget(&mut self) {
        self.discard();
        self.closure = Closure::default();
        if let Some(perclos) = &mut self.perclos {
            perclos.reset();
        }
    }

    /// Forgets the alarms.
    pub fn silence(&mut self) {
        self.stage = 0;
        self.drowsy = false;
        self.ahead = Duration::ZERO;
    }

    /// The closure was none: lids that are lowered to look down.
    pub fn discard(&mut self) {
        self.closure.discard();
        (self.counted, self.rested, self.unseen) = Default::default();
        self.warned = false;
    }

    /// The eyes can be judged no more: forgets what was counted, and says what is over of a closure
    /// and of drowsiness. A warning that something follows stays where that comes to a driver out
    /// of sight as well (`unseen`).
    pub fn lose(&mut self, unseen: bool) -> [Option<Verdict>; 2] {
        if unseen && self.waits() {
            return [None, None];
        }
        self.forget();
        let over = Some(Verdict::Clear(Cleared::Unavailable));
        let closure = over.filter(|_| (1..INTERVENTION).contains(&self.stage));
        if closure.is_some() {
            self.stage = 0;
        }
        let drowsiness = over.filter(|_| std::mem::take(&mut self.drowsy));
        [closure, drowsiness]
    }

    /// Takes an interval in which the driver was out of sight. It counts only while a warning waits
    /// for an answer.
    pub fn pass_unseen(&mut self, dt: Duration) {
        self.ahead = Duration::ZERO;
        if self.waits() {
            self.unseen += dt;
        }
    }

    /// Whether a warning waits for the eyes to open.
    fn waits(&self) -> bool {
        self.warned && (1..INTERVENTION).contains(&self.stage)
    }

    /// How long the eyes have been closed.
    pub fn closed(&self) -> Duration {
        self.closure.duration()
    }

    /// Part of the last minute before `now` with closed eyes, where enough was seen.
    pub fn perclos(&self, now: Duration, rules: &EyeRules) -> Option<f32> {
        self.perclos.as_ref()?.value(now, rules.perclos.as_ref()?.least.time())
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
        self.ahead = Duration::ZERO;
        let duration = self.closure.duration();
        self.rested = self.rested.min(duration);
        if self.closure.since().is_none() {
            (self.warned, self.unseen) = (false, Duration::ZERO);
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

    /// Takes an interval in which gaze was seen, at the road or elsewhere, and eyes were not. A steady
    /// gaze ahead ends an intervention because of eyes that nobody may ever see open; warnings end
    /// where that is told.
    pub fn advance_unseen(&mut self, dt: Duration, ahead: bool) {
        self.ahead = if ahead { self.ahead + dt } else { Duration::ZERO };
    }

    /// What the rules say of a closure at `to`.
    pub fn judge(
        &mut self,
        rules: &EyeRules,
        to: Duration,
        conditions: &Conditions,
    ) -> Option<Verdict> {
        let active = conditions.reaches(rules.from_speed.value);
        if !active && self.stage < INTERVENTION {
            self.rested = self.closure.duration();
            return (std::mem::take(&mut self.stage) > 0)
                .then_some(Verdict::Clear(Cleared::Inactive));
        }
        let clear = rules.clear.time();
        let ahead = self.stage == INTERVENTION && reached(self.ahead, clear);
        if self.stage > 0 && (ahead || reached(self.closure.open(), clear)) {
            self.stage = 0;
            if ahead {
                self.discard();
            }
            return Some(Verdict::Clear(Cleared::Attentive));
        }
        let duration = self.closure.duration().saturating_sub(self.rested);
        // Eyes out of sight are not seen to be closed: that alone makes no sleep of a microsleep.
        let times = [duration, duration, duration + self.unseen];
        // All that were reached since the last frame are one: the worst of them.
        let stages = stages(rules);
        let worst = (0..INTERVENTION).rfind(|i| reached(times[*i], stages[*i].0.time()))?;
        if worst < self.stage {
            return None;
        }
        (self.stage, self.warned) = (worst + 1, true);
        let (param, alarm, level) = stages[worst];
        let late = times[worst].saturating_sub(param.time());
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
        let Some(value) = self.perclos(to, rules) else {
            let over = std::mem::take(&mut self.drowsy);
            return over.then_some(Verdict::Clear(Cleared::Unavailable));
        };
        let (value, threshold) = (f64::from(value), rule.threshold.value);
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
