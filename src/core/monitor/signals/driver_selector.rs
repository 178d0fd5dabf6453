//! Selects the driver's face.
//!
//! The selected person stays the driver. The selector recognises the face by its track id or by its
//! position, because trackers give new ids and some detectors give none. While the driver is out of
//! sight no other person replaces him. Once the driver is reported unavailable another person
//! stands in, until a face takes the driver's position again.

use std::time::Duration;

use crate::core::gaze::estimate::GazeEstimate;
use crate::core::geometry::rect::{Rect, Size};

/// How much larger another face must be to replace the driver's. A passenger who leans forward for a
/// moment does not reach it. This project's choice.
const LARGER: f32 = 1.5;

/// Two boxes with at least this overlap (IoU) show one person. This project's choice: a head that
/// moved by two thirds of its width; neighbours sit farther apart.
const SAME: f32 = 0.2;

/// Time constant of a person's usual position, seconds.
const SETTLING: f32 = 30.0;

/// How the driver's face is recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum DriverCriterion {
    /// The largest face.
    #[default]
    Size,
    /// The largest face whose centre lies in this part of the frame: x, y, width and height as
    /// fractions.
    Region([f32; 4]),
    /// The face with this track id.
    Track(u64),
}

/// When another person may replace the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// Never: a driver who does not respond stays the driver.
    Never,
    /// A much larger face may, where the criterion is size.
    IfLarger,
    /// The same, and any person once the driver has been absent for this time.
    AfterAbsence(Duration),
}

/// The selected face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DriverMatch {
    /// Index of the driver's face; `None` where the frame does not show it.
    pub face: Option<usize>,
    /// Whether this is another person than before.
    pub other_person: bool,
}

/// A person with a known face. Boxes are in a frame of size 1 by 1.
#[derive(Clone, Copy, Debug)]
struct Person {
    track: Option<u64>,
    /// Last box of the face.
    last: Rect,
    /// Its usual box.
    home: Rect,
    seen: Duration,
}

impl Person {
    /// How well a face matches this person; `None` where it is another's.
    fn resembles(&self, track: Option<u64>, rect: Rect) -> Option<f32> {
        if track.is_some() && track == self.track {
            return Some(f32::INFINITY);
        }
        let overlap = self.last.iou(&rect).max(self.home.iou(&rect));
        (overlap >= SAME).then_some(overlap)
    }

    fn follow(&mut self, at: Duration, track: Option<u64>, rect: Rect) {
        let part = 1.0 - (-at.saturating_sub(self.seen).as_secs_f32() / SETTLING).exp();
        let towards = |from: f32, to: f32| from + part * (to - from);
        let home = self.home;
        self.home = Rect::new(
            towards(home.x, rect.x),
            towards(home.y, rect.y),
            towards(home.width, rect.width),
            towards(home.height, rect.height),
        );
        (self.track, self.last, self.seen) = (track, rect, at);
    }
}

/// Selects the driver and stays with one person.
#[derive(Clone, Copy, Debug, Default)]
pub struct DriverSelector {
    kept: Option<Person>,
    /// The driver for whom that person stands in.
    former: Option<Person>,
    /// Whether the criterion changed since the selection.
    reselect: bool,
}

impl DriverSelector {
    /// Forgets the driver.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Selects again at the next frame. The same person stays the same driver.
    pub fn reselect(&mut self) {
        self.reselect = true;
    }

    /// Whether the selected person stands in for an absent driver.
    pub fn is_stand_in(&self) -> bool {
        self.former.is_some()
    }

