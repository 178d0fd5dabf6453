//! Takes what a frame shows of the driver.

use std::time::Duration;

use super::monitor::{GazeSample, Monitor};
use crate::core::gaze::estimate::FrameGaze;
use crate::core::geometry::angles::Gaze;
use crate::core::monitor::alarms::alarm::{ClearReason, Level};
use crate::core::monitor::alarms::event::{MonitorEvent, Sense, UnavailableReason};
use crate::core::monitor::rules::conditions::Conditions;
use crate::core::monitor::signals::driver_selector::Replacement;
use crate::core::monitor::signals::observation::{DriverFace, Observation};
use crate::core::monitor::signals::sample_hold::SampleHold;
use crate::core::monitor::zones::zone::ZoneHit;

impl Monitor {
    /// Takes the frame stamped `at`; `None` is a frame that no element analysed. Appends what
    /// changed to `events`.
    pub fn observe(
        &mut self,
        at: Duration,
        frame: Option<&FrameGaze>,
        conditions: Conditions,
        events: &mut Vec<MonitorEvent>,
    ) {
        self.face = None;
        if !self.advance_to(at, conditions, events) {
            return;
        }
        let observation = match frame {
            Some(frame) => self.find_driver(at, frame, events),
            None => Observation::Missing(UnavailableReason::NoData),
        };
        self.take_observation(at, observation, events);
    }

    /// Takes a frame stamped `at` that shows the picture of the frame before once more. It tells nothing
    /// new: what that frame showed holds on until it expires, and then there is no data.
    pub fn repeat(&mut self, at: Duration, conditions: Conditions, events: &mut Vec<MonitorEvent>) {
        if !self.advance_to(at, conditions, events) {
            return;
        }
        let holds = self.gaze.at(at).is_some() || self.eyes_closed.at(at).is_some();
        let missing = match self.seen {
            Ok(()) if holds => return,
            Ok(()) => UnavailableReason::NoData,
            Err(reason) => reason,
        };
        self.face = None;
        self.take_observation(at, Observation::Missing(missing), events);
    }

    /// Finds the driver among the faces of a frame.
    fn find_driver(
        &mut self,
        at: Duration,
        frame: &FrameGaze,
        events: &mut Vec<MonitorEvent>,
    ) -> Observation {
        let replacement = if self.active.level() >= Level::Intervention {
            Replacement::Never
        } else if self.gaze_availability.reason().is_some() {
            Replacement::AfterAbsence(self.timing.after)
        } else {
            Replacement::IfLarger
        };
        let criterion = self.config.driver;
        let found = self.selector.select(at, &frame.faces, frame.size, criterion, replacement);
        if found.other_person {
            self.forget_driver();
            self.gaze_availability.driver_changed();
            self.eye_availability.driver_changed();
            self.clear_alarms(at, ClearReason::OtherDriver, events);
        }
        self.face = found.face.and_then(|face| u32::try_from(face).ok());
        let face = found.face.and_then(|face| frame.faces.get(face));
        face.map_or(Observation::Missing(UnavailableReason::NoFace), |face| {
            Observation::Face(DriverFace::from(face))
        })
    }

    /// Takes an observation, which counts from `at` on.
    fn take_observation(
        &mut self,
        at: Duration,
        observation: Observation,
        events: &mut Vec<MonitorEvent>,
    ) {
        let gaze = match observation {
            Observation::Face(face) => self.take_face(at, face),
            Observation::Missing(reason) => {
                let until = at + self.debounce.tolerance;
                self.gaze.miss(at, until);
                self.eyes_closed.miss(at, until);
                Err(reason)
            }
        };
        self.seen = gaze;
        self.stats.unusable += u64::from(gaze.is_err());
        self.out_of_sight =
            matches!(gaze, Err(UnavailableReason::NoFace | UnavailableReason::NoGaze));
        if let Some((reason, since)) = self.gaze_availability.observe(at, gaze, self.timing) {
            events.push(MonitorEvent::Available { sense: Sense::Gaze, reason, since, at });
        }
        // What an earlier frame showed may hold until now; afterwards nothing does.
        if gaze.is_err() && self.gaze_availability.reason().is_some() {
            if self.gaze.at(at).is_none() {
                self.lose_gaze(at, events);
            }
            if self.eyes_closed.at(at).is_none() {
                self.lose_eyes(self.escalates_out_of_sight(), at, events);
            }
        }
        // A frame without a face has no eyes either, which the event above covers.
        let (Observation::Face(face), Some(_)) = (observation, &self.eye_watch) else { return };
        let eyes = face.openness.map(|_| ()).ok_or(UnavailableReason::NoEyes);
        if let Some((reason, since)) = self.eye_availability.observe(at, eyes, self.timing) {
            events.push(MonitorEvent::Available { sense: Sense::Eyes, reason, since, at });
        }
        if eyes.is_err() && self.eye_availability.reason().is_some() {
            self.lose_eyes(false, at, events);
        }
    }

