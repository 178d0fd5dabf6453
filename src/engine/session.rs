//! A model in ONNX Runtime behind the Engine port.
