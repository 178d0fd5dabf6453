//! A regular file of whole lines, which other programs may read, truncate or move while it grows.
//!
//! - Each line is one `write` with `O_APPEND`: a file that another program truncates (logrotate's
//!   `copytruncate`) goes on at its new end, without a gap of zeros.
//! - A lock (flock(2)) refuses a second writer, whose lines would be mixed with these.
//! - A disk that is full in the middle of a line gets the line's beginning taken back.
//! - A file that was moved or removed is made again under its name, as after a signal to a daemon.
//! - A file over its limits becomes `NAME.1`, the one before `NAME.2`, and so on.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Seek as _, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// When a new file is begun, and how many stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimits {
    /// Largest size in bytes; 0 for none. A longer line has a file of its own.
    pub bytes: u64,
    /// Longest time that a file is written to; zero for ever.
    pub time: Duration,
    /// Most files, the current one included; at least 1.
    pub files: u32,
}

impl FileLimits {
    /// Whether a file of `length` bytes, open for `age`, takes a line of `line` bytes no more.
    fn reached(&self, length: u64, line: usize, age: Duration) -> bool {
        let full = self.bytes > 0 && length.saturating_add(line as u64) > self.bytes;
        let old = !self.time.is_zero() && age >= self.time;
        length > 0 && (full || old)
    }
}

/// See [the module](self).
#[derive(Debug)]
pub struct LineFile {
    path: PathBuf,
    limits: FileLimits,
    file: File,
    /// Device and inode.
    identity: (u64, u64),
    opened: Instant,
    /// Length at which the limit in size begins to count: not 0 after a new file could not be begun.
    counted_from: u64,
    /// Whether the file ends in the middle of a line, so that the next line begins with a line break.
    torn: bool,
    /// Why no new file could be begun, until it is told.
    rotation_error: Option<io::Error>,
}

impl LineFile {
    /// Opens or makes a file; unless `append`, it is emptied once it is locked.
    ///
    /// # Errors
    /// Those of the file system, [`ErrorKind::InvalidInput`] for what is no regular file, and
    /// [`ErrorKind::ResourceBusy`] for a file that another writer has locked.
    pub fn open(path: &Path, append: bool, limits: FileLimits) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        // A FIFO that takes the file's place after a check must not hold the thread.
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, nix::libc::O_NONBLOCK);
        let file = options.append(true).create(true).open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    ErrorKind::ResourceBusy,
                    "another gazepublish or program writes to it: give each writer a file of its own",
                ));
            }
            // A file system without locks, such as some network ones.
            Err(TryLockError::Error(why)) if why.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(why)) => return Err(why),
        }
        if !append {
            file.set_len(0)?;
        }
        Ok(Self {
            path: path.to_path_buf(),
            limits,
            identity: identity(&metadata),
            opened: Instant::now(),
            counted_from: 0,
            torn: append && ends_within_a_line(path),
            rotation_error: None,
            file,
        })
    }

    /// Appends one line, newline included. After an error the file holds nothing of it, or the next line
    /// begins with a line break.
    pub fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        let length = self.follow()?;
        let counted = length.saturating_sub(self.counted_from);
        if self.limits.reached(counted, line.len(), self.opened.elapsed()) {
            match self.rotate() {
                Ok(()) => {}
                // The lines go on in the file as it is.
                Err(why) => {
                    self.rotation_error = Some(why);
                    (self.counted_from, self.opened) = (length, Instant::now());
                }
            }
        }
        if self.torn {
            self.append(b"\n")?;
            self.torn = false;
        }
        self.append(line)
    }

    /// Why no new file could be begun since the last call.
    pub fn take_rotation_error(&mut self) -> Option<io::Error> {
        self.rotation_error.take()
    }

    /// Opens the file anew where its name stands for another one or for none, and returns its length.
    fn follow(&mut self) -> io::Result<u64> {
        match fs::metadata(&self.path) {
            Ok(now) if identity(&now) == self.identity => {
                if now.len() < self.counted_from {
                    self.counted_from = 0;
                }
                self.torn &= now.len() > 0;
                Ok(now.len())
            }
            Err(why) if why.kind() != ErrorKind::NotFound => Ok(self.file.metadata()?.len()),
            _ => {
                *self = Self::open(&self.path, true, self.limits)?;
                Ok(self.file.metadata()?.len())
            }
        }
    }

    /// Begins a new file; the old ones move up by one number, and the last one goes.
    fn rotate(&mut self) -> io::Result<()> {
        if self.limits.files <= 1 {
            self.file.set_len(0)?;
            (self.opened, self.counted_from, self.torn) = (Instant::now(), 0, false);
            return Ok(());
        }
        // Of a link, the file that it leads to moves.
        let path = fs::canonicalize(&self.path)?;
        for number in (1..self.limits.files - 1).rev() {
            match fs::rename(numbered(&path, number), numbered(&path, number + 1)) {
                Err(why) if why.kind() != ErrorKind::NotFound => return Err(why),
                _ => {}
            }
        }
        fs::rename(&path, numbered(&path, 1))?;
        *self = Self::open(&self.path, true, self.limits)?;
        Ok(())
    }

    /// Writes in one piece, or takes back what was written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut done = 0;
        while done < bytes.len() {
            // All at once, unless the disk is full.
            let error = match self.file.write(&bytes[done..]) {
                Ok(0) => ErrorKind::WriteZero.into(),
                Ok(count) => {
                    done += count;
                    continue;
                }
                Err(why) if why.kind() == ErrorKind::Interrupted => continue,
                Err(why) => why,
            };
            self.torn |= done > 0 && !self.take_back(done as u64).unwrap_or(false);
            return Err(error);
        }
        Ok(())
    }

    /// Removes the last `count` bytes, if they are still the last.
    fn take_back(&mut self, count: u64) -> io::Result<bool> {
        // O_APPEND leaves the position behind what was written.
        let end = self.file.stream_position()?;
        if self.file.metadata()?.len() != end {
            return Ok(false);
        }
        self.file.set_len(end.saturating_sub(count))?;
        Ok(true)
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Whether a program ended while it wrote a line; `false` for a file that this one may not read.
fn ends_within_a_line(path: &Path) -> bool {
    let last = || -> io::Result<u8> {
        let file = File::open(path)?;
        let mut last = [b'\n'];
        if let Some(at) = file.metadata()?.len().checked_sub(1) {
            file.read_exact_at(&mut last, at)?;
        }
        Ok(last[0])
    };
    last().is_ok_and(|last| last != b'\n')
}

/// `NAME.NUMBER`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
#[path = "line_file_tests.rs"]
mod tests;
