//! The format of a model file, recognised before a runtime parses it, so that errors name the real cause.

use std::io::Read as _;
use std::path::Path;

use super::user_file::{self, FileError};
use crate::core::inference::EngineError;
use crate::core::onnx::epcontext::EngineKind;

/// How many bytes decide.
const HEAD: u64 = 512;

/// Formats of model files, recognised by content: a name may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileFormat {
    /// ONNX, which ONNX Runtime reads.
    Onnx,
    /// ONNX Runtime's own format.
    Ort,
    /// A compiled engine of one provider, which ONNX Runtime takes only in a wrapper.
    Engine(EngineKind),
}

impl FileFormat {
    /// Its usual name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Onnx => "ONNX",
            Self::Ort => "ORT",
            Self::Engine(EngineKind::TensorRtPlan) => "TensorRT engine",
            Self::Engine(EngineKind::QnnContext) => "QNN context binary",
        }
    }

    /// Value of ONNX Runtime's `session.load_model_format`.
    pub(super) fn config_value(self) -> &'static str {
        match self {
            Self::Onnx | Self::Engine(_) => "ONNX",
            Self::Ort => "ORT",
        }
    }
}

/// The beginning of TensorRT's serialised engines.
const TENSORRT: &[u8] = b"ftrt";

/// The beginning of QNN's context binaries (QAIRT 2.51).
const QNN: &[u8] = &[0, 0, 0, 2, 0, 0, 0, 3];

/// Recognises a file by its beginning, or by its name if the beginning says nothing.
pub(super) fn check(path: &Path) -> Result<FileFormat, EngineError> {
    let shown = path.display().to_string();
    let mut head = Vec::new();
    user_file::open(path)
        .and_then(|(file, _)| Ok(file.take(HEAD).read_to_end(&mut head)?))
        .map_err(|why| file_error(&shown, &why))?;
    of(path, &head).map_err(|reason| EngineError::Load { path: shown, reason })
}

/// The error of a model file that cannot be read.
pub(super) fn file_error(shown: &str, why: &FileError) -> EngineError {
    let path = shown.to_owned();
    match why {
        FileError::NotFound => EngineError::NotFound { path },
        FileError::NotRegular("a directory") => {
            let reason = "it is a directory; give the .onnx or .ort file in it".to_owned();
            EngineError::Load { path, reason }
        }
        why => EngineError::Load { path, reason: why.to_string() },
    }
}

/// Recognises content by its beginning, or by the name at `path` if the beginning says nothing.
pub(super) fn of(path: &Path, bytes: &[u8]) -> Result<FileFormat, String> {
    Ok(match recognise(bytes)? {
        // ONNX begins with its IR version, the field 1. Otherwise the name decides.
        FileFormat::Onnx if bytes[0] != 0x08 => by_name(path),
        format => format,
    })
}

fn by_name(path: &Path) -> FileFormat {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    match extension.to_str() {
        Some("engine" | "plan") => FileFormat::Engine(EngineKind::TensorRtPlan),
        Some("bin") => FileFormat::Engine(EngineKind::QnnContext),
        _ => FileFormat::Onnx,
    }
}

/// The format of a file with these first bytes, or why it is no model.
pub(super) fn recognise(head: &[u8]) -> Result<FileFormat, String> {
    if head.is_empty() {
        return Err("the file is empty".to_owned());
    }
    // The identifier of an `.ort` file, a flatbuffer, stands after its first offset.
    if head.get(4..8) == Some(b"ORTM") {
        return Ok(FileFormat::Ort);
    }
    for (magic, kind) in [(TENSORRT, EngineKind::TensorRtPlan), (QNN, EngineKind::QnnContext)] {
        if head.starts_with(magic) {
            return Ok(FileFormat::Engine(kind));
        }
    }
    let head = &head[..head.len().min(HEAD as usize)];
    if head.starts_with(b"version https://git-lfs") {
        return Err("it is a Git LFS pointer instead of the model: run `git lfs pull`".to_owned());
    }
    // An ONNX file begins with small numbers that no text has.
    if head.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e)) {
        return Err("it is text, not an ONNX model".to_owned());
    }
    Ok(FileFormat::Onnx)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_content() {
        assert_eq!(recognise(b"\x08\x08\x12\x04gaze"), Ok(FileFormat::Onnx));
        assert_eq!(recognise(b"\x24\0\0\0ORTM\0\0"), Ok(FileFormat::Ort));
        assert_eq!(recognise(b"ftrt\xc0\0"), Ok(FileFormat::Engine(EngineKind::TensorRtPlan)));
        let context = [0, 0, 0, 2, 0, 0, 0, 3, 0, 0];
        assert_eq!(recognise(&context), Ok(FileFormat::Engine(EngineKind::QnnContext)));
        for (name, format) in [
            ("a.PLAN", FileFormat::Engine(EngineKind::TensorRtPlan)),
            ("a.engine", FileFormat::Engine(EngineKind::TensorRtPlan)),
            ("a.bin", FileFormat::Engine(EngineKind::QnnContext)),
            ("a.onnx", FileFormat::Onnx),
            ("a", FileFormat::Onnx),
        ] {
            assert_eq!(by_name(Path::new(name)), format, "{name}");
        }
        assert!(recognise(b"").unwrap_err().contains("empty"));
        assert!(recognise(b"<!DOCTYPE html>\n").unwrap_err().contains("text"));
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:1";
        assert!(recognise(pointer).unwrap_err().contains("git lfs pull"));
    }
}
