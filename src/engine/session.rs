//! A model in ONNX Runtime behind the [`Engine`] port.
//!
//! [`Model`] is a file that is loaded and whose inputs and outputs are known; [`Model::bind`] fixes
//! the shapes and gives an [`OrtEngine`] with all memory allocated.
//!
//! # How runs avoid copies and allocations
//! Inputs are tensors of the largest batch, written in place. A full batch passes them as they
//! are; a smaller one of a model with a free batch passes a view of its first items, so that one
//! face costs one face (the view is one small allocation inside `ort`). Outputs are allocated once
//! for each batch size that occurs and ONNX Runtime writes into them; half-precision ones are
//! converted into a buffer that is reused. `ort`'s `IoBinding` was not taken: it collects the bound
//! outputs anew after each run, which allocates, and saves copies only between devices.

use std::array;
use std::path::{Path, PathBuf};

use ort::session::builder::SessionBuilder;
use ort::session::{
    HasSelectedOutputs, OutputSelector, RunOptions, Session, SessionInputValue, SessionOutputs,
};
use ort::value::{Outlet, TensorElementType, ValueType};

use super::file::{self, Format};
use super::tensors::{Binding, Input, Output, OutputElement};
use super::{EngineOptions, runtime};
use crate::core::geometry::Size;
use crate::core::tensor::{
    ElementType, Engine, EngineError, ModelInfo, TensorInfo, TensorMut, list,
};

/// The most inputs that a model may have: a face, two eyes and a head pose.
pub const MAX_INPUTS: usize = 4;

/// A model that is loaded, its shapes not yet fixed.
#[derive(Debug)]
pub struct Model {
    session: Session,
    info: ModelInfo,
    provider: &'static str,
    batch_size: usize,
}

impl Model {
    /// Loads an `.onnx` or `.ort` file. Weights in files beside it are found.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Load`], and what keeps the runtime or the provider
    /// from working.
    pub fn load(path: &Path, options: &EngineOptions) -> Result<Self, EngineError> {
        let format = file::check(path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let shown = path.display().to_string();
        Self::commit(&name, &shown, format, options, |builder| builder.commit_from_file(path))
    }

    /// Loads a model from memory; `name` stands for the path in messages.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_bytes(
        name: &str,
        bytes: &[u8],
        options: &EngineOptions,
    ) -> Result<Self, EngineError> {
        let format = file::recognise(bytes)
            .map_err(|reason| EngineError::Load { path: name.to_owned(), reason })?;
        Self::commit(name, name, format, options, |builder| builder.commit_from_memory(bytes))
    }

    fn commit(
        name: &str,
        path: &str,
        format: Format,
        options: &EngineOptions,
        commit: impl FnOnce(&mut SessionBuilder) -> ort::Result<Session>,
    ) -> Result<Self, EngineError> {
        let runtime = runtime::get()?;
        let load_error = |why: String| EngineError::Load { path: path.to_owned(), reason: why };
        let builder = Session::builder(runtime.environment())
            .map_err(|why| load_error(why.to_string()))
            .and_then(|builder| {
                configure(builder, format, options).map_err(|why| load_error(why.to_string()))
            })?;
        let (mut builder, provider) = options.provider.register(runtime, builder)?;
        let session = commit(&mut builder).map_err(|why| load_error(why.message().to_owned()))?;
        let info = describe(name, &session);
        let batch_size = options.batch_size.max(1);
        Ok(Self { session, info, provider: provider.nick(), batch_size })
    }

    /// What the file declares.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The dimensions of each input without the batch, free height and width taken from `size`.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] where a dimension stays free.
    pub fn item_shapes(&self, size: Option<Size>) -> Result<Vec<Vec<usize>>, EngineError> {
        item_shapes(&self.info, size)
    }

    /// Fixes the shapes, allocates all memory and runs the largest batch once: what cannot run
    /// fails here and not in the middle of a stream, and the first frame is no slower than others.
    ///
    /// `items` are the dimensions of each input without the batch.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for types and shapes that no code path serves,
    /// [`EngineError::Run`] where that first run fails.
    pub fn bind(self, items: &[Vec<usize>]) -> Result<OrtEngine, EngineError> {
        let Self { mut session, info, provider, batch_size } = self;
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
        let outputs = probe(&mut session, &inputs, &info, batch)?;
        let bindings = (0..batch.max).map(|_| None).collect();
        Ok(OrtEngine { session, info, provider, batch, inputs, outputs, bindings, last: None })
    }
}

fn configure(
    builder: SessionBuilder,
    format: Format,
    options: &EngineOptions,
) -> ort::Result<SessionBuilder> {
    let builder = builder
        .with_config_entry("session.load_model_format", format.config_value())?
        .with_intra_threads(options.effective_threads())?
        .with_inter_threads(1)?
        .with_intra_op_spinning(options.spin)?
        .with_log_level(runtime::log_level().into())?;
    match &options.trace {
        Some(prefix) => Ok(builder.with_profiling(prefix)?),
        None => Ok(builder),
    }
}

fn describe(name: &str, session: &Session) -> ModelInfo {
    let tensors = |outlets: &[Outlet]| {
        outlets.iter().map(|outlet| tensor_info(outlet.name(), outlet.dtype())).collect()
    };
    let metadata = session.metadata().ok();
    let keys = metadata.as_ref().and_then(|m| m.custom_keys().ok()).unwrap_or_default();
    let pairs = keys.into_iter().filter_map(|key| {
        let value = metadata.as_ref()?.custom(&key)?;
        Some((key, value))
    });
    ModelInfo {
        name: name.to_owned(),
        inputs: tensors(session.inputs()),
        outputs: tensors(session.outputs()),
        metadata: pairs.collect(),
    }
}

fn tensor_info(name: &str, dtype: &ValueType) -> TensorInfo {
    let element = match dtype.tensor_type() {
        Some(TensorElementType::Float32) => Some(ElementType::F32),
        Some(TensorElementType::Float16) => Some(ElementType::F16),
        Some(TensorElementType::Uint8) => Some(ElementType::U8),
        Some(TensorElementType::Int8) => Some(ElementType::I8),
        _ => None,
    };
    let shape = dtype.tensor_shape().map_or_else(Vec::new, |shape| {
        shape.iter().map(|dim| usize::try_from(*dim).ok()).collect()
    });
    TensorInfo { name: name.to_owned(), element, shape }
}

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

fn item_shapes(info: &ModelInfo, size: Option<Size>) -> Result<Vec<Vec<usize>>, EngineError> {
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
    session: Session,
    info: ModelInfo,
    provider: &'static str,
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
        self.session.end_profiling().map(PathBuf::from).map_err(run_error)
    }

    fn run_batch(&mut self, batch: usize) -> ort::Result<()> {
        let slot = &mut self.bindings[batch - 1];
        let binding = match slot {
            Some(binding) => binding,
            None => slot.insert(Binding::new(&self.info, &self.outputs, batch)?),
        };
        let part = (batch < self.batch.max).then_some(batch);
        let values = run_session(&mut self.session, &self.inputs, part, &binding.options)?;
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
        self.provider
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
        let outputs = probe(&mut self.session, &inputs, &self.info, self.batch)?;
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
