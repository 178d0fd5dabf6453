//! Preprocessing by CUDA on the GPU that holds the frames.
//!
//! | module | says |
//! |---|---|
//! | `context` | a GPU, its context, errors |
//! | `memory` | what an address is, memory of our own |
//! | [`frame`] | a frame in a GPU's memory |
//! | `egl` | Jetson's surfaces as such frames |
//! | `kernels` | the compiled kernels, and how one is launched |
//! | `job` | the core's jobs in the kernels' own numbers |
//! | [`preprocessor`] | the core's port: jobs done |

pub(super) mod context;
pub(super) mod egl;
pub mod frame;
mod job;
mod kernels;
mod memory;
pub mod preprocessor;

pub use context::DeviceError;
pub use frame::{GpuFrame, GpuFrameError};
pub use preprocessor::GpuPreprocessor;
