//! Keys of a model file's metadata that carry its profile.

/// Key that holds the name of a built-in profile.
pub const METADATA_NAME: &str = "gaze.profile";

/// Key that holds a whole profile in TOML.
pub const METADATA_TOML: &str = "gaze.profile.toml";
