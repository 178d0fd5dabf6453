//! Finding and loading ONNX Runtime, once.
