//! The port to an inference engine: tensors by position, memory that is bound once and reused.
//!
//! The core fills inputs and reads outputs through [`Engine`]; who runs the model, and where, is
//! the engine's affair. All memory belongs to the engine and is allocated when it opens.

use std::collections::BTreeMap;
use std::fmt;

use half::f16;

use super::device::DeviceMemory;
use super::geometry::Size;

/// Element types that a model may take or give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// 32-bit float.
    F32,
    /// 16-bit float (IEEE binary16).
    F16,
    /// Unsigned byte.
    U8,
    /// Signed byte.
    I8,
}

impl ElementType {
    /// Bytes of one element.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
            Self::U8 | Self::I8 => 1,
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::U8 => "uint8",
            Self::I8 => "int8",
        })
    }
}

/// One input or output as the model file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name in the file.
    pub name: String,
    /// `None` for a type that is not supported (the profile then refuses the model).
    pub element: Option<ElementType>,
    /// Dimensions; `None` where the file leaves one open.
    pub shape: Vec<Option<usize>>,
}

impl fmt::Display for TensorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [", self.name)?;
        for (i, dim) in self.shape.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            match dim {
                Some(n) => write!(f, "{comma}{n}")?,
                None => write!(f, "{comma}?")?,
            }
        }
        match self.element {
            Some(element) => write!(f, "] {element}"),
            None => write!(f, "] unsupported type"),
        }
    }
}

/// Inputs or outputs in one line, for people.
pub fn list(tensors: &[TensorInfo]) -> String {
    match tensors {
        [] => "none".to_owned(),
        _ => tensors.iter().map(TensorInfo::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// What a model file says about itself, before any shape is fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelInfo {
    /// Name for people: the file's stem, or what the metadata say.
    pub name: String,
    /// Inputs in the file's order.
    pub inputs: Vec<TensorInfo>,
    /// Outputs in the file's order.
    pub outputs: Vec<TensorInfo>,
    /// The file's free-form key/value pairs (ONNX `metadata_props`).
    pub metadata: BTreeMap<String, String>,
}

/// An input's memory, to be written: the whole batch, contiguous.
#[derive(Debug)]
pub enum TensorMut<'a> {
    /// 32-bit floats.
    F32(&'a mut [f32]),
    /// 16-bit floats.
    F16(&'a mut [f16]),
    /// Unsigned bytes.
    U8(&'a mut [u8]),
    /// Signed bytes.
    I8(&'a mut [i8]),
}

impl TensorMut<'_> {
    /// Elements in all.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(s) => s.len(),
            Self::F16(s) => s.len(),
            Self::U8(s) => s.len(),
            Self::I8(s) => s.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Slot `index` of a batch whose items have `item` elements each.
    ///
    /// # Panics
    /// If the slot is out of range.
    pub fn slot(&mut self, index: usize, item: usize) -> TensorMut<'_> {
        let range = index * item..(index + 1) * item;
        match self {
            Self::F32(s) => TensorMut::F32(&mut s[range]),
            Self::F16(s) => TensorMut::F16(&mut s[range]),
            Self::U8(s) => TensorMut::U8(&mut s[range]),
            Self::I8(s) => TensorMut::I8(&mut s[range]),
        }
    }
}

/// Why an engine could not be opened or run. Texts name the cause; `remedy` says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The file is not there.
    #[error("model file '{path}' does not exist")]
    NotFound {
        /// As given.
        path: String,
    },
    /// The file is there and is no model that can be loaded.
    #[error("cannot load '{path}': {reason}")]
    Load {
        /// As given.
        path: String,
        /// What the runtime or the check said.
        reason: String,
    },
    /// The inference runtime itself is missing, too old or broken.
    #[error("{reason}. {remedy}")]
    Runtime {
        /// What was tried and what happened.
        reason: String,
        /// How to get a good one.
        remedy: String,
    },
    /// The execution provider that was asked for is not to be had.
    #[error("execution provider '{provider}': {reason}. {remedy}")]
    Provider {
        /// Its nick.
        provider: String,
        /// What is missing.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// The model has a type or a shape that no code path serves.
    #[error("unsupported model: {0}")]
    Unsupported(String),
    /// The run failed.
    #[error("inference failed: {0}")]
    Run(String),
}

/// A model ready to run: shapes fixed, memory bound.
pub trait Engine: Send {
    /// What the file declares.
    fn info(&self) -> &ModelInfo;

    /// Nick of the execution provider that runs it (`cpu`, `cuda`, ...).
    fn provider(&self) -> &str;

    /// The most items that one [`run`](Self::run) takes.
    fn max_batch(&self) -> usize;

    /// Shape of input `index` as bound, the batch dimension being [`max_batch`](Self::max_batch).
    fn input_shape(&self, index: usize) -> &[usize];

    /// Shape of output `index` as bound (the batch dimension, where there is one, being
    /// [`max_batch`](Self::max_batch)).
    fn output_shape(&self, index: usize) -> &[usize];

    /// Memory of input `index` for the whole batch.
    fn input(&mut self, index: usize) -> TensorMut<'_>;

    /// Fixes another height and width where the file leaves them open, for detectors whose input
    /// follows the frame; a side that the file fixes stays. Allocates anew; after an error
    /// everything is as it was.
    ///
    /// # Errors
    /// Where the engine cannot, or the model does not run with that size.
    fn resize(&mut self, size: Size) -> Result<(), EngineError> {
        Err(EngineError::Unsupported(format!("'{}' cannot be resized to {size}", self.info().name)))
    }

    /// Runs the first `batch` items. `batch` is 1..=[`max_batch`](Self::max_batch); a model with a
    /// fixed batch runs all of its slots and the rest is ignored.
    fn run(&mut self, batch: usize) -> Result<(), EngineError>;

    /// Number of the device in whose memory inputs may be filled; `None` where they are the host's.
    fn device(&self) -> Option<u32> {
        None
    }

    /// Memory of input `index` on that device, for a run of `batch` items of
    /// [`run_on_device`](Self::run_on_device). It stays where it is until the engine is dropped or
    /// resized.
    ///
    /// # Errors
    /// Where there is no device, or it has no memory left.
    fn device_input(&mut self, index: usize, batch: usize) -> Result<DeviceMemory, EngineError> {
        let _ = (index, batch);
        Err(EngineError::Unsupported(format!("'{}' has its inputs in the host", self.info().name)))
    }

    /// As [`run`](Self::run), with the inputs in the device's memory. What is in it must be there
    /// when this is called.
    ///
    /// # Errors
    /// As [`run`](Self::run), and where there is no device.
    fn run_on_device(&mut self, batch: usize) -> Result<(), EngineError> {
        let _ = batch;
        Err(EngineError::Unsupported(format!("'{}' has its inputs in the host", self.info().name)))
    }

    /// Output `index` of the last run as 32-bit floats, batch first; at least `batch` items.
    fn output(&self, index: usize) -> &[f32];
}
