//! What a graph declares: its inputs and outputs, and parts compiled for a device.

use crate::core::inference::tensor::{ElementType, TensorInfo};

/// An input or an output as the file declares it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnnxTensor {
    /// Its name.
    pub name: String,
    /// Name of the element type, or `sequence`, `map` and the like for other types.
    pub element: &'static str,
    /// Dimensions.
    pub shape: Vec<Dimension>,
}

/// One dimension of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// A fixed size.
    Fixed(u64),
    /// A free size with this name, which may be empty.
    Open(String),
}

impl Dimension {
    /// The size, if the file fixes it.
    pub fn size(&self) -> Option<usize> {
        match self {
            Self::Fixed(size) => usize::try_from(*size).ok(),
            Self::Open(_) => None,
        }
    }
}

/// A node `EPContext`: a model, or a part of one, compiled for one device.
/// <https://onnxruntime.ai/docs/execution-providers/EP-Context-Design.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompiledPart {
    /// The provider that made it; only that one can run it.
    pub source: String,
    /// Version of the vendor's software.
    pub sdk_version: String,
    /// The hardware that it was made for.
    pub hardware: String,
    /// The file that holds it; `None` if the model itself does.
    pub file: Option<String>,
}

impl OnnxTensor {
    /// The tensor as an engine would declare it.
    pub(super) fn info(&self) -> TensorInfo {
        let element = match self.element {
            "float32" => Some(ElementType::F32),
            "float16" => Some(ElementType::F16),
            "uint8" => Some(ElementType::U8),
            "int8" => Some(ElementType::I8),
            _ => None,
        };
        TensorInfo {
            name: self.name.clone(),
            element,
            shape: self.shape.iter().map(Dimension::size).collect(),
        }
    }
}
