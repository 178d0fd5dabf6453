//! GStreamer and the plugin, as `gst-inspect-1.0` sees them: this program runs without GStreamer.

use std::env;
use std::process::Command;

use super::libraries::Loader;
use super::{Check, State};

/// The oldest GStreamer that runs the plugin.
const MINIMUM: (u32, u32) = (1, 20);

/// GStreamer, its plugin path, the plugin.
pub fn checks(loader: &Loader) -> Vec<Check> {
    let mut checks = vec![version(loader)];
    if let Some(path) = env::var_os("GST_PLUGIN_PATH") {
        checks.push(Check::new("GST_PLUGIN_PATH", State::Ok, path.to_string_lossy()));
    }
    checks.push(plugin());
    checks
}

/// The output of `gst-inspect-1.0`; `None` where it is missing or fails.
fn inspect(arguments: &[&str]) -> Option<String> {
    let output = Command::new("gst-inspect-1.0").args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

fn version(loader: &Loader) -> Check {
    let text = inspect(&["--version"]).unwrap_or_default();
    let word = text.lines().next().and_then(|line| line.split_whitespace().last());
    let install = "install GStreamer 1.20 or newer with its tools: `apt install gstreamer1.0-tools \
                   gstreamer1.0-plugins-base gstreamer1.0-plugins-good`";
    match (word, word.and_then(numbers)) {
        (Some(word), Some(found)) if found >= MINIMUM => {
            Check::new("version", State::Ok, word.to_owned())
        }
        (Some(word), Some(_)) => {
            let found = format!("{word} is older than {}.{}", MINIMUM.0, MINIMUM.1);
            Check::new("version", State::Missing, found).remedy(install)
        }
        _ => match loader.find("libgstreamer-1.0.so") {
            Some(path) => {
                let found = format!("{}, without gst-inspect-1.0", path.display());
                Check::new("version", State::Problem, found)
                    .remedy("install GStreamer's tools: `apt install gstreamer1.0-tools`")
            }
            None => Check::new("version", State::Missing, "not found").remedy(install),
        },
    }
}

/// The major and minor number of `1.22.0`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn plugin() -> Check {
    if let Some(text) = inspect(&["gaze"]) {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.trim_start().strip_prefix(key))?;
            Some(line.trim().to_owned())
        };
        let words = [value("Version"), value("Filename")];
        let words: Vec<String> = words.into_iter().flatten().collect();
        return Check::new("plugin gaze", State::Ok, words.join(" "));
    }
    // GStreamer keeps a list of the plugins that failed to load.
    let blocked = inspect(&["-b"]).unwrap_or_default();
    if blocked.lines().any(|line| line.contains("libgstgaze")) {
        return Check::new("plugin gaze", State::Missing, "the plugin does not load").remedy(
            "`gst-inspect-1.0 PATH/libgstgaze.so` says why; often the build is for a newer GStreamer \
             or without the feature plugin. Then delete ~/.cache/gstreamer-1.0",
        );
    }
    Check::new("plugin gaze", State::Missing, "not found").remedy(
        "set GST_PLUGIN_PATH to the folder of libgstgaze.so (target/release after `cargo build \
         --release`), or install it with `cargo cinstall`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(numbers("1.9.90"), Some((1, 9)));
        assert!(numbers("1.9.90") < Some(MINIMUM) && numbers("1.26.1") > Some(MINIMUM));
        assert_eq!(numbers("unknown"), None);
    }
}
