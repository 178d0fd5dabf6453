//! Inputs in the memory of the device that runs the model, and for CUDA graphs its outputs as well.
//!
//! The kernels that make pictures on the GPU write them to addresses of these tensors, which stay. A
//! run passes the tensors as they are, so that ONNX Runtime copies nothing to the device; it copies the
//! outputs, which are few numbers, to the host. A smaller batch would need a view of a tensor's
//! beginning, which `ort` makes only of the host's memory. Therefore one set of tensors exists for each
//! power of two up to the largest batch, together at most twice that, and a run may include items that
//! are neither filled nor read.
//!
//! # CUDA graphs
//! A graph records the addresses of one run, and its replay copies no input and no output. With graphs
//! every run therefore uses such a set, its outputs in the device's memory as well; inputs of the host
//! are copied before the run and outputs after it (by `ort`, which runs its own session for this). The
//! CUDA provider keeps the graph of each set under its own number. Such sessions are not shared,
//! because another engine has other addresses.

use std::fmt;

use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{HasSelectedOutputs, RunOptions, Session};

use super::shapes::BatchSize;
use super::tensors::{Input, Output, OutputBinding, OutputTensor};
use crate::core::inference::device::DeviceMemory;
use crate::core::inference::{EngineError, ModelInfo};

/// Run option of the CUDA provider: the number under which it keeps the graph of a run.
const GRAPH_ID: &str = "gpu_graph_id";

/// A device whose memory a session's inputs may be in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InputDevice {
    /// Its kind of memory in ONNX Runtime.
    pub(super) kind: AllocationDevice<'static>,
    /// Its number.
    pub(super) number: u32,
    /// Whether CUDA graphs record and replay runs.
    pub(super) graphs: bool,
}

impl InputDevice {
    fn memory(&self) -> ort::Result<MemoryInfo<'static>> {
        let number = i32::try_from(self.number).unwrap_or(i32::MAX);
        MemoryInfo::new(self.kind.clone(), number, AllocatorType::Device, MemoryType::Default)
    }
}

/// Tensors for runs of one size.
pub(super) struct TensorSet {
    inputs: Vec<Input>,
    binding: OutputBinding,
    /// What is copied; for CUDA graphs alone.
    copies: Option<GraphCopies>,
}

/// Inputs in the host's memory that are copied to the device, and outputs on the device that are copied
/// to the binding's tensors.
struct GraphCopies {
    inputs: Vec<Input>,
    outputs: Vec<Option<OutputTensor>>,
}

impl fmt::Debug for TensorSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TensorSet").field("inputs", &self.inputs).finish_non_exhaustive()
    }
}

impl TensorSet {
    /// The inputs, for a run.
    pub(super) fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The inputs, mutable.
    pub(super) fn inputs_mut(&mut self) -> &mut [Input] {
        &mut self.inputs
    }

    /// The options of a run.
    pub(super) fn options(&self) -> &RunOptions<HasSelectedOutputs> {
        &self.binding.options
    }

    /// Copies inputs from the host, for a set with graphs.
    pub(super) fn upload(&mut self, from: &mut [Input]) -> ort::Result<()> {
        let Some(copies) = &mut self.copies else { return Ok(()) };
        for ((from, host), to) in from.iter_mut().zip(&mut copies.inputs).zip(&mut self.inputs) {
            host.take_values(from);
            host.copy_into(to)?;
        }
        Ok(())
    }

    /// Copies the results of a run to the host, for a set with graphs.
    pub(super) fn download(&mut self) -> ort::Result<()> {
        let Some(copies) = &self.copies else { return Ok(()) };
        for (from, to) in copies.outputs.iter().zip(&mut self.binding.tensors) {
            if let (Some(from), Some(to)) = (from, to) {
                from.copy_into(to)?;
            }
        }
        Ok(())
    }

    /// The outputs in the host's memory; empty before the first run of a set without graphs.
    pub(super) fn outputs(&self) -> &[Option<OutputTensor>] {
        &self.binding.tensors
    }

    /// Keeps the handles of the first run's outputs.
    pub(super) fn keep(&mut self, tensors: Vec<Option<OutputTensor>>) {
        match &mut self.copies {
            Some(copies) => copies.outputs = tensors,
            None => self.binding.tensors = tensors,
        }
    }

    /// Whether it has not run yet.
    pub(super) fn is_new(&self) -> bool {
        self.copies.as_ref().map_or(&self.binding.tensors, |copies| &copies.outputs).is_empty()
    }
}

