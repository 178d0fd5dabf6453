//! Which of the faces is the driver's.
//!
//! Once somebody is the driver he stays it: his face is known again by its track id, or by its
//! place, because trackers give new ids and some detectors give none. While it is out of sight
//! nobody else is taken for it; only when the driver has been missing for so long that it was told
//! does another person stand in, and no longer than until the driver's place is taken again.

use std::time::Duration;

use crate::core::gaze::GazeEstimate;
use crate::core::geometry::{Rect, Size};

/// How much larger another face must be to take the driver's place. A passenger who leans forward
/// for a moment does not. This project's choice.
const LARGER: f32 = 1.5;

/// Two boxes that overlap by this part of their union are of one person. This project's choice: a
/// head that moved by two thirds of its width; neighbours sit farther apart.
const SAME: f32 = 0.2;

/// How slowly the place of a person follows his face, seconds.
const SETTLING: f32 = 30.0;

/// What tells the driver's face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum DriverBy {
    /// The largest.
    #[default]
    Size,
    /// The largest whose centre lies in this part of the frame: x, y, width and height as fractions.
    Region([f32; 4]),
    /// The one with this track id.
    Track(u64),
}

/// Who may take the driver's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody: a driver who does not respond stays the driver.
    Nobody,
    /// Somebody who is much larger, if that is how a driver is told.
    Larger,
    /// The same, and anybody once the driver has been missing for this time.
    Missing(Duration),
}

/// Who was chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Position of the driver's face; `None` where it is not among them.
    pub face: Option<usize>,
    /// Whether this is another person than the one before.
    pub other: bool,
}

/// Somebody whose face is known again. Boxes are of a frame of size 1 by 1.
#[derive(Clone, Copy, Debug)]
struct Person {
    track: Option<u64>,
    /// Where the face was last.
    last: Rect,
    /// Where it is most of the time.
    home: Rect,
    seen: Duration,
}

impl Person {
    /// How sure a face is this person's; `None` where it is another's.
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

/// Keeps to one person.
#[derive(Clone, Copy, Debug, Default)]
pub struct DriverChoice {
    kept: Option<Person>,
    /// Whom the one that is kept stands in for.
    former: Option<Person>,
    /// The rule is another one than when somebody was chosen.
    anew: bool,
}

impl DriverChoice {
    /// Forgets whom it kept to.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Chooses anew with the next frame. Who is chosen again is no other person.
    pub fn ask_again(&mut self) {
        self.anew = true;
    }

    /// Whether somebody stands in for a driver who is missing.
    pub fn is_stand_in(&self) -> bool {
        self.former.is_some()
    }

    /// Finds the driver's face among those of a frame of `size` that is stamped `at`.
    pub fn choose(
        &mut self,
        at: Duration,
        faces: &[GazeEstimate],
        size: Size,
        by: DriverBy,
        claim: Claim,
    ) -> Choice {
        let rect = |i: usize| faces[i].region.rect.rescaled(size, Size::new(1, 1));
        let track = |i: usize| faces[i].region.track_id;
        let area = |i: usize| rect(i).area();
        let candidates = || (0..faces.len()).filter(|i| candidate(&faces[*i], rect(*i), by));
        let chosen = candidates().max_by(|a, b| area(*a).total_cmp(&area(*b)));
        let find = |person: &Person| {
            let alike = |i| Some((i, person.resembles(track(i), rect(i))?));
            let best = candidates().filter_map(alike).max_by(|a, b| a.1.total_cmp(&b.1));
            best.map(|(i, _)| i)
        };
        let Some(kept) = self.kept else {
            return self.adopt(at, chosen, |i| (track(i), rect(i)), None);
        };
        let same = find(&kept);
        if self.anew || matches!(by, DriverBy::Track(_)) {
            if chosen.is_none() || chosen != same {
                return self.adopt(at, chosen, |i| (track(i), rect(i)), None);
            }
            (self.anew, self.former) = (false, None);
        }
        let (larger, missing) = match claim {
            Claim::Nobody => (None, None),
            Claim::Larger => (chosen, None),
            Claim::Missing(after) => (chosen, Some(after)),
        };
        let back = self.former.as_ref().and_then(find).filter(|back| {
            claim != Claim::Nobody && same.is_none_or(|same| area(*back) >= area(same))
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
                    Choice { face: Some(same), other: false }
                }
            },
            None => {
                let gone = at.saturating_sub(kept.seen);
                let stand_in = chosen.filter(|_| missing.is_some_and(|after| gone >= after));
                self.adopt(at, stand_in, |i| (track(i), rect(i)), self.former.or(Some(kept)))
            }
        }
    }

