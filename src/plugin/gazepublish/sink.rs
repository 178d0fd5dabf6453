//! Where lines go: standard output, a file, a Unix socket or UDP datagrams.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::UdpSocket;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// A write to a pipe of up to so many bytes is never mixed with what others write to it, and a
/// pipe that `poll` calls writable takes them without blocking (pipe(7), PIPE_BUF on Linux).
const PIPE_BUF: usize = 4096;

/// How often a write to a reader that does not read looks whether it shall give up.
const PATIENCE_MS: u8 = 50;

/// What the property `location` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// `-` or `stdout`.
    Stdout,
    /// A path: a file, a FIFO or a device.
    File(PathBuf),
    /// `unix:PATH`: a stream socket that somebody listens at.
    Unix(PathBuf),
    /// `udp://HOST:PORT`: one datagram for each line.
    Udp(String),
}

/// Why a location could not be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Nothing, or nothing after the colon.
    #[error("location {0:?} names nothing; {FORMS}")]
    Empty(String),
    /// No `HOST:PORT` after `udp://`.
    #[error("location {0:?} has no HOST:PORT; {FORMS}")]
    Address(String),
    /// Looks like a URI of a kind that is not supported.
    #[error("location {0:?} is of an unknown kind; {FORMS}")]
    Scheme(String),
}

const FORMS: &str = "use `-` for standard output, a file's path, `unix:PATH` or `udp://HOST:PORT`";

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let given = || text.to_owned();
        if text == "-" || text == "stdout" {
            Ok(Self::Stdout)
        } else if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() {
                return Err(LocationError::Empty(given()));
            }
            Ok(Self::Unix(path.into()))
        } else if let Some(address) = text.strip_prefix("udp://") {
            match address.rsplit_once(':') {
                Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                    Ok(Self::Udp(address.to_owned()))
                }
                _ => Err(LocationError::Address(given())),
            }
        } else if text.contains("://") {
            Err(LocationError::Scheme(given()))
        } else if text.is_empty() {
            Err(LocationError::Empty(given()))
        } else {
            Ok(Self::File(text.into()))
        }
    }
}

impl Location {
    /// Opens files at once and keeps the addresses of sockets for [`Sink::connect`].
    pub fn open(&self, append: bool) -> io::Result<Sink> {
        Ok(match self {
            // Not `io::stdout()` itself: its buffer may end in the middle of a line.
            Self::Stdout => Sink::file(io::stdout().as_fd().try_clone_to_owned()?.into()),
            Self::File(path) => Sink::file(open_file(path, append)?),
            Self::Unix(path) => Sink::Unix { path: path.clone(), stream: None },
            Self::Udp(address) => Sink::Udp { address: address.clone(), socket: None },
        })
    }
}

fn open_file(path: &Path, append: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    if path.metadata().is_ok_and(|meta| meta.file_type().is_fifo()) {
        // With the other end open as well, neither opening nor writing depends on a reader.
        options.read(true).write(true);
    } else if append {
        options.create(true).append(true);
    } else {
        options.create(true).write(true).truncate(true);
    }
    options.open(path)
}

/// An open [`Location`].
#[derive(Debug)]
pub enum Sink {
    /// Standard output or a file.
    File {
        /// Whom to write to.
        file: File,
        /// The last line was cut off: the next one begins with a line break.
        torn: bool,
    },
    /// A Unix stream socket.
    Unix {
        /// Where the reader listens.
        path: PathBuf,
        /// `None` while there is no connection.
        stream: Option<UnixStream>,
    },
    /// UDP datagrams.
    Udp {
        /// `HOST:PORT`.
        address: String,
        /// `None` until the host name is resolved.
        socket: Option<UdpSocket>,
    },
}

/// Why a line was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The system's reason.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The reader did not read and the caller would not wait any longer.
    #[error("the reader does not read")]
    GaveUp,
}

impl Sink {
    fn file(file: File) -> Self {
        Self::File { file, torn: false }
    }

    /// Connects a socket that is not connected.
    pub fn connect(&mut self) -> io::Result<()> {
        match self {
            Self::Unix { path, stream: stream @ None } => {
                let new = UnixStream::connect(path)?;
                new.set_nonblocking(true)?;
                *stream = Some(new);
            }
            Self::Udp { address, socket: socket @ None } => *socket = Some(connect_udp(address)?),
            _ => {}
        }
        Ok(())
    }

    /// Whether a failed line can be sent again on a new connection.
    pub fn reconnects(&self) -> bool {
        matches!(self, Self::Unix { .. })
    }

    /// Whether a line that was written shows that somebody reads; a datagram does not.
    pub fn is_reliable(&self) -> bool {
        !matches!(self, Self::Udp { .. })
    }

