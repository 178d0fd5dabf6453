//! As much of the ONNX file format as is needed around a runtime: reading what a model declares
//! without loading it, and writing the wrapper of an engine that is compiled already.
//!
//! Field numbers are those of `onnx.proto` (ONNX IR version 3 and newer; numbers never change).

pub(super) mod epcontext;
pub(super) mod header;
mod wire;
