//! A folder of the cache in which a provider keeps the files of one compiled model.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::eviction::{self, Limits};
use super::identity::Identity;
use super::{lock, private_directory};

/// A folder that a provider fills, locked until it is dropped.
#[derive(Debug)]
pub(in crate::engine) struct ProviderFolder {
    path: PathBuf,
    _lock: File,
}

impl ProviderFolder {
    /// Makes and locks the folder. Calls `waits` before it waits for another process.
    pub(in crate::engine) fn lock(
        dir: &Path,
        identity: &Identity,
        waits: impl FnOnce(),
    ) -> io::Result<Self> {
        private_directory::make(dir)?;
        let path = dir.join(identity.stem());
        private_directory::make(&path)?;
        let lock = private_directory::open_lock(&path.join(".lock"))?;
        lock::take(&lock, waits)?;
        eviction::touch(&lock);
        eviction::evict(dir, &path, Limits::from_environment());
        Ok(Self { path, _lock: lock })
    }

    pub(in crate::engine) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the provider has written something into it.
    pub(in crate::engine) fn is_filled(&self) -> bool {
        self.entries().next().is_some()
    }

    /// Puts a file into it.
    pub(in crate::engine) fn add(&self, name: &OsStr, content: &[u8]) -> io::Result<()> {
        private_directory::write(&self.path.join(name), &[content])
    }

    /// Deletes what the provider has written into it.
    pub(in crate::engine) fn clear(&self) -> io::Result<()> {
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
    use super::super::identity::tests::identity;
    use super::*;

    #[test]
    fn a_folder_is_emptied_but_for_its_lock() {
        let dir = tempfile::tempdir().unwrap();
        let folder = ProviderFolder::lock(dir.path(), &identity(), || {}).unwrap();
        assert!(!folder.is_filled());
        fs::write(folder.path().join("engine"), "x").unwrap();
        fs::create_dir(folder.path().join("blobs")).unwrap();
        assert!(folder.is_filled());
        folder.add("table".as_ref(), b"numbers").unwrap();
        assert_eq!(fs::read(folder.path().join("table")).unwrap(), b"numbers");
        folder.clear().unwrap();
        assert!(!folder.is_filled() && folder.path().join(".lock").exists());
    }
}
