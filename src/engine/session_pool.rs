//! Sessions that several engines share: a process loads the same model with the same options once, so
//! that many streams cost the memory of one model.
//!
//! Each engine has its own inputs and outputs. Their runs take the session by a fair lock, which hands
//! it to the thread that waits longest, so that no stream waits for ever behind another.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use ort::session::Session;
use parking_lot::{FairMutex, FairMutexGuard, Mutex};

use super::batcher::Batcher;
use super::cache::identity::content_hash;
use super::cache::location::EngineCache;
use super::device_tensors::InputDevice;
use super::model_source::{ModelFiles, ModelSource};
use super::options::EngineOptions;
use super::provider::cuda;
use super::provider::kind::{ExecutionProvider, Precision, QnnBackend};
use crate::core::inference::{Engine, EngineError, ModelInfo};

/// What distinguishes one session from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct SessionKey {
    model: ModelIdentity,
    provider: ExecutionProvider,
    device_id: u32,
    precision: Precision,
    cache: EngineCache,
    qnn_backend: QnnBackend,
    provider_options: Vec<(String, String)>,
    allow_fallback: bool,
    threads: usize,
    instance: Option<Arc<str>>,
    /// The shapes that it is compiled for; empty if it takes any.
    items: Vec<Vec<usize>>,
    batch_size: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum ModelIdentity {
    Files(ModelFiles),
    Memory { name: String, content: String },
}

impl SessionKey {
    /// The key of a model with these options, compiled for these shapes. `None` if engines must not share
    /// it: a trace and a CUDA graph belong to one engine.
    pub(super) fn new(
        source: &ModelSource,
        options: &EngineOptions,
        items: &[Vec<usize>],
    ) -> Option<Self> {
        if options.trace.is_some() || cuda::has_graphs(options) {
            return None;
        }
        let model = match &source.files {
            Some(files) => ModelIdentity::Files(files.clone()),
            None => ModelIdentity::Memory {
                name: source.name.clone(),
                content: content_hash([&source.bytes[..]]),
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
            // Only a session that is compiled for shapes depends on it.
            batch_size: if items.is_empty() { 0 } else { options.batch_size },
        })
    }
}

/// What engines of one batcher have in common: the shapes of their inputs with the largest batch, and
/// how long runs wait for others.
type BatcherKey = (Vec<Vec<usize>>, Duration);

/// A session and its description.
pub(super) struct SharedSession {
    session: FairMutex<Session>,
    batchers: Mutex<Vec<(BatcherKey, Weak<Batcher>)>>,
    /// Its inputs, outputs and metadata.
    pub(super) info: ModelInfo,
    /// The provider that runs it.
    pub(super) provider: &'static str,
    /// The device whose memory its inputs may be in.
    pub(super) device: Option<InputDevice>,
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
        device: Option<InputDevice>,
    ) -> Self {
        Self {
            session: FairMutex::new(session),
            batchers: Mutex::default(),
            info,
            provider,
            device,
        }
    }

    /// The session, once all threads that wait longer have had it.
    pub(super) fn lock(&self) -> FairMutexGuard<'_, Session> {
        self.session.lock()
    }

    /// The batcher of engines like this one; the first `engine` becomes the one that runs the batches.
    pub(super) fn batcher(&self, engine: impl Engine + 'static, timeout: Duration) -> Arc<Batcher> {
        let shapes = (0..engine.info().inputs.len()).map(|i| engine.input_shape(i).to_vec());
        let key = (shapes.collect(), timeout);
        let mut batchers = self.batchers.lock();
        batchers.retain(|(_, batcher)| batcher.strong_count() > 0);
        let known = batchers.iter().find(|(other, _)| *other == key);
        if let Some(batcher) = known.and_then(|(_, batcher)| batcher.upgrade()) {
            return batcher;
        }
        let batcher = Arc::new(Batcher::new(Box::new(engine), timeout));
        batchers.push((key, Arc::downgrade(&batcher)));
        batcher
    }
}

/// The entry of a session. Its lock is held while the session opens, so that only engines of the same
/// key wait.
type PoolEntry = Arc<Mutex<Weak<SharedSession>>>;

static POOL: LazyLock<Mutex<HashMap<SessionKey, PoolEntry>>> = LazyLock::new(Mutex::default);

/// The session of this key, opened if there is none. A session that `replaces` another may differ from
/// the running ones of its instance, whose engines follow one by one.
///
/// # Errors
/// Those of `open`; [`EngineError::Load`] if another model has the instance.
pub(super) fn session(
    key: Option<SessionKey>,
    replaces: bool,
    open: impl FnOnce() -> Result<SharedSession, EngineError>,
) -> Result<Arc<SharedSession>, EngineError> {
    let Some(key) = key else { return Ok(Arc::new(open()?)) };
    let entry = {
        let mut sessions = POOL.lock();
        // Unused entries whose session is closed.
        sessions.retain(|_, entry| Arc::strong_count(entry) > 1 || entry.lock().strong_count() > 0);
        if let Some(instance) = key.instance.as_ref().filter(|_| !replaces)
            && sessions.keys().any(|other| other.instance == key.instance && *other != key)
        {
            return Err(EngineError::Load {
                path: match &key.model {
                    ModelIdentity::Files(files) => {
                        files.paths().next().unwrap_or(Path::new("")).display().to_string()
                    }
                    ModelIdentity::Memory { name, .. } => name.clone(),
                },
                reason: format!(
                    "the model instance '{instance}' already runs with another model or other \
                     settings. Elements of one model-instance-id need the same engine, \
                     execution-provider, precision, threads and the like; use another id for others"
                ),
            });
        }
        sessions.entry(key).or_default().clone()
    };
    let mut entry = entry.lock();
    if let Some(session) = entry.upgrade() {
        return Ok(session);
    }
    let session = Arc::new(open()?);
    *entry = Arc::downgrade(&session);
    Ok(session)
}

/// The number of shared sessions that are open in this process.
pub fn open_sessions() -> usize {
    // Copied out: an entry may be locked for as long as a model compiles.
    let entries: Vec<PoolEntry> = POOL.lock().values().cloned().collect();
    entries.iter().filter(|entry| entry.lock().strong_count() > 0).count()
}
