//! Reuse of the last result: on which faces of a frame the model runs.
//!
//! The model runs on every face of every frame, except where
//! - the frame lies between two inferences (`inference-interval`),
//! - the frame is late (QoS),
//! - the model ran on the track a short while ago (`reclassify-interval`) and the box has not grown
//!   much since,
//! - the eyes are closed (`min-eye-openness`): a gaze model gives a number for lids as well, most
//!   often far down.
//!
//! There the last result is reused, and its age counts the frames since.

use super::estimate::GazeEstimate;
use crate::core::face::region::FaceRegion;
use crate::core::geometry::rect::Size;

/// A region without a known track id is the face of the last frame above this overlap (IoU). Neighbouring
/// frames of a moving face overlap far more, two faces far less.
const SAME_FACE_IOU: f32 = 0.3;

/// The model runs again on a tracked face whose box has grown by this fraction of its area, because a
/// nearer face shows more. nvinfer does so with tracked objects (`REINFER_AREA_THRESHOLD` in
/// `gstnvinfer.cpp` of DeepStream 9, `should_infer_object`). A box that shrinks changes nothing.
const REINFER_GROWTH: f32 = 0.2;

/// When to reuse the last result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReusePolicy {
    /// Run the model on every n-th frame; 1 is every frame, 0 counts as 1.
    pub inference_interval: u32,
    /// Run the model again on a tracked face after this many frames; 1 is every time, 0 is never
    /// unless its box's area grows by more than a fifth. Faces without a track id are not affected.
    pub reclassify_interval: u32,
    /// Do not run the model on a face with both eyes less open than this, 0..=1; 0 runs it on all.
    pub min_eye_openness: f32,
}

impl Default for ReusePolicy {
    fn default() -> Self {
        Self { inference_interval: 1, reclassify_interval: 1, min_eye_openness: 0.0 }
    }
}

/// What to do with one face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InferencePlan {
    /// Run the model.
    Infer,
    /// Take this result: the last one, a frame older.
    Reuse(GazeEstimate),
}

/// Plans each frame from the results of the last one.
#[derive(Debug, Default)]
pub struct ReusePlanner {
    /// Frames since the last frame with inference; `None` before the first.
    since: Option<u32>,
    last: Vec<GazeEstimate>,
    /// For each of `last`, the area of its box, in square pixels, when the model ran on it.
    areas: Vec<f32>,
    /// The same for the planned frame.
    planned: Vec<f32>,
}

impl ReusePlanner {
    /// Forgets everything (flush, seek, new stream).
    pub fn reset(&mut self) {
        self.since = None;
        self.last.clear();
        self.areas.clear();
        self.planned.clear();
    }

    /// Whether there are results of an earlier frame, perhaps without faces.
    pub fn has_results(&self) -> bool {
        self.since.is_some()
    }

    /// The faces of the last frame.
    pub fn last_faces(&self) -> impl Iterator<Item = FaceRegion> {
        self.last.iter().map(|face| face.region)
    }

    /// The frames have another size from now on and show the same picture: moves the last boxes along.
    pub fn rescale(&mut self, from: Size, to: Size) {
        for (face, area) in self.last.iter_mut().zip(&mut self.areas) {
            let before = face.region.rect.area();
            face.region = face.region.rescaled(from, to);
            if before > 0.0 {
                *area *= face.region.rect.area() / before;
            }
        }
    }

    /// Plans one frame: an [`InferencePlan`] for each region, in order. A `late` frame has no time
    /// for inference. Call [`remember`](Self::remember) with the results afterwards.
    ///
    /// Returns on how many faces the model does not run for their closed eyes alone.
    pub fn plan(
        &mut self,
        regions: impl IntoIterator<Item = FaceRegion>,
        policy: ReusePolicy,
        late: bool,
        plans: &mut Vec<InferencePlan>,
    ) -> u64 {
        let due = self.since.is_none_or(|since| since + 1 >= policy.inference_interval.max(1));
        let infer = due && !late;
        self.since = if infer { Some(0) } else { self.since.map(|n| n.saturating_add(1)) };
        let mut closed = 0;
        let mut planned = std::mem::take(&mut self.planned);
        plans.clear();
        planned.clear();
        for region in regions {
            let known = self.find(&region);
            let area = region.rect.area();
            let recent = |(face, inferred): &(&GazeEstimate, f32)| {
                is_recent(face, policy) && area <= *inferred * (1.0 + REINFER_GROWTH)
            };
            let wanted = infer && !known.as_ref().is_some_and(recent);
            if wanted && !are_closed(&region, policy) {
                plans.push(InferencePlan::Infer);
                planned.push(area);
                continue;
            }
            closed += u64::from(wanted);
            plans.push(InferencePlan::Reuse(reused(region, known.map(|(face, _)| face))));
            planned.push(known.map_or(area, |(_, inferred)| inferred));
        }
        self.planned = planned;
        closed
    }

