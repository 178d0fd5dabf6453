//! Smoothing of gaze over time: the One-Euro filter, one per track.
//!
//! Casiez, Roussel, Vogel: "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
//! Interactive Systems", CHI 2012. A first-order low-pass whose cutoff rises with the speed of the
//! signal: `fc = min_cutoff + beta * |speed|`, `alpha = 2π fc dt / (1 + 2π fc dt)`. Time comes from
//! the frames' timestamps, never from a nominal frame rate. A filter delays what it smooths, so the
//! rules of the monitor take the unfiltered angles.

use std::f32::consts::{PI, TAU};
use std::time::Duration;

use crate::core::geometry::angles::Gaze;

/// A track that is missing for longer starts again.
const FORGET: Duration = Duration::from_secs(2);

/// Parameters of the filter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneEuro {
    /// Cutoff at rest in Hz, above 0: a lower one is smoother and slower.
    pub min_cutoff: f32,
    /// How fast the cutoff rises with speed, Hz per (rad/s), 0 or above: a higher one follows faster.
    pub beta: f32,
}

impl Default for OneEuro {
    /// 1 Hz at rest, and 6 Hz for a glance of 5 rad/s.
    fn default() -> Self {
        Self { min_cutoff: 1.0, beta: 1.0 }
    }
}

/// Cutoff of the speed estimate in Hz, the paper's value.
const SPEED_CUTOFF: f32 = 1.0;

/// One filtered angle and its filtered speed.
#[derive(Clone, Copy, Debug, Default)]
struct AngleFilter {
    value: f32,
    speed: f32,
}

impl AngleFilter {
    fn update(&mut self, target: f32, dt: f32, filter: OneEuro) {
        let speed = (target - self.value) / dt;
        self.speed += alpha(SPEED_CUTOFF, dt) * (speed - self.speed);
        let cutoff = filter.min_cutoff + filter.beta * self.speed.abs();
        self.value += alpha(cutoff, dt) * (target - self.value);
    }
}

fn alpha(cutoff: f32, dt: f32) -> f32 {
    let r = TAU * cutoff * dt;
    r / (1.0 + r)
}

#[derive(Clone, Copy, Debug)]
struct TrackFilter {
    track: u64,
    at: Duration,
    pitch: AngleFilter,
    yaw: AngleFilter,
}

/// The filters of all tracks of a stream.
#[derive(Debug, Default)]
pub struct Smoother {
    tracks: Vec<TrackFilter>,
}

impl Smoother {
    /// Forgets everything (flush, seek).
    pub fn reset(&mut self) {
        self.tracks.clear();
    }

