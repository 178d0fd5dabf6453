//! The tensors of a model: element types, shapes, and the memory of an input.

use std::collections::BTreeMap;
use std::fmt;

use half::f16;

/// The element types of a model's inputs and outputs.
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

/// An input or an output as the model file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name in the file.
    pub name: String,
    /// `None` for a type that is not supported; the profile then refuses the model.
    pub element: Option<ElementType>,
    /// Dimensions; `None` for one that the file leaves open.
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

/// Inputs or outputs in one line, for messages.
pub fn list(tensors: &[TensorInfo]) -> String {
    match tensors {
        [] => "none".to_owned(),
        _ => tensors.iter().map(TensorInfo::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// What a model file declares, before any shape is fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelInfo {
    /// Name for messages: the file's stem, or the name in its metadata.
    pub name: String,
    /// Inputs in the file's order.
    pub inputs: Vec<TensorInfo>,
    /// Outputs in the file's order.
    pub outputs: Vec<TensorInfo>,
    /// The file's free-form key/value pairs (ONNX `metadata_props`).
    pub metadata: BTreeMap<String, String>,
}

/// The writable memory of an input: the whole batch, contiguous.
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
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(s) => s.len(),
            Self::F16(s) => s.len(),
            Self::U8(s) => s.len(),
            Self::I8(s) => s.len(),
        }
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Slot `index` of a batch whose items have `item` elements each.
    ///
    /// # Panics
    /// Panics if the slot is out of range.
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
