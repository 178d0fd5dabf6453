//! What is wrong with a profile, or between a profile and a model.

/// Why a profile cannot be used. The texts name the key or the tensor, what is expected and what was
/// found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The text is not TOML, or not a profile.
    #[error("this is no model profile: {0}")]
    Syntax(String),
    /// A key has an invalid value.
    #[error("profile key '{key}': {reason}")]
    Invalid {
        /// Path of the key, e.g. `input[0].image.std`.
        key: String,
        /// The fault, and what is allowed.
        reason: String,
    },
    /// Profile and model contradict each other.
    #[error(
        "profile '{profile}' does not fit the model: {what}: expected {expected}, found {found}"
    )]
    Mismatch {
        /// Name of the profile.
        profile: String,
        /// The part.
        what: String,
        /// What the profile asks for.
        expected: String,
        /// What the model has.
        found: String,
    },
    /// The name is neither a built-in profile nor a file.
    #[error(
        "profile '{name}' does not exist: no file has this path, and the built-in profiles are {}",
        .builtins.join(", ")
    )]
    Unknown {
        /// As the user gave it.
        name: String,
        /// The built-in profiles.
        builtins: Vec<&'static str>,
    },
    /// The file of a profile cannot be read.
    #[error("cannot read the profile '{path}': {reason}")]
    Read {
        /// As the user gave it.
        path: String,
        /// The message of the system.
        reason: String,
    },
    /// Several built-in profiles fit and give different angles.
    #[error(
        "the model's inputs and outputs fit several profiles: {}. Name one with the profile setting, \
         or in the file's metadata under '{}'",
        .candidates.join(", "), super::metadata_keys::METADATA_NAME
    )]
    Ambiguous {
        /// Their names.
        candidates: Vec<&'static str>,
    },
    /// No built-in profile fits.
    #[error(
        "no profile fits the model with inputs {inputs} and outputs {outputs}. The built-in profiles \
         are {}. Describe the model in a TOML file beside it, MODEL.gaze.toml, or name a profile with \
         the profile setting",
        .known.join("; ")
    )]
    Unrecognised {
        /// The model's inputs.
        inputs: String,
        /// The model's outputs.
        outputs: String,
        /// What each built-in profile expects.
        known: Vec<String>,
    },
    /// One of the above, with its source.
    #[error("{origin}: {source}")]
    In {
        /// The source of the profile.
        origin: String,
        /// The error.
        source: Box<ProfileError>,
    },
}

impl ProfileError {
    pub(super) fn invalid(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { key: key.into(), reason: reason.into() }
    }

    pub(super) fn within(self, origin: &str) -> Self {
        Self::In { origin: origin.to_owned(), source: Box::new(self) }
    }
}