    /// Selects the driver's face in a frame of `size` that is stamped `at`.
    pub fn select(
        &mut self,
        at: Duration,
        faces: &[GazeEstimate],
        size: Size,
        criterion: DriverCriterion,
        replacement: Replacement,
    ) -> DriverMatch {
        let rect = |i: usize| faces[i].region.rect.rescaled(size, Size::new(1, 1));
        let track = |i: usize| faces[i].region.track_id;
        let area = |i: usize| rect(i).area();
        let candidates = || (0..faces.len()).filter(|i| candidate(&faces[*i], rect(*i), criterion));
        let chosen = candidates().max_by(|a, b| area(*a).total_cmp(&area(*b)));
        let find = |person: &Person| {
            // An id that two faces of a frame have is no identity: the place decides.
            let of = |id| faces.iter().filter(|face| face.region.track_id == id).count();
            let shared = person.track.is_some() && of(person.track) > 1;
            let identity = |i| track(i).filter(|_| !shared);
            let alike = |i| Some((i, person.resembles(identity(i), rect(i))?));
            let best = candidates().filter_map(alike).max_by(|a, b| a.1.total_cmp(&b.1));
            best.map(|(i, _)| i)
        };
        let Some(kept) = self.kept else {
            return self.adopt(at, chosen, |i| (track(i), rect(i)), None);
        };
        let same = find(&kept);
        if self.reselect || matches!(criterion, DriverCriterion::Track(_)) {
            if chosen.is_none() || chosen != same {
                return self.adopt(at, chosen, |i| (track(i), rect(i)), None);
            }
            (self.reselect, self.former) = (false, None);
        }
        let (larger, absence) = match replacement {
            Replacement::Never => (None, None),
            Replacement::IfLarger => (chosen, None),
            Replacement::AfterAbsence(after) => (chosen, Some(after)),
        };
        let back = self.former.as_ref().and_then(find).filter(|back| {
            replacement != Replacement::Never && same.is_none_or(|same| area(*back) >= area(same))
        });
        if back.is_some() && back != same {
            return self.adopt(at, back, |i| (track(i), rect(i)), None);
        }
        match same {
            Some(same) => match larger.filter(|i| area(*i) >= LARGER * area(same)) {
                Some(larger) if larger != same => {
                    self.adopt(at, Some(larger), |i| (track(i), rect(i)), None)
                }
                _ => {
                    if let Some(kept) = &mut self.kept {
                        kept.follow(at, track(same), rect(same));
                    }
                    DriverMatch { face: Some(same), other_person: false }
                }
            },
            None => {
                let gone = at.saturating_sub(kept.seen);
                let stand_in = chosen.filter(|_| absence.is_some_and(|after| gone >= after));
                self.adopt(at, stand_in, |i| (track(i), rect(i)), self.former.or(Some(kept)))
            }
        }
    }

    /// Stays with this face from now on, where there is one.
    fn adopt(
        &mut self,
        at: Duration,
        face: Option<usize>,
        of: impl Fn(usize) -> (Option<u64>, Rect),
        former: Option<Person>,
    ) -> DriverMatch {
        let Some(i) = face else { return DriverMatch::default() };
        let (track, rect) = of(i);
        let other_person = self.kept.is_some_and(|kept| kept.resembles(track, rect).is_none());
        let person = Person { track, last: rect, home: rect, seen: at };
        *self = Self { kept: Some(person), former, reselect: false };
        DriverMatch { face, other_person }
    }
}

