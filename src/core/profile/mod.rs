//! What a model expects and returns.
//!
//! A [`ModelProfile`] is the contract between a face in a frame and a gaze in radians: which
//! pixels, in which colours, layout and scale, go into which input, and how the outputs are read.
//! Profiles are TOML (see `profiles` in the README), built in, or recognised from the inputs and
//! outputs of a file. Tensors are named by position unless the profile says otherwise, because
//! published files carry contradicting names for the same outputs.
//!
//! | module | says |
//! |---|---|
//! | [`model`] | the profile as it is written |
//! | [`spec`] | the parts of it that crops and the virtual camera read as well |
//! | [`error`] | what may be wrong with it |
//! | `parse` | TOML to profile and back, and what values it may hold |
//! | `declare` | the inputs and outputs that a profile implies |
//! | [`resolve`] | profile and model file brought together |
//! | [`builtin`] | published models |
//! | [`lookup`] | where a model's profile comes from |

pub mod builtin;
mod declare;
pub mod error;
pub mod lookup;
pub mod model;
mod parse;
pub mod resolve;
pub mod spec;

pub use error::ProfileError;
pub use lookup::{FoundBy, METADATA_TOML, find_profile, find_profile_without_model};
pub use model::{AngleRef, AngleUnit, InputRole, InputSpec, ModelProfile, OutputSpec, TensorRef};
pub use resolve::{AngleColumn, ResolvedInput, ResolvedOutput, ResolvedProfile};
pub use spec::{EyeSpec, FaceCenter, GazeAxes, Normalization, RegionPolicy};
