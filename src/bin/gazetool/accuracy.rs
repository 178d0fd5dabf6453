//! By how much two models differ on the same faces: the guard of every change of precision or
//! provider.

use gstgaze::core::geometry::Gaze;

/// Mean angle in degrees below which two engines are taken for the same: the acceptance limit of
/// this project. The best models' own errors on people whom they never saw are several times that
/// (about 4 degrees on MPIIFaceGaze and 10 on Gaze360: Cheng et al., "Appearance-based Gaze
/// Estimation With Deep Learning: A Review and Benchmark", TPAMI 2024).
pub const LIMIT_DEGREES: f64 = 1.0;

/// Differences of many faces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// Angles between both, degrees.
    angles: Vec<f64>,
    pitch: f64,
    yaw: f64,
    unpaired: usize,
    neither: usize,
}

/// What is to be said of them. Degrees throughout; 0 without faces.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Faces that both gave a gaze for.
    pub faces: usize,
    /// Faces that only one of them gave a gaze for.
    pub unpaired: usize,
    /// Faces that neither gave a gaze for.
    pub neither: usize,
    /// Mean angle between both.
    pub mean: f64,
    /// The angle that half of the faces do not exceed.
    pub median: f64,
    /// The angle that 95 % of the faces do not exceed.
    pub p95: f64,
    /// The largest angle.
    pub max: f64,
    /// Mean of the second's pitch less the first's.
    pub pitch_bias: f64,
    /// Mean of the second's yaw less the first's.
    pub yaw_bias: f64,
}

impl Differences {
    /// Counts one face and gives the angle between both in degrees, where there is one.
    pub fn add(&mut self, first: Option<Gaze>, second: Option<Gaze>) -> Option<f64> {
        let finite = |gaze: Option<Gaze>| gaze.filter(|gaze| gaze.is_finite());
        let (first, second) = match (finite(first), finite(second)) {
            (Some(first), Some(second)) => (first, second),
            (None, None) => {
                self.neither += 1;
                return None;
            }
            _ => {
                self.unpaired += 1;
                return None;
            }
        };
        let angle = f64::from(first.angle_to(second)).to_degrees();
        self.angles.push(angle);
        self.pitch += f64::from(second.pitch - first.pitch).to_degrees();
        // The short way round.
        let yaw = f64::from(second.yaw - first.yaw).to_degrees();
        self.yaw += yaw - 360.0 * (yaw / 360.0).round();
        Some(angle)
    }

    /// Mean, percentiles and bias.
    pub fn summary(&self) -> Summary {
        let faces = self.angles.len();
        let counted =
            Summary { faces, unpaired: self.unpaired, neither: self.neither, ..Summary::default() };
        if faces == 0 {
            return counted;
        }
        let mut sorted = self.angles.clone();
        sorted.sort_by(f64::total_cmp);
        // The nearest rank: an angle that occurred, and no less than the share asked for.
        let percentile = |share: f64| {
            let rank = (share * faces as f64).ceil() as usize;
            sorted.get(rank.clamp(1, faces) - 1).copied().unwrap_or_default()
        };
        let count = faces as f64;
        Summary {
            mean: sorted.iter().sum::<f64>() / count,
            median: percentile(0.5),
            p95: percentile(0.95),
            max: percentile(1.0),
            pitch_bias: self.pitch / count,
            yaw_bias: self.yaw / count,
            ..counted
        }
    }
}

impl Summary {
    /// Whether both may stand for each other: faces were compared, each of them gave a gaze
    /// wherever the other did, and they differ by less than `limit` degrees on average.
    pub fn passes(&self, limit: f64) -> bool {
        self.faces > 0 && self.unpaired == 0 && self.mean < limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(f32, f32)]) -> Summary {
        let mut differences = Differences::default();
        for (first, second) in pairs {
            let gaze = |yaw: f32| yaw.is_finite().then(|| Gaze::from_degrees(0.0, yaw));
            differences.add(gaze(*first), gaze(*second));
        }
        differences.summary()
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-4
    }

    #[test]
    fn percentiles_are_angles_that_occurred() {
        let pairs: Vec<(f32, f32)> = (1..=100).map(|i| (0.0, i as f32 / 10.0)).collect();
        let summary = of(&pairs);
        assert_eq!(summary.faces, 100);
        assert!(close(summary.mean, 5.05) && close(summary.median, 5.0), "{summary:?}");
        assert!(close(summary.p95, 9.5) && close(summary.max, 10.0), "{summary:?}");
        assert!(close(summary.yaw_bias, 5.05) && close(summary.pitch_bias, 0.0), "{summary:?}");
        let one = of(&[(1.0, 3.0)]);
        assert!(close(one.median, 2.0) && close(one.p95, 2.0) && close(one.max, 2.0));
    }

    #[test]
    fn opposite_errors_have_no_bias_and_a_mean() {
        let summary = of(&[(0.0, 2.0), (0.0, -2.0), (179.0, -179.0), (-179.0, 179.0)]);
        assert!(close(summary.mean, 2.0) && close(summary.yaw_bias, 0.0), "{summary:?}");
    }

    #[test]
    fn the_limit_is_below_and_nothing_passes_unseen() {
        assert!(of(&[(0.0, 0.9)]).passes(LIMIT_DEGREES));
        assert!(!of(&[(0.0, 1.1)]).passes(LIMIT_DEGREES));
        assert!(!of(&[]).passes(LIMIT_DEGREES));
        let lost = of(&[(0.0, 0.1), (0.0, f32::NAN)]);
        assert_eq!((lost.faces, lost.unpaired), (1, 1));
        assert!(!lost.passes(LIMIT_DEGREES));
        // Faces without a gaze on either side are no difference.
        assert!(of(&[(0.0, 0.1), (f32::NAN, f32::NAN)]).passes(LIMIT_DEGREES));
    }
}
