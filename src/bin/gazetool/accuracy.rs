//! How much two models differ on the same faces: a change of precision or provider must keep the gaze.

use gstgaze::core::geometry::Gaze;

/// Two engines count as equal where the mean angle between their gazes is below this, in degrees: the
/// acceptance limit of this project. The best models err by several times that on people outside their
/// training data (about 4 degrees on MPIIFaceGaze and 10 on Gaze360: Cheng et al., "Appearance-based
/// Gaze Estimation With Deep Learning: A Review and Benchmark", TPAMI 2024).
pub const LIMIT_DEGREES: f64 = 1.0;

/// Differences of many faces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// Angles between both gazes, degrees.
    angles: Vec<f64>,
    pitch: f64,
    yaw: f64,
    unpaired: usize,
    neither: usize,
}

/// Statistics of the differences, in degrees; 0 without faces.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DifferenceSummary {
    /// Faces with a gaze from both.
    pub faces: usize,
    /// Faces with a gaze from one only.
    pub unpaired: usize,
    /// Faces with a gaze from neither.
    pub neither: usize,
    /// Mean angle between both gazes.
    pub mean: f64,
    /// The angle that half of the faces do not exceed.
    pub median: f64,
    /// The angle that 95 % of the faces do not exceed.
    pub p95: f64,
    /// The largest angle.
    pub max: f64,
    /// Mean of the second's pitch minus the first's.
    pub pitch_bias: f64,
    /// Mean of the second's yaw minus the first's.
    pub yaw_bias: f64,
}

impl Differences {
    /// Counts one face and returns the angle between both gazes in degrees.
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
    pub fn summary(&self) -> DifferenceSummary {
        let faces = self.angles.len();
        let counted = DifferenceSummary {
            faces,
            unpaired: self.unpaired,
            neither: self.neither,
            ..DifferenceSummary::default()
        };
        if faces == 0 {
            return counted;
        }
        let mut sorted = self.angles.clone();
        sorted.sort_by(f64::total_cmp);
        // The nearest rank gives an angle that occurred.
        let percentile = |share: f64| {
            let rank = (share * faces as f64).ceil() as usize;
            sorted.get(rank.clamp(1, faces) - 1).copied().unwrap_or_default()
        };
        let count = faces as f64;
        DifferenceSummary {
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

impl DifferenceSummary {
    /// Whether one may replace the other: they share faces, each gives a gaze for every face that the
    /// other gives one for, and the mean angle is below `limit` degrees.
    pub fn passes(&self, limit: f64) -> bool {
        self.faces > 0 && self.unpaired == 0 && self.mean < limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(f32, f32)]) -> DifferenceSummary {
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
    fn the_mean_must_be_below_the_limit_and_no_face_may_be_lost() {
        assert!(of(&[(0.0, 0.9)]).passes(LIMIT_DEGREES));
        assert!(!of(&[(0.0, 1.1)]).passes(LIMIT_DEGREES));
        assert!(!of(&[]).passes(LIMIT_DEGREES));
        let lost = of(&[(0.0, 0.1), (0.0, f32::NAN)]);
        assert_eq!((lost.faces, lost.unpaired), (1, 1));
        assert!(!lost.passes(LIMIT_DEGREES));
        // A face without a gaze from either is no difference.
        assert!(of(&[(0.0, 0.1), (f32::NAN, f32::NAN)]).passes(LIMIT_DEGREES));
    }
}
