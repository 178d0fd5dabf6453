//! Learns the forward direction from where the driver looks most.
//!
//! Drivers look at the road most of the time, so the mode of their gaze is the road ahead (the road
//! centre of US 7460940, counted in a circle of 8 degrees). A histogram with exponential decay
//! collects the gaze, weighted by time and not by frames. The mean of the gaze around its densest
//! cell is the forward direction.

use std::time::Duration;

use super::forward::Forward;
use crate::core::geometry::angles::Gaze;

/// Side of a cell, degrees.
const CELL: f32 = 2.0;

/// Cells in yaw, ±90 degrees in camera coordinates.
const COLUMNS: usize = 90;

/// Cells in pitch, ±60 degrees.
const ROWS: usize = 60;

/// Radius of the road centre, degrees (US 7460940).
const RADIUS: f32 = 8.0;

/// Radius of the circle, cells.
const REACH: isize = (RADIUS / CELL) as isize;

/// Time constant of the decay, seconds. Published: 360 s.
const MEMORY: f32 = 360.0;

/// Gaze, in seconds, that makes forward known. This project's choice: Euro NCAP (Driver
/// Engagement v1.1, second hand) allows a minute at 10 km/h or more before a system is ready; road
/// centre methods are ready after about 20 s.
const READY: f32 = 30.0;

/// Gaze, in seconds, for full confidence ("stable after about 2 min").
const STABLE: f32 = 120.0;

/// Fraction of the gaze that must lie around the centre. Driving gives 0.7 to 0.9; below the limit
/// the gaze has no clear mode.
const LEAST_SHARE: f32 = 0.3;

/// Time between two estimates.
const PERIOD: Duration = Duration::from_secs(1);

/// How fast a known direction may drift, degrees a second: slower than any glance. This project's
/// choice.
const DRIFT: f32 = 0.1;

/// How far the direction may depart from a first guess, degrees. This project's choice: twice the
/// error of gaze in cars.
const PRIOR_REACH: f32 = 12.0;

/// Where the forward direction comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ForwardSource {
    /// The monitor learns it; until then the rules of gaze rest.
    #[default]
    Auto,
    /// The monitor learns it near this first guess, which it uses until then.
    Prior(Gaze),
    /// The user gives it, in camera coordinates.
    Given(Gaze),
}

/// Learns the forward direction.
#[derive(Debug)]
pub struct Calibration {
    source: ForwardSource,
    /// Seconds of gaze in each cell, rows of yaw.
    cells: Vec<f32>,
    /// Seconds in all of them.
    total: f32,
    since_update: Duration,
    forward: Option<Forward>,
    share: f32,
}

impl Calibration {
    /// Starts with what the source tells.
    pub fn new(source: ForwardSource) -> Self {
        let forward = match source {
            ForwardSource::Auto => None,
            ForwardSource::Prior(gaze) | ForwardSource::Given(gaze) => Some(Forward::new(gaze)),
        };
        Self {
            source,
            cells: vec![0.0; COLUMNS * ROWS],
            total: 0.0,
            since_update: Duration::ZERO,
            forward,
            share: 0.0,
        }
    }

    /// Forgets what was learned. Returns whether the direction is unknown by that.
    pub fn unlearn(&mut self) -> bool {
        let known = self.forward.is_some();
        *self = Self::new(self.source);
        known && self.forward.is_none()
    }

    /// The forward direction, where known.
    pub fn forward(&self) -> Option<&Forward> {
        self.forward.as_ref()
    }

    /// Confidence of the direction, 0..=1: the share of the gaze around it, lower with little gaze. A
    /// given direction has 1.
    pub fn confidence(&self) -> f32 {
        match self.source {
            ForwardSource::Given(_) => 1.0,
            _ => self.share * (self.total / STABLE).min(1.0),
        }
    }

