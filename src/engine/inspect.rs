//! Inspection of a model file without a runtime.

use std::path::Path;

use super::file_format::{self, FileFormat};
use super::model_source::MAX_MODEL;
use super::user_file;
use crate::core::inference::EngineError;
use crate::core::onnx::OnnxModel;

/// What a model file is and contains.
#[derive(Clone, Debug, PartialEq)]
pub struct FileInspection {
    /// Name of the format.
    pub format: &'static str,
    /// Length of the file.
    pub bytes: u64,
    /// The content of an ONNX file; `None` for other formats, which only a runtime reads.
    pub onnx: Option<OnnxModel>,
}

impl FileInspection {
    /// Inspects a model file.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], and [`EngineError::Load`] for a file that is no model or ends early.
    pub fn read(path: &Path) -> Result<Self, EngineError> {
        let load = |reason: String| EngineError::Load { path: path.display().to_string(), reason };
        let format = file_format::check(path)?;
        let failed = |why| file_format::file_error(&path.display().to_string(), &why);
        let (bytes, onnx) = match format {
            FileFormat::Onnx => {
                let (content, stamp) = user_file::read(path, MAX_MODEL).map_err(failed)?;
                let onnx = OnnxModel::parse(&content).map_err(|why| load(why.to_string()))?;
                (stamp.bytes(), Some(onnx))
            }
            FileFormat::Ort | FileFormat::Engine(_) => {
                let (_, stamp) = user_file::open(path).map_err(failed)?;
                (stamp.bytes(), None)
            }
        };
        Ok(Self { format: format.name(), bytes, onnx })
    }
}
