//! Reads what an ONNX file declares, without a runtime: tensors, operators, weights, metadata.
//!
//! The reader of the wire format ([`wire`]) trusts no length and never copies weights. Field numbers
//! are those of [`onnx.proto`](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).

pub mod epcontext;
mod error;
mod graph;
pub mod message;
mod model;
mod precision;
mod tensor;
pub mod wire;

pub use error::OnnxError;
pub use model::OnnxModel;
pub use precision::Precision;
pub use tensor::{CompiledPart, Dimension, OnnxTensor};
