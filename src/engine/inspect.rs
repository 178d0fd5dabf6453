//! Inspection of a model file without a runtime.

use std::fs;
use std::path::Path;

use super::file_format::{self, FileFormat};
use crate::core::inference::EngineError;
use crate::core::onnx::OnnxModel;

/// A protocol buffer is shorter: a message has less than 2 GiB.
/// <https://protobuf.dev/programming-guides/proto-limits/>
const MAX_BYTES: u64 = 1 << 31;

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
        if fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
            return Err(load("it is not a regular file".to_owned()));
        }
        let format = file_format::check(path)?;
        let bytes = fs::metadata(path).map_err(|why| load(why.to_string()))?.len();
        let onnx = match format {
            FileFormat::Onnx if bytes >= MAX_BYTES => {
                let reason = format!("it has {bytes} bytes, and no ONNX file has 2 GiB or more");
                return Err(load(reason));
            }
            FileFormat::Onnx => {
                let content = fs::read(path).map_err(|why| load(why.to_string()))?;
                Some(OnnxModel::parse(&content).map_err(|why| load(why.to_string()))?)
            }
            FileFormat::Ort | FileFormat::Engine(_) => None,
        };
        Ok(Self { format: format.name(), bytes, onnx })
    }
}