    /// Keeps the results of the planned frame, one for each plan, for the next frame.
    pub fn remember(&mut self, faces: &[GazeEstimate]) {
        self.last.clear();
        self.last.extend_from_slice(faces);
        std::mem::swap(&mut self.areas, &mut self.planned);
        self.planned.clear();
        self.areas.truncate(faces.len());
        let unplanned = faces.iter().skip(self.areas.len());
        self.areas.extend(unplanned.map(|face| face.region.rect.area()));
    }

    /// The last result of a face, and the area of its box when the model ran on it. A face whose id is
    /// new, or that has none, is found by its place among the faces whose id does not speak against it.
    fn find(&self, region: &FaceRegion) -> Option<(&GazeEstimate, f32)> {
        let known = || self.last.iter().zip(self.areas.iter().copied());
        let id = region.track_id;
        let same = known().find(|(face, _)| id.is_some() && face.region.track_id == id);
        let overlap = |face: &GazeEstimate| face.region.rect.iou(&region.rect);
        same.or_else(|| {
            known()
                .filter(|(face, _)| id.is_none() || face.region.track_id.is_none())
                .filter(|(face, _)| overlap(face) > SAME_FACE_IOU)
                .max_by(|(a, _), (b, _)| overlap(a).total_cmp(&overlap(b)))
        })
    }
}

/// Whether the result of a tracked face is recent enough to be reused.
fn is_recent(known: &GazeEstimate, policy: ReusePolicy) -> bool {
    known.region.track_id.is_some()
        && known.gaze.is_some()
        && (policy.reclassify_interval == 0
            || known.age.saturating_add(1) < policy.reclassify_interval)
}

/// Whether both eyes are closed. One open eye has a gaze.
fn are_closed(region: &FaceRegion, policy: ReusePolicy) -> bool {
    region.eye_openness.is_some_and(|eyes| eyes.iter().all(|open| *open < policy.min_eye_openness))
}

