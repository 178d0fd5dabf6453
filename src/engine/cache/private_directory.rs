//! The cache's directory and the files in it, which only their user may change: a compiled model runs as
//! part of the process, and one that another user put there would be theirs.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::fcntl::OFlag;

/// Makes a directory for its user alone, or checks the one that is there.
///
/// # Errors
/// The directory belongs to another user, or others may write to it; and those of the system.
pub(super) fn make(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let metadata = fs::metadata(dir)?;
    let refuse = |why: String| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    let user = nix::unistd::geteuid().as_raw();
    if metadata.uid() != user {
        return refuse(format!(
            "it belongs to the user {}, and this process runs as {user}",
            metadata.uid()
        ));
    }
    if metadata.mode() & 0o022 != 0 {
        return refuse(format!(
            "other users may write to it (mode {:03o}): run `chmod go-w` on it",
            metadata.mode() & 0o777
        ));
    }
    Ok(())
}

/// Opens a file to lock, made if there is none; never by a symbolic link.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)
}

/// Writes a file beside its path and renames it, so that it appears whole or not at all. The temporary
/// name is random and new, so that no link is followed.
pub(super) fn write(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(dir)?;
    for part in parts {
        io::Write::write_all(&mut file, part)?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// How the names of unfinished files begin.
pub(super) const TEMPORARY: &str = ".new-";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_directory_that_others_may_change_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("made/when/needed");
        make(&made).unwrap();
        assert_eq!(fs::metadata(&made).unwrap().mode() & 0o777, 0o700);
        for mode in [0o777, 0o1777, 0o770, 0o722] {
            fs::set_permissions(&made, fs::Permissions::from_mode(mode)).unwrap();
            let error = make(&made).unwrap_err().to_string();
            assert!(error.contains("chmod go-w"), "{mode:o}: {error}");
        }
        fs::set_permissions(&made, fs::Permissions::from_mode(0o755)).unwrap();
        make(&made).unwrap();
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(&made, Some(65534), None).unwrap();
            let error = make(&made).unwrap_err().to_string();
            assert!(error.contains("belongs to the user 65534"), "{error}");
        }
    }

    #[test]
    fn links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::write(&target, "kept").unwrap();
        symlink(&target, &link).unwrap();
        assert!(open_lock(&link).is_err());
        write(&link, &[b"a", b"b"]).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"kept");
        assert_eq!(fs::read(&link).unwrap(), b"ab");
        assert!(!link.is_symlink());
    }
}
