//! Tensors to gaze.
