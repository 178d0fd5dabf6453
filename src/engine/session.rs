//! A model in ONNX Runtime behind the [`Engine`] port: its shapes fixed, all memory allocated. The
//! session may be shared with other engines of the same model and options; inputs and outputs are not.
//!
//! # How runs avoid copies and allocations
//! Inputs are tensors of the largest batch, written in place. A full batch passes them as they
//! are; a smaller one of a model with a free batch passes a view of its first items, so that one
//! face costs one face (the view is one small allocation inside `ort`). Outputs are allocated once
//! for each batch size that occurs and ONNX Runtime writes into them; half-precision ones are
//! converted into a buffer that is reused. `ort`'s `IoBinding` was not taken: it collects the bound
//! outputs anew after each run, which allocates, and saves copies only between devices.

use std::array;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ort::session::{
    HasSelectedOutputs, OutputSelector, RunOptions, Session, SessionInputValue, SessionOutputs,
};

use super::shared::SharedSession;
use super::tensors::{Binding, Input, Output, OutputElement};
use crate::core::gather::GatheredEngine;
use crate::core::geometry::Size;
use crate::core::tensor::{Engine, EngineError, ModelInfo, TensorInfo, TensorMut, list};

/// The most inputs that a model may have: a face, two eyes and a head pose.
pub const MAX_INPUTS: usize = 4;

/// How many items a run takes.
#[derive(Clone, Copy, Debug)]
struct Batch {
    max: usize,
    /// Whether fewer may be run.
    free: bool,
}

/// The batch of a model: what its file fixes, or what was asked for where the file leaves it open.
fn batch_of(info: &ModelInfo, wanted: usize) -> Result<Batch, EngineError> {
    let mut dims = info.inputs.iter().map(|input| input.shape.first().copied().flatten());
    let first = dims.next().flatten();
    if dims.any(|dim| dim != first) {
        return Err(EngineError::Unsupported(format!(
            "its inputs disagree on the batch: {}",
            list(&info.inputs)
        )));
    }
    Ok(match first {
        Some(fixed) => Batch { max: fixed, free: false },
        None => Batch { max: wanted, free: true },
    })
}

pub(super) fn item_shapes(
    info: &ModelInfo,
    size: Option<Size>,
) -> Result<Vec<Vec<usize>>, EngineError> {
    info.inputs.iter().map(|input| item_shape(input, size)).collect()
}

fn bind_inputs(
    info: &ModelInfo,
    batch: Batch,
    items: &[Vec<usize>],
) -> Result<Vec<Input>, EngineError> {
    let pairs = info.inputs.iter().zip(items);
    pairs.map(|(input, item)| Input::new(input, batch.max, item)).collect()
}

fn item_shape(input: &TensorInfo, size: Option<Size>) -> Result<Vec<usize>, EngineError> {
    let mut item: Vec<Option<usize>> = input.shape.iter().skip(1).copied().collect();
    if let (Some(size), 3) = (size, item.len()) {
        // Channels last is told by its channel count; first is the rule.
        let (rows, columns) = if matches!(item[2], Some(1 | 3)) { (0, 1) } else { (1, 2) };
        item[rows].get_or_insert(size.height as usize);
        item[columns].get_or_insert(size.width as usize);
    }
    item.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| {
        EngineError::Unsupported(format!("input {input} leaves its size open; give an input size"))
    })
}

/// Runs the largest batch of zeros to learn the outputs' shapes, which files often leave open.
fn probe(
    session: &mut Session,
    inputs: &[Input],
    info: &ModelInfo,
    batch: Batch,
) -> Result<Vec<Output>, EngineError> {
    let mut selector = OutputSelector::no_default();
    for output in info.outputs.iter().filter(|output| OutputElement::of(output).is_some()) {
        selector = selector.with(output.name.as_str());
    }
    let options = RunOptions::new().map_err(run_error)?.with_outputs(selector);
    let values = run_session(session, inputs, None, &options).map_err(run_error)?;
    let outputs = info.outputs.iter().map(|info| {
        let value = OutputElement::of(info).and_then(|_| values.get(&info.name));
        let shape: Vec<usize> = value
            .and_then(|value| value.dtype().tensor_shape())
            .map_or_else(Vec::new, |shape| shape.iter().map(|dim| *dim as usize).collect());
        let batched = batch.free && shape.first() == Some(&batch.max);
        Output::new(info, shape, batched)
    });
    Ok(outputs.collect())
}

fn run_error(why: ort::Error) -> EngineError {
    EngineError::Run(why.message().to_owned())
}

/// One run of the first `batch` items, or of all. The inputs lie on the stack, in as many shapes as
/// a model may have inputs.
fn run_session<'r>(
    session: &'r mut Session,
    inputs: &[Input],
    batch: Option<usize>,
    options: &'r RunOptions<HasSelectedOutputs>,
) -> ort::Result<SessionOutputs<'r>> {
    fn run<'r, const N: usize>(
        session: &'r mut Session,
        inputs: &[Input],
        batch: Option<usize>,
        options: &'r RunOptions<HasSelectedOutputs>,
    ) -> ort::Result<SessionOutputs<'r>> {
        let mut failed = None;
        let values: [SessionInputValue<'_>; N] = array::from_fn(|i| match batch {
            None => inputs[i].whole(),
            Some(batch) => inputs[i].part(batch).unwrap_or_else(|why| {
                failed = Some(why);
                inputs[i].whole()
            }),
        });
        match failed {
            Some(why) => Err(why),
            None => session.run_with_options(values, options),
        }
    }
    match inputs.len() {
        1 => run::<1>(session, inputs, batch, options),
        2 => run::<2>(session, inputs, batch, options),
        3 => run::<3>(session, inputs, batch, options),
        _ => run::<MAX_INPUTS>(session, inputs, batch, options),
    }
}

