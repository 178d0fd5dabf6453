//! What a model file is, told before a runtime parses it, so that errors name the real cause.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use crate::core::tensor::EngineError;

/// How many bytes are looked at.
const HEAD: u64 = 512;

/// Formats that ONNX Runtime reads, told by content: a name may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Onnx,
    Ort,
}

impl Format {
    /// Value of ONNX Runtime's `session.load_model_format`.
    pub(super) fn config_value(self) -> &'static str {
        match self {
            Self::Onnx => "ONNX",
            Self::Ort => "ORT",
        }
    }
}

/// Looks at a file's beginning.
pub(super) fn check(path: &Path) -> Result<Format, EngineError> {
    let shown = || path.display().to_string();
    let load = |reason: String| EngineError::Load { path: shown(), reason };
    let metadata = fs::metadata(path).map_err(|why| match why.kind() {
        ErrorKind::NotFound => EngineError::NotFound { path: shown() },
        _ => load(why.to_string()),
    })?;
    if metadata.is_dir() {
        return Err(load("it is a directory, give the .onnx or .ort file in it".to_owned()));
    }
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEAD).read_to_end(&mut head))
        .map_err(|why| load(why.to_string()))?;
    recognise(&head).map_err(load)
}

/// Tells the format from the first bytes, or why it is none.
pub(super) fn recognise(head: &[u8]) -> Result<Format, String> {
    if head.is_empty() {
        return Err("the file is empty".to_owned());
    }
    // The identifier of an `.ort` file, a flatbuffer, stands after its first offset.
    if head.get(4..8) == Some(b"ORTM") {
        return Ok(Format::Ort);
    }
    let head = &head[..head.len().min(HEAD as usize)];
    if head.starts_with(b"version https://git-lfs") {
        return Err("it is a Git LFS pointer and not the model: run `git lfs pull`".to_owned());
    }
    // An ONNX file begins with small numbers that no text has.
    if head.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e)) {
        return Err("it is text, not an ONNX model".to_owned());
    }
    Ok(Format::Onnx)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_content() {
        assert_eq!(recognise(b"\x08\x08\x12\x04gaze"), Ok(Format::Onnx));
        assert_eq!(recognise(b"\x24\0\0\0ORTM\0\0"), Ok(Format::Ort));
        assert!(recognise(b"").unwrap_err().contains("empty"));
        assert!(recognise(b"<!DOCTYPE html>\n").unwrap_err().contains("text"));
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:1";
        assert!(recognise(pointer).unwrap_err().contains("git lfs pull"));
    }
}
