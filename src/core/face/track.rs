//! Tracks faces from frame to frame by overlap and a constant-velocity Kalman filter.
//!
//! The method is SORT's (Bewley et al., "Simple Online and Realtime Tracking", ICIP 2016): each
//! track predicts its box, overlap pairs predictions with detections, and pairs update the filter.
//! A detection without a track starts one; a track without detections ends. Differences: each of the
//! four numbers of a box has a filter of its own (their noises are nearly independent, and a 2x2
//! filter needs no matrix library), noise scales with the box, time is the frames' own, and pairing is
//! greedy by falling overlap, which equals the optimal assignment wherever faces do not cover each
//! other by half.

use std::time::Duration;

use super::region::FaceRegion;
use crate::core::geometry::rect::{Point, Rect, Size};

/// A track and a detection that overlap less are different faces.
const MIN_IOU: f32 = 0.2;
/// A track ends after this long without a detection.
const MAX_LOST: Duration = Duration::from_millis(1000);
/// Standard deviation of a detector's box edge, as a fraction of the box: detectors jitter by a
/// few per cent.
const MEASUREMENT: f32 = 0.05;
/// Standard deviation of the acceleration, box sizes per second squared: a head that starts to
/// turn or to nod gets there in about a fifth of a second.
const ACCELERATION: f32 = 6.0;
/// Standard deviation of the speed of a new track, box sizes per second.
const FIRST_SPEED: f32 = 2.0;

/// A Kalman filter of one number: its value and speed, with their covariance.
#[derive(Clone, Copy, Debug, Default)]
struct Kalman {
    value: f32,
    speed: f32,
    /// Variance of the value, covariance, variance of the speed.
    p: [f32; 3],
}

impl Kalman {
    fn new(value: f32, size: f32) -> Self {
        let (sigma, speed) = (MEASUREMENT * size, FIRST_SPEED * size);
        Self { value, speed: 0.0, p: [sigma * sigma, 0.0, speed * speed] }
    }

    /// White-noise acceleration over `dt` seconds.
    fn predict(&mut self, dt: f32, size: f32) {
        let q = (ACCELERATION * size).powi(2);
        let [vv, vs, ss] = self.p;
        self.value += self.speed * dt;
        self.p = [
            vv + 2.0 * dt * vs + dt * dt * ss + q * dt.powi(4) / 4.0,
            vs + dt * ss + q * dt.powi(3) / 2.0,
            ss + q * dt * dt,
        ];
    }

    fn update(&mut self, measured: f32, size: f32) {
        let [vv, vs, ss] = self.p;
        let innovation = vv + (MEASUREMENT * size).powi(2);
        if innovation <= 0.0 {
            return;
        }
        let (kv, ks) = (vv / innovation, vs / innovation);
        let residual = measured - self.value;
        self.value += kv * residual;
        self.speed += ks * residual;
        self.p = [(1.0 - kv) * vv, (1.0 - kv) * vs, ss - ks * vs];
    }
}

/// One face over time.
#[derive(Clone, Copy, Debug)]
struct Track {
    id: u64,
    /// Centre x, centre y, width, height.
    filters: [Kalman; 4],
    /// Time since the last detection.
    unseen: Duration,
    /// The last detection.
    face: FaceRegion,
}

impl Track {
    fn new(id: u64, face: FaceRegion) -> Self {
        let size = extent(&face.rect);
        let filters = numbers(&face.rect).map(|v| Kalman::new(v, size));
        Self { id, filters, unseen: Duration::ZERO, face }
    }

    fn rect(&self) -> Rect {
        let [x, y, w, h] = self.filters.map(|filter| filter.value);
        let (w, h) = (w.max(1.0), h.max(1.0));
        Rect::new(x - w / 2.0, y - h / 2.0, w, h)
    }

    fn predict(&mut self, dt: f32) {
        let size = extent(&self.rect());
        self.filters.iter_mut().for_each(|filter| filter.predict(dt, size));
    }

    fn update(&mut self, face: FaceRegion) {
        let size = extent(&face.rect);
        for (filter, measured) in self.filters.iter_mut().zip(numbers(&face.rect)) {
            filter.update(measured, size);
        }
        self.unseen = Duration::ZERO;
        self.face = face;
    }

    /// The face at its predicted box; its points move along.
    fn carried(&self) -> FaceRegion {
        let (rect, seen) = (self.rect(), self.face.rect);
        let face = self.face.with_points(rect, |p| Point {
            x: rect.x + (p.x - seen.x) * rect.width / seen.width,
            y: rect.y + (p.y - seen.y) * rect.height / seen.height,
        });
        FaceRegion { track_id: Some(self.id), ..face }
    }
}

fn numbers(rect: &Rect) -> [f32; 4] {
    [rect.x + rect.width / 2.0, rect.y + rect.height / 2.0, rect.width, rect.height]
}

fn extent(rect: &Rect) -> f32 {
    ((rect.width + rect.height) / 2.0).max(1.0)
}

