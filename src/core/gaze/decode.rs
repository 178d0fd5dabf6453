//! Decodes the outputs of a gaze model.

use crate::core::geometry::angles::Gaze;
use crate::core::inference::Engine;
use crate::core::profile::{AngleColumn, AngleUnit, ProfileError, ResolvedOutput, ResolvedProfile};

/// Decodes gaze from a model's outputs, as its profile says. Allocates nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GazeDecoder {
    output: ResolvedOutput,
}

impl GazeDecoder {
    /// A decoder for the outputs of `engine`.
    ///
    /// # Errors
    /// [`ProfileError::Mismatch`] where a bound output lacks a row for each item of the batch, or has
    /// rows that are too short. A file may leave shapes open that only the binding shows.
    pub fn new(profile: &ResolvedProfile, engine: &dyn Engine) -> Result<Self, ProfileError> {
        let check = |output: usize, columns: usize| {
            let shape = engine.output_shape(output);
            let (batch, elements) = (engine.max_batch(), shape.iter().product::<usize>());
            let rows = batch == 1 || shape.first() == Some(&batch);
            if rows && elements / batch >= columns {
                return Ok(());
            }
            Err(ProfileError::Mismatch {
                profile: profile.name.clone(),
                what: format!("output {output}"),
                expected: format!("{batch} rows of at least {columns} columns"),
                found: format!("{shape:?}"),
            })
        };
        match profile.output {
            ResolvedOutput::Regression { pitch, yaw, .. } => {
                check(pitch.output, pitch.column + 1)?;
                check(yaw.output, yaw.column + 1)?;
            }
            ResolvedOutput::Binned { bins, pitch, yaw, .. } => {
                check(pitch.output, pitch.column + bins)?;
                check(yaw.output, yaw.column + bins)?;
            }
            ResolvedOutput::Direction { output, .. } => check(output, 3)?,
        }
        Ok(Self { output: profile.output })
    }

    /// The gaze of item `item` of the engine's last run, in radians, with the signs of [`Gaze`].
    ///
    /// `None` where the model gave no valid gaze: a number that is not finite, a vector without a
    /// direction, or an angle outside -90..=90 degrees of pitch and -180..=180 of yaw.
    pub fn decode(&self, engine: &dyn Engine, item: usize) -> Option<Gaze> {
        let gaze = match self.output {
            ResolvedOutput::Regression { unit, pitch, yaw } => {
                let angle = |at: AngleColumn| {
                    let value = *row(engine, at.output, item)?.get(at.column)?;
                    let radians = match unit {
                        AngleUnit::Radians => value,
                        AngleUnit::Degrees => value.to_radians(),
                    };
                    Some(signed(radians, at.negate))
                };
                Gaze::new(angle(pitch)?, angle(yaw)?)
            }
            ResolvedOutput::Binned { bins, bin_width, offset, pitch, yaw } => {
                let angle = |at: AngleColumn| {
                    let row = row(engine, at.output, item)?;
                    let class = expectation(row.get(at.column..at.column + bins)?)?;
                    Some(signed((class * bin_width + offset).to_radians(), at.negate))
                };
                Gaze::new(angle(pitch)?, angle(yaw)?)
            }
            ResolvedOutput::Direction { output, axes } => {
                let [x, y, z] = *row(engine, output, item)?.first_chunk::<3>()?;
                Gaze::from_direction([x * axes[0], y * axes[1], z * axes[2]])?
            }
        };
        let limits = (std::f32::consts::FRAC_PI_2, std::f32::consts::PI);
        // Also false for NaN.
        let possible = gaze.pitch.abs() <= limits.0 && gaze.yaw.abs() <= limits.1;
        possible.then_some(gaze)
    }
}

/// The values of one item.
fn row(engine: &dyn Engine, output: usize, item: usize) -> Option<&[f32]> {
    let length = engine.output_shape(output).iter().product::<usize>() / engine.max_batch();
    engine.output(output).get(item * length..(item + 1) * length)
}

fn signed(value: f32, negate: bool) -> f32 {
    if negate { -value } else { value }
}

/// Expectation of the class under the softmax of `logits`: `sum(i * exp(l[i])) / sum(exp(l[i]))`,
/// the decoding that binned models are trained with (L2CS-Net, arXiv 2203.03339). Subtracts the
/// largest logit first, against overflow. Some exports have the softmax inside; their rows are
/// probabilities, of which a second softmax would be nearly flat. `None` where a value is not finite.
fn expectation(row: &[f32]) -> Option<f32> {
    if !row.iter().all(|value| value.is_finite()) {
        return None;
    }
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let is_probability = is_probability(row);
    let (mut weight, mut weighted) = (0.0f64, 0.0f64);
    for (class, value) in row.iter().enumerate() {
        let value = f64::from(if is_probability { *value } else { (value - largest).exp() });
        weight += value;
        weighted += value * class as f64;
    }
    Some((weighted / weight) as f32)
}

