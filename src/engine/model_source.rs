//! Where a model comes from: files, or memory.
//!
//! A model runs from bytes that this process owns. Files that are mapped, or read again later, could be
//! replaced under a running session: weights that are overwritten in place would end the process by
//! SIGBUS or change its answers, and a cache would keep one model's engine under another's hash.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use ort::session::Session;
use ort::session::builder::SessionBuilder;

use super::file_format::{self, FileFormat};
use super::runtime::Runtime;
use super::user_file::{self, FileError, FileStamp};
use crate::core::inference::EngineError;
use crate::core::onnx::OnnxModel;

/// The most bytes of a model file: a protocol buffer is shorter than 2 GiB.
/// <https://protobuf.dev/programming-guides/proto-limits/>
pub(super) const MAX_MODEL: u64 = (1 << 31) - 1;

/// The most bytes of all files that hold a model's weights. Gaze models have some megabytes.
const MAX_WEIGHTS: u64 = 8 << 30;

/// A model file with the files that it names, or a model in memory.
#[derive(Debug)]
pub(super) struct ModelSource {
    /// Its name in messages and metadata.
    pub(super) name: String,
    /// Its path in messages.
    pub(super) shown: String,
    pub(super) format: FileFormat,
    pub(super) bytes: Vec<u8>,
    /// What an ONNX file declares.
    pub(super) declared: OnnxModel,
    /// The files of its weights, by the names that the model has for them.
    pub(super) weights: Vec<(String, Arc<[u8]>)>,
    /// The files that were read; `None` in memory.
    pub(super) files: Option<ModelFiles>,
}

/// The files of a model, as they were at one time; `None` stands for a file that was not there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelFiles(Vec<(PathBuf, Option<FileStamp>)>);

impl ModelFiles {
    /// The same files as they are now.
    pub fn now(&self) -> Self {
        Self(self.paths().map(|path| (path.to_path_buf(), FileStamp::of(path))).collect())
    }

    /// Whether all files were there.
    pub fn are_complete(&self) -> bool {
        self.0.iter().all(|(_, stamp)| stamp.is_some())
    }

    /// The paths: the model's, then those of the files that it names.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|(path, _)| &**path)
    }
}

/// The files of the model at `path`, to see later whether one was replaced. A file that is missing is
/// among them, so that it is seen when it arrives.
pub fn model_files(path: &Path) -> ModelFiles {
    let model = (path.to_path_buf(), FileStamp::of(path));
    let declared = user_file::read(path, MAX_MODEL)
        .ok()
        .and_then(|(bytes, _)| declared(file_format::of(path, &bytes).ok()?, &bytes).ok())
        .unwrap_or_default();
    let beside = declared.named_files().filter_map(|file| match locate(path, file) {
        Ok((path, stamp)) => Some((path, Some(stamp))),
        Err(_) if is_inside(file) => Some((folder(path).join(file), None)),
        Err(_) => None,
    });
    ModelFiles([model].into_iter().chain(beside).collect())
}

impl ModelSource {
    /// Reads a model file and the files that it names.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Load`]: a file is missing, is not a regular file, lies
    /// outside the model's folder, is too short or too long, or changes meanwhile.
    pub(super) fn read(path: &Path) -> Result<Self, EngineError> {
        let shown = path.display().to_string();
        let load = |reason: String| EngineError::Load { path: shown.clone(), reason };
        let (bytes, stamp) = user_file::read(path, MAX_MODEL)
            .map_err(|why| file_format::file_error(&shown, &why))?;
        let format = file_format::of(path, &bytes).map_err(load)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut files = vec![(path.to_path_buf(), Some(stamp))];
        let declared = declared(format, &bytes).map_err(load)?;
        let mut weights = Vec::new();
        let mut total = 0;
        for (file, needed) in &declared.external_files {
            let (content, path, stamp) =
                read_beside(path, file, MAX_WEIGHTS - total).map_err(load)?;
            total += content.len() as u64;
            if (content.len() as u64) < *needed {
                return Err(load(format!(
                    "its weights in '{file}' need {needed} bytes, and the file has {}: the two files \
                     do not belong together, or a copy is not complete",
                    content.len()
                )));
            }
            weights.push((file.clone(), content.into()));
            files.push((path, Some(stamp)));
        }
        for file in declared.compiled.iter().filter_map(|part| part.file.as_deref()) {
            // The provider reads it.
            let (path, stamp) = locate(path, file).map_err(load)?;
            files.push((path, Some(stamp)));
        }
        let files = ModelFiles(files);
        if files.now() != files {
            return Err(load(FileError::Changed.to_string()));
        }
        Ok(Self { name, shown, format, bytes, declared, weights, files: Some(files) })
    }

