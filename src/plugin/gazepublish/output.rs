//! The open destination of lines: standard output, a file, a Unix socket or UDP datagrams.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::UdpSocket;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::destination::Destination;
use super::line_file::{FileLimits, LineFile};

/// A pipe takes a write of up to this many bytes in one piece, unmixed with other writers' bytes, and
/// without blocking once `poll` reports it writable (pipe(7), PIPE_BUF on Linux).
const PIPE_BUF: usize = 4096;

/// How often a write that waits for its reader checks whether to give up.
const POLL_INTERVAL_MS: u8 = 50;

/// How files are written.
#[derive(Clone, Copy, Debug)]
pub struct FileOptions {
    /// Keep what the file holds.
    pub append: bool,
    /// When a new file is begun.
    pub limits: FileLimits,
}

/// An open [`Destination`].
#[derive(Debug)]
pub enum Output {
    /// A regular file.
    File(LineFile),
    /// Standard output, a FIFO or a device.
    Stream {
        /// The open file.
        file: File,
        /// Most bytes of one write.
        piece: usize,
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
    /// Opens a file at once. A socket connects later, in [`Self::connect`].
    pub fn open(destination: &Destination, options: FileOptions) -> io::Result<Self> {
        Ok(match destination {
            // `io::stdout()` itself buffers, and may flush in the middle of a line.
            Destination::Stdout => Self::stream(io::stdout().as_fd().try_clone_to_owned()?.into()),
            Destination::File(path) => Self::open_path(path, options)?,
            Destination::Unix(path) => Self::Unix { path: path.clone(), stream: None },
            Destination::Udp(address) => Self::Udp { address: address.clone(), socket: None },
        })
    }

    fn open_path(path: &Path, options: FileOptions) -> io::Result<Self> {
        let kind = path.metadata().map(|metadata| metadata.file_type());
        Ok(match kind {
            // With both ends open, neither opening nor writing depends on a reader.
            Ok(kind) if kind.is_fifo() => {
                Self::stream(OpenOptions::new().read(true).write(true).open(path)?)
            }
            Ok(kind) if kind.is_char_device() => {
                Self::stream(OpenOptions::new().write(true).open(path)?)
            }
            _ => Self::File(LineFile::open(path, options.append, options.limits)?),
        })
    }

    fn stream(file: File) -> Self {
        // Standard output may be a file, whose writers are kept apart by one write a line.
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        let piece = if is_file { usize::MAX } else { PIPE_BUF };
        Self::Stream { file, piece, truncated: false }
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

    /// Why no new file could be begun since the last call.
    pub fn take_rotation_error(&mut self) -> Option<io::Error> {
        match self {
            Self::File(file) => file.take_rotation_error(),
            _ => None,
        }
    }

    /// Writes one line, newline included. While the reader is busy, `give_up` decides whether to stop
    /// waiting. An error closes a stream socket.
    pub fn write_line(
        &mut self,
        line: &[u8],
        give_up: &dyn Fn() -> bool,
    ) -> Result<(), WriteError> {
        match self {
            Self::File(file) => Ok(file.write_line(line)?),
            Self::Stream { file, piece, truncated } => {
                if *truncated {
                    write_all(file, b"\n", *piece, give_up, &mut 0)?;
                    *truncated = false;
                }
                let mut done = 0;
                let result = write_all(file, line, *piece, give_up, &mut done);
                *truncated = done > 0 && done < line.len();
                result
            }
            Self::Unix { stream, .. } => {
                let open = stream.as_mut().ok_or(io::Error::from(io::ErrorKind::NotConnected))?;
                let result = write_all(open, line, PIPE_BUF, give_up, &mut 0);
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

/// Writes all of `bytes`, at most `piece` at once, and counts in `done` those written, also on an error.
fn write_all(
    out: &mut (impl Write + AsFd),
    bytes: &[u8],
    piece: usize,
    give_up: &dyn Fn() -> bool,
    done: &mut usize,
) -> Result<(), WriteError> {
    while *done < bytes.len() {
        wait_writable(out.as_fd(), give_up)?;
        let end = bytes.len().min(done.saturating_add(piece));
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

    /// The writer gives up on a full pipe in the middle of a line; the next line is whole.
    #[test]
    fn a_line_that_was_cut_off_gets_its_line_break() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut output = Output::stream(File::from(std::os::fd::OwnedFd::from(writer)));
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
