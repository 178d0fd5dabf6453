//! What a frame shows of the driver.

use std::time::Duration;

use super::{Looking, Monitor};
use crate::core::gaze::FrameGaze;
use crate::core::geometry::Gaze;
use crate::core::monitor::alarms::{Cleared, Event, Level, Reason, Sense};
use crate::core::monitor::rules::profile::EyeRules;
use crate::core::monitor::signals::driver::Claim;
use crate::core::monitor::signals::sight::{Face, Held, Sight};
use crate::core::monitor::zones::zone::Place;

impl Monitor {
    /// Finds the driver among the faces of a frame.
    pub(super) fn find(
        &mut self,
        at: Duration,
        frame: &FrameGaze,
        events: &mut Vec<Event>,
    ) -> Sight {
        let claim = if self.active.level() >= Level::Intervention {
            Claim::Nobody
        } else if self.presence.reason().is_some() {
            Claim::Missing(self.patience.after)
        } else {
            Claim::Larger
        };
        let choice = self.choice.choose(at, &frame.faces, frame.size, self.config.driver, claim);
        if choice.other {
            self.forget_person();
            self.presence.another();
            self.eye_presence.another();
            self.silence(at, Cleared::OtherDriver, events);
        }
        self.face = choice.face.and_then(|face| u32::try_from(face).ok());
        let face = choice.face.and_then(|face| frame.faces.get(face));
        face.map_or(Sight::Nothing(Reason::NoFace), |face| Sight::Face(Face::from(face)))
    }

    /// Takes what the frame shows; it counts from now on.
    pub(super) fn take(&mut self, at: Duration, sight: Sight, events: &mut Vec<Event>) {
        let seen = match sight {
            Sight::Face(face) => self.take_face(at, face),
            Sight::Nothing(reason) => {
                let until = at + self.debounce.tolerance;
                self.looking.lose(at, until);
                self.closed.lose(at, until);
                Err(reason)
            }
        };
        self.stats.unusable += u64::from(seen.is_err());
        self.unseen = matches!(seen, Err(Reason::NoFace | Reason::NoGaze));
        if let Some((reason, since)) = self.presence.see(at, seen, self.patience) {
            events.push(Event::Available { sense: Sense::Gaze, reason, since, at });
        }
        // What the last frame but one showed may still count; then nothing does.
        if seen.is_err() && self.presence.reason().is_some() {
            if self.looking.at(at).is_none() {
                self.lose(at, events);
            }
            if self.closed.at(at).is_none() {
                self.lose_eyes(self.unseen_escalates(), at, events);
            }
        }
        // Where there is no face there are no eyes either, and that is told already.
        let (Sight::Face(face), Some(_)) = (sight, &self.eyes) else { return };
        let eyes = face.openness.map(|_| ()).ok_or(Reason::NoEyes);
        if let Some((reason, since)) = self.eye_presence.see(at, eyes, self.patience) {
            events.push(Event::Available { sense: Sense::Eyes, reason, since, at });
        }
        if eyes.is_err() && self.eye_presence.reason().is_some() {
            self.lose_eyes(false, at, events);
        }
    }

    fn take_face(&mut self, at: Duration, face: Face) -> Result<(), Reason> {
        let until = at + self.debounce.tolerance;
        let closed_at = self.config.rules.eyes.as_ref().map(|rules| rules.closed_at.value);
        let closed = closed_at
            .zip(face.openness)
            .map(|(closed_at, openness)| f64::from(openness) <= closed_at);
        let lowered = closed == Some(true) && self.looks_down(&face);
        let closed = closed.filter(|_| !lowered);
        match (closed, &mut self.eyes) {
            (Some(closed), _) => self.closed.set(closed, until),
            (None, Some(eyes)) if lowered => {
                self.closed = Held::default();
                eyes.discard();
            }
            (None, _) => self.closed.lose(at, until),
        }
        // Closed eyes look nowhere, whatever the model says.
        let Some(camera) = face.gaze.filter(|_| closed != Some(true)) else {
            self.looking.lose(at, until);
            return if closed == Some(true) { Ok(()) } else { Err(Reason::NoGaze) };
        };
        let last = self.looking.at(at).and_then(|looking| looking.cabin);
        let last = last.and_then(|(_, place)| place.zone);
        let cabin = self.place(camera, face.origin, last);
        let looking = Looking { camera, cabin, head: face.head };
        if face.fresh {
            self.looking.set(looking, until);
        } else {
            self.looking.carry(looking);
        }
        match self.looking.at(at) {
            Some(_) => Ok(()),
            None => Err(Reason::NoGaze),
        }
    }

    /// A gaze relative to forward, and where it falls; `last` is the zone of the frame before.
    fn place(
        &self,
        camera: Gaze,
        origin: Option<[f32; 3]>,
        last: Option<u16>,
    ) -> Option<(Gaze, Place)> {
        let gaze = self.calibration.forward()?.relative(camera)?;
        let eye = self.config.zones.eye(origin);
        Some((gaze, self.config.zones.find(gaze, eye, last)))
    }

    /// Whether lids that pass for closed are lowered to look down: the gaze is below where sleep is
    /// looked for, and so is the head, or the gaze had settled there with open eyes. Gaze alone
    /// says nothing, for models let it fall with the lids; one that is carried from an earlier frame
    /// says nothing of this one. A closure that is no blink any more is none of that kind: heads fall
    /// in sleep, too.
    fn looks_down(&self, face: &Face) -> bool {
        let (Some(eyes), Some(rules)) = (&self.eyes, &self.config.rules.eyes) else { return false };
        let slow = rules.perclos.as_ref().map_or(Duration::ZERO, |rule| rule.slow.time());
        if eyes.closed() >= slow || !face.fresh {
            return false;
        }
        let present = self.settler.present();
        let cabin = face.gaze.and_then(|camera| {
            self.place(camera, face.origin, present.and_then(|place| place.zone))
        });
        let Some((_, place)) = cabin.filter(|(gaze, _)| is_below(*gaze, rules)) else {
            return false;
        };
        face.head.is_some_and(|pose| self.head.is_lowered(pose))
            || present.is_some_and(|present| present.zone == place.zone)
    }
}

/// Whether a gaze is as low as one for which lids are lowered.
pub(super) fn is_below(gaze: Gaze, rules: &EyeRules) -> bool {
    let down = rules.perclos.as_ref().map_or(90.0, |rule| rule.looking_down.value);
    f64::from(gaze.pitch.to_degrees()) < -down
}
