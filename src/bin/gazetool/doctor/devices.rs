//! The machine and its cameras.

use std::env::consts;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::thread;

use super::{Check, State};

/// Operating system and processor.
pub fn machine() -> Vec<Check> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let name = name.map_or(consts::OS, |name| name.trim_matches('"'));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    vec![
        Check::new("system", State::Ok, format!("{name}, {}", consts::ARCH)),
        Check::new("cores", State::Ok, cores.to_string()),
    ]
}

/// The cameras.
pub fn cameras() -> Vec<Check> {
    let mut names: Vec<String> = fs::read_dir("/sys/class/video4linux")
        .map(|entries| {
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
        })
        .unwrap_or_default();
    names.sort();
    let checks: Vec<Check> = names.iter().filter_map(|name| camera(name)).collect();
    if checks.is_empty() {
        return vec![Check::new("v4l2", State::Absent, "none")];
    }
    checks
}

fn camera(device: &str) -> Option<Check> {
    let folder = Path::new("/sys/class/video4linux").join(device);
    let read = |file: &str| fs::read_to_string(folder.join(file)).ok();
    // The further devices of a camera carry metadata.
    if !device.starts_with("video") || read("index").is_some_and(|index| index.trim() != "0") {
        return None;
    }
    let path = Path::new("/dev").join(device);
    let name = read("name").unwrap_or_default();
    let found = name.trim().to_owned();
    let check = match File::open(&path) {
        Err(why) if why.kind() == ErrorKind::PermissionDenied => Check::new(
            path.display().to_string(),
            State::Problem,
            format!("{found}: no permission"),
        )
        .remedy("join the group video: `sudo usermod -aG video $USER`, then log in again"),
        Err(why) => {
            Check::new(path.display().to_string(), State::Problem, format!("{found}: {why}"))
        }
        Ok(_) => Check::new(path.display().to_string(), State::Ok, found),
    };
    Some(check)
}
