//! The search for ONNX Runtime's library. The first location that names one decides:
//!
//! 1. the environment variable `GAZE_ORT_LIBRARY` (a file, or a directory that holds one),
//! 2. the environment variable `ORT_DYLIB_PATH` (the same),
//! 3. beside the plugin and beside the executable (`libonnxruntime.so` or `libonnxruntime.so.*`),
//! 4. the loader's path (`libonnxruntime.so`, `libonnxruntime.so.1`).

use std::env;
use std::path::{Path, PathBuf};

/// Variables that name the library, in order.
pub const VARIABLES: [&str; 2] = ["GAZE_ORT_LIBRARY", "ORT_DYLIB_PATH"];

pub(super) const LIBRARY: &str = "libonnxruntime.so";

/// Names for the loader.
pub(super) const LOADED: [&str; 2] = [LIBRARY, "libonnxruntime.so.1"];

/// A location of the search for ONNX Runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryLocation {
    /// The name of a variable, a directory, or a name for the loader.
    pub name: String,
    /// The value of the variable; a variable that is set decides.
    pub setting: Option<String>,
    /// The libraries there, the first of which is loaded; empty for the loader's names, which only the
    /// loader resolves.
    pub libraries: Vec<PathBuf>,
}

/// The locations of the search, in order.
pub fn library_locations() -> Vec<LibraryLocation> {
    let variable = |name: &str| {
        let value = env::var_os(name).filter(|value| !value.is_empty());
        let libraries = value.as_ref().and_then(|value| named(name, Path::new(value)).ok());
        LibraryLocation {
            name: name.to_owned(),
            setting: value.map(|value| value.to_string_lossy().into_owned()),
            libraries: libraries.into_iter().collect(),
        }
    };
    let beside = own_directories().into_iter().map(|dir| LibraryLocation {
        libraries: libraries_in(&dir),
        name: dir.display().to_string(),
        setting: None,
    });
    let loader = LOADED.map(|name| LibraryLocation {
        name: name.to_owned(),
        setting: None,
        libraries: Vec::new(),
    });
    VARIABLES.map(variable).into_iter().chain(beside).chain(loader).collect()
}

/// The library that a variable names.
///
/// # Errors
/// Why there is none.
pub(super) fn named(variable: &str, path: &Path) -> Result<PathBuf, String> {
    if path.is_dir() {
        return libraries_in(path).into_iter().next().ok_or_else(|| {
            format!("{variable} is the directory '{}', which has no {LIBRARY}", path.display())
        });
    }
    // The loader resolves a name without a directory.
    let bare = path.parent().is_none_or(|parent| parent.as_os_str().is_empty());
    if !bare && !path.exists() {
        return Err(format!("{variable} is '{}', which does not exist", path.display()));
    }
    Ok(path.to_path_buf())
}

/// `libonnxruntime.so` and its versioned names in a directory, the plain name first.
pub(super) fn libraries_in(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let versioned = format!("{LIBRARY}.");
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name == LIBRARY || name.starts_with(&versioned))
        })
        .collect();
    found.sort();
    found
}

/// The directory of the plugin's library, if this code runs in it, and that of the executable.
pub(super) fn own_directories() -> Vec<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let executable = env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf));
    let mut dirs: Vec<PathBuf> = plugin_directory(&maps).into_iter().chain(executable).collect();
    dirs.dedup();
    dirs
}

/// The directory of the plugin's library, from the kernel's map of a process.
fn plugin_directory(maps: &str) -> Option<PathBuf> {
    maps.lines()
        .filter_map(|line| line.find('/').map(|start| Path::new(&line[start..])))
        .find(|path| path.file_name().is_some_and(|name| name == "libgstgaze.so"))
        .and_then(Path::parent)
        .map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_is_found_in_the_map_of_the_process() {
        let maps = "55d0c0000000-55d0c0001000 r--p 00000000 08:01 42    /usr/bin/gst-launch-1.0\n\
                    7f1200000000-7f1200001000 r-xp 00001000 08:01 43    \
                    /opt/my plugins/libgstgaze.so\n\
                    7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0     [stack]\n";
        assert_eq!(plugin_directory(maps), Some(PathBuf::from("/opt/my plugins")));
        assert_eq!(plugin_directory("7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0"), None);
    }
}
