//! Loads a new engine while the running one infers.
//!
//! A thread of its own opens the new model; the streaming thread takes it over between two frames. A
//! model that does not open changes nothing.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant};

use crate::core::gaze::estimator::GazeEstimator;
use crate::engine::{Cancel, ModelFiles, model_files, worker};
use crate::plugin::errors::ModelOpenError;

/// How often the watch looks at the files.
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
    /// The files before they were read, and what became of them.
    result: Receiver<(Option<ModelFiles>, Opened)>,
    cancel: Cancel,
}

impl EngineLoader {
    /// Notes that this engine runs.
    pub fn start(&mut self, engine: Option<Arc<str>>) {
        self.stop();
        self.want(engine.clone());
        self.running = engine;
    }

    fn want(&mut self, engine: Option<Arc<str>>) {
        self.watch =
            engine.as_ref().map(|engine| FileWatch::new(model_files(Path::new(&**engine))));
        self.wanted = engine;
    }

    /// Forgets a model that still loads: its thread ends as soon as the runtime notices.
    pub fn stop(&mut self) {
        if let Some(pending) = self.pending.take() {
            pending.cancel.cancel();
        }
        *self = Self::default();
    }

    /// Returns whether to open `engine` at `now`: the property names a new one, or `follow` is set and
    /// one of its files was replaced. An engine waits while another one opens.
    pub fn is_due(&mut self, engine: Option<&Arc<str>>, follow: bool, now: Instant) -> bool {
        if self.pending.is_some() {
            return false;
        }
        if engine.map(|e| &**e) != self.wanted.as_deref() {
            // The thread that opens it reads which files it has.
            self.watch = None;
            self.wanted = engine.cloned();
            return true;
        }
        follow && self.watch.as_mut().is_some_and(|watch| watch.is_replaced(now))
    }

    /// Begins to open the engine that is due, with `open`.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn open(&mut self, open: impl FnOnce(Cancel) -> Opened + Send + 'static) -> io::Result<()> {
        let (sender, result) = mpsc::channel();
        let cancel = Cancel::default();
        let (engine, token) = (self.wanted.clone(), cancel.clone());
        worker::run(move || {
            let files = engine.map(|engine| model_files(Path::new(&*engine)));
            // The receiver is gone if the element stopped meanwhile.
            let _ = sender.send((files, open(token)));
        })?;
        self.pending = Some(PendingEngine { engine: self.wanted.clone(), result, cancel });
        Ok(())
    }

    /// Returns the model that has been loaded, if any.
    pub fn take(&mut self) -> Option<LoadedEngine> {
        let (files, opened) = match self.pending.as_ref()?.result.try_recv() {
            Ok(result) => result,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => {
                let result = Err(ModelOpenError::wrong_type(
                    "the thread that opened it ended without a result; the log has the cause \
                     (GST_DEBUG=gazeruntime:6)",
                ));
                (None, Opened { result, diagnostics: Vec::new() })
            }
        };
        let engine = self.pending.take()?.engine;
        self.watch = files.map(FileWatch::new);
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

/// Tells when a file of a model was replaced and the new content is complete.
struct FileWatch {
    /// The content that was opened last.
    known: ModelFiles,
    /// Other content at the last look.
    seen: Option<ModelFiles>,
    next: Option<Instant>,
}

impl FileWatch {
    fn new(known: ModelFiles) -> Self {
        Self { known, seen: None, next: None }
    }

    fn is_replaced(&mut self, now: Instant) -> bool {
        if self.next.is_some_and(|next| now < next) {
            return false;
        }
        self.next = Some(now + POLL);
        self.observe(self.known.now())
    }

    /// New content counts once two looks find it complete and the same: a file that is still being copied
    /// grows, and a model and its weights are replaced one after the other.
    fn observe(&mut self, found: ModelFiles) -> bool {
        let changed = found != self.known && found.are_complete();
        let settled = changed && self.seen.as_ref() == Some(&found);
        if settled {
            self.known = found.clone();
        }
        self.seen = Some(found);
        settled
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_count_once_all_have_settled() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gaze.onnx");
        fs::write(&path, "first").unwrap();
        let mut watch = FileWatch::new(model_files(&path));
        let mut look = || {
            let found = watch.known.now();
            watch.observe(found)
        };
        assert!(!look(), "unchanged");
        fs::write(&path, "sec").unwrap();
        assert!(!look(), "just begun");
        fs::write(&path, "second o").unwrap();
        assert!(!look(), "still growing");
        fs::remove_file(&path).unwrap();
        assert!(!look() && !look(), "gone for a moment");
        fs::write(&path, "second one").unwrap();
        assert!(!look());
        assert!(look(), "complete");
        assert!(!look(), "told once");
    }

    #[test]
    fn asks_the_file_system_now_and_then() {
        let mut watch = FileWatch::new(model_files(Path::new("/nowhere/model.onnx")));
        let now = Instant::now();
        assert!(!watch.is_replaced(now));
        let next = watch.next;
        assert!(!watch.is_replaced(now + POLL / 2));
        assert_eq!(watch.next, next, "not asked again so soon");
    }
}
