//! Inputs, and where CUDA graphs want it outputs, in the memory of the device that runs the model.
//!
//! Whoever makes pictures on the GPU writes them to addresses that are given out here and stay. A run
//! passes the tensors as they are, so that ONNX Runtime copies nothing to the device; outputs are
//! some numbers, which it brings to the host. A batch of any size would want a view of the tensor's
//! beginning, which `ort` makes only of the host's memory; so there is one set of tensors for each
//! power of two up to the largest batch, together no more than twice that, and a run may have slots
//! that nobody filled and nobody reads.
//!
//! # CUDA graphs
//! A graph is recorded with the addresses of one run, and replayed with nothing else: no input is
//! brought, no output taken. Where graphs are on, every run therefore uses such a set, its outputs in
//! the device's memory as well; inputs that were made in the host's are copied before the run, and
//! outputs after it (by `ort`, which runs a session of its own for this). Each set has a number under
//! which the CUDA provider keeps its graph. Such sessions are not shared, because another engine's
//! addresses are others.

use std::fmt;

use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{HasSelectedOutputs, RunOptions, Session};

use super::tensors::{Binding, Input, Output, OutputTensor};
use crate::core::inference::device::DeviceMemory;
use crate::core::inference::{EngineError, ModelInfo};

/// Run option of the CUDA provider: under which number it keeps a run's graph.
const GRAPH_ID: &str = "gpu_graph_id";

/// Memory of a device that a session's inputs may be in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DevicePlace {
    /// Its kind, as ONNX Runtime calls it.
    pub(super) device: AllocationDevice<'static>,
    /// Its number.
    pub(super) number: u32,
    /// Whether runs are recorded and replayed.
    pub(super) graphs: bool,
}

impl DevicePlace {
    fn memory(&self) -> ort::Result<MemoryInfo<'static>> {
        let number = i32::try_from(self.number).unwrap_or(i32::MAX);
        MemoryInfo::new(self.device.clone(), number, AllocatorType::Device, MemoryType::Default)
    }
}

/// Tensors for runs of one size.
pub(super) struct DeviceSet {
    inputs: Vec<Input>,
    binding: Binding,
    /// What is copied, where graphs are on.
    copies: Option<Copies>,
}

/// Tensors of the host that go to the device, and outputs of the device that go to the host, where
/// the binding has them.
struct Copies {
    inputs: Vec<Input>,
    outputs: Vec<Option<OutputTensor>>,
}

impl fmt::Debug for DeviceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceSet").field("inputs", &self.inputs).finish_non_exhaustive()
    }
}

impl DeviceSet {
    /// The inputs, for a run.
    pub(super) fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The inputs, to be filled.
    pub(super) fn inputs_mut(&mut self) -> &mut [Input] {
        &mut self.inputs
    }

    /// What a run is told.
    pub(super) fn options(&self) -> &RunOptions<HasSelectedOutputs> {
        &self.binding.options
    }

    /// Brings inputs from the host, for a set with graphs.
    pub(super) fn bring(&mut self, from: &mut [Input]) -> ort::Result<()> {
        let Some(copies) = &mut self.copies else { return Ok(()) };
        for ((from, host), to) in from.iter_mut().zip(&mut copies.inputs).zip(&mut self.inputs) {
            host.take_values(from);
            host.copy_into(to)?;
        }
        Ok(())
    }

    /// Takes a run's results to the host, if they are not there.
    pub(super) fn fetch(&mut self) -> ort::Result<()> {
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

    /// Keeps the handles that the first run gave out.
    pub(super) fn keep(&mut self, tensors: Vec<Option<OutputTensor>>) {
        match &mut self.copies {
            Some(copies) => copies.outputs = tensors,
            None => self.binding.tensors = tensors,
        }
    }

    /// Whether the handles are still to be kept.
    pub(super) fn is_new(&self) -> bool {
        self.copies.as_ref().map_or(&self.binding.tensors, |copies| &copies.outputs).is_empty()
    }
}

/// All sets of an engine, made when their size first occurs.
#[derive(Debug)]
pub(super) struct DeviceSide {
    pub(super) place: DevicePlace,
    allocator: Option<Allocator>,
    /// By [`step`].
    sets: Vec<Option<DeviceSet>>,
}

/// Items that a set for `batch` of at most `max` has room for; all of them where none may be left
/// out.
fn room(batch: usize, max: usize, free: bool) -> usize {
    if free { batch.next_power_of_two().min(max) } else { max }
}

/// Which set that is.
fn step(room: usize) -> usize {
    room.next_power_of_two().trailing_zeros() as usize
}

/// What the tensors of an engine are like.
pub(super) struct Kinds<'a> {
    pub(super) info: &'a ModelInfo,
    pub(super) inputs: &'a [Input],
    pub(super) outputs: &'a [Output],
    /// The largest batch, and whether fewer items may be run.
    pub(super) batch: (usize, bool),
}

