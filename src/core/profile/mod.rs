//! What a model expects and returns.
//!
//! A [`ModelProfile`] says which pixels, in which colours, layout and scale, go into which input, and
//! how the outputs become a gaze in radians. Profiles are TOML (see `profiles` in the README), built
//! in, or recognised from the inputs and outputs of a file. Built-in profiles refer to tensors by
//! position where published files contradict each other in names.
//!
//! | module | says |
//! |---|---|
//! | [`model`] | the profile in TOML |
//! | [`spec`] | the parts that crops and the virtual camera read as well |
//! | [`error`] | what is wrong with a profile |
//! | `parse` | reading TOML and checking values |
//! | `declare` | the inputs and outputs that a profile implies |
//! | [`resolve`] | a profile matched with a model file |
//! | [`builtin`] | published models |
//! | [`lookup`] | finds the profile of a model |
//! | [`metadata_keys`] | keys of a model file's metadata that carry its profile |

pub mod builtin;
mod declare;
pub mod error;
pub mod lookup;
pub mod metadata_keys;
pub mod model;
mod parse;
pub mod resolve;
pub mod spec;

pub use error::ProfileError;
pub use lookup::{FoundBy, find_profile, find_profile_without_model};
pub use metadata_keys::METADATA_TOML;
pub use model::{AngleRef, AngleUnit, InputRole, InputSpec, ModelProfile, OutputSpec, TensorRef};
pub use resolve::{AngleColumn, ResolvedInput, ResolvedOutput, ResolvedProfile};
pub use spec::{EyeSpec, FaceCenter, GazeAxes, Normalization, RegionPolicy};
