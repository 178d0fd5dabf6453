//! The directory of compiled models.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// The name of the directory in the user's cache directory.
const NAME: &str = "gst-plugin-gaze";

/// Where compiled models are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum EngineCache {
    /// `gst-plugin-gaze` in `$XDG_CACHE_HOME`, or in `~/.cache`.
    #[default]
    User,
    /// Nowhere: every start compiles.
    Off,
    /// In this directory, which is made if it does not exist.
    Directory(PathBuf),
}

impl EngineCache {
    /// The directory, `None` for nowhere.
    ///
    /// # Errors
    /// The user has neither a home nor a cache directory.
    pub fn directory(&self) -> Result<Option<PathBuf>, String> {
        match self {
            Self::Off => Ok(None),
            Self::Directory(path) => Ok(Some(path.clone())),
            Self::User => user_directory(|name| env::var_os(name))
                .map(Some)
                .ok_or_else(|| "neither XDG_CACHE_HOME nor HOME is an absolute path".to_owned()),
        }
    }
}

/// <https://specifications.freedesktop.org/basedir-spec/latest/>: a relative path counts
/// as unset.
fn user_directory(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(cache.join(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_directory_is_absolute() {
        let of = |cache: &'static str, home: &'static str| {
            user_directory(|name| Some(if name == "HOME" { home } else { cache }.into()))
        };
        assert_eq!(of("/c", "/h"), Some("/c/gst-plugin-gaze".into()));
        assert_eq!(of("", "/h"), Some("/h/.cache/gst-plugin-gaze".into()));
        assert_eq!(of("relative", "relative"), None);
    }
}
