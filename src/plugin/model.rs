//! Opens the models of an element: settings in, an engine or an error message out.

use std::sync::{Arc, LazyLock, Once};
use std::time::Duration;

use gst::prelude::*;

use super::errors::{ModelOpenError, engine_error};
use super::execution::Execution;
use crate::core::face::attributes::{Attribute, AttributeError};
use crate::core::face::detect::{DetectError, FaceDetector, opening_size};
use crate::core::gaze::estimator::{EstimateError, GazeEstimator};
use crate::core::inference::Engine;
use crate::core::profile::FoundBy;
use crate::engine::log::{self, LogLevel, LogOrigin};
use crate::engine::{self, Cancel, Diagnostic, EngineOptions, OpenError, OpenModel, embedded};

/// Which execution provider runs a model and why, and what the engine cache does.
static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "gazeruntime",
        gst::DebugColorFlags::empty(),
        Some("Which execution provider runs a model, and why"),
    )
});

/// The messages of ONNX Runtime itself, which tells every step.
static ONNX_RUNTIME: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "onnxruntime",
        gst::DebugColorFlags::empty(),
        Some("ONNX Runtime's own messages"),
    )
});

/// A size at which any detector opens.
const DETECTOR_SIZE: u32 = 320;

/// How to run a model.
#[derive(Clone, Debug)]
pub struct Options {
    /// The execution provider and its options.
    pub execution: Execution,
    /// CPU threads; 0 is automatic.
    pub threads: u32,
    /// Most items in one run of a model with a dynamic batch.
    pub batch_size: u32,
    /// See [`EngineOptions::engine_batch`].
    pub engine_batch: u32,
    /// See [`EngineOptions::batch_timeout`].
    pub batch_timeout: Duration,
    /// See [`EngineOptions::instance`].
    pub instance: Option<Arc<str>>,
    /// See [`EngineOptions::replaces`].
    pub replaces: bool,
    /// See [`EngineOptions::cancel`].
    pub cancel: Cancel,
}

impl Options {
    /// Options for one item per run, in a session shared with elements of the same model and options.
    pub fn new(execution: Execution, threads: u32) -> Self {
        Self {
            execution,
            threads,
            batch_size: 1,
            engine_batch: 1,
            batch_timeout: Duration::ZERO,
            instance: None,
            replaces: false,
            cancel: Cancel::default(),
        }
    }

    /// Returns the engine's options, and sends its messages to GStreamer's log from now on.
    ///
    /// # Errors
    /// A setting is wrong.
    pub fn for_engine(&self) -> Result<EngineOptions, ModelOpenError> {
        bridge_log();
        let execution = self.execution.for_engine().map_err(ModelOpenError::settings)?;
        Ok(EngineOptions {
            threads: self.threads as usize,
            batch_size: self.batch_size as usize,
            engine_batch: self.engine_batch as usize,
            batch_timeout: self.batch_timeout,
            instance: self.instance.clone(),
            replaces: self.replaces,
            cancel: self.cancel.clone(),
            ..execution
        })
    }
}

