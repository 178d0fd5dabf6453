//! What a compiled model depends on, and the name of its entry.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a compiled model depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct Identity {
    /// The model's name, for people. It takes no part in the key.
    pub model: String,
    /// SHA-256 of the model, its weights and what its compiled form depends on.
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

/// SHA-256 of a model and of what belongs to it, part after part, as hexadecimal digits. Lengths take
/// part: the same bytes divided otherwise are another model.
pub(in crate::engine) fn content_hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
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
        // `printf '\3\0\0\0\0\0\0\0abc' | sha256sum`
        let abc = "ce91dc5eec0139adf091900d225971d6ad246a845bad791b5693a9d0d55dd391";
        assert_eq!(content_hash([&b"abc"[..]]), abc);
        assert_ne!(content_hash([&b"a"[..], b"bc"]), content_hash([&b"ab"[..], b"c"]));
    }
}
