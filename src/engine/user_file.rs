//! Reading of files that users name: models, weights, profiles, cameras, zones, rules, configurations.
//!
//! Such a path may lead anywhere. A FIFO would block for ever, `/dev/zero` would fill the memory, and a
//! file may be replaced between two looks at it. This module opens regular files only, without waiting,
//! reads them once, up to a limit, and tells what was read by the descriptor that it read from.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::fcntl::OFlag;

/// The longest text that is read: profiles, cameras, zones, rules and configurations take some
/// kilobytes.
pub const MAX_TEXT: u64 = 1 << 20;

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The file does not exist.
    #[error("it does not exist")]
    NotFound,
    /// The path leads to something that is not a regular file.
    #[error("it is {0}, not a regular file")]
    NotRegular(&'static str),
    /// The file is longer than any of its kind.
    #[error("it has more than the {0} bytes that are read of such a file")]
    TooLarge(u64),
    /// The file changed while it was read.
    #[error("it changed while it was read; try again when its copy is complete")]
    Changed,
    /// The content is not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// The operating system refused.
    #[error("{0}")]
    System(String),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound,
            _ => Self::System(error.to_string()),
        }
    }
}

/// Tells the content of a file from other content at the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileStamp {
    device: u64,
    inode: u64,
    bytes: u64,
    /// Seconds and nanoseconds of the last change of the content.
    modified: (i64, i64),
    /// The same of the last change of anything: a copy may set `modified` back, but not this one.
    changed: (i64, i64),
}

impl FileStamp {
    /// The stamp of the file that lies at `path` now; `None` if there is none.
    pub fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|metadata| Self::from(&metadata))
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl From<&Metadata> for FileStamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Opens a regular file for reading, and never waits.
///
/// # Errors
/// [`FileError`]: the path leads to nothing, or to something else.
pub fn open(path: &Path) -> Result<(File, FileStamp), FileError> {
    // To open a device may already do something, so the path is looked at first. The descriptor is what
    // counts: the path may lead elsewhere by now.
    check_type(fs::metadata(path)?.file_type())?;
    let flags = (OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    check_type(metadata.file_type())?;
    Ok((file, FileStamp::from(&metadata)))
}

fn check_type(kind: FileType) -> Result<(), FileError> {
    let name = match kind {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => "a directory",
        kind if kind.is_fifo() => "a FIFO",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(FileError::NotRegular(name))
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// [`FileError`]; [`FileError::Changed`] if another process writes to the file meanwhile.
pub fn read(path: &Path, limit: u64) -> Result<(Vec<u8>, FileStamp), FileError> {
    let (file, stamp) = open(path)?;
    if stamp.bytes > limit {
        return Err(FileError::TooLarge(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(stamp.bytes).unwrap_or(0));
    // Files of /proc have content although their length is 0.
    (&file).take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(FileError::TooLarge(limit));
    }
    if FileStamp::from(&file.metadata()?) != stamp {
        return Err(FileError::Changed);
    }
    Ok((bytes, stamp))
}

/// Reads a regular file of at most [`MAX_TEXT`] bytes as text.
///
/// # Errors
/// As [`read`]; [`FileError::NotText`].
pub fn read_text(path: &Path) -> Result<String, FileError> {
    let (bytes, _) = read(path, MAX_TEXT)?;
    String::from_utf8(bytes).map_err(|_| FileError::NotText)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use nix::sys::stat::Mode;

    use super::*;

    #[test]
    fn only_regular_files_are_read_and_nothing_waits() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        nix::unistd::mkfifo(&at("fifo"), Mode::S_IRWXU).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        symlink(at("loop"), at("loop")).unwrap();
        symlink("/dev/zero", at("endless")).unwrap();
        symlink(at("fifo"), at("link to fifo")).unwrap();
        for (path, reason) in [
            (at("fifo"), "a FIFO"),
            (at("link to fifo"), "a FIFO"),
            (at("socket"), "a socket"),
            (dir.path().into(), "a directory"),
            ("/dev/zero".into(), "a device"),
            (at("endless"), "a device"),
            (at("loop"), "symbolic links"),
            (at("missing"), "does not exist"),
        ] {
            let error = read(&path, 10).unwrap_err().to_string();
            assert!(error.contains(reason), "{}: {error}", path.display());
        }
    }

    #[test]
    fn content_is_limited_and_stamped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "0123456789").unwrap();
        let (bytes, stamp) = read(&path, 10).unwrap();
        assert_eq!((&bytes[..], stamp.bytes()), (&b"0123456789"[..], 10));
        assert_eq!(FileStamp::of(&path), Some(stamp));
        assert_eq!(read(&path, 9), Err(FileError::TooLarge(9)));
        // Its length is 0 and its content has no end that a length tells.
        assert_eq!(read(Path::new("/proc/self/maps"), 9), Err(FileError::TooLarge(9)));
        // As long, at the same place, at the same time: another file all the same.
        let other = dir.path().join("other");
        fs::write(&other, "9876543210").unwrap();
        let times =
            fs::FileTimes::new().set_modified(fs::metadata(&path).unwrap().modified().unwrap());
        File::options().write(true).open(&other).unwrap().set_times(times).unwrap();
        fs::rename(&other, &path).unwrap();
        assert_ne!(FileStamp::of(&path), Some(stamp));
        fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_text(&path), Err(FileError::NotText));
    }
}