/// Opens the embedded gaze model.
pub fn open_embedded_gaze(
    options: &Options,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<GazeEstimator, ModelOpenError> {
    let model = engine::open_embedded(&options.for_engine()?)
        .into_result(diagnostics)
        .map_err(|e| ModelOpenError::of_model(embedded::NAME, &e))?;
    estimator(embedded::NAME, model)
}

/// Opens a gaze model with its profile.
pub fn open_gaze(
    path: &str,
    profile: Option<&str>,
    options: &Options,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(GazeEstimator, FoundBy), ModelOpenError> {
    let model = engine::open_model(path, profile, &options.for_engine()?)
        .into_result(diagnostics)
        .map_err(|e| match &e {
            OpenError::Profile(_) if is_detector(path, options) => {
                ModelOpenError::wrong_type(format!(
                    "'{path}' is a face detector, not a gaze model: set it as 'gazeface engine=...'"
                ))
            }
            e => ModelOpenError::of_model(path, e),
        })?;
    let source = model.source.clone();
    Ok((estimator(path, model)?, source))
}

fn estimator(path: &str, model: OpenModel) -> Result<GazeEstimator, ModelOpenError> {
    GazeEstimator::new(model.engine, &model.profile, model.decoder).map_err(|e| match &e {
        EstimateError::Engine(e) => ModelOpenError::from(e),
        e => ModelOpenError::wrong_type(format!("'{path}': {e}")),
    })
}

/// Returns whether the file is a face detector, for a better message.
fn is_detector(path: &str, options: &Options) -> bool {
    let options = Options::new(Execution::on_cpu(), options.threads);
    open_detector(path, DETECTOR_SIZE, &options, &mut Vec::new()).is_ok()
}

/// Opens a face detector; `input_size` sets a dynamic input size.
pub fn open_detector(
    path: &str,
    input_size: u32,
    options: &Options,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<FaceDetector, gst::ErrorMessage> {
    let options =
        EngineOptions { input_size: Some(opening_size(input_size)), ..options.for_engine()? };
    let engine =
        engine::open(path, &options).into_result(diagnostics).map_err(|e| engine_error(&e))?;
    FaceDetector::new(Box::new(engine), input_size).map_err(|e| detect_error(path, &e))
}

/// Opens the embedded face detector; `input_size` limits its input.
pub fn open_embedded(input_size: u32) -> Result<FaceDetector, gst::ErrorMessage> {
    FaceDetector::embedded(input_size)
        .map_err(|error| gst::error_msg!(gst::LibraryError::Init, ("{error}")))
}

fn detect_error(path: &str, error: &DetectError) -> gst::ErrorMessage {
    match error {
        DetectError::Engine(error) => engine_error(error),
        error => gst::error_msg!(gst::StreamError::WrongType, ("'{path}': {error}")),
    }
}

/// Opens a model for one attribute of a face; `recognise` makes it from the engine.
pub fn open_attribute<T>(
    path: &str,
    options: &Options,
    attribute: Attribute,
    recognise: impl FnOnce(Box<dyn Engine>) -> Result<T, AttributeError>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<T, gst::ErrorMessage> {
    let options = EngineOptions {
        batch_size: 1,
        input_size: Some(attribute.input_size()),
        ..options.for_engine()?
    };
    let engine =
        engine::open(path, &options).into_result(diagnostics).map_err(|e| engine_error(&e))?;
    recognise(Box::new(engine)).map_err(|e| match e {
        AttributeError::Engine(e) => engine_error(&e),
        e => gst::error_msg!(gst::StreamError::WrongType, ("'{path}': {e}")),
    })
}

/// Posts those diagnostics of opening models that a user may want to act on. The log has all of them
/// already.
pub fn report(element: &impl IsA<gst::Element>, diagnostics: &[Diagnostic]) {
    for Diagnostic { level, text } in diagnostics {
        if matches!(level, LogLevel::Warning | LogLevel::Error) {
            gst::element_warning!(element, gst::ResourceError::Settings, ("{text}"));
        }
    }
}

/// Sends the engine's messages to the debug category `gazeruntime`, and those of ONNX Runtime to
/// `onnxruntime`, at the level that this category has now (`GST_DEBUG=onnxruntime:6`).
fn bridge_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let level = match ONNX_RUNTIME.threshold() {
            gst::DebugLevel::Log | gst::DebugLevel::Trace | gst::DebugLevel::Memdump => {
                LogLevel::Verbose
            }
            gst::DebugLevel::Info | gst::DebugLevel::Debug => LogLevel::Info,
            _ => LogLevel::Warning,
        };
        log::set_log_sink(
            |origin, level, location, message| {
                let level = match level {
                    LogLevel::Error => gst::DebugLevel::Error,
                    LogLevel::Warning => gst::DebugLevel::Warning,
                    LogLevel::Info => gst::DebugLevel::Info,
                    LogLevel::Verbose => gst::DebugLevel::Log,
                };
                match origin {
                    LogOrigin::Engine => gst::log_with_level!(*CAT, level, "{message}"),
                    LogOrigin::OnnxRuntime => {
                        gst::log_with_level!(*ONNX_RUNTIME, level, "{location}: {message}");
                    }
                }
            },
            level,
        );
    });
}
