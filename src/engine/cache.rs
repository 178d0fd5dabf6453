//! Compiled models kept on disk: the first start compiles, the next one loads.
//!
//! An entry is a file `MODEL-PROVIDER-KEY.gazectx`: one line of JSON that says what it is, then the
//! compiled model. The key is a hash of everything that the compiled model depends on
//! ([`Identity`]), so that another model, option or version finds no entry in place of a wrong one.
//! What is read is checked against the length and hash in that line. Entries are written beside
//! their place and renamed, under a lock that other processes wait for: the second of two that
//! start at once finds the work done. Entries that nobody asks for any more stay; the directory may
//! be emptied at any time.

use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The name of the folder in the user's cache directory.
const FOLDER: &str = "gst-plugin-gaze";

/// Grows when an entry's form changes.
const FORM: u32 = 1;

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
    /// Where the user has no home and no cache directory.
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

/// <https://specifications.freedesktop.org/basedir-spec/latest/>: a relative path is as good as none.
fn user_directory(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(cache.join(FOLDER))
}

/// What a compiled model depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// The model's name, for people; two of the same content share an entry all the same.
    pub model: String,
    /// SHA-256 of the model and the files that hold its weights.
    pub content: String,
    /// Nick of the provider.
    pub provider: String,
    /// Options of provider and session, and the shapes, sorted.
    pub options: Vec<(String, String)>,
    /// Versions: of this crate, ONNX Runtime, the provider's libraries; the device.
    pub versions: Vec<(String, String)>,
}

impl Identity {
    /// 16 hexadecimal digits, the first 64 bits of the hash.
    fn key(&self) -> String {
        let mut hash = Sha256::new();
        for text in [&self.content, &self.provider] {
            hash.update(text);
            hash.update([0]);
        }
        for (name, value) in self.options.iter().chain(&self.versions) {
            hash.update(name);
            hash.update([0]);
            hash.update(value);
            hash.update([0]);
        }
        hex(&hash.finalize())[..16].to_owned()
    }

    fn stem(&self) -> String {
        let name: String = self
            .model
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' })
            .take(64)
            .collect();
        format!("{}-{}-{}", name.trim_start_matches('.'), self.provider, self.key())
    }
}

/// SHA-256 of a model and of files beside it, as hexadecimal digits.
pub(super) fn content_hash(model: &[u8], beside: &[PathBuf]) -> io::Result<String> {
    let mut hash = Sha256::new();
    hash.update(model);
    for path in beside {
        let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
        loop {
            let part = file.fill_buf()?;
            if part.is_empty() {
                break;
            }
            hash.update(part);
            let length = part.len();
            file.consume(length);
        }
    }
    Ok(hex(&hash.finalize()))
}

/// A library's identity without reading all of it: its name, length and time of change.
pub(super) fn file_version(path: &Path) -> String {
    let Ok(metadata) = fs::metadata(path) else { return path.display().to_string() };
    let changed = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{name} {} {}", metadata.len(), changed.map_or(0, |at| at.as_nanos()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The line before an entry's bytes.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    form: u32,
    #[serde(flatten)]
    identity: Identity,
    bytes: usize,
    sha256: String,
}

/// What was found in the cache.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Compiled(Vec<u8>),
    /// An entry that cannot be used, and why.
    Broken(String),
}

/// The place of one entry, locked until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    entry: PathBuf,
    identity: Identity,
    // The lock goes with the file.
    _lock: File,
}