/// The last result with the face's present region.
fn reused(region: FaceRegion, known: Option<&GazeEstimate>) -> GazeEstimate {
    match known {
        Some(known) => GazeEstimate { region, age: known.age.saturating_add(1), ..*known },
        None => GazeEstimate { region, ..GazeEstimate::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::{Gaze, Rect};

    fn face(x: f32, track_id: Option<u64>) -> FaceRegion {
        FaceRegion { rect: Rect::new(x, 0.0, 100.0, 100.0), track_id, ..Default::default() }
    }

    /// Runs frames of one face and returns the age of each result.
    fn ages(policy: ReusePolicy, track_id: Option<u64>, late: &[bool]) -> Vec<u32> {
        let mut planner = ReusePlanner::default();
        let mut plans = Vec::new();
        let mut ages = Vec::new();
        for late in late {
            planner.plan([face(0.0, track_id)], policy, *late, &mut plans);
            let estimate = match plans[0] {
                InferencePlan::Infer => GazeEstimate {
                    region: face(0.0, track_id),
                    gaze: Some(Gaze::default()),
                    ..Default::default()
                },
                InferencePlan::Reuse(estimate) => estimate,
            };
            ages.push(estimate.age);
            planner.remember(&[estimate]);
        }
        ages
    }

    #[test]
    fn every_frame_by_default() {
        assert_eq!(ages(ReusePolicy::default(), None, &[false; 4]), [0, 0, 0, 0]);
        assert_eq!(ages(ReusePolicy::default(), Some(1), &[false; 4]), [0, 0, 0, 0]);
    }

    #[test]
    fn every_third_frame() {
        let policy = ReusePolicy { inference_interval: 3, ..ReusePolicy::default() };
        assert_eq!(ages(policy, None, &[false; 7]), [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn tracked_faces_reuse_results_between_reclassifications() {
        let policy = ReusePolicy { reclassify_interval: 4, ..ReusePolicy::default() };
        assert_eq!(ages(policy, Some(9), &[false; 6]), [0, 1, 2, 3, 0, 1]);
        assert_eq!(ages(policy, None, &[false; 3]), [0, 0, 0]);
        let once = ReusePolicy { reclassify_interval: 0, ..ReusePolicy::default() };
        assert_eq!(ages(once, Some(9), &[false; 4]), [0, 1, 2, 3]);
    }

    #[test]
    fn inference_runs_again_on_a_tracked_face_that_grew() {
        // The area counts from the last inference, and not from the last frame.
        let sides = [100.0, 105.0, 109.0, 110.0, 60.0, 66.0, 109.0, 121.0, 100.0];
        for reclassify_interval in [0, 100] {
            let policy = ReusePolicy { reclassify_interval, ..ReusePolicy::default() };
            let (mut planner, mut plans, mut ages) = (ReusePlanner::default(), vec![], vec![]);
            for side in sides {
                let rect = Rect::new(0.0, 0.0, side, side);
                let region = FaceRegion { rect, track_id: Some(3), ..Default::default() };
                planner.plan([region], policy, false, &mut plans);
                let estimate = match plans[0] {
                    InferencePlan::Infer => {
                        GazeEstimate { region, gaze: Some(Gaze::default()), ..Default::default() }
                    }
                    InferencePlan::Reuse(estimate) => estimate,
                };
                ages.push(estimate.age);
                planner.remember(&[estimate]);
            }
            // 110² is more than 1.2 times 100², 121² more than 1.2 times 110².
            assert_eq!(ages, [0, 1, 2, 0, 1, 2, 3, 0, 1]);
        }
    }

    #[test]
    fn a_face_that_grew_waits_where_there_is_no_time() {
        let policy = ReusePolicy { reclassify_interval: 0, ..ReusePolicy::default() };
        let (mut planner, mut plans) = (ReusePlanner::default(), vec![]);
        let grown = |side| FaceRegion {
            rect: Rect::new(0.0, 0.0, side, side),
            track_id: Some(3),
            ..Default::default()
        };
        planner.plan([grown(100.0)], policy, false, &mut plans);
        let region = grown(100.0);
        let known = GazeEstimate { region, gaze: Some(Gaze::default()), ..Default::default() };
        planner.remember(&[known]);
        planner.plan([grown(200.0)], policy, true, &mut plans);
        let InferencePlan::Reuse(reused) = plans[0] else {
            panic!("the model runs on a late frame")
        };
        planner.remember(&[reused]);
        planner.plan([grown(200.0)], policy, false, &mut plans);
        assert_eq!(plans, [InferencePlan::Infer], "the box has grown since the last inference");
    }

    #[test]
    fn a_late_frame_reuses_and_the_next_one_infers() {
        let late = [false, true, true, false, false];
        assert_eq!(ages(ReusePolicy::default(), None, &late), [0, 1, 2, 0, 0]);
        let policy = ReusePolicy { inference_interval: 2, ..ReusePolicy::default() };
        assert_eq!(ages(policy, None, &[false, false, true, false]), [0, 1, 2, 0]);
    }

    /// Runs frames of one face with these eyes. Returns the age and the yaw (the number of the frame)
    /// of each result, and how often closed eyes prevented inference.
    fn blinks(
        track_id: Option<u64>,
        frames: &[Option<[f32; 2]>],
    ) -> (Vec<(u32, Option<f32>)>, u64) {
        let policy = ReusePolicy { min_eye_openness: 0.3, ..ReusePolicy::default() };
        let (mut planner, mut plans, mut results) = (ReusePlanner::default(), vec![], vec![]);
        let mut closed = 0;
        for (frame, eye_openness) in frames.iter().enumerate() {
            let region = FaceRegion { eye_openness: *eye_openness, ..face(0.0, track_id) };
            closed += planner.plan([region], policy, false, &mut plans);
            let estimate = match plans[0] {
                InferencePlan::Infer => GazeEstimate {
                    region,
                    gaze: Some(Gaze::new(0.0, frame as f32)),
                    ..Default::default()
                },
                InferencePlan::Reuse(estimate) => estimate,
            };
            assert_eq!(
                format!("{:?}", estimate.region),
                format!("{region:?}"),
                "the region is this frame's"
            );
            results.push((estimate.age, estimate.gaze.map(|gaze| gaze.yaw)));
            planner.remember(&[estimate]);
        }
        (results, closed)
    }

    #[test]
    fn closed_eyes_prevent_inference() {
        let (open, shut) = (Some([0.9, 0.8]), Some([0.1, 0.29]));
        for track_id in [Some(4), None] {
            let (results, closed) = blinks(track_id, &[open, shut, shut, open, shut]);
            let expected =
                [(0, Some(0.0)), (1, Some(0.0)), (2, Some(0.0)), (0, Some(3.0)), (1, Some(3.0))];
            assert_eq!((&results[..], closed), (&expected[..], 3));
        }
        let (results, closed) = blinks(Some(4), &[shut, shut, open]);
        assert_eq!(results.iter().map(|r| r.1).collect::<Vec<_>>(), [None, None, Some(2.0)]);
        assert_eq!(closed, 2, "without open eyes before there is no gaze");
    }

    #[test]
    fn one_open_eye_or_an_unknown_one_is_enough() {
        let odd = [Some([0.1, 0.3]), Some([0.9, 0.0]), None, Some([f32::NAN, 0.1]), Some([0.3; 2])];
        let (results, closed) = blinks(Some(4), &odd);
        assert!(results.iter().all(|(age, _)| *age == 0), "{results:?}");
        assert_eq!(closed, 0);
        // Without a limit the model runs on closed eyes as well.
        let mut plans = Vec::new();
        let region = FaceRegion { eye_openness: Some([0.0; 2]), ..face(0.0, None) };
        let none =
            ReusePlanner::default().plan([region], ReusePolicy::default(), false, &mut plans);
        assert_eq!((&plans[..], none), (&[InferencePlan::Infer][..], 0));
    }

    #[test]
    fn results_follow_the_track_id_then_the_overlap() {
        let mut planner = ReusePlanner::default();
        let known = |region, yaw| GazeEstimate {
            region,
            gaze: Some(Gaze::new(0.0, yaw)),
            ..Default::default()
        };
        planner.remember(&[
            known(face(0.0, None), 0.1),
            known(face(40.0, None), 0.2),
            known(face(300.0, Some(5)), 0.3),
        ]);
        let mut plans = Vec::new();
        let regions = [face(35.0, None), face(900.0, Some(5)), face(600.0, None)];
        planner.plan(regions, ReusePolicy::default(), true, &mut plans);
        let yaw = |i: usize| match plans[i] {
            InferencePlan::Reuse(estimate) => estimate.gaze.map(|g| g.yaw),
            InferencePlan::Infer => panic!("the model runs on a late frame"),
        };
        assert_eq!((yaw(0), yaw(1), yaw(2)), (Some(0.2), Some(0.3), None));
    }

    #[test]
    fn a_face_that_loses_or_gains_its_id_keeps_its_result() {
        let known =
            |region| GazeEstimate { region, gaze: Some(Gaze::default()), ..Default::default() };
        let mut plans = Vec::new();
        for (before, now, found) in
            [(None, Some(3), true), (Some(3), None, true), (Some(3), Some(4), false)]
        {
            let mut planner = ReusePlanner::default();
            planner.remember(&[known(face(0.0, before))]);
            planner.plan([face(5.0, now)], ReusePolicy::default(), true, &mut plans);
            let InferencePlan::Reuse(reused) = plans[0] else { panic!("a late frame") };
            assert_eq!(reused.gaze.is_some(), found, "{before:?} {now:?}");
        }
    }

    #[test]
    fn boxes_follow_a_change_of_resolution() {
        let (from, to) = (Size::new(640, 480), Size::new(320, 240));
        let policy = ReusePolicy { reclassify_interval: 0, ..ReusePolicy::default() };
        let rect = Rect::new(200.0, 100.0, 80.0, 90.0);
        for track_id in [None, Some(2)] {
            let region = FaceRegion { rect, track_id, ..Default::default() };
            let (mut planner, mut plans) = (ReusePlanner::default(), vec![]);
            planner.plan([region], policy, false, &mut plans);
            let known = GazeEstimate { region, gaze: Some(Gaze::default()), ..Default::default() };
            planner.remember(&[known]);
            planner.rescale(from, to);
            let grown = Rect::new(100.0, 50.0, 50.0, 57.0);
            let small = region.rescaled(from, to);
            planner.plan([small], policy, true, &mut plans);
            let InferencePlan::Reuse(reused) = plans[0] else { panic!("a late frame") };
            assert!(reused.gaze.is_some(), "{track_id:?}");
            let bigger = FaceRegion { rect: grown, track_id, ..Default::default() };
            planner.plan([bigger], policy, false, &mut plans);
            assert_eq!(plans, [InferencePlan::Infer], "the area has moved along");
        }
    }

    #[test]
    fn a_face_without_a_result_is_tried_again() {
        let mut planner = ReusePlanner::default();
        let mut plans = Vec::new();
        let policy = ReusePolicy { reclassify_interval: 0, ..ReusePolicy::default() };
        planner.remember(&[GazeEstimate { region: face(0.0, Some(1)), ..Default::default() }]);
        planner.plan([face(0.0, Some(1))], policy, false, &mut plans);
        assert_eq!(plans, [InferencePlan::Infer]);
    }
}
