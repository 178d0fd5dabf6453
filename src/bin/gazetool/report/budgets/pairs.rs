//! The same faces in two recordings: by how much a deployed engine's gaze differs from a
//! reference's.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::recorded::Recorded;
use crate::accuracy::{Differences, Summary};
use gstgaze::core::geometry::{Gaze, Rect};

/// How much two boxes overlap, at least, that are one face's: intersection over union.
const SAME_FACE: f32 = 0.5;

/// Frames that wait for their likes; who is that far ahead has lost them.
const MAX_WAITING: usize = 4096;

/// The faces of a frame, as far as they were looked at in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Faces {
    key: Key,
    faces: Vec<(Rect, Option<Gaze>)>,
}

/// What is equal for the same frame in both: its stamp, or where there is none its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Stamp(u64),
    Number(u64),
}

impl From<&Recorded<'_>> for Faces {
    fn from(recorded: &Recorded<'_>) -> Self {
        let fresh = recorded.faces.iter().filter(|face| face.age == 0);
        Self {
            key: recorded.pts.map_or(Key::Number(recorded.frame), Key::Stamp),
            faces: fresh.filter_map(|face| Some((face.rect()?, face.gaze()))).collect(),
        }
    }
}

/// Which recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What is taken for right.
    Reference,
    /// What is compared with it.
    Deployed,
}

/// Pairs the faces of two recordings that come frame by frame, in order of time each.
#[derive(Debug, Default)]
pub struct Pairs {
    reference: VecDeque<Faces>,
    deployed: VecDeque<Faces>,
    differences: Differences,
}

impl Pairs {
    /// Takes the next frame of one side.
    pub fn add(&mut self, side: Side, faces: Faces) {
        match side {
            Side::Reference => self.reference.push_back(faces),
            Side::Deployed => self.deployed.push_back(faces),
        }
        while let (Some(a), Some(b)) = (self.reference.front(), self.deployed.front()) {
            match a.key.cmp(&b.key) {
                Ordering::Less => _ = self.reference.pop_front(),
                Ordering::Greater => _ = self.deployed.pop_front(),
                Ordering::Equal => {
                    let both = self.reference.pop_front().zip(self.deployed.pop_front());
                    if let Some((a, b)) = both {
                        self.compare(&a.faces, b.faces);
                    }
                    continue;
                }
            }
        }
        for waiting in [&mut self.reference, &mut self.deployed] {
            if waiting.len() > MAX_WAITING {
                waiting.pop_front();
            }
        }
    }

    fn compare(
        &mut self,
        reference: &[(Rect, Option<Gaze>)],
        mut deployed: Vec<(Rect, Option<Gaze>)>,
    ) {
        for (rect, gaze) in reference {
            let overlap = |other: &(Rect, Option<Gaze>)| rect.iou(&other.0);
            let best = (0..deployed.len())
                .max_by(|a, b| overlap(&deployed[*a]).total_cmp(&overlap(&deployed[*b])))
                .filter(|best| overlap(&deployed[*best]) >= SAME_FACE);
            // A face that the other did not see is a matter of the detector's, not of the gaze.
            if let Some(best) = best {
                let (_, other) = deployed.swap_remove(best);
                self.differences.add(*gaze, other);
            }
        }
    }

    /// Whose next frame can be paired: the other's waits.
    pub fn wants(&self) -> Option<Side> {
        match (self.reference.is_empty(), self.deployed.is_empty()) {
            (true, false) => Some(Side::Reference),
            (false, true) => Some(Side::Deployed),
            _ => None,
        }
    }

    /// Differences of the deployed from the reference, degrees.
    pub fn summary(&self) -> Summary {
        self.differences.summary()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stamp: u64, faces: &[(f32, f32)]) -> Faces {
        let faces = faces.iter().map(|(x, yaw)| {
            let gaze = yaw.is_finite().then(|| Gaze::from_degrees(0.0, *yaw));
            (Rect::new(*x, 0.0, 100.0, 100.0), gaze)
        });
        Faces { key: Key::Stamp(stamp), faces: faces.collect() }
    }

    #[test]
    fn faces_are_paired_by_place_and_frames_by_stamp() {
        let mut pairs = Pairs::default();
        // Frame 2 is missing there, frame 3 here; the deployed one runs ahead and sorts otherwise.
        for stamp in [1, 2, 4] {
            pairs.add(Side::Reference, frame(stamp, &[(0.0, 10.0), (300.0, -20.0)]));
        }
        for stamp in [1, 3, 4, 5] {
            pairs.add(Side::Deployed, frame(stamp, &[(310.0, -21.0), (5.0, 10.5), (700.0, 0.0)]));
        }
        assert_eq!(pairs.wants(), Some(Side::Reference));
        let summary = pairs.summary();
        assert_eq!((summary.faces, summary.unpaired), (4, 0));
        assert!((summary.mean - 0.75).abs() < 1e-3 && (summary.max - 1.0).abs() < 1e-3);
        // A face that got no gaze on one side counts against it.
        pairs.add(Side::Reference, frame(9, &[(0.0, 10.0)]));
        pairs.add(Side::Deployed, frame(9, &[(0.0, f32::NAN)]));
        assert_eq!(pairs.summary().unpaired, 1);
    }

    #[test]
    fn who_waits_for_nobody_forgets() {
        let mut pairs = Pairs::default();
        (0..10_000).for_each(|stamp| pairs.add(Side::Deployed, frame(stamp, &[(0.0, 1.0)])));
        assert_eq!(pairs.deployed.len(), MAX_WAITING);
        assert_eq!(pairs.summary().faces, 0);
    }

    #[test]
    fn carried_gaze_is_not_compared() {
        let line = br#"{"schema":1,"frame":4,"pts":null,"faces":[
            {"box":{"x":1,"y":2,"w":3,"h":4},"pitch":0.5,"yaw":0.5,"age":2},
            {"box":{"x":9,"y":2,"w":3,"h":4},"pitch":null,"yaw":null,"age":0}]}"#;
        let faces = Faces::from(&Recorded::parse(line).unwrap());
        let expected = vec![(Rect::new(9.0, 2.0, 3.0, 4.0), None)];
        assert_eq!(faces, Faces { key: Key::Number(4), faces: expected });
    }
}