    /// Keeps to this face, if there is one, from now on.
    fn adopt(
        &mut self,
        at: Duration,
        face: Option<usize>,
        of: impl Fn(usize) -> (Option<u64>, Rect),
        former: Option<Person>,
    ) -> Choice {
        let Some(i) = face else { return Choice::default() };
        let (track, rect) = of(i);
        let other = self.kept.is_some_and(|kept| kept.resembles(track, rect).is_none());
        let person = Person { track, last: rect, home: rect, seen: at };
        *self = Self { kept: Some(person), former, anew: false };
        Choice { face, other }
    }
}

/// Whether a face may be the driver's at all.
fn candidate(face: &GazeEstimate, rect: Rect, by: DriverBy) -> bool {
    let seated = match by {
        DriverBy::Size => true,
        DriverBy::Region([x, y, w, h]) => {
            let (across, down) = (rect.x + rect.width / 2.0, rect.y + rect.height / 2.0);
            (x..=x + w).contains(&across) && (y..=y + h).contains(&down)
        }
        DriverBy::Track(id) => return face.region.track_id == Some(id),
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
    fn the_largest_and_it_stays() {
        let mut choice = DriverChoice::default();
        let mut choose = |faces: &[GazeEstimate]| {
            let chosen = choice.choose(NOW, faces, SIZE, DriverBy::Size, Claim::Larger);
            (chosen.face, chosen.other)
        };
        assert_eq!(choose(&both(100.0, 80.0)), (Some(0), false));
        assert_eq!(choose(&both(100.0, 120.0)), (Some(0), false));
        assert_eq!(choose(&both(100.0, 130.0)), (Some(1), true));
        assert_eq!(choose(&[]), (None, false));
        choice.reset();
        let none = [GazeEstimate::default()];
        let chosen = choice.choose(NOW, &none, SIZE, DriverBy::Size, Claim::Larger);
        assert_eq!(chosen.face, None, "no box, no face");
    }

    #[test]
    fn a_seat_and_a_track() {
        let faces = [face(100.0, 200.0, Some(1)), face(700.0, 80.0, Some(2))];
        let mut choice = DriverChoice::default();
        let mut choose = |faces: &[GazeEstimate], by| {
            choice.reset();
            choice.choose(NOW, faces, SIZE, by, Claim::Larger).face
        };
        let right = DriverBy::Region([0.5, 0.0, 0.5, 1.0]);
        assert_eq!(choose(&faces, right), Some(1));
        assert_eq!(choose(&faces[..1], right), None);
        assert_eq!(choose(&faces, DriverBy::Track(2)), Some(1));
        assert_eq!(choose(&faces, DriverBy::Track(7)), None);
    }

    #[test]
    fn who_is_missing_is_waited_for_and_comes_back() {
        let mut choice = DriverChoice::default();
        let s = Duration::from_secs;
        let claim = Claim::Missing(s(5));
        let mut choose = |at, faces: &[GazeEstimate], claim| {
            let chosen = choice.choose(s(at), faces, SIZE, DriverBy::Size, claim);
            (chosen.face, chosen.other)
        };
        let faces = both(100.0, 80.0);
        assert_eq!(choose(0, &faces, claim), (Some(0), false));
        assert_eq!(choose(4, &faces[1..], claim), (None, false));
        assert_eq!(choose(9, &faces[1..], Claim::Nobody), (None, false));
        assert_eq!(choose(9, &faces[1..], Claim::Larger), (None, false));
        assert_eq!(choose(9, &faces[1..], claim), (Some(0), true));
        // As large is enough for whoever has the place; he moved a little and has a new id.
        let mut back = both(80.0, 80.0);
        back[0] = face(130.0, 80.0, Some(9));
        assert_eq!(choose(10, &back, Claim::Larger), (Some(0), true));
        assert_eq!(choose(10, &back, Claim::Larger), (Some(0), false));
    }

    #[test]
    fn a_face_of_another_size_of_frame_is_the_same() {
        let mut choice = DriverChoice::default();
        let by = DriverBy::Size;
        let faces = [face(100.0, 100.0, None), face(700.0, 90.0, None)];
        assert_eq!(choice.choose(NOW, &faces, SIZE, by, Claim::Larger).face, Some(0));
        let mut half = faces;
        for face in &mut half {
            face.region = face.region.rescaled(SIZE, Size::new(500, 250));
        }
        half.swap(0, 1);
        let chosen = choice.choose(NOW, &half, Size::new(500, 250), by, Claim::Larger);
        assert_eq!(chosen, Choice { face: Some(1), other: false });
    }
}
