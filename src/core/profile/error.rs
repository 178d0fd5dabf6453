//! What may be wrong with a profile, or between it and a model.

/// Why a profile cannot be used. Texts name the key or the tensor, what is expected and what was
/// found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The text is not TOML, or not a profile.
    #[error("not a profile: {0}")]
    Syntax(String),
    /// A key has a value that makes no sense.
    #[error("profile key '{key}': {reason}")]
    Invalid {
        /// Path of the key, e.g. `input[0].image.std`.
        key: String,
        /// What is wrong and what is allowed.
        reason: String,
    },
    /// Profile and model contradict each other.
    #[error(
        "profile '{profile}' does not fit the model: {what}: expected {expected}, found {found}"
    )]
    Mismatch {
        /// Name of the profile.
        profile: String,
        /// Which part.
        what: String,
        /// What the profile asks for.
        expected: String,
        /// What the model has.
        found: String,
    },
    /// Neither a built-in name nor a file.
    #[error(
        "there is no profile '{name}': it is no file, and the built-in ones are {}",
        .builtins.join(", ")
    )]
    Unknown {
        /// As given.
        name: String,
        /// What there is.
        builtins: Vec<&'static str>,
    },
    /// A profile's file is there and cannot be read.
    #[error("cannot read the profile '{path}': {reason}")]
    Read {
        /// As given.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Several built-in profiles fit and would give different angles.
    #[error(
        "the model's inputs and outputs fit several profiles: {}. Choose one by its name with the \
         profile setting, or in the file's metadata under '{}'",
        .candidates.join(", "), super::lookup::METADATA_NAME
    )]
    Ambiguous {
        /// Their names.
        candidates: Vec<&'static str>,
    },
    /// No built-in profile fits.
    #[error(
        "no profile fits the model, whose inputs are {inputs} and outputs {outputs}. Known are {}. \
         Describe it in a TOML file beside it, MODEL.gaze.toml, or name one with the profile setting",
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
    /// Something of the above, in a certain file.
    #[error("{origin}: {source}")]
    In {
        /// Where the profile comes from.
        origin: String,
        /// What is wrong with it.
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
