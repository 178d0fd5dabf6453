//! What may be wrong with a zone file or a rules profile.

use serde::de::DeserializeOwned;

/// Why a file cannot be used. Texts name the key, what is wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MonitorFileError {
    /// Not TOML, or other keys than such a file has.
    #[error("not a {kind}: {reason}")]
    Syntax {
        /// What it should have been.
        kind: &'static str,
        /// The line, and what is wrong there.
        reason: String,
    },
    /// A key has a value that makes no sense.
    #[error("key '{key}': {reason}")]
    Invalid {
        /// Path of the key, e.g. `zone[3].polygon`.
        key: String,
        /// What is wrong, and what is allowed.
        reason: String,
    },
}

impl MonitorFileError {
    pub(super) fn invalid(key: &str, reason: &str) -> Self {
        Self::Invalid { key: key.to_owned(), reason: reason.to_owned() }
    }
}

/// Reads TOML; errors tell the line.
pub(super) fn parse<T: DeserializeOwned>(
    text: &str,
    kind: &'static str,
) -> Result<T, MonitorFileError> {
    toml::from_str(text).map_err(|why| {
        let before = why.span().and_then(|span| text.get(..span.start));
        let line = before.map(|before| before.matches('\n').count() + 1);
        let place = line.map_or_else(String::new, |line| format!("line {line}: "));
        MonitorFileError::Syntax { kind, reason: format!("{place}{}", why.message()) }
    })
}