/// Whether the values of a row are probabilities: none is negative, and they add up to 1. The tolerance
/// is that of 90 values in steps of 1/256, as an INT8 model rounds them; logits of a trained model are
/// far from both.
fn is_probability(row: &[f32]) -> bool {
    row.iter().all(|value| *value >= 0.0) && (row.iter().sum::<f32>() - 1.0).abs() <= 0.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::inference::{EngineError, ModelInfo, TensorMut};
    use crate::core::profile::spec::GazeAxes;

    /// Outputs without a model.
    struct Outputs {
        batch: usize,
        info: ModelInfo,
        tensors: Vec<(Vec<usize>, Vec<f32>)>,
    }

    impl Engine for Outputs {
        fn info(&self) -> &ModelInfo {
            &self.info
        }
        fn provider(&self) -> &str {
            "none"
        }
        fn max_batch(&self) -> usize {
            self.batch
        }
        fn input_shape(&self, _: usize) -> &[usize] {
            &[]
        }
        fn output_shape(&self, index: usize) -> &[usize] {
            &self.tensors[index].0
        }
        fn input(&mut self, _: usize) -> TensorMut<'_> {
            TensorMut::F32(&mut [])
        }
        fn run(&mut self, _: usize) -> Result<(), EngineError> {
            Ok(())
        }
        fn output(&self, index: usize) -> &[f32] {
            &self.tensors[index].1
        }
    }

    fn outputs(batch: usize, tensors: &[(&[usize], &[f32])]) -> Outputs {
        let tensors = tensors.iter().map(|(shape, data)| (shape.to_vec(), data.to_vec()));
        Outputs { batch, info: ModelInfo::default(), tensors: tensors.collect() }
    }

    fn decoder(output: ResolvedOutput, engine: &Outputs) -> Result<GazeDecoder, ProfileError> {
        let profile = ResolvedProfile {
            axes: GazeAxes::default(),
            name: "test".to_owned(),
            description: String::new(),
            region: Default::default(),
            normalization: None,
            inputs: Vec::new(),
            output,
        };
        GazeDecoder::new(&profile, engine)
    }

    fn at(output: usize, column: usize, negate: bool) -> AngleColumn {
        AngleColumn { output, column, negate }
    }

    #[track_caller]
    fn assert_degrees(gaze: Option<Gaze>, pitch: f32, yaw: f32) {
        let gaze = gaze.unwrap();
        let found = (gaze.pitch.to_degrees(), gaze.yaw.to_degrees());
        let near = (found.0 - pitch).abs() < 1e-3 && (found.1 - yaw).abs() < 1e-3;
        assert!(near, "{found:?} is not ({pitch}, {yaw})");
    }

    #[test]
    fn regression_by_column_sign_and_unit() {
        let engine = outputs(2, &[(&[2, 3], &[0.1, 0.2, 9.0, 10.0, -20.0, 9.0])]);
        let (pitch, yaw) = (at(0, 0, false), at(0, 1, true));
        let radians = ResolvedOutput::Regression { unit: AngleUnit::Radians, pitch, yaw };
        let gaze = decoder(radians, &engine).unwrap().decode(&engine, 0);
        assert_eq!(gaze, Some(Gaze::new(0.1, -0.2)));
        let degrees = ResolvedOutput::Regression { unit: AngleUnit::Degrees, pitch, yaw };
        assert_degrees(decoder(degrees, &engine).unwrap().decode(&engine, 1), 10.0, 20.0);
    }

    #[test]
    fn two_outputs_swapped() {
        let engine = outputs(1, &[(&[1, 1], &[0.3]), (&[1, 1], &[0.1])]);
        let (pitch, yaw) = (at(1, 0, false), at(0, 0, false));
        let swapped = ResolvedOutput::Regression { unit: AngleUnit::Radians, pitch, yaw };
        let gaze = decoder(swapped, &engine).unwrap().decode(&engine, 0);
        assert_eq!(gaze, Some(Gaze::new(0.1, 0.3)));
    }

    fn binned(engine: &Outputs, bins: usize, width: f32, offset: f32) -> GazeDecoder {
        let (pitch, yaw) = (at(1, 0, false), at(0, 0, false));
        decoder(ResolvedOutput::Binned { bins, bin_width: width, offset, pitch, yaw }, engine)
            .unwrap()
    }

    #[test]
    fn binned_is_the_softmax_expectation() {
        // Weights 1, 1, 2 and 1: (0 + 1 + 4 + 3) / 5 = 1.6 classes; 1.6 * 10 - 20 = -4 degrees.
        let two = 2f32.ln();
        // Equal weights: the mean of 0..=3 is 1.5; 1.5 * 10 - 20 = -5 degrees.
        let engine = outputs(1, &[(&[1, 4], &[0.0, 0.0, two, 0.0]), (&[1, 4], &[7.0; 4])]);
        assert_degrees(binned(&engine, 4, 10.0, -20.0).decode(&engine, 0), -5.0, -4.0);
    }

    #[test]
    fn binned_takes_probabilities_as_they_are() {
        // 0.2 + 0.8 + 0.6 = 1.6 classes, and 2 where rounding took the rest away.
        let engine =
            outputs(1, &[(&[1, 4], &[0.2, 0.2, 0.4, 0.2]), (&[1, 4], &[0.0, 0.0, 0.98, 0.0])]);
        assert_degrees(binned(&engine, 4, 10.0, -20.0).decode(&engine, 0), 0.0, -4.0);
        // A row that does not add up to 1, or has a negative value, is one of logits.
        let engine = outputs(1, &[(&[1, 2], &[0.9, 0.3]), (&[1, 2], &[1.1, -0.1])]);
        let flat = |difference: f32| 10.0 / (1.0 + difference.exp());
        let expected = (flat(1.2), flat(0.6));
        let gaze = binned(&engine, 2, 10.0, 0.0).decode(&engine, 0);
        assert_degrees(gaze, expected.0, expected.1);
    }

    #[test]
    fn binned_survives_large_logits() {
        let engine = outputs(1, &[(&[1, 3], &[1e30, 1e30, -1e30]), (&[1, 3], &[-9e9, 0.0, -9e9])]);
        assert_degrees(binned(&engine, 3, 4.0, 0.0).decode(&engine, 0), 4.0, 2.0);
        let engine = outputs(1, &[(&[1, 2], &[f32::MAX; 2]), (&[1, 2], &[f32::MIN; 2])]);
        assert_degrees(binned(&engine, 2, 4.0, 0.0).decode(&engine, 0), 2.0, 2.0);
    }

    #[test]
    fn outputs_that_are_not_finite_give_no_gaze() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let engine = outputs(1, &[(&[1, 3], &[0.0, bad, 0.0]), (&[1, 3], &[0.0; 3])]);
            assert_eq!(binned(&engine, 3, 4.0, 0.0).decode(&engine, 0), None, "{bad}");
            let (pitch, yaw) = (at(0, 0, false), at(0, 1, false));
            let regression = ResolvedOutput::Regression { unit: AngleUnit::Radians, pitch, yaw };
            assert_eq!(decoder(regression, &engine).unwrap().decode(&engine, 0), None, "{bad}");
            let vector = ResolvedOutput::Direction { output: 0, axes: [1.0; 3] };
            assert_eq!(decoder(vector, &engine).unwrap().decode(&engine, 0), None, "{bad}");
        }
    }

    #[test]
    fn impossible_angles_give_no_gaze() {
        let (pitch, yaw) = (at(0, 0, false), at(0, 1, false));
        let regression = ResolvedOutput::Regression { unit: AngleUnit::Degrees, pitch, yaw };
        for (values, possible) in [
            ([89.0, 179.0], true),
            ([-89.0, -179.0], true),
            ([91.0, 0.0], false),
            ([0.0, -181.0], false),
        ] {
            let engine = outputs(1, &[(&[1, 2], &values)]);
            let gaze = decoder(regression, &engine).unwrap().decode(&engine, 0);
            assert_eq!(gaze.is_some(), possible, "{values:?}");
        }
    }

    #[test]
    fn direction_by_axes() {
        // x to the right, y up, as Intel's: up and to the image's left, 45 degrees each way.
        let half = 0.5f32.sqrt();
        let engine = outputs(2, &[(&[2, 3], &[0.0, 0.0, 0.0, -half, 1.0, -half])]);
        let vector = ResolvedOutput::Direction { output: 0, axes: [1.0, -1.0, 1.0] };
        let decoder = decoder(vector, &engine).unwrap();
        assert_eq!(decoder.decode(&engine, 0), None);
        assert_degrees(decoder.decode(&engine, 1), 45.0, 45.0);
    }

    #[test]
    fn bound_outputs_are_checked_for_rows() {
        let vector = ResolvedOutput::Direction { output: 0, axes: [1.0; 3] };
        assert!(decoder(vector, &outputs(1, &[(&[3], &[0.0; 3])])).is_ok());
        for (batch, shape) in [(4, &[1, 12][..]), (2, &[2, 2]), (1, &[2]), (1, &[0, 3])] {
            let error = decoder(vector, &outputs(batch, &[(shape, &[])])).unwrap_err();
            assert!(matches!(error, ProfileError::Mismatch { .. }), "{error}");
        }
    }

    #[test]
    fn an_item_without_a_row_gives_no_gaze() {
        let engine = outputs(2, &[(&[2, 3], &[0.0, 0.0, -1.0])]);
        let vector = ResolvedOutput::Direction { output: 0, axes: [1.0; 3] };
        let decoder = decoder(vector, &engine).unwrap();
        assert_degrees(decoder.decode(&engine, 0), 0.0, 0.0);
        assert_eq!(decoder.decode(&engine, 1), None);
    }
}
