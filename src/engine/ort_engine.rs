//! A model in ONNX Runtime behind the [`Engine`] port: its shapes fixed, all memory allocated. Engines of
//! the same model and options may share the session; each has its own inputs and outputs.
//!
//! # How runs avoid copies and allocations
//! Inputs are tensors of the largest batch, written in place. A full batch passes them as they
//! are; a smaller one of a model with a free batch passes a view of its first items, so that one
//! face costs one face (the view is one small allocation inside `ort`). Outputs are allocated once
//! for each batch size that occurs and ONNX Runtime writes into them; half-precision ones are
//! converted into a buffer that is reused. `ort`'s `IoBinding` was not taken: it collects the bound
//! outputs anew after each run, which allocates, and what it binds can be passed to a run as well.
//! Inputs that a GPU makes have tensors in its memory (`device_tensors`).

use std::array;
#[cfg(feature = "tool")]
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ort::session::{RunOptions, SelectedOutputMarker, Session, SessionInputValue, SessionOutputs};

use super::batcher::BatchedEngine;
use super::cancel::Cancel;
use super::device_tensors::{self, DeviceTensors, Templates};
use super::session_pool::SharedSession;
use super::shapes::{BatchSize, MAX_INPUTS, batch_of, bind_inputs, item_shapes};
use super::tensors::{Input, Output, OutputBinding, OutputElement};
use crate::core::geometry::Size;
use crate::core::inference::device::DeviceMemory;
use crate::core::inference::{Engine, EngineError, ModelInfo, TensorMut, list};

/// The outputs as the file declares them, for CUDA graphs: a run would record its addresses.
fn declared(info: &ModelInfo, batch: BatchSize) -> Result<Vec<Output>, EngineError> {
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
    batch: BatchSize,
    cancel: &Cancel,
) -> Result<Vec<Output>, EngineError> {
    cancel.first_run(|options| {
        let values = run_session(session, inputs, None, options).map_err(run_error)?;
        Ok(outputs_of(&values, info, batch))
    })
}

/// The outputs with the shapes of a run of the largest batch.
fn outputs_of(values: &SessionOutputs<'_>, info: &ModelInfo, batch: BatchSize) -> Vec<Output> {
    let outputs = info.outputs.iter().map(|info| {
        let value = OutputElement::of(info).and_then(|_| values.get(&info.name));
        let shape: Vec<usize> = value
            .and_then(|value| value.dtype().tensor_shape())
            .map_or_else(Vec::new, |shape| shape.iter().map(|dim| *dim as usize).collect());
        let batched = batch.free && shape.first() == Some(&batch.max);
        Output::new(info, shape, batched)
    });
    outputs.collect()
}

fn run_error(why: ort::Error) -> EngineError {
    EngineError::Run(why.message().to_owned())
}

/// One run of the first `batch` items, or of all. The array of inputs is on the stack, so each number
/// of inputs has its own instance.
fn run_session<'r, S: SelectedOutputMarker>(
    session: &'r mut Session,
    inputs: &[Input],
    batch: Option<usize>,
    options: &'r RunOptions<S>,
) -> ort::Result<SessionOutputs<'r>> {
    fn run<'r, S: SelectedOutputMarker, const N: usize>(
        session: &'r mut Session,
        inputs: &[Input],
        batch: Option<usize>,
        options: &'r RunOptions<S>,
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
        1 => run::<S, 1>(session, inputs, batch, options),
        2 => run::<S, 2>(session, inputs, batch, options),
        3 => run::<S, 3>(session, inputs, batch, options),
        _ => run::<S, MAX_INPUTS>(session, inputs, batch, options),
    }
}

/// A model in ONNX Runtime, ready to run.
#[derive(Debug)]
pub struct OrtEngine {
    info: ModelInfo,
    batch: BatchSize,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    /// By batch size minus one; made when that size first occurs.
    bindings: Vec<Option<OutputBinding>>,
    /// Tensors on the device that runs the model, if it has its own memory.
    device: Option<DeviceTensors>,
    /// The last run, if it succeeded.
    last: Option<Last>,
    // Outlives the tensors that are in its device's memory.
    session: Arc<SharedSession>,
}

/// Where the outputs of the last run are.
#[derive(Clone, Copy, Debug)]
enum Last {
    /// In the binding of this index.
    Host(usize),
    /// In the set for a batch of this size.
    Device(usize),
}

impl OrtEngine {
    /// Ends the trace with which it was opened, and gives the path of the file.
    #[cfg(feature = "tool")]
    pub(super) fn end_trace(&mut self) -> Result<PathBuf, EngineError> {
        self.session.lock().end_profiling().map(PathBuf::from).map_err(run_error)
    }