    /// Writes one line, newline included. While the reader does not take it, `give_up` is asked
    /// whether to go on waiting. A stream socket that fails is closed.
    pub fn write_line(
        &mut self,
        line: &[u8],
        give_up: &dyn Fn() -> bool,
    ) -> Result<(), WriteError> {
        match self {
            Self::File { file, torn } => {
                if *torn {
                    write_all(file, b"\n", give_up, &mut 0)?;
                    *torn = false;
                }
                let mut done = 0;
                let result = write_all(file, line, give_up, &mut done);
                *torn = done > 0 && done < line.len();
                result
            }
            Self::Unix { stream, .. } => {
                let open = stream.as_mut().ok_or(io::Error::from(io::ErrorKind::NotConnected))?;
                let result = write_all(open, line, give_up, &mut 0);
                if result.is_err() {
                    *stream = None;
                }
                result
            }
            Self::Udp { socket, .. } => {
                let open = socket.as_ref().ok_or(io::Error::from(io::ErrorKind::NotConnected))?;
                wait_writable(open.as_fd(), give_up)?;
                open.send(line)?;
                Ok(())
            }
        }
    }
}

fn connect_udp(address: &str) -> io::Result<UdpSocket> {
    use std::net::ToSocketAddrs;

    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for peer in address.to_socket_addrs()? {
        let any = if peer.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        match UdpSocket::bind(any).and_then(|s| s.connect(peer).map(|()| s)) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Writes all of `bytes`; `done` says how many were written, also after an error.
fn write_all(
    out: &mut (impl Write + AsFd),
    bytes: &[u8],
    give_up: &dyn Fn() -> bool,
    done: &mut usize,
) -> Result<(), WriteError> {
    while *done < bytes.len() {
        wait_writable(out.as_fd(), give_up)?;
        let end = bytes.len().min(*done + PIPE_BUF);
        match out.write(&bytes[*done..end]) {
            Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
            Ok(count) => *done += count,
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => {}
                _ => return Err(error.into()),
            },
        }
    }
    Ok(())
}

fn wait_writable(fd: BorrowedFd<'_>, give_up: &dyn Fn() -> bool) -> Result<(), WriteError> {
    loop {
        match poll(&mut [PollFd::new(fd, PollFlags::POLLOUT)], PollTimeout::from(PATIENCE_MS)) {
            Ok(0) | Err(Errno::EINTR) => {
                if give_up() {
                    return Err(WriteError::GaveUp);
                }
            }
            Ok(_) => return Ok(()),
            Err(errno) => return Err(io::Error::from(errno).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_location() {
        let parse = |text: &str| text.parse::<Location>();
        assert_eq!(parse("-"), Ok(Location::Stdout));
        assert_eq!(parse("stdout"), Ok(Location::Stdout));
        assert_eq!(parse("./stdout"), Ok(Location::File("./stdout".into())));
        assert_eq!(parse("a:b.jsonl"), Ok(Location::File("a:b.jsonl".into())));
        assert_eq!(parse("unix:/run/gaze"), Ok(Location::Unix("/run/gaze".into())));
        assert_eq!(parse("udp://[::1]:5000"), Ok(Location::Udp("[::1]:5000".into())));
        for bad in ["udp://host", "udp://:1", "udp://host:99999", "udp://"] {
            assert_eq!(parse(bad), Err(LocationError::Address(bad.into())));
        }
        for bad in ["", "unix:"] {
            assert_eq!(parse(bad), Err(LocationError::Empty(bad.into())));
        }
        for bad in ["tcp://h:1", "http://h/"] {
            assert_eq!(parse(bad), Err(LocationError::Scheme(bad.into())));
        }
    }

    #[test]
    fn truncate_or_append() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines");
        let location = Location::File(path.clone());
        for (append, expected) in [(false, "a\n"), (true, "a\na\n"), (false, "a\n")] {
            location.open(append).unwrap().write_line(b"a\n", &|| false).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        }
    }

    /// A pipe that is full in the middle of a line: given up, and the next line is whole.
    #[test]
    fn a_line_that_was_cut_off_is_ended() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut sink = Sink::file(File::from(std::os::fd::OwnedFd::from(writer)));
        let mut long = vec![b'x'; 1 << 20];
        long.push(b'\n');
        assert!(matches!(sink.write_line(&long, &|| true), Err(WriteError::GaveUp)));
        let read = std::thread::spawn(move || {
            let mut text = String::new();
            io::Read::read_to_string(&mut reader, &mut text).unwrap();
            text
        });
        sink.write_line(b"whole\n", &|| false).unwrap();
        drop(sink);
        let text = read.join().unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), lines[1]), (2, "whole"));
        assert!(lines[0].len() < long.len());
    }
}
