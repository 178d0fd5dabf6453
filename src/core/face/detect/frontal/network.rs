//! The networks of the cascade, on the features of one window.

use super::model::{Layer, Network, OUTPUTS};
use super::surf::{self, Gradients, VECTOR, WINDOW};

/// Partial sums that fill a vector. Their number decides the rounding, so it is the same on every
/// machine.
const LANES: usize = 8;

/// Memory for a window on its way through a network.
#[derive(Debug)]
pub(super) struct Evaluator {
    /// Its pixels.
    pub pixels: [[u8; WINDOW]; WINDOW],
    gradients: Gradients,
    /// A layer's input and its output.
    values: [Vec<f32>; 2],
}

impl Default for Evaluator {
    fn default() -> Self {
        Self {
            pixels: [[0; WINDOW]; WINDOW],
            gradients: Gradients::default(),
            values: Default::default(),
        }
    }
}

impl Evaluator {
    /// The network's outputs for [`pixels`](Self::pixels), each 0..=1: score, shift to the right, shift
    /// down, size.
    pub fn evaluate(&mut self, arch: pulp::Arch, network: &Network) -> [f32; OUTPUTS] {
        self.gradients.compute(arch, &self.pixels);
        let [input, output] = &mut self.values;
        input.resize(network.features.len() * VECTOR, 0.0);
        for (feature, out) in network.features.iter().zip(input.chunks_exact_mut(VECTOR)) {
            self.gradients.feature(surf::patches()[*feature], out);
        }
        let last = network.layers.len() - 1;
        for (index, layer) in network.layers.iter().enumerate() {
            output.resize(layer.biases.len(), 0.0);
            arch.dispatch(Apply { layer, input, output });
            for value in &mut *output {
                // ReLU between the layers, a logistic function at the end.
                *value = if index < last { value.max(0.0) } else { 1.0 / (1.0 + (-*value).exp()) };
            }
            std::mem::swap(input, output);
        }
        // `Model::read` checked that there are as many.
        input.first_chunk().copied().unwrap_or_default()
    }
}

/// One layer without its activation.
struct Apply<'a> {
    layer: &'a Layer,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl pulp::WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { layer, input, output } = self;
        let (input, input_rest) = input.as_chunks::<LANES>();
        let rows = layer.weights.chunks_exact(layer.inputs);
        for ((out, bias), row) in output.iter_mut().zip(&layer.biases).zip(rows) {
            let (row, row_rest) = row.as_chunks::<LANES>();
            let mut sums = [0f32; LANES];
            for (weights, values) in row.iter().zip(input) {
                for lane in 0..LANES {
                    sums[lane] += weights[lane] * values[lane];
                }
            }
            let rest: f32 = row_rest.iter().zip(input_rest).map(|(w, v)| w * v).sum();
            *out = sums.iter().sum::<f32>() + rest + bias;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_by_hand() {
        // Two outputs of eleven inputs: 1 to 11 with weights 1, and with 1 at the last only.
        let mut weights = vec![1.0; 11];
        weights.extend([0.0; 10]);
        weights.push(1.0);
        let layer = Layer { inputs: 11, weights, biases: vec![0.5, -20.0] };
        let input: Vec<f32> = (1..=11u8).map(f32::from).collect();
        let mut output = [0.0; 2];
        pulp::Arch::new().dispatch(Apply { layer: &layer, input: &input, output: &mut output });
        assert_eq!(output, [66.5, -9.0]);
    }
}
