//! Who reads the lines: a listener at a socket that counts them, and can go away and come back.

use std::io::{BufRead, BufReader};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// What was read, and whether to go on.
#[derive(Default)]
struct Shared {
    lines: AtomicU64,
    broken: AtomicU64,
    leaving: AtomicBool,
    connection: Mutex<Option<UnixStream>>,
}

/// The reader of one stream.
pub struct Reader {
    path: PathBuf,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    pub fn listen(path: &Path) -> Result<Self, String> {
        let mut reader = Self { path: path.to_path_buf(), shared: Arc::default(), thread: None };
        reader.come()?;
        Ok(reader)
    }

    /// Lines read so far, and how many of them were none of the schema.
    pub fn counts(&self) -> (u64, u64) {
        let count = |of: &AtomicU64| of.load(Ordering::Acquire);
        (count(&self.shared.lines), count(&self.shared.broken))
    }

    /// Begins to listen.
    pub fn come(&mut self) -> Result<(), String> {
        let listener = UnixListener::bind(&self.path)
            .map_err(|why| format!("{}: {why}", self.path.display()))?;
        self.shared.leaving.store(false, Ordering::Release);
        let shared = self.shared.clone();
        self.thread = Some(std::thread::spawn(move || shared.serve(&listener)));
        Ok(())
    }

    /// Closes the connection and the socket.
    pub fn leave(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.leaving.store(true, Ordering::Release);
        let connection =
            self.shared.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
        match connection {
            Some(connection) => drop(connection.shutdown(Shutdown::Both)),
            None => drop(UnixStream::connect(&self.path)),
        }
        // One that panicked has said so, and its lines are missed.
        let _ = thread.join();
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Shared {
    fn serve(&self, listener: &UnixListener) {
        let mut line = Vec::new();
        while let Ok((connection, _)) = listener.accept() {
            if self.leaving.load(Ordering::Acquire) {
                return;
            }
            let kept = connection.try_clone().ok();
            *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = kept;
            // A reader that leaves has either found it there or is seen here.
            if self.leaving.load(Ordering::Acquire) {
                return;
            }
            let mut input = BufReader::new(connection);
            while input.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                if line.ends_with(b"\n") {
                    if !is_right(&line) {
                        self.broken.fetch_add(1, Ordering::Release);
                    }
                    self.lines.fetch_add(1, Ordering::Release);
                }
                line.clear();
            }
            *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
            if self.leaving.load(Ordering::Acquire) {
                return;
            }
        }
    }
}

/// Whether a line is JSON of schema 1, judged by the monitor.
fn is_right(line: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(line).is_ok_and(|line| {
        line["schema"] == 1 && line["attention"].is_object() && line["faces"].is_array()
    })
}
