//! A model in ONNX Runtime behind the [`Engine`] port: its shapes fixed, all memory allocated. The
//! session may be shared with other engines of the same model and options; inputs and outputs are not.
//!
//! # How runs avoid copies and allocations
//! Inputs are tensors of the largest batch, written in place. A full batch passes them as they
//! are; a smaller one of a model with a free batch passes a view of its first items, so that one
//! face costs one face (the view is one small allocation inside `ort`). Outputs are allocated once
//! for each batch size that occurs and ONNX Runtime writes into them; half-precision ones are
//! converted into a buffer that is reused. `ort`'s `IoBinding` was not taken: it collects the bound
//! outputs anew after each run, which allocates, and what it binds can be passed to a run as well.
//! Inputs that are made on a GPU have tensors of their own there (`device`).

use std::array;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ort::session::{
    HasSelectedOutputs, OutputSelector, RunOptions, Session, SessionInputValue, SessionOutputs,
};

use super::device::{self, DeviceSide, Kinds};
pub use super::shapes::MAX_INPUTS;
use super::shapes::{Batch, batch_of, bind_inputs, item_shapes};
use super::shared::SharedSession;
use super::tensors::{Binding, Input, Output, OutputElement};
use crate::core::geometry::Size;
use crate::core::inference::device::DeviceMemory;
use crate::core::inference::{Engine, EngineError, ModelInfo, TensorMut, list};
use crate::engine::batcher::GatheredEngine;

/// The outputs as the file declares them, where no run may tell: its addresses would be recorded.
fn declared(info: &ModelInfo, batch: Batch) -> Result<Vec<Output>, EngineError> {
    let outputs = info.outputs.iter().map(|info| {
        Output::declared(info, batch.max, batch.free).ok_or_else(|| {
            EngineError::Unsupported(format!(
                "CUDA graphs need outputs whose shapes are declared, and {info} is open. Leave \
                 enable_cuda_graph and trt_cuda_graph_enable out"
            ))
        })
    });
    outputs.collect()
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
    info: ModelInfo,
    batch: Batch,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    /// By batch size less one; made when that size first occurs.
    bindings: Vec<Option<Binding>>,
    /// Tensors on the device that runs the model, where it has memory of its own.
    device: Option<DeviceSide>,
    /// The last run, if it succeeded.
    last: Option<Last>,
    // Outlives the tensors that are in its device's memory.
    session: Arc<SharedSession>,
}