    /// A model in memory, whose weights are all in it; `name` stands for the path in messages.
    ///
    /// # Errors
    /// [`EngineError::Load`]: it is no model, or names files.
    pub(super) fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, EngineError> {
        let load = |reason: String| EngineError::Load { path: name.to_owned(), reason };
        let format = file_format::recognise(&bytes).map_err(load)?;
        let declared = declared(format, &bytes).map_err(load)?;
        if let Some(file) = declared.named_files().next() {
            return Err(load(format!("a model in memory has no file '{file}' beside it")));
        }
        Ok(Self {
            name: name.to_owned(),
            shown: name.to_owned(),
            format,
            bytes,
            declared,
            weights: Vec::new(),
            files: None,
        })
    }

    /// The error of a model that cannot be loaded.
    pub(super) fn error(&self, reason: impl Into<String>) -> EngineError {
        EngineError::Load { path: self.shown.clone(), reason: reason.into() }
    }

    /// The error for a message of ONNX Runtime, with the remedy where the message has none.
    pub(super) fn refused(&self, runtime: &Runtime, message: &str) -> EngineError {
        let is_newer = ["Unsupported model IR version", "is under development and support"]
            .iter()
            .any(|text| message.contains(text));
        if is_newer {
            return self.error(format!(
                "{message}. The model is newer than the ONNX Runtime {} at '{}': update that \
                 (`pip install --upgrade onnxruntime`), or export the model with an older opset",
                runtime.version(),
                runtime.path().display()
            ));
        }
        self.error(message)
    }

    /// The path that ONNX Runtime must read itself: that of a model which names compiled engines beside
    /// it. Their content goes to the provider alone.
    pub(super) fn path(&self) -> Option<&Path> {
        let beside = self.declared.compiled.iter().any(|part| part.file.is_some());
        self.files.as_ref().filter(|_| beside).and_then(|files| files.paths().next())
    }

    /// Gives a session the weights that are not in the model file.
    pub(super) fn with_weights(&self, mut builder: SessionBuilder) -> ort::Result<SessionBuilder> {
        for (file, content) in &self.weights {
            builder = builder.with_external_initializer_file_in_memory(file, content.clone())?;
        }
        Ok(builder)
    }

    /// Opens a session of it.
    pub(super) fn commit(&self, builder: SessionBuilder) -> ort::Result<Session> {
        match self.path() {
            Some(path) => { builder }.commit_from_file(path),
            None => self.with_weights(builder)?.commit_from_memory(&self.bytes),
        }
    }
}

/// What an ONNX file declares; nothing for other formats, which only a runtime reads.
fn declared(format: FileFormat, bytes: &[u8]) -> Result<OnnxModel, String> {
    match format {
        FileFormat::Onnx => OnnxModel::parse(bytes).map_err(|why| why.to_string()),
        FileFormat::Ort | FileFormat::Engine(_) => Ok(OnnxModel::default()),
    }
}

/// Reads a file that the model at `model` names.
fn read_beside(
    model: &Path,
    file: &str,
    limit: u64,
) -> Result<(Vec<u8>, PathBuf, FileStamp), String> {
    let (path, _) = locate(model, file)?;
    let (content, stamp) = user_file::read(&path, limit)
        .map_err(|why| format!("its weights in '{}': {why}", path.display()))?;
    Ok((content, path, stamp))
}

/// Finds a file that the model at `model` names: in the model's folder, or, where the model is a
/// symbolic link, in the folder of its target.
fn locate(model: &Path, file: &str) -> Result<(PathBuf, FileStamp), String> {
    let relative = Path::new(file);
    if !is_inside(file) {
        return Err(format!(
            "it names the file '{file}', which is not in the model's folder. Save the model again \
             with its weights beside it"
        ));
    }
    let given = folder(model);
    let target = model.canonicalize().map(|path| folder(&path).to_path_buf()).unwrap_or_default();
    for folder in [given, &target] {
        let path = folder.join(relative);
        let Some(stamp) = FileStamp::of(&path) else { continue };
        let real = path.canonicalize().map_err(|why| format!("'{}': {why}", path.display()))?;
        let home = given.canonicalize().unwrap_or_default();
        if !real.starts_with(&home) && !real.starts_with(&target) {
            return Err(format!(
                "it names the file '{file}', a link that leaves the model's folder to '{}'",
                real.display()
            ));
        }
        return Ok((path, stamp));
    }
    Err(format!("it needs the file '{file}', which is missing: copy '{file}' beside the model"))
}

/// Whether a name leads to a file in the folder that it starts from, or below.
fn is_inside(file: &str) -> bool {
    let inside = |c| matches!(c, Component::Normal(_) | Component::CurDir);
    !file.is_empty() && Path::new(file).components().all(inside)
}

/// The folder of a file.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
