//! The ports: to an inference engine, and to a GPU that makes a model's pictures.
//!
//! | module | says |
//! |---|---|
//! | [`engine`] | a model ready to run |
//! | [`tensor`] | its inputs and outputs |
//! | [`device`] | the pictures that a GPU makes where frame and tensor both are |

pub mod device;
pub mod engine;
pub mod tensor;

pub use engine::{Engine, EngineError};
pub use tensor::{ElementType, ModelInfo, TensorInfo, TensorMut, list};
