//! The shapes of a model's inputs, fixed.

use super::tensors::Input;
use crate::core::geometry::Size;
use crate::core::inference::{EngineError, ModelInfo, TensorInfo, list};

/// The most inputs of a model: a face, two eyes and a head pose.
pub(super) const MAX_INPUTS: usize = 4;

/// The number of items that a run takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchSize {
    pub(super) max: usize,
    /// Whether a run may take fewer.
    pub(super) free: bool,
}

/// The batch of a model: that of its file, or `wanted` if the file leaves it open.
pub(super) fn batch_of(info: &ModelInfo, wanted: usize) -> Result<BatchSize, EngineError> {
    let mut dims = info.inputs.iter().map(|input| input.shape.first().copied().flatten());
    let first = dims.next().flatten();
    if dims.any(|dim| dim != first) {
        return Err(EngineError::Unsupported(format!(
            "its inputs disagree on the batch: {}",
            list(&info.inputs)
        )));
    }
    Ok(match first {
        Some(fixed) => BatchSize { max: fixed, free: false },
        None => BatchSize { max: wanted, free: true },
    })
}

/// The dimensions of each input without the batch, free height and width taken from `size`.
pub(super) fn item_shapes(
    info: &ModelInfo,
    size: Option<Size>,
) -> Result<Vec<Vec<usize>>, EngineError> {
    info.inputs.iter().map(|input| item_shape(input, size)).collect()
}

/// Memory for each input.
pub(super) fn bind_inputs(
    info: &ModelInfo,
    batch: BatchSize,
    items: &[Vec<usize>],
) -> Result<Vec<Input>, EngineError> {
    let pairs = info.inputs.iter().zip(items);
    pairs.map(|(input, item)| Input::new(input, batch.max, item)).collect()
}

fn item_shape(input: &TensorInfo, size: Option<Size>) -> Result<Vec<usize>, EngineError> {
    let mut item: Vec<Option<usize>> = input.shape.iter().skip(1).copied().collect();
    if let (Some(size), 3) = (size, item.len()) {
        // A last dimension of 1 or 3 is the channels; otherwise the first is.
        let (rows, columns) = if matches!(item[2], Some(1 | 3)) { (0, 1) } else { (1, 2) };
        item[rows].get_or_insert(size.height as usize);
        item[columns].get_or_insert(size.width as usize);
    }
    item.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| {
        EngineError::Unsupported(format!("input {input} leaves its size open; give an input size"))
    })
}
