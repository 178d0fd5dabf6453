//! A session whose compiled model comes from the engine cache or goes into it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ort::session::Session;

use super::cache::entry::{CacheEntry, Lookup};
use super::cache::folder::ProviderFolder;
use super::cache::identity::{self, Identity};
use super::candidate::Candidate;
use super::provider::configured::Configured;
use super::provider::options::Task;
use crate::core::inference::EngineError;

/// Sizes of open dimensions, by the names of these.
type Sizes = [(String, usize)];

/// Opens a session; from the cache if the provider compiles and there is a cache.
///
/// # Errors
/// Those of [`Candidate::commit`]; a cache that cannot be used is a diagnostic.
pub(super) fn open(
    candidate: &Candidate<'_>,
    task: &Task<'_>,
    configured: &Configured,
    sizes: &Sizes,
) -> Result<Session, EngineError> {
    let companion = candidate.companion()?;
    let cache = Cache { candidate, configured, sizes, companion };
    let provider = candidate.provider;
    match task.compiled {
        true => candidate.commit(configured, sizes),
        false => match cache.directory() {
            Some(dir) if provider.gives_compiled_models() => cache.open_entry(&dir),
            Some(dir) if provider.keeps_a_folder() => cache.open_with_folder(&dir, task),
            _ => candidate.commit(configured, sizes),
        },
    }
}

/// The cache for one candidate.
struct Cache<'a> {
    candidate: &'a Candidate<'a>,
    configured: &'a Configured,
    sizes: &'a Sizes,
    /// Name and content of the file on which the compiled form depends.
    companion: Option<(OsString, Vec<u8>)>,
}

impl Cache<'_> {
    /// The cache's directory. Without one the model runs uncached, which is a diagnostic.
    fn directory(&self) -> Option<PathBuf> {
        self.candidate.options.cache.directory().unwrap_or_else(|why| {
            self.uncached(&why);
            None
        })
    }

    fn uncached(&self, why: &str) {
        self.candidate.diagnostics.warning(format!(
            "'{}' is compiled anew at every start, because the engine cache cannot be used: {why}. \
             Set engine-cache to a directory that can be written",
            self.candidate.source.shown
        ));
    }

    /// Reports why opening takes so long.
    fn waits(&self) {
        self.candidate.diagnostics.info(format!(
            "waiting for another process that compiles '{}' for {}",
            self.candidate.source.shown, self.candidate.provider
        ));
    }

    fn identity(&self) -> Identity {
        let source = self.candidate.source;
        let weights = source.weights.iter().map(|(_, content)| &content[..]);
        let companion = self.companion.iter().map(|(_, content)| &content[..]);
        let content =
            identity::content_hash([&source.bytes[..]].into_iter().chain(weights).chain(companion));
        let mut options: Vec<(String, String)> = self
            .configured
            .options
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .chain(
                self.sizes.iter().map(|(name, size)| (format!("size of {name}"), size.to_string())),
            )
            .collect();
        options.sort();
        let mut versions = self.configured.versions.clone();
        let pair = |name: &str, value: String| (name.to_owned(), value);
        versions.push(pair(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION").to_owned()));
        versions.push(pair("onnxruntime", self.candidate.runtime.version().to_owned()));
        versions.push(pair(
            "onnxruntime library",
            identity::file_version(self.candidate.runtime.path()),
        ));
        versions.sort();
        Identity {
            model: self.candidate.source.name.clone(),
            content,
            provider: self.candidate.provider.nick().to_owned(),
            options,
            versions,
        }
    }

    /// Opens the compiled model of the cache, or compiles the model and puts it there.
    fn open_entry(&self, dir: &Path) -> Result<Session, EngineError> {
        let diagnostics = self.candidate.diagnostics;
        let entry = match CacheEntry::lock(dir, self.identity(), || self.waits()) {
            Ok(entry) => entry,
            Err(why) => {
                self.uncached(&format!("'{}': {why}", dir.display()));
                return self.candidate.commit(self.configured, self.sizes);
            }
        };
        let shown = entry.path().display();
        match entry.read() {
            Lookup::Missing => {}
            Lookup::Compiled(compiled) => {
                let mut builder = self.candidate.session_builder(self.configured, &[])?;
                match builder.commit_from_memory(&compiled) {
                    Ok(session) => {
                        diagnostics.info(format!("compiled model taken from the cache: '{shown}'"));
                        return Ok(session);
                    }
                    Err(why) => diagnostics.warning(format!(
                        "the cached '{shown}' is stale and made anew: {}",
                        why.message()
                    )),
                }
            }
            Lookup::Broken(why) => {
                diagnostics.warning(format!("the cached '{shown}' is broken and made anew: {why}"));
            }
        }
        diagnostics.info(format!(
            "compiling '{}' for {}",
            self.candidate.source.shown, self.candidate.provider
        ));
        let compiled = self.candidate.compile(self.configured, self.sizes)?;
        let session = self
            .candidate
            .session_builder(self.configured, &[])?
            .commit_from_memory(&compiled)
            .map_err(|why| self.candidate.explain(why.message()))?;
        match entry.write(&compiled) {
            Ok(()) => diagnostics.info(format!("compiled model kept in '{shown}'")),
            Err(why) => self.uncached(&format!("'{shown}': {why}")),
        }
        Ok(session)
    }

    /// Opens with a folder in which the provider keeps its compiled models. If the provider fails on a
    /// model in it, the folder is emptied, once.
    fn open_with_folder(&self, dir: &Path, task: &Task<'_>) -> Result<Session, EngineError> {
        let folder = match ProviderFolder::lock(dir, &self.identity(), || self.waits()) {
            Ok(folder) => folder,
            Err(why) => {
                self.uncached(&format!("'{}': {why}", dir.display()));
                return self.candidate.commit(self.configured, self.sizes);
            }
        };
        let task = Task { folder: Some(folder.path()), ..*task };
        let configured = self.candidate.provider.configure(self.candidate.runtime, &task)?;
        let filled = folder.is_filled();
        let add = || self.companion.iter().try_for_each(|(name, bytes)| folder.add(name, bytes));
        if let Err(why) = add() {
            let folder = folder.path().display();
            return Err(self.candidate.source.error(format!("'{folder}' cannot be filled: {why}")));
        }
        match self.candidate.commit(&configured, self.sizes) {
            Err(EngineError::Load { reason, .. })
                if filled && folder.clear().is_ok() && add().is_ok() =>
            {
                self.candidate.diagnostics.warning(format!(
                    "the cached files in '{}' are thrown away and made anew: {reason}",
                    folder.path().display()
                ));
                self.candidate.commit(&configured, self.sizes)
            }
            result => result,
        }
    }
}