/// All sets of an engine, each made when its size first occurs.
#[derive(Debug)]
pub(super) struct DeviceTensors {
    device: InputDevice,
    allocator: Option<Allocator>,
    /// By [`step`].
    sets: Vec<Option<TensorSet>>,
}

/// The number of items of the set for `batch` items; the largest if the batch is fixed.
fn room(batch: usize, size: BatchSize) -> usize {
    if size.free { batch.next_power_of_two().min(size.max) } else { size.max }
}

/// The index of that set.
fn step(room: usize) -> usize {
    room.next_power_of_two().trailing_zeros() as usize
}

/// The tensors of an engine, of which sets are made.
pub(super) struct Templates<'a> {
    pub(super) info: &'a ModelInfo,
    pub(super) inputs: &'a [Input],
    pub(super) outputs: &'a [Output],
    pub(super) batch: BatchSize,
}

impl DeviceTensors {
    pub(super) fn new(device: InputDevice) -> Self {
        Self { device, allocator: None, sets: Vec::new() }
    }

    /// The device's number.
    pub(super) fn number(&self) -> u32 {
        self.device.number
    }

    /// Whether CUDA graphs record and replay runs.
    pub(super) fn has_graphs(&self) -> bool {
        self.device.graphs
    }

    /// The set for a run of `batch` items.
    pub(super) fn set(
        &mut self,
        session: &Session,
        templates: &Templates<'_>,
        batch: usize,
    ) -> Result<&mut TensorSet, EngineError> {
        let room = room(batch, templates.batch);
        let step = step(room);
        if self.sets.len() <= step {
            self.sets.resize_with(step + 1, || None);
        }
        let set = &mut self.sets[step];
        if set.is_none() {
            let made = make(&self.device, &mut self.allocator, session, templates, room, step);
            *set = Some(made.map_err(|why| {
                EngineError::Run(format!(
                    "inputs cannot be allocated in the memory of GPU {}: {}",
                    self.device.number,
                    why.message()
                ))
            })?);
        }
        set.as_mut().ok_or_else(|| EngineError::Run("no set of tensors".to_owned()))
    }

    /// The set for `batch` items, if there is one.
    pub(super) fn known(&self, batch: usize, size: BatchSize) -> Option<&TensorSet> {
        self.sets.get(step(room(batch, size)))?.as_ref()
    }

    /// The same, mutable.
    pub(super) fn known_mut(&mut self, batch: usize, size: BatchSize) -> Option<&mut TensorSet> {
        self.sets.get_mut(step(room(batch, size)))?.as_mut()
    }

    /// Frees all tensors.
    pub(super) fn clear(&mut self) {
        self.sets.clear();
    }
}

fn make(
    device: &InputDevice,
    allocator: &mut Option<Allocator>,
    session: &Session,
    templates: &Templates<'_>,
    room: usize,
    step: usize,
) -> ort::Result<TensorSet> {
    let allocator = match allocator {
        Some(allocator) => allocator,
        None => allocator.insert(Allocator::new(session, device.memory()?)?),
    };
    let inputs = templates.inputs.iter().map(|input| input.like(allocator, room));
    let inputs = inputs.collect::<ort::Result<_>>()?;
    if !device.graphs {
        let binding = OutputBinding::new(templates.info, templates.outputs, room)?;
        return Ok(TensorSet { inputs, binding, copies: None });
    }
    let mut binding = OutputBinding::within(allocator, templates.info, templates.outputs, room)?;
    // 0 is the provider's own.
    binding.options.set(GRAPH_ID, (step + 1).to_string())?;
    binding.tensors = OutputBinding::host_tensors(templates.outputs, room)?;
    let host = Allocator::default();
    let copied = templates.inputs.iter().map(|input| input.like(&host, room));
    let copied = copied.collect::<ort::Result<_>>()?;
    Ok(TensorSet {
        inputs,
        binding,
        copies: Some(GraphCopies { inputs: copied, outputs: Vec::new() }),
    })
}

/// An input's memory on the device.
pub(super) fn memory(device: u32, input: &mut Input) -> DeviceMemory {
    let (address, bytes) = input.address();
    DeviceMemory { address, bytes, device }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_for_powers_of_two() {
        let rooms: Vec<_> =
            (1..=6).map(|batch| room(batch, BatchSize { max: 6, free: true })).collect();
        assert_eq!(rooms, [1, 2, 4, 4, 6, 6]);
        let steps: Vec<_> = rooms.into_iter().map(step).collect();
        assert_eq!(steps, [0, 1, 2, 2, 3, 3]);
        assert_eq!(room(1, BatchSize { max: 6, free: false }), 6, "a fixed batch runs all");
    }
}