    /// The smoothed gaze of `track` at stream time `at`. The first sample of a track passes unchanged, and
    /// so does one after a long gap or at a time that is not later than the last: the filter starts again.
    pub fn smooth(&mut self, track: u64, at: Duration, gaze: Gaze, filter: OneEuro) -> Gaze {
        self.tracks.retain(|t| at.saturating_sub(t.at) <= FORGET || t.track == track);
        let fresh = TrackFilter {
            track,
            at,
            pitch: AngleFilter { value: gaze.pitch, speed: 0.0 },
            yaw: AngleFilter { value: gaze.yaw, speed: 0.0 },
        };
        let Some(known) = self.tracks.iter_mut().find(|t| t.track == track) else {
            self.tracks.push(fresh);
            return gaze;
        };
        let dt = at.saturating_sub(known.at);
        if dt > FORGET || dt.is_zero() {
            *known = fresh;
            return gaze;
        }
        let dt = dt.as_secs_f32();
        known.at = at;
        known.pitch.update(gaze.pitch, dt, filter);
        // The shorter way round: -179 and +179 degrees are two degrees apart.
        let step = (gaze.yaw - known.yaw.value + PI).rem_euclid(TAU) - PI;
        known.yaw.update(known.yaw.value + step, dt, filter);
        known.yaw.value = (known.yaw.value + PI).rem_euclid(TAU) - PI;
        Gaze::new(known.pitch.value, known.yaw.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(frame: u32, fps: u32) -> Duration {
        Duration::from_secs(1) * frame / fps
    }

    #[test]
    fn a_constant_stays_and_the_first_sample_passes() {
        let mut smoother = Smoother::default();
        let gaze = Gaze::new(0.2, -0.4);
        for frame in 0..50 {
            let out = smoother.smooth(1, at(frame, 30), gaze, OneEuro::default());
            assert!(out.angle_to(gaze) < 1e-5);
        }
    }

    #[test]
    fn noise_shrinks_and_a_step_arrives() {
        let mut smoother = Smoother::default();
        let filter = OneEuro { min_cutoff: 0.5, beta: 0.0 };
        // Alternating noise of ±0.1 rad.
        let mut largest = 0f32;
        for frame in 0..200u32 {
            let noise = if frame % 2 == 0 { 0.1 } else { -0.1 };
            let out = smoother.smooth(1, at(frame, 30), Gaze::new(noise, 0.0), filter);
            if frame > 100 {
                largest = largest.max(out.pitch.abs());
            }
        }
        assert!(largest < 0.02, "{largest}");
        let follow = OneEuro { min_cutoff: 0.5, beta: 5.0 };
        let mut out = Gaze::default();
        for frame in 200..212 {
            out = smoother.smooth(1, at(frame, 30), Gaze::new(0.0, 0.8), follow);
        }
        assert!(out.yaw > 0.7, "{out:?}");
    }

    #[test]
    fn one_pole_as_in_the_paper() {
        // With beta 0 the filter is y += a (x - y), a = 2π fc dt / (1 + 2π fc dt).
        let mut smoother = Smoother::default();
        let filter = OneEuro { min_cutoff: 2.0, beta: 0.0 };
        smoother.smooth(1, Duration::ZERO, Gaze::default(), filter);
        let out = smoother.smooth(1, Duration::from_millis(100), Gaze::new(1.0, 0.0), filter);
        let r = TAU * 2.0 * 0.1;
        assert!((out.pitch - r / (1.0 + r)).abs() < 1e-6);
    }

    #[test]
    fn yaw_takes_the_shorter_way() {
        let mut smoother = Smoother::default();
        let filter = OneEuro::default();
        smoother.smooth(1, at(0, 30), Gaze::new(0.0, 3.1), filter);
        let out = smoother.smooth(1, at(1, 30), Gaze::new(0.0, -3.1), filter);
        assert!(out.yaw > 3.1 || out.yaw < -3.1, "{out:?}");
    }

    #[test]
    fn a_filter_never_stands_still() {
        let filter = OneEuro::default();
        let sample = |frame: u32| Gaze::new(0.5 - frame as f32 / 100.0, 0.0);
        // Frames, and how the filter must answer the last of them: times that repeat, go back a little or
        // far, and leave a long gap.
        for times in [[30, 30, 30], [30, 29, 28], [300, 1, 0], [30, 300, 600]] {
            let mut smoother = Smoother::default();
            for (frame, time) in (0..).zip(times) {
                let out = smoother.smooth(1, at(time, 30), sample(frame), filter);
                assert_eq!(out, sample(frame), "{times:?}");
            }
            // From there it smooths again.
            let time = times[2] + 1;
            let out = smoother.smooth(1, at(time, 30), Gaze::new(-0.5, 0.0), filter);
            assert!(out.pitch > -0.5 && out.pitch < sample(2).pitch, "{times:?}: {out:?}");
        }
    }

    #[test]
    fn tracks_do_not_mix_and_lost_tracks_are_forgotten() {
        let mut smoother = Smoother::default();
        let filter = OneEuro::default();
        for track in 0..100 {
            smoother.smooth(track, at(0, 30), Gaze::new(track as f32 / 100.0, 0.0), filter);
        }
        let out = smoother.smooth(50, at(1, 30), Gaze::new(0.5, 0.0), filter);
        assert!((out.pitch - 0.5).abs() < 1e-6);
        smoother.smooth(50, at(90, 30), Gaze::default(), filter);
        assert_eq!(smoother.tracks.len(), 1);
    }
}