impl DeviceSide {
    pub(super) fn new(place: DevicePlace) -> Self {
        Self { place, allocator: None, sets: Vec::new() }
    }

    /// The set for a run of `batch` items.
    pub(super) fn set(
        &mut self,
        session: &Session,
        kinds: &Kinds<'_>,
        batch: usize,
    ) -> Result<&mut DeviceSet, EngineError> {
        let (max, free) = kinds.batch;
        let room = room(batch, max, free);
        let step = step(room);
        if self.sets.len() <= step {
            self.sets.resize_with(step + 1, || None);
        }
        let slot = &mut self.sets[step];
        if slot.is_none() {
            let made = make(&self.place, &mut self.allocator, session, kinds, room, step);
            *slot = Some(made.map_err(|why| {
                EngineError::Run(format!(
                    "inputs cannot be put into the memory of GPU {}: {}",
                    self.place.number,
                    why.message()
                ))
            })?);
        }
        slot.as_mut().ok_or_else(|| EngineError::Run("no set of tensors".to_owned()))
    }

    /// The set for `batch` items, if there is one.
    pub(super) fn known(&self, batch: usize, (max, free): (usize, bool)) -> Option<&DeviceSet> {
        self.sets.get(step(room(batch, max, free)))?.as_ref()
    }

    /// The same, to be filled.
    pub(super) fn known_mut(
        &mut self,
        batch: usize,
        (max, free): (usize, bool),
    ) -> Option<&mut DeviceSet> {
        self.sets.get_mut(step(room(batch, max, free)))?.as_mut()
    }

    /// Gives all tensors back.
    pub(super) fn clear(&mut self) {
        self.sets.clear();
    }
}

fn make(
    place: &DevicePlace,
    allocator: &mut Option<Allocator>,
    session: &Session,
    kinds: &Kinds<'_>,
    room: usize,
    step: usize,
) -> ort::Result<DeviceSet> {
    let allocator = match allocator {
        Some(allocator) => allocator,
        None => allocator.insert(Allocator::new(session, place.memory()?)?),
    };
    let inputs = kinds.inputs.iter().map(|input| input.like(allocator, room));
    let inputs = inputs.collect::<ort::Result<_>>()?;
    if !place.graphs {
        let binding = Binding::new(kinds.info, kinds.outputs, room)?;
        return Ok(DeviceSet { inputs, binding, copies: None });
    }
    let mut binding = Binding::within(allocator, kinds.info, kinds.outputs, room)?;
    // 0 is the provider's own.
    binding.options.set(GRAPH_ID, (step + 1).to_string())?;
    binding.tensors = Binding::host_tensors(kinds.outputs, room)?;
    let host = Allocator::default();
    let copied = kinds.inputs.iter().map(|input| input.like(&host, room));
    let copied = copied.collect::<ort::Result<_>>()?;
    Ok(DeviceSet { inputs, binding, copies: Some(Copies { inputs: copied, outputs: Vec::new() }) })
}

/// An input's memory on the device.
pub(super) fn memory(place: &DevicePlace, input: &mut Input) -> DeviceMemory {
    let (address, bytes) = input.address();
    DeviceMemory { address, bytes, device: place.number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_for_powers_of_two() {
        let rooms: Vec<_> = (1..=6).map(|batch| room(batch, 6, true)).collect();
        assert_eq!(rooms, [1, 2, 4, 4, 6, 6]);
        let steps: Vec<_> = rooms.into_iter().map(step).collect();
        assert_eq!(steps, [0, 1, 2, 2, 3, 3]);
        assert_eq!(room(1, 6, false), 6, "a fixed batch runs all");
    }
}
