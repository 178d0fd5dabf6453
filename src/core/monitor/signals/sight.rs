//! What a frame shows of the driver, and what is held of it until it is too old.

use std::time::Duration;

use crate::core::gaze::GazeEstimate;
use crate::core::geometry::{Gaze, HeadPose};
use crate::core::monitor::alarms::Reason;

/// What one frame shows of the driver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sight {
    /// The driver's face.
    Face(Face),
    /// Nothing.
    Nothing(Reason),
}

/// What is known of the driver's face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Face {
    /// Gaze in camera coordinates; `None` where there is none.
    pub gaze: Option<Gaze>,
    /// Whether it is of this frame, and not carried from one before.
    pub fresh: bool,
    /// Where the gaze starts, camera coordinates, mm.
    pub origin: Option<[f32; 3]>,
    /// How the head is turned.
    pub head: Option<HeadPose>,
    /// How far the wider open eye is open, 0..=1; one that is hidden must not pass for closed.
    pub openness: Option<f32>,
}

impl From<&GazeEstimate> for Face {
    fn from(face: &GazeEstimate) -> Self {
        let openness = face.region.eye_openness.map(|[left, right]| left.max(right));
        Self {
            gaze: face.gaze.filter(|gaze| gaze.is_finite()),
            fresh: face.age == 0,
            origin: face.origin,
            head: face.region.head_pose.filter(|pose| pose.is_finite()),
            openness: openness.filter(|value| value.is_finite()),
        }
    }
}

/// A value that counts until it is too old: between two frames, and while frames show nothing.
#[derive(Clone, Copy, Debug)]
pub struct Held<T> {
    value: Option<T>,
    until: Duration,
    /// Whether the last frame showed it.
    seen: bool,
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self { value: None, until: Duration::ZERO, seen: false }
    }
}

impl<T: Copy> Held<T> {
    /// Holds a value of this moment.
    pub fn set(&mut self, value: T, until: Duration) {
        *self = Self { value: Some(value), until, seen: true };
    }

    /// Holds another value for as long as the one before.
    pub fn carry(&mut self, value: T) {
        self.value = self.value.map(|_| value);
    }

    /// The frame at `at` shows nothing. What the one before showed was so until now, however long
    /// a frame lasts, and counts for as long again as `until` says.
    pub fn lose(&mut self, at: Duration, until: Duration) {
        if std::mem::take(&mut self.seen) && at < self.until {
            self.until = until;
        }
    }

    /// What it was from `from` on, and until when, `to` at most.
    pub fn between(&self, from: Duration, to: Duration) -> Option<(T, Duration)> {
        let value = self.value?;
        let end = to.min(self.until);
        (end > from).then_some((value, end))
    }

    /// The value, where it still counts at this time.
    pub fn at(&self, at: Duration) -> Option<T> {
        self.value.filter(|_| at < self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_until_it_is_too_old() {
        let s = Duration::from_secs;
        let mut held = Held::default();
        assert_eq!(held.between(s(0), s(9)), None);
        held.carry(5);
        assert_eq!(held.at(s(0)), None, "nothing that it could be carried from");
        held.set(7, s(3));
        assert_eq!(held.between(s(1), s(2)), Some((7, s(2))));
        assert_eq!(held.between(s(1), s(9)), Some((7, s(3))));
        assert_eq!(held.between(s(3), s(9)), None);
        held.carry(8);
        assert_eq!((held.at(s(2)), held.at(s(3))), (Some(8), None));
        held.lose(s(2), s(4));
        held.lose(s(3), s(5));
        assert_eq!((held.at(s(3)), held.at(s(4))), (Some(8), None), "lost once");
    }

    #[test]
    fn the_wider_eye_counts_and_numbers_must_be_some() {
        let mut estimate =
            GazeEstimate { gaze: Some(Gaze::new(f32::NAN, 0.0)), age: 2, ..Default::default() };
        estimate.region.eye_openness = Some([0.1, 0.9]);
        let face = Face::from(&estimate);
        assert_eq!((face.gaze, face.fresh, face.openness), (None, false, Some(0.9)));
        estimate.region.eye_openness = Some([f32::NAN, f32::NAN]);
        assert_eq!(Face::from(&estimate).openness, None);
    }
}
