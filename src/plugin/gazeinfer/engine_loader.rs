//! Loads a new engine while the running one infers.
//!
//! A thread of its own opens the new model; the streaming thread takes it over between two frames. A
//! model that does not open changes nothing.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, io};

use crate::core::gaze::estimator::GazeEstimator;
use crate::plugin::errors::ModelOpenError;

/// How often the watch looks at the file.
const POLL: Duration = Duration::from_secs(1);

/// The result of opening a model.
pub(super) type Opened = crate::engine::Opened<GazeEstimator, ModelOpenError>;

/// A model that has been loaded to replace another.
pub(super) struct LoadedEngine {
    /// Its file; `None` is the embedded model.
    pub engine: Option<Arc<str>>,
    /// The model or the error, and the diagnostics of opening it.
    pub opened: Opened,
}

/// Loads models in the background, one at a time.
#[derive(Default)]
pub(super) struct EngineLoader {
    /// The engine that runs; `None` is the embedded model.
    running: Option<Arc<str>>,
    /// The engine that the property named last, whether it runs or not.
    wanted: Option<Arc<str>>,
    watch: Option<FileWatch>,
    pending: Option<PendingEngine>,
}

struct PendingEngine {
    engine: Option<Arc<str>>,
    result: Receiver<Opened>,
    thread: JoinHandle<()>,
}

impl EngineLoader {
    /// Notes that this engine runs.
    pub fn start(&mut self, engine: Option<Arc<str>>) {
        self.stop();
        self.want(engine.clone());
        self.running = engine;
    }

    fn want(&mut self, engine: Option<Arc<str>>) {
        self.watch = engine.as_ref().map(FileWatch::new);
        self.wanted = engine;
    }

    /// Waits for a model that still loads, and forgets it.
    pub fn stop(&mut self) {
        if let Some(pending) = self.pending.take() {
            // The panic of a thread has been printed already.
            let _ = pending.thread.join();
        }
        *self = Self::default();
    }

    /// Returns whether to open `engine` at `now`: the property names a new one, or `follow` is set and
    /// its file was replaced. An engine waits while another one opens.
    pub fn is_due(&mut self, engine: Option<&Arc<str>>, follow: bool, now: Instant) -> bool {
        if self.pending.is_some() {
            return false;
        }
        if engine.map(|e| &**e) != self.wanted.as_deref() {
            self.want(engine.cloned());
            return true;
        }
        follow && self.watch.as_mut().is_some_and(|watch| watch.is_replaced(now))
    }

    /// Begins to open the engine that is due, with `open`.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn open(&mut self, open: impl FnOnce() -> Opened + Send + 'static) -> io::Result<()> {
        let (sender, result) = mpsc::channel();
        let work = move || {
            // The receiver is gone if the element stopped meanwhile.
            let _ = sender.send(open());
        };
        let thread = thread::Builder::new().name("gaze-engine".to_owned()).spawn(work)?;
        self.pending = Some(PendingEngine { engine: self.wanted.clone(), result, thread });
        Ok(())
    }

    /// Returns the model that has been loaded, if any.
    pub fn take(&mut self) -> Option<LoadedEngine> {
        let opened = match self.pending.as_ref()?.result.try_recv() {
            Ok(opened) => opened,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Opened {
                result: Err(ModelOpenError::wrong_type(
                    "the thread that opened it ended without a result; the log has the cause \
                     (GST_DEBUG=gazeruntime:6)",
                )),
                diagnostics: Vec::new(),
            },
        };
        let PendingEngine { engine, thread, .. } = self.pending.take()?;
        let _ = thread.join();
        Some(LoadedEngine { engine, opened })
    }

    /// Notes that the engine named last runs now.
    pub fn accept(&mut self) {
        self.running.clone_from(&self.wanted);
    }

    /// Notes that the engine named last did not open. Returns the one that runs on.
    pub fn reject(&mut self) -> Option<Arc<str>> {
        if self.running != self.wanted {
            self.want(self.running.clone());
        }
        self.running.clone()
    }
}

/// Tells a file from one that replaced it: time of modification and length.
type FileStamp = (SystemTime, u64);

/// Tells when a file was replaced and its new content is complete.
struct FileWatch {
    path: Arc<str>,
    /// Stamp of the content that was opened last.
    known: Option<FileStamp>,
    /// Stamp of other content at the last look.
    seen: Option<FileStamp>,
    next: Option<Instant>,
}

impl FileWatch {
    fn new(path: &Arc<str>) -> Self {
        Self { path: path.clone(), known: stamp(Path::new(&**path)), seen: None, next: None }
    }

    fn is_replaced(&mut self, now: Instant) -> bool {
        if self.next.is_some_and(|next| now < next) {
            return false;
        }
        self.next = Some(now + POLL);
        let found = stamp(Path::new(&*self.path));
        self.observe(found)
    }

    /// A file counts once two looks find it the same: a file that is still being copied grows.
    fn observe(&mut self, found: Option<FileStamp>) -> bool {
        let changed = found.is_some() && found != self.known;
        let settled = changed && found == self.seen;
        self.seen = found;
        if settled {
            self.known = found;
        }
        settled
    }
}

/// `None` where there is no file, as while it is being replaced.
fn stamp(path: &Path) -> Option<FileStamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_once_it_has_settled() {
        let at = |s: u64, len: u64| Some((SystemTime::UNIX_EPOCH + Duration::from_secs(s), len));
        let mut watch = FileWatch { path: "x".into(), known: at(1, 10), seen: None, next: None };
        assert!(!watch.observe(at(1, 10)), "unchanged");
        assert!(!watch.observe(at(2, 4)), "just begun");
        assert!(!watch.observe(at(2, 8)), "still growing");
        assert!(!watch.observe(None), "gone for a moment");
        assert!(!watch.observe(at(2, 12)));
        assert!(watch.observe(at(2, 12)), "complete");
        assert!(!watch.observe(at(2, 12)), "told once");
    }

    #[test]
    fn asks_the_file_system_now_and_then() {
        let mut watch = FileWatch::new(&Arc::from("/nowhere/model.onnx"));
        let now = Instant::now();
        assert!(!watch.is_replaced(now));
        let next = watch.next;
        assert!(!watch.is_replaced(now + POLL / 2));
        assert_eq!(watch.next, next, "not asked again so soon");
    }
}
