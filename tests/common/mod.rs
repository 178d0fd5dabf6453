//! What the tests share. Each helper stands in the file that says what it is about.
#![allow(dead_code)] // each test crate uses its own part of this

pub mod built;
#[cfg(all(feature = "plugin", target_os = "linux"))]
pub mod cuda;
pub mod drive;
#[cfg(feature = "plugin")]
pub mod element;
pub mod engines;
pub mod frames;
pub mod npy;
#[cfg(all(feature = "plugin", target_os = "linux"))]
pub mod on_gpu;
pub mod process;
pub mod reference;
pub mod requirements;

use std::path::{Path, PathBuf};

// Under the name that files shared with the crate's own tests look for.
pub use gstgaze;

pub use requirements::{left_out, onnx_runtime, shared};

/// A small model that belongs to the project (made by `tests/data/make_models.py`).
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}