/// Whether a face meets the criterion.
fn candidate(face: &GazeEstimate, rect: Rect, criterion: DriverCriterion) -> bool {
    let seated = match criterion {
        DriverCriterion::Size => true,
        DriverCriterion::Region([x, y, w, h]) => {
            let (across, down) = (rect.x + rect.width / 2.0, rect.y + rect.height / 2.0);
            (x..=x + w).contains(&across) && (y..=y + h).contains(&down)
        }
        DriverCriterion::Track(id) => return face.region.track_id == Some(id),
    };
    seated && !rect.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::face::FaceRegion;

    const SIZE: Size = Size::new(1000, 500);
    const NOW: Duration = Duration::ZERO;

    fn face(x: f32, side: f32, track_id: Option<u64>) -> GazeEstimate {
        let rect = Rect::new(x, 100.0, side, side);
        GazeEstimate {
            region: FaceRegion { rect, track_id, ..Default::default() },
            ..Default::default()
        }
    }

    fn both(driver: f32, passenger: f32) -> [GazeEstimate; 2] {
        [face(100.0, driver, Some(1)), face(700.0, passenger, Some(2))]
    }

    #[test]
    fn the_largest_face_stays_the_driver() {
        let mut selector = DriverSelector::default();
        let mut select = |faces: &[GazeEstimate]| {
            let chosen =
                selector.select(NOW, faces, SIZE, DriverCriterion::Size, Replacement::IfLarger);
            (chosen.face, chosen.other_person)
        };
        assert_eq!(select(&both(100.0, 80.0)), (Some(0), false));
        assert_eq!(select(&both(100.0, 120.0)), (Some(0), false));
        assert_eq!(select(&both(100.0, 130.0)), (Some(1), true));
        assert_eq!(select(&[]), (None, false));
        selector.reset();
        let none = [GazeEstimate::default()];
        let chosen =
            selector.select(NOW, &none, SIZE, DriverCriterion::Size, Replacement::IfLarger);
        assert_eq!(chosen.face, None, "a face without a box");
    }

    #[test]
    fn selects_by_region_and_by_track() {
        let faces = [face(100.0, 200.0, Some(1)), face(700.0, 80.0, Some(2))];
        let mut selector = DriverSelector::default();
        let mut select = |faces: &[GazeEstimate], by| {
            selector.reset();
            selector.select(NOW, faces, SIZE, by, Replacement::IfLarger).face
        };
        let right = DriverCriterion::Region([0.5, 0.0, 0.5, 1.0]);
        assert_eq!(select(&faces, right), Some(1));
        assert_eq!(select(&faces[..1], right), None);
        assert_eq!(select(&faces, DriverCriterion::Track(2)), Some(1));
        assert_eq!(select(&faces, DriverCriterion::Track(7)), None);
    }

    #[test]
    fn an_absent_driver_is_replaced_late_and_comes_back() {
        let mut selector = DriverSelector::default();
        let s = Duration::from_secs;
        let replacement = Replacement::AfterAbsence(s(5));
        let mut select = |at, faces: &[GazeEstimate], replacement| {
            let chosen = selector.select(s(at), faces, SIZE, DriverCriterion::Size, replacement);
            (chosen.face, chosen.other_person)
        };
        let faces = both(100.0, 80.0);
        assert_eq!(select(0, &faces, replacement), (Some(0), false));
        assert_eq!(select(4, &faces[1..], replacement), (None, false));
        assert_eq!(select(9, &faces[1..], Replacement::Never), (None, false));
        assert_eq!(select(9, &faces[1..], Replacement::IfLarger), (None, false));
        assert_eq!(select(9, &faces[1..], replacement), (Some(0), true));
        // The same size is enough at the driver's position; he moved a little and has a new id.
        let mut back = both(80.0, 80.0);
        back[0] = face(130.0, 80.0, Some(9));
        assert_eq!(select(10, &back, Replacement::IfLarger), (Some(0), true));
        assert_eq!(select(10, &back, Replacement::IfLarger), (Some(0), false));
    }

    #[test]
    fn an_id_that_two_faces_have_is_no_identity() {
        let mut selector = DriverSelector::default();
        let by = DriverCriterion::Size;
        let faces = [face(100.0, 100.0, Some(1)), face(700.0, 90.0, Some(1))];
        assert_eq!(selector.select(NOW, &faces, SIZE, by, Replacement::IfLarger).face, Some(0));
        for _ in 0..10 {
            let chosen = selector.select(NOW, &faces, SIZE, by, Replacement::IfLarger);
            assert_eq!(chosen, DriverMatch { face: Some(0), other_person: false });
        }
    }

    #[test]
    fn a_new_frame_size_keeps_the_driver() {
        let mut selector = DriverSelector::default();
        let by = DriverCriterion::Size;
        let faces = [face(100.0, 100.0, None), face(700.0, 90.0, None)];
        assert_eq!(selector.select(NOW, &faces, SIZE, by, Replacement::IfLarger).face, Some(0));
        let mut half = faces;
        for face in &mut half {
            face.region = face.region.rescaled(SIZE, Size::new(500, 250));
        }
        half.swap(0, 1);
        let chosen = selector.select(NOW, &half, Size::new(500, 250), by, Replacement::IfLarger);
        assert_eq!(chosen, DriverMatch { face: Some(1), other_person: false });
    }
}
