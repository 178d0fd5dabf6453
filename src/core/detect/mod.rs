//! Tensors to faces.