    fn take_face(&mut self, at: Duration, face: DriverFace) -> Result<(), UnavailableReason> {
        let until = at + self.debounce.tolerance;
        let closed_at = self.config.rules.eyes.as_ref().map(|rules| rules.closed_at.value);
        let closed = closed_at
            .zip(face.openness)
            .map(|(closed_at, openness)| f64::from(openness) <= closed_at);
        let lowered = closed == Some(true) && self.looks_down(&face);
        let closed = closed.filter(|_| !lowered);
        match (closed, &mut self.eye_watch) {
            (Some(closed), _) => self.eyes_closed.set(closed, until),
            (None, Some(eyes)) if lowered => {
                self.eyes_closed = SampleHold::default();
                eyes.discard_closure();
            }
            (None, _) => self.eyes_closed.miss(at, until),
        }
        // A model gives closed eyes a gaze as well, which means nothing.
        let Some(camera) = face.gaze.filter(|_| closed != Some(true)) else {
            self.gaze.miss(at, until);
            let closed = closed == Some(true);
            return if closed { Ok(()) } else { Err(UnavailableReason::NoGaze) };
        };
        let last = self.gaze.at(at).and_then(|sample| sample.cabin);
        let last = last.and_then(|(_, hit)| hit.zone);
        let cabin = self.locate(camera, face.origin, last);
        let sample = GazeSample { camera, cabin, head: face.head };
        if face.fresh {
            self.gaze.set(sample, until);
        } else {
            self.gaze.replace(sample);
        }
        match self.gaze.at(at) {
            Some(_) => Ok(()),
            None => Err(UnavailableReason::NoGaze),
        }
    }

    /// A gaze relative to forward and the zone that it hits; `last` is the zone of the frame before.
    fn locate(
        &self,
        camera: Gaze,
        origin: Option<[f32; 3]>,
        last: Option<u16>,
    ) -> Option<(Gaze, ZoneHit)> {
        let gaze = self.calibration.forward()?.relative(camera)?;
        let eye = self.config.zones.eye_position(origin);
        Some((gaze, self.config.zones.find(gaze, eye, last)))
    }

    /// Whether lids that look closed are lowered because the driver looks down. The gaze must be
    /// below the limit of the PERCLOS rule, and either the head is lowered too or the gaze had
    /// settled in that zone with open eyes. Gaze alone tells nothing, because models let it fall
    /// with the lids, and a reused gaze tells nothing of this frame. A closure longer than a blink
    /// never counts as lowered lids: heads fall in sleep, too.
    fn looks_down(&self, face: &DriverFace) -> bool {
        let (Some(eyes), Some(rules)) = (&self.eye_watch, &self.config.rules.eyes) else {
            return false;
        };
        let slow = rules.perclos.as_ref().map_or(Duration::ZERO, |rule| rule.slow.time());
        if eyes.closed() >= slow || !face.fresh {
            return false;
        }
        let current = self.zone.current();
        let cabin = face
            .gaze
            .and_then(|camera| self.locate(camera, face.origin, current.and_then(|hit| hit.zone)));
        let Some((_, hit)) = cabin.filter(|(gaze, _)| rules.is_looking_down(*gaze)) else {
            return false;
        };
        face.head.is_some_and(|pose| self.head.is_lowered(pose))
            || current.is_some_and(|current| current.zone == hit.zone)
    }
}
