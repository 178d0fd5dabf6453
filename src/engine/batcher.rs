//! The cross-stream batcher: runs of several streams joined in one batch.
//!
//! A [`Batcher`] has an engine with a large batch; each stream has a [`BatchedEngine`], which looks like
//! an engine of its own. The first stream that runs leads: it waits for the others, but no longer than
//! the timeout, runs the batch, and each stream takes its results. Streams join by a fair lock, and a
//! stream that does not fit into a batch is the first of the next, so that none starves.
//!
//! A run that fails is an error for every stream of its batch. A run that panics leaves the engine in an
//! unknown state: from then on every run is an error, because its outputs could be those of others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use half::f16;
use parking_lot::{Condvar, FairMutex, Mutex};

use crate::core::inference::{Engine, EngineError, ModelInfo, TensorMut};

/// See [the module](self).
pub struct Batcher {
    timeout: Duration,
    max: usize,
    /// Streams that may join.
    members: AtomicUsize,
    /// Held by the stream that joins, also while it waits for a free batch.
    joining: FairMutex<()>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    engine: Box<dyn Engine>,
    phase: Phase,
    /// Items in the batch.
    filled: usize,
    /// Streams of these items that have not taken their results.
    streams: usize,
    /// Whether a stream waits that did not fit.
    full: bool,
    failure: Option<EngineError>,
    /// Whether a run panicked.
    broken: bool,
}

impl State {
    /// Runs the batch.
    fn run(&mut self) -> Result<(), EngineError> {
        if self.broken {
            return Err(EngineError::Run(BROKEN.to_owned()));
        }
        let (engine, filled) = (&mut self.engine, self.filled);
        catch_unwind(AssertUnwindSafe(|| engine.run(filled))).unwrap_or_else(|_| {
            self.broken = true;
            Err(EngineError::Run(BROKEN.to_owned()))
        })
    }
}

/// The error of each run after one that panicked.
const BROKEN: &str = "a run that this stream shares with others panicked; restart the pipelines of \
                      this model";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The batch is empty.
    Idle,
    /// Streams join.
    Collecting,
    /// The batch has run.
    Done,
}

impl Batcher {
    /// With the engine that runs the batches, and the longest time for which a run waits for others.
    pub fn new(engine: Box<dyn Engine>, timeout: Duration) -> Self {
        let max = engine.max_batch();
        let state = State {
            engine,
            phase: Phase::Idle,
            filled: 0,
            streams: 0,
            full: false,
            failure: None,
            broken: false,
        };
        Self {
            timeout,
            max,
            members: AtomicUsize::new(0),
            joining: FairMutex::default(),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Puts items in, leads the run or waits for it, and takes the results out.
    fn run(
        &self,
        items: usize,
        put: impl FnOnce(&mut dyn Engine, usize),
        take: impl FnOnce(&dyn Engine, usize),
    ) -> Result<(), EngineError> {
        let joining = self.joining.lock();
        let mut state = self.state.lock();
        while !(state.phase == Phase::Idle
            || state.phase == Phase::Collecting && state.filled + items <= self.max)
        {
            // The batch need not wait any longer.
            state.full = true;
            self.changed.notify_all();
            self.changed.wait(&mut state);
        }
        let leads = state.phase == Phase::Idle;
        let offset = state.filled;
        put(&mut *state.engine, offset);
        state.phase = Phase::Collecting;
        state.filled += items;
        state.streams += 1;
        drop(joining);
        if leads {
            let waits = |state: &mut State| {
                state.filled < self.max
                    && !state.full
                    && state.streams < self.members.load(Ordering::Relaxed)
            };
            self.changed.wait_while_for(&mut state, waits, self.timeout);
            state.failure = state.run().err();
            state.phase = Phase::Done;
            self.changed.notify_all();
        } else {
            self.changed.notify_all();
            self.changed.wait_while(&mut state, |state| state.phase == Phase::Collecting);
        }
        let result = match &state.failure {
            // The others of the batch go on, whatever becomes of this stream.
            None => catch_unwind(AssertUnwindSafe(|| take(&*state.engine, offset)))
                .map_err(|_| EngineError::Run(BROKEN.to_owned())),
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

/// One stream's view of a [`Batcher`]: inputs and outputs of its own.
pub struct BatchedEngine {
    batcher: Arc<Batcher>,
    info: ModelInfo,
    provider: String,
    inputs: Vec<(Vec<usize>, Values)>,
    outputs: Vec<(Vec<usize>, Vec<f32>)>,
    /// Whether the model's inputs could be in a device's memory.
    has_device: bool,
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

    /// Copies the first `items` of `max` to the items from `offset` on.
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
            _ => debug_assert!(false, "its type is that of the tensor"),
        }
    }
}

impl BatchedEngine {
    /// A stream that joins.
    pub fn new(batcher: Arc<Batcher>) -> Self {
        let mut state = batcher.state.lock();
        let engine = &mut state.engine;
        let info = engine.info().clone();
        let provider = engine.provider().to_owned();
        let has_device = engine.device().is_some();
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
        batcher.members.fetch_add(1, Ordering::Relaxed);
        Self { batcher, info, provider, inputs, outputs, has_device }
    }
}

impl Drop for BatchedEngine {
    fn drop(&mut self) {
        self.batcher.members.fetch_sub(1, Ordering::Relaxed);
        // The leader of a batch may wait for this stream.
        let _state = self.batcher.state.lock();
        self.batcher.changed.notify_all();
    }
}

impl Engine for BatchedEngine {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn provider(&self) -> &str {
        &self.provider
    }

    fn max_batch(&self) -> usize {
        self.batcher.max
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
        let max = self.batcher.max;
        if batch == 0 || batch > max {
            let why = format!("a batch of {batch} is not in 1..={max}");
            return Err(EngineError::Run(why));
        }
        let Self { batcher, inputs, outputs, .. } = self;
        batcher.run(
            batch,
            |engine, offset| {
                for (index, (_, values)) in inputs.iter().enumerate() {
                    values.copy_to(engine.input(index), offset, batch, max);
                }
            },
            |engine, offset| {
                for (index, (shape, values)) in outputs.iter_mut().enumerate() {
                    let found = engine.output(index);
                    // An output without the batch belongs to all streams.
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

    fn device_refusal(&self) -> Option<&'static str> {
        self.has_device.then_some("batch-timeout collects batches in the host's memory")
    }
}

#[cfg(test)]
#[path = "batcher_tests.rs"]
mod tests;