/// The tracks of a stream. Allocates only for more faces than ever before.
#[derive(Debug, Default)]
pub struct Tracker {
    tracks: Vec<Track>,
    next_id: u64,
    now: Option<Duration>,
    pairs: Vec<(f32, usize, usize)>,
    taken: Vec<bool>,
}

impl Tracker {
    /// Ends all tracks, after a flush or a seek. A tracker never gives the same id twice.
    pub fn reset(&mut self) {
        self.tracks.clear();
        self.now = None;
    }

    /// The frames have another size from now on and show the same picture: moves the tracks along.
    pub fn rescale(&mut self, from: Size, to: Size) {
        if from.is_empty() || to.is_empty() {
            return self.reset();
        }
        let ratio = |to: u32, from: u32| to as f32 / from as f32;
        let (sx, sy) = (ratio(to.width, from.width), ratio(to.height, from.height));
        for track in &mut self.tracks {
            track.face = track.face.rescaled(from, to);
            for (filter, scale) in track.filters.iter_mut().zip([sx, sy, sx, sy]) {
                filter.value *= scale;
                filter.speed *= scale;
                filter.p = filter.p.map(|p| p * scale * scale);
            }
        }
    }

    /// Gives each detected face its `track_id`; a face that has one keeps it. Boxes stay the
    /// detector's: a filtered box would move the crop of the gaze model.
    pub fn update(&mut self, at: Duration, faces: &mut [FaceRegion]) {
        self.advance(at);
        self.pair(faces);
        for (index, face) in faces.iter_mut().enumerate() {
            if face.track_id.is_some() || face.rect.is_empty() {
                continue;
            }
            let paired = self.pairs.iter().find(|(_, _, f)| *f == index).map(|(_, track, _)| track);
            face.track_id = Some(match paired {
                Some(track) => {
                    self.tracks[*track].update(*face);
                    self.tracks[*track].id
                }
                None => {
                    let id = self.next_id;
                    self.next_id += 1;
                    self.tracks.push(Track::new(id, *face));
                    id
                }
            });
        }
        self.tracks.retain(|track| track.unseen <= MAX_LOST);
    }

    /// Writes the faces of the last detection at their predicted boxes, for frames between two
    /// detections.
    pub fn carry(&mut self, at: Duration, faces: &mut Vec<FaceRegion>) {
        self.advance(at);
        let newest = self.tracks.iter().map(|track| track.unseen).min();
        faces.clear();
        faces.extend(
            self.tracks.iter().filter(|track| Some(track.unseen) == newest).map(Track::carried),
        );
    }

    /// Predicts every track at `at`. Where time goes back, the stream goes on along another time line:
    /// tracks stay where they are, each as old as it was.
    fn advance(&mut self, at: Duration) {
        let now = self.now.replace(at).unwrap_or(at);
        let dt = at.saturating_sub(now);
        if !dt.is_zero() {
            let seconds = dt.min(MAX_LOST).as_secs_f32();
            for track in &mut self.tracks {
                track.unseen = track.unseen.saturating_add(dt);
                track.predict(seconds);
            }
        }
    }

