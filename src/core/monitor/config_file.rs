//! Reads the TOML of zone files and rules profiles, and says what is wrong with it.

use serde::de::DeserializeOwned;

/// What is wrong with a file. The texts name the key, the fault and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MonitorFileError {
    /// The text is not TOML, or has unknown keys.
    #[error("this is no {kind}: {reason}")]
    Syntax {
        /// The kind of file that was expected.
        kind: &'static str,
        /// The line, and the fault.
        reason: String,
    },
    /// A key has an invalid value.
    #[error("key '{key}': {reason}")]
    Invalid {
        /// Path of the key, e.g. `zone[3].polygon`.
        key: String,
        /// The fault, and what is allowed.
        reason: String,
    },
}

impl MonitorFileError {
    pub(super) fn invalid(key: &str, reason: &str) -> Self {
        Self::Invalid { key: key.to_owned(), reason: reason.to_owned() }
    }
}

/// Reads TOML. Errors name the line.
pub(super) fn parse<T: DeserializeOwned>(
    text: &str,
    kind: &'static str,
) -> Result<T, MonitorFileError> {
    toml::from_str(text).map_err(|why| {
        let before = why.span().and_then(|span| text.get(..span.start));
        let line = before.map(|before| before.matches('\n').count() + 1);
        let prefix = line.map_or_else(String::new, |line| format!("line {line}: "));
        MonitorFileError::Syntax { kind, reason: format!("{prefix}{}", why.message()) }
    })
}
