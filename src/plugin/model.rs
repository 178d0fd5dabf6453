//! Opening a model for an element: settings in, an engine or an error message out.

use std::sync::{Arc, LazyLock, Once};
use std::time::Duration;

use gst::prelude::*;

use super::errors::{Refusal, engine_error};
use super::execution::Execution;
use crate::core::face::attributes::{Attribute, AttributeError};
use crate::core::face::detect::{DetectError, FaceDetector, opening_size};
use crate::core::gaze::estimator::{EstimateError, GazeEstimator};
use crate::core::inference::Engine;
use crate::core::profile::FoundBy;
use crate::engine::runtime::{self, LogLevel};
use crate::engine::{self, Diagnostic, EngineOptions, OpenError, OpenModel, embedded};

/// What ONNX Runtime itself says, in GStreamer's log.
static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "gazeruntime",
        gst::DebugColorFlags::empty(),
        Some("ONNX Runtime's own messages"),
    )
});

/// A size at which any detector opens.
const DETECTOR_SIZE: u32 = 320;

/// How to run a model.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who runs it, and how.
    pub execution: Execution,
    /// Threads on the CPU; 0 is automatic.
    pub threads: u32,
    /// Most items in one run, where the model leaves it open.
    pub batch_size: u32,
    /// See [`EngineOptions::engine_batch`].
    pub engine_batch: u32,
    /// See [`EngineOptions::batch_timeout`].
    pub batch_timeout: Duration,
    /// See [`EngineOptions::instance`].
    pub instance: Option<Arc<str>>,
    /// See [`EngineOptions::replaces`].
    pub replaces: bool,
}

impl Options {
    /// One item a run, in a session that is shared with whoever has the same model and options.
    pub fn new(execution: Execution, threads: u32) -> Self {
        Self {
            execution,
            threads,
            batch_size: 1,
            engine_batch: 1,
            batch_timeout: Duration::ZERO,
            instance: None,
            replaces: false,
        }
    }

    /// The same for the engine, whose messages go to GStreamer's log from now on.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn for_engine(&self) -> Result<EngineOptions, Refusal> {
        bridge_log();
        let execution = self.execution.for_engine().map_err(Refusal::settings)?;
        Ok(EngineOptions {
            threads: self.threads as usize,
            batch_size: self.batch_size as usize,
            engine_batch: self.engine_batch as usize,
            batch_timeout: self.batch_timeout,
            instance: self.instance.clone(),
            replaces: self.replaces,
            ..execution
        })
    }
}

/// Opens the embedded gaze model.
pub fn open_embedded_gaze(
    options: &Options,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<GazeEstimator, Refusal> {
    let model = engine::open_embedded(&options.for_engine()?)
        .into_result(diagnostics)
        .map_err(|e| Refusal::of_model(embedded::NAME, &e))?;
    estimator(embedded::NAME, model)
}

/// Opens a gaze model with its profile.
pub fn open_gaze(
    path: &str,
    profile: Option<&str>,
    options: &Options,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(GazeEstimator, FoundBy), Refusal> {
    let model = engine::open_model(path, profile, &options.for_engine()?)
        .into_result(diagnostics)
        .map_err(|e| match &e {
            OpenError::Profile(_) if is_detector(path, options) => Refusal::wrong_type(format!(
                "'{path}' is a face detector and no gaze model: use it as 'gazeface engine=...'"
            )),
            e => Refusal::of_model(path, e),
        })?;
    let source = model.source.clone();
    Ok((estimator(path, model)?, source))
}

fn estimator(path: &str, model: OpenModel) -> Result<GazeEstimator, Refusal> {
    GazeEstimator::new(model.engine, &model.profile, model.decoder).map_err(|e| match &e {
        EstimateError::Engine(e) => Refusal::from(e),
        e => Refusal::wrong_type(format!("'{path}': {e}")),
    })
}

/// Whether a file that is no gaze model is a face detector. Asked only for a better message.
fn is_detector(path: &str, options: &Options) -> bool {
    let options = Options::new(Execution::on_cpu(), options.threads);
    open_detector(path, DETECTOR_SIZE, &options, &mut Vec::new()).is_ok()
}

/// Opens a face detector; `input_size` is for those whose input size is free.
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

/// The embedded face detector; `input_size` limits the picture that it looks at.
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

/// Opens a model that looks at single faces, for one attribute; `recognise` makes it from the engine.
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

/// Reports the diagnostics of opening models: decisions to the log, what a user may want to change to
/// the bus.
pub fn report(element: &impl IsA<gst::Element>, diagnostics: &[Diagnostic]) {
    for Diagnostic { level, text } in diagnostics {
        match level {
            LogLevel::Warning | LogLevel::Error => {
                gst::element_warning!(element, gst::ResourceError::Settings, ("{text}"));
            }
            LogLevel::Info | LogLevel::Verbose => {
                gst::info!(CAT, obj = element, "{text}");
            }
        }
    }
}

/// Sends ONNX Runtime's messages to the debug category `gazeruntime`, at the level that this
/// category has now (`GST_DEBUG=gazeruntime:6`).
fn bridge_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let level = match CAT.threshold() {
            gst::DebugLevel::Log | gst::DebugLevel::Trace | gst::DebugLevel::Memdump => {
                LogLevel::Verbose
            }
            gst::DebugLevel::Info | gst::DebugLevel::Debug => LogLevel::Info,
            _ => LogLevel::Warning,
        };
        runtime::set_log_sink(
            |level, location, message| match level {
                LogLevel::Error => gst::error!(CAT, "{location}: {message}"),
                LogLevel::Warning => gst::warning!(CAT, "{location}: {message}"),
                LogLevel::Info => gst::info!(CAT, "{location}: {message}"),
                LogLevel::Verbose => gst::log!(CAT, "{location}: {message}"),
            },
            level,
        );
    });
}