    /// Adds a gaze in camera coordinates that lasted `dt` while driving.
    pub fn add(&mut self, gaze: Gaze, dt: Duration) {
        if matches!(self.source, ForwardSource::Given(_)) {
            return;
        }
        let seconds = dt.as_secs_f32();
        if let Some(cell) = cell_of(gaze).and_then(|cell| self.cells.get_mut(cell)) {
            *cell += seconds;
            self.total += seconds;
        }
        self.since_update += dt;
        if self.since_update >= PERIOD {
            let elapsed = std::mem::take(&mut self.since_update);
            self.update(elapsed);
        }
    }

    fn update(&mut self, elapsed: Duration) {
        let keep = (-elapsed.as_secs_f32() / MEMORY).exp();
        self.cells.iter_mut().for_each(|cell| *cell *= keep);
        self.total = self.cells.iter().sum();
        if self.total < READY {
            return;
        }
        let Some((centre, share)) = self.centre() else { return };
        if share < LEAST_SHARE {
            self.share = share;
            return;
        }
        let wanted = self.bounded(centre);
        let direction = match self.forward.map(|forward| forward.direction()) {
            Some(known) => towards(known, wanted, DRIFT * elapsed.as_secs_f32()),
            None => wanted,
        };
        self.share = share;
        self.forward = Some(Forward::new(direction));
    }

    /// The mode of the gaze, and the share of all gaze around it.
    fn centre(&self) -> Option<(Gaze, f32)> {
        let densest = (0..self.cells.len())
            .filter(|cell| self.cells[*cell] > 0.0)
            .map(|cell| (cell, self.around(cell).2))
            .max_by(|a, b| a.1.total_cmp(&b.1))?;
        let (yaw, pitch, weight) = self.around(densest.0);
        // Again around the mean, which may lie in another cell.
        let gaze = Gaze::from_degrees(pitch / weight, yaw / weight);
        let (yaw, pitch, weight) = self.around(cell_of(gaze)?);
        (weight > 0.0)
            .then(|| (Gaze::from_degrees(pitch / weight, yaw / weight), weight / self.total))
    }

    /// Sums of yaw, pitch (degrees) and seconds in the circle around a cell.
    fn around(&self, cell: usize) -> (f32, f32, f32) {
        let (row, column) = ((cell / COLUMNS) as isize, (cell % COLUMNS) as isize);
        let (mut yaw, mut pitch, mut weight) = (0.0, 0.0, 0.0);
        for dy in -REACH..=REACH {
            for dx in -REACH..=REACH {
                let (y, x) = (row + dy, column + dx);
                let inside = (0..ROWS as isize).contains(&y) && (0..COLUMNS as isize).contains(&x);
                if !inside || dx * dx + dy * dy > REACH * REACH {
                    continue;
                }
                let seconds = self.cells[y as usize * COLUMNS + x as usize];
                yaw += seconds * middle(x as usize, COLUMNS);
                pitch += seconds * middle(y as usize, ROWS);
                weight += seconds;
            }
        }
        (yaw, pitch, weight)
    }

    /// Limits the direction to the reach of a first guess.
    fn bounded(&self, gaze: Gaze) -> Gaze {
        match self.source {
            ForwardSource::Prior(prior) => towards(prior, gaze, PRIOR_REACH),
            _ => gaze,
        }
    }
}

/// From one gaze towards another, by `most` degrees at most.
fn towards(from: Gaze, to: Gaze, most: f32) -> Gaze {
    let (pitch, yaw) = (to.pitch - from.pitch, to.yaw - from.yaw);
    let way = pitch.hypot(yaw);
    let part = if way > 0.0 { (most.to_radians() / way).min(1.0) } else { 0.0 };
    Gaze::new(from.pitch + part * pitch, from.yaw + part * yaw)
}

fn cell_of(gaze: Gaze) -> Option<usize> {
    let index = |angle: f32, count: usize| {
        let at = (angle.to_degrees() / CELL + count as f32 / 2.0).floor();
        (at >= 0.0 && at < count as f32).then_some(at as usize)
    };
    Some(index(gaze.pitch, ROWS)? * COLUMNS + index(gaze.yaw, COLUMNS)?)
}

