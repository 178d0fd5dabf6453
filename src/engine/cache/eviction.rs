//! Removal of compiled models that have not been used for long, or that take too much space.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::private_directory::{TEMPORARY, open_lock};

/// The most space that the cache takes, in MiB; 4096 unless the variable is set.
const SPACE: &str = "GAZE_ENGINE_CACHE_MIB";

/// For how many days an unused entry stays; 90 unless the variable is set.
const AGE: &str = "GAZE_ENGINE_CACHE_DAYS";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// When entries go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    bytes: u64,
    age: Duration,
}

impl Limits {
    /// The limits of the environment.
    pub(super) fn from_environment() -> Self {
        let number = |name: &str| env::var(name).ok()?.trim().parse::<u32>().ok();
        Self {
            bytes: u64::from(number(SPACE).unwrap_or(4096)) << 20,
            age: DAY * number(AGE).unwrap_or(90),
        }
    }
}

/// An entry, or the folder of a provider.
#[derive(Debug)]
struct Item {
    path: PathBuf,
    lock: PathBuf,
    bytes: u64,
    /// The last time at which it was used.
    used: SystemTime,
}

/// Notes that an entry is in use now. The files of a cache that cannot be written stay as they are.
pub(super) fn touch(file: &File) {
    let _ = file.set_modified(SystemTime::now());
}

/// Removes what exceeds the limits, except `kept`, which is in use, and what another process uses.
/// Nothing else in the directory is touched, whatever the directory is.
pub(super) fn evict(dir: &Path, kept: &Path, limits: Limits) {
    let now = SystemTime::now();
    let age = |at: SystemTime| now.duration_since(at).unwrap_or_default();
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut items = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(TEMPORARY) {
            // A process that was killed left it.
            let modified = fs::symlink_metadata(&path).and_then(|metadata| metadata.modified());
            if modified.is_ok_and(|at| age(at) > DAY) {
                let _ = fs::remove_file(&path);
            }
            continue;
        }
        items.extend(item(&path, &name));
    }
    items.sort_by_key(|item| item.used);
    let mut total: u64 = items.iter().map(|item| item.bytes).sum();
    for item in items {
        if item.path == kept || (total <= limits.bytes && age(item.used) <= limits.age) {
            continue;
        }
        // A process that waits for this lock compiles again, no more than it would have done.
        let Ok(lock) = open_lock(&item.lock) else { continue };
        if lock.try_lock().is_err() {
            continue;
        }
        let removed = match item.path.is_dir() {
            true => fs::remove_dir_all(&item.path),
            false => fs::remove_file(&item.path).and_then(|()| fs::remove_file(&item.lock)),
        };
        if removed.is_ok() {
            total -= item.bytes;
        }
    }
}

/// The entry or folder at `path`, if it is one: `MODEL-PROVIDER-KEY`, the key of 16 hexadecimal digits.
fn item(path: &Path, name: &str) -> Option<Item> {
    let stem = name.strip_suffix(".gazectx");
    let (_, key) = stem.unwrap_or(name).rsplit_once('-')?;
    if key.len() != 16 || !key.bytes().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let metadata = fs::symlink_metadata(path).ok()?;
    if stem.is_some() && metadata.is_file() {
        let (lock, used) = (path.with_extension("gazectx.lock"), metadata.modified().ok()?);
        return Some(Item { path: path.to_path_buf(), lock, bytes: metadata.len(), used });
    }
    let lock = path.join(".lock");
    let used = fs::symlink_metadata(&lock).ok()?.modified().ok()?;
    let files = fs::read_dir(path).ok()?.flatten().filter_map(|entry| entry.metadata().ok());
    let bytes = files.map(|metadata| metadata.len()).sum();
    Some(Item { path: path.to_path_buf(), lock, bytes, used })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let days = |days: u32| SystemTime::now() - DAY * days;
        let put = |name: &str, bytes: usize, age: u32| {
            fs::write(at(name), vec![0; bytes]).unwrap();
            File::options().write(true).open(at(name)).unwrap().set_modified(days(age)).unwrap();
        };
        let entry = |letter: char| format!("net-qnn-{}.gazectx", letter.to_string().repeat(16));
        put(&entry('a'), 100, 50);
        put(&entry('b'), 100, 40);
        put(&entry('c'), 100, 1);
        put(&entry('d'), 100, 60);
        for letter in ['a', 'b', 'c', 'd'] {
            put(&format!("{}.lock", entry(letter)), 0, 100);
        }
        let folder = format!("net-tensorrt-{}", "e".repeat(16));
        fs::create_dir(at(&folder)).unwrap();
        put(&format!("{folder}/.lock"), 0, 45);
        put(&format!("{folder}/plan"), 100, 200);
        let others = ["holiday-2026.jpg", "net-qnn-0123.gazectx", ".new-mine"];
        others.iter().for_each(|name| put(name, 1000, 0));
        put(".new-left", 10, 2);
        let held = open_lock(&at(&format!("{}.lock", entry('d')))).unwrap();
        held.lock().unwrap();

        evict(dir.path(), &at(&entry('c')), Limits { bytes: 1 << 20, age: DAY * 47 });
        assert!(!at(&entry('a')).exists() && !at(&format!("{}.lock", entry('a'))).exists());
        assert!(at(&entry('d')).exists(), "another process uses it");
        assert!(at(&folder).exists() && at(&entry('b')).exists() && !at(".new-left").exists());
        drop(held);

        evict(dir.path(), &at(&entry('c')), Limits { bytes: 250, age: DAY * 365 });
        assert!(!at(&entry('d')).exists() && !at(&folder).exists(), "the oldest first");
        assert!(at(&entry('b')).exists());
        evict(dir.path(), &at(&entry('c')), Limits { bytes: 0, age: DAY });
        assert!(at(&entry('c')).exists(), "what is in use stays");
        assert!(!at(&entry('b')).exists());
        for name in others {
            assert!(at(name).exists(), "{name} is not the cache's");
        }
    }
}
