//! Pairs the same faces of two recordings, to compare a deployed engine with a reference.

use std::cmp::Ordering;
use std::collections::VecDeque;

use gstgaze::core::geometry::{Gaze, Rect};

use super::recorded_frame::RecordedFrame;
use crate::accuracy::{DifferenceSummary, Differences};

/// Two boxes of one face overlap at least this much: intersection over union.
const SAME_FACE: f32 = 0.5;

/// Frames that wait for their pair; older ones are dropped.
const MAX_WAITING: usize = 4096;

/// The faces of a frame that the model ran on.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameFaces {
    key: Key,
    faces: Vec<(Rect, Option<Gaze>)>,
}

/// Identifies a frame in both recordings: its timestamp, or its number without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Timestamp(u64),
    Number(u64),
}

impl From<&RecordedFrame<'_>> for FrameFaces {
    fn from(frame: &RecordedFrame<'_>) -> Self {
        let fresh = frame.faces.iter().filter(|face| face.age == 0);
        Self {
            key: frame.pts.map_or(Key::Number(frame.frame), Key::Timestamp),
            faces: fresh.filter_map(|face| Some((face.rect()?, face.gaze()))).collect(),
        }
    }
}

/// One of the two recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The reference.
    Reference,
    /// The engine to judge.
    Deployed,
}

/// Pairs the faces of two recordings, each in order of time.
#[derive(Debug, Default)]
pub struct FacePairs {
    reference: VecDeque<FrameFaces>,
    deployed: VecDeque<FrameFaces>,
    differences: Differences,
}

impl FacePairs {
    /// Adds the next frame of one side.
    pub fn add(&mut self, side: Side, faces: FrameFaces) {
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
            // A face in one recording alone is a difference of the detectors, not of the gaze.
            if let Some(best) = best {
                let (_, other) = deployed.swap_remove(best);
                self.differences.add(*gaze, other);
            }
        }
    }

    /// The side whose next frame a frame of the other waits for.
    pub fn wants(&self) -> Option<Side> {
        match (self.reference.is_empty(), self.deployed.is_empty()) {
            (true, false) => Some(Side::Reference),
            (false, true) => Some(Side::Deployed),
            _ => None,
        }
    }

    /// The differences of the deployed engine from the reference.
    pub fn summary(&self) -> DifferenceSummary {
        self.differences.summary()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stamp: u64, faces: &[(f32, f32)]) -> FrameFaces {
        let faces = faces.iter().map(|(x, yaw)| {
            let gaze = yaw.is_finite().then(|| Gaze::from_degrees(0.0, *yaw));
            (Rect::new(*x, 0.0, 100.0, 100.0), gaze)
        });
        FrameFaces { key: Key::Timestamp(stamp), faces: faces.collect() }
    }

    #[test]
    fn boxes_pair_faces_and_timestamps_pair_frames() {
        let mut pairs = FacePairs::default();
        // One side lacks frame 2, the other frame 3; the deployed one runs ahead in another order.
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
        // A face without a gaze on one side counts as unpaired.
        pairs.add(Side::Reference, frame(9, &[(0.0, 10.0)]));
        pairs.add(Side::Deployed, frame(9, &[(0.0, f32::NAN)]));
        assert_eq!(pairs.summary().unpaired, 1);
    }

    #[test]
    fn a_side_that_runs_ahead_drops_frames() {
        let mut pairs = FacePairs::default();
        (0..10_000).for_each(|stamp| pairs.add(Side::Deployed, frame(stamp, &[(0.0, 1.0)])));
        assert_eq!(pairs.deployed.len(), MAX_WAITING);
        assert_eq!(pairs.summary().faces, 0);
    }

    #[test]
    fn carried_gaze_does_not_count() {
        let line = br#"{"schema":1,"frame":4,"pts":null,"faces":[
            {"box":{"x":1,"y":2,"w":3,"h":4},"pitch":0.5,"yaw":0.5,"age":2},
            {"box":{"x":9,"y":2,"w":3,"h":4},"pitch":null,"yaw":null,"age":0}]}"#;
        let faces = FrameFaces::from(&RecordedFrame::parse(line).unwrap());
        let expected = vec![(Rect::new(9.0, 2.0, 3.0, 4.0), None)];
        assert_eq!(faces, FrameFaces { key: Key::Number(4), faces: expected });
    }
}
