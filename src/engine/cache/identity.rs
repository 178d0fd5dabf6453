//! What a compiled model depends on, and the name of its entry.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a compiled model depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct Identity {
    /// The model's name, for people. It takes no part in the key.
    pub model: String,
    /// SHA-256 of the model and the files that hold its weights.
    pub content: String,
    /// Nick of the provider.
    pub provider: String,
    /// Options of provider and session, and the shapes, sorted.
    pub options: Vec<(String, String)>,
    /// Versions: of this crate, ONNX Runtime, the provider's libraries; the device.
    pub versions: Vec<(String, String)>,
}

impl Identity {
    /// 16 hexadecimal digits, the first 64 bits of the hash.
    fn key(&self) -> String {
        let mut hash = Sha256::new();
        for text in [&self.content, &self.provider] {
            hash.update(text);
            hash.update([0]);
        }
        for (name, value) in self.options.iter().chain(&self.versions) {
            hash.update(name);
            hash.update([0]);
            hash.update(value);
            hash.update([0]);
        }
        hex(&hash.finalize())[..16].to_owned()
    }

    /// The name of its entry or folder.
    pub(super) fn stem(&self) -> String {
        let name: String = self
            .model
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' })
            .take(64)
            .collect();
        format!("{}-{}-{}", name.trim_start_matches('.'), self.provider, self.key())
    }
}

/// SHA-256 of a model and of files beside it, as hexadecimal digits.
pub(in crate::engine) fn content_hash(model: &[u8], beside: &[PathBuf]) -> io::Result<String> {
    let mut hash = Sha256::new();
    hash.update(model);
    for path in beside {
        let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
        loop {
            let part = file.fill_buf()?;
            if part.is_empty() {
                break;
            }
            hash.update(part);
            let length = part.len();
            file.consume(length);
        }
    }
    Ok(hex(&hash.finalize()))
}

/// A library's identity without reading all of it: its name, length and time of change.
pub(in crate::engine) fn file_version(path: &Path) -> String {
    let Ok(metadata) = fs::metadata(path) else { return path.display().to_string() };
    let changed = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{name} {} {}", metadata.len(), changed.map_or(0, |at| at.as_nanos()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn identity() -> Identity {
        let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        Identity {
            model: "face net/1".to_owned(),
            content: "00".to_owned(),
            provider: "qnn".to_owned(),
            options: pair("htp_arch", "75"),
            versions: pair("onnxruntime", "1.32"),
        }
    }

    #[test]
    fn content_is_hashed_with_what_lies_beside_it() {
        // The first example of FIPS 180-2.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(content_hash(b"abc", &[]).unwrap(), abc);
        let dir = tempfile::tempdir().unwrap();
        let beside = dir.path().join("weights");
        fs::write(&beside, "bc").unwrap();
        assert_eq!(content_hash(b"a", &[beside]).unwrap(), abc);
        assert!(content_hash(b"a", &[dir.path().join("missing")]).is_err());
    }
}
