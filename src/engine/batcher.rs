//! Runs of several streams gathered into one batch.
//!
//! A [`Gatherer`] has an engine whose batch is large; each stream has a [`GatheredEngine`], which looks
//! like an engine of its own. The first that runs waits for the others, but no longer than a given
//! time, then runs what has come together and hands each its part. Streams join in the order in which
//! they come, and what does not fit into a batch is the first of the next, so that none starves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use half::f16;

use crate::core::inference::{Engine, EngineError, ModelInfo, TensorMut};
use crate::engine::fair_lock::Turns;

/// See [the module](self).
pub struct Gatherer {
    timeout: Duration,
    max: usize,
    /// Streams that may join.
    members: AtomicUsize,
    joining: Turns,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    engine: Box<dyn Engine>,
    phase: Phase,
    /// Items that were put in.
    filled: usize,
    /// Streams whose items they are, and that have not taken their results.
    streams: usize,
    /// Whether somebody waits for whom there was no room.
    full: bool,
    failure: Option<EngineError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nobody is in.
    Idle,
    /// Items come together.
    Collecting,
    /// The batch was run.
    Done,
}

impl Gatherer {
    /// With the engine that runs the batches, and the longest time that a run waits for others.
    pub fn new(engine: Box<dyn Engine>, timeout: Duration) -> Self {
        let max = engine.max_batch();
        let state =
            State { engine, phase: Phase::Idle, filled: 0, streams: 0, full: false, failure: None };
        Self {
            timeout,
            max,
            members: AtomicUsize::new(0),
            joining: Turns::default(),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts items in, runs or waits for the run, and takes the results out.
    fn run(
        &self,
        items: usize,
        put: impl FnOnce(&mut dyn Engine, usize),
        take: impl FnOnce(&dyn Engine, usize),
    ) -> Result<(), EngineError> {
        let turn = self.joining.wait();
        let mut state = self.lock();
        while !(state.phase == Phase::Idle
            || state.phase == Phase::Collecting && state.filled + items <= self.max)
        {
            // The batch that is collected need not wait any longer.
            state.full = true;
            self.changed.notify_all();
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let leads = state.phase == Phase::Idle;
        let offset = state.filled;
        put(&mut *state.engine, offset);
        state.phase = Phase::Collecting;
        state.filled += items;
        state.streams += 1;
        drop(turn);
        if leads {
            let waits = |state: &mut State| {
                state.filled < self.max
                    && !state.full
                    && state.streams < self.members.load(Ordering::Relaxed)
            };
            (state, _) = self
                .changed
                .wait_timeout_while(state, self.timeout, waits)
                .unwrap_or_else(PoisonError::into_inner);
            let filled = state.filled;
            state.failure = state.engine.run(filled).err();
            state.phase = Phase::Done;
            self.changed.notify_all();
        } else {
            self.changed.notify_all();
            state = self
                .changed
                .wait_while(state, |state| state.phase == Phase::Collecting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let result = match &state.failure {
            None => {
                take(&*state.engine, offset);
                Ok(())
            }
            Some(why) => Err(why.clone()),
        };
        state.streams -= 1;
        if state.streams == 0 {
            (state.phase, state.filled, state.full) = (Phase::Idle, 0, false);
            self.changed.notify_all();
        }
        result
    }
}

/// One stream's view of a [`Gatherer`]: inputs and outputs of its own.
pub struct GatheredEngine {
    gatherer: Arc<Gatherer>,
    info: ModelInfo,
    provider: String,
    inputs: Vec<(Vec<usize>, Values)>,
    outputs: Vec<(Vec<usize>, Vec<f32>)>,
}

/// An input's memory.
enum Values {
    F32(Vec<f32>),
    F16(Vec<f16>),
    U8(Vec<u8>),
    I8(Vec<i8>),
}

impl Values {
    fn like(tensor: &TensorMut<'_>) -> Self {
        match tensor {
            TensorMut::F32(s) => Self::F32(vec![0.0; s.len()]),
            TensorMut::F16(s) => Self::F16(vec![f16::ZERO; s.len()]),
            TensorMut::U8(s) => Self::U8(vec![0; s.len()]),
            TensorMut::I8(s) => Self::I8(vec![0; s.len()]),
        }
    }

    fn as_mut(&mut self) -> TensorMut<'_> {
        match self {
            Self::F32(v) => TensorMut::F32(v),
            Self::F16(v) => TensorMut::F16(v),
            Self::U8(v) => TensorMut::U8(v),
            Self::I8(v) => TensorMut::I8(v),
        }
    }

    /// Copies the first `items` of `max` to the place `offset`.
    fn copy_to(&self, to: TensorMut<'_>, offset: usize, items: usize, max: usize) {
        fn copy<T: Copy>(from: &[T], to: &mut [T], offset: usize, items: usize, max: usize) {
            let item = from.len() / max;
            to[offset * item..(offset + items) * item].copy_from_slice(&from[..items * item]);
        }
        match (self, to) {
            (Self::F32(from), TensorMut::F32(to)) => copy(from, to, offset, items, max),
            (Self::F16(from), TensorMut::F16(to)) => copy(from, to, offset, items, max),
            (Self::U8(from), TensorMut::U8(to)) => copy(from, to, offset, items, max),
            (Self::I8(from), TensorMut::I8(to)) => copy(from, to, offset, items, max),
            _ => debug_assert!(false, "made after the tensor that it is copied to"),
        }
    }
}

impl GatheredEngine {
    /// A stream that joins.
    pub fn new(gatherer: Arc<Gatherer>) -> Self {
        let mut state = gatherer.lock();
        let engine = &mut state.engine;
        let info = engine.info().clone();
        let provider = engine.provider().to_owned();
        let inputs = (0..info.inputs.len())
            .map(|i| (engine.input_shape(i).to_vec(), Values::like(&engine.input(i))))
            .collect();
        let outputs = (0..info.outputs.len())
            .map(|i| {
                let shape = engine.output_shape(i).to_vec();
                let values = vec![0.0; shape.iter().product()];
                (shape, values)
            })
            .collect();
        drop(state);
        gatherer.members.fetch_add(1, Ordering::Relaxed);
        Self { gatherer, info, provider, inputs, outputs }
    }
}

impl Drop for GatheredEngine {
    fn drop(&mut self) {
        self.gatherer.members.fetch_sub(1, Ordering::Relaxed);
        // Somebody may wait for this one.
        let _state = self.gatherer.lock();
        self.gatherer.changed.notify_all();
    }
}

impl Engine for GatheredEngine {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn provider(&self) -> &str {
        &self.provider
    }

    fn max_batch(&self) -> usize {
        self.gatherer.max
    }

    fn input_shape(&self, index: usize) -> &[usize] {
        &self.inputs[index].0
    }

    fn output_shape(&self, index: usize) -> &[usize] {
        &self.outputs[index].0
    }

    fn input(&mut self, index: usize) -> TensorMut<'_> {
        self.inputs[index].1.as_mut()
    }

    fn run(&mut self, batch: usize) -> Result<(), EngineError> {
        let max = self.gatherer.max;
        if batch == 0 || batch > max {
            let why = format!("a batch of {batch} does not lie in 1..={max}");
            return Err(EngineError::Run(why));
        }
        let Self { gatherer, inputs, outputs, .. } = self;
        gatherer.run(
            batch,
            |engine, offset| {
                for (index, (_, values)) in inputs.iter().enumerate() {
                    values.copy_to(engine.input(index), offset, batch, max);
                }
            },
            |engine, offset| {
                for (index, (shape, values)) in outputs.iter_mut().enumerate() {
                    let found = engine.output(index);
                    // What does not follow the batch is everybody's.
                    let (from, len) = if shape.first() == Some(&max) {
                        let item = values.len() / max;
                        (offset * item, batch * item)
                    } else {
                        (0, values.len().min(found.len()))
                    };
                    if let Some(part) = found.get(from..from + len) {
                        values[..len].copy_from_slice(part);
                    }
                }
            },
        )
    }

    fn output(&self, index: usize) -> &[f32] {
        &self.outputs[index].1
    }
}

#[cfg(test)]
#[path = "batcher_tests.rs"]
mod tests;
