//! The ports: to an inference engine, and to a GPU that preprocesses.
//!
//! | module | holds |
//! |---|---|
//! | [`engine`] | a model that is ready to run |
//! | [`tensor`] | its inputs and outputs |
//! | [`device`] | preprocess jobs, and the GPU that runs them in its memory |

pub mod device;
pub mod engine;
pub mod tensor;

pub use engine::{Engine, EngineError};
pub use tensor::{ElementType, ModelInfo, TensorInfo, TensorMut, list};
