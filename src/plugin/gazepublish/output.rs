//! The destinations of lines: standard output, a file, a Unix socket or UDP datagrams.

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

/// A pipe takes a write of up to this many bytes in one piece, unmixed with other writers' bytes, and
/// without blocking once `poll` reports it writable (pipe(7), PIPE_BUF on Linux).
const PIPE_BUF: usize = 4096;

/// How often a write that waits for its reader checks whether to give up.
const POLL_INTERVAL_MS: u8 = 50;

/// The parsed value of the property `location`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// `-` or `stdout`.
    Stdout,
    /// A path: a file, a FIFO or a device.
    File(PathBuf),
    /// `unix:PATH`: a stream socket on which the reader listens.
    Unix(PathBuf),
    /// `udp://HOST:PORT`: one datagram for each line.
    Udp(String),
}

/// Why parsing the property `location` failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// The text, or the path after `unix:`, is empty.
    #[error("location {0:?} is empty: {FORMS}")]
    Empty(String),
    /// No `HOST:PORT` after `udp://`.
    #[error("location {0:?} has no HOST:PORT: {FORMS}")]
    Address(String),
    /// The scheme of the URI is unknown.
    #[error("location {0:?} has an unknown scheme: {FORMS}")]
    Scheme(String),
}

const FORMS: &str =
    "set `-` (standard output), the path of a file, `unix:PATH` or `udp://HOST:PORT`";

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        let given = || text.to_owned();
        if text == "-" || text == "stdout" {
            Ok(Self::Stdout)
        } else if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() {
                return Err(DestinationError::Empty(given()));
            }
            Ok(Self::Unix(path.into()))
        } else if let Some(address) = text.strip_prefix("udp://") {
            match address.rsplit_once(':') {
                Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                    Ok(Self::Udp(address.to_owned()))
                }
                _ => Err(DestinationError::Address(given())),
            }
        } else if text.contains("://") {
            Err(DestinationError::Scheme(given()))
        } else if text.is_empty() {
            Err(DestinationError::Empty(given()))
        } else {
            Ok(Self::File(text.into()))
        }
    }
}

impl Destination {
    /// Opens a file at once. A socket connects later, in [`Output::connect`].
    pub fn open(&self, append: bool) -> io::Result<Output> {
        Ok(match self {
            // `io::stdout()` itself buffers, and may flush in the middle of a line.
            Self::Stdout => Output::file(io::stdout().as_fd().try_clone_to_owned()?.into()),
            Self::File(path) => Output::file(open_file(path, append)?),
            Self::Unix(path) => Output::Unix { path: path.clone(), stream: None },
            Self::Udp(address) => Output::Udp { address: address.clone(), socket: None },
        })
    }
}

fn open_file(path: &Path, append: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    if path.metadata().is_ok_and(|meta| meta.file_type().is_fifo()) {
        // With both ends open, neither opening nor writing depends on a reader.
        options.read(true).write(true);
    } else if append {
        options.create(true).append(true);
    } else {
        options.create(true).write(true).truncate(true);
    }
    options.open(path)
}

/// An open [`Destination`].
#[derive(Debug)]
pub enum Output {
    /// Standard output or a file.
    File {
        /// The open file.
        file: File,
        /// Whether the last line was cut off, so that the next one starts with a line break.
        truncated: bool,
    },
    /// A Unix stream socket.
    Unix {
        /// The socket on which the reader listens.
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
    /// The system call failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The caller stopped waiting for the reader.
    #[error("the reader does not read")]
    GaveUp,
}

impl Output {
    fn file(file: File) -> Self {
        Self::File { file, truncated: false }
    }

    /// Connects a socket, unless it is connected already.
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

    /// Whether a new connection can send a failed line again.
    pub fn reconnects(&self) -> bool {
        matches!(self, Self::Unix { .. })
    }

    /// Whether a successful write proves that a reader is there; for a datagram it does not.
    pub fn confirms_reader(&self) -> bool {
        !matches!(self, Self::Udp { .. })
    }

    /// Writes one line, newline included. While the reader is busy, `give_up` decides whether to stop
    /// waiting. An error closes a stream socket.
    pub fn write_line(
        &mut self,
        line: &[u8],
        give_up: &dyn Fn() -> bool,
    ) -> Result<(), WriteError> {
        match self {
            Self::File { file, truncated } => {
                if *truncated {
                    write_all(file, b"\n", give_up, &mut 0)?;
                    *truncated = false;
                }
                let mut done = 0;
                let result = write_all(file, line, give_up, &mut done);
                *truncated = done > 0 && done < line.len();
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

    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
    for peer in address.to_socket_addrs()? {
        let any = if peer.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        match UdpSocket::bind(any).and_then(|s| s.connect(peer).map(|()| s)) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Writes all of `bytes`, and counts in `done` those written, also on an error.
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
        match poll(&mut [PollFd::new(fd, PollFlags::POLLOUT)], PollTimeout::from(POLL_INTERVAL_MS))
        {
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
    fn parses_every_form_of_a_location() {
        let parse = |text: &str| text.parse::<Destination>();
        assert_eq!(parse("-"), Ok(Destination::Stdout));
        assert_eq!(parse("stdout"), Ok(Destination::Stdout));
        assert_eq!(parse("./stdout"), Ok(Destination::File("./stdout".into())));
        assert_eq!(parse("a:b.jsonl"), Ok(Destination::File("a:b.jsonl".into())));
        assert_eq!(parse("unix:/run/gaze"), Ok(Destination::Unix("/run/gaze".into())));
        assert_eq!(parse("udp://[::1]:5000"), Ok(Destination::Udp("[::1]:5000".into())));
        for bad in ["udp://host", "udp://:1", "udp://host:99999", "udp://"] {
            assert_eq!(parse(bad), Err(DestinationError::Address(bad.into())));
        }
        for bad in ["", "unix:"] {
            assert_eq!(parse(bad), Err(DestinationError::Empty(bad.into())));
        }
        for bad in ["tcp://h:1", "http://h/"] {
            assert_eq!(parse(bad), Err(DestinationError::Scheme(bad.into())));
        }
    }

    #[test]
    fn a_file_is_truncated_or_appended_to() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lines");
        let location = Destination::File(path.clone());
        for (append, expected) in [(false, "a\n"), (true, "a\na\n"), (false, "a\n")] {
            location.open(append).unwrap().write_line(b"a\n", &|| false).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        }
    }

    /// The writer gives up on a full pipe in the middle of a line; the next line is whole.
    #[test]
    fn a_line_that_was_cut_off_gets_its_line_break() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut output = Output::file(File::from(std::os::fd::OwnedFd::from(writer)));
        let mut long = vec![b'x'; 1 << 20];
        long.push(b'\n');
        assert!(matches!(output.write_line(&long, &|| true), Err(WriteError::GaveUp)));
        let read = std::thread::spawn(move || {
            let mut text = String::new();
            io::Read::read_to_string(&mut reader, &mut text).unwrap();
            text
        });
        output.write_line(b"whole\n", &|| false).unwrap();
        drop(output);
        let text = read.join().unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), lines[1]), (2, "whole"));
        assert!(lines[0].len() < long.len());
    }
}