    /// Pairs tracks and faces into `pairs`, best overlap first.
    fn pair(&mut self, faces: &[FaceRegion]) {
        self.pairs.clear();
        for (t, track) in self.tracks.iter().enumerate() {
            let rect = track.rect();
            for (f, face) in faces.iter().enumerate() {
                let iou = rect.iou(&face.rect);
                if iou >= MIN_IOU && face.track_id.is_none() {
                    self.pairs.push((iou, t, f));
                }
            }
        }
        self.pairs.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        self.taken.clear();
        self.taken.resize(self.tracks.len() + faces.len(), false);
        let (taken, tracks) = (&mut self.taken, self.tracks.len());
        self.pairs.retain(|(_, t, f)| {
            let free = !taken[*t] && !taken[tracks + f];
            if free {
                (taken[*t], taken[tracks + f]) = (true, true);
            }
            free
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, y: f32) -> FaceRegion {
        FaceRegion { rect: Rect::new(x, y, 100.0, 120.0), ..Default::default() }
    }

    fn at(frame: u32) -> Duration {
        Duration::from_secs(1) * frame / 30
    }

    fn ids(tracker: &mut Tracker, frame: u32, mut faces: Vec<FaceRegion>) -> Vec<u64> {
        tracker.update(at(frame), &mut faces);
        faces.iter().map(|face| face.track_id.unwrap()).collect()
    }

    #[test]
    fn moving_faces_keep_their_ids_in_any_order() {
        let mut tracker = Tracker::default();
        for frame in 0..60 {
            let step = frame as f32 * 8.0;
            let (a, b) = (face(step, 10.0), face(900.0 - step, 300.0));
            let faces = if frame % 2 == 0 { vec![a, b] } else { vec![b, a] };
            let expected = if frame % 2 == 0 { vec![0, 1] } else { vec![1, 0] };
            assert_eq!(ids(&mut tracker, frame, faces), expected, "{frame}");
        }
    }

    #[test]
    fn a_gap_of_half_a_second_is_bridged_by_the_prediction() {
        let mut tracker = Tracker::default();
        // At 200 pixels a second the face moves by its own width in the gap, and no longer overlaps
        // its last box.
        for frame in 0..30 {
            ids(&mut tracker, frame, vec![face(frame as f32 * 200.0 / 30.0, 0.0)]);
        }
        assert_eq!(ids(&mut tracker, 45, vec![face(45.0 * 200.0 / 30.0, 0.0)]), [0]);
    }

    #[test]
    fn a_lost_face_ends_and_ids_are_never_reused() {
        let mut tracker = Tracker::default();
        assert_eq!(ids(&mut tracker, 0, vec![face(0.0, 0.0)]), [0]);
        assert_eq!(ids(&mut tracker, 60, vec![face(0.0, 0.0)]), [0], "same place, seen again");
        assert_eq!(ids(&mut tracker, 120, vec![]), Vec::<u64>::new());
        assert_eq!(ids(&mut tracker, 121, vec![face(0.0, 0.0)]), [1]);
        tracker.reset();
        assert_eq!(ids(&mut tracker, 0, vec![face(0.0, 0.0)]), [2]);
    }

    #[test]
    fn upstream_ids_are_kept() {
        let mut tracker = Tracker::default();
        let mut faces = [FaceRegion { track_id: Some(77), ..face(0.0, 0.0) }, face(300.0, 0.0)];
        tracker.update(at(0), &mut faces);
        assert_eq!(faces.map(|f| f.track_id), [Some(77), Some(0)]);
    }

    #[test]
    fn ids_survive_a_change_of_resolution() {
        let (large, small) = (Size::new(1280, 720), Size::new(640, 360));
        let mut tracker = Tracker::default();
        let at_frame = |frame: u32| vec![face(frame as f32 * 8.0, 10.0), face(700.0, 300.0)];
        for frame in 0..30 {
            assert_eq!(ids(&mut tracker, frame, at_frame(frame)), [0, 1]);
        }
        let (mut from, mut to) = (large, small);
        for frame in 30..60 {
            // The size changes with every frame, and the faces move on.
            tracker.rescale(from, to);
            let faces = at_frame(frame).into_iter().map(|face| face.rescaled(large, to)).collect();
            assert_eq!(ids(&mut tracker, frame, faces), [0, 1], "{frame}");
            (from, to) = (to, from);
        }
        tracker.rescale(Size::default(), small);
        assert_eq!(ids(&mut tracker, 60, at_frame(60)), [2, 3], "nothing to scale by");
    }

    #[test]
    fn boxes_and_points_move_between_detections() {
        let mut tracker = Tracker::default();
        for frame in 0..30 {
            let x = frame as f32 * 5.0;
            let mut moving = face(x, 0.0);
            moving.landmarks = Some([Point { x: x + 50.0, y: 60.0 }; 5]);
            tracker.update(at(frame), &mut [moving]);
        }
        let mut carried = Vec::new();
        tracker.carry(at(34), &mut carried);
        let rect = carried[0].rect;
        assert!((rect.x - 34.0 * 5.0).abs() < 5.0, "{rect:?}");
        assert!((carried[0].landmarks.unwrap()[0].x - rect.x - 50.0).abs() < 2.0);
        assert_eq!(carried[0].track_id, Some(0));
        tracker.update(at(35), &mut []);
        tracker.carry(at(36), &mut carried);
        assert_eq!(carried.len(), 1, "one missed detection does not end a track");
    }

    #[test]
    fn time_that_goes_back_begins_a_new_line() {
        let mut tracker = Tracker::default();
        let pair = || vec![face(0.0, 0.0), face(600.0, 0.0)];
        assert_eq!(ids(&mut tracker, 3000, pair()), [0, 1]);
        assert_eq!(ids(&mut tracker, 3001, vec![face(600.0, 0.0)]), [1]);
        // The face that stays keeps its id, and moves between detections as before.
        for frame in 0..15 {
            let moving = face(600.0 + frame as f32 * 5.0, 0.0);
            assert_eq!(ids(&mut tracker, frame, vec![moving]), [1]);
        }
        let mut carried = Vec::new();
        tracker.carry(at(18), &mut carried);
        assert_eq!(carried.len(), 1, "the face that was lost before is not carried");
        assert!((carried[0].rect.x - 690.0).abs() < 10.0, "{:?}", carried[0].rect);
        // The other one is lost after its second, counted over both lines.
        assert_eq!(ids(&mut tracker, 40, vec![face(800.0, 0.0)]), [1]);
        assert_eq!(ids(&mut tracker, 41, pair()).first(), Some(&2));
    }

    #[test]
    fn empty_boxes_do_no_harm() {
        let mut tracker = Tracker::default();
        let mut broken = [FaceRegion::default()];
        tracker.update(at(31), &mut broken);
        assert_eq!(broken[0].track_id, None);
    }
}