/// Centre of a cell, degrees.
fn middle(index: usize, count: usize) -> f32 {
    (index as f32 + 0.5 - count as f32 / 2.0) * CELL
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(100);

    /// Looks in turn at the road and at a screen, `share` of the time at the road, with ±2 degrees of
    /// jitter.
    fn drive(calibration: &mut Calibration, road: Gaze, share: f32, seconds: u32) {
        let screen = Gaze::new(road.pitch - 0.35, road.yaw + 0.6);
        for i in 0..seconds * 10 {
            let jitter = ((i * 7 % 5) as f32 - 2.0).to_radians();
            let at = if (i % 50) as f32 / 50.0 < share { road } else { screen };
            calibration.add(Gaze::new(at.pitch + jitter, at.yaw - jitter), STEP);
        }
    }

    #[test]
    fn learns_where_the_driver_looks_most() {
        let road = Gaze::from_degrees(12.0, -25.0);
        let mut calibration = Calibration::new(ForwardSource::Auto);
        drive(&mut calibration, road, 0.8, 25);
        assert!(calibration.forward().is_none() && calibration.confidence() == 0.0);
        drive(&mut calibration, road, 0.8, 10);
        let found = calibration.forward().expect("35 s are enough").direction();
        assert!(found.angle_to(road).to_degrees() < 1.5, "{found:?}");
        let early = calibration.confidence();
        drive(&mut calibration, road, 0.8, 120);
        assert!(early < 0.4 && calibration.confidence() > 0.6, "{early}");
        assert!(calibration.unlearn() && !calibration.unlearn());
        assert_eq!((calibration.forward(), calibration.confidence()), (None, 0.0));
    }

    #[test]
    fn a_gaze_without_a_mode_gives_no_direction() {
        let mut calibration = Calibration::new(ForwardSource::Auto);
        for i in 0..2000u32 {
            let (pitch, yaw) = ((i * 37 % 100) as f32 - 50.0, (i * 53 % 160) as f32 - 80.0);
            calibration.add(Gaze::from_degrees(pitch, yaw), STEP);
        }
        assert!(calibration.forward().is_none());
    }

    #[test]
    fn follows_slowly_and_ignores_single_glances() {
        let road = Gaze::from_degrees(0.0, 0.0);
        let mut calibration = Calibration::new(ForwardSource::Auto);
        drive(&mut calibration, road, 1.0, 120);
        // Ten seconds at a screen move nothing.
        drive(&mut calibration, Gaze::from_degrees(-20.0, 30.0), 1.0, 10);
        let found = calibration.forward().unwrap().direction();
        assert!(found.angle_to(road).to_degrees() < 1.5, "{found:?}");
        // It follows a driver who changes the seat within minutes.
        let moved = Gaze::from_degrees(5.0, 6.0);
        drive(&mut calibration, moved, 1.0, 600);
        let found = calibration.forward().unwrap().direction();
        assert!(found.angle_to(moved).to_degrees() < 2.0, "{found:?}");
    }

    #[test]
    fn a_given_direction_stays_and_a_guess_limits() {
        let given = Gaze::from_degrees(3.0, 4.0);
        let mut calibration = Calibration::new(ForwardSource::Given(given));
        drive(&mut calibration, Gaze::from_degrees(20.0, 20.0), 1.0, 60);
        assert_eq!(calibration.forward().map(Forward::direction), Some(given));
        assert_eq!(calibration.confidence(), 1.0);
        let mut calibration = Calibration::new(ForwardSource::Prior(given));
        assert_eq!(calibration.forward().map(Forward::direction), Some(given));
        drive(&mut calibration, Gaze::from_degrees(3.0, 44.0), 1.0, 900);
        let found = calibration.forward().unwrap().direction();
        assert!((found.angle_to(given).to_degrees() - PRIOR_REACH).abs() < 0.5, "{found:?}");
    }

    #[test]
    fn gaze_outside_the_histogram_does_not_count() {
        let mut calibration = Calibration::new(ForwardSource::Auto);
        for gaze in [Gaze::new(f32::NAN, 0.0), Gaze::new(0.0, 3.0), Gaze::new(-1.5, 0.0)] {
            calibration.add(gaze, Duration::from_secs(40));
        }
        assert_eq!((calibration.total, calibration.forward()), (0.0, None));
    }
}
