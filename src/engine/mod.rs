//! Models made ready to run: the only code that names ONNX Runtime.

pub mod provider;
pub mod runtime;
pub mod session;
