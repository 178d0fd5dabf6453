//! A model that opens can be told to stop, and its first run has a deadline.
//!
//! A file may hold a loop of 2^62 rounds, and a large model takes minutes to open. The thread that waits
//! for it must still be able to end.

use std::env;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ort::session::RunOptions;
use ort::session::builder::{LoadCanceler, SessionBuilder};
use parking_lot::{Condvar, Mutex};

use crate::core::inference::EngineError;

/// How many seconds the first run of a model may take; 0 is no limit.
const VARIABLE: &str = "GAZE_FIRST_RUN_SECONDS";

/// The limit unless the variable is set. TensorRT may still choose kernels in the first run, which takes
/// minutes on a Jetson.
const FIRST_RUN: Duration = Duration::from_secs(600);

/// Cancels the opening of a model from another thread; clones cancel the same.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    cancelled: bool,
    /// Sessions that open.
    loads: Vec<LoadCanceler>,
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("cancelled", &self.is_cancelled()).finish()
    }
}

impl Cancel {
    /// Cancels: the opening fails as soon as the runtime notices.
    pub fn cancel(&self) {
        let loads = {
            let mut state = self.0.state.lock();
            state.cancelled = true;
            std::mem::take(&mut state.loads)
        };
        self.0.changed.notify_all();
        for load in loads {
            // It fails where the session has opened meanwhile.
            let _ = load.cancel();
        }
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.state.lock().cancelled
    }

    /// Watches a session that is about to open.
    pub(super) fn watch(&self, builder: &SessionBuilder) {
        let load = builder.canceler();
        let mut state = self.0.state.lock();
        if state.cancelled {
            drop(state);
            let _ = load.cancel();
        } else {
            state.loads.push(load);
        }
    }

    /// Makes a first run, which ends when it is cancelled or takes too long.
    ///
    /// # Errors
    /// [`EngineError::Run`]: the cause, or the message of the runtime.
    pub(super) fn first_run<T>(
        &self,
        run: impl FnOnce(&RunOptions) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.run_within(limit(), run)
    }

    fn run_within<T>(
        &self,
        limit: Option<Duration>,
        run: impl FnOnce(&RunOptions) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let options =
            RunOptions::new().map_err(|why| EngineError::Run(why.message().to_owned()))?;
        let done = AtomicBool::new(false);
        let deadline = limit.map(|limit| Instant::now() + limit);
        let result = thread::scope(|scope| {
            let watch = || self.terminate_at(deadline, &done, &options);
            // Without a thread left the run has no deadline.
            let _watch = thread::Builder::new().spawn_scoped(scope, watch);
            let _end = EndOfRun { shared: &self.0, done: &done };
            run(&options)
        });
        match (result, limit) {
            (Err(_), _) if self.is_cancelled() => {
                Err(EngineError::Run("the opening of the model was cancelled".to_owned()))
            }
            (Err(EngineError::Run(why)), Some(limit)) if is_terminated(&why) => {
                Err(EngineError::Run(format!(
                    "the model's first run took longer than {} s and was ended. Its graph may loop \
                     without end; if the model is only slow, set {VARIABLE} to more seconds",
                    limit.as_secs_f32()
                )))
            }
            (result, _) => result,
        }
    }

    /// Waits for the end of the run, and terminates it when it is cancelled or too late.
    fn terminate_at(&self, deadline: Option<Instant>, done: &AtomicBool, options: &RunOptions) {
        let mut state = self.0.state.lock();
        while !done.load(Ordering::Relaxed) {
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if late || state.cancelled {
                let _ = options.terminate();
                return;
            }
            match deadline {
                Some(deadline) => drop(self.0.changed.wait_until(&mut state, deadline)),
                None => self.0.changed.wait(&mut state),
            }
        }
    }
}

/// Ends the watch of a run, also when the run panics.
struct EndOfRun<'a> {
    shared: &'a Shared,
    done: &'a AtomicBool,
}

impl Drop for EndOfRun<'_> {
    fn drop(&mut self) {
        let _state = self.shared.state.lock();
        self.done.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
    }
}

/// Whether ONNX Runtime's message says that a run was terminated.
fn is_terminated(message: &str) -> bool {
    message.contains("terminate flag")
}

fn limit() -> Option<Duration> {
    let seconds = env::var(VARIABLE).ok().and_then(|text| text.trim().parse::<u32>().ok());
    let limit = seconds.map_or(FIRST_RUN, |seconds| Duration::from_secs(seconds.into()));
    (!limit.is_zero()).then_some(limit)
}
