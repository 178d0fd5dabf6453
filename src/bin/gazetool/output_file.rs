//! The files that commands write: never one of their inputs, never a device, and whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use gstgaze::engine::{FileInspection, sidecars};
use nix::fcntl::OFlag;
use tempfile::{Builder, NamedTempFile};

use crate::output::Failure;

/// The files of one command.
pub struct OutputFiles {
    /// Device, inode and name of each input.
    inputs: Vec<(u64, u64, PathBuf)>,
    claimed: Vec<PathBuf>,
}

impl OutputFiles {
    /// The outputs of a command that reads these files; those that do not exist are left out.
    pub fn beside<P: AsRef<Path>>(inputs: impl IntoIterator<Item = P>) -> Self {
        let known = |path: P| {
            let path = path.as_ref();
            let found = fs::metadata(path).ok()?;
            Some((found.dev(), found.ino(), path.to_path_buf()))
        };
        // A recording may come through standard input.
        let stdin = Path::new("/dev/stdin");
        let stdin = fs::metadata(stdin).ok().map(|found| (found.dev(), found.ino(), stdin.into()));
        let inputs = inputs.into_iter().filter_map(known).chain(stdin).collect();
        Self { inputs, claimed: Vec::new() }
    }

    /// Claims a file, before the work for it begins.
    ///
    /// # Errors
    /// Where it is an input or another output, by this or another name; is a directory, a FIFO or a device;
    /// is a link to nothing; or cannot be written.
    pub fn claim(&mut self, path: &Path) -> Result<OutputFile, Failure> {
        let target = match fs::metadata(path) {
            Ok(found) => {
                if !found.is_file() {
                    return Err(Failure::usage(format!(
                        "'{}' exists and is no regular file: give the output the name of a file",
                        path.display()
                    )));
                }
                let same =
                    |input: &&(u64, u64, PathBuf)| input.0 == found.dev() && input.1 == found.ino();
                if let Some((_, _, input)) = self.inputs.iter().find(same) {
                    return Err(Failure::usage(format!(
                        "'{}' is an input of the command, '{}', which it would overwrite: give the output \
                         another name or another folder",
                        path.display(),
                        input.display()
                    )));
                }
                fs::canonicalize(path)
            }
            Err(why) if why.kind() == ErrorKind::NotFound && path.is_symlink() => {
                return Err(cannot_write(path, "it is a link to a file that does not exist"));
            }
            Err(why) if why.kind() == ErrorKind::NotFound => in_folder(path),
            Err(why) => Err(why),
        };
        let target = target.map_err(|why| cannot_write(path, why))?;
        if self.claimed.contains(&target) {
            return Err(Failure::usage(format!(
                "the command would write '{}' twice: give each output a name of its own",
                path.display()
            )));
        }
        self.claimed.push(target.clone());
        let file = OutputFile { shown: path.to_path_buf(), target };
        file.try_out().map_err(|why| cannot_write(path, why))?;
        Ok(file)
    }
}

/// The path of a new file, links in its folder resolved.
fn in_folder(path: &Path) -> io::Result<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")))?;
    let name = path.file_name().ok_or_else(|| io::Error::from(ErrorKind::IsADirectory))?;
    Ok(folder.join(name))
}

fn cannot_write(path: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::file(path, format_args!("cannot write the file: {why}"))
}

/// A claimed file.
#[derive(Debug)]
pub struct OutputFile {
    /// As the user named it.
    shown: PathBuf,
    /// The file itself.
    target: PathBuf,
}

impl OutputFile {
    /// The name that the user gave.
    pub fn path(&self) -> &Path {
        &self.shown
    }