impl Slot {
    /// Makes the directory, for its user alone, and waits for whoever works at the same entry;
    /// `waits` is told before.
    pub(super) fn lock(dir: &Path, identity: Identity, waits: impl FnOnce()) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let entry = dir.join(format!("{}.gazectx", identity.stem()));
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(entry.with_extension("gazectx.lock"))?;
        take(&lock, waits)?;
        Ok(Self { entry, identity, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.entry
    }

    pub(super) fn read(&self) -> Found {
        let content = match fs::read(&self.entry) {
            Ok(content) => content,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Found::Nothing,
            Err(why) => return Found::Broken(why.to_string()),
        };
        match self.check(content) {
            Ok(compiled) => Found::Compiled(compiled),
            Err(why) => Found::Broken(why),
        }
    }

    fn check(&self, mut content: Vec<u8>) -> Result<Vec<u8>, String> {
        let end = content.iter().position(|byte| *byte == b'\n').ok_or("it has no manifest")?;
        let manifest: Manifest = serde_json::from_slice(&content[..end])
            .map_err(|why| format!("its manifest cannot be read: {why}"))?;
        if manifest.form != FORM {
            return Err(format!("it is of form {}, not {FORM}", manifest.form));
        }
        content.drain(..=end);
        if manifest.bytes != content.len() {
            return Err(format!("it has {} bytes of {}", content.len(), manifest.bytes));
        }
        if manifest.sha256 != hex(&Sha256::digest(&content)) {
            return Err("its content does not match its hash".to_owned());
        }
        Ok(content)
    }

    pub(super) fn write(&self, compiled: &[u8]) -> io::Result<()> {
        let manifest = Manifest {
            form: FORM,
            identity: self.identity.clone(),
            bytes: compiled.len(),
            sha256: hex(&Sha256::digest(compiled)),
        };
        let mut line = serde_json::to_vec(&manifest)?;
        line.push(b'\n');
        let temporary = self.entry.with_extension("gazectx.new");
        let written = File::create(&temporary).and_then(|mut file| {
            file.write_all(&line)?;
            file.write_all(compiled)?;
            file.sync_all()
        });
        written.and_then(|()| fs::rename(&temporary, &self.entry)).inspect_err(|_| {
            // Whatever was written takes room that is short.
            let _ = fs::remove_file(&temporary);
        })
    }
}

/// Locks a file; where another process has it, that is told before it is waited for.
fn take(lock: &File, waits: impl FnOnce()) -> io::Result<()> {
    match lock.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            waits();
            lock.lock()
        }
        Err(TryLockError::Error(why)) => Err(why),
    }
}

