//! What is forgotten, and when: jumps in time, another person, a driver who is seen no more.

use std::time::Duration;

use super::Monitor;
use crate::core::monitor::alarms::{Cleared, Event, Sense};
use crate::core::monitor::rules::gaze_watch::{Conditions, GlanceWatch};
use crate::core::monitor::signals::glance::Glance;
use crate::core::monitor::signals::movement::Head;
use crate::core::monitor::signals::sight::Held;

impl Monitor {
    /// Forgets everything that time has to do with. What was learned of forward stays, and so does
    /// that the driver cannot be judged, until he is seen. For seeks.
    pub fn reset(&mut self, events: &mut Vec<Event>) {
        let at = self.timeline.now().unwrap_or_default();
        self.forget_person();
        self.silence(at, Cleared::Restart, events);
        self.go_back();
        self.timeline.reset();
    }

    /// Begins with another stream, which may show another car: forward is learned anew, and what
    /// was told is over. Counts go on.
    pub fn renew(&mut self, events: &mut Vec<Event>) {
        let at = self.timeline.now().unwrap_or_default();
        self.reset(events);
        for (sense, presence) in
            [(Sense::Gaze, &mut self.presence), (Sense::Eyes, &mut self.eye_presence)]
        {
            if presence.end() {
                events.push(Event::Available { sense, reason: None, since: at, at });
            }
        }
        if self.calibration.unlearn() {
            events.push(Event::Calibrated { ready: false, at });
        }
        self.conditions = Conditions::default();
        self.face = None;
    }

    pub(super) fn start_anew(&mut self, at: Duration, events: &mut Vec<Event>) {
        self.stats.restarts += 1;
        self.forget_person();
        self.silence(at, Cleared::Restart, events);
    }

    /// Stamps are of another time.
    pub(super) fn go_back(&mut self) {
        self.choice.reset();
        self.presence.rewind();
        self.eye_presence.rewind();
    }

    /// Turns all alarms off, and the watches' own memory of them.
    pub(super) fn silence(&mut self, at: Duration, why: Cleared, events: &mut Vec<Event>) {
        self.active.clear_all(at, why, events);
        self.glances.iter_mut().for_each(GlanceWatch::silence);
        self.sharing.silence();
        if let Some(eyes) = &mut self.eyes {
            eyes.silence();
        }
    }

    /// Forgets what was seen and counted of a person, and no alarm.
    pub(super) fn forget_person(&mut self) {
        self.looking = Held::default();
        self.closed = Held::default();
        self.unseen = false;
        self.settler.reset();
        self.head = Head::default();
        self.zone_delay = Duration::ZERO;
        self.road = Glance::default();
        self.glances.iter_mut().for_each(GlanceWatch::forget);
        self.sharing.forget();
        if let Some(eyes) = &mut self.eyes {
            eyes.forget();
        }
    }

    /// The driver's gaze can be judged no more: what was counted cannot go on as if nothing had been
    /// between, and alarms end with their evidence (see [`monitor`](super::super)).
    pub(super) fn lose(&mut self, at: Duration, events: &mut Vec<Event>) {
        self.road = Glance::default();
        self.settler.reset();
        let unseen = self.unseen_escalates();
        let count = self.glances.len();
        for slot in 0..count {
            let verdict = self.glances[slot].lose(&self.config.rules.rules[slot], unseen);
            self.tell(slot, verdict, at, at, events);
        }
        if let Some(rule) = &self.config.rules.sharing {
            let verdict = self.sharing.lose(rule, unseen);
            self.tell(count, verdict, at, at, events);
        }
    }

    /// Whether the driver is out of sight in a way that is no answer to a warning.
    pub(super) fn unseen_escalates(&self) -> bool {
        self.unseen && self.config.rules.glance.unseen_escalates()
    }

    /// The same of the eyes.
    pub(super) fn lose_eyes(&mut self, unseen: bool, at: Duration, events: &mut Vec<Event>) {
        let Some(eyes) = &mut self.eyes else { return };
        let count = self.glances.len();
        for (verdict, slot) in eyes.lose(unseen).into_iter().zip(count + 1..) {
            self.tell(slot, verdict, at, at, events);
        }
    }
}