/// A model in ONNX Runtime, ready to run.
#[derive(Debug)]
pub struct OrtEngine {
    session: Arc<SharedSession>,
    info: ModelInfo,
    batch: Batch,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    /// By batch size less one; made when that size first occurs.
    bindings: Vec<Option<Binding>>,
    /// The binding of the last run that succeeded.
    last: Option<usize>,
}

impl OrtEngine {
    /// Ends the trace that it was opened with, and gives the file's path.
    pub(super) fn end_trace(&mut self) -> Result<PathBuf, EngineError> {
        self.session.lock().session.end_profiling().map(PathBuf::from).map_err(run_error)
    }

    /// Fixes the shapes of a session, see [`Model::bind`](super::model::Model::bind).
    pub(super) fn bind(
        session: Arc<SharedSession>,
        info: ModelInfo,
        batch_size: usize,
        items: &[Vec<usize>],
    ) -> Result<Self, EngineError> {
        let batch = batch_of(&info, batch_size)?;
        let inputs = bind_inputs(&info, batch, items)?;
        if inputs.is_empty() || inputs.len() > MAX_INPUTS || inputs.len() != info.inputs.len() {
            return Err(EngineError::Unsupported(format!(
                "it has {} inputs; 1 to {MAX_INPUTS} are supported",
                info.inputs.len()
            )));
        }
        if info.outputs.iter().all(|output| OutputElement::of(output).is_none()) {
            return Err(EngineError::Unsupported(format!(
                "no output is of float32 or float16: {}",
                list(&info.outputs)
            )));
        }
        let outputs = probe(&mut session.lock().session, &inputs, &info, batch)?;
        let bindings = (0..batch.max).map(|_| None).collect();
        Ok(Self { session, info, batch, inputs, outputs, bindings, last: None })
    }

    /// The same, its runs gathered with those of others into batches, where a run takes several
    /// items and there is a time to wait for others.
    pub(super) fn gathered(self, timeout: Duration) -> Box<dyn Engine> {
        if timeout.is_zero() || self.batch.max == 1 {
            return Box::new(self);
        }
        let session = self.session.clone();
        Box::new(GatheredEngine::new(session.gatherer(self, timeout)))
    }

    fn run_batch(&mut self, batch: usize) -> ort::Result<()> {
        let slot = &mut self.bindings[batch - 1];
        let binding = match slot {
            Some(binding) => binding,
            None => slot.insert(Binding::new(&self.info, &self.outputs, batch)?),
        };
        let part = (batch < self.batch.max).then_some(batch);
        let mut turn = self.session.lock();
        let values = run_session(&mut turn.session, &self.inputs, part, &binding.options)?;
        if binding.tensors.is_empty() {
            binding.tensors = Binding::take_handles(&self.info, &self.outputs, values)?;
        }
        for (output, tensor) in self.outputs.iter_mut().zip(&binding.tensors) {
            output.convert(tensor.as_ref());
        }
        Ok(())
    }
}

impl Engine for OrtEngine {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn provider(&self) -> &str {
        self.session.provider
    }

    fn max_batch(&self) -> usize {
        self.batch.max
    }

    fn input_shape(&self, index: usize) -> &[usize] {
        &self.inputs[index].shape
    }

    fn output_shape(&self, index: usize) -> &[usize] {
        &self.outputs[index].shape
    }

    fn input(&mut self, index: usize) -> TensorMut<'_> {
        self.inputs[index].values()
    }

    fn resize(&mut self, size: Size) -> Result<(), EngineError> {
        let items = item_shapes(&self.info, Some(size))?;
        let inputs = bind_inputs(&self.info, self.batch, &items)?;
        let outputs = probe(&mut self.session.lock().session, &inputs, &self.info, self.batch)?;
        (self.inputs, self.outputs) = (inputs, outputs);
        self.bindings.iter_mut().for_each(|binding| *binding = None);
        self.last = None;
        Ok(())
    }

    fn run(&mut self, batch: usize) -> Result<(), EngineError> {
        if batch == 0 || batch > self.batch.max {
            return Err(EngineError::Run(format!(
                "a batch of {batch} does not lie in 1..={}",
                self.batch.max
            )));
        }
        let batch = if self.batch.free { batch } else { self.batch.max };
        self.last = None;
        self.run_batch(batch).map_err(run_error)?;
        self.last = Some(batch - 1);
        Ok(())
    }

    fn output(&self, index: usize) -> &[f32] {
        let binding = self.last.and_then(|last| self.bindings[last].as_ref());
        self.outputs[index].values(binding.and_then(|binding| binding.tensors[index].as_ref()))
    }
}