/// A folder of the cache that a provider fills by itself, locked until it is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder and waits for whoever works in it; `waits` is told before.
    pub(super) fn lock(dir: &Path, identity: &Identity, waits: impl FnOnce()) -> io::Result<Self> {
        let path = dir.join(identity.stem());
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        let lock = File::create(path.join(".lock"))?;
        take(&lock, waits)?;
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the provider has put something into it.
    pub(super) fn is_filled(&self) -> bool {
        self.entries().next().is_some()
    }

    /// Lays a copy of a file into it, under the file's own name.
    pub(super) fn lay(&self, file: &Path) -> io::Result<()> {
        let name = file.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        fs::copy(file, self.path.join(name)).map(|_| ())
    }

    /// Takes out what the provider has put into it.
    pub(super) fn clear(&self) -> io::Result<()> {
        for path in self.entries() {
            if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
        }
        Ok(())
    }

    fn entries(&self) -> impl Iterator<Item = PathBuf> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| !path.ends_with(".lock"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        Identity {
            model: "face net/1".to_owned(),
            content: "00".to_owned(),
            provider: "qnn".to_owned(),
            options: pair("htp_arch", "75"),
            versions: pair("onnxruntime", "1.32"),
        }
    }

    fn lock_slot(dir: &Path, identity: Identity) -> io::Result<Slot> {
        Slot::lock(dir, identity, || {})
    }

    #[test]
    fn what_is_written_is_found_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("made/when/needed");
        let slot = lock_slot(&dir, identity()).unwrap();
        assert_eq!(slot.read(), Found::Nothing);
        slot.write(b"compiled\nmodel").unwrap();
        assert_eq!(slot.read(), Found::Compiled(b"compiled\nmodel".to_vec()));
        slot.write(b"").unwrap();
        assert_eq!(slot.read(), Found::Compiled(Vec::new()));
        let name = slot.path().file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name.starts_with("face_net_1-qnn-"), "{name}");
        drop(slot);
        type Change = fn(&mut Identity);
        let changes: [Change; 4] = [
            |i| i.content.push('1'),
            |i| i.provider = "tensorrt".to_owned(),
            |i| i.options[0].1 = "73".to_owned(),
            |i| i.versions[0].1 = "1.33".to_owned(),
        ];
        for change in changes {
            let mut other = identity();
            change(&mut other);
            assert_eq!(lock_slot(&dir, other).unwrap().read(), Found::Nothing);
        }
    }

    #[test]
    fn what_is_broken_is_told_and_can_be_written_anew() {
        let dir = tempfile::tempdir().unwrap();
        let slot = lock_slot(dir.path(), identity()).unwrap();
        slot.write(b"a compiled model").unwrap();
        let whole = fs::read(slot.path()).unwrap();
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        let other_form =
            String::from_utf8(whole.clone()).unwrap().replace("\"form\":1", "\"form\":9");
        for (content, reason) in [
            (&whole[..whole.len() - 1], "15 bytes of 16"),
            (&whole[..10], "no manifest"),
            (b"{}\n", "manifest cannot be read"),
            (b"", "no manifest"),
            (&flipped, "hash"),
            (other_form.as_bytes(), "form 9"),
        ] {
            fs::write(slot.path(), content).unwrap();
            let Found::Broken(why) = slot.read() else { panic!("{reason}") };
            assert!(why.contains(reason), "{why}");
        }
        slot.write(b"anew").unwrap();
        assert_eq!(slot.read(), Found::Compiled(b"anew".to_vec()));
        let names = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(names, 2, "the entry and its lock, nothing temporary");
    }

    /// Two that start at once: one works, the other waits and finds it done.
    #[test]
    fn an_entry_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let compile = || {
            let slot = lock_slot(dir.path(), identity()).unwrap();
            let found = slot.read() != Found::Nothing;
            if !found {
                std::thread::sleep(std::time::Duration::from_millis(50));
                slot.write(b"model").unwrap();
            }
            found
        };
        let found = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(compile)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(found.iter().filter(|found| !**found).count(), 1, "{found:?}");
    }

    #[test]
    fn who_has_to_wait_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let held = lock_slot(dir.path(), identity()).unwrap();
        let (told, waiting) = std::sync::mpsc::channel();
        let path = dir.path().to_path_buf();
        let other = std::thread::spawn(move || {
            Slot::lock(&path, identity(), || told.send(()).unwrap()).unwrap();
        });
        waiting.recv().unwrap();
        drop(held);
        other.join().unwrap();
    }

    #[test]
    fn a_folder_is_emptied_but_for_its_lock() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::lock(dir.path(), &identity(), || {}).unwrap();
        assert!(!folder.is_filled());
        fs::write(folder.path().join("engine"), "x").unwrap();
        fs::create_dir(folder.path().join("blobs")).unwrap();
        assert!(folder.is_filled());
        let table = dir.path().join("table");
        fs::write(&table, "numbers").unwrap();
        folder.lay(&table).unwrap();
        assert_eq!(fs::read(folder.path().join("table")).unwrap(), b"numbers");
        folder.clear().unwrap();
        assert!(!folder.is_filled() && folder.path().join(".lock").exists());
    }

    #[test]
    fn the_users_directory_is_absolute() {
        let of = |cache: &'static str, home: &'static str| {
            user_directory(|name| Some(if name == "HOME" { home } else { cache }.into()))
        };
        assert_eq!(of("/c", "/h"), Some("/c/gst-plugin-gaze".into()));
        assert_eq!(of("", "/h"), Some("/h/.cache/gst-plugin-gaze".into()));
        assert_eq!(of("relative", "relative"), None);
    }

    #[test]
    fn content_is_hashed_with_what_lies_beside_it() {
        // The first example of FIPS 180-2.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(content_hash(b"abc", &[]).unwrap(), abc);
        let dir = tempfile::tempdir().unwrap();
        let beside = dir.path().join("weights");
        fs::write(&beside, "bc").unwrap();
        assert_eq!(content_hash(b"a", &[beside]).unwrap(), abc);
        assert!(content_hash(b"a", &[dir.path().join("missing")]).is_err());
    }
}