    /// Writes the whole file under another name and renames it, so that it is complete or as it was.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        let written = || {
            let mut file = self.temporary()?;
            file.write_all(bytes)?;
            if let Ok(old) = fs::symlink_metadata(&self.target) {
                if !old.is_file() {
                    return Err(not_regular());
                }
                file.as_file().set_permissions(old.permissions())?;
            }
            file.as_file().sync_all()?;
            file.persist(&self.target).map_err(|why| why.error)?;
            Ok(())
        };
        written().map_err(|why| cannot_write(&self.shown, why))
    }

    /// Opens the file itself, emptied, for what comes over hours: it must be there when the command is
    /// killed.
    pub fn stream(&self) -> Result<File, Failure> {
        let file = self.open(true).and_then(|file| file.set_len(0).map(|()| file));
        file.map_err(|why| cannot_write(&self.shown, why))
    }

    /// Finds out whether the file can be written; leaves everything as it was.
    fn try_out(&self) -> io::Result<()> {
        self.temporary()?;
        match self.open(false) {
            Err(why) if why.kind() == ErrorKind::NotFound => Ok(()),
            other => other.map(|_| ()),
        }
    }

    fn temporary(&self) -> io::Result<NamedTempFile> {
        let folder = self.target.parent().unwrap_or(Path::new("/"));
        // The user's umask narrows it.
        let mode = Permissions::from_mode(0o666);
        Builder::new().prefix(".gazetool-").permissions(mode).tempfile_in(folder)
    }

    /// Opens the file, which must still be none but a regular one.
    fn open(&self, create: bool) -> io::Result<File> {
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let mut options = OpenOptions::new();
        let file =
            options.write(true).create(create).custom_flags(flags.bits()).open(&self.target)?;
        if file.metadata()?.is_file() { Ok(file) } else { Err(not_regular()) }
    }
}

fn not_regular() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "it is no regular file")
}

/// The files that opening a model reads: the model, its sidecars, and the files that it names.
pub fn files_of_model(model: &Path) -> Vec<PathBuf> {
    let folder = model.parent().unwrap_or(Path::new(""));
    let mut files = vec![model.to_path_buf()];
    files.extend(sidecars(model).into_iter().map(PathBuf::from));
    // A file that is no model has no others; opening it says why.
    if let Ok(FileInspection { onnx: Some(onnx), .. }) = FileInspection::read(model) {
        files.extend(onnx.named_files().map(|name| folder.join(name)));
    }
    files
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn inputs_are_refused_under_every_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("input"), "input").unwrap();
        fs::write(at("other"), "other").unwrap();
        symlink(at("input"), at("link")).unwrap();
        fs::hard_link(at("input"), at("hard link")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        symlink(folder.path(), at("folder/back")).unwrap();
        let mut outputs = OutputFiles::beside([at("input"), at("missing")]);
        for name in ["input", "./input", "link", "hard link", "folder/back/input", "folder/../link"]
        {
            let why = outputs.claim(&at(name)).unwrap_err();
            assert!(why.text().contains("is an input"), "{name}: {}", why.text());
        }
        outputs.claim(&at("other")).unwrap().write(b"new").unwrap();
        outputs.claim(&at("missing")).unwrap().write(b"new").unwrap();
        for twice in ["other", "folder/back/missing"] {
            assert!(outputs.claim(&at(twice)).unwrap_err().text().contains("twice"));
        }
        assert_eq!(fs::read_to_string(at("input")).unwrap(), "input");
    }

    #[test]
    fn only_regular_files_are_written_and_links_stay() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        nix::unistd::mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        symlink("/dev/null", at("device")).unwrap();
        symlink(at("nothing"), at("dangling")).unwrap();
        symlink(at("loop"), at("loop")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        let mut outputs = OutputFiles::beside([""; 0]);
        for name in
            ["fifo", "device", "dangling", "loop", "folder", "folder/", "absent/file", "folder/.."]
        {
            assert!(outputs.claim(&at(name)).is_err(), "{name}");
        }
        assert!(outputs.claim(Path::new("/dev/full")).is_err());
        fs::write(at("file"), "old").unwrap();
        fs::set_permissions(at("file"), Permissions::from_mode(0o640)).unwrap();
        symlink(at("file"), at("link")).unwrap();
        let claimed = outputs.claim(&at("link")).unwrap();
        assert_eq!(fs::read_to_string(at("file")).unwrap(), "old", "claimed and not yet written");
        claimed.write(b"new").unwrap();
        assert!(at("link").is_symlink());
        assert_eq!(fs::read_to_string(at("file")).unwrap(), "new");
        assert_eq!(fs::metadata(at("file")).unwrap().mode() & 0o777, 0o640);
        // Between claim and write, a link takes the place of the file.
        let late = outputs.claim(&at("late")).unwrap();
        symlink(at("file"), at("late")).unwrap();
        assert!(late.write(b"x").is_err() && late.stream().is_err());
        assert_eq!(fs::read_to_string(at("file")).unwrap(), "new");
        let hidden = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> =
            hidden.filter(|n| n.to_string_lossy().starts_with(".gazetool")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
