//! An entry of the cache: a file `MODEL-PROVIDER-KEY.gazectx`, one line of JSON that says what it is,
//! then the compiled model.
//!
//! A lookup checks the content against the length and the hash in that line. A new entry is written
//! beside its path and renamed, under a lock that other processes wait for: the second of two that
//! start at once finds the work done.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::eviction::{self, Limits};
use super::identity::{Identity, hex};
use super::{lock, private_directory};
use crate::engine::user_file::{self, FileError};

/// Grows when the form of an entry changes.
const FORM: u32 = 2;

/// The longest entry that is read.
const MAX_BYTES: u64 = 4 << 30;

/// The line before an entry's bytes.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    form: u32,
    #[serde(flatten)]
    identity: Identity,
    bytes: usize,
    sha256: String,
}

/// What a lookup finds.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engine) enum Lookup {
    Missing,
    Compiled(Vec<u8>),
    /// An entry that cannot be used, and why.
    Broken(String),
}

/// One entry, locked until it is dropped.
#[derive(Debug)]
pub(in crate::engine) struct CacheEntry {
    path: PathBuf,
    identity: Identity,
    // The lock goes with the file.
    _lock: File,
}

impl CacheEntry {
    /// Makes the directory, for its user alone, and locks the entry. Calls `waits` before it waits for
    /// another process.
    pub(in crate::engine) fn lock(
        dir: &Path,
        identity: Identity,
        waits: impl FnOnce(),
    ) -> io::Result<Self> {
        private_directory::make(dir)?;
        let path = dir.join(format!("{}.gazectx", identity.stem()));
        let lock = private_directory::open_lock(&path.with_extension("gazectx.lock"))?;
        lock::take(&lock, waits)?;
        Ok(Self { path, identity, _lock: lock })
    }

    pub(in crate::engine) fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::engine) fn read(&self) -> Lookup {
        if self.path.is_symlink() {
            return Lookup::Broken("it is a symbolic link".to_owned());
        }
        let content = match user_file::read(&self.path, MAX_BYTES) {
            Ok((content, _)) => content,
            Err(FileError::NotFound) => return Lookup::Missing,
            Err(why) => return Lookup::Broken(why.to_string()),
        };
        match self.check(content) {
            Ok(compiled) => {
                if let Ok(file) = File::open(&self.path) {
                    eviction::touch(&file);
                }
                Lookup::Compiled(compiled)
            }
            Err(why) => Lookup::Broken(why),
        }
    }

    fn check(&self, mut content: Vec<u8>) -> Result<Vec<u8>, String> {
        let end = content.iter().position(|byte| *byte == b'\n').ok_or("it has no manifest")?;
        let manifest: Manifest = serde_json::from_slice(&content[..end])
            .map_err(|why| format!("its manifest cannot be read: {why}"))?;
        if manifest.form != FORM {
            return Err(format!("it is of form {}, not {FORM}", manifest.form));
        }
        if manifest.identity != self.identity {
            return Err("it is of another model or of other options".to_owned());
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

    pub(in crate::engine) fn write(&self, compiled: &[u8]) -> io::Result<()> {
        let manifest = Manifest {
            form: FORM,
            identity: self.identity.clone(),
            bytes: compiled.len(),
            sha256: hex(&Sha256::digest(compiled)),
        };
        let mut line = serde_json::to_vec(&manifest)?;
        line.push(b'\n');
        private_directory::write(&self.path, &[&line, compiled])?;
        let dir = self.path.parent().unwrap_or(Path::new("."));
        eviction::evict(dir, &self.path, Limits::from_environment());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::super::identity::tests::identity;
    use super::*;

    fn lock_entry(dir: &Path, identity: Identity) -> io::Result<CacheEntry> {
        CacheEntry::lock(dir, identity, || {})
    }

    #[test]
    fn a_lookup_finds_what_was_written_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("made/when/needed");
        let entry = lock_entry(&dir, identity()).unwrap();
        assert_eq!(entry.read(), Lookup::Missing);
        entry.write(b"compiled\nmodel").unwrap();
        assert_eq!(entry.read(), Lookup::Compiled(b"compiled\nmodel".to_vec()));
        entry.write(b"").unwrap();
        assert_eq!(entry.read(), Lookup::Compiled(Vec::new()));
        let name = entry.path().file_name().unwrap().to_str().unwrap().to_owned();
        assert!(name.starts_with("face_net_1-qnn-"), "{name}");
        drop(entry);
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
            assert_eq!(lock_entry(&dir, other).unwrap().read(), Lookup::Missing);
        }
    }

    #[test]
    fn a_broken_entry_is_told_and_can_be_written_anew() {
        let dir = tempfile::tempdir().unwrap();
        let entry = lock_entry(dir.path(), identity()).unwrap();
        entry.write(b"a compiled model").unwrap();
        let whole = fs::read(entry.path()).unwrap();
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        let other_form =
            String::from_utf8(whole.clone()).unwrap().replace("\"form\":2", "\"form\":9");
        let other_model =
            String::from_utf8(whole.clone()).unwrap().replace("face net/1", "face net/2");
        for (content, reason) in [
            (&whole[..whole.len() - 1], "15 bytes of 16"),
            (&whole[..10], "no manifest"),
            (b"{}\n", "manifest cannot be read"),
            (b"", "no manifest"),
            (&flipped, "hash"),
            (other_form.as_bytes(), "form 9"),
            (other_model.as_bytes(), "another model"),
        ] {
            fs::write(entry.path(), content).unwrap();
            let Lookup::Broken(why) = entry.read() else { panic!("{reason}") };
            assert!(why.contains(reason), "{why}");
        }
        fs::remove_file(entry.path()).unwrap();
        let elsewhere = dir.path().join("elsewhere");
        fs::write(&elsewhere, &whole).unwrap();
        symlink(&elsewhere, entry.path()).unwrap();
        let Lookup::Broken(why) = entry.read() else { panic!("a link") };
        assert!(why.contains("symbolic link"), "{why}");
        entry.write(b"anew").unwrap();
        assert_eq!(fs::read(&elsewhere).unwrap(), whole, "the link's target is another's");
        fs::remove_file(&elsewhere).unwrap();
        assert_eq!(entry.read(), Lookup::Compiled(b"anew".to_vec()));
        let names = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(names, 2, "the entry and its lock, nothing temporary");
    }

    /// Two that start at once: one works, the other waits and finds it done.
    #[test]
    fn an_entry_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let compile = || {
            let entry = lock_entry(dir.path(), identity()).unwrap();
            let found = entry.read() != Lookup::Missing;
            if !found {
                std::thread::sleep(std::time::Duration::from_millis(50));
                entry.write(b"model").unwrap();
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
    fn a_process_that_has_to_wait_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let held = lock_entry(dir.path(), identity()).unwrap();
        let (told, waiting) = std::sync::mpsc::channel();
        let path = dir.path().to_path_buf();
        let other = std::thread::spawn(move || {
            CacheEntry::lock(&path, identity(), || told.send(()).unwrap()).unwrap();
        });
        waiting.recv().unwrap();
        drop(held);
        other.join().unwrap();
    }
}
