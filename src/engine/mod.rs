//! Models made ready to run: the only code that names ONNX Runtime.
//!
//! | file | subject |
//! |---|---|
//! | `open`, `open_gaze`, `open_any`, `gaze_profile` | opening: any model, a gaze model with profile and decoder, a model of unknown purpose |
//! | `options`, `diagnostics` | what goes into opening, what it reports |
//! | `inspect`, `file_format`, `node_placement` | a file without a runtime; which provider runs which node |
//! | `compile`, `cache` | compiled models: ahead, and kept on disk |
//! | [`runtime`], `library_location`, [`log`] | ONNX Runtime itself: found, loaded, its messages |
//! | [`user_file`] | files that users name, read without trust |
//! | `model_source`, `loaded_model` | a model file, its inputs known, its shapes open |
//! | [`provider`], `candidate`, `cached_session`, `provider_session` | execution providers, and a session on one |
//! | `session_pool`, `batcher` | sessions that engines share, runs of streams in one batch |
//! | `ort_engine`, `tensors`, `device_tensors`, `shapes` | the core's [`Engine`](crate::core::inference::Engine) port on a session |
//! | `cancel`, [`worker`] | an opening that ends when asked to; background threads |
//! | [`embedded`] | the gaze model that the library contains |

mod batcher;
mod cache;
mod cached_session;
mod cancel;
mod candidate;
mod compile;
mod device_tensors;
mod diagnostics;
pub mod embedded;
mod file_format;
mod gaze_profile;
mod inspect;
mod library_location;
mod loaded_model;
pub mod log;
mod model_metadata;
mod model_source;
#[cfg(feature = "tool")]
mod node_placement;
mod open;
mod open_any;
mod open_gaze;
mod options;
mod ort_engine;
pub mod provider;
mod provider_session;
pub mod runtime;
mod session_pool;
mod shapes;
mod tensors;
pub mod user_file;
pub mod worker;

pub use cache::location::EngineCache;
pub use cancel::Cancel;
pub use compile::compile;
pub use diagnostics::{Diagnostic, Opened};
pub use gaze_profile::{profile_of, sidecars};
pub use inspect::FileInspection;
pub use library_location::{LibraryLocation, library_locations};
pub use model_source::{ModelFiles, model_files};
#[cfg(feature = "tool")]
pub use node_placement::{NodePlacement, PlacementTrace};
pub use open::{open, open_bytes};
pub use open_any::{AnyModel, Role, open_any};
pub use open_gaze::{OpenError, OpenModel, open_embedded, open_model};
pub use options::{EngineOptions, automatic_threads};
pub use ort_engine::OrtEngine;
pub use session_pool::open_sessions;
