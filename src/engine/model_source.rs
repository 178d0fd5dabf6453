//! Where a model comes from: a file, or memory.

use std::path::{Path, PathBuf};

use ort::session::Session;
use ort::session::builder::SessionBuilder;

use super::file_format::FileFormat;
use crate::core::inference::EngineError;
use crate::core::onnx::OnnxModel;

/// A model file, or a model in memory.
#[derive(Debug)]
pub(super) struct ModelSource {
    /// Its name in messages and metadata.
    pub(super) name: String,
    /// Its path in messages.
    pub(super) shown: String,
    pub(super) format: FileFormat,
    /// Its path, from which the runtime finds files beside it; `None` in memory.
    pub(super) path: Option<PathBuf>,
    /// Its content; empty for a file that is not read.
    pub(super) bytes: Vec<u8>,
}

impl ModelSource {
    /// The error of a model that cannot be loaded.
    pub(super) fn error(&self, reason: impl Into<String>) -> EngineError {
        EngineError::Load { path: self.shown.clone(), reason: reason.into() }
    }

    /// Opens a session of it.
    pub(super) fn commit(&self, mut builder: SessionBuilder) -> ort::Result<Session> {
        match &self.path {
            Some(path) => builder.commit_from_file(path),
            None => builder.commit_from_memory(&self.bytes),
        }
    }

    /// The files that hold the weights of `model`, which is its content.
    pub(super) fn external_files(&self, model: &OnnxModel) -> Vec<PathBuf> {
        let dir = self.path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        model.external_files.iter().map(|file| dir.join(file)).collect()
    }
}
