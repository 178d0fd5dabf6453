//! Another model while the stream runs.
//!
//! The new model is opened by a thread of its own beside the one that runs, and handed over between
//! two frames. One that cannot be opened changes nothing.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, io};

use crate::core::gaze::estimator::GazeEstimator;
use crate::plugin::errors::Refusal;

/// How often a file is asked whether it changed.
const POLL: Duration = Duration::from_secs(1);

/// What opening a model gives.
pub(super) type Opened = crate::engine::Opened<GazeEstimator, Refusal>;

/// A model that was to replace another.
pub(super) struct Loaded {
    /// Its file; `None` is the embedded one.
    pub engine: Option<Arc<str>>,
    /// The model, or why there is none, and what opening it reported.
    pub opened: Opened,
}

/// Loads models beside the one that runs, one at a time.
#[derive(Default)]
pub(super) struct Reloader {
    /// The engine that runs; `None` is the embedded one.
    running: Option<Arc<str>>,
    /// The engine that was asked for last, whether it runs or not.
    wanted: Option<Arc<str>>,
    watch: Option<FileWatch>,
    loading: Option<Loading>,
}

struct Loading {
    engine: Option<Arc<str>>,
    result: Receiver<Opened>,
    thread: JoinHandle<()>,
}

impl Reloader {
    /// The model that runs now is this one.
    pub fn start(&mut self, engine: Option<Arc<str>>) {
        self.stop();
        self.want(engine.clone());
        self.running = engine;
    }

    fn want(&mut self, engine: Option<Arc<str>>) {
        self.watch = engine.as_ref().map(FileWatch::new);
        self.wanted = engine;
    }

    /// Waits until nothing is loaded any more.
    pub fn stop(&mut self) {
        if let Some(loading) = self.loading.take() {
            // A thread that panicked has said so.
            let _ = loading.thread.join();
        }
        *self = Self::default();
    }

    /// Whether `engine` is to be opened at `now`: it is another one than was asked for last, or, if
    /// `follow` says so, its file was replaced. While one is being opened the next has to wait.
    pub fn is_due(&mut self, engine: Option<&Arc<str>>, follow: bool, now: Instant) -> bool {
        if self.loading.is_some() {
            return false;
        }
        if engine.map(|e| &**e) != self.wanted.as_deref() {
            self.want(engine.cloned());
            return true;
        }
        follow && self.watch.as_mut().is_some_and(|watch| watch.is_replaced(now))
    }

    /// Begins to open the engine that is due.
    ///
    /// # Errors
    /// Where the system has no thread left.
    pub fn open(&mut self, open: impl FnOnce() -> Opened + Send + 'static) -> io::Result<()> {
        let (sender, result) = mpsc::channel();
        let work = move || {
            // Nobody takes it any more where the element was stopped meanwhile.
            let _ = sender.send(open());
        };
        let thread = thread::Builder::new().name("gaze-engine".to_owned()).spawn(work)?;
        self.loading = Some(Loading { engine: self.wanted.clone(), result, thread });
        Ok(())
    }

    /// What has been opened since.
    pub fn take(&mut self) -> Option<Loaded> {
        let opened = match self.loading.as_ref()?.result.try_recv() {
            Ok(opened) => opened,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Opened {
                result: Err(Refusal::wrong_type(
                    "opening it ended without a result. See what was logged \
                     (GST_DEBUG=gazeruntime:6)",
                )),
                diagnostics: Vec::new(),
            },
        };
        let Loading { engine, thread, .. } = self.loading.take()?;
        let _ = thread.join();
        Some(Loaded { engine, opened })
    }

    /// What was asked for last runs now.
    pub fn accept(&mut self) {
        self.running.clone_from(&self.wanted);
    }

    /// What was asked for last did not come to be. Gives what still runs.
    pub fn reject(&mut self) -> Option<Arc<str>> {
        if self.running != self.wanted {
            self.want(self.running.clone());
        }
        self.running.clone()
    }
}

/// What tells a file from one that replaced it.
type Stamp = (SystemTime, u64);

/// Tells when a file was replaced, and its new content is complete.
struct FileWatch {
    path: Arc<str>,
    /// Of the content that was opened last.
    known: Option<Stamp>,
    /// Of other content, at the last look.
    seen: Option<Stamp>,
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

    /// A file counts once two looks found it the same: one that is still being copied grows.
    fn observe(&mut self, found: Option<Stamp>) -> bool {
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
fn stamp(path: &Path) -> Option<Stamp> {
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