/// Where the last run's outputs are.
#[derive(Clone, Copy, Debug)]
enum Last {
    /// In the binding of this index.
    Host(usize),
    /// In the set for a batch of this size.
    Device(usize),
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
        let device = session.place.clone().map(DeviceSide::new);
        let graphs = device.as_ref().is_some_and(|device| device.place.graphs);
        let outputs = match graphs {
            true => declared(&info, batch)?,
            false => probe(&mut session.lock().session, &inputs, &info, batch)?,
        };
        let bindings = (0..batch.max).map(|_| None).collect();
        let mut this = Self { info, batch, inputs, outputs, bindings, device, last: None, session };
        if graphs {
            this.run(batch.max)?;
        }
        Ok(this)
    }

    /// Whether runs are recorded as CUDA graphs, which no other engine may then use.
    fn has_graphs(&self) -> bool {
        self.device.as_ref().is_some_and(|device| device.place.graphs)
    }

    /// The same, its runs gathered with those of others into batches, where a run takes several
    /// items and there is a time to wait for others.
    pub(super) fn gathered(self, timeout: Duration) -> Box<dyn Engine> {
        if timeout.is_zero() || self.batch.max == 1 || self.has_graphs() {
            return Box::new(self);
        }
        let session = self.session.clone();
        Box::new(GatheredEngine::new(session.gatherer(self, timeout)))
    }

    /// A run with the inputs that are on the device; where `bring` says so, they are copied there
    /// first.
    fn run_set(&mut self, batch: usize, bring: bool) -> Result<(), EngineError> {
        let Some(device) = &mut self.device else {
            return Err(EngineError::Run("there is no device to run on".to_owned()));
        };
        let mut turn = self.session.lock();
        let kinds = Kinds {
            info: &self.info,
            inputs: &self.inputs,
            outputs: &self.outputs,
            batch: (self.batch.max, self.batch.free),
        };
        let set = device.set(&turn.session, &kinds, batch)?;
        if bring {
            set.bring(&mut self.inputs).map_err(run_error)?;
        }
        let values =
            run_session(&mut turn.session, set.inputs(), None, set.options()).map_err(run_error)?;
        let handles = match set.is_new() {
            true => Some(Binding::take_handles(&self.info, &self.outputs, values)),
            false => {
                drop(values);
                None
            }
        };
        if let Some(handles) = handles {
            set.keep(handles.map_err(run_error)?);
        }
        set.fetch().map_err(run_error)?;
        for (output, tensor) in self.outputs.iter_mut().zip(set.outputs()) {
            output.convert(tensor.as_ref());
        }
        Ok(())
    }

    fn check(&self, batch: usize) -> Result<usize, EngineError> {
        if batch == 0 || batch > self.batch.max {
            return Err(EngineError::Run(format!(
                "a batch of {batch} does not lie in 1..={}",
                self.batch.max
            )));
        }
        Ok(if self.batch.free { batch } else { self.batch.max })
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
        let outputs = match self.has_graphs() {
            true => declared(&self.info, self.batch)?,
            false => probe(&mut self.session.lock().session, &inputs, &self.info, self.batch)?,
        };
        (self.inputs, self.outputs) = (inputs, outputs);
        self.bindings.iter_mut().for_each(|binding| *binding = None);
        self.device.iter_mut().for_each(DeviceSide::clear);
        self.last = None;
        Ok(())
    }

    fn run(&mut self, batch: usize) -> Result<(), EngineError> {
        let batch = self.check(batch)?;
        self.last = None;
        if self.has_graphs() {
            self.run_set(batch, true)?;
            self.last = Some(Last::Device(batch));
        } else {
            self.run_batch(batch).map_err(run_error)?;
            self.last = Some(Last::Host(batch - 1));
        }
        Ok(())
    }

    fn device(&self) -> Option<u32> {
        self.device.as_ref().map(|device| device.place.number)
    }

    fn device_input(&mut self, index: usize, batch: usize) -> Result<DeviceMemory, EngineError> {
        let batch = self.check(batch)?;
        let Some(device) = &mut self.device else {
            return Err(EngineError::Unsupported("its inputs are in the host".to_owned()));
        };
        let kinds = Kinds {
            info: &self.info,
            inputs: &self.inputs,
            outputs: &self.outputs,
            batch: (self.batch.max, self.batch.free),
        };
        let place = device.place.clone();
        // Asked for each item; the session, and with it its turn, only for the first of its size.
        let set = match device.known(batch, kinds.batch) {
            Some(_) => device.known_mut(batch, kinds.batch),
            None => Some(device.set(&self.session.lock().session, &kinds, batch)?),
        };
        let input = set.and_then(|set| set.inputs_mut().get_mut(index));
        let input = input.ok_or_else(|| EngineError::Run(format!("there is no input {index}")))?;
        Ok(device::memory(&place, input))
    }

    fn run_on_device(&mut self, batch: usize) -> Result<(), EngineError> {
        let batch = self.check(batch)?;
        self.last = None;
        self.run_set(batch, false)?;
        self.last = Some(Last::Device(batch));
        Ok(())
    }

    fn output(&self, index: usize) -> &[f32] {
        let tensor = match self.last {
            Some(Last::Host(binding)) => {
                self.bindings[binding].as_ref().and_then(|binding| binding.tensors[index].as_ref())
            }
            Some(Last::Device(batch)) => {
                let device = self.device.as_ref();
                let set = device.and_then(|d| d.known(batch, (self.batch.max, self.batch.free)));
                set.and_then(|set| set.outputs()[index].as_ref())
            }
            None => None,
        };
        self.outputs[index].values(tensor)
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