    /// Fixes the shapes of a session, see [`Model::bind`](super::model::Model::bind).
    pub(super) fn bind(
        session: Arc<SharedSession>,
        info: ModelInfo,
        batch_size: usize,
        items: &[Vec<usize>],
        cancel: &Cancel,
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
        let device = session.device.clone().map(DeviceTensors::new);
        let graphs = device.as_ref().is_some_and(DeviceTensors::has_graphs);
        let outputs = match graphs {
            true => declared(&info, batch)?,
            false => probe(&mut session.lock(), &inputs, &info, batch, cancel)?,
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
        self.device.as_ref().is_some_and(DeviceTensors::has_graphs)
    }

    /// The same, its runs joined with those of other engines into batches, if a run takes several items
    /// and `timeout` is not zero.
    pub(super) fn batched(self, timeout: Duration) -> Box<dyn Engine> {
        if timeout.is_zero() || self.batch.max == 1 || self.has_graphs() {
            return Box::new(self);
        }
        let session = self.session.clone();
        Box::new(BatchedEngine::new(session.batcher(self, timeout)))
    }

    /// A run with the inputs on the device; `upload` copies them there first.
    fn run_on_set(&mut self, batch: usize, upload: bool) -> Result<(), EngineError> {
        let Some(device) = &mut self.device else {
            return Err(EngineError::Run(
                "the model runs on no device with its own memory".to_owned(),
            ));
        };
        let mut session = self.session.lock();
        let templates = Templates {
            info: &self.info,
            inputs: &self.inputs,
            outputs: &self.outputs,
            batch: self.batch,
        };
        let set = device.set(&session, &templates, batch)?;
        if upload {
            set.upload(&mut self.inputs).map_err(run_error)?;
        }
        let values =
            run_session(&mut session, set.inputs(), None, set.options()).map_err(run_error)?;
        let handles = match set.is_new() {
            true => Some(OutputBinding::take_handles(&self.info, &self.outputs, values)),
            false => {
                drop(values);
                None
            }
        };
        if let Some(handles) = handles {
            set.keep(handles.map_err(run_error)?);
        }
        set.download().map_err(run_error)?;
        for (output, tensor) in self.outputs.iter_mut().zip(set.outputs()) {
            output.convert(tensor.as_ref());
        }
        Ok(())
    }

    fn check(&self, batch: usize) -> Result<usize, EngineError> {
        if batch == 0 || batch > self.batch.max {
            return Err(EngineError::Run(format!(
                "a batch of {batch} is not in 1..={}",
                self.batch.max
            )));
        }
        Ok(if self.batch.free { batch } else { self.batch.max })
    }

    fn run_batch(&mut self, batch: usize) -> ort::Result<()> {
        let known = &mut self.bindings[batch - 1];
        let binding = match known {
            Some(binding) => binding,
            None => known.insert(OutputBinding::new(&self.info, &self.outputs, batch)?),
        };
        let part = (batch < self.batch.max).then_some(batch);
        let mut session = self.session.lock();
        let values = run_session(&mut session, &self.inputs, part, &binding.options)?;
        if binding.tensors.is_empty() {
            binding.tensors = OutputBinding::take_handles(&self.info, &self.outputs, values)?;
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
            false => {
                let cancel = Cancel::default();
                probe(&mut self.session.lock(), &inputs, &self.info, self.batch, &cancel)?
            }
        };
        (self.inputs, self.outputs) = (inputs, outputs);
        self.bindings.iter_mut().for_each(|binding| *binding = None);
        self.device.iter_mut().for_each(DeviceTensors::clear);
        self.last = None;
        Ok(())
    }

    fn run(&mut self, batch: usize) -> Result<(), EngineError> {
        let batch = self.check(batch)?;
        self.last = None;
        if self.has_graphs() {
            self.run_on_set(batch, true)?;
            self.last = Some(Last::Device(batch));
        } else {
            self.run_batch(batch).map_err(run_error)?;
            self.last = Some(Last::Host(batch - 1));
        }
        Ok(())
    }

    fn device(&self) -> Option<u32> {
        self.device.as_ref().map(|device| device.number())
    }

    fn device_input(&mut self, index: usize, batch: usize) -> Result<DeviceMemory, EngineError> {
        let batch = self.check(batch)?;
        let Some(device) = &mut self.device else {
            return Err(EngineError::Unsupported("its inputs are in the host's memory".to_owned()));
        };
        let templates = Templates {
            info: &self.info,
            inputs: &self.inputs,
            outputs: &self.outputs,
            batch: self.batch,
        };
        let number = device.number();
        // Called for each item; only the first of its size needs the session.
        let set = match device.known(batch, templates.batch) {
            Some(_) => device.known_mut(batch, templates.batch),
            None => Some(device.set(&self.session.lock(), &templates, batch)?),
        };
        let input = set.and_then(|set| set.inputs_mut().get_mut(index));
        let input = input.ok_or_else(|| EngineError::Run(format!("there is no input {index}")))?;
        Ok(device_tensors::memory(number, input))
    }

    fn run_on_device(&mut self, batch: usize) -> Result<(), EngineError> {
        let batch = self.check(batch)?;
        self.last = None;
        self.run_on_set(batch, false)?;
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
                let set = device.and_then(|d| d.known(batch, self.batch));
                set.and_then(|set| set.outputs()[index].as_ref())
            }
            None => None,
        };
        self.outputs[index].values(tensor)
    }
}

#[cfg(test)]
#[path = "ort_engine_tests.rs"]
mod tests;
