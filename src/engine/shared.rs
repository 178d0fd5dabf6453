//! Sessions that several engines share: the same model with the same options is loaded once in a
//! process, so that many streams cost one model's memory.
//!
//! Each engine keeps inputs and outputs of its own; only runs take turns, in the order in which they
//! were asked for, so that no stream waits for ever behind another.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};
use std::{fmt, fs};

use ort::session::Session;

use super::EngineOptions;
use super::cache::{self, EngineCache};
use super::device::DevicePlace;
use super::placement::Source;
use super::provider::qnn::QnnBackend;
use super::provider::{self, ExecutionProvider, Precision};
use crate::core::inference::{Engine, EngineError, ModelInfo};
use crate::engine::batcher::Gatherer;
use crate::engine::fair_lock::{Held, Turns};

/// What tells a session from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    model: Origin,
    provider: ExecutionProvider,
    device_id: u32,
    precision: Precision,
    cache: EngineCache,
    qnn_backend: QnnBackend,
    provider_options: Vec<(String, String)>,
    allow_fallback: bool,
    threads: usize,
    instance: Option<Arc<str>>,
    /// Shapes that it is compiled for; empty where it takes any.
    items: Vec<Vec<usize>>,
    batch_size: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Origin {
    File { path: PathBuf, modified: SystemTime, bytes: u64 },
    Memory { name: String, content: String },
}

impl Key {
    /// The key of a model with these options, compiled for these shapes. `None` where it is not to be
    /// shared: a trace is of one engine, and so is a CUDA graph, and a file that cannot be looked at
    /// fails elsewhere.
    pub(super) fn new(
        source: &Source,
        options: &EngineOptions,
        items: &[Vec<usize>],
    ) -> Option<Self> {
        if options.trace.is_some() || provider::has_graphs(options) {
            return None;
        }
        let model = match &source.path {
            Some(path) => {
                let path = path.canonicalize().ok()?;
                let metadata = fs::metadata(&path).ok()?;
                let modified = metadata.modified().ok()?;
                Origin::File { path, modified, bytes: metadata.len() }
            }
            None => Origin::Memory {
                name: source.name.clone(),
                content: cache::content_hash(&source.bytes, &[]).ok()?,
            },
        };
        Some(Self {
            model,
            provider: options.provider,
            device_id: options.device_id,
            precision: options.precision,
            cache: options.cache.clone(),
            qnn_backend: options.qnn_backend,
            provider_options: options.provider_options.clone(),
            allow_fallback: options.allow_fallback,
            threads: options.effective_threads(),
            instance: options.instance.clone(),
            items: items.to_vec(),
            // Only what is compiled for shapes depends on it.
            batch_size: if items.is_empty() { 0 } else { options.batch_size },
        })
    }
}

/// Shapes of the inputs with the largest batch, and how long runs wait for others.
type Gathering = (Vec<Vec<usize>>, Duration);

/// A session and what is known of it.
pub(super) struct SharedSession {
    session: Mutex<Session>,
    turns: Turns,
    gatherers: Mutex<Vec<(Gathering, Weak<Gatherer>)>>,
    /// What it says of itself.
    pub(super) info: ModelInfo,
    /// Who computes.
    pub(super) provider: &'static str,
    /// The memory of a device that its inputs may be in.
    pub(super) place: Option<DevicePlace>,
}

impl fmt::Debug for SharedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSession").field("info", &self.info).finish_non_exhaustive()
    }
}

impl SharedSession {
    pub(super) fn new(
        session: Session,
        info: ModelInfo,
        provider: &'static str,
        place: Option<DevicePlace>,
    ) -> Self {
        Self {
            session: Mutex::new(session),
            turns: Turns::default(),
            gatherers: Mutex::default(),
            info,
            provider,
            place,
        }
    }

    /// The session, when it is this caller's turn.
    pub(super) fn lock(&self) -> Turn<'_> {
        let turn = self.turns.wait();
        Turn { session: lock(&self.session), _turn: turn }
    }

    /// What gathers the runs of engines like this one into batches; `engine` becomes its own where
    /// there is none yet.
    pub(super) fn gatherer(
        &self,
        engine: impl Engine + 'static,
        timeout: Duration,
    ) -> Arc<Gatherer> {
        let shapes = (0..engine.info().inputs.len()).map(|i| engine.input_shape(i).to_vec());
        let kind = (shapes.collect(), timeout);
        let mut gatherers = lock(&self.gatherers);
        gatherers.retain(|(_, gatherer)| gatherer.strong_count() > 0);
        let known = gatherers.iter().find(|(other, _)| *other == kind);
        if let Some(gatherer) = known.and_then(|(_, gatherer)| gatherer.upgrade()) {
            return gatherer;
        }
        let gatherer = Arc::new(Gatherer::new(Box::new(engine), timeout));
        gatherers.push((kind, Arc::downgrade(&gatherer)));
        gatherer
    }
}

/// The session, for one caller.
pub(super) struct Turn<'a> {
    // Given back before the turn ends.
    pub(super) session: MutexGuard<'a, Session>,
    _turn: Held<'a>,
}

/// A place for a session. Its lock is held while the session opens, so that others wait for it and
/// for no other one.
type Place = Arc<Mutex<Weak<SharedSession>>>;

static OPEN: LazyLock<Mutex<HashMap<Key, Place>>> = LazyLock::new(Mutex::default);

/// The session of this key, opened if there is none. One that `replaces` another may differ from what
/// runs under its instance's name; the others of the instance follow one by one.
///
/// # Errors
/// Those of `open`; [`EngineError::Load`] where the instance is another model's.
pub(super) fn session(
    key: Option<Key>,
    replaces: bool,
    open: impl FnOnce() -> Result<SharedSession, EngineError>,
) -> Result<Arc<SharedSession>, EngineError> {
    let Some(key) = key else { return Ok(Arc::new(open()?)) };
    let place = {
        let mut sessions = lock(&OPEN);
        // Places that nobody holds and whose session is gone.
        sessions.retain(|_, place| Arc::strong_count(place) > 1 || lock(place).strong_count() > 0);
        if let Some(instance) = key.instance.as_ref().filter(|_| !replaces)
            && sessions.keys().any(|other| other.instance == key.instance && *other != key)
        {
            return Err(EngineError::Load {
                path: match &key.model {
                    Origin::File { path, .. } => path.display().to_string(),
                    Origin::Memory { name, .. } => name.clone(),
                },
                reason: format!(
                    "the model instance '{instance}' runs already, with another model or other \
                     settings. Elements of one model-instance-id need the same engine, \
                     execution-provider, precision, threads and the like; use another id for others"
                ),
            });
        }
        sessions.entry(key).or_default().clone()
    };
    let mut place = lock(&place);
    if let Some(session) = place.upgrade() {
        return Ok(session);
    }
    let session = Arc::new(open()?);
    *place = Arc::downgrade(&session);
    Ok(session)
}

/// How many sessions are open in this process that may be shared.
pub fn open_sessions() -> usize {
    // Copied out: a place may be locked for as long as a model compiles.
    let places: Vec<Place> = lock(&OPEN).values().cloned().collect();
    places.iter().filter(|place| lock(place).strong_count() > 0).count()
}

/// A panic elsewhere leaves nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
